//! Records with versions.

use super::string_id;
use serde::{Deserialize, Serialize};
use serde_json::Value;

string_id! {
    /// A kind of record: `change-sets`, `rewards`, …; lower-case letters, digits and `-`.
    Collection
}
string_id! {
    /// A record's name within its collection; letters, digits, `-`, `_` and `.`, not beginning with a dot.
    RecordKey
}

/// A stored record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub key: RecordKey,
    /// 1 when first stored, one more with each change.
    pub version: u64,
    /// Its value.
    pub value: Value,
}

/// What must be there for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there.
    Any,
    /// Nothing.
    Absent,
    /// This version.
    Version(u64),
}
