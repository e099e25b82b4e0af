//! What xi-editor tells without being asked.

use super::{
    BufferKey, ExternalOutcome, LanguageServerStatus, PluginAnnotation, PluginState, Replace,
    RevisionNumber, Selection, Span, ViewKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
    /// Whether the file of a buffer may be written changed.
    ReadOnlyChanged {
        /// The buffer.
        buffer: BufferKey,
        /// Whether it may not be written now.
        read_only: bool,
    },
    /// Changes of files in a folder are not seen, so call `file_changed`; told once a folder.
    WatchFailed {
        /// The folder; absent when no folder can be watched.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder: Option<PathBuf>,
        /// Why.
        reason: String,
    },
    /// The lines of a windowed file are being counted.
    WindowIndexed {
        /// The buffer.
        buffer: BufferKey,
        /// The revision that is indexed.
        revision: RevisionNumber,
        /// How many bytes were read.
        indexed: u64,
        /// How many bytes there are.
        len: u64,
        /// How many lines were found so far; all when `indexed` is `len`.
        lines: u64,
    },
    /// A buffer was closed.
    BufferClosed {
        /// The buffer.
        buffer: BufferKey,
    },
    /// A view's selections are not where they were: the documents' CursorMoved.
    SelectionChanged {
        /// The buffer.
        buffer: BufferKey,
        /// The view.
        view: ViewKey,
        /// The revision that the positions refer to.
        revision: RevisionNumber,
        /// All selections.
        selections: Vec<Selection>,
        /// Which of them is the primary one.
        primary: usize,
    },
    /// A view was closed, by itself or with its buffer.
    ViewClosed {
        /// The buffer.
        buffer: BufferKey,
        /// The view.
        view: ViewKey,
    },
    /// Lines that were answered by `highlight` look different by now, though
    /// nothing in them was edited: ask again for what is shown of them.
    HighlightsStale {
        /// The buffer.
        buffer: BufferKey,
        /// The revision that the lines are counted in.
        revision: RevisionNumber,
        /// The first line.
        first_line: usize,
        /// The last line, included; absent: all to the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_line: Option<usize>,
    },
    /// A plugin started or ended. When it is not running, all its spans,
    /// annotations and status items are void.
    PluginStateChanged {
        /// The plugin.
        plugin: String,
        /// How it is now.
        state: PluginState,
        /// Why, when it was not asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The last lines that it wrote to standard error.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        last_words: Vec<String>,
    },
    /// A plugin found what parts of a text are. These replace all its spans in `range`.
    PluginSpans {
        /// The plugin.
        plugin: String,
        /// The buffer.
        buffer: BufferKey,
        /// The revision that positions refer to.
        revision: RevisionNumber,
        /// Where.
        range: Span,
        /// The scopes that the spans name: each a stack, outermost first, joined by spaces.
        scopes: Vec<String>,
        /// First byte, one past the last, index into `scopes`; sorted by first byte.
        spans: Vec<(usize, usize, usize)>,
    },
    /// A plugin noted something. These replace all its annotations of that type in `range`.
    PluginAnnotations {
        /// The plugin.
        plugin: String,
        /// The buffer.
        buffer: BufferKey,
        /// The revision that positions refer to.
        revision: RevisionNumber,
        /// Where.
        range: Span,
        /// `selection`, `find`, or a name of the plugin's.
        annotation: String,
        /// The notes.
        annotations: Vec<PluginAnnotation>,
    },
    /// A plugin has something to say.
    PluginAlert {
        /// The plugin.
        plugin: String,
        /// The buffer.
        buffer: BufferKey,
        /// What.
        message: String,
    },
    /// A plugin shows, changes or removes a status item.
    PluginStatusItem {
        /// The plugin.
        plugin: String,
        /// The buffer.
        buffer: BufferKey,
        /// Which item of the plugin's.
        key: String,
        /// Its text; absent: the item is gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
        /// `left` or `right`, when it is new.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alignment: Option<String>,
    },
    /// What a language server has to say against a text changed: ask for `diagnostics`.
    DiagnosticsChanged {
        /// The buffer.
        buffer: BufferKey,
        /// The revision that the server judged.
        revision: RevisionNumber,
        /// How many errors.
        errors: usize,
        /// How many warnings.
        warnings: usize,
        /// How many informations and hints.
        others: usize,
    },
    /// A language server does something else than before.
    LanguageStatusChanged {
        /// The server.
        server: LanguageServerStatus,
    },
    /// Unsaved text is not safe any more: its journal cannot be written. Editing goes on.
    JournalFailed {
        /// Why.
        reason: String,
    },
    /// Journals are written again.
    JournalWorks {},
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
            | Self::SelectionChanged { buffer, .. }
            | Self::ViewClosed { buffer, .. }
            | Self::ReadOnlyChanged { buffer, .. }
            | Self::WindowIndexed { buffer, .. }
            | Self::HighlightsStale { buffer, .. }
            | Self::BufferClosed { buffer }
            | Self::PluginSpans { buffer, .. }
            | Self::PluginAnnotations { buffer, .. }
            | Self::PluginAlert { buffer, .. }
            | Self::PluginStatusItem { buffer, .. }
            | Self::DiagnosticsChanged { buffer, .. } => Some(*buffer),
            Self::WatchFailed { .. }
            | Self::JournalFailed { .. }
            | Self::JournalWorks {}
            | Self::EventsDropped { .. }
            | Self::PluginStateChanged { .. }
            | Self::LanguageStatusChanged { .. } => None,
        }
    }
}

/// The JSON-RPC method of [`XiEvent`] notifications.
pub const EVENT_METHOD: &str = "event";
