//! Lines that wait for the client to read them.
//!
//! Responses are never dropped: [`Outbox::push`] waits for room. Events are
//! dropped when the client does not read; then it gets `events_dropped` with
//! the buffers concerned, in the place of the events, as soon as it reads.

use std::collections::{BTreeSet, VecDeque};
use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use symphony_ipc_protocol::xi::{BufferKey, XiEvent};

/// A response waits for room while more bytes than this wait before it.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// At most so many events wait.
const MAX_EVENTS: usize = 4_096;
/// Events are dropped while more bytes than this wait.
const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;
/// About so many bytes go into one write.
const WRITE_BYTES: usize = 256 * 1024;

/// An event as a line.
pub(crate) struct Event {
    /// The buffer that it tells of.
    pub(super) buffer: Option<BufferKey>,
    /// The line with its end.
    pub(super) line: Vec<u8>,
}

struct Line {
    bytes: Vec<u8>,
    is_event: bool,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Line>,
    bytes: usize,
    events: usize,
    /// Whose events were dropped and not yet told of.
    dropped: BTreeSet<BufferKey>,
    /// A line is taken and not yet written.
    writing: bool,
    ended: bool,
    broken: bool,
}

/// The queue between editing loop and writer.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    drained: Condvar,
}

impl Waiting {
    fn add(&mut self, bytes: Vec<u8>, is_event: bool) {
        self.bytes += bytes.len();
        self.events += usize::from(is_event);
        self.lines.push_back(Line { bytes, is_event });
    }

    fn add_event(&mut self, event: Event) {
        let full = self.events >= MAX_EVENTS || self.bytes > MAX_EVENT_BYTES;
        // After a gap, the notice of it comes before the next event.
        if full || !self.dropped.is_empty() {
            self.dropped.extend(event.buffer);
        } else {
            self.add(event.line, true);
        }
    }

    /// The next lines for one write.
    fn next(&mut self, out: &mut Vec<u8>) {
        while out.len() < WRITE_BYTES
            && let Some(line) = self.lines.pop_front()
        {
            self.bytes -= line.bytes.len();
            self.events -= usize::from(line.is_event);
            if out.is_empty() {
                *out = line.bytes;
            } else {
                out.extend_from_slice(&line.bytes);
            }
        }
        if self.events == 0 && !self.dropped.is_empty() {
            let buffers: Vec<_> = std::mem::take(&mut self.dropped).into_iter().collect();
            tracing::warn!(
                buffers = buffers.len(),
                "the client read too slowly: events were dropped"
            );
            if let Some(event) = super::event_line(&XiEvent::EventsDropped { buffers }) {
                self.add(event.line, true);
            }
        }
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a response, waiting for room, and the events that follow it.
    /// False when nobody reads any more.
    pub(crate) fn push(
        &self,
        response: Option<Vec<u8>>,
        events: impl Iterator<Item = Event>,
    ) -> bool {
        let mut waiting = self.lock();
        if let Some(line) = response {
            waiting = self
                .drained
                .wait_while(waiting, |w| w.bytes > MAX_BYTES && !w.broken)
                .unwrap_or_else(PoisonError::into_inner);
            waiting.add(line, false);
        }
        events.for_each(|event| waiting.add_event(event));
        let open = !waiting.broken;
        drop(waiting);
        self.filled.notify_one();
        open
    }

    /// Writes until the end or until the output breaks.
    pub(super) fn write_to(&self, mut output: impl Write) {
        let mut bytes = Vec::new();
        loop {
            let mut waiting = self
                .filled
                .wait_while(self.lock(), |w| w.lines.is_empty() && !w.ended)
                .unwrap_or_else(PoisonError::into_inner);
            if waiting.lines.is_empty() {
                return;
            }
            bytes.clear();
            waiting.next(&mut bytes);
            waiting.writing = true;
            drop(waiting);
            let written = output.write_all(&bytes).and_then(|()| output.flush());
            let mut waiting = self.lock();
            waiting.writing = false;
            waiting.broken = written.is_err();
            drop(waiting);
            self.drained.notify_all();
            if let Err(error) = written {
                tracing::info!(%error, "the output is closed");
                return;
            }
        }
    }

    /// All lines that wait; the last that is done with it.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.lock().ended = true;
        let mut bytes = Vec::new();
        self.write_to(&mut bytes);
        bytes
    }

    /// Waits until all is written, or so long.
    pub(super) fn finish(&self, timeout: Duration) {
        self.lock().ended = true;
        self.filled.notify_all();
        let unwritten = |w: &mut Waiting| !w.broken && (w.writing || !w.lines.is_empty());
        let (waiting, result) = self
            .drained
            .wait_timeout_while(self.lock(), timeout, unwritten)
            .unwrap_or_else(PoisonError::into_inner);
        if result.timed_out() {
            tracing::warn!(
                bytes = waiting.bytes,
                "the client did not take the last lines"
            );
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
