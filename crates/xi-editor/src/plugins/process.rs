//! A plugin's process and the threads at its streams.
//!
//! What it writes goes into the host's inbox, at a bounded rate and a bounded
//! amount at a time: a plugin that writes too much waits at its own pipe. What
//! it is to read is bounded too: see [`Process::send`].

use super::rate::Rate;
use super::session::Peer;
use super::{Input, RunId};
use crate::child::{Child, Program, Streams};
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A longer line ends the plugin.
const MAX_LINE: u64 = 8 * 1024 * 1024;
/// So many bytes of lines may wait for the host, one line at least.
const MAX_UNREAD: usize = 8 * 1024 * 1024;
/// A plugin may write so many bytes a second, and twice as many at once.
const BYTES_A_SECOND: f64 = 16.0 * 1024.0 * 1024.0;
/// A plugin may write so many lines a second, and twice as many at once.
const LINES_A_SECOND: f64 = 10_000.0;
/// A plugin that wants to write more than it may for so long is ended.
const FLOOD: Duration = Duration::from_secs(5);
/// So many lines may wait for the plugin.
const MAX_UNSENT_LINES: usize = 1_024;
/// So many bytes may wait for the plugin.
const MAX_UNSENT: usize = 16 * 1024 * 1024;
/// With more waiting, changes are held back and sent as one later.
const CROWDED: usize = 2 * 1024 * 1024;
/// Variables of the environment that a plugin sees.
const PASSED_ON: [&str; 7] = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ"];

/// Why a plugin's output is not read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum OutputEnd {
    /// It closed its output, as by ending.
    #[error("it closed its output")]
    Closed,
    /// A line without end.
    #[error("it wrote a line longer than {MAX_LINE} bytes")]
    LongLine,
    /// It wrote more than it may, for long.
    #[error("it flooded its output")]
    Flood,
}

/// The plugin does not read what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not read its input")]
pub(super) struct Stuck;

/// A running plugin. Dropped, it is ended.
pub(super) struct Process {
    child: Child,
    input: SyncSender<Vec<u8>>,
    unsent: Arc<AtomicUsize>,
    credit: Closing,
}

impl Process {
    /// Starts a plugin; what it writes comes to `inputs` with `run`.
    ///
    /// # Errors
    /// When it or its threads cannot be started.
    pub fn start(run: RunId, program: &Program, inputs: SyncSender<Input>) -> io::Result<Self> {
        let passed: Vec<(OsString, OsString)> = PASSED_ON
            .iter()
            .filter_map(|name| Some((name.into(), std::env::var_os(name)?)))
            .collect();
        let (child, Streams { stdin, stdout }) = Child::start_in(program, &passed)?;
        let (input, lines) = sync_channel(MAX_UNSENT_LINES);
        let unsent = Arc::new(AtomicUsize::new(0));
        let unread = Arc::new(Credit::default());
        let process = Self {
            child,
            input,
            unsent: Arc::clone(&unsent),
            credit: Closing(Arc::clone(&unread)),
        };
        std::thread::Builder::new()
            .name("plugin writer".to_owned())
            .spawn(move || write_lines(stdin, &lines, &unsent))?;
        std::thread::Builder::new()
            .name("plugin reader".to_owned())
            .spawn(move || {
                let end = read_lines(run, stdout, &inputs, &unread);
                // The host may be gone.
                let _ = inputs.send(Input::Ended(run, end));
            })?;
        Ok(process)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The last lines that it wrote to standard error.
    pub fn last_words(&self) -> Vec<String> {
        self.child.last_words()
    }

    /// Its last words, after it closed its output: waits a moment for its end.
    pub fn epitaph(&mut self) -> (Option<ExitStatus>, Vec<String>) {
        let start = Instant::now();
        while self.child.ended().is_none() && start.elapsed() < Duration::from_millis(100) {
            std::thread::sleep(Duration::from_millis(2));
        }
        // What it wrote last may still be on its way through the other pipe.
        std::thread::sleep(Duration::from_millis(5));
        (self.child.ended(), self.child.last_words())
    }

    /// Closes its input, waits so long for its end, then ends it.
    pub fn stop(self, grace: Duration) {
        let Self {
            child,
            input,
            credit,
            ..
        } = self;
        drop((input, credit));
        child.stop(grace);
    }
}

impl Peer for Process {
    fn send(&self, line: Vec<u8>) -> Result<(), Stuck> {
        let len = line.len();
        if self.unsent.load(Ordering::Relaxed) + len > MAX_UNSENT {
            return Err(Stuck);
        }
        self.unsent.fetch_add(len, Ordering::Relaxed);
        match self.input.try_send(line) {
            // A closed input is seen as the end of the output.
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(()),
            Err(TrySendError::Full(_)) => Err(Stuck),
        }
    }

    fn is_crowded(&self) -> bool {
        self.unsent.load(Ordering::Relaxed) > CROWDED
    }

    fn done_with(&self, bytes: usize) {
        self.credit.0.give(bytes);
    }
}

fn write_lines(mut stdin: ChildStdin, lines: &Receiver<Vec<u8>>, unsent: &AtomicUsize) {
    while let Ok(line) = lines.recv() {
        // A plugin that is gone is seen as the end of its output.
        if stdin.write_all(&line).is_err() {
            return;
        }
        unsent.fetch_sub(line.len(), Ordering::Relaxed);
    }
}

fn read_lines(
    run: RunId,
    stdout: ChildStdout,
    inputs: &SyncSender<Input>,
    unread: &Credit,
) -> OutputEnd {
    let mut output = BufReader::with_capacity(64 * 1024, stdout);
    let now = Instant::now();
    let mut bytes = Rate::new(BYTES_A_SECOND, BYTES_A_SECOND * 2.0, now);
    let mut lines = Rate::new(LINES_A_SECOND, LINES_A_SECOND * 2.0, now);
    let mut starved: Option<Instant> = None;
    loop {
        let mut line = Vec::new();
        match (&mut output).take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return OutputEnd::Closed,
            Ok(_) if line.last() == Some(&b'\n') => {}
            Ok(len) if len as u64 == MAX_LINE => return OutputEnd::LongLine,
            // Cut off by its end.
            Ok(_) => return OutputEnd::Closed,
        }
        let now = Instant::now();
        let wait = bytes.take(line.len() as f64, now).max(lines.take(1.0, now));
        if !wait.is_zero() {
            if starved.get_or_insert(now).elapsed() > FLOOD {
                return OutputEnd::Flood;
            }
            std::thread::sleep(wait);
        } else if bytes.is_relaxed() && lines.is_relaxed() {
            starved = None;
        }
        if !unread.take(line.len()) || inputs.send(Input::Line(run, line)).is_err() {
            return OutputEnd::Closed;
        }
    }
}

/// Ends the reader's waiting when the process is given up.
struct Closing(Arc<Credit>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// How many bytes of lines wait for the host.
#[derive(Default)]
struct Credit {
    waiting: Mutex<Waiting>,
    freed: Condvar,
}

#[derive(Default)]
struct Waiting {
    bytes: usize,
    closed: bool,
}

impl Credit {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many more may wait; false when nobody takes any more.
    fn take(&self, bytes: usize) -> bool {
        let full = |w: &mut Waiting| !w.closed && w.bytes > 0 && w.bytes + bytes > MAX_UNREAD;
        let mut waiting = self
            .freed
            .wait_while(self.lock(), full)
            .unwrap_or_else(PoisonError::into_inner);
        waiting.bytes += bytes;
        !waiting.closed
    }

    fn give(&self, bytes: usize) {
        let mut waiting = self.lock();
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        drop(waiting);
        self.freed.notify_one();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.freed.notify_one();
    }
}
