//! Records with versions.

use crate::{
    PortResult,
    types::{Collection, Expected, Record, RecordKey},
};
use async_trait::async_trait;
use serde_json::Value;

/// Persistence with optimistic locking.
///
/// The adapter makes technical pre-validation; the store behind it (local files,
/// or OFB Python) has the last word. An implementation MUST have a write on disk
/// before it answers, and never leave a half-written record.
#[async_trait]
pub trait DataPort: Send + Sync {
    /// Reads a record.
    ///
    /// # Errors
    /// `InvalidInput` for an unfit name; `OperationFailed` for a damaged record.
    async fn get(&self, collection: &Collection, key: &RecordKey) -> PortResult<Option<Record>>;

    /// Writes a record and gives its new version.
    ///
    /// # Errors
    /// `Conflict` when `expected` does not hold; `InvalidInput`; `Exhausted` (disk full).
    async fn put(
        &self,
        collection: &Collection,
        key: &RecordKey,
        value: Value,
        expected: Expected,
    ) -> PortResult<u64>;

    /// All records of a collection, sorted by key.
    ///
    /// # Errors
    /// `InvalidInput` for an unfit name; `OperationFailed` for a damaged record.
    async fn list(&self, collection: &Collection) -> PortResult<Vec<Record>>;

    /// Removes a record; one that is not there is no error.
    ///
    /// # Errors
    /// `Conflict` when `expected` does not hold; `InvalidInput`.
    async fn delete(
        &self,
        collection: &Collection,
        key: &RecordKey,
        expected: Expected,
    ) -> PortResult<()>;
}
