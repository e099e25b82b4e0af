//! Processes of this machine, as `/proc` shows them.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// A process.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its command line, words separated by spaces.
    pub command: String,
    parent: u32,
    started: u64,
    environment: String,
}

impl Process {
    /// `None` for one that is gone or has ended.
    fn read(pid: u32) -> Option<Self> {
        let text = |name: &str| {
            let bytes = std::fs::read(format!("/proc/{pid}/{name}")).ok()?;
            Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
        };
        let stat = text("stat")?;
        // The name before `)` may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let (state, parent, started) = (fields.first()?, fields.get(1)?, fields.get(19)?);
        if *state == "Z" || *state == "X" {
            return None;
        }
        Some(Self {
            pid,
            command: text("cmdline")?,
            parent: parent.parse().ok()?,
            started: started.parse().ok()?,
            environment: text("environ").unwrap_or_default(),
        })
    }

    /// Whether both are the same: ids are given again, starting times are not.
    pub fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && self.started == other.started
    }

    /// Whether a folder stands in its command line or environment.
    pub fn mentions(&self, folder: &Path) -> bool {
        let folder = folder.display().to_string();
        self.command.contains(&folder) || self.environment.contains(&folder)
    }

    /// Kills it.
    pub fn kill(&self) {
        signal(self.pid, Signal::KILL);
    }
}

/// All of them.
pub fn all() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|pid| *pid != std::process::id())
        .filter_map(Process::read)
        .collect()
}

/// The children of a process, theirs, and so on.
pub fn descendants(pid: u32) -> Vec<Process> {
    let all = all();
    let mut family = BTreeSet::from([pid]);
    loop {
        let before = family.len();
        family.extend(
            all.iter()
                .filter(|process| family.contains(&process.parent))
                .map(|process| process.pid)
                .collect::<Vec<_>>(),
        );
        if family.len() == before {
            break;
        }
    }
    all.into_iter()
        .filter(|process| process.pid != pid && family.contains(&process.pid))
        .collect()
}

/// Sends a signal; a process that has ended meanwhile needs none.
pub fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let _ = kill_process(pid.unwrap(), signal);
}

/// Waits until no process is `left`.
#[track_caller]
pub fn assert_ended(left: impl Fn(&Process) -> bool, what: &str) {
    let start = Instant::now();
    loop {
        let found: Vec<_> = all()
            .into_iter()
            .filter(&left)
            .map(|process| (process.pid, process.command))
            .collect();
        if found.is_empty() {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{what}: {found:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
