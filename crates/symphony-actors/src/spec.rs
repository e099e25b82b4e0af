//! What an actor is and how it is treated.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    time::Duration,
};
use symphony_ipc_transport::PeerOptions;

/// Variables of the host that a child gets; all others are withheld.
const PASSED_ON: [&str; 6] = ["PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR"];

/// What an actor is: how its process is started, watched, restarted, stopped.
#[derive(Debug, Clone)]
pub struct ActorSpec {
    /// Its name in messages, unique in the supervisor: `xi-editor`, `extension local-model`.
    pub id: String,
    /// The program: a path, or a name that is looked up in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables for the child, besides `PATH`, `HOME`, `LANG`, `LC_*`, `TZ`, `TMPDIR` of the host.
    pub env: BTreeMap<OsString, OsString>,
    /// The folder it starts in; the host's own when `None`.
    pub cwd: Option<PathBuf>,
    /// Upper bounds on what it may take.
    pub limits: Limits,
    /// What happens when it ends unasked.
    pub restart: RestartPolicy,
    /// How a hang is found; `None`: it is not looked for.
    pub heartbeat: Option<Heartbeat>,
    /// How long it may take from its start to the end of [`crate::Behaviour::started`].
    pub startup_timeout: Duration,
    /// How it is stopped.
    pub stop: StopPolicy,
    /// Bounds of the connection.
    pub peer: PeerOptions,
}

impl ActorSpec {
    /// An actor with everything else at its default.
    pub fn new(id: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            id: id.into(),
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            cwd: None,
            limits: Limits::default(),
            restart: RestartPolicy::default(),
            heartbeat: None,
            startup_timeout: Duration::from_secs(10),
            stop: StopPolicy::default(),
            peer: PeerOptions::default(),
        }
    }

    /// The child's whole environment.
    pub(crate) fn environment(&self) -> BTreeMap<OsString, OsString> {
        let mut all: BTreeMap<_, _> = std::env::vars_os()
            .filter(|(name, _)| passed_on(name))
            .collect();
        all.extend(self.env.clone());
        all
    }
}

fn passed_on(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| PASSED_ON.contains(&name) || name.starts_with("LC_"))
}

/// Upper bounds on what a child may take; `None` leaves the host's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Open files.
    pub open_files: Option<u64>,
    /// Address space in bytes.
    pub address_space: Option<u64>,
    /// Size of a core dump in bytes. 0 by default: a dump may hold secrets.
    pub core: Option<u64>,
    /// Size of a written file in bytes.
    pub file_size: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open_files: None,
            address_space: None,
            core: Some(0),
            file_size: None,
        }
    }
}

impl Limits {
    /// The runner's options.
    pub(crate) fn options(&self) -> Vec<OsString> {
        [
            ("--nofile", self.open_files),
            ("--address-space", self.address_space),
            ("--core", self.core),
            ("--file-size", self.file_size),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some([name.into(), value?.to_string().into()]))
        .flatten()
        .collect()
    }
}

/// What happens when an actor ends unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartPolicy {
    /// More restarts than this within [`RestartPolicy::within`] make it fail. 0: never restarted.
    pub max_restarts: u32,
    /// The time over which restarts are counted.
    pub within: Duration,
    /// The wait before the second restart in a row; the first one is immediate, each further one doubles.
    pub backoff: Duration,
    /// The longest wait.
    pub max_backoff: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            max_restarts: 5,
            within: Duration::from_secs(5),
            backoff: Duration::from_millis(20),
            max_backoff: Duration::from_secs(1),
        }
    }
}

impl RestartPolicy {
    /// Never restarts.
    pub fn never() -> Self {
        Self {
            max_restarts: 0,
            ..Self::default()
        }
    }

    /// The wait before the restart that follows `earlier` ones within the time; `None`: no more.
    pub(crate) fn wait_after(&self, earlier: u32) -> Option<Duration> {
        if earlier >= self.max_restarts {
            return None;
        }
        let Some(doublings) = earlier.checked_sub(1) else {
            return Some(Duration::ZERO);
        };
        let wait = self.backoff.saturating_mul(1 << doublings.min(16));
        Some(wait.min(self.max_backoff))
    }
}

/// How a hang is found. A child that does not answer but computes, or waits for
/// a disk, is busy and not hung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The JSON-RPC method; any answer will do.
    pub method: String,
    /// The wait between an answer and the next question.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How many questions in a row may stay unanswered.
    pub misses: u32,
    /// How long a child may be busy without answering.
    pub busy: Duration,
}

impl Heartbeat {
    /// Finds a hang within a second, as xi-editor needs it.
    pub fn tight() -> Self {
        Self {
            method: "ping".to_owned(),
            interval: Duration::from_millis(250),
            timeout: Duration::from_millis(250),
            misses: 2,
            busy: Duration::from_secs(20),
        }
    }

    /// Finds a hang within some seconds and lets a model compute for minutes.
    pub fn relaxed() -> Self {
        Self {
            method: "ping".to_owned(),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            misses: 3,
            busy: Duration::from_secs(120),
        }
    }
}

/// How an actor is stopped: asked, its input closed, SIGTERM, SIGKILL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopPolicy {
    /// The JSON-RPC method that asks it to end.
    pub method: Option<String>,
    /// From the request until SIGTERM.
    pub grace: Duration,
    /// From SIGTERM until SIGKILL.
    pub term_grace: Duration,
}

impl Default for StopPolicy {
    fn default() -> Self {
        Self {
            method: Some("shutdown".to_owned()),
            grace: Duration::from_secs(1),
            term_grace: Duration::from_millis(500),
        }
    }
}

/// Finds the program as execvp(3) would.
pub(crate) fn resolve(program: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let executable = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if program.components().count() > 1 {
        let path = std::path::absolute(program).ok()?;
        return executable(&path).then_some(path);
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| executable(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_immediate_then_waits_double_up_to_the_longest() {
        let policy = RestartPolicy {
            max_restarts: 6,
            max_backoff: Duration::from_millis(100),
            ..RestartPolicy::default()
        };
        let waits: Vec<_> = (0..7).map(|n| policy.wait_after(n)).collect();
        let ms = |n| Some(Duration::from_millis(n));
        assert_eq!(
            waits,
            [ms(0), ms(20), ms(40), ms(80), ms(100), ms(100), None]
        );
        assert_eq!(RestartPolicy::never().wait_after(0), None);
    }

    #[test]
    fn secrets_of_the_host_are_withheld() {
        let withheld = [
            "OPENAI_API_KEY",
            "LD_PRELOAD",
            "SSH_AUTH_SOCK",
            "PYTHONPATH",
        ];
        assert!(withheld.iter().all(|name| !passed_on(OsStr::new(name))));
        assert!(
            ["PATH", "LC_ALL", "TZ"]
                .iter()
                .all(|n| passed_on(OsStr::new(n)))
        );
    }

    #[test]
    fn programs_are_found_by_path_and_by_name() {
        assert!(resolve(Path::new("sh")).is_some_and(|p| p.is_absolute()));
        assert_eq!(resolve(Path::new("/bin/sh")), Some("/bin/sh".into()));
        assert_eq!(resolve(Path::new("/etc/passwd")), None);
        assert_eq!(resolve(Path::new("no-such-program-anywhere")), None);
    }
}
