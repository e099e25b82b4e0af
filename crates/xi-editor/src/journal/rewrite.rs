//! A journal that has grown long, or whose base text is only in its file, is
//! begun anew beside the loop: the text that the oldest undo group grows from,
//! the edits of the groups that are still held, and then what happened since.

use super::frames::{Beginning, Frames, PIECE, WriteError, create, write_whole};
use super::load::Read;
use super::record::{Holds, Record, replaces};
use super::session::Session;
use super::sync::Target;
use super::{JournalError, LoadError, Whole};
use crate::engine::Text;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use sy_commons::framed;
use symphony_ipc_protocol::xi::BufferKey;

/// Records are copied in parts of at least so many bytes.
const PART: u64 = 4 * 1024 * 1024;
/// The loop copies at most about so many bytes itself.
const LAST_PART: u64 = 64 * 1024;

/// A buffer at a place of its journal.
pub(super) struct Mark {
    pub whole: Whole,
    /// The offset of the first record after it.
    pub offset: u64,
    /// How many changes stood before it.
    pub changes: usize,
}

/// A new file on its way.
pub(super) struct Rewriting {
    to: PathBuf,
    /// Where the records after the mark begin in the old file, and how many changes stood before.
    from: u64,
    changes: usize,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    ready: AtomicBool,
    given_up: AtomicBool,
    made: Mutex<Option<Result<Made, WriteError>>>,
}

/// A new file, durable, with all but the newest records.
struct Made {
    file: File,
    /// Where its changes begin.
    begin: u64,
    /// Up to there of the old file it has everything.
    copied: u64,
}

/// The new file in the place of the old one.
pub(super) struct Fresh {
    pub target: Arc<Target>,
    pub begin: u64,
    pub end: u64,
    /// So many changes are no longer in it as they were made.
    pub changes: usize,
}

impl Rewriting {
    /// Starts a thread that begins a journal anew at `mark`, in the file `to`.
    /// `base` is the old one's base text where it is not in it.
    pub(super) fn start(
        session: &Session,
        (key, opened): (BufferKey, u64),
        base: Option<Text>,
        mark: Mark,
        source: &Arc<Target>,
        to: PathBuf,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let (from, changes) = (mark.offset, mark.changes);
        let (theirs, source) = (Arc::clone(&shared), Arc::clone(source));
        let (path, one) = (to.clone(), session.one_at_a_time());
        let work = move || {
            let _turn = one.lock().unwrap_or_else(PoisonError::into_inner);
            let head = Head {
                key,
                opened,
                base,
                mark,
            };
            let made = make(&head, &source, &path, &theirs.given_up);
            *theirs.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
            theirs.ready.store(true, Ordering::Release);
        };
        let thread = std::thread::Builder::new().name("journal-rewrite".to_owned());
        if let Err(error) = thread.spawn(work) {
            let mut made = shared.made.lock().unwrap_or_else(PoisonError::into_inner);
            *made = Some(Err(WriteError::Io(error)));
            shared.ready.store(true, Ordering::Release);
        }
        Self {
            to,
            from,
            changes,
            shared,
        }
    }

    /// Whether it can be finished.
    pub(super) fn is_ready(&self) -> bool {
        self.shared.ready.load(Ordering::Acquire)
    }

    /// Copies the last records, up to `end` of the old file, and puts the new one in its place.
    ///
    /// # Errors
    /// [`JournalError`]; the old file is as it was.
    pub(super) fn finish(
        self,
        old: &Target,
        end: u64,
        path: &Path,
    ) -> Result<Option<Fresh>, JournalError> {
        let mut made = self
            .shared
            .made
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(made) = made.take() else {
            return Ok(None);
        };
        let fresh = made.and_then(|made| {
            let synced = made.begin + (made.copied - self.from);
            let new_end = copy(&old.file, made.copied..end, &made.file, synced, synced)?;
            std::fs::rename(&self.to, path)?;
            Ok(Fresh {
                target: Target::new(made.file, new_end, synced),
                begin: made.begin,
                end: new_end,
                changes: self.changes,
            })
        });
        fresh.map(Some).map_err(|error| error.at(path))
    }
}

impl Drop for Rewriting {
    fn drop(&mut self) {
        self.shared.given_up.store(true, Ordering::Release);
    }
}

/// What comes before the records that are copied.
struct Head {
    key: BufferKey,
    opened: u64,
    /// The old journal's base text where it is not in it.
    base: Option<Text>,
    mark: Mark,
}

impl Head {
    fn write(&self, source: &Target, to: &mut impl Write) -> Result<u64, WriteError> {
        let len = usize::try_from(self.mark.offset).unwrap_or(usize::MAX);
        let mut old = vec![0; len];
        source.file.read_exact_at(&mut old, 0)?;
        match Read::of(&old).map(|read| Kept::of(&read, self)) {
            Ok(Some(kept)) => self.write_kept(&kept, &old, to),
            // A journal that was begun amid an undo tree: the older groups are
            // not in it, and those that are do not stand on their own.
            Ok(None) | Err(LoadError::Mismatch) => {
                write_whole(self.key, self.opened, &self.mark.whole, true, to)
            }
            Err(error) => Err(WriteError::Io(std::io::Error::other(error))),
        }
    }

    fn write_kept(&self, kept: &Kept, old: &[u8], to: &mut impl Write) -> Result<u64, WriteError> {
        let whole = &self.mark.whole;
        let standing = &whole.standing;
        let beginning = Beginning {
            key: self.key,
            opened: self.opened,
            text: &kept.base,
            revision: 0,
            root: standing.root.clone(),
            held: true,
            on_disk: &whole.on_disk,
        };
        let mut frames = Frames::of_new_file();
        beginning.add(&mut frames, Holds::Nothing, to)?;
        let mut current = standing.root.node;
        for branch in &standing.branches {
            if branch.parent != current {
                frames.add(&Record::Show(branch.parent))?;
            }
            current = branch.node;
            for payload in kept.records.get(&branch.node).into_iter().flatten() {
                frames.add_bytes(&old[payload.clone()])?;
            }
            frames.flush(to, PIECE)?;
        }
        frames.add(&Record::Stand(standing.clone()))?;
        let mut edits = Vec::new();
        let holds = whole.on_disk.beside(&whole.text, whole.state, &mut edits);
        frames.add(&Record::Disk(whole.on_disk.record(holds)))?;
        frames.add_notes(whole)?;
        frames.flush(to, 0)?;
        Ok(frames.end())
    }
}

/// What is kept of an old journal.
struct Kept {
    /// The text that all held undo groups grow from.
    base: Text,
    /// Where the edits of each held group stand.
    records: HashMap<u64, Vec<std::ops::Range<usize>>>,
}

impl Kept {
    /// `None` when the held groups are not all in the journal.
    fn of(read: &Read<'_>, head: &Head) -> Option<Self> {
        let standing = &head.mark.whole.standing;
        let base = read.base.clone().or_else(|| head.base.clone())?;
        let origin = read.began.root.node;
        let mut parents = HashMap::from([(origin, None)]);
        let mut records: HashMap<u64, Vec<_>> = HashMap::new();
        let mut current = origin;
        for (place, record) in &read.records {
            match record {
                Record::Edit(edit) => {
                    parents.entry(edit.node).or_insert(Some(current));
                    records.entry(edit.node).or_default().push(place.clone());
                    current = edit.node;
                }
                Record::Go(step) => current = step.node,
                Record::Show(node) => current = *node,
                Record::Stand(at) => current = at.current,
                _ => {}
            }
            parents.get(&current)?;
        }
        let held = |branch: &crate::engine::Branch| {
            records.contains_key(&branch.node)
                && parents.get(&branch.node) == Some(&Some(branch.parent))
        };
        if !standing.branches.iter().all(held) {
            return None;
        }
        let up = |node: &u64| parents.get(node).copied().flatten();
        let path: HashSet<u64> = std::iter::successors(Some(standing.root.node), up).collect();
        if !path.contains(&origin) {
            return None;
        }
        let mut text = base;
        for (_, record) in &read.records {
            if let Record::Edit(edit) = record
                && path.contains(&edit.node)
            {
                text = text.edited(&replaces(&edit.edits)).ok()?;
            }
        }
        Some(Self {
            base: text,
            records,
        })
    }
}

fn make(
    head: &Head,
    source: &Target,
    path: &Path,
    given_up: &AtomicBool,
) -> Result<Made, WriteError> {
    let file = create(path)?;
    let mut to = BufWriter::new(&file);
    let begin = head.write(source, &mut to)?;
    to.flush()?;
    drop(to);
    let mut copied = head.mark.offset;
    loop {
        let written = source.written.load(Ordering::Acquire);
        let at = begin + (copied - head.mark.offset);
        copy(&source.file, copied..written, &file, at, 0)?;
        copied = written;
        file.sync_data()?;
        // Its buffer is closed, or the loop no longer wants it.
        let unwanted = given_up.load(Ordering::Acquire);
        if unwanted || source.written.load(Ordering::Acquire) - copied <= LAST_PART {
            break;
        }
    }
    if given_up.load(Ordering::Acquire) {
        // Where this fails, the next session removes it.
        let _ = std::fs::remove_file(path);
    }
    Ok(Made {
        file,
        begin,
        copied,
    })
}

/// Copies whole records to `at` of another file, which is durable up to `synced`; where they end.
fn copy(
    from: &File,
    range: std::ops::Range<u64>,
    to: &File,
    mut at: u64,
    synced: u64,
) -> Result<u64, WriteError> {
    let mut next = range.start;
    let mut part = Vec::new();
    while next < range.end {
        let mut len = PART.min(range.end - next);
        let (used, frames) = loop {
            part.resize(usize::try_from(len).unwrap_or(usize::MAX), 0);
            from.read_exact_at(&mut part, next)?;
            let (used, frames) = framed::moved(&part, at, at - synced);
            if used > 0 || len == range.end - next {
                break (used as u64, frames);
            }
            // One record is longer than the part.
            len = (len * 2).min(range.end - next);
        };
        if used == 0 {
            return Err(WriteError::Io(std::io::ErrorKind::InvalidData.into()));
        }
        to.write_all_at(&frames, at)?;
        at += frames.len() as u64;
        next += used;
    }
    Ok(at)
}
