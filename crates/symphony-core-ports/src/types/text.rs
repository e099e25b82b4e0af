//! Text: buffers, revisions, edits.

use serde::{Deserialize, Serialize};
use std::{fmt, ops::Range, path::PathBuf};
use uuid::Uuid;

/// A buffer of xi-editor; valid while the buffer is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BufferId(pub Uuid);

/// A view of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ViewId(pub Uuid);

/// A revision of a buffer: 0 when opened, one more with each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Bytes `start..end` of UTF-8 text.
pub type ByteRange = Range<usize>;

/// Text of a buffer at a revision (the documents' `RopeSlice`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSlice {
    /// The text of `range`.
    pub text: String,
    /// Which bytes.
    pub range: ByteRange,
    /// The revision it was read at.
    pub revision: Revision,
}

/// Replaces the bytes `range` by `text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextEdit {
    /// What is replaced.
    pub range: ByteRange,
    /// By what.
    pub text: String,
}

/// Edits of one text: sorted, without overlap, all positions in the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextDelta {
    /// The revision that the positions refer to.
    pub base: Revision,
    /// The edits.
    pub edits: Vec<TextEdit>,
    /// Who: `user`, or a player's name.
    pub author: String,
}

/// The outcome of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The newest revision.
    pub revision: Revision,
    /// Whether the text changed.
    pub changed: bool,
}

/// How lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnding {
    /// `\n`
    Lf,
    /// `\r\n`
    Crlf,
    /// Both occur.
    Mixed,
}

/// What is known of an open buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferInfo {
    /// The buffer.
    pub id: BufferId,
    /// Its file.
    pub path: Option<PathBuf>,
    /// Its newest revision.
    pub revision: Revision,
    /// Length in bytes.
    pub len: usize,
    /// How lines end.
    pub line_ending: LineEnding,
    /// Whether it differs from its file.
    pub dirty: bool,
    /// Whether the file may not be written.
    pub read_only: bool,
    /// BLAKE3 of the text as UTF-8: `b3:` and hexadecimal.
    pub digest: String,
}

/// How a buffer comes to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenBuffer {
    /// The text of a file.
    File(PathBuf),
    /// New text that will be saved at a path where nothing is yet.
    New {
        /// Where it will be saved.
        path: PathBuf,
        /// Its first text.
        text: String,
    },
}

/// What a save did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The revision that the file holds now.
    pub revision: Revision,
    /// Bytes written; 0 when the file already held them.
    pub bytes: u64,
    /// BLAKE3 of the text.
    pub digest: String,
}

/// What an external change of a buffer's file led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExternalChange {
    /// The file holds what it held.
    Unchanged,
    /// The clean buffer now holds the file's text.
    Reloaded,
    /// The dirty buffer now holds both changes.
    Merged,
    /// Both sides changed the same places; the buffer keeps its own text.
    Conflict(Vec<ByteRange>),
    /// The file is gone; the buffer keeps its text.
    Deleted,
}

/// What happens to a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BufferEvent {
    /// The text changed.
    Changed {
        /// The buffer.
        buffer: BufferId,
        /// The new revision.
        revision: Revision,
        /// In positions of the revision before.
        edits: Vec<TextEdit>,
        /// Who.
        author: String,
    },
    /// The buffer was saved.
    Saved {
        /// The buffer.
        buffer: BufferId,
        /// The revision that the file holds.
        revision: Revision,
    },
    /// The file changed on disk.
    FileModified {
        /// The buffer.
        buffer: BufferId,
    },
    /// The buffer was closed.
    Closed {
        /// The buffer.
        buffer: BufferId,
    },
}
