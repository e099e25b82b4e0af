//! What can go wrong with a file, and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::error::{Categorized, ErrorCategory, io_category, io_help};

/// A file operation that failed: which path, which operation, why.
#[derive(Debug, Error)]
#[error("cannot {op} {}", .path.display())]
pub struct FsError {
    /// The path as the caller gave it.
    pub path: PathBuf,
    /// What was tried.
    pub op: FsOp,
    /// Why it failed. Boxed, to keep results small.
    #[source]
    pub source: Box<FsReason>,
}

/// What was tried on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FsOp {
    /// Reading content.
    Read,
    /// Replacing content.
    Write,
    /// Creating a folder.
    CreateDir,
    /// Making a folder's entries durable.
    SyncDir,
    /// Asking whether it is there.
    Look,
    /// Turning it into a path that may be used.
    Resolve,
}

impl fmt::Display for FsOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::CreateDir => "create folder",
            Self::SyncDir => "sync folder",
            Self::Look => "look at",
            Self::Resolve => "use path",
        })
    }
}

/// Why a file operation failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FsReason {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The content is text in another encoding, or damaged.
    #[error("not UTF-8 text: the first bad byte is at offset {offset}")]
    NotUtf8 {
        /// Bytes of good UTF-8 before the first bad one.
        offset: usize,
    },
    /// The content is not text at all.
    #[error("a binary file, not text")]
    Binary,
    /// The file is larger than the caller allows.
    #[error("larger than the limit of {limit} bytes")]
    TooLarge {
        /// The most bytes allowed.
        limit: u64,
    },
    /// The path names a folder, pipe, socket or device.
    #[error("not a regular file")]
    NotAFile,
    /// The path is empty.
    #[error("the path is empty")]
    EmptyPath,
    /// The path starts at the root where a relative one is asked for.
    #[error("the path is absolute; a relative one is needed")]
    Absolute,
    /// The path has a `..`.
    #[error("the path contains `..`")]
    ParentComponent,
    /// The path has a NUL byte.
    #[error("the path contains a NUL byte")]
    NulByte,
    /// A symbolic link leads out of the folder.
    #[error("the path leads out of {}", .root.display())]
    Escapes {
        /// The folder it may not leave.
        root: PathBuf,
    },
    /// Symbolic links that lead nowhere or in a circle.
    #[error("a symbolic link leads nowhere or in a circle")]
    BadLink,
    /// The platform names no home folder.
    #[error("no home folder is known")]
    NoHome,
}

impl FsError {
    /// An error for `op` on `path`.
    pub fn new(op: FsOp, path: impl AsRef<Path>, reason: impl Into<FsReason>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            op,
            source: Box::new(reason.into()),
        }
    }

    /// Why it failed.
    #[must_use]
    pub fn reason(&self) -> &FsReason {
        &self.source
    }

    /// Whether it failed because there is nothing at the path.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.reason(), FsReason::Io(e) if e.kind() == io::ErrorKind::NotFound)
    }
}

impl Categorized for FsError {
    fn category(&self) -> ErrorCategory {
        match self.reason() {
            FsReason::Io(error) => io_category(error),
            FsReason::NoHome => ErrorCategory::FixEnvironment,
            _ => ErrorCategory::FixInput,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self.reason() {
            FsReason::Io(error) => return io_help(error).map(str::to_owned),
            FsReason::NotUtf8 { .. } => "convert the file to UTF-8 first".to_owned(),
            FsReason::NoHome => format!("set HOME or {}", super::HOME_VARIABLE),
            FsReason::BadLink => "correct or remove the link".to_owned(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_tried_where_and_why() {
        let error = FsError::new(FsOp::Read, "a/b", io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(error.to_string(), "cannot read a/b");
        assert!(error.is_not_found());
        assert_eq!(error.category(), ErrorCategory::FixInput);
        assert!(error.help().is_some());
        let error = FsError::new(FsOp::Write, "a", FsReason::TooLarge { limit: 5 });
        assert_eq!(
            error.reason().to_string(),
            "larger than the limit of 5 bytes"
        );
        assert!(!error.is_not_found());
        assert_eq!(error.help(), None);
        let error = FsError::new(FsOp::Resolve, "", FsReason::NoHome);
        assert_eq!(error.category(), ErrorCategory::FixEnvironment);
    }

    #[test]
    fn every_operation_reads_as_a_verb() {
        for op in [
            FsOp::Read,
            FsOp::Write,
            FsOp::CreateDir,
            FsOp::SyncDir,
            FsOp::Look,
            FsOp::Resolve,
        ] {
            let text = FsError::new(op, "x", FsReason::Binary).to_string();
            assert!(
                text.starts_with("cannot ") && text.ends_with(" x"),
                "{text}"
            );
        }
    }
}
