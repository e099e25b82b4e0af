//! Time and randomness.

use async_trait::async_trait;
use std::time::{Duration, SystemTime};

/// Time. Simulated in tests.
#[async_trait]
pub trait Clock: Send + Sync {
    /// What time it is.
    fn now(&self) -> SystemTime;

    /// Time since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;

    /// Returns after `duration`, not before.
    async fn sleep(&self, duration: Duration);
}

/// Names that do not repeat.
pub trait IdSource: Send + Sync {
    /// A random number; no two calls give the same in practice.
    fn next_id(&self) -> u64;
}
