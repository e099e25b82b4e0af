//! Reading and changing text.

use super::{BufferKey, RevisionNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads text. Without a range, all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Content {
    /// The buffer.
    pub buffer: BufferKey,
    /// Which part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Span>,
}

/// A range of bytes, `start` included, `end` not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Text of a buffer at a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Text {
    /// The text of the range.
    pub text: String,
    /// The range.
    pub range: Span,
    /// The revision that it was read at.
    pub revision: RevisionNumber,
}

/// Replaces `start..end` by `text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replace {
    /// First byte replaced.
    pub start: usize,
    /// One past the last byte replaced.
    pub end: usize,
    /// The new text.
    pub text: String,
}

/// Inserts text; `base` is the newest revision when absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Insert {
    /// The buffer.
    pub buffer: BufferKey,
    /// Where.
    pub at: usize,
    /// What.
    pub text: String,
    /// The revision that `at` refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<RevisionNumber>,
    /// Who edits, and the undo group.
    #[serde(flatten)]
    pub origin: EditOrigin,
}

/// Deletes a range; `base` is the newest revision when absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delete {
    /// The buffer.
    pub buffer: BufferKey,
    /// What.
    pub range: Span,
    /// The revision that `range` refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<RevisionNumber>,
    /// Who edits, and the undo group.
    #[serde(flatten)]
    pub origin: EditOrigin,
}

/// Applies edits made against `base`. They are sorted, do not overlap, and all
/// positions refer to the text of `base`. All are applied, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Apply {
    /// The buffer.
    pub buffer: BufferKey,
    /// The revision that the edits were made against.
    pub base: RevisionNumber,
    /// The edits.
    pub edits: Vec<Replace>,
    /// What to do when text that an edit replaces, or that surrounds its place, changed since `base`.
    #[serde(default)]
    pub on_overlap: OnOverlap,
    /// Who edits, and the undo group.
    #[serde(flatten)]
    pub origin: EditOrigin,
}

/// What to do with an edit whose place changed since its base.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnOverlap {
    /// Refuse all of the edits with code CONFLICT; `data.overlaps` lists the ranges.
    #[default]
    Refuse,
    /// Merge, keeping what both sides inserted; the answer lists the overlaps.
    Merge,
    /// Refuse all of the edits (CONFLICT, `not_newest`) unless `base` is the newest
    /// revision: for views, which show an edit before it is accepted and rebase it themselves.
    RefuseStale,
}

/// Who makes an edit, and which undo group it joins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EditOrigin {
    /// Who: `user`, or a player's name. Empty means the user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// Consecutive edits of one group are undone together; absent: a group of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u64>,
}

/// The answer to every change of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Applied {
    /// The newest revision.
    pub revision: RevisionNumber,
    /// Whether the text changed (undo with nothing to undo changes nothing).
    pub changed: bool,
    /// The change as made, in positions of the revision before it.
    pub edits: Vec<Replace>,
    /// Where an edit met a concurrent one, in positions of the new revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlaps: Vec<Span>,
}

/// Takes back the newest undo group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undo {
    /// The buffer.
    pub buffer: BufferKey,
}

/// Brings back the group undone last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Redo {
    /// The buffer.
    pub buffer: BufferKey,
}
