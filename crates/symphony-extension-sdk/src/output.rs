//! The one place that writes to the host.

use serde::Serialize;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use symphony_ipc_protocol::jsonrpc::Message;

/// Whole lines to the host, from any thread.
pub(crate) struct Output(Mutex<State>);

struct State {
    sink: Box<dyn Write + Send>,
    broken: Option<io::ErrorKind>,
}

impl Output {
    pub(crate) fn new(sink: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(State {
            sink: Box::new(sink),
            broken: None,
        }))
    }

    /// Writes one message. After a failure the host is gone: later messages are dropped.
    pub(crate) fn send(&self, message: &Message) {
        let line = message.to_line();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.broken.is_some() {
            return;
        }
        let written = state
            .sink
            .write_all(line.as_bytes())
            .and_then(|()| state.sink.flush());
        if let Err(error) = written {
            state.broken = Some(error.kind());
        }
    }

    pub(crate) fn notify(&self, method: &str, params: &impl Serialize) {
        if let Ok(message) = Message::notification(method, params) {
            self.send(&message);
        }
    }

    /// Why nothing can be written any more.
    pub(crate) fn broken(&self) -> Option<io::ErrorKind> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).broken
    }
}
