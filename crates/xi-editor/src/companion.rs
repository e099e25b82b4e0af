//! What runs beside the editing loop: highlighting, languages, plugins, the watcher.
//!
//! The loop owns every text and waits for nobody. It tells each [`Companion`]
//! what happened ([`Notice`]); a companion hands that to a thread of its own
//! ([`Mailbox`]) and answers requests of its own methods later ([`Reply`]).
//! Whatever it finds carries the revision that it was found at. It changes a
//! text only through the loop ([`Desk::ask`]).

mod desk;
mod mailbox;
mod reply;

pub use desk::{Desk, DeskError};
pub use mailbox::{Mail, Mailbox};
pub(crate) use reply::Cancellation;
pub use reply::{Call, Reply};

use crate::engine::Text;
use std::path::Path;
use std::sync::Arc;
use symphony_ipc_protocol::xi::{BufferKey, Initialize, Replace, RevisionNumber};

/// A buffer at a revision; a clone shares all of its memory.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The buffer.
    pub buffer: BufferKey,
    /// Its file, absolute and resolved.
    pub path: Option<Arc<Path>>,
    /// The revision.
    pub revision: RevisionNumber,
    /// The text at that revision.
    pub text: Text,
}

/// What happened to a buffer. Notices come in the order of events, none twice.
#[derive(Debug, Clone)]
pub enum Notice {
    /// It was opened.
    Opened(Snapshot),
    /// Its text changed.
    Changed {
        /// The text after the change.
        now: Snapshot,
        /// The change, in positions of the revision before.
        edits: Arc<[Replace]>,
        /// Who: `user`, `disk`, or a player's name.
        author: Arc<str>,
        /// Whether undo or redo made it.
        undone: bool,
    },
    /// It was saved, possibly to another file than before.
    Saved(Snapshot),
    /// It was closed.
    Closed(BufferKey),
}

/// Something that runs beside the editing loop.
pub trait Companion: Send {
    /// The methods that it answers.
    fn methods(&self) -> &'static [&'static str];

    /// Learns what the client asked for when it said hello. Called on the
    /// editing loop, before anything else, so it must return at once.
    fn initialized(&mut self, _hello: &Initialize) {}

    /// Takes note. Called on the editing loop, so it must return at once.
    fn told(&mut self, notice: &Notice);

    /// Answers a call of one of its methods, now or later. Called on the
    /// editing loop, so it must return at once.
    fn call(&mut self, call: Call);
}

/// Every companion, started when it is first needed.
pub(crate) fn all(desk: &Desk) -> Vec<Box<dyn Companion>> {
    vec![
        Box::new(crate::watch::Watch::new(desk.clone())),
        Box::new(crate::search::Searcher::new(desk.clone())),
        Box::new(crate::syntax::Syntax::new(desk.clone())),
        Box::new(crate::plugins::Plugins::new(desk)),
        Box::new(crate::languages::Languages::new(desk.clone())),
    ]
}
