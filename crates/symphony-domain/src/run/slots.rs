//! How many pieces of work of a run are under way at once.

use std::num::NonZeroUsize;
use symphony_core_ports::ExtensionType;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many pieces of work (nodes, and elements of fan-outs) are under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parallel {
    /// At most so many, whoever plays.
    Most(NonZeroUsize),
    /// One a core of this machine, of which there are so many. Calls of models do not
    /// count: most wait for another machine, and each model has a bound of its own.
    Cores(NonZeroUsize),
}

/// The places for pieces of work.
#[derive(Debug)]
pub struct Slots {
    free: Semaphore,
    models_count: bool,
}

impl Slots {
    /// As many as `parallel` says.
    pub fn new(parallel: Parallel) -> Self {
        let (count, models_count) = match parallel {
            Parallel::Most(count) => (count, true),
            Parallel::Cores(count) => (count, false),
        };
        Self {
            free: Semaphore::new(count.get().min(Semaphore::MAX_PERMITS)),
            models_count,
        }
    }

    /// Waits for a place, first come, first served; it is free again when dropped. The wait
    /// ends with the calls that hold the places, each of which has its time-out.
    pub async fn take(&self, player: ExtensionType) -> Option<SemaphorePermit<'_>> {
        if player == ExtensionType::Instrument && !self.models_count {
            return None;
        }
        // The semaphore is never closed.
        self.free.acquire().await.ok()
    }
}
