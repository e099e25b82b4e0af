//! Running other programs: with their output shown or kept, always with a limit.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Log, Result, XtaskError};

/// How long a program may run when nothing else is said.
const DEFAULT_LIMIT: Duration = Duration::from_secs(30 * 60);
/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(15);
/// How many lines of kept output an error repeats.
const TAIL_LINES: usize = 30;

/// One program to run, with its arguments and surroundings.
#[derive(Debug)]
pub struct Tool {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    dir: Option<PathBuf>,
    limit: Duration,
    stdin: bool,
}

impl Tool {
    /// A program found on the path, or by its own path.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            limit: DEFAULT_LIMIT,
            stdin: false,
        }
    }

    /// The cargo that runs this command.
    #[must_use]
    pub fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        self.args
            .extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets several environment variables.
    #[must_use]
    pub fn envs(mut self, env: &[(OsString, OsString)]) -> Self {
        self.env.extend_from_slice(env);
        self
    }

    /// Sets the folder to run in.
    #[must_use]
    pub fn dir(mut self, dir: &Path) -> Self {
        self.dir = Some(dir.to_owned());
        self
    }

    /// Sets how long it may run.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Lets it read this command's standard input, which it otherwise does not see.
    #[must_use]
    pub fn with_stdin(mut self) -> Self {
        self.stdin = true;
        self
    }

    /// Runs it with its output shown.
    ///
    /// # Errors
    /// When it cannot be started, reports failure, or runs longer than it may.
    pub fn show(&self) -> Result<()> {
        let status = self.wait(self.spawn(Stdio::inherit(), Stdio::inherit())?)?;
        self.judge(status, None)
    }

    /// Runs it with its output kept in `log`; an error repeats the end of it.
    ///
    /// # Errors
    /// As [`Tool::show`]; also when `log` cannot be written.
    pub fn keep(&self, log: &Path) -> Result<()> {
        if let Some(parent) = log.parent() {
            fs::create_dir_all(parent).map_err(|e| XtaskError::file("create", parent, e))?;
        }
        let file = File::create(log).map_err(|e| XtaskError::file("write", log, e))?;
        let other = file
            .try_clone()
            .map_err(|e| XtaskError::file("write", log, e))?;
        let status = self.wait(self.spawn(file.into(), other.into())?)?;
        self.judge(status, Some(log))
    }

    /// Runs it and returns what it wrote to standard output, trimmed. For
    /// programs that answer at once and briefly: the limit does not apply.
    ///
    /// # Errors
    /// When it cannot be started or reports failure.
    pub fn read(&self) -> Result<String> {
        let output = self.command().output().map_err(|e| self.not_started(e))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let tail = tail(&String::from_utf8_lossy(&output.stderr));
        Err(self.failed(output.status, Some(Log { tail })))
    }

    /// Whether it runs and reports success; its output is dropped.
    #[must_use]
    pub fn succeeds(&self) -> bool {
        self.spawn(Stdio::null(), Stdio::null())
            .and_then(|child| self.wait(child))
            .is_ok_and(|status| status.success())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(k, v)| (k, v)));
        command.stdin(if self.stdin {
            Stdio::inherit()
        } else {
            Stdio::null()
        });
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        command
    }

    fn spawn(&self, out: Stdio, err: Stdio) -> Result<Child> {
        self.command()
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|e| self.not_started(e))
    }

    fn wait(&self, mut child: Child) -> Result<ExitStatus> {
        let start = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if start.elapsed() < self.limit => thread::sleep(POLL),
                Ok(None) => {
                    // It may have ended by itself meanwhile: then there is nothing to end.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(XtaskError::TimedOut {
                        command: self.line(),
                        limit: self.limit,
                    });
                }
                Err(source) => return Err(self.not_started(source)),
            }
        }
    }

    fn judge(&self, status: ExitStatus, log: Option<&Path>) -> Result<()> {
        if status.success() {
            return Ok(());
        }
        let log = log.map(|path| {
            let text = fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned());
            let tail = tail(&text.unwrap_or_default());
            Log {
                tail: format!("{tail}\n  (all of it: {})", path.display()),
            }
        });
        Err(self.failed(status, log))
    }

    fn failed(&self, status: ExitStatus, log: Option<Log>) -> XtaskError {
        let (command, code) = (self.line(), status.code());
        XtaskError::Failed {
            command,
            status: status.to_string(),
            code,
            log,
        }
    }

    fn not_started(&self, source: io::Error) -> XtaskError {
        let program = self.program.to_string_lossy().into_owned();
        XtaskError::Start { program, source }
    }

    fn line(&self) -> String {
        let program = Path::new(&self.program)
            .file_name()
            .unwrap_or(&self.program);
        let words = std::iter::once(program).chain(self.args.iter().map(OsString::as_os_str));
        words
            .map(|w| w.to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The last lines of `text`, each set in.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines[from..]
        .iter()
        .map(|l| format!("  | {l}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Where `program` lies on the path, if it does.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(&name))
        .find(|file| file.is_file())
}
