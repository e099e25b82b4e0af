//! What can go wrong with the logs.

use std::{
    io::{self, ErrorKind},
    path::PathBuf,
    sync::Arc,
};
use sy_commons::{framed::HeaderError, fs::FsError, owner::OwnerError};
use symphony_core_ports::PortError;

/// What can go wrong with the logs. Cloneable: one failed sync fails many callers.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DagError {
    /// Another process owns the folder. Join it, or wait until it ends.
    #[error(transparent)]
    Owner(Arc<OwnerError>),
    /// A folder cannot be made.
    #[error(transparent)]
    Folder(Arc<FsError>),
    /// The disk is full, or a limit on files is reached; nothing was recorded.
    #[error("no space to write {}", .path.display())]
    DiskFull {
        /// The log.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: Arc<io::Error>,
    },
    /// A log cannot be read or written.
    #[error("cannot use {}", .path.display())]
    Io {
        /// The log.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: Arc<io::Error>,
    },
    /// A log is of another kind, or of a newer program.
    #[error("cannot read {}", .path.display())]
    Header {
        /// The log.
        path: PathBuf,
        /// Why.
        #[source]
        source: HeaderError,
    },
    /// A record that had been acknowledged cannot be read any more.
    #[error("{} is damaged at byte {offset}: {why}", .path.display())]
    Damaged {
        /// The log.
        path: PathBuf,
        /// Where.
        offset: usize,
        /// What is wrong.
        why: String,
    },
    /// A sync of this log failed: what is on disk is not known. Opening anew finds out.
    #[error("{} could not be synced before; it is read anew when Symphony starts", .path.display())]
    Unsynced {
        /// The log.
        path: PathBuf,
    },
    /// The tracker is being closed.
    #[error("the DAG Tracker is closed")]
    Closed,
}

impl DagError {
    /// From the system's error on a log.
    pub(crate) fn io(path: impl Into<PathBuf>, error: io::Error) -> Self {
        let (path, kind) = (path.into(), error.kind());
        let source = Arc::new(error);
        match kind {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::DiskFull { path, source }
            }
            _ => Self::Io { path, source },
        }
    }
}

impl From<DagError> for PortError {
    fn from(error: DagError) -> Self {
        match &error {
            DagError::Owner(owner) if matches!(**owner, OwnerError::InUse { .. }) => {
                Self::Conflict {
                    details: owner.to_string(),
                    ranges: Vec::new(),
                }
            }
            DagError::DiskFull { source, .. } => Self::Exhausted {
                resource: "the disk".to_owned(),
                details: format!("{error}: {source}"),
                retry_after: None,
            },
            _ => Self::failed_because(error.to_string(), error),
        }
    }
}
