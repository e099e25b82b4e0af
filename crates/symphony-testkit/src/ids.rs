//! Names that count up.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use symphony_core_ports::IdSource;

/// An [`IdSource`] that counts up, so that names in tests are known beforehand.
#[derive(Debug, Clone)]
pub struct SequentialIds {
    next: Arc<AtomicU64>,
}

impl SequentialIds {
    /// Counts from 1.
    pub fn new() -> Self {
        Self::starting_at(1)
    }

    /// Counts from `first`.
    pub fn starting_at(first: u64) -> Self {
        Self {
            next: Arc::new(AtomicU64::new(first)),
        }
    }
}

impl Default for SequentialIds {
    fn default() -> Self {
        Self::new()
    }
}

impl IdSource for SequentialIds {
    fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}
