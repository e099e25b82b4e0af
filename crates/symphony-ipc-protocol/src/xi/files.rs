//! Buffers and their files.

use super::{BufferKey, EditOrigin, RevisionNumber, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Opens a file, or gives the buffer that already holds it; with `text`, a
/// buffer with that text that is not saved yet (with a path: where it will be saved).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Open {
    /// An absolute path. Symbolic links are resolved: one buffer a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The initial text of a new, unsaved buffer. Refused when the file exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// How lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LineEnding {
    /// `\n`
    Lf,
    /// `\r\n`
    Crlf,
    /// Both occur.
    Mixed,
}

/// How the file's bytes encode its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8 without a mark.
    Utf8,
    /// UTF-8 with a mark.
    Utf8Bom,
    /// UTF-16, little end first, with a mark.
    Utf16Le,
    /// UTF-16, big end first, with a mark.
    Utf16Be,
    /// UTF-16, little end first, without a mark.
    Utf16LeUnmarked,
    /// UTF-16, big end first, without a mark.
    Utf16BeUnmarked,
    /// ISO 8859-1 without its control characters from 0x80 on.
    Latin1,
    /// Windows code page 1252: Latin-1 with more characters from 0x80 to 0x9f.
    Windows1252,
}

/// What is known of an open buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BufferInfo {
    /// The buffer.
    pub buffer: BufferKey,
    /// Its file, absolute and resolved.
    pub path: Option<PathBuf>,
    /// Its newest revision.
    pub revision: RevisionNumber,
    /// The revision that the file on disk holds, if any.
    pub saved_revision: Option<RevisionNumber>,
    /// Length of the text in bytes.
    pub len: usize,
    /// Number of lines, at least 1; 0 while a windowed file is not indexed.
    pub lines: usize,
    /// How lines end.
    pub line_ending: LineEnding,
    /// The file's encoding.
    pub encoding: Encoding,
    /// Whether the text differs from the file's.
    pub dirty: bool,
    /// Whether the file may not be written.
    pub read_only: bool,
    /// BLAKE3 of the text as UTF-8, hexadecimal with the prefix `b3:`; empty
    /// for a windowed file.
    pub digest: String,
    /// The file is too large to be held: its text is read from disk by ranges
    /// and not edited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub windowed: bool,
    /// How many conflicts with the file are not resolved.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub conflicts: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

/// Saves atomically: the file holds the old bytes or the new ones, never a mix.
/// Missing parent folders are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Save {
    /// The buffer.
    pub buffer: BufferKey,
    /// Where to; absent: where it came from. An existing other file is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Overwrite even if the file changed on disk since it was read or written.
    #[serde(default)]
    pub overwrite: bool,
    /// Refuse (CONFLICT) unless this is the newest revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionNumber>,
    /// Write, and from then on keep, this encoding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// Make all lines end so first: an edit, when any line ends otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_ending: Option<LineEnding>,
}

/// What a save did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Saved {
    /// Where.
    pub path: PathBuf,
    /// The revision that the file holds now.
    pub revision: RevisionNumber,
    /// How many bytes were written; 0 when the file already held them.
    pub bytes: u64,
    /// BLAKE3 of the text, as in [`BufferInfo::digest`].
    pub digest: String,
    /// The file's encoding.
    pub encoding: Encoding,
    /// How its lines end.
    pub line_ending: LineEnding,
    /// Its permission bits, which a save keeps.
    pub mode: u32,
    /// Whether no file was there before.
    pub created: bool,
}

/// Changes the encoding that the next save writes; until then the buffer is dirty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetEncoding {
    /// The buffer.
    pub buffer: BufferKey,
    /// The encoding.
    pub encoding: Encoding,
}

/// Makes all lines end alike: one edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetLineEnding {
    /// The buffer.
    pub buffer: BufferKey,
    /// `lf` or `crlf`.
    pub line_ending: LineEnding,
    /// Who edits, and the undo group.
    #[serde(flatten)]
    pub origin: EditOrigin,
}

/// Finds where a line begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LocateLine {
    /// The buffer.
    pub buffer: BufferKey,
    /// The line, the first is 0; beyond the last: the last.
    pub line: usize,
}

/// Where a line begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineStart {
    /// The line.
    pub line: usize,
    /// Its first byte.
    pub offset: usize,
    /// The revision of that offset.
    pub revision: RevisionNumber,
}

/// Closes a buffer. A dirty one is refused (CONFLICT) unless `discard`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Close {
    /// The buffer.
    pub buffer: BufferKey,
    /// Forget unsaved changes.
    #[serde(default)]
    pub discard: bool,
}

/// Deletes the file of a clean buffer and closes the buffer. Refused (CONFLICT)
/// when the buffer is dirty or the file changed on disk since it was read or saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remove {
    /// The buffer.
    pub buffer: BufferKey,
}

/// The file of a buffer may have changed on disk: look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChanged {
    /// The buffer.
    pub buffer: BufferKey,
}

/// What an external change led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExternalChange {
    /// What happened.
    pub outcome: ExternalOutcome,
    /// The newest revision.
    pub revision: RevisionNumber,
}

/// What an external change led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ExternalOutcome {
    /// The file holds what it held.
    Unchanged,
    /// The buffer was clean and now holds the file's text (undoable).
    Reloaded,
    /// The buffer was dirty: both changes are in it (undoable).
    Merged,
    /// The buffer was dirty and both sides changed the same places: the buffer
    /// keeps its own text there; [`super::Conflicts`] lists both sides.
    Conflict {
        /// In positions of the newest revision.
        ranges: Vec<Span>,
    },
    /// The file is gone; the buffer keeps its text and is dirty.
    Deleted,
}

/// Lists the open buffers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Buffers {}

/// The open buffers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BufferList {
    /// In the order they were opened.
    pub buffers: Vec<BufferInfo>,
}
