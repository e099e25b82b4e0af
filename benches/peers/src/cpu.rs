//! The processor's time, in which other programs have no part.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// A stopwatch that runs while this thread does.
#[derive(Debug)]
pub struct Stopwatch(Duration);

impl Stopwatch {
    /// Begins to measure.
    pub fn start() -> Self {
        Self(now())
    }

    /// How long this thread was running since.
    pub fn elapsed(&self) -> Duration {
        now().saturating_sub(self.0)
    }
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
