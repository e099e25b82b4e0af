//! A call as its handler sees it, and how calls are counted.

use crate::SimulatedClock;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use symphony_core_ports::{Clock, ExtensionEvent, Request};
use tokio::sync::broadcast::Sender;

/// A call of a mocked extension, given to its handler.
#[derive(Debug, Clone)]
pub struct MockCall {
    /// What is asked.
    pub request: Request,
    clock: SimulatedClock,
    events: Sender<ExtensionEvent>,
}

impl MockCall {
    pub(super) fn new(
        request: Request,
        clock: SimulatedClock,
        events: Sender<ExtensionEvent>,
    ) -> Self {
        Self {
            request,
            clock,
            events,
        }
    }

    /// Works for this long on the mock's clock.
    pub async fn work(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// Streams a piece of text.
    pub fn text(&self, text: &str) {
        self.emit(ExtensionEvent::Text {
            call: self.request.call.clone(),
            text: text.to_owned(),
        });
    }

    /// Says how far the call is.
    pub fn progress(&self, done: u64, total: Option<u64>, message: &str) {
        self.emit(ExtensionEvent::Progress {
            call: self.request.call.clone(),
            done,
            total,
            message: message.to_owned(),
        });
    }

    /// Tells any event.
    pub fn emit(&self, event: ExtensionEvent) {
        // Nobody listening is fine.
        let _ = self.events.send(event);
    }
}

/// Counts of an extension's calls.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    running: AtomicUsize,
    most: AtomicUsize,
    dropped: AtomicUsize,
}

impl Ended {
    pub(super) fn begin(&self) -> UnderWay {
        let running = self.0.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(running, Ordering::SeqCst);
        UnderWay {
            counts: Arc::clone(&self.0),
            answered: false,
        }
    }

    pub(super) fn dropped(&self) -> usize {
        self.0.dropped.load(Ordering::SeqCst)
    }

    pub(super) fn running(&self) -> usize {
        self.0.running.load(Ordering::SeqCst)
    }

    pub(super) fn most_running(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }
}

/// Lives as long as a call; counts one that goes without an answer.
pub(super) struct UnderWay {
    counts: Arc<Counts>,
    answered: bool,
}

impl UnderWay {
    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.counts.running.fetch_sub(1, Ordering::SeqCst);
        if !self.answered {
            self.counts.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}
