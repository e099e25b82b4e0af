//! Content-addressed store of artifacts.
//!
//! An artifact is immutable bytes, named by their BLAKE3 hash. Equal bytes are
//! stored once. What is read is verified against its name.
//!
//! | module | does |
//! |---|---|
//! | [`ArtifactStore`] | implements [`ArtifactStorage`]: prepares, asks the writer, reads and verifies |
//! | `record` | the bytes of a record, and compression |
//! | `segment` | append-only files of small objects, and of all descriptions |
//! | `object` | a file each for large objects |
//! | `index` | where everything is: redb, and what is newer in memory |
//! | `writer` | the thread that appends, and the thread that syncs |
//! | `recovery` | opening after a crash |
//!
//! **What is the record, what is derived.** The segments are the record: every
//! artifact, also one in a file of its own, has its entry there. The index is
//! derived, committed now and then, and caught up from the segments' tails when
//! the store is opened; deleted, it is built anew.
//!
//! **Durability.** `Buffered` is answered once written; `Group` after a sync
//! that all who wait share; `Sync` after one of its own. Syncs run in a thread
//! of their own, so buffered writes do not wait for them, and while one runs
//! the next ones gather: there is no window to wait out.
//!
//! The layout of the files is described in `docs/formats/artifact-store.md`.
//!
//! [`ArtifactStorage`]: symphony_core_ports::ArtifactStorage

mod error;
mod index;
mod object;
mod record;
mod recovery;
mod segment;
mod store;
mod writer;

pub use error::StoreError;
pub use recovery::DamagedPlace;
pub use store::{ArtifactStore, StoreStatus};

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Locks also after a panic elsewhere: no section here leaves half a change.
fn read<T>(shared: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    shared.read().unwrap_or_else(PoisonError::into_inner)
}

/// As [`read`].
fn write<T>(shared: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    shared.write().unwrap_or_else(PoisonError::into_inner)
}
