//! Unsaved text that outlived the process that held it.

use super::{BufferInfo, ExternalOutcome, Replace, RevisionNumber, ViewState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A buffer that is back: with its key, revisions, text, undo tree and views.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Restored {
    /// The buffer.
    pub info: BufferInfo,
    /// What its file did meanwhile; absent: it has none, or it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ExternalOutcome>,
    /// The newest changes from before, oldest first, at most 64 with 64 KiB of
    /// text: what became of requests that got no answer. Then what `file` led to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<RecentChange>,
    /// Its views, with their selections.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<ViewState>,
}

/// A change that was made before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecentChange {
    /// The revision that it led to.
    pub revision: RevisionNumber,
    /// What made it.
    pub kind: ChangeKind,
    /// In positions of the revision before.
    pub edits: Vec<Replace>,
    /// Who made it; empty means the user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub author: String,
}

/// What makes changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// An edit.
    Edit,
    /// `undo`.
    Undo,
    /// `redo`.
    Redo,
    /// `undo_to`.
    UndoTo,
}

/// A buffer that could not be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotRestored {
    /// Its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Why.
    pub reason: String,
    /// What could be saved of it: a text file, or its journal as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<PathBuf>,
}

/// Lists unsaved text of other sessions beside this one whose process is dead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListRecoverable {}

/// Unsaved text of dead sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecoverableList {
    /// Newest change last.
    pub recoverable: Vec<Recoverable>,
}

/// An unsaved text of a dead session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recoverable {
    /// Names it in `recover` and `discard_recovery`.
    pub id: String,
    /// Its file; absent: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// When it was changed last, in milliseconds since 1970.
    pub changed_ms: u64,
    /// Length of the text in bytes; absent: it cannot be restored as a buffer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub len: Option<usize>,
    /// Why it cannot be restored as a buffer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Opens an unsaved text of a dead session as a buffer of this one. CONFLICT
/// (`exists`) when its file is open here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recover {
    /// From [`Recoverable::id`].
    pub id: String,
}

/// Deletes an unsaved text of a dead session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiscardRecovery {
    /// From [`Recoverable::id`].
    pub id: String,
}
