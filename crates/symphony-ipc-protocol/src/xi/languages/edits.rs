//! Edits over several files.

use crate::xi::{BufferKey, Replace, RevisionNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Edits over several files. Nothing is changed until somebody applies them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkspaceEdit {
    /// In the order to apply them.
    pub steps: Vec<FileEdit>,
}

/// One step of a [`WorkspaceEdit`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FileEdit {
    /// Edits the text of a buffer: the parameters of `apply`.
    Buffer {
        /// The file.
        path: PathBuf,
        /// The buffer.
        buffer: BufferKey,
        /// The base of the edits.
        base: RevisionNumber,
        /// Sorted, apart from each other.
        edits: Vec<Replace>,
    },
    /// Edits the text of a file that is not open: open it, and apply the edits
    /// to revision 0 if its digest is this one.
    File {
        /// The file.
        path: PathBuf,
        /// As in `BufferInfo`.
        digest: String,
        /// Sorted, apart from each other.
        edits: Vec<Replace>,
    },
    /// Makes an empty file, or one with a text.
    Create {
        /// The file.
        path: PathBuf,
        /// Its text.
        text: String,
    },
    /// Renames a file or folder.
    Rename {
        /// From.
        path: PathBuf,
        /// To.
        to: PathBuf,
    },
    /// Deletes a file or folder.
    Delete {
        /// The file.
        path: PathBuf,
    },
}
