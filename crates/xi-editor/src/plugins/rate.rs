//! How much and how often: token buckets and counts in a window.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Lets `per_second` through on average, and `burst` at once.
#[derive(Debug, Clone)]
pub(super) struct Rate {
    per_second: f64,
    burst: f64,
    left: f64,
    at: Instant,
}

impl Rate {
    pub fn new(per_second: f64, burst: f64, now: Instant) -> Self {
        Self {
            per_second,
            burst,
            left: burst,
            at: now,
        }
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * self.per_second).min(self.burst);
        self.at = now;
    }

    /// Takes one; false when there is none.
    pub fn allows(&mut self, now: Instant) -> bool {
        self.refill(now);
        let allowed = self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }

    /// Takes as many, going into debt, and says how long that debt lasts.
    pub fn take(&mut self, amount: f64, now: Instant) -> Duration {
        self.refill(now);
        self.left -= amount;
        if self.left >= 0.0 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(-self.left / self.per_second)
        }
    }

    /// Whether half of the burst is free again.
    pub fn is_relaxed(&self) -> bool {
        self.left >= self.burst / 2.0
    }
}

/// Counts events of the last `window`, up to `limit`.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    limit: usize,
    window: Duration,
    times: VecDeque<Instant>,
}

impl Recent {
    pub fn new(limit: usize, window: Duration) -> Self {
        Self {
            limit,
            window,
            times: VecDeque::new(),
        }
    }

    /// Counts one more; how many there are now in the window, at most the limit.
    pub fn count(&mut self, now: Instant) -> usize {
        self.times.push_back(now);
        while self.times.len() > self.limit
            || self
                .times
                .front()
                .is_some_and(|t| now.saturating_duration_since(*t) > self.window)
        {
            self.times.pop_front();
        }
        self.times.len()
    }

    /// Counts one more; whether the limit is reached.
    pub fn is_too_much(&mut self, now: Instant) -> bool {
        self.count(now) >= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let start = Instant::now();
        let mut rate = Rate::new(10.0, 20.0, start);
        assert_eq!((0..100).filter(|_| rate.allows(start)).count(), 20);
        let later = start + SECOND;
        assert_eq!((0..100).filter(|_| rate.allows(later)).count(), 10);
        assert_eq!(rate.take(5.0, later), SECOND / 2);
        assert!(!rate.is_relaxed());
        assert_eq!(rate.take(0.0, later + 2 * SECOND), Duration::ZERO);
        assert!(rate.is_relaxed());
    }

    #[test]
    fn only_what_is_recent_counts_and_memory_is_bounded() {
        let start = Instant::now();
        let mut recent = Recent::new(3, 10 * SECOND);
        assert!(!recent.is_too_much(start));
        assert!(!recent.is_too_much(start + 6 * SECOND));
        assert!(!recent.is_too_much(start + 12 * SECOND), "the first is old");
        assert!(recent.is_too_much(start + 13 * SECOND));
        for _ in 0..1_000 {
            assert!(recent.is_too_much(start + 13 * SECOND));
        }
        assert_eq!(recent.times.len(), 3);
    }
}
