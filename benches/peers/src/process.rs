//! A program at the other end of two pipes, which speaks in lines.

use crate::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A program is ended after so long, so that no wait is for ever.
const LIMIT: Duration = Duration::from_secs(600);

/// A running program; ended when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Arc<Mutex<Child>>,
    id: u32,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    line: String,
    /// The watch ends with it.
    _watch: Sender<()>,
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// In memory now.
    pub resident: u64,
    /// The most that was in memory at once.
    pub peak: u64,
}

impl Process {
    /// Starts a program; what it logs is dropped.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Result<Self, Error> {
        let failed = |source| Error::Process {
            program: name.to_owned(),
            doing: "start",
            source,
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let no_pipe = || failed(std::io::Error::other("it has no pipes"));
        let input = child.stdin.take().ok_or_else(no_pipe)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(no_pipe)?);
        let id = child.id();
        let child = Arc::new(Mutex::new(child));
        let (watch, over) = channel::<()>();
        let watched = Arc::clone(&child);
        std::thread::spawn(move || {
            if over.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                end(&watched);
            }
        });
        Ok(Self {
            name: name.to_owned(),
            child,
            id,
            input,
            output,
            line: String::new(),
            _watch: watch,
        })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes to its input.
    ///
    /// # Errors
    /// When it does not read any more.
    pub fn send(&mut self, text: &str) -> Result<(), Error> {
        self.input
            .write_all(text.as_bytes())
            .map_err(|source| Error::Process {
                program: self.name.clone(),
                doing: "write to",
                source,
            })
    }

    /// Waits for the next line of its output.
    ///
    /// # Errors
    /// When it ended.
    pub fn line(&mut self) -> Result<&str, Error> {
        self.line.clear();
        let read = self
            .output
            .read_line(&mut self.line)
            .map_err(|source| Error::Process {
                program: self.name.clone(),
                doing: "read from",
                source,
            })?;
        if read == 0 {
            return Err(Error::Ended {
                program: self.name.clone(),
                limit: LIMIT,
            });
        }
        Ok(&self.line)
    }

    /// Waits for a line that holds `part`; lines before it are passed over.
    ///
    /// # Errors
    /// When it ended.
    pub fn line_with(&mut self, part: &str) -> Result<&str, Error> {
        while !self.line()?.contains(part) {}
        Ok(&self.line)
    }

    /// An error about the line read last.
    pub fn unexpected(&self) -> Error {
        Error::Said {
            program: self.name.clone(),
            line: self.line.trim_end().chars().take(500).collect(),
        }
    }

    /// Its memory, as the system counts it.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn memory(&self) -> Result<Memory, Error> {
        let path = std::path::PathBuf::from(format!("/proc/{}/status", self.id));
        let status = std::fs::read_to_string(&path).map_err(|e| Error::file("read", &path, e))?;
        let kib = |key: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let value = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
            value.unwrap_or(0)
        };
        Ok(Memory {
            resident: kib("VmRSS:") * 1024,
            peak: kib("VmHWM:") * 1024,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&self.child);
    }
}

/// Ends a program; it may have ended by itself.
fn end(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = child.kill();
    let _ = child.wait();
}
