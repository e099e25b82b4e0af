//! What is known of a buffer on this side, so that it survives xi-editor.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use symphony_core_ports::{
    Applied, BufferEvent, BufferId, ByteRange, PortError, PortResult, Revision, TextEdit,
};
use symphony_ipc_protocol::xi::{BufferKey, Replace};
use tokio::sync::broadcast;

/// How many events a slow listener may be behind.
const EVENTS: usize = 4096;
/// Fewer acknowledged changes than this are kept one by one.
const MIN_LOG: usize = 1_000;
/// More are never kept.
const MAX_LOG: usize = 20_000;
/// Bytes of inserted text that are kept besides a base of the same size.
const LOG_BYTES: usize = 4 << 20;

/// A buffer.
pub(super) struct Buffer {
    pub(super) id: BufferId,
    /// Held while a change or a save is made, and while the buffer is put back.
    pub(super) turn: tokio::sync::Mutex<()>,
    pub(super) events: broadcast::Sender<BufferEvent>,
    state: Mutex<State>,
}

/// The buffer in the current incarnation of xi-editor, and what rebuilds it in the next.
pub(super) struct State {
    /// The incarnation that `key` and `offset` belong to.
    pub(super) generation: u64,
    pub(super) key: BufferKey,
    /// Our revision minus xi-editor's, which starts at 0 in each incarnation.
    pub(super) offset: i64,
    pub(super) path: Option<PathBuf>,
    pub(super) revision: u64,
    pub(super) len: usize,
    /// Digest of the text that the file holds, as far as is known; `None`: no file yet, or not known.
    pub(super) disk: Option<String>,
    pub(super) base: Base,
    pub(super) base_revision: u64,
    /// Acknowledged changes after the base, by revision.
    pub(super) log: BTreeMap<u64, Entry>,
    log_bytes: usize,
    /// Changes whose answer did not come, and that were made all the same.
    pub(super) made: Vec<Made>,
    /// The newest revision that listeners were told of.
    published: u64,
    pub(super) health: Health,
}

/// The text that the log starts from.
#[derive(Debug, Clone)]
pub(super) enum Base {
    /// The file's; nothing was changed since.
    Disk,
    /// This one.
    Held {
        text: Arc<str>,
        /// Whether the file holds it too.
        on_disk: bool,
    },
}

/// Whether a buffer can be used and saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    /// Its file changed on disk while xi-editor was away: the text is kept, apart from the file.
    Detached,
    /// It could not be put back.
    Lost(String),
    Closed,
}

/// An acknowledged change.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) edits: Vec<Replace>,
    pub(super) author: String,
}

/// A change that xi-editor made, and could not answer any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) revision: u64,
    pub(super) kind: Kind,
    pub(super) author: String,
}

/// What made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Edit,
    Undo,
    Redo,
}

/// Where a buffer is in an incarnation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) key: BufferKey,
    pub(super) offset: i64,
    pub(super) revision: u64,
}

impl Buffer {
    pub(super) fn new(state: State) -> Self {
        Self {
            id: BufferId(state.key),
            turn: tokio::sync::Mutex::new(()),
            events: broadcast::Sender::new(EVENTS),
            state: Mutex::new(state),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is in that incarnation; `None` when it is in another one.
    pub(super) fn place(&self, generation: u64) -> PortResult<Option<Place>> {
        let state = self.state();
        match &state.health {
            Health::Closed => return Err(unknown(self.id)),
            Health::Lost(details) => {
                return Err(PortError::SynchronizationError {
                    details: details.clone(),
                });
            }
            Health::Good | Health::Detached => {}
        }
        Ok((state.generation == generation).then_some(Place {
            key: state.key,
            offset: state.offset,
            revision: state.revision,
        }))
    }

    /// What became of a change after `revision` whose answer did not come.
    pub(super) fn made(&self, revision: u64, kind: Kind, author: &str) -> Option<Applied> {
        let state = self.state();
        let mut made = state.made.iter();
        let made = made.find(|m| m.revision > revision && m.kind == kind && m.author == author)?;
        Some(Applied {
            revision: Revision(made.revision),
            changed: true,
        })
    }

    pub(super) fn tell(&self, event: BufferEvent) {
        // Without a listener there is nobody to tell.
        let _ = self.events.send(event);
    }

    /// Notes a change that xi-editor made, once from its answer and once from its event.
    pub(super) fn note(&self, wire_revision: u64, entry: Entry) {
        let mut state = self.state();
        let Some(revision) = wire_revision.checked_add_signed(state.offset) else {
            return;
        };
        if revision > state.published {
            state.published = revision;
            state.len = new_len(state.len, &entry.edits);
            self.tell(BufferEvent::Changed {
                buffer: self.id,
                revision: Revision(revision),
                edits: entry.edits.iter().map(text_edit).collect(),
                author: entry.author.clone(),
            });
        }
        state.revision = state.revision.max(revision);
        if matches!(state.base, Base::Disk) {
            // The file was read again: the base is the file at this revision.
            state.base_revision = state.revision;
        } else if revision > state.base_revision && !state.log.contains_key(&revision) {
            state.log_bytes += entry.edits.iter().map(|e| e.text.len()).sum::<usize>();
            state.log.insert(revision, entry);
        }
    }
}

impl State {
    /// A buffer that was just opened.
    pub(super) fn opened(
        generation: u64,
        info: &symphony_ipc_protocol::xi::BufferInfo,
        base: Base,
    ) -> Self {
        let on_disk = matches!(base, Base::Disk);
        Self {
            generation,
            key: info.buffer,
            offset: 0,
            path: info.path.clone(),
            revision: info.revision,
            len: info.len,
            disk: on_disk.then(|| info.digest.clone()),
            base,
            base_revision: info.revision,
            log: BTreeMap::new(),
            log_bytes: 0,
            made: Vec::new(),
            published: info.revision,
            health: Health::Good,
        }
    }

    /// Starts the log anew from `base` at the newest revision.
    pub(super) fn rebase(&mut self, base: Base, disk: Option<String>) {
        self.base = base;
        self.disk = disk;
        self.base_revision = self.revision;
        self.log.clear();
        self.log_bytes = 0;
    }

    /// Whether the log has grown so long that the text should take its place.
    pub(super) fn should_compact(&self) -> bool {
        let most = (self.len / 1024).clamp(MIN_LOG, MAX_LOG);
        self.log.len() > most || self.log_bytes > self.len + LOG_BYTES
    }
}

pub(super) fn unknown(id: BufferId) -> PortError {
    PortError::not_found(format!("the buffer {}", id.0))
}

pub(super) fn text_edit(edit: &Replace) -> TextEdit {
    TextEdit {
        range: edit.start..edit.end,
        text: edit.text.clone(),
    }
}

fn new_len(len: usize, edits: &[Replace]) -> usize {
    edits.iter().fold(len, |len, edit| {
        (len + edit.text.len()).saturating_sub(edit.end - edit.start)
    })
}

pub(super) fn range(span: symphony_ipc_protocol::xi::Span) -> ByteRange {
    span.start..span.end
}
