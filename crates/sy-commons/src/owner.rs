//! One owner for a folder: a lock that ends with its process, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The file that is locked, in the owned folder.
const FILE: &str = "LOCK";

/// The right to be the only one who writes in a folder, until dropped.
#[derive(Debug)]
pub struct OwnerLock {
    _file: File,
}

/// Why a folder cannot be owned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// Another one owns it.
    #[error("{} is in use by {}", .folder.display(), by(.pid))]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The owner, as far as it could be read.
        pid: Option<u32>,
    },
    /// The lock file cannot be opened, locked or written.
    #[error("cannot lock {}", .folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn by(pid: &Option<u32>) -> String {
    pid.map_or("another process".to_owned(), |pid| format!("process {pid}"))
}

impl OwnerLock {
    /// Owns `folder`, which must be there. Does not wait.
    ///
    /// # Errors
    /// [`OwnerError`]; a second owner within one process is refused as well.
    pub fn acquire(folder: &Path) -> Result<Self, OwnerError> {
        let io = |source| OwnerError::Io {
            folder: folder.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(folder.join(FILE))
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Only for the message; where it cannot be read, the message says less.
                let _ = file.read_to_string(&mut text);
                let pid = text.trim().parse().ok();
                return Err(OwnerError::InUse {
                    folder: folder.to_owned(),
                    pid,
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        // The number is for people. On a full disk owning, to read what is there, still works.
        let _ = file
            .set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = OwnerLock::acquire(folder.path()).unwrap();
        let second = OwnerLock::acquire(folder.path()).unwrap_err();
        let me = std::process::id();
        assert!(
            matches!(second, OwnerError::InUse { pid, .. } if pid == Some(me)),
            "{second}"
        );
        assert!(second.to_string().contains(&me.to_string()));
        drop(first);
        OwnerLock::acquire(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let missing = OwnerLock::acquire(&folder.path().join("missing"));
        assert!(matches!(missing, Err(OwnerError::Io { .. })));
    }
}
