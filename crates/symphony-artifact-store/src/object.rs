//! Large objects: a file each, `objects/ab/cdef…`.

use crate::{
    error::StoreError,
    record::{Codec, Hash},
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};
use sy_commons::{
    framed::{HEADER_LEN, check_header, header},
    fs::{ensure_dir, sync_dir},
};

const MAGIC: [u8; 8] = *b"symobj\r\n";
const VERSION: u32 = 1;
/// The header, the codec and the artifact's length.
const LEAD: usize = HEADER_LEN + 1 + 8;

/// The files of large objects.
pub(crate) struct Objects {
    folder: PathBuf,
    temporary: PathBuf,
    next: AtomicU64,
}

impl Objects {
    /// Opens the folders, and removes what a crash left half written.
    pub(crate) fn open(store: &Path) -> Result<Self, StoreError> {
        let folder = store.join("objects");
        let temporary = store.join("tmp");
        ensure_dir(&folder)?;
        ensure_dir(&temporary)?;
        let entries = std::fs::read_dir(&temporary).map_err(|e| StoreError::io(&temporary, e))?;
        for entry in entries.flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
        Ok(Self {
            folder,
            temporary,
            next: AtomicU64::new(0),
        })
    }

    pub(crate) fn path(&self, hash: &Hash) -> PathBuf {
        let hex = blake3::Hash::from_bytes(*hash).to_hex();
        self.folder.join(&hex[..2]).join(&hex[2..])
    }

    /// Writes an object's file, whole or not at all; synced if it is to be durable.
    pub(crate) fn write(
        &self,
        hash: &Hash,
        codec: Codec,
        size: u64,
        stored: &[u8],
        durable: bool,
    ) -> Result<(), StoreError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let temporary = self.temporary.join(number.to_string());
        let path = self.path(hash);
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&temporary)?;
            file.write_all(&header(MAGIC, VERSION))?;
            file.write_all(&[codec as u8])?;
            file.write_all(&size.to_le_bytes())?;
            file.write_all(stored)?;
            if durable {
                file.sync_all()?;
            }
            Ok(())
        };
        let written = write()
            .map_err(|e| StoreError::io(&path, e))
            .and_then(|()| self.adopt(&temporary, &path, durable));
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        written
    }

    fn adopt(&self, temporary: &Path, path: &Path, durable: bool) -> Result<(), StoreError> {
        let parent = path.parent().unwrap_or(&self.folder);
        if !parent.is_dir() {
            ensure_dir(parent)?;
            sync_dir(&self.folder)?;
        }
        std::fs::rename(temporary, path).map_err(|e| StoreError::io(path, e))?;
        if durable {
            sync_dir(parent)?;
        }
        Ok(())
    }

    /// Makes a file durable that was written without a sync.
    pub(crate) fn sync(&self, hash: &Hash) -> Result<(), StoreError> {
        let path = self.path(hash);
        File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(|e| StoreError::io(&path, e))?;
        sync_dir(path.parent().unwrap_or(&self.folder))?;
        Ok(())
    }

    /// Whether the file is there, in its whole length.
    pub(crate) fn is_whole(&self, hash: &Hash, stored: u64) -> bool {
        std::fs::metadata(self.path(hash))
            .is_ok_and(|meta| meta.is_file() && meta.len() == stored + LEAD as u64)
    }

    /// The stored bytes.
    pub(crate) fn read(&self, hash: &Hash) -> Result<Vec<u8>, StoreError> {
        let path = self.path(hash);
        let failed = |e| StoreError::io(&path, e);
        let mut file = File::open(&path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut lead = [0; LEAD];
        file.read_exact(&mut lead).map_err(failed)?;
        check_header(&lead, MAGIC, VERSION).map_err(|source| StoreError::Header {
            path: path.clone(),
            source,
        })?;
        let room = length.saturating_sub(LEAD as u64);
        let mut stored = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        file.read_to_end(&mut stored).map_err(failed)?;
        Ok(stored)
    }
}
