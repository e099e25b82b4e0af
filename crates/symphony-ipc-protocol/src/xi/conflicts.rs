//! Where a buffer and its file disagree.

use super::{BufferKey, EditOrigin, Replace, RevisionNumber, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists the conflicts of a buffer with its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conflicts {
    /// The buffer.
    pub buffer: BufferKey,
}

/// The conflicts of a buffer with its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConflictList {
    /// The revision that the ranges refer to.
    pub revision: RevisionNumber,
    /// In the order of the text.
    pub conflicts: Vec<Conflict>,
}

/// A place that the buffer and its file changed differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// Where in the buffer; it moves with edits.
    pub range: Span,
    /// The buffer's text there.
    pub ours: String,
    /// The file's.
    pub theirs: String,
}

/// Resolves one conflict. The last one resolved, `save` is allowed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resolve {
    /// The buffer.
    pub buffer: BufferKey,
    /// Which, counted from 0 in the list of `conflicts`.
    pub index: usize,
    /// Which text is to stand there.
    pub take: Take,
    /// Refuse (CONFLICT) unless this is the newest revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionNumber>,
    /// Who edits, and the undo group.
    #[serde(flatten)]
    pub origin: EditOrigin,
}

/// Which side of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// The buffer's, as it is now.
    Ours,
    /// The file's.
    Theirs,
    /// The buffer's, then the file's.
    Both,
}

/// What resolving did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resolved {
    /// The newest revision.
    pub revision: RevisionNumber,
    /// The change made, in positions of the revision before; empty for `ours`.
    pub edits: Vec<Replace>,
    /// The conflicts left, in positions of the new revision.
    pub remaining: Vec<Span>,
}
