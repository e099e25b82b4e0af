//! What happened to a buffer, for whoever keeps a record of it: done again in
//! this order, it leads to the same text, revisions and undo tree.

use super::history::GroupKey;
use serde::{Deserialize, Serialize};
use symphony_ipc_protocol::xi::{ChangeKind, Replace, RevisionNumber};

/// Something that happened to a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// The newest text was edited.
    Edit(EditOp),
    /// Another undo group is shown.
    Go(GoOp),
    /// What is beyond the limits of history was forgotten.
    Collected,
}

/// Edits of the newest text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditOp {
    /// What, in positions of the revision before.
    pub edits: Vec<Replace>,
    /// Who.
    pub author: String,
    /// The undo group that they belong to: the current one, or a new one below it.
    pub node: u64,
    /// Of a new group: which later edits join it.
    pub key: Option<GroupKey>,
    /// The text's state afterwards.
    pub state: u64,
    /// When, in milliseconds since 1970.
    pub time: u64,
}

/// A step from one undo group to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoOp {
    /// What it changed, in positions of the revision before.
    pub edits: Vec<Replace>,
    /// The group that is shown now.
    pub node: u64,
    /// The text's state now.
    pub state: u64,
    /// How it was asked for.
    pub kind: ChangeKind,
}

/// The undo group that all others grow from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The group.
    pub node: u64,
    /// The state of its text.
    pub state: u64,
    /// Who made it, when it was an edit.
    pub author: String,
    /// What was edited.
    pub label: String,
    /// When, in milliseconds since 1970.
    pub time: u64,
}

/// An undo group above the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// The group.
    pub node: u64,
    /// What it grew from.
    pub parent: u64,
    /// The group that redo leads to.
    pub next: Option<u64>,
}

/// How a buffer stands, besides its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The newest revision.
    pub revision: RevisionNumber,
    /// Where the groups grow from.
    pub root: Root,
    /// The group that redo leads to from there.
    pub root_next: Option<u64>,
    /// All other groups, oldest first.
    pub branches: Vec<Branch>,
    /// The group that is shown.
    pub current: u64,
    /// Which edits join it.
    pub key: Option<GroupKey>,
    /// The number of the next group.
    pub next_node: u64,
    /// The number of the next state.
    pub next_state: u64,
}
