//! Unsaved text kept safe: journals of open buffers, and what comes back from them.

use super::conflicts::Conflicts;
use super::views::{Shown, Views};
use super::{Disk, Editor, EditorError, OpenBuffer, absolute};
use crate::companion::Notice;
use crate::engine::{Buffer, Op, Text};
use crate::file;
use crate::journal::{
    Abandoned, Follows, Journaled, LoadError, Loaded, NotLoaded, Note, Now, OnDisk, Session,
    SessionError, Whole, load,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;
use symphony_ipc_protocol::xi::{
    BufferKey, ChangeKind, DiscardRecovery, Empty, ExternalOutcome, FileChanged, NotRestored,
    RecentChange, Recover, Recoverable, RecoverableList, Replace, Restored, XiEvent,
};

impl From<SessionError> for EditorError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::InUse(owner) => Self::SessionInUse(owner.to_string()),
            SessionError::Folder(error) => Self::Session(std::io::Error::other(error)),
        }
    }
}

/// What stands beside the text of a buffer whose changes are made again.
#[derive(Default)]
struct Beside {
    shown: Shown,
    conflicts: Conflicts,
}

impl Follows for Beside {
    fn before(&mut self, now: &Buffer) {
        self.shown.before(now);
    }

    fn changed(&mut self, edits: &[Replace], now: &Buffer) {
        self.conflicts.moved(edits, now.state());
        self.shown.changed(edits, now);
    }

    fn note(&mut self, note: Note, now: &Buffer, file: &Text) {
        match note {
            Note::Conflicts(note) => self.conflicts = Conflicts::of(&note, now.text(), file),
            note => self.shown.note(note, now),
        }
    }
}

impl OpenBuffer {
    /// The buffer of a journal, and its views.
    fn restored(loaded: Loaded<Beside>, journaled: Journaled) -> (Self, Shown) {
        let on_disk = loaded.on_disk;
        let Beside { shown, conflicts } = loaded.follows;
        let mut buffer = loaded.buffer;
        buffer.keep_ops();
        let path = on_disk.path;
        let open = Self {
            key: loaded.key,
            buffer,
            read_only: path.as_deref().is_some_and(file::is_read_only),
            path,
            disk: Disk {
                text: on_disk.text,
                state: on_disk.state,
                revision: on_disk.revision,
                fingerprint: on_disk.print,
                encoding: on_disk.file_encoding,
            },
            conflicts,
            encoding: on_disk.encoding,
            journaled,
        };
        (open, shown)
    }

    fn on_disk(&self) -> OnDisk {
        OnDisk {
            path: self.path.clone(),
            encoding: self.encoding,
            file_encoding: self.disk.encoding,
            text: self.disk.text.clone(),
            state: self.disk.state,
            revision: self.disk.revision,
            print: self.disk.fingerprint.clone(),
        }
    }

    /// Whether the file is still known as it was written down.
    fn is_known(&self, written: &OnDisk) -> bool {
        let disk = &self.disk;
        written.path.as_deref() == self.path.as_deref()
            && written.encoding == self.encoding
            && written.file_encoding == disk.encoding
            && written.state == disk.state
            && written.revision == disk.revision
            && written.print == disk.fingerprint
    }

    fn whole(&self, views: &Views) -> Whole {
        let mut notes = views.all_notes(self.key);
        notes.push(Note::Conflicts(self.conflicts.note()));
        Whole {
            text: self.buffer.text().clone(),
            state: self.buffer.state(),
            standing: self.buffer.standing(),
            on_disk: self.on_disk(),
            notes,
        }
    }

    /// Puts down what happened since the last time.
    fn commit(&mut self, views: &mut Views, session: &mut Session) {
        let ops = self.buffer.take_ops();
        let edits = ops.iter().filter(|op| matches!(op, Op::Edit(_))).count();
        let mut notes = views.take_notes(self.key, edits);
        notes.extend(self.conflicts.take_note().map(Note::Conflicts));
        if let Journaled::Yes(journal) = &self.journaled {
            let is_still = ops.is_empty() && notes.is_empty() && self.is_known(journal.on_disk());
            if is_still && !journal.is_waiting() {
                return;
            }
        }
        self.buffer.keep_ops();
        let mut journaled = std::mem::take(&mut self.journaled);
        let now = Now {
            state: self.buffer.state(),
            ops,
            on_disk: self.on_disk(),
            notes,
            whole: &|| self.whole(views),
        };
        session.commit(self.key, &mut journaled, now);
        self.journaled = journaled;
    }
}

impl Editor {
    /// Keeps unsaved text safe in `folder` from now on, and restores what an
    /// earlier process left there: the buffers that are back, and those that are not.
    ///
    /// # Errors
    /// A relative path; [`EditorError::SessionInUse`].
    pub fn open_session(
        &mut self,
        folder: &Path,
    ) -> Result<(Vec<Restored>, Vec<NotRestored>), EditorError> {
        let session = Session::open(absolute(folder)?)?;
        let journals = session.journals()?;
        self.session = Some(session);
        let mut loaded = load_all(journals, self.max_file_bytes);
        loaded.sort_by_key(|(_, loaded)| loaded.as_ref().map_or(u64::MAX, |l| l.opened));
        let (mut restored, mut not_restored) = (Vec::new(), Vec::new());
        for (path, loaded) in loaded {
            match loaded {
                Ok(loaded) => restored.push(self.adopt(&path, loaded)?),
                Err(not) => not_restored.extend(self.put_aside(&path, not)),
            }
        }
        Ok((restored, not_restored))
    }

    /// Writes what happened since the last call into the journals: before
    /// anything of it is acknowledged.
    pub fn commit(&mut self) {
        let Some(session) = &mut self.session else {
            self.views.forget_notes();
            return;
        };
        for open in &mut self.buffers {
            open.commit(&mut self.views, session);
        }
        // What is left is of buffers that are closed.
        self.views.forget_notes();
        session.settle(self.buffers.iter().any(|open| open.journaled.has_failed()));
        self.events.extend(session.take_news());
    }

    /// The client says good-bye: what is unsaved is kept, or else nothing.
    pub fn end_session(&mut self) {
        // What others had the loop do just now is not in the journals yet.
        self.commit();
        if let Some(session) = self.session.take()
            && !self.buffers.iter().any(|o| o.dirty() && !o.is_blank())
        {
            for open in &mut self.buffers {
                if let Journaled::Yes(journal) = std::mem::take(&mut open.journaled) {
                    journal.remove(&session);
                }
            }
            session.end();
        }
    }

    pub(super) fn forget_journal(&mut self, key: BufferKey) {
        let open = self.buffers.iter_mut().find(|open| open.key == key);
        if let (Some(session), Some(open)) = (&self.session, open)
            && let Journaled::Yes(journal) = std::mem::take(&mut open.journaled)
        {
            journal.remove(session);
        }
    }

    /// Lists unsaved text of dead sessions beside ours; those with nothing
    /// unsaved are cleared away.
    ///
    /// # Errors
    /// [`EditorError::NoSession`]; the system's when they cannot be listed.
    pub fn recoverable(&mut self) -> Result<RecoverableList, EditorError> {
        let session = self.session.as_ref().ok_or(EditorError::NoSession)?;
        let mut recoverable = Vec::new();
        for abandoned in session.abandoned()? {
            for journal in abandoned.journals()? {
                let loaded = load(&journal, self.max_file_bytes);
                match offered(&abandoned, &journal, loaded) {
                    Some(offered) => recoverable.push(offered),
                    None => std::fs::remove_file(&journal)?,
                }
            }
            abandoned.tidy();
        }
        recoverable.sort_by_key(|offered| offered.changed_ms);
        Ok(RecoverableList { recoverable })
    }

    /// Opens unsaved text of a dead session.
    ///
    /// # Errors
    /// [`EditorError::NothingToRecover`], [`EditorError::Exists`] and others; it is still there then.
    pub fn recover(&mut self, request: &Recover) -> Result<Restored, EditorError> {
        let (abandoned, journal) = self.find_recoverable(&request.id)?;
        let loaded =
            load(&journal, self.max_file_bytes).map_err(|not| EditorError::NotRecoverable {
                id: request.id.clone(),
                why: not.error.to_string(),
            })?;
        let path = loaded.on_disk.path.as_deref();
        if path.is_some_and(|path| self.holder(path).is_some()) || self.find(loaded.key).is_ok() {
            let path = path.unwrap_or(&journal).to_owned();
            return Err(EditorError::Exists(path));
        }
        let session = self.session.as_ref().ok_or(EditorError::NoSession)?;
        let own = session.take_over(&journal, loaded.key)?;
        let restored = self.adopt(&own, loaded)?;
        abandoned.tidy();
        Ok(restored)
    }

    /// Deletes unsaved text of a dead session.
    ///
    /// # Errors
    /// [`EditorError::NothingToRecover`] and others; it is still there then.
    pub fn discard_recovery(&mut self, request: &DiscardRecovery) -> Result<Empty, EditorError> {
        let (abandoned, journal) = self.find_recoverable(&request.id)?;
        std::fs::remove_file(&journal)?;
        abandoned.tidy();
        Ok(Empty {})
    }

    fn find_recoverable(&self, id: &str) -> Result<(Abandoned, PathBuf), EditorError> {
        let session = self.session.as_ref().ok_or(EditorError::NoSession)?;
        for abandoned in session.abandoned()? {
            for journal in abandoned.journals()? {
                if recovery_id(&abandoned, &journal) == id {
                    return Ok((abandoned, journal));
                }
            }
        }
        Err(EditorError::NothingToRecover(id.to_owned()))
    }

    /// Makes what was loaded an open buffer, and looks at what its file did meanwhile.
    fn adopt(
        &mut self,
        journal: &Path,
        mut loaded: Loaded<Beside>,
    ) -> Result<Restored, EditorError> {
        let session = self.session.as_mut().ok_or(EditorError::NoSession)?;
        let mut recent = std::mem::take(&mut loaded.recent);
        let reloaded = loaded.trail.is_none();
        let journaled = match loaded.trail.take() {
            Some(trail) => session.go_on(journal, trail),
            None => Journaled::No,
        };
        let (open, shown) = OpenBuffer::restored(loaded, journaled);
        let (key, has_file) = (open.key, open.path.is_some());
        self.notices.push(Notice::Opened(open.snapshot()));
        self.buffers.push(open);
        let views = self.views.adopt(key, shown);
        let looked = match has_file {
            true => self.file_changed(&FileChanged { buffer: key }).map(Some),
            false => Ok(None),
        };
        let file = match looked {
            Ok(_) if reloaded => Some(ExternalOutcome::Reloaded),
            Ok(change) => change.map(|change| change.outcome),
            Err(error) => {
                tracing::warn!(%error, "the file of a restored buffer was not looked at");
                None
            }
        };
        // What the look led to is part of the answer, as well as told.
        recent.extend(self.events.iter().filter_map(|event| change_of(event, key)));
        let info = self.find(key)?.info();
        tracing::info!(buffer = %key, revision = info.revision, "restored");
        let views = views.into_iter().map(|view| self.state_of(view));
        let views = views.collect::<Result<_, _>>()?;
        Ok(Restored {
            info,
            file,
            recent,
            views,
        })
    }

    fn put_aside(&self, journal: &Path, not: NotLoaded) -> Option<NotRestored> {
        let session = self.session.as_ref()?;
        if matches!(not.error, LoadError::NotBegun) {
            // Nothing in it was acknowledged, and there is nothing to read.
            let removed = std::fs::remove_file(journal);
            tracing::info!(journal = %journal.display(), ?removed, "begun and not acknowledged");
            return None;
        }
        let mut reason = not.error.to_string();
        let aside = match session.put_aside(journal, not.text.as_deref()) {
            // There is nothing in it that anyone could miss.
            Ok(path) if matches!(not.error, LoadError::NothingUnsaved(_)) => {
                std::fs::remove_file(path).err().map(|_| journal.to_owned())
            }
            Ok(path) => Some(path),
            Err(error) => {
                reason = format!("{reason}; it stays where it is: {error}");
                Some(journal.to_owned())
            }
        };
        tracing::error!(reason, ?aside, "a buffer was not restored");
        Some(NotRestored {
            path: not.path,
            reason,
            aside,
        })
    }
}

/// The change that an event tells of, if it is one of that buffer.
fn change_of(event: &XiEvent, key: BufferKey) -> Option<RecentChange> {
    match event {
        XiEvent::BufferChanged {
            buffer,
            revision,
            edits,
            author,
            ..
        } if *buffer == key => Some(RecentChange {
            revision: *revision,
            kind: ChangeKind::Edit,
            edits: edits.clone(),
            author: author.clone(),
        }),
        _ => None,
    }
}

/// Loads journals, several at a time.
fn load_all(
    journals: Vec<PathBuf>,
    limit: u64,
) -> Vec<(PathBuf, Result<Loaded<Beside>, NotLoaded>)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if journals.len() < 2 || threads < 2 {
        let each = |path: PathBuf| {
            let loaded = load(&path, limit);
            (path, loaded)
        };
        return journals.into_iter().map(each).collect();
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(journals.len()) {
            scope.spawn(|| {
                while let Some(path) = journals.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let loaded = load(path, limit);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((path.clone(), loaded));
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn recovery_id(abandoned: &Abandoned, journal: &Path) -> String {
    let name = |path: &Path| {
        let name = path.file_stem().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    format!("{}/{}", name(&abandoned.folder), name(journal))
}

/// What to offer of a dead session's journal; `None`: it holds nothing unsaved.
fn offered(
    abandoned: &Abandoned,
    journal: &Path,
    loaded: Result<Loaded<Beside>, NotLoaded>,
) -> Option<Recoverable> {
    let (path, len, problem) = match loaded {
        Ok(loaded) => {
            let saved = loaded.on_disk.state == Some(loaded.buffer.state());
            let blank = loaded.on_disk.path.is_none() && loaded.buffer.text().is_empty();
            if saved || blank {
                return None;
            }
            let path = loaded.on_disk.path.as_deref().map(Path::to_owned);
            (path, Some(loaded.buffer.text().len()), None)
        }
        Err(NotLoaded {
            error: LoadError::NotBegun | LoadError::NothingUnsaved(_),
            ..
        }) => return None,
        Err(not) => (not.path, None, Some(not.error.to_string())),
    };
    let changed = std::fs::metadata(journal).and_then(|meta| meta.modified());
    let changed = changed.unwrap_or(UNIX_EPOCH).duration_since(UNIX_EPOCH);
    Some(Recoverable {
        id: recovery_id(abandoned, journal),
        path,
        changed_ms: u64::try_from(changed.unwrap_or_default().as_millis()).unwrap_or(u64::MAX),
        len,
        problem,
    })
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
