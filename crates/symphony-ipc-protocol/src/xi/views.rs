//! Views: selections of a buffer's text and the commands that act on them.

use super::{BufferKey, Command, EditOrigin, Replace, RevisionNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A view's identifier; lives until the view or its buffer is closed.
pub type ViewKey = Uuid;

/// Opens a view of a buffer, with the cursor at the beginning of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenView {
    /// The buffer.
    pub buffer: BufferKey,
}

/// Closes a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloseView {
    /// The view.
    pub view: ViewKey,
}

/// Sets a view's selections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Select {
    /// The view.
    pub view: ViewKey,
    /// At least one. They are sorted, and those that overlap become one.
    pub selections: Vec<Selection>,
    /// Which of them is the primary one.
    #[serde(default)]
    pub primary: usize,
    /// The revision that the positions refer to; the newest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<RevisionNumber>,
}

/// Asks for a view's selections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Selections {
    /// The view.
    pub view: ViewKey,
}

/// A selection: from where it was begun to where the cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// Where it was begun.
    pub anchor: usize,
    /// Where the cursor is.
    pub head: usize,
}

/// A view's selections at the newest revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ViewState {
    /// The view.
    pub view: ViewKey,
    /// Its buffer.
    pub buffer: BufferKey,
    /// The revision that the positions refer to.
    pub revision: RevisionNumber,
    /// Sorted, apart from each other, at borders of grapheme clusters.
    pub selections: Vec<Selection>,
    /// Which of them is the primary one.
    pub primary: usize,
}

/// Does an editing command at all selections of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunCommand {
    /// The view.
    pub view: ViewKey,
    /// What to do.
    pub command: Command,
    /// Who edits, and the undo group.
    #[serde(flatten)]
    pub origin: EditOrigin,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commanded {
    /// The newest revision.
    pub revision: RevisionNumber,
    /// Whether the text changed.
    pub changed: bool,
    /// The change as made, in positions of the revision before it.
    pub edits: Vec<Replace>,
    /// The view's selections afterwards.
    pub selections: Vec<Selection>,
    /// Which of them is the primary one.
    pub primary: usize,
    /// What `copy` and `cut` took, one text a selection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clipboard: Vec<String>,
}

/// Sets how a buffer is edited; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Configure {
    /// The buffer.
    pub buffer: BufferKey,
    /// What one step of indentation is; found in the text when never set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indent: Option<Indent>,
    /// Columns from one tab stop to the next, 1 to 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tab_width: Option<u32>,
    /// Whether brackets and quotes are closed as they are typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_pairs: Option<bool>,
}

/// One step of indentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Indent {
    /// A tab.
    Tabs,
    /// So many spaces, 1 to 16.
    Spaces {
        /// How many.
        width: u32,
    },
}

/// How a buffer is edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    /// What one step of indentation is.
    pub indent: Indent,
    /// Columns from one tab stop to the next.
    pub tab_width: u32,
    /// The language's name; `text` when none is known.
    pub language: String,
    /// What begins a comment that ends with its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_comment: Option<String>,
    /// What begins and ends other comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_comment: Option<(String, String)>,
    /// Whether brackets and quotes are closed as they are typed.
    pub auto_pairs: bool,
}

/// Asks for the undo groups of a buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UndoTree {
    /// The buffer.
    pub buffer: BufferKey,
}

/// The held undo groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UndoNodes {
    /// Oldest first; a parent comes before its children.
    pub nodes: Vec<UndoNode>,
}

/// One undo group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UndoNode {
    /// Its number.
    pub node: u64,
    /// The group that it follows; absent for the oldest held text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
    /// When its last edit was made, in milliseconds since 1970 (UTC).
    pub time: u64,
    /// Who edited; empty for the user.
    pub author: String,
    /// What its edits do.
    pub kind: UndoKind,
    /// Whether the newest text is the text after this group.
    pub current: bool,
    /// How many edits it has.
    pub edits: usize,
    /// Bytes inserted and deleted.
    pub size: usize,
    /// The beginning of what it inserts, or deletes.
    pub label: String,
}

/// What the edits of a group do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UndoKind {
    /// No edits: the oldest text that is held.
    Base,
    /// They only insert.
    Insert,
    /// They only delete.
    Delete,
    /// Both.
    Replace,
}

/// Brings back the text as it was after an undo group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UndoTo {
    /// The buffer.
    pub buffer: BufferKey,
    /// The group.
    pub node: u64,
}
