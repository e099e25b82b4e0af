//! The outgoing half of a connection.
//!
//! A sender writes straight to the stream when nothing waits before it, which
//! saves a task switch per message. What the stream does not take at once is
//! queued (bounded) and written by the flusher task. A message is queued whole
//! or not at all, so dropping a send never leaves half a line.

use crate::CloseReason;
use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{io::AsyncWrite, sync::Notify};

type Writer = Pin<Box<dyn AsyncWrite + Send>>;

pub(crate) struct Outgoing {
    state: Mutex<State>,
    /// The flusher has something to do.
    work: Notify,
    /// The queue got shorter, or the connection closed.
    room: Notify,
    limit: usize,
}

struct State {
    /// `None` once closed.
    writer: Option<Writer>,
    queue: VecDeque<Vec<u8>>,
    /// How much of the queue's first line is written.
    written: usize,
    /// Unwritten bytes in the queue.
    bytes: usize,
    /// The flusher waits for the stream's flush: only it may poll the stream.
    flushing: bool,
}

/// Why a line was not taken.
#[derive(Debug)]
pub(crate) enum NotSent {
    /// The queue is full.
    Full,
    /// The connection is closed.
    Closed,
    /// The stream refused.
    Broken(io::Error),
}

impl Outgoing {
    pub(crate) fn new(writer: impl AsyncWrite + Send + 'static, limit: usize) -> Self {
        Self {
            state: Mutex::new(State {
                writer: Some(Box::pin(writer)),
                queue: VecDeque::new(),
                written: 0,
                bytes: 0,
                flushing: false,
            }),
            work: Notify::new(),
            room: Notify::new(),
            limit,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line now or says why not; never waits. An empty queue takes a line of any length.
    pub(crate) fn try_send(&self, line: &mut Vec<u8>) -> Result<(), NotSent> {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(writer) = state.writer.as_mut() else {
            return Err(NotSent::Closed);
        };
        if !state.queue.is_empty() && state.bytes + line.len() > self.limit {
            return Err(NotSent::Full);
        }
        let mut done = 0;
        if state.queue.is_empty() && !state.flushing {
            // The flusher polls again with its own waker if the stream is not ready.
            let mut context = Context::from_waker(Waker::noop());
            while done < line.len() {
                match writer.as_mut().poll_write(&mut context, &line[done..]) {
                    Poll::Ready(Ok(0)) => {
                        return Err(NotSent::Broken(io::ErrorKind::WriteZero.into()));
                    }
                    Poll::Ready(Ok(count)) => done += count,
                    Poll::Ready(Err(error)) => return Err(NotSent::Broken(error)),
                    Poll::Pending => break,
                }
            }
            if done == line.len() {
                match writer.as_mut().poll_flush(&mut context) {
                    Poll::Ready(Ok(())) => return Ok(()),
                    Poll::Ready(Err(error)) => return Err(NotSent::Broken(error)),
                    Poll::Pending => {
                        self.work.notify_one();
                        return Ok(());
                    }
                }
            }
            state.written = done;
        }
        state.bytes += line.len() - done;
        state.queue.push_back(std::mem::take(line));
        self.work.notify_one();
        Ok(())
    }

    /// Waits for room, then takes the line. Cancelled: the line was not taken.
    pub(crate) async fn send(&self, mut line: Vec<u8>) -> Result<(), NotSent> {
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            match self.try_send(&mut line) {
                Err(NotSent::Full) => room.await,
                other => return other,
            }
        }
    }

    /// Closes the stream; queued lines are dropped.
    pub(crate) fn close(&self) {
        let writer = {
            let mut state = self.lock();
            state.queue.clear();
            state.bytes = 0;
            state.written = 0;
            state.writer.take()
        };
        drop(writer);
        self.work.notify_one();
        self.room.notify_waiters();
    }

    /// Writes what is queued until the connection closes; gives the reason if it breaks here.
    pub(crate) async fn flush_forever(&self, stalled_after: Duration) -> Option<CloseReason> {
        loop {
            self.work.notified().await;
            loop {
                let step = poll_fn(|context| self.poll_step(context));
                match tokio::time::timeout(stalled_after, step).await {
                    Ok(Ok(Step::Wrote)) => self.room.notify_waiters(),
                    Ok(Ok(Step::Idle)) => break,
                    Ok(Ok(Step::Closed)) => return None,
                    Ok(Err(error)) => return Some(CloseReason::Io(Arc::new(error))),
                    Err(_) => {
                        return Some(CloseReason::WriteStalled {
                            after: stalled_after,
                        });
                    }
                }
            }
        }
    }

    fn poll_step(&self, context: &mut Context<'_>) -> Poll<io::Result<Step>> {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(writer) = state.writer.as_mut() else {
            return Poll::Ready(Ok(Step::Closed));
        };
        let Some(line) = state.queue.front() else {
            let flush = writer.as_mut().poll_flush(context);
            state.flushing = flush.is_pending();
            return flush.map_ok(|()| Step::Idle);
        };
        let count = match writer.as_mut().poll_write(context, &line[state.written..]) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(count)) => count,
        };
        state.bytes -= count;
        state.written += count;
        if state.written == line.len() {
            state.queue.pop_front();
            state.written = 0;
        }
        Poll::Ready(Ok(Step::Wrote))
    }
}

enum Step {
    Wrote,
    Idle,
    Closed,
}
