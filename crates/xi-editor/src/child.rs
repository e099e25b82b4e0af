//! Child processes of xi-editor: language servers and plugins.
//!
//! Each is started through `symphony-extension-runner`, which gives it a session
//! of its own, closes inherited descriptors and has the kernel end it with
//! xi-editor. A [`Child`] that is dropped takes its whole group with it.

use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The program that children are started through, beside xi-editor's own.
const RUNNER: &str = "symphony-extension-runner";
/// So many last lines of standard error are kept.
const STDERR_LINES: usize = 40;
/// Of a line of standard error, so many bytes are kept.
const STDERR_LINE_BYTES: u64 = 2_000;
/// How often an ending child is looked at.
const POLL: Duration = Duration::from_millis(5);

/// A program to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The executable: a path, or a name found on the PATH.
    pub executable: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The folder it runs in; xi-editor's own when absent.
    pub folder: Option<PathBuf>,
}

/// A running child. Its end comes with [`Child::stop`] or when it is dropped.
pub struct Child {
    process: std::process::Child,
    stderr: Arc<Mutex<VecDeque<String>>>,
}

/// Both ends of a child's standard streams.
pub struct Streams {
    /// What it reads.
    pub stdin: ChildStdin,
    /// What it writes.
    pub stdout: ChildStdout,
}

impl Child {
    /// Starts a program. It lives at most as long as the calling thread.
    ///
    /// # Errors
    /// When the runner or the program cannot be started. A program that does
    /// not exist is seen later, as an end with [`Child::last_words`].
    pub fn start(program: &Program) -> io::Result<(Self, Streams)> {
        Self::spawn(program, Command::new(runner()?))
    }

    /// As [`Child::start`], with these variables as its whole environment.
    ///
    /// # Errors
    /// As [`Child::start`].
    pub fn start_in(
        program: &Program,
        environment: &[(OsString, OsString)],
    ) -> io::Result<(Self, Streams)> {
        let mut command = Command::new(runner()?);
        command.env_clear().envs(environment.iter().cloned());
        Self::spawn(program, command)
    }

    fn spawn(program: &Program, mut command: Command) -> io::Result<(Self, Streams)> {
        command
            .args(["exec", "--parent"])
            .arg(std::process::id().to_string())
            .args(["--core", "0", "--"])
            .arg(&program.executable)
            .args(&program.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(folder) = &program.folder {
            command.current_dir(folder);
        }
        let mut process = command.spawn()?;
        let missing = || io::Error::other("the child has no standard streams");
        let stderr = process.stderr.take().ok_or_else(missing)?;
        let streams = Streams {
            stdin: process.stdin.take().ok_or_else(missing)?,
            stdout: process.stdout.take().ok_or_else(missing)?,
        };
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let to = Arc::clone(&lines);
        let child = Self {
            process,
            stderr: lines,
        };
        std::thread::Builder::new()
            .name("child stderr".to_owned())
            .spawn(move || keep_last_lines(stderr, &to))?;
        Ok((child, streams))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        // An error here says that it was waited for already.
        self.process.try_wait().ok().flatten()
    }

    /// The last lines that it wrote to standard error.
    pub fn last_words(&self) -> Vec<String> {
        lock(&self.stderr).iter().cloned().collect()
    }

    /// Waits so long for it to end by itself, then ends it and its group.
    pub fn stop(mut self, grace: Duration) {
        let start = Instant::now();
        while self.ended().is_none() && start.elapsed() < grace {
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let group = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw);
        if let Some(group) = group {
            // It may be gone with all of its group already.
            let _ = kill_process_group(group, Signal::KILL);
        }
        // Between start and the runner's setsid there is no group yet.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn lock(lines: &Mutex<VecDeque<String>>) -> MutexGuard<'_, VecDeque<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep_last_lines(stderr: impl Read, kept: &Mutex<VecDeque<String>>) {
    let mut input = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut input)
            .take(STDERR_LINE_BYTES)
            .read_until(b'\n', &mut line)
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        tracing::debug!(line = text, "a child's standard error");
        let mut kept = lock(kept);
        if kept.len() == STDERR_LINES {
            kept.pop_front();
        }
        kept.push_back(text);
    }
}

/// The runner, beside this executable or one folder above (where tests lie).
fn runner() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folders = own.ancestors().skip(1).take(2);
    let found = folders
        .map(|folder: &Path| folder.join(RUNNER))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        let why = format!("{RUNNER} is missing beside {}", own.display());
        io::Error::new(io::ErrorKind::NotFound, why)
    })
}
