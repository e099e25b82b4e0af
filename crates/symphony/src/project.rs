//! A project: a folder, and where its state is kept.

use crate::api::{CommandError, ErrorKind};
use std::path::{Path, PathBuf};
use sy_commons::fs::AppDirs;

/// A project's folder and the places that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder, absolute, symbolic links resolved.
    pub root: PathBuf,
    /// Where its runs, artifacts and change sets are kept.
    pub state: PathBuf,
    /// Where its host listens.
    pub socket: PathBuf,
}

impl Project {
    /// The project of a folder.
    ///
    /// # Errors
    /// When the folder is not there, is no folder, or cannot be read.
    pub fn open(
        folder: &Path,
        dirs: &AppDirs,
        socket_dir: Option<&Path>,
    ) -> Result<Self, CommandError> {
        let shown = folder.display();
        let root = folder.canonicalize().map_err(|error| {
            CommandError::new(
                ErrorKind::Input,
                format!("there is no project at {shown}: {error}"),
            )
            .help("name its folder with --project DIR")
        })?;
        if let Err(error) = std::fs::read_dir(&root) {
            return Err(CommandError::new(
                ErrorKind::Input,
                format!("the project {shown} cannot be read: {error}"),
            )
            .help("a project is a folder that you may read"));
        }
        let hash = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex();
        let name: String = root
            .file_name()
            .map(|n| {
                n.to_string_lossy()
                    .chars()
                    .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
                    .take(32)
                    .collect()
            })
            .unwrap_or_default();
        let id = format!("{name}-{}", &hash[..12]);
        let state = dirs.data_dir().join("projects").join(&id);
        // Socket paths are at most about 100 bytes long, so only the hash names them.
        let socket = socket_dir
            .unwrap_or(dirs.runtime_dir())
            .join(format!("host-{}.sock", &hash[..12]));
        Ok(Self {
            root,
            state,
            socket,
        })
    }

    /// The folder above or at `start` that looks like a project's root: the
    /// nearest with a `.git`, else `start` itself.
    pub fn discover(start: &Path) -> PathBuf {
        start
            .ancestors()
            .find(|folder| folder.join(".git").exists())
            .unwrap_or(start)
            .to_owned()
    }
}
