//! Find and replace.

use super::{BufferKey, EditOrigin, RevisionNumber, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Finds text. Answered when it is done, and cancellable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Find {
    /// The buffer.
    pub buffer: BufferKey,
    /// What.
    #[serde(flatten)]
    pub query: Query,
    /// The revision that `ranges` and `from` refer to, and that is searched;
    /// absent: the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<RevisionNumber>,
    /// Only matches that lie in one of these; absent: anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranges: Option<Vec<Span>>,
    /// Begin here and wrap around at the end: the first match is the nearest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<usize>,
    /// With `from`: towards the beginning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backward: bool,
    /// Give at most so many matches (1,000 when absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Count all matches, beyond `limit` too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub count: bool,
}

/// What to find.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Query {
    /// A text, or with `regex` a regular expression of Rust's `regex` crate,
    /// in which `^` and `$` are the borders of lines.
    pub query: String,
    /// Whether `query` is a regular expression.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub regex: bool,
    /// Whether case is ignored (Unicode's simple folding).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_case: bool,
    /// Whether no word character may stand beside a match.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole_word: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Matches {
    /// The revision that was searched.
    pub revision: RevisionNumber,
    /// Where, in the order of the text, or from `from` on.
    pub matches: Vec<Span>,
    /// Whether there are more than these.
    pub more: bool,
    /// How many there are, when `count` was asked for or all were found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
}

/// Replaces what is found, as one undo group. Answered when it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplaceMatches {
    /// The buffer.
    pub buffer: BufferKey,
    /// What to find.
    #[serde(flatten)]
    pub query: Query,
    /// What comes in its place. With `regex`, `$1`, `${name}` stand for what a
    /// group matched, and `$$` for `$`.
    pub replacement: String,
    /// Whether the replacement takes on the case of what it replaces: all
    /// capitals, or a first capital.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_case: bool,
    /// The revision that `ranges` and `matches` refer to, and that is
    /// searched; absent: the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<RevisionNumber>,
    /// Only matches that lie in one of these; absent: anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranges: Option<Vec<Span>>,
    /// Only these matches; one that is none is refused (CONFLICT).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<Vec<Span>>,
    /// Who edits, and the undo group.
    #[serde(flatten)]
    pub origin: EditOrigin,
}

/// What replacing did. The change itself comes as the event `buffer_changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replaced {
    /// The newest revision.
    pub revision: RevisionNumber,
    /// How many matches were replaced.
    pub replaced: usize,
}
