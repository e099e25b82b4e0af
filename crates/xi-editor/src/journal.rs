//! What makes unsaved text survive: one journal file a buffer.
//!
//! The editing loop writes each accepted change into the buffer's journal
//! before the change is answered ([`Journal::commit`]: one `write`, which
//! outlives a killed process). A thread beside makes it durable soon after
//! (`sync`), and another begins a long journal anew (`rewrite`). After a crash
//! `load` makes the changes again: same keys, revisions, text, undo and views.
//!
//! The format is written down in `docs/formats/journal.md`.

mod frames;
mod live;
mod load;
mod note;
mod ondisk;
mod record;
mod rewrite;
mod session;
mod sync;

use crate::engine::{Op, Standing, Text};
#[cfg(test)]
pub(crate) use live::Policy;
pub(crate) use load::{Follows, LoadError, Loaded, NotLoaded, load};
pub(crate) use note::{
    CaretsNote, ConflictsNote, Note, PlaceNote, Sides, ViewNote, ends, number, offset, span,
};
pub(crate) use ondisk::OnDisk;
pub(crate) use session::{Abandoned, Journaled, Session, SessionError};

/// A buffer after a request, and what happened since the last one.
pub(crate) struct Now<'a> {
    /// The newest text's state.
    pub state: u64,
    /// What happened, oldest first.
    pub ops: Vec<Op>,
    /// The file as it is known now.
    pub on_disk: OnDisk,
    /// What changed beside the text otherwise than by `ops`.
    pub notes: Vec<Note>,
    /// All of the buffer.
    pub whole: &'a dyn Fn() -> Whole,
}

/// All that a journal keeps of a buffer, but the edits of its undo groups.
pub(crate) struct Whole {
    pub text: Text,
    /// The text's state.
    pub state: u64,
    pub standing: Standing,
    pub on_disk: OnDisk,
    /// What stands beside the text.
    pub notes: Vec<Note>,
}

/// Why a journal was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    /// The operating system refused.
    #[error("cannot write {}: {source}", .path.display())]
    Io {
        /// The journal.
        path: std::path::PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A record that cannot be written.
    #[error(transparent)]
    Record(#[from] record::RecordError),
    /// It could not be made durable.
    #[error("cannot sync {}", .0.display())]
    NotSynced(std::path::PathBuf),
}
