//! Reading a journal back: the same key, revisions, text, undo and views.

use super::live::Trail;
use super::note::Note;
use super::ondisk::OnDisk;
use super::record::{self, Began, Disk, Record, RecordError};
use crate::engine::{Buffer, EditError, Op, Text, TextBuilder};
use crate::file::{self, FileError, Fingerprint};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use sy_commons::framed::{self, Frames, HEADER_LEN, HeaderError, Piece};
use symphony_ipc_protocol::xi::{BufferKey, ChangeKind, RecentChange, Replace};

/// So many of the newest changes are told to the client, if they have no more
/// than [`RECENT_BYTES`].
const RECENT: usize = 64;
/// See [`RECENT`].
const RECENT_BYTES: usize = 64 * 1024;

/// What stands beside a text, and follows its changes.
pub(crate) trait Follows: Default {
    /// A change is about to be made.
    fn before(&mut self, now: &Buffer);

    /// It was made.
    fn changed(&mut self, edits: &[Replace], now: &Buffer);

    /// What was noted then.
    fn note(&mut self, note: Note, now: &Buffer, file: &Text);
}

/// A journal's buffer.
pub(crate) struct Loaded<F> {
    pub key: BufferKey,
    /// When it was opened, to order buffers by.
    pub opened: u64,
    pub buffer: Buffer,
    pub on_disk: OnDisk,
    pub follows: F,
    /// The newest changes, oldest first.
    pub recent: Vec<RecentChange>,
    /// To go on with the journal; `None` when the text is another than it says:
    /// the buffer was clean, and its file changed meanwhile.
    pub trail: Option<Trail>,
}

/// Why a journal cannot be restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// It was just being made: nothing in it was acknowledged.
    #[error("the journal was only just begun")]
    NotBegun,
    /// Its beginning is not whole: that was never durable.
    #[error("the beginning of the journal is not whole")]
    Incomplete,
    /// It cannot be read.
    #[error("the journal cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is no journal, or a newer program's.
    #[error("no journal for this program: {0}")]
    Header(#[from] HeaderError),
    /// A record is not understood.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Bytes that had been durable are not what was written.
    #[error("the journal is damaged at byte {0}")]
    Damaged(usize),
    /// Its base text was only in its file.
    #[error("its text was only in its file, which cannot be read: {0}")]
    File(#[from] FileError),
    /// As before, and nothing had been changed.
    #[error("it had no unsaved text, and its file cannot be read: {0}")]
    NothingUnsaved(#[source] FileError),
    /// Its text was only in its file, and the file is another now.
    #[error("its text was only in its file, which changed")]
    FileChanged,
    /// A record does not fit what came before it.
    #[error("a change does not fit the text")]
    Edit(#[from] EditError),
    /// As before.
    #[error("making the changes again led to something else")]
    Mismatch,
}

/// What could be read of a journal that cannot be restored.
#[derive(Debug)]
pub(crate) struct NotLoaded {
    pub error: LoadError,
    /// Its file's path.
    pub path: Option<PathBuf>,
    /// The text up to where it could be read.
    pub text: Option<String>,
}

impl<E: Into<LoadError>> From<E> for NotLoaded {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            path: None,
            text: None,
        }
    }
}

/// Reads the journal at `path`; the file of an untouched buffer only up to
/// `max_file_bytes`.
///
/// # Errors
/// [`NotLoaded`].
pub(crate) fn load<F: Follows>(path: &Path, max_file_bytes: u64) -> Result<Loaded<F>, NotLoaded> {
    let bytes = std::fs::read(path).map_err(LoadError::Io)?;
    let read = Read::of(&bytes)?;
    let path = read.began.disk.path.as_deref();
    let path = path.map(|bytes| record::path_of(bytes).to_path_buf());
    let loaded = read.load(max_file_bytes);
    loaded.map_err(|(error, text)| NotLoaded { error, path, text })
}

/// The records of a journal.
pub(super) struct Read<'a> {
    pub(super) began: Began<'a>,
    /// With the place of each payload.
    pub(super) records: Vec<(Range<usize>, Record<'a>)>,
    /// The base text, if the journal has it.
    pub(super) base: Option<Text>,
    /// Where changes begin.
    begun: usize,
    end: usize,
    damaged: Option<usize>,
}

impl<'a> Read<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, LoadError> {
        match framed::check_header(bytes, record::MAGIC, record::FILE_VERSION) {
            Ok(_) => {}
            Err(HeaderError::Torn) => return Err(LoadError::NotBegun),
            Err(error) => return Err(error.into()),
        }
        let (mut began, mut records, mut text) = (None, Vec::new(), TextBuilder::default());
        let (mut end, mut begun, mut damaged) = (HEADER_LEN, HEADER_LEN, None);
        let (mut len, mut part) = (0, Vec::new());
        for piece in Frames::new(bytes, HEADER_LEN) {
            let payload = match piece {
                Piece::Record { payload } => payload,
                Piece::Damaged { place } => {
                    damaged = Some(place.start);
                    break;
                }
                Piece::Torn { offset } => {
                    tracing::info!(offset, "the end of a journal was cut off");
                    break;
                }
            };
            let (record, more) = Record::decode(&bytes[payload.clone()])?;
            part.push((payload, record));
            if more {
                continue;
            }
            for (payload, record) in part.drain(..) {
                end = payload.end;
                match (record, &began) {
                    (Record::Began(first), None) => (began, begun) = (Some(first), end),
                    (_, None) | (Record::Began(_), Some(_)) => return Err(LoadError::Mismatch),
                    (Record::Text(piece), Some(_)) => {
                        text.push(&piece);
                        len += piece.len() as u64;
                        begun = end;
                    }
                    (record, Some(_)) => {
                        if matches!(record, Record::Stand(_)) {
                            begun = end;
                        }
                        records.push((payload, record));
                    }
                }
            }
        }
        let began = began.ok_or(damaged.map_or(LoadError::NotBegun, LoadError::Damaged))?;
        let base = (len == began.len).then(|| text.finish().0);
        Ok(Self {
            began,
            records,
            base,
            begun,
            end,
            damaged,
        })
    }

    /// The buffer; else the text as far as it is known.
    fn load<F: Follows>(&self, limit: u64) -> Result<Loaded<F>, (LoadError, Option<String>)> {
        let base = match &self.base {
            Some(base) => base.clone(),
            None => match self.text_of_file(limit).map_err(|error| (error, None))? {
                (text, None) => text,
                (text, Some(print)) => {
                    let reloaded = self.reloaded(text, print);
                    return reloaded.map_err(|error| (error, None));
                }
            },
        };
        let mut again = self.begin(base.clone()).map_err(|error| (error, None))?;
        match (self.make(&mut again), self.damaged) {
            (Ok(()), None) => {}
            (Err(error), _) => return Err((error, Some(again.text()))),
            (Ok(()), Some(at)) => return Err((LoadError::Damaged(at), Some(again.text()))),
        }
        let trail = Trail {
            key: self.began.key,
            opened: self.began.opened,
            end: self.end as u64,
            begun: self.begun as u64,
            changes: again.changes,
            base: self.base.is_none().then_some(base),
            on_disk: again.on_disk.clone(),
        };
        Ok(self.loaded(again, Some(trail)))
    }

    fn loaded<F>(&self, mut again: Again<F>, trail: Option<Trail>) -> Loaded<F> {
        again.buffer.resumed();
        Loaded {
            key: self.began.key,
            opened: self.began.opened,
            buffer: again.buffer,
            on_disk: again.on_disk,
            follows: again.follows,
            recent: again.recent.into(),
            trail,
        }
    }

    fn disks(&self) -> impl Iterator<Item = &Disk<'a>> {
        let newest_first = self.records.iter().rev();
        let disks = newest_first.filter_map(|(_, record)| match record {
            Record::Disk(disk) => Some(disk),
            _ => None,
        });
        disks.chain([&self.began.disk])
    }

    /// The base text from its file; with its fingerprint where that is another
    /// text now and nothing was changed here.
    fn text_of_file(&self, limit: u64) -> Result<(Text, Option<Fingerprint>), LoadError> {
        let untouched = self.records.iter().all(|r| r.1.op().is_none());
        let known = |disk: &Disk<'a>| {
            let path = record::path_of(disk.path.as_deref()?);
            let encoding = record::encoding_of(&disk.file_encoding).ok()?;
            Some((path, disk.print.clone()?, encoding))
        };
        let Some((path, print, encoding)) = self.disks().find_map(known) else {
            return Err(LoadError::Incomplete);
        };
        let loaded = match file::read(&path, limit, Some(encoding)) {
            Err(error) if untouched => return Err(LoadError::NothingUnsaved(error)),
            other => other?,
        };
        if loaded.fingerprint.same_bytes(&print) {
            Ok((loaded.text, None))
        } else if untouched {
            Ok((loaded.text, Some(loaded.fingerprint)))
        } else {
            Err(LoadError::FileChanged)
        }
    }

    /// A clean buffer whose file holds another text now, with its views.
    fn reloaded<F: Follows>(&self, text: Text, print: Fingerprint) -> Result<Loaded<F>, LoadError> {
        let began = &self.began;
        let newest = self.disks().next().unwrap_or(&began.disk);
        let buffer = Buffer::resume(text.clone(), began.revision + 1, &began.root);
        let on_disk = OnDisk {
            state: Some(buffer.state()),
            revision: Some(buffer.revision()),
            print: Some(print),
            ..OnDisk::recorded(newest, &text, &text)?
        };
        let mut again = Again::<F>::new(buffer, on_disk);
        for (_, record) in &self.records {
            if let Record::Note(note) = record {
                again
                    .follows
                    .note(note.clone(), &again.buffer, &again.on_disk.text);
            }
        }
        Ok(self.loaded(again, None))
    }

    fn begin<F: Follows>(&self, base: Text) -> Result<Again<F>, LoadError> {
        let began = &self.began;
        let on_disk = OnDisk::recorded(&began.disk, &base, &Text::default())?;
        let buffer = Buffer::resume(base, began.revision, &began.root);
        Ok(Again::new(buffer, on_disk))
    }

    fn make<F: Follows>(&self, again: &mut Again<F>) -> Result<(), LoadError> {
        for (_, record) in &self.records {
            match record {
                Record::Disk(disk) => {
                    let newest = again.buffer.text();
                    again.on_disk = OnDisk::recorded(disk, newest, &again.on_disk.text)?;
                }
                Record::Note(note) => {
                    again
                        .follows
                        .note(note.clone(), &again.buffer, &again.on_disk.text);
                }
                Record::Show(node) => again.buffer.show(*node)?,
                Record::Stand(at) => {
                    again.buffer.stand(at)?;
                    again.changes = 0;
                    again.recent.clear();
                    again.recent_bytes = 0;
                }
                record => {
                    let op = record.op().ok_or(LoadError::Mismatch)?;
                    again.change(op)?;
                }
            }
        }
        Ok(())
    }
}

/// A buffer whose changes are made again.
struct Again<F> {
    buffer: Buffer,
    on_disk: OnDisk,
    follows: F,
    changes: usize,
    recent: VecDeque<RecentChange>,
    recent_bytes: usize,
}

impl<F: Follows> Again<F> {
    fn new(buffer: Buffer, on_disk: OnDisk) -> Self {
        Self {
            buffer,
            on_disk,
            follows: F::default(),
            changes: 0,
            recent: VecDeque::with_capacity(RECENT),
            recent_bytes: 0,
        }
    }

    fn text(&self) -> String {
        String::from(self.buffer.text())
    }

    /// Makes one change again.
    fn change(&mut self, op: Op) -> Result<(), LoadError> {
        self.changes += 1;
        // What is forgotten is no change: the newest edit is still the newest.
        if op != Op::Collected {
            self.follows.before(&self.buffer);
        }
        let applied = self.buffer.again(&op)?;
        if !applied.changed {
            return Ok(());
        }
        self.follows.changed(&applied.edits, &self.buffer);
        match op {
            Op::Edit(op) => self.remember(ChangeKind::Edit, op.edits, op.author),
            Op::Go(op) => self.remember(op.kind, op.edits, String::new()),
            Op::Collected => {}
        }
        Ok(())
    }

    fn remember(&mut self, kind: ChangeKind, edits: Vec<Replace>, author: String) {
        let size = |change: &RecentChange| change.edits.iter().map(|e| e.text.len()).sum::<usize>();
        let change = RecentChange {
            revision: self.buffer.revision(),
            kind,
            edits,
            author,
        };
        self.recent_bytes += size(&change);
        self.recent.push_back(change);
        while self.recent.len() > RECENT || self.recent_bytes > RECENT_BYTES {
            let Some(oldest) = self.recent.pop_front() else {
                break;
            };
            self.recent_bytes -= size(&oldest);
        }
    }
}
