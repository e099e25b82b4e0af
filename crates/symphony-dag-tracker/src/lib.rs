//! Durable record of runs, and the cache of node results.
//!
//! Every run has a log, `runs/<id>.log`: what was begun, started, completed,
//! failed, skipped, and how it ended. What the log says is what happened; the
//! state in memory is what the log says and never ahead of it. A completion is
//! acknowledged after it is synced, so a crash loses no acknowledged one.
//! A second log, `cache.log`, says which result belongs to which cache key.
//!
//! | module | does |
//! |---|---|
//! | [`DagTracker`] | implements [`DagTracking`]: record, else cache, else executor |
//! | `entry` | what the records of the logs say, version by version |
//! | `log` | reading a log back: torn tails, damage |
//! | `reading` | which logs are read, and what they say |
//! | `journal` | the one writer thread: group commit |
//! | `run` | a run's state, and the table of runs |
//! | `cache` | results by key, one execution per key at a time |
//!
//! The layout of the files is described in `docs/formats/run-log.md`.
//!
//! **Group commit without a window.** While one sync goes on, whoever else
//! wants one queues up, and the next sync serves all of them. A lone caller
//! waits for nobody; under load the wait for company is one sync at most.
//!
//! **Cancelling.** Dropping the future of `execute_dag_node` while the executor
//! works frees the node at once. Dropped later, while the completion is being
//! written, the node is freed after it is written, and then it is completed.
//!
//! [`DagTracking`]: symphony_core_ports::DagTracking

mod cache;
mod entry;
mod error;
mod journal;
mod log;
mod reading;
mod run;
mod tracker;

pub use error::DagError;
pub use tracker::{DagTracker, DamagedRun};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks also after a panic elsewhere: no section here leaves half a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
