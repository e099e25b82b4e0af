//! The open buffers and the operations of the protocol on them.

mod conflicts;
mod disk;
mod error;
mod format;
mod saving;
mod session;
mod views;
mod window;

pub use disk::Known;
pub use error::EditorError;

use crate::companion::{Desk, Notice, Snapshot};
use crate::engine::{Buffer, Text};
use crate::file;
use crate::journal::{Journaled, Session};
use conflicts::Conflicts;
use disk::Disk;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use symphony_ipc_protocol::jsonrpc::MAX_LINE_BYTES;
use symphony_ipc_protocol::xi::{
    Applied, Apply, BufferInfo, BufferKey, BufferList, Close, Content, Delete, EditOrigin, Empty,
    Encoding, Insert, OnOverlap, Open, Redo, Replace, Span, Text as TextAnswer, Undo, XiEvent,
};
use views::Views;
use window::OpenWindow;

/// Who edits when nobody is named.
const USER: &str = "user";

/// The open buffers. Each operation is done whole or not at all.
pub struct Editor {
    buffers: Vec<OpenBuffer>,
    windows: Vec<OpenWindow>,
    max_file_bytes: u64,
    window_above_bytes: u64,
    desk: Option<Desk>,
    events: Vec<XiEvent>,
    notices: Vec<Notice>,
    views: Views,
    /// Where unsaved text is kept safe.
    session: Option<Session>,
}

/// Who made a change.
#[derive(Clone, Copy)]
struct By<'a> {
    author: &'a str,
    /// By undo or redo.
    undone: bool,
}

impl<'a> From<&'a str> for By<'a> {
    fn from(author: &'a str) -> Self {
        Self {
            author,
            undone: false,
        }
    }
}

/// One buffer and its file.
struct OpenBuffer {
    key: BufferKey,
    buffer: Buffer,
    /// Absolute and resolved.
    path: Option<Arc<Path>>,
    disk: Disk,
    conflicts: Conflicts,
    /// What the next save writes.
    encoding: Encoding,
    read_only: bool,
    journaled: Journaled,
}

impl OpenBuffer {
    fn dirty(&self) -> bool {
        self.disk.state != Some(self.buffer.state()) || self.disk.encoding != self.encoding
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            buffer: self.key,
            path: self.path.clone(),
            revision: self.buffer.revision(),
            text: self.buffer.text().clone(),
        }
    }

    fn info(&mut self) -> BufferInfo {
        let summary = self.buffer.summary();
        let dirty = self.dirty();
        let revision = self.buffer.revision();
        BufferInfo {
            buffer: self.key,
            path: self.path.as_deref().map(Path::to_owned),
            revision,
            saved_revision: if dirty {
                self.disk.revision
            } else {
                Some(revision)
            },
            len: self.buffer.text().len(),
            lines: self.buffer.text().lines(),
            line_ending: summary.line_ending,
            encoding: self.encoding,
            dirty,
            read_only: self.read_only,
            digest: summary.digest_text(),
            windowed: false,
            conflicts: self.conflicts.len(),
        }
    }
}

impl Default for Editor {
    fn default() -> Self {
        Self {
            buffers: Vec::new(),
            windows: Vec::new(),
            max_file_bytes: file::DEFAULT_MAX_BYTES,
            window_above_bytes: file::DEFAULT_WINDOW_ABOVE,
            desk: None,
            events: Vec::new(),
            notices: Vec::new(),
            views: Views::default(),
            session: None,
        }
    }
}

impl Editor {
    /// Refuses files above `bytes` from now on.
    pub fn set_max_file_bytes(&mut self, bytes: u64) {
        self.max_file_bytes = bytes;
    }

    /// Opens files above `bytes` windowed from now on.
    pub fn set_window_above_bytes(&mut self, bytes: u64) {
        self.window_above_bytes = bytes;
    }

    /// Lets what runs beside the loop tell how far it is.
    pub(crate) fn set_desk(&mut self, desk: Desk) {
        self.desk = Some(desk);
    }

    /// Files up to this size are held.
    fn held_limit(&self) -> u64 {
        self.max_file_bytes.min(self.window_above_bytes)
    }

    /// What happened since the last call, in order.
    pub fn take_events(&mut self) -> Vec<XiEvent> {
        std::mem::take(&mut self.events)
    }

    /// What companions are to be told since the last call, in order.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Opens a file, or makes a buffer with a text.
    ///
    /// # Errors
    /// [`EditorError`], as for all operations.
    pub fn open(&mut self, request: Open) -> Result<BufferInfo, EditorError> {
        let path = match &request.path {
            Some(path) => Some(file::resolve_new(absolute(path)?)?),
            None => None,
        };
        if let Some(path) = &path
            && let Some(info) = self.info_at(path)
        {
            return match request.text {
                None => Ok(info),
                Some(_) => Err(EditorError::Exists(path.clone())),
            };
        }
        let opened = match (path, request.text) {
            (Some(path), None) if file::len(&path)? > self.window_above_bytes => {
                return self.open_window(path);
            }
            (Some(path), None) => self.load(path)?,
            (Some(path), Some(_)) if path.symlink_metadata().is_ok() => {
                return Err(EditorError::Exists(path));
            }
            (path, Some(text)) => fresh(path, &text),
            (None, None) => return Err(EditorError::NothingToOpen),
        };
        self.buffers.push(opened);
        let open = self.buffers.last_mut().ok_or(EditorError::NothingToOpen)?;
        self.notices.push(Notice::Opened(open.snapshot()));
        Ok(open.info())
    }

    fn load(&self, path: PathBuf) -> Result<OpenBuffer, EditorError> {
        let loaded = file::read(&path, self.max_file_bytes, None)?;
        let buffer = Buffer::with_summary(loaded.text, loaded.summary);
        Ok(OpenBuffer {
            key: BufferKey::new_v4(),
            disk: Disk::holding(&buffer, loaded.fingerprint, loaded.encoding),
            conflicts: Conflicts::default(),
            read_only: file::is_read_only(&path),
            encoding: loaded.encoding,
            buffer,
            path: Some(Arc::from(path)),
            journaled: Journaled::No,
        })
    }

    /// Reads text.
    ///
    /// # Errors
    /// A range outside of the text or off character borders; more than fits a message.
    pub fn content(&mut self, request: &Content) -> Result<TextAnswer, EditorError> {
        if let Some(window) = self.window(request.buffer) {
            return window.content(request.range);
        }
        let open = self.find(request.buffer)?;
        let text = open.buffer.text();
        let range = request.range.unwrap_or(Span {
            start: 0,
            end: text.len(),
        });
        text.check(range.start, range.end)?;
        let len = range.end - range.start;
        if len > MAX_LINE_BYTES {
            return Err(EditorError::TooMuch { len });
        }
        Ok(TextAnswer {
            text: text.slice(range.start, range.end).into_owned(),
            range,
            revision: open.buffer.revision(),
        })
    }

    /// Inserts text; concurrent changes are merged.
    ///
    /// # Errors
    /// [`EditorError::Edit`].
    pub fn insert(&mut self, request: Insert) -> Result<Applied, EditorError> {
        let edit = Replace {
            start: request.at,
            end: request.at,
            text: request.text,
        };
        let policy = OnOverlap::Merge;
        self.edit(
            request.buffer,
            request.base,
            vec![edit],
            policy,
            &request.origin,
        )
    }

    /// Deletes a range; concurrent changes are merged.
    ///
    /// # Errors
    /// [`EditorError::Edit`].
    pub fn delete(&mut self, request: &Delete) -> Result<Applied, EditorError> {
        let edit = Replace {
            start: request.range.start,
            end: request.range.end,
            text: String::new(),
        };
        let policy = OnOverlap::Merge;
        self.edit(
            request.buffer,
            request.base,
            vec![edit],
            policy,
            &request.origin,
        )
    }

    /// Makes edits against a base revision.
    ///
    /// # Errors
    /// [`EditorError::Edit`].
    pub fn apply(&mut self, request: Apply) -> Result<Applied, EditorError> {
        self.edit(
            request.buffer,
            Some(request.base),
            request.edits,
            request.on_overlap,
            &request.origin,
        )
    }

    /// As [`Editor::apply`]; when nothing followed revision `follows`, the edits
    /// are undone together with what led to it.
    ///
    /// # Errors
    /// [`EditorError::Edit`].
    pub fn apply_joining(
        &mut self,
        request: Apply,
        follows: Option<u64>,
    ) -> Result<Applied, EditorError> {
        let open = self.find(request.buffer)?;
        let (base, policy, origin) = (request.base, request.on_overlap, request.origin);
        let applied = if follows == Some(open.buffer.revision()) {
            open.buffer
                .edit_joining(Some(base), request.edits, policy, &origin)?
        } else {
            open.buffer
                .edit(Some(base), request.edits, policy, &origin)?
        };
        self.tell_change(request.buffer, &applied, origin.author.as_str());
        Ok(applied)
    }

    /// All open buffers as they are now, in the order they were opened.
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.buffers.iter().map(OpenBuffer::snapshot).collect()
    }

    /// Takes back the newest undo group.
    ///
    /// # Errors
    /// [`EditorError::NoBuffer`].
    pub fn undo(&mut self, request: &Undo) -> Result<Applied, EditorError> {
        self.step(request.buffer, |buffer| Ok(buffer.undo()))
    }

    /// Brings back the group undone last.
    ///
    /// # Errors
    /// [`EditorError::NoBuffer`].
    pub fn redo(&mut self, request: &Redo) -> Result<Applied, EditorError> {
        self.step(request.buffer, |buffer| Ok(buffer.redo()))
    }

    /// Closes a buffer.
    ///
    /// # Errors
    /// [`EditorError::Unsaved`] unless changes may be discarded.
    pub fn close(&mut self, request: &Close) -> Result<Empty, EditorError> {
        if self.window(request.buffer).is_some() {
            self.windows.retain(|window| window.key != request.buffer);
            self.events.push(XiEvent::BufferClosed {
                buffer: request.buffer,
            });
            return Ok(Empty {});
        }
        let open = self.find(request.buffer)?;
        if !request.discard && open.dirty() && !open.is_blank() {
            return Err(EditorError::Unsaved);
        }
        self.forget(request.buffer);
        Ok(Empty {})
    }

    /// Lists the open buffers.
    pub fn list(&mut self) -> BufferList {
        BufferList {
            buffers: self
                .buffers
                .iter_mut()
                .map(OpenBuffer::info)
                .chain(self.windows.iter().map(OpenWindow::info))
                .collect(),
        }
    }

    /// Frees what is beyond the limits of history; for idle moments.
    pub fn tidy(&mut self) {
        for open in &mut self.buffers {
            open.buffer.tidy();
        }
    }

    fn edit(
        &mut self,
        key: BufferKey,
        base: Option<u64>,
        edits: Vec<Replace>,
        policy: OnOverlap,
        origin: &EditOrigin,
    ) -> Result<Applied, EditorError> {
        let open = self.find(key)?;
        let applied = open.buffer.edit(base, edits, policy, origin)?;
        let author = if origin.author.is_empty() {
            USER
        } else {
            &origin.author
        };
        self.tell_change(key, &applied, author);
        Ok(applied)
    }

    fn forget(&mut self, key: BufferKey) {
        self.forget_journal(key);
        self.buffers.retain(|open| open.key != key);
        self.notices.push(Notice::Closed(key));
        self.close_views(key);
        self.events.push(XiEvent::BufferClosed { buffer: key });
    }

    /// Tells of a change, and moves what is marked in the text.
    fn tell_change<'a>(&mut self, key: BufferKey, applied: &Applied, by: impl Into<By<'a>>) {
        self.follow_change(key, applied, by);
        self.tell_selections(key);
    }

    /// As [`Editor::tell_change`], but that the selections are still to be told.
    fn follow_change<'a>(&mut self, key: BufferKey, applied: &Applied, by: impl Into<By<'a>>) {
        if applied.changed
            && let Some(open) = self.buffers.iter_mut().find(|open| open.key == key)
        {
            let state = open.buffer.state();
            open.conflicts.moved(&applied.edits, state);
        }
        self.tell_text(key, applied, by);
    }

    fn tell_text<'a>(&mut self, key: BufferKey, applied: &Applied, by: impl Into<By<'a>>) {
        let By { author, undone } = by.into();
        let Some(open) = self.buffers.iter().find(|open| open.key == key) else {
            return;
        };
        if applied.changed {
            self.views.follow(key, open.buffer.text(), &applied.edits);
            self.notices.push(Notice::Changed {
                now: open.snapshot(),
                edits: Arc::from(applied.edits.as_slice()),
                author: Arc::from(author),
                undone,
            });
            self.events.push(XiEvent::BufferChanged {
                buffer: key,
                revision: applied.revision,
                edits: applied.edits.clone(),
                author: author.to_owned(),
                len: open.buffer.text().len(),
                dirty: open.dirty(),
            });
        }
    }

    fn find(&mut self, key: BufferKey) -> Result<&mut OpenBuffer, EditorError> {
        if let Some(window) = self.windows.iter().find(|window| window.key == key) {
            return Err(EditorError::Windowed(window.path.to_path_buf()));
        }
        self.buffers
            .iter_mut()
            .find(|open| open.key == key)
            .ok_or(EditorError::NoBuffer(key))
    }

    /// A buffer as it was at a held revision; the newest when absent.
    ///
    /// # Errors
    /// [`EditorError::Edit`] when that revision is not held.
    pub fn snapshot(
        &mut self,
        key: BufferKey,
        revision: Option<u64>,
    ) -> Result<Snapshot, EditorError> {
        let open = self.find(key)?;
        let mut snapshot = open.snapshot();
        if let Some(revision) = revision {
            snapshot.text = open.buffer.at(Some(revision))?.clone();
            snapshot.revision = revision;
        }
        Ok(snapshot)
    }

    /// The buffer that has a file.
    fn holder(&self, path: &Path) -> Option<BufferKey> {
        let mut held = self.buffers.iter();
        held.find(|open| open.path.as_deref() == Some(path))
            .map(|open| open.key)
            .or_else(|| {
                let mut windows = self.windows.iter();
                windows.find(|w| &*w.path == path).map(|w| w.key)
            })
    }

    fn info_at(&mut self, path: &Path) -> Option<BufferInfo> {
        let key = self.holder(path)?;
        match self.window(key) {
            Some(window) => Some(window.info()),
            None => self.find(key).ok().map(OpenBuffer::info),
        }
    }
}

impl OpenBuffer {
    /// Whether this is a buffer without file and text, which nobody misses.
    fn is_blank(&self) -> bool {
        self.path.is_none() && self.buffer.text().is_empty()
    }
}

/// A buffer that no file holds yet.
fn fresh(path: Option<PathBuf>, text: &str) -> OpenBuffer {
    OpenBuffer {
        key: BufferKey::new_v4(),
        buffer: Buffer::new(Text::from(text)),
        path: path.map(Arc::from),
        disk: Disk::nothing(),
        conflicts: Conflicts::default(),
        encoding: Encoding::Utf8,
        read_only: false,
        journaled: Journaled::No,
    }
}

fn absolute(path: &Path) -> Result<&Path, EditorError> {
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(EditorError::RelativePath(path.to_owned()))
    }
}
