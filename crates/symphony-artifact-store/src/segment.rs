//! Segments: append-only files of records, `segments/00000001.seg`.

use crate::{error::StoreError, read, write};
use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};
use sy_commons::{
    framed::{HEADER_LEN, header},
    fs::{ensure_dir, sync_dir},
};

pub(crate) const MAGIC: [u8; 8] = *b"symseg\r\n";
pub(crate) const VERSION: u32 = 1;
/// A segment of this length is followed by the next one.
pub(crate) const FULL: u64 = 64 * 1024 * 1024;
/// Segments kept open for reading.
const OPEN: usize = 128;

/// A place in the sequence of all segments; the end of what lies before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
}

/// The folder of segments, and those open for reading.
pub(crate) struct Segments {
    folder: PathBuf,
    open: RwLock<HashMap<u32, Arc<File>>>,
}

/// The segment that is written.
pub(crate) struct Active {
    pub(crate) number: u32,
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<File>,
    pub(crate) end: u64,
}

impl Segments {
    pub(crate) fn open(store: &Path) -> Result<Self, StoreError> {
        let folder = store.join("segments");
        ensure_dir(&folder)?;
        Ok(Self {
            folder,
            open: RwLock::default(),
        })
    }

    pub(crate) fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:08}.seg"))
    }

    /// The numbers of all segments, in order.
    pub(crate) fn numbers(&self) -> Result<Vec<u32>, StoreError> {
        let failed = |e| StoreError::io(&self.folder, e);
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let number: Option<u32> = name
                .to_str()
                .and_then(|name| name.strip_suffix(".seg")?.parse().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Makes an empty segment, durably.
    pub(crate) fn create(&self, number: u32) -> Result<Active, StoreError> {
        let path = self.path(number);
        let make = || -> io::Result<File> {
            let file = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .open(&path)?;
            write_at(&file, &header(MAGIC, VERSION), 0)?;
            file.sync_all()?;
            Ok(file)
        };
        let file = make().map_err(|e| StoreError::io(&path, e))?;
        sync_dir(&self.folder)?;
        Ok(Active {
            number,
            path,
            file: Arc::new(file),
            end: HEADER_LEN as u64,
        })
    }

    /// Goes on with a segment whose good part ends at `end`. What follows is
    /// cut off, and what was not synced yet is.
    pub(crate) fn go_on(&self, number: u32, end: u64) -> Result<Active, StoreError> {
        let path = self.path(number);
        let reopen = || -> io::Result<File> {
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(end)?;
            file.sync_data()?;
            Ok(file)
        };
        let file = reopen().map_err(|e| StoreError::io(&path, e))?;
        Ok(Active {
            number,
            path,
            file: Arc::new(file),
            end,
        })
    }

    /// Reads `length` bytes at a place.
    pub(crate) fn read(
        &self,
        number: u32,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, StoreError> {
        let failed = |e| StoreError::io(self.path(number), e);
        let file = self.file(number).map_err(failed)?;
        let length = usize::try_from(length)
            .map_err(|_| failed(io::Error::from(io::ErrorKind::OutOfMemory)))?;
        let mut bytes = vec![0; length];
        read_at(&file, &mut bytes, offset).map_err(failed)?;
        Ok(bytes)
    }

    fn file(&self, number: u32) -> io::Result<Arc<File>> {
        if let Some(file) = read(&self.open).get(&number) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(File::open(self.path(number))?);
        let mut open = write(&self.open);
        if open.len() >= OPEN {
            open.clear();
        }
        open.insert(number, Arc::clone(&file));
        Ok(file)
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            count => {
                bytes = &mut bytes[count..];
                offset += count as u64;
            }
        }
    }
    Ok(())
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, offset)? {
            0 => return Err(io::Error::from(io::ErrorKind::WriteZero)),
            count => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
        }
    }
    Ok(())
}

impl Active {
    /// Appends bytes: all of them, or nothing.
    ///
    /// # Errors
    /// The system's; `Err(true)` beside it when half of them could not be taken back.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), (StoreError, bool)> {
        if let Err(error) = write_at(&self.file, bytes, self.end) {
            // Half a batch must not stand before the next one.
            let stuck = self.file.set_len(self.end).is_err();
            return Err((StoreError::io(&self.path, error), stuck));
        }
        self.end += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn position(&self) -> Position {
        Position {
            segment: self.number,
            offset: self.end,
        }
    }
}
