//! Reading a log back.

use crate::{
    entry::{self, EntryError},
    error::DagError,
};
use serde::de::DeserializeOwned;
use std::{
    fs::OpenOptions,
    io::ErrorKind,
    path::{Path, PathBuf},
};
use sy_commons::framed::{Frames, HEADER_LEN, HeaderError, Piece, check_header};

pub(crate) const RUN_MAGIC: [u8; 8] = *b"symrun\r\n";
pub(crate) const CACHE_MAGIC: [u8; 8] = *b"symcac\r\n";
/// The layout of both logs' files.
pub(crate) const VERSION: u32 = 1;

/// What a log says.
pub(crate) struct Log<T> {
    pub(crate) entries: Vec<T>,
    /// The first place that cannot be read, although it had been synced.
    pub(crate) damage: Option<DagError>,
}

/// Reads a log and cuts off what a crash left half written. `None`: there is
/// none, or it ends within its header.
pub(crate) fn read<T: DeserializeOwned>(
    path: &Path,
    magic: [u8; 8],
) -> Result<Option<Log<T>>, DagError> {
    let file = match std::fs::read(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(DagError::io(path, e)),
    };
    match check_header(&file, magic, VERSION) {
        Ok(_) => {}
        Err(HeaderError::Torn) => return Ok(None),
        // Zeros are what a crash leaves of a header that was never synced.
        Err(HeaderError::NotOurs) if file.iter().all(|b| *b == 0) => return Ok(None),
        Err(source) => {
            let path = PathBuf::from(path);
            return Err(DagError::Header { path, source });
        }
    }
    let mut log = Log {
        entries: Vec::new(),
        damage: None,
    };
    for piece in Frames::new(&file, HEADER_LEN) {
        match piece {
            Piece::Record { payload } => {
                let offset = payload.start;
                match entry::decode(&file[payload]) {
                    Ok(entry) => log.entries.push(entry),
                    Err(why) => log.damaged(path, offset, &why),
                }
            }
            Piece::Damaged { place } => {
                log.note(
                    path,
                    place.start,
                    format!("{} bytes are no record", place.len()),
                );
            }
            Piece::Torn { offset } => cut(path, offset, file.len())?,
        }
    }
    Ok(Some(log))
}

impl<T> Log<T> {
    fn damaged(&mut self, path: &Path, offset: usize, why: &EntryError) {
        self.note(path, offset, why.to_string());
    }

    fn note(&mut self, path: &Path, offset: usize, why: String) {
        if self.damage.is_none() {
            let path = path.to_owned();
            self.damage = Some(DagError::Damaged { path, offset, why });
        }
    }
}

fn cut(path: &Path, end: usize, length: usize) -> Result<(), DagError> {
    tracing::info!(
        log = %path.display(),
        bytes = length - end,
        "cut off what a crash left half written"
    );
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| {
            file.set_len(end as u64)?;
            file.sync_data()
        })
        .map_err(|e| DagError::io(path, e))
}
