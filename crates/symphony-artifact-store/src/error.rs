//! What can go wrong with the store.

use std::{
    io::{self, ErrorKind},
    path::PathBuf,
    sync::Arc,
};
use sy_commons::{framed::HeaderError, fs::FsError, owner::OwnerError};
use symphony_core_ports::{ArtifactId, PortError};

/// What can go wrong with the store. Cloneable: one failed write fails many callers.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process owns the folder. Join it, or wait until it ends.
    #[error(transparent)]
    Owner(Arc<OwnerError>),
    /// A folder or file cannot be made.
    #[error(transparent)]
    File(Arc<FsError>),
    /// The disk is full, or a limit on files is reached; nothing was stored.
    #[error("no space to write {}", .path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: Arc<io::Error>,
    },
    /// A file cannot be read or written.
    #[error("cannot use {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: Arc<io::Error>,
    },
    /// A file is of another kind, or of a newer program.
    #[error("cannot read {}", .path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: HeaderError,
    },
    /// The index cannot be used; it is built anew when the store is opened.
    #[error("the artifact index failed")]
    Index(#[source] Arc<redb::Error>),
    /// There is no such artifact.
    #[error("artifact {0} was not found")]
    Unknown(ArtifactId),
    /// What is stored is not what the id says. Storing the bytes again repairs it.
    #[error("artifact {id} is damaged: {why}")]
    Damaged {
        /// Which.
        id: ArtifactId,
        /// What is wrong.
        why: String,
    },
    /// More bytes than an artifact may have.
    #[error("{size} bytes are more than the {limit} an artifact may have")]
    TooLarge {
        /// How many.
        size: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// A sync failed: what is on disk is not known. Opening anew finds out.
    #[error("the artifact store could not be synced before; it is read anew when Symphony starts")]
    Unsynced,
    /// The store is being closed.
    #[error("the artifact store is closed")]
    Closed,
}

impl StoreError {
    /// From the system's error on a file.
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

    pub(crate) fn index(error: impl Into<redb::Error>) -> Self {
        Self::Index(Arc::new(error.into()))
    }
}

impl From<FsError> for StoreError {
    fn from(error: FsError) -> Self {
        Self::File(Arc::new(error))
    }
}

impl From<StoreError> for PortError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unknown(id) => Self::not_found(format!("artifact {id}")),
            StoreError::TooLarge { .. } => Self::invalid("artifact", error.to_string()),
            StoreError::Owner(owner) if matches!(**owner, OwnerError::InUse { .. }) => {
                Self::Conflict {
                    details: owner.to_string(),
                    ranges: Vec::new(),
                }
            }
            StoreError::DiskFull { source, .. } => Self::Exhausted {
                resource: "the disk".to_owned(),
                details: format!("{error}: {source}"),
                retry_after: None,
            },
            _ => Self::failed_because(error.to_string(), error),
        }
    }
}
