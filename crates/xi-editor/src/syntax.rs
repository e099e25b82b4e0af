//! Syntax highlighting, beside the editing loop.
//!
//! [`Syntax`] is the companion: it holds the newest texts and starts the
//! `worker` at the first request. The worker has the `grammars` and a `document`
//! for each buffer that was asked for: its text, what the parser knew at some of
//! its lines (`states`), and what the client was shown (`shown`). `paint` makes
//! the answers.
//!
//! Requests go first; then the newest edits are followed as far as they change
//! anything; then the rest of the text is read. All of it in slices of a
//! millisecond, on a thread of low priority.

mod document;
mod grammars;
mod paint;
mod shown;
mod state;
mod states;
mod worker;

#[cfg(test)]
mod document_tests;

use crate::companion::{Call, Companion, Desk, Mailbox, Notice, Snapshot};
use std::collections::BTreeMap;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{BufferKey, Highlight, Languages, SetLanguage, Themes, XiRequest};

/// The licences of the grammars and themes built in, as Markdown.
pub fn acknowledgements() -> String {
    two_face::acknowledgement::listing().to_md()
}

/// The companion that highlights.
pub(crate) struct Syntax {
    desk: Desk,
    mailbox: Mailbox,
    /// The newest texts, until the worker is there and holds them.
    waiting: Option<BTreeMap<BufferKey, Snapshot>>,
}

impl Syntax {
    pub(crate) fn new(desk: Desk) -> Self {
        Self {
            desk,
            mailbox: Mailbox::default(),
            waiting: Some(BTreeMap::new()),
        }
    }

    /// Starts the worker unless it runs.
    fn start(&mut self) -> std::io::Result<()> {
        let Some(waiting) = &self.waiting else {
            return Ok(());
        };
        let (desk, mailbox, open) = (self.desk.clone(), self.mailbox.clone(), waiting.clone());
        std::thread::Builder::new()
            .name("syntax".to_owned())
            .spawn(move || worker::run(desk, mailbox, open))?;
        self.waiting = None;
        Ok(())
    }
}

impl Companion for Syntax {
    fn methods(&self) -> &'static [&'static str] {
        &[
            Highlight::METHOD,
            SetLanguage::METHOD,
            Languages::METHOD,
            Themes::METHOD,
        ]
    }

    fn told(&mut self, notice: &Notice) {
        let Some(waiting) = &mut self.waiting else {
            self.mailbox.notice(notice);
            return;
        };
        match notice {
            Notice::Opened(now) | Notice::Changed { now, .. } | Notice::Saved(now) => {
                waiting.insert(now.buffer, now.clone());
            }
            Notice::Closed(buffer) => {
                waiting.remove(buffer);
            }
        }
    }

    fn call(&mut self, call: Call) {
        match self.start() {
            Ok(()) => self.mailbox.call(call),
            Err(error) => {
                let why = format!("highlighting cannot start: {error}");
                call.refuse(RpcError::new(code::INTERNAL_ERROR, why));
            }
        }
    }
}

impl Drop for Syntax {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}
