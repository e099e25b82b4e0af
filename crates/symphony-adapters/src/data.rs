//! [`DataPort`] over files: `<folder>/<collection>/<key>.json`, one a record.
//!
//! A record is written whole, atomically and durably, so a reader sees the old
//! one or the new. Writers of one record wait for each other: within the
//! process by a lock per record, across processes by a lock file.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs::{File, OpenOptions, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use sy_commons::{
    Categorized, ErrorCategory,
    fs::{FsError, ensure_dir, read_bytes, sync_dir, write_atomic},
};
use symphony_core_ports::{
    Collection, DataPort, Expected, PortError, PortResult, Record, RecordKey,
};

/// The layout of a record's file.
const FORMAT: u32 = 1;
/// Leaves room for `.json` in the shortest limit on file names (255 bytes).
const MAX_NAME: usize = 200;
/// How long another process may hold the lock.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// Locks within the process; records that share one only wait for each other.
const SHARDS: usize = 64;

/// Records in files of a folder.
#[derive(Clone)]
pub struct LocalDataAdapter {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    shards: [Mutex<()>; SHARDS],
}

#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    version: u64,
    value: Value,
}

impl LocalDataAdapter {
    /// Records in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> PortResult<Self> {
        let folder = folder.into();
        ensure_dir(&folder).map_err(file_error)?;
        Ok(Self {
            inner: Arc::new(Inner {
                folder,
                shards: std::array::from_fn(|_| Mutex::new(())),
            }),
        })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> PortResult<T> + Send + 'static,
    ) -> PortResult<T> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .map_err(|stopped| PortError::failed_because("the record was not reached", stopped))?
    }
}

impl Inner {
    fn collection(&self, collection: &Collection) -> PortResult<PathBuf> {
        let name = collection.as_str();
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(fits) {
            return Err(PortError::invalid(
                format!("collection `{name}`"),
                "lower-case letters, digits and `-` are allowed",
            ));
        }
        Ok(self.folder.join(name))
    }

    fn path(&self, collection: &Collection, key: &RecordKey) -> PortResult<PathBuf> {
        let name = key.as_str();
        if !is_key(name) {
            return Err(PortError::invalid(
                format!("record key `{name}`"),
                "letters, digits, `-`, `_` and `.` are allowed, no dot first, at most 200",
            ));
        }
        Ok(self.collection(collection)?.join(format!("{name}.json")))
    }

    /// Runs `change` while nobody else, here or in another process, writes this record.
    fn alone<T>(&self, path: &Path, change: impl FnOnce() -> PortResult<T>) -> PortResult<T> {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        #[expect(clippy::cast_possible_truncation, reason = "any part of a hash does")]
        let shard = hasher.finish() as usize % SHARDS;
        let _alone_here = self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let _alone_everywhere = lock_file(&self.folder.join(".lock"))?;
        change()
    }

    fn put(&self, path: &Path, value: Value, expected: Expected) -> PortResult<u64> {
        self.alone(path, || {
            // A damaged record may be overwritten, not passed over.
            let present = match read(path) {
                Err(_) if expected == Expected::Any => None,
                read => read?.map(|stored| stored.version),
            };
            check(expected, present, path)?;
            let version = present.unwrap_or(0) + 1;
            let stored = Stored {
                format: FORMAT,
                version,
                value,
            };
            let text = serde_json::to_vec(&stored)
                .map_err(|e| PortError::failed_because("the record cannot be written", e))?;
            if let Some(folder) = path.parent() {
                self.ensure_collection(folder)?;
            }
            write_atomic(path, &text).map_err(file_error)?;
            Ok(version)
        })
    }

    /// Makes a collection's folder, durably.
    fn ensure_collection(&self, folder: &Path) -> PortResult<()> {
        if folder.is_dir() {
            return Ok(());
        }
        ensure_dir(folder).map_err(file_error)?;
        sync_dir(&self.folder).map_err(file_error)
    }

    fn list(&self, folder: &Path) -> PortResult<Vec<Record>> {
        let failed = |e| PortError::failed_because(format!("cannot list {}", folder.display()), e);
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed(e)),
        };
        let mut records = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let Some(key) = name.to_str().and_then(|name| name.strip_suffix(".json")) else {
                continue;
            };
            // What is no key of ours is no record of ours: a temporary file, say.
            if !is_key(key) {
                continue;
            }
            // One removed since is simply not there.
            if let Some(stored) = read(&folder.join(&name))? {
                records.push(stored.named(key));
            }
        }
        records.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(records)
    }

    fn delete(&self, path: &Path, expected: Expected) -> PortResult<()> {
        self.alone(path, || {
            if expected != Expected::Any {
                let present = read(path)?.map(|stored| stored.version);
                check(expected, present, path)?;
            }
            match std::fs::remove_file(path) {
                Ok(()) => path
                    .parent()
                    .map_or(Ok(()), |folder| sync_dir(folder).map_err(file_error)),
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
                Err(e) => Err(PortError::failed_because(
                    format!("cannot remove {}", path.display()),
                    e,
                )),
            }
        })
    }
}

impl Stored {
    fn named(self, key: &str) -> Record {
        Record {
            key: RecordKey::new(key),
            version: self.version,
            value: self.value,
        }
    }
}

/// Whether a text can name a record.
pub(crate) fn is_key(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= MAX_NAME && !name.starts_with('.') && name.bytes().all(fits)
}

fn read(path: &Path) -> PortResult<Option<Stored>> {
    let bytes = match read_bytes(path) {
        Ok(bytes) => bytes,
        Err(e) if e.is_not_found() => return Ok(None),
        Err(e) => return Err(file_error(e)),
    };
    let damaged = || format!("record {} is damaged", path.display());
    let stored: Stored =
        serde_json::from_slice(&bytes).map_err(|e| PortError::failed_because(damaged(), e))?;
    if stored.format != FORMAT || stored.version == 0 {
        return Err(PortError::failed(format!(
            "{}: format {}, version {}; this program reads format {FORMAT}",
            damaged(),
            stored.format,
            stored.version
        )));
    }
    Ok(Some(stored))
}

fn check(expected: Expected, present: Option<u64>, path: &Path) -> PortResult<()> {
    let holds = match expected {
        Expected::Any => true,
        Expected::Absent => present.is_none(),
        Expected::Version(version) => present == Some(version),
    };
    if holds {
        return Ok(());
    }
    let there = present.map_or("no record".to_owned(), |v| format!("version {v}"));
    let wanted = match expected {
        Expected::Version(version) => format!("version {version}"),
        Expected::Absent | Expected::Any => "no record".to_owned(),
    };
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Err(PortError::Conflict {
        details: format!("record {name}: {wanted} was expected, {there} is there"),
        ranges: Vec::new(),
    })
}

/// Locks a file against other processes until the answer is dropped.
fn lock_file(path: &Path) -> PortResult<File> {
    let failed = |e| PortError::failed_because(format!("cannot lock {}", path.display()), e);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(failed)?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(e)) => return Err(failed(e)),
            Err(TryLockError::WouldBlock) if start.elapsed() > LOCK_WAIT => {
                return Err(PortError::Timeout {
                    operation: format!("waiting for the lock {}", path.display()),
                    duration: LOCK_WAIT,
                });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn file_error(error: FsError) -> PortError {
    use sy_commons::fs::FsReason;
    let full = matches!(
        error.reason(),
        FsReason::Io(e) if matches!(
            e.kind(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
        )
    );
    if full {
        return PortError::Exhausted {
            resource: "the disk".to_owned(),
            details: format!("{error}: {}", error.reason()),
            retry_after: None,
        };
    }
    if error.category() == ErrorCategory::Denied {
        return PortError::PermissionDenied {
            operation: format!("{error}: {}", error.reason()),
        };
    }
    PortError::failed_because(error.to_string(), error)
}

#[async_trait]
impl DataPort for LocalDataAdapter {
    async fn get(&self, collection: &Collection, key: &RecordKey) -> PortResult<Option<Record>> {
        let path = self.inner.path(collection, key)?;
        let key = key.clone();
        self.blocking(move |_| Ok(read(&path)?.map(|stored| stored.named(key.as_str()))))
            .await
    }

    async fn put(
        &self,
        collection: &Collection,
        key: &RecordKey,
        value: Value,
        expected: Expected,
    ) -> PortResult<u64> {
        let path = self.inner.path(collection, key)?;
        self.blocking(move |inner| inner.put(&path, value, expected))
            .await
    }

    async fn list(&self, collection: &Collection) -> PortResult<Vec<Record>> {
        let folder = self.inner.collection(collection)?;
        self.blocking(move |inner| inner.list(&folder)).await
    }

    async fn delete(
        &self,
        collection: &Collection,
        key: &RecordKey,
        expected: Expected,
    ) -> PortResult<()> {
        let path = self.inner.path(collection, key)?;
        self.blocking(move |inner| inner.delete(&path, expected))
            .await
    }
}
