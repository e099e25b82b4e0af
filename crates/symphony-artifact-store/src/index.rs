//! Where everything is: a redb table, and what is newer than it in memory.
//!
//! The table is committed now and then, together with the position up to which
//! it covers the segments. What lies behind that position is in memory, and is
//! read from the segments again after a crash.

use crate::{
    error::StoreError,
    read,
    record::{Codec, Hash, Info},
    segment::Position,
    write,
};
use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition, TableError};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

const ENTRIES: TableDefinition<'_, [u8; 32], &[u8]> = TableDefinition::new("entries");
const COVERED: TableDefinition<'_, &str, (u32, u64)> = TableDefinition::new("covered");
/// Leads every entry. Another version: the index is built anew.
const VERSION: u8 = 1;
/// The table's own cache; the system's holds the rest.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

/// Where an artifact's stored bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    Segment {
        number: u32,
        offset: u64,
    },
    /// A file of its own.
    Object {
        /// Whether it is known to be on disk.
        synced: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) codec: Codec,
    pub(crate) size: u64,
    pub(crate) stored: u64,
    pub(crate) info: Info,
}

/// An entry not in the table yet.
#[derive(Clone)]
struct Newer {
    /// `None`: it is to be taken out.
    entry: Option<Entry>,
    /// Up to where the segments must be synced before it may go into the table.
    needs: Position,
}

pub(crate) struct Index {
    path: PathBuf,
    /// `None` after it failed; the next commit opens it again.
    table: RwLock<Option<Database>>,
    newer: RwLock<BTreeMap<Hash, Newer>>,
    newer_count: AtomicUsize,
}

impl Index {
    /// Opens the index, and says up to where it covers the segments. One that
    /// cannot be used is removed: it is derived from the segments.
    pub(crate) fn open(store: &Path) -> Result<(Self, Position), StoreError> {
        let path = store.join("index.redb");
        let mut opened = open_table(&path).and_then(|table| {
            let covered = covered(&table)?;
            Ok((table, covered))
        });
        if let Err(error) = &opened
            && path.exists()
        {
            tracing::warn!(%error, "the artifact index cannot be used and is built anew");
            std::fs::remove_file(&path).map_err(|e| StoreError::io(&path, e))?;
            opened = open_table(&path).map(|table| (table, None));
        }
        let (table, covered) = opened?;
        let index = Self {
            path,
            table: RwLock::new(Some(table)),
            newer: RwLock::default(),
            newer_count: AtomicUsize::new(0),
        };
        Ok((index, covered.unwrap_or_default()))
    }

    /// Empties the index, to be built anew.
    pub(crate) fn clear(&self) -> Result<(), StoreError> {
        let mut table = write(&self.table);
        *table = None;
        std::fs::remove_file(&self.path).map_err(|e| StoreError::io(&self.path, e))?;
        *table = Some(open_table(&self.path)?);
        Ok(())
    }

    pub(crate) fn get(&self, hash: &Hash) -> Result<Option<Entry>, StoreError> {
        if let Some(newer) = read(&self.newer).get(hash) {
            return Ok(newer.entry.clone());
        }
        // An entry goes into the table before it leaves memory: it is always in one of them.
        self.with_table(|table| {
            let entries = match table.begin_read()?.open_table(ENTRIES) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(None),
                entries => entries?,
            };
            Ok(entries.get(hash)?.and_then(|value| decode(value.value())))
        })
    }

    /// Entries from `first` to `last`, at most `limit`, in order.
    pub(crate) fn range(
        &self,
        first: Hash,
        last: Hash,
        limit: usize,
    ) -> Result<Vec<(Hash, Entry)>, StoreError> {
        // Both are looked at under one lock, so that nothing moves in between.
        let newer = read(&self.newer);
        let mut found: BTreeMap<Hash, Entry> = BTreeMap::new();
        let hidden = newer.range(first..=last).count();
        self.with_table(|table| {
            let entries = match table.begin_read()?.open_table(ENTRIES) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(()),
                entries => entries?,
            };
            // Some of these may be taken out by what is newer.
            for item in entries
                .range(first..=last)?
                .take(limit.saturating_add(hidden))
            {
                let (hash, value) = item?;
                if let Some(entry) = decode(value.value()) {
                    found.insert(hash.value(), entry);
                }
            }
            Ok(())
        })?;
        for (hash, newer) in newer.range(first..=last) {
            match &newer.entry {
                Some(entry) => found.insert(*hash, entry.clone()),
                None => found.remove(hash),
            };
        }
        Ok(found.into_iter().take(limit).collect())
    }

    /// Notes an entry; `None` takes one out.
    pub(crate) fn note(&self, hash: Hash, entry: Option<Entry>, needs: Position) {
        let mut newer = write(&self.newer);
        newer.insert(hash, Newer { entry, needs });
        self.newer_count.store(newer.len(), Ordering::Relaxed);
    }

    /// How many entries wait for a commit.
    pub(crate) fn waiting(&self) -> usize {
        self.newer_count.load(Ordering::Relaxed)
    }

    /// How many artifacts are known, roughly while some wait for a commit.
    pub(crate) fn count(&self) -> Result<u64, StoreError> {
        let waiting = self.waiting() as u64;
        self.with_table(|table| match table.begin_read()?.open_table(ENTRIES) {
            Err(TableError::TableDoesNotExist(_)) => Ok(waiting),
            entries => Ok(entries?.len()? + waiting),
        })
    }

    /// Commits what is covered by segments synced up to `synced`.
    pub(crate) fn commit(&self, synced: Position) -> Result<(), StoreError> {
        self.reopen()?;
        let ready: Vec<(Hash, Newer)> = read(&self.newer)
            .iter()
            .filter(|(_, newer)| newer.needs <= synced)
            .map(|(hash, newer)| (*hash, newer.clone()))
            .collect();
        let committed = self.with_table(|table| {
            let transaction = table.begin_write()?;
            {
                let mut entries = transaction.open_table(ENTRIES)?;
                for (hash, newer) in &ready {
                    match &newer.entry {
                        Some(entry) => entries.insert(hash, encode(entry).as_slice())?,
                        None => entries.remove(hash)?,
                    };
                }
                let mut covered = transaction.open_table(COVERED)?;
                covered.insert("segments", (synced.segment, synced.offset))?;
            }
            Ok(transaction.commit()?)
        });
        if let Err(error) = committed {
            // After a failed write the table refuses everything until it is opened again.
            *write(&self.table) = None;
            let _ = self.reopen();
            return Err(error);
        }
        let mut newer = write(&self.newer);
        for (hash, done) in ready {
            // One noted again meanwhile has another need, or waits for the next commit.
            if newer
                .get(&hash)
                .is_some_and(|n| n.needs == done.needs && n.entry == done.entry)
            {
                newer.remove(&hash);
            }
        }
        self.newer_count.store(newer.len(), Ordering::Relaxed);
        Ok(())
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut table = write(&self.table);
        if table.is_none() {
            *table = Some(open_table(&self.path)?);
        }
        Ok(())
    }

    fn with_table<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        match read(&self.table).as_ref() {
            Some(table) => work(table).map_err(StoreError::index),
            None => Err(StoreError::index(redb::Error::PreviousIo)),
        }
    }
}

fn open_table(path: &Path) -> Result<Database, StoreError> {
    Database::builder()
        .set_cache_size(CACHE_BYTES)
        .create(path)
        .map_err(StoreError::index)
}

fn covered(table: &Database) -> Result<Option<Position>, StoreError> {
    let read = || -> Result<Option<Position>, redb::Error> {
        let table = match table.begin_read()?.open_table(COVERED) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            table => table?,
        };
        Ok(table.get("segments")?.map(|value| {
            let (segment, offset) = value.value();
            Position { segment, offset }
        }))
    };
    read().map_err(StoreError::index)
}

fn encode(entry: &Entry) -> Vec<u8> {
    // Into memory, of types that postcard knows: this cannot fail.
    postcard::to_extend(entry, vec![VERSION]).unwrap_or_default()
}

fn decode(value: &[u8]) -> Option<Entry> {
    match value {
        [VERSION, entry @ ..] => postcard::from_bytes(entry).ok(),
        _ => None,
    }
}
