//! The machine's own time and randomness.

use async_trait::async_trait;
use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};
use symphony_core_ports::{Clock, IdSource};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Since this process first asked.
    fn elapsed(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Numbers from the operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next_id(&self) -> u64 {
        // Each half has a few fixed bits, at different places: together none is fixed.
        let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
        high ^ low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[tokio::test]
    async fn sleep_is_never_short_and_time_never_goes_back() {
        let before = SystemClock.elapsed();
        SystemClock.sleep(Duration::from_millis(5)).await;
        assert!(SystemClock.elapsed() - before >= Duration::from_millis(5));
    }

    #[test]
    fn ids_differ_in_every_bit() {
        let ids: Vec<_> = (0..1_000).map(|_| RandomIds.next_id()).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        assert_eq!(ids.iter().fold(0, |all, id| all | id), u64::MAX);
        assert_eq!(ids.iter().fold(u64::MAX, |all, id| all & id), 0);
    }
}
