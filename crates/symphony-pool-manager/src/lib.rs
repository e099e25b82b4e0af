//! Leases of models under limits.
//!
//! A model that a few callers may use at once is a set of slots. [`PoolManager`]
//! hands slots out as leases ([`ModelHandle`]), first come, first served, and
//! takes them back. It decides over counters only: it starts no model, and it
//! reads time from the [`Clock`] it was given.
//!
//! | module | does |
//! |---|---|
//! | [`PoolManager`] | finds the model of a spec, waits, times out, implements [`ModelPool`] |
//! | `model` | one model's slots and its queue |
//!
//! The synchronous way in, [`PoolManager::try_lease`] and
//! [`PoolManager::give_back`], is a table look-up and one short lock; the
//! asynchronous one adds waiting.
//!
//! What holds: never more leases of a model than its `max_parallel`; nobody
//! overtakes a waiting caller; a caller that stops waiting leaves nothing
//! behind; a handle given back twice is refused.
//!
//! [`Clock`]: symphony_core_ports::Clock
//! [`ModelHandle`]: symphony_core_ports::ModelHandle
//! [`ModelPool`]: symphony_core_ports::ModelPool

mod manager;
mod model;

pub use manager::{ModelStatus, PoolManager};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks also after a panic elsewhere: no section here leaves half a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
