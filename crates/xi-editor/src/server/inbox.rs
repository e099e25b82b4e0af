//! What waits for the editing loop, bounded by number and by bytes.

use crate::editor::Editor;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use symphony_ipc_protocol::jsonrpc::{Malformed, Message};

/// At most so many lines and tasks wait.
const MAX_LINES: usize = 1_024;
/// At most so many bytes of lines wait, or one line.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Something that a companion has the loop do.
pub(crate) type Task = Box<dyn FnOnce(&mut Editor) + Send>;

/// What a line was.
pub(super) enum Incoming {
    /// No line, but a companion's task.
    Task(Task),
    /// A message.
    Message(Message),
    /// No message.
    Malformed(Malformed),
    /// More than a line may have.
    TooLong,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<(Incoming, usize)>,
    bytes: usize,
    ended: bool,
}

/// The queue before the editing loop.
#[derive(Default)]
pub(crate) struct Inbox {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    drained: Condvar,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line of so many bytes, waiting for room; false when nobody takes any more.
    pub(super) fn put(&self, incoming: Incoming, bytes: usize) -> bool {
        let full = |w: &mut Waiting| {
            !w.ended
                && !w.lines.is_empty()
                && (w.lines.len() >= MAX_LINES || w.bytes + bytes > MAX_BYTES)
        };
        let mut waiting = self
            .drained
            .wait_while(self.lock(), full)
            .unwrap_or_else(PoisonError::into_inner);
        if waiting.ended {
            return false;
        }
        waiting.bytes += bytes;
        waiting.lines.push_back((incoming, bytes));
        drop(waiting);
        self.filled.notify_one();
        true
    }

    /// Adds a task, waiting for room; false when nobody takes any more.
    pub(crate) fn put_task(&self, task: Task) -> bool {
        self.put(Incoming::Task(task), 0)
    }

    /// The next line, if one is there.
    pub(super) fn try_take(&self) -> Option<Incoming> {
        let mut waiting = self.lock();
        self.pop(&mut waiting)
    }

    /// The next task, if one is next.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn try_take_task(&self) -> Option<Task> {
        match self.try_take()? {
            Incoming::Task(task) => Some(task),
            _ => None,
        }
    }

    /// The next line; `None` after the last.
    pub(super) fn take(&self) -> Option<Incoming> {
        let mut waiting = self
            .filled
            .wait_while(self.lock(), |w| w.lines.is_empty() && !w.ended)
            .unwrap_or_else(PoisonError::into_inner);
        self.pop(&mut waiting)
    }

    fn pop(&self, waiting: &mut Waiting) -> Option<Incoming> {
        let was_full = waiting.lines.len() >= MAX_LINES || waiting.bytes >= MAX_BYTES / 2;
        let (incoming, bytes) = waiting.lines.pop_front()?;
        waiting.bytes -= bytes;
        if was_full {
            self.drained.notify_one();
        }
        Some(incoming)
    }

    /// No more lines: what waits is still taken.
    pub(super) fn close(&self) {
        self.lock().ended = true;
        self.filled.notify_all();
        self.drained.notify_all();
    }
}
