//! A language server's process and the threads that read and write its pipes.

use super::wire::{self, WireError};
use crate::child::{Child, Program};
use crate::companion::Mailbox;
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{self, BufReader, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many bytes of messages wait for us before the server has to.
const MAX_INCOMING: usize = 8 * 1024 * 1024;
/// So many bytes wait for the server before it counts as hanging.
const MAX_OUTGOING: usize = 64 * 1024 * 1024;
/// How long a server may take to end when told to.
const GRACE: Duration = Duration::from_secs(2);

/// What comes from a server.
pub enum Incoming {
    /// A message.
    Message(Value),
    /// Nothing more; the last.
    Ended(WireError),
}

/// A bounded queue between two threads.
struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    closed: bool,
}

impl<T> Queue<T> {
    fn new() -> Arc<Self> {
        let state = State {
            items: VecDeque::new(),
            bytes: 0,
            closed: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item, waiting while more than `max` bytes wait; false when it is closed.
    fn put(&self, item: T, bytes: usize, max: usize) -> bool {
        let mut state = self
            .changed
            .wait_while(self.lock(), |s| s.bytes > max && !s.closed)
            .unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return false;
        }
        state.items.push_back((item, bytes));
        state.bytes += bytes;
        drop(state);
        self.changed.notify_all();
        true
    }

    /// The next item, if one is there.
    fn try_take(&self) -> Option<T> {
        let mut state = self.lock();
        let (item, bytes) = state.items.pop_front()?;
        state.bytes -= bytes;
        drop(state);
        self.changed.notify_all();
        Some(item)
    }

    /// The next item; `None` when it is closed and empty.
    fn take(&self) -> Option<T> {
        let state = self
            .changed
            .wait_while(self.lock(), |s| s.items.is_empty() && !s.closed)
            .unwrap_or_else(PoisonError::into_inner);
        drop(state);
        self.try_take()
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// A running server.
pub struct Link {
    child: Option<Child>,
    incoming: Arc<Queue<Incoming>>,
    outgoing: Arc<Queue<Vec<u8>>>,
}

impl Link {
    /// Starts a server; `mailbox` is woken when something comes from it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Program, mailbox: &Mailbox) -> io::Result<Self> {
        let (child, streams) = Child::start(program)?;
        let link = Self {
            child: Some(child),
            incoming: Queue::new(),
            outgoing: Queue::new(),
        };
        let (to, wake) = (Arc::clone(&link.incoming), mailbox.clone());
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        thread("server reader").spawn(move || read_into(streams.stdout, &to, &wake))?;
        let from = Arc::clone(&link.outgoing);
        thread("server writer").spawn(move || write_from(&from, streams.stdin))?;
        Ok(link)
    }

    /// Its process id.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// What came, if something did.
    pub fn receive(&self) -> Option<Incoming> {
        self.incoming.try_take()
    }

    /// Sends a message; false when the server does not read.
    pub fn send(&self, message: &Value) -> bool {
        let bytes = wire::frame(message);
        let len = bytes.len();
        if self.outgoing.lock().bytes > MAX_OUTGOING {
            return false;
        }
        self.outgoing.put(bytes, len, usize::MAX)
    }

    /// The last lines that it wrote to standard error.
    pub fn last_words(&self) -> Vec<String> {
        self.child
            .as_ref()
            .map(Child::last_words)
            .unwrap_or_default()
    }

    /// Closes its input and gives it time to end, without waiting for that here.
    pub fn stop(mut self) {
        if let Some(child) = self.child.take() {
            self.outgoing.close();
            let stop = move || child.stop(GRACE);
            // Without a thread it is ended at once, by being dropped.
            let _ = std::thread::Builder::new()
                .name("server stop".to_owned())
                .spawn(stop);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.incoming.close();
        self.outgoing.close();
    }
}

fn read_into(stdout: impl Read, queue: &Queue<Incoming>, mailbox: &Mailbox) {
    let mut input = BufReader::new(stdout);
    loop {
        let (item, bytes, last) = match wire::read(&mut input) {
            Ok((message, bytes)) => (Incoming::Message(message), bytes, false),
            Err(error) => (Incoming::Ended(error), 0, true),
        };
        if !queue.put(item, bytes, MAX_INCOMING) {
            return;
        }
        mailbox.wake();
        if last {
            return;
        }
    }
}

fn write_from(queue: &Queue<Vec<u8>>, mut stdin: impl Write) {
    while let Some(bytes) = queue.take() {
        let written = stdin.write_all(&bytes).and_then(|()| stdin.flush());
        if written.is_err() {
            // The reader sees the end.
            return;
        }
    }
}
