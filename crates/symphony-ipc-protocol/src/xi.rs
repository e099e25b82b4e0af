//! The messages between Symphony and xi-editor: protocol `xi-editor/1`.
//!
//! Requests carry a type of this module as `params`; [`XiRequest`] names the
//! method and the answer of each. Events are notifications ([`XiEvent`]).
//!
//! A buffer's text is the decoded text of its file without an encoding mark,
//! line ends as they are. All positions are UTF-8 byte offsets into that text
//! and must lie on character borders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::PathBuf;
use uuid::Uuid;

/// The protocol's name and version, answered by `initialize`.
pub const PROTOCOL: &str = "xi-editor/1";

/// A request: its method's name and the type of its answer.
pub trait XiRequest: Serialize + DeserializeOwned + Send {
    /// The JSON-RPC method.
    const METHOD: &'static str;
    /// The type of `result`.
    type Answer: Serialize + DeserializeOwned + Send;
}

macro_rules! requests {
    ($($request:ident => $method:literal -> $answer:ty),* $(,)?) => {
        $(impl XiRequest for $request {
            const METHOD: &'static str = $method;
            type Answer = $answer;
        })*
        /// Every method of the protocol.
        pub const METHODS: &[&str] = &[$($method),*];
    };
}

requests! {
    Initialize => "initialize" -> Initialized,
    Ping => "ping" -> Empty,
    Open => "open" -> BufferInfo,
    Content => "content" -> Text,
    Insert => "insert" -> Applied,
    Delete => "delete" -> Applied,
    Apply => "apply" -> Applied,
    Undo => "undo" -> Applied,
    Redo => "redo" -> Applied,
    Save => "save" -> Saved,
    Close => "close" -> Empty,
    Remove => "remove" -> Empty,
    FileChanged => "file_changed" -> ExternalChange,
    Buffers => "buffers" -> BufferList,
    Shutdown => "shutdown" -> Empty,
}

/// A buffer's identifier; lives as long as the buffer is open.
pub type BufferKey = Uuid;
/// A buffer's revision: 0 when opened, one more with each accepted change.
pub type RevisionNumber = u64;

/// Nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Empty {}

/// Says hello; must be the first request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initialize {
    /// The client's name, for the log.
    pub client: String,
    /// Versions of the protocol that the client speaks, best first.
    pub protocols: Vec<String>,
    /// Files above this many bytes are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_file_bytes: Option<u64>,
}

/// The answer to [`Initialize`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initialized {
    /// The version that both speak from now on.
    pub protocol: String,
    /// xi-editor's own version.
    pub version: String,
    /// xi-editor's process id.
    pub pid: u32,
}

/// Are you there?
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ping {}

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
    /// Number of lines, at least 1.
    pub lines: usize,
    /// How lines end.
    pub line_ending: LineEnding,
    /// The file's encoding.
    pub encoding: Encoding,
    /// Whether the text differs from the file's.
    pub dirty: bool,
    /// Whether the file may not be written.
    pub read_only: bool,
    /// BLAKE3 of the text as UTF-8, hexadecimal with the prefix `b3:`.
    pub digest: String,
}

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
#[serde(rename_all = "lowercase")]
pub enum OnOverlap {
    /// Refuse all of the edits with code CONFLICT; `data.overlaps` lists the ranges.
    #[default]
    Refuse,
    /// Merge, keeping what both sides inserted; the answer lists the overlaps.
    Merge,
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
    /// keeps its own text, these ranges of it differ from the file.
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

/// Ends xi-editor after the answer. Unsaved text is lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shutdown {}

/// What xi-editor tells without being asked; the JSON-RPC method is `event`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum XiEvent {
    /// A buffer's text changed from `revision - 1` to `revision`.
    BufferChanged {
        /// The buffer.
        buffer: BufferKey,
        /// The new revision.
        revision: RevisionNumber,
        /// In positions of the revision before.
        edits: Vec<Replace>,
        /// Who: `user`, `disk`, or a player's name.
        author: String,
        /// Length of the new text in bytes.
        len: usize,
        /// Whether the text differs from the file's.
        dirty: bool,
    },
    /// A buffer was saved.
    BufferSaved {
        /// The buffer.
        buffer: BufferKey,
        /// Where.
        path: PathBuf,
        /// The revision that the file holds.
        revision: RevisionNumber,
    },
    /// The file of a buffer changed on disk.
    FileModified {
        /// The buffer.
        buffer: BufferKey,
        /// What it led to.
        outcome: ExternalOutcome,
    },
    /// A buffer was closed.
    BufferClosed {
        /// The buffer.
        buffer: BufferKey,
    },
    /// The client did not read for long, and events of these buffers were
    /// dropped: ask for `buffers` and read those again.
    EventsDropped {
        /// The buffers.
        buffers: Vec<BufferKey>,
    },
}

impl XiEvent {
    /// The buffer that the event tells of, if it is one.
    pub fn buffer(&self) -> Option<BufferKey> {
        match self {
            Self::BufferChanged { buffer, .. }
            | Self::BufferSaved { buffer, .. }
            | Self::FileModified { buffer, .. }
            | Self::BufferClosed { buffer } => Some(*buffer),
            Self::EventsDropped { .. } => None,
        }
    }
}

/// The JSON-RPC method of [`XiEvent`] notifications.
pub const EVENT_METHOD: &str = "event";
