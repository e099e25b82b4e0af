//! Watches a request from beside it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use ureq::Agent;

/// How often cancellation and silence are looked at.
const TICK: Duration = Duration::from_millis(20);

/// Why the watch closed the connection.
#[derive(Debug, Clone, Copy)]
pub enum Cause {
    /// The host has no use for the answer any more.
    Cancelled,
    /// Nothing came for longer than the idle time-out.
    Silent,
}

/// A thread that closes the connection when the call is cancelled, or when the
/// server falls silent in the middle of its answer.
pub struct Watch {
    started: Instant,
    /// Milliseconds after `started` when bytes last came; 0 before the first.
    last: Arc<AtomicU64>,
    cause: Arc<RwLock<Option<Cause>>>,
    _end: SyncSender<()>,
}

impl Watch {
    /// Watches the connections of `agent`, which serve one call only.
    pub fn start(agent: &Agent, cancelled: Arc<AtomicBool>, idle: Duration) -> Self {
        let started = Instant::now();
        let last = Arc::new(AtomicU64::new(0));
        let cause = Arc::new(RwLock::new(None));
        // Dropping the sender ends the thread.
        let (end, ended) = sync_channel::<()>(0);
        let (agent, seen, why) = (agent.clone(), Arc::clone(&last), Arc::clone(&cause));
        std::thread::spawn(move || {
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let last = seen.load(Ordering::Acquire);
                let silent = started
                    .elapsed()
                    .saturating_sub(Duration::from_millis(last));
                let found = if cancelled.load(Ordering::Acquire) {
                    Cause::Cancelled
                } else if last > 0 && silent > idle {
                    Cause::Silent
                } else {
                    continue;
                };
                *why.write().unwrap_or_else(PoisonError::into_inner) = Some(found);
                agent.shutdown();
                return;
            }
        });
        Self {
            started,
            last,
            cause,
            _end: end,
        }
    }

    /// Bytes came.
    pub fn touch(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now.max(1), Ordering::Release);
    }

    /// Why the connection was closed, if it was closed from here.
    pub fn cause(&self) -> Option<Cause> {
        *self.cause.read().unwrap_or_else(PoisonError::into_inner)
    }
}
