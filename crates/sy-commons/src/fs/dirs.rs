//! Where Symphony keeps its files on this platform.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::error::{FsError, FsOp, FsReason};

/// The environment variable that puts all folders below one: for tests and for
/// a portable installation.
pub const HOME_VARIABLE: &str = "SYMPHONY_HOME";

/// Symphony's folders. Looking them up creates none of them:
/// use [`ensure_dir`](super::ensure_dir) before writing.
///
/// ```
/// use sy_commons::fs::AppDirs;
/// let dirs = AppDirs::under("/opt/symphony");
/// assert_eq!(dirs.config_file(), std::path::Path::new("/opt/symphony/config/config.toml"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppDirs {
    config: PathBuf,
    data: PathBuf,
    cache: PathBuf,
    state: PathBuf,
    runtime: PathBuf,
}

impl AppDirs {
    /// The folders for this user: below [`HOME_VARIABLE`] when that is set, else
    /// where the platform wants them.
    ///
    /// # Errors
    /// [`FsReason::NoHome`] when the platform names no home folder; the
    /// system's error when the current folder is needed and gone.
    pub fn discover() -> Result<Self, FsError> {
        Self::discover_from(std::env::var_os(HOME_VARIABLE))
    }

    fn discover_from(home: Option<OsString>) -> Result<Self, FsError> {
        if let Some(home) = home.filter(|home| !home.is_empty()) {
            let home = PathBuf::from(home);
            let home =
                std::path::absolute(&home).map_err(|e| FsError::new(FsOp::Resolve, &home, e))?;
            return Ok(Self::under(home));
        }
        let dirs = ProjectDirs::from("", "", "symphony")
            .ok_or_else(|| FsError::new(FsOp::Resolve, "~", FsReason::NoHome))?;
        let state = dirs
            .state_dir()
            .map_or_else(|| dirs.data_local_dir().join("state"), Path::to_owned);
        let runtime = dirs
            .runtime_dir()
            .map_or_else(|| state.join("run"), Path::to_owned);
        Ok(Self {
            config: dirs.config_dir().to_owned(),
            data: dirs.data_dir().to_owned(),
            cache: dirs.cache_dir().to_owned(),
            state,
            runtime,
        })
    }

    /// All folders below `home`.
    #[must_use]
    pub fn under(home: impl AsRef<Path>) -> Self {
        let home = home.as_ref();
        Self {
            config: home.join("config"),
            data: home.join("data"),
            cache: home.join("cache"),
            state: home.join("state"),
            runtime: home.join("run"),
        }
    }

    /// What the user edits: configuration, own melodies.
    #[must_use]
    pub fn config_dir(&self) -> &Path {
        &self.config
    }

    /// What must not be lost: artifacts, runs, installed extensions.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// What can be made again.
    #[must_use]
    pub fn cache_dir(&self) -> &Path {
        &self.cache
    }

    /// What tells of the past: logs, history.
    #[must_use]
    pub fn state_dir(&self) -> &Path {
        &self.state
    }

    /// What lives as long as the session: sockets, locks.
    #[must_use]
    pub fn runtime_dir(&self) -> &Path {
        &self.runtime
    }

    /// Where log files go.
    #[must_use]
    pub fn log_dir(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// The user's own configuration file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_home_holds_all() {
        let dirs = AppDirs::discover_from(Some("/x/y".into())).unwrap();
        assert_eq!(dirs, AppDirs::under("/x/y"));
        let all = [
            dirs.config_dir(),
            dirs.data_dir(),
            dirs.cache_dir(),
            dirs.state_dir(),
            dirs.runtime_dir(),
        ];
        for (at, dir) in all.iter().enumerate() {
            assert!(dir.starts_with("/x/y"));
            assert!(all[..at].iter().all(|other| other != dir));
        }
        assert_eq!(dirs.log_dir(), Path::new("/x/y/state/logs"));
        assert_eq!(dirs.config_file(), Path::new("/x/y/config/config.toml"));
    }

    #[test]
    fn a_relative_home_becomes_absolute_and_an_empty_one_is_none() {
        let dirs = AppDirs::discover_from(Some("portable".into())).unwrap();
        assert!(dirs.config_dir().is_absolute());
        assert_eq!(
            AppDirs::discover_from(Some("".into())).unwrap(),
            AppDirs::discover_from(None).unwrap()
        );
    }

    #[test]
    fn the_platform_names_folders() {
        let dirs = AppDirs::discover_from(None).unwrap();
        for dir in [
            dirs.config_dir(),
            dirs.data_dir(),
            dirs.cache_dir(),
            dirs.state_dir(),
        ] {
            assert!(dir.is_absolute());
            assert!(
                dir.to_string_lossy().to_lowercase().contains("symphony"),
                "{dir:?}"
            );
        }
        assert!(!dirs.runtime_dir().as_os_str().is_empty());
    }
}
