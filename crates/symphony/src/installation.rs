//! Where the parts of an installation are: programs, extensions, melodies, Python.

use std::path::{Path, PathBuf};
use sy_commons::fs::AppDirs;

/// The parts of an installation.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The folder with `xi-editor`, `symphony-extension-runner` and the extensions' programs.
    pub programs: PathBuf,
    /// The folder with `extensions/` and `melodies/` that came with Symphony.
    pub share: PathBuf,
    /// The Python that extensions run on.
    pub python: PathBuf,
    /// The user's folders.
    pub dirs: AppDirs,
}

impl Installation {
    /// Finds the parts: beside this program, or where `SYMPHONY_SHARE` and `SYMPHONY_PYTHON` point.
    ///
    /// # Errors
    /// When the platform has no home folder.
    pub fn discover() -> Result<Self, sy_commons::fs::FsError> {
        let dirs = AppDirs::discover()?;
        let programs = std::env::current_exe()
            .ok()
            .and_then(|exe| exe.canonicalize().ok())
            .and_then(|exe| exe.parent().map(Path::to_owned))
            .unwrap_or_default();
        let share = from_variable("SYMPHONY_SHARE").unwrap_or_else(|| find_share(&programs));
        let python = from_variable("SYMPHONY_PYTHON").unwrap_or_else(|| find_python(&share, &dirs));
        Ok(Self {
            programs,
            share,
            python,
            dirs,
        })
    }

    /// A program of ours.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The folders that melodies are looked for in, the user's first.
    pub fn melody_folders(&self) -> [PathBuf; 2] {
        [
            self.dirs.config_dir().join("melodies"),
            self.share.join("melodies"),
        ]
    }
}

fn from_variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|v| !v.is_empty())
        .map(PathBuf::from)
}

/// `../share/symphony` of an installed program; the repository above `target/debug` of a built one.
fn find_share(programs: &Path) -> PathBuf {
    let installed = programs.join("../share/symphony");
    let has_melodies =
        |folder: &Path| folder.join("melodies").is_dir() && folder.join("extensions").is_dir();
    if has_melodies(&installed) {
        return installed;
    }
    programs
        .ancestors()
        .find(|folder| has_melodies(folder))
        .map_or(installed, Path::to_owned)
}

fn find_python(share: &Path, dirs: &AppDirs) -> PathBuf {
    let environments = [share.join(".venv"), dirs.data_dir().join("python")];
    let python = |environment: &PathBuf| environment.join("bin/python");
    environments
        .iter()
        .map(python)
        .find(|p| p.exists())
        .unwrap_or_else(|| PathBuf::from("python3"))
}
