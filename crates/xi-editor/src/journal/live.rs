//! The journal of an open buffer, written by the editing loop.

use super::frames::{Frames, PIECE, WriteError, create, write_whole};
use super::ondisk::OnDisk;
use super::record::Record;
use super::rewrite::{Mark, Rewriting};
use super::session::Session;
use super::sync::Target;
use super::{JournalError, Now, Whole};
use crate::engine::Text;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};
use symphony_ipc_protocol::xi::BufferKey;

/// When what is written how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// A base text of so many bytes is written into the journal with the first
    /// change, on the loop; a longer one beside it, by a thread.
    pub small_text: usize,
    /// A journal is begun anew when it has more changes than this behind its
    /// beginning,
    pub max_changes: usize,
    /// and one more for so many bytes of its text,
    pub bytes_a_change: usize,
    /// or more bytes of them.
    pub max_bytes: u64,
    /// It keeps so many of the newest changes as they were made: with them come
    /// back the revisions that edits may be made against.
    pub kept_changes: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            small_text: PIECE,
            max_changes: 4_000,
            bytes_a_change: 64 * 1024,
            max_bytes: 64 * 1024 * 1024,
            kept_changes: 1_000,
        }
    }
}

/// One buffer's journal.
pub(crate) struct Journal {
    key: BufferKey,
    opened: u64,
    path: PathBuf,
    target: Arc<Target>,
    /// Where the next record goes.
    end: u64,
    /// Where changes began, and how many there are.
    begun: u64,
    changes: usize,
    /// Where it is to be begun anew.
    mark: Option<Box<Mark>>,
    /// The base text, as long as it is in the file only.
    base: Option<Text>,
    on_disk: OnDisk,
    rewriting: Option<Rewriting>,
    failed: bool,
    /// Room for a record and for frames.
    scratch: (Vec<u8>, Vec<u8>),
}

/// A journal that was read, to go on with.
pub(crate) struct Trail {
    pub(super) key: BufferKey,
    pub(super) opened: u64,
    pub(super) end: u64,
    pub(super) begun: u64,
    pub(super) changes: usize,
    pub(super) base: Option<Text>,
    pub(super) on_disk: OnDisk,
}

/// Now, in microseconds since 1970.
fn micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(now.unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}

impl Journal {
    /// Begins the journal of a buffer as it is now.
    ///
    /// # Errors
    /// [`JournalError`]; there may be a part of a journal then.
    pub(crate) fn begin(
        session: &Session,
        key: BufferKey,
        whole: &Whole,
    ) -> Result<Self, JournalError> {
        Self::begin_at(session, key, micros(), whole)
    }

    fn begin_at(
        session: &Session,
        key: BufferKey,
        opened: u64,
        whole: &Whole,
    ) -> Result<Self, JournalError> {
        let path = session.journal_of(key);
        // The text of an untouched file is in the file.
        let held = whole.on_disk.state != Some(whole.state) || whole.on_disk.print.is_none();
        // Whatever stands there is of an earlier try: another name until this one is whole.
        let fresh = path.with_extension("new");
        let written = create(&fresh).map_err(WriteError::from).and_then(|file| {
            let end = write_whole(key, opened, whole, held, &mut &file)?;
            std::fs::rename(&fresh, &path)?;
            Ok((file, end))
        });
        let (file, end) = written.map_err(|error| error.at(&path))?;
        let target = Target::new(file, end, 0);
        session.syncer().soon(&target);
        session.syncer().folder_soon();
        Ok(Self {
            key,
            opened,
            path,
            target,
            end,
            begun: end,
            changes: 0,
            mark: None,
            base: (!held).then(|| whole.text.clone()),
            on_disk: whole.on_disk.clone(),
            rewriting: None,
            failed: false,
            scratch: Default::default(),
        })
    }

    /// Goes on with a journal that was read.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be opened for writing.
    pub(super) fn go_on(path: PathBuf, trail: Trail) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io {
            path: path.clone(),
            source,
        };
        let file = OpenOptions::new().write(true).read(true).open(&path);
        let file = file.map_err(io)?;
        // A torn end was never acknowledged.
        file.set_len(trail.end).map_err(io)?;
        Ok(Self {
            key: trail.key,
            opened: trail.opened,
            path,
            // What was synced before the crash is not known.
            target: Target::new(file, trail.end, 0),
            end: trail.end,
            begun: trail.begun,
            changes: trail.changes,
            mark: None,
            base: trail.base,
            on_disk: trail.on_disk,
            rewriting: None,
            failed: false,
            scratch: Default::default(),
        })
    }

    /// Whether it is behind the buffer because it could not be written.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// What it knows of the file.
    pub(crate) fn on_disk(&self) -> &OnDisk {
        &self.on_disk
    }

    /// Whether anything waits to be done although nothing happened.
    pub(crate) fn is_waiting(&self) -> bool {
        self.failed
            || self.rewriting.as_ref().is_some_and(Rewriting::is_ready)
            || self.target.broken.load(Ordering::Relaxed)
    }

    /// Waits until what is begun anew can be taken.
    #[cfg(test)]
    pub(crate) fn wait(&self) {
        while self.rewriting.as_ref().is_some_and(|r| !r.is_ready()) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    /// Where it is.
    #[cfg(test)]
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Writes what happened since the last time.
    ///
    /// # Errors
    /// [`JournalError`]; the journal has failed then, until [`Journal::renew`].
    pub(crate) fn commit(&mut self, session: &Session, now: Now<'_>) -> Result<(), JournalError> {
        if self.failed {
            return Ok(());
        }
        let done = self.try_commit(session, now);
        self.failed = done.is_err();
        if self.failed {
            self.rewriting = None;
        }
        done
    }

    /// Begins anew after a failure.
    ///
    /// # Errors
    /// [`JournalError`]: not yet.
    pub(crate) fn renew(&mut self, session: &Session, whole: &Whole) -> Result<(), JournalError> {
        *self = Self::begin_at(session, self.key, self.opened, whole)?;
        Ok(())
    }

    /// Removes it: its buffer is closed.
    pub(crate) fn remove(self, session: &Session) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "a journal was not removed");
        }
        session.syncer().folder_soon();
    }

    fn try_commit(&mut self, session: &Session, now: Now<'_>) -> Result<(), JournalError> {
        if self.target.broken.load(Ordering::Acquire) {
            return Err(JournalError::NotSynced(self.path.clone()));
        }
        let mut frames = Frames {
            bytes: std::mem::take(&mut self.scratch.1),
            begin: self.end,
            synced: self.target.synced.load(Ordering::Acquire),
            payload: std::mem::take(&mut self.scratch.0),
        };
        frames.bytes.clear();
        self.hold_base(session, &now, &mut frames)
            .map_err(|error| error.at(&self.path))?;
        let mut records: Vec<Record<'_>> = now.ops.iter().map(Record::of).collect();
        let mut edits = Vec::new();
        if !self.on_disk.same_as(&now.on_disk) {
            let holds = now.on_disk.after(&self.on_disk, now.state, &mut edits);
            records.push(Record::Disk(now.on_disk.record(holds)));
        }
        records.extend(now.notes.into_iter().map(Record::Note));
        let last = records.len().saturating_sub(1);
        for (n, record) in records.iter().enumerate() {
            frames.add_part(record, n < last)?;
        }
        drop(records);
        self.on_disk = now.on_disk;
        self.write(&frames).map_err(|error| error.at(&self.path))?;
        (self.scratch.0, self.scratch.1) = (frames.payload, frames.bytes);
        self.changes += now.ops.len();
        session.syncer().soon(&self.target);
        self.rewrite(session, now.whole)
    }

    fn write(&mut self, frames: &Frames) -> Result<(), WriteError> {
        self.target.file.write_all_at(&frames.bytes, self.end)?;
        self.end = frames.end();
        self.target.written.store(self.end, Ordering::Release);
        Ok(())
    }

    /// Before the first change of a file's text: others may change the file.
    fn hold_base(
        &mut self,
        session: &Session,
        now: &Now<'_>,
        frames: &mut Frames,
    ) -> Result<(), WriteError> {
        if now.ops.is_empty() {
            return Ok(());
        }
        let small = session.policy().small_text;
        if let Some(base) = self.base.take_if(|base| base.len() <= small) {
            // They all go into one write.
            frames.add_text(&base, &mut std::io::sink())?;
        }
        Ok(())
    }

    /// Begins the journal anew where it is long or its base text is elsewhere,
    /// and takes what was begun.
    fn rewrite(
        &mut self,
        session: &Session,
        whole: &dyn Fn() -> Whole,
    ) -> Result<(), JournalError> {
        match self.rewriting.take() {
            Some(rewriting) if rewriting.is_ready() => {
                if let Some(fresh) = rewriting.finish(&self.target, self.end, &self.path)? {
                    self.changes -= fresh.changes;
                    (self.begun, self.end) = (fresh.begin, fresh.end);
                    self.target = fresh.target;
                    self.base = None;
                    session.syncer().soon(&self.target);
                    session.syncer().folder_soon();
                }
            }
            Some(rewriting) => self.rewriting = Some(rewriting),
            None => self.start_if_due(session, whole),
        }
        Ok(())
    }

    fn start_if_due(&mut self, session: &Session, whole: &dyn Fn() -> Whole) {
        let mark = || {
            Box::new(Mark {
                whole: whole(),
                offset: self.end,
                changes: self.changes,
            })
        };
        if self.base.is_some() {
            if self.changes > 0 {
                let mark = mark();
                self.start(session, *mark);
            }
            return;
        }
        let bytes = self.end - self.begun;
        let policy = session.policy();
        let most = policy.max_changes + self.on_disk.text.len() / policy.bytes_a_change;
        let is_due = self.changes >= most - policy.kept_changes || bytes >= policy.max_bytes / 2;
        if is_due && self.mark.is_none() {
            self.mark = Some(mark());
        }
        if (self.changes >= most || bytes >= policy.max_bytes)
            && let Some(mark) = self.mark.take()
        {
            self.start(session, *mark);
        }
    }

    fn start(&mut self, session: &Session, mark: Mark) {
        let to = self.path.with_extension("new");
        let base = self.base.clone();
        let (key, opened) = (self.key, self.opened);
        let rewriting = Rewriting::start(session, (key, opened), base, mark, &self.target, to);
        self.rewriting = Some(rewriting);
    }
}
