//! Files in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use symphony_core_ports::{PortError, PortResult};

/// The encoding mark of UTF-8.
pub(super) const MARK: &[u8] = b"\xEF\xBB\xBF";

#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) files: BTreeMap<PathBuf, Vec<u8>>,
    read_only: BTreeSet<PathBuf>,
}

impl Disk {
    pub(super) fn read(&self, path: &Path) -> PortResult<&[u8]> {
        match self.files.get(path) {
            Some(bytes) => Ok(bytes),
            None => Err(PortError::not_found(format!("file {}", path.display()))),
        }
    }

    pub(super) fn set_read_only(&mut self, path: PathBuf, read_only: bool) {
        if read_only {
            self.read_only.insert(path);
        } else {
            self.read_only.remove(&path);
        }
    }

    pub(super) fn is_read_only(&self, path: &Path) -> bool {
        self.read_only.contains(path)
    }

    pub(super) fn check_writable(&self, path: &Path) -> PortResult<()> {
        if self.is_read_only(path) {
            let operation = format!("writing {}", path.display());
            return Err(PortError::PermissionDenied { operation });
        }
        Ok(())
    }
}

/// Text of a file without its encoding mark.
pub(super) fn decode(path: &Path, bytes: &[u8]) -> PortResult<String> {
    let unsupported = |why: &str| PortError::Unsupported {
        details: format!("{}: {why}", path.display()),
    };
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    if bytes.contains(&0) {
        return Err(unsupported("a binary file"));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(unsupported("not UTF-8")),
    }
}

pub(super) fn encode(text: &str, mark: bool) -> Vec<u8> {
    match mark {
        true => [MARK, text.as_bytes()].concat(),
        false => text.as_bytes().to_vec(),
    }
}
