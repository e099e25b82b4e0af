//! Language servers: completions, diagnostics, renames, and what else they know.
//!
//! One server serves a language in a workspace, whoever looks at its buffers. It
//! is started at the first need and stopped some time after its last buffer was
//! closed. A thread of its own (`worker`) keeps the servers' texts in step with
//! the editor's, asks, and answers; two more threads a server (`link`) read and
//! write its pipes, with bounded queues.
//!
//! A server is not trusted to behave: what it sends is read with limits, each
//! request has a time-out, and one that hangs, floods, ends or talks nonsense is
//! ended and started again, at most five times a minute. No editing waits for it.

mod documents;
mod feature;
mod features;
mod link;
mod positions;
mod server;
mod sync;
mod table;
mod wire;
mod worker;

use crate::companion::{Call, Companion, Desk, Mailbox, Notice, Snapshot};
use std::collections::BTreeMap;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{BufferKey, Initialize};
use worker::{Wishes, Worker};

/// The companion that asks language servers. Its thread is started at the first need.
pub struct Languages {
    desk: Desk,
    wishes: Wishes,
    /// What is open, until the thread takes over.
    open: BTreeMap<BufferKey, Snapshot>,
    mailbox: Option<Mailbox>,
}

impl Languages {
    /// Language servers for the editor behind a desk.
    pub fn new(desk: Desk) -> Self {
        Self {
            desk,
            wishes: Wishes::default(),
            open: BTreeMap::new(),
            mailbox: None,
        }
    }

    fn start(&mut self) -> std::io::Result<&Mailbox> {
        if self.mailbox.is_none() {
            let mailbox = Mailbox::default();
            let wishes = std::mem::take(&mut self.wishes);
            let worker = Worker::new(mailbox.clone(), self.desk.clone(), wishes);
            std::thread::Builder::new()
                .name("languages".to_owned())
                .spawn(|| worker.run())?;
            for snapshot in std::mem::take(&mut self.open).into_values() {
                mailbox.notice(&Notice::Opened(snapshot));
            }
            self.mailbox = Some(mailbox);
        }
        let missing = || std::io::Error::other("no mailbox");
        self.mailbox.as_ref().ok_or_else(missing)
    }
}

impl Companion for Languages {
    fn methods(&self) -> &'static [&'static str] {
        worker::METHODS
    }

    fn initialized(&mut self, request: &Initialize) {
        self.wishes = Wishes {
            servers: request.language_servers.clone(),
            features: request.language_features,
        };
    }

    fn told(&mut self, notice: &Notice) {
        if self.mailbox.is_none() && self.wishes.features {
            // Without the thread there are no features; the next notice tries again.
            let _ = self.start();
        }
        if let Some(mailbox) = &self.mailbox {
            mailbox.notice(notice);
            return;
        }
        match notice {
            Notice::Opened(now) | Notice::Changed { now, .. } | Notice::Saved(now) => {
                self.open.insert(now.buffer, now.clone());
            }
            Notice::Closed(buffer) => {
                self.open.remove(buffer);
            }
        }
    }

    fn call(&mut self, call: Call) {
        match self.start() {
            Ok(mailbox) => mailbox.call(call),
            Err(error) => {
                let why = format!("no thread for language servers: {error}");
                call.refuse(RpcError::new(code::BUSY, why));
            }
        }
    }
}

impl Drop for Languages {
    fn drop(&mut self) {
        if let Some(mailbox) = &self.mailbox {
            mailbox.close();
        }
    }
}
