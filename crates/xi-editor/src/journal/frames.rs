//! Frames in the making, and how a journal begins.

use super::ondisk::OnDisk;
use super::record::{self, Began, Holds, Record};
use super::{JournalError, Whole};
use crate::engine::{Root, Text};
use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use sy_commons::framed;
use symphony_ipc_protocol::xi::{BufferKey, RevisionNumber};

/// A base text is written in pieces of at most so many bytes.
pub(super) const PIECE: usize = 256 * 1024;

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Record(#[from] record::RecordError),
}

impl WriteError {
    pub(super) fn at(self, path: &Path) -> JournalError {
        match self {
            Self::Io(source) => JournalError::Io {
                path: path.to_owned(),
                source,
            },
            Self::Record(error) => JournalError::Record(error),
        }
    }
}

/// Frames in the making.
pub(super) struct Frames {
    pub bytes: Vec<u8>,
    /// The offset that they begin at.
    pub begin: u64,
    /// Up to there the file is durable.
    pub synced: u64,
    /// Room for a record.
    pub payload: Vec<u8>,
}

impl Frames {
    /// Those of a new file.
    pub(super) fn of_new_file() -> Self {
        Self {
            bytes: framed::header(record::MAGIC, record::FILE_VERSION).to_vec(),
            begin: 0,
            synced: 0,
            payload: Vec::new(),
        }
    }

    pub(super) fn end(&self) -> u64 {
        self.begin + self.bytes.len() as u64
    }

    pub(super) fn add(&mut self, record: &Record<'_>) -> Result<(), record::RecordError> {
        self.add_part(record, false)
    }

    /// Adds a record; `more`: the next one belongs to the same request.
    pub(super) fn add_part(
        &mut self,
        record: &Record<'_>,
        more: bool,
    ) -> Result<(), record::RecordError> {
        record.encode(&mut self.payload, more)?;
        let at = self.end();
        framed::push_frame(&mut self.bytes, at, at - self.synced, &self.payload)?;
        Ok(())
    }

    /// Adds a record that is bytes already.
    pub(super) fn add_bytes(&mut self, payload: &[u8]) -> Result<(), record::RecordError> {
        let at = self.end();
        framed::push_frame(&mut self.bytes, at, at - self.synced, payload)?;
        Ok(())
    }

    /// Gives away what there is when it is much.
    pub(super) fn flush(&mut self, to: &mut impl Write, from: usize) -> Result<(), WriteError> {
        if self.bytes.len() >= from {
            to.write_all(&self.bytes)?;
            self.begin = self.end();
            self.bytes.clear();
        }
        Ok(())
    }

    /// Adds a text in pieces.
    pub(super) fn add_text(&mut self, text: &Text, to: &mut impl Write) -> Result<(), WriteError> {
        let mut piece = String::with_capacity(PIECE.min(text.len()));
        for chunk in text.chunks() {
            if piece.len() + chunk.len() > PIECE {
                self.add(&Record::Text(Cow::Borrowed(&piece)))?;
                piece.clear();
                self.flush(to, PIECE)?;
            }
            piece.push_str(chunk);
        }
        if !piece.is_empty() {
            self.add(&Record::Text(Cow::Borrowed(&piece)))?;
        }
        Ok(())
    }

    /// Adds what there is besides text and undo groups.
    pub(super) fn add_notes(&mut self, whole: &Whole) -> Result<(), WriteError> {
        for note in &whole.notes {
            self.add(&Record::Note(note.clone()))?;
        }
        Ok(())
    }
}

/// How a journal begins.
pub(super) struct Beginning<'a> {
    pub key: BufferKey,
    pub opened: u64,
    pub text: &'a Text,
    pub revision: RevisionNumber,
    pub root: Root,
    /// Whether the text goes into the journal; else it is the file's.
    pub held: bool,
    pub on_disk: &'a OnDisk,
}

impl Beginning<'_> {
    /// Adds all of it; what the file holds is as `holds` says.
    pub(super) fn add(
        self,
        frames: &mut Frames,
        holds: Holds<'_>,
        to: &mut impl Write,
    ) -> Result<(), WriteError> {
        frames.add(&Record::Began(Began {
            key: self.key,
            opened: self.opened,
            revision: self.revision,
            root: self.root,
            len: self.text.len() as u64,
            disk: self.on_disk.record(holds),
        }))?;
        if self.held {
            frames.add_text(self.text, to)?;
        }
        Ok(())
    }
}

/// Writes a buffer as it is now, its undo groups left out; where that ends.
pub(super) fn write_whole(
    key: BufferKey,
    opened: u64,
    whole: &Whole,
    held: bool,
    to: &mut impl Write,
) -> Result<u64, WriteError> {
    let standing = &whole.standing;
    let root = if standing.branches.is_empty() {
        standing.root.clone()
    } else {
        Root {
            node: standing.current,
            state: whole.state,
            ..Root::default()
        }
    };
    let mut edits = Vec::new();
    let holds = whole.on_disk.beside(&whole.text, whole.state, &mut edits);
    let beginning = Beginning {
        key,
        opened,
        text: &whole.text,
        revision: standing.revision,
        root,
        held,
        on_disk: &whole.on_disk,
    };
    let mut frames = Frames::of_new_file();
    beginning.add(&mut frames, holds, to)?;
    frames.add_notes(whole)?;
    frames.flush(to, 0)?;
    Ok(frames.end())
}

/// A new file that only the owner may read.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)
}
