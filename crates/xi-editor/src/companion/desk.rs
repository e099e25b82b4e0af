//! The way from a companion's thread to the editing loop and to the client.

use crate::editor::Editor;
use crate::server::{Inbox, Outbox, event_line};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;
use symphony_ipc_protocol::xi::XiEvent;

/// Reaches the editing loop and the client, from any thread.
#[derive(Clone)]
pub struct Desk {
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
}

/// Why nothing came back from the editing loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// xi-editor is ending.
    #[error("xi-editor is ending")]
    Ended,
    /// The loop did not get to it in time; it may still be done.
    #[error("the editing loop is busy")]
    Busy,
}

impl Desk {
    pub(crate) fn new(inbox: Arc<Inbox>, outbox: Arc<Outbox>) -> Self {
        Self { inbox, outbox }
    }

    /// Sends an event to the client; dropped (and the client told so) when it does not read.
    pub fn tell(&self, event: &XiEvent) {
        // False says that nobody reads any more; the loop sees that itself.
        let _ = self.outbox.push(None, event_line(event).into_iter());
    }

    /// Has the loop do something, behind the requests that wait already;
    /// false when it is ending. Waits for room, so never call it on the loop.
    pub fn post(&self, task: impl FnOnce(&mut Editor) + Send + 'static) -> bool {
        self.inbox.put_task(Box::new(task))
    }

    /// As [`Desk::post`], and waits for what comes of it.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn ask<T: Send + 'static>(
        &self,
        timeout: Duration,
        task: impl FnOnce(&mut Editor) -> T + Send + 'static,
    ) -> Result<T, DeskError> {
        let (give, get) = sync_channel(1);
        let posted = self.post(move |editor| {
            let outcome = task(editor);
            // The one who asked may acknowledge it at once.
            editor.commit();
            // Or may have stopped waiting.
            let _ = give.send(outcome);
        });
        if !posted {
            return Err(DeskError::Ended);
        }
        get.recv_timeout(timeout).map_err(|error| match error {
            RecvTimeoutError::Timeout => DeskError::Busy,
            RecvTimeoutError::Disconnected => DeskError::Ended,
        })
    }
}
