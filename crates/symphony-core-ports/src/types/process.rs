//! Processes, their health, and what keeps the two binaries in step.

use super::{BufferId, Revision, TextEdit, ViewId, string_id};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::SystemTime};

string_id! {
    /// A supervised process: `xi-editor`, or `extension local-model`.
    ProcessId
}

/// How a process is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "health")]
pub enum HealthStatus {
    /// It answers.
    Healthy,
    /// It answers late, or restarted lately.
    Degraded {
        /// Why.
        reason: String,
    },
    /// It runs and does not answer.
    Unhealthy {
        /// Why.
        error: String,
    },
    /// It does not run.
    Unreachable,
}

/// A place in a text: line from 0, column in UTF-8 bytes from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// From 0.
    pub line: usize,
    /// In bytes, from 0.
    pub column: usize,
}

/// What keeps Symphony and xi-editor in step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncEvent {
    /// Symphony to xi-editor: a file changed on disk; xi-editor reads it itself.
    FileChanged {
        /// Which.
        path: PathBuf,
    },
    /// Symphony to xi-editor: the project's folder changed as a whole.
    WorkspaceReload {
        /// Which.
        root: PathBuf,
    },
    /// xi-editor to Symphony: a buffer's text changed.
    BufferUpdated {
        /// Which.
        buffer_id: BufferId,
        /// The new revision.
        revision: Revision,
        /// In positions of the revision before.
        edits: Vec<TextEdit>,
    },
    /// xi-editor to Symphony: a cursor moved.
    CursorMoved {
        /// In which view.
        view_id: ViewId,
        /// Where to.
        position: Position,
    },
    /// xi-editor to Symphony: a file was written.
    FileModified {
        /// Which.
        path: PathBuf,
        /// When.
        timestamp: SystemTime,
    },
    /// xi-editor to Symphony: a view was closed.
    ViewClosed {
        /// Which.
        view_id: ViewId,
    },
    /// From the supervisor: how a process is.
    ProcessHealthCheck {
        /// Which.
        process_id: ProcessId,
        /// How.
        status: HealthStatus,
    },
}
