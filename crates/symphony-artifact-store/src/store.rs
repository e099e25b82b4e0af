//! The Artifact Store: prepares, asks the writer, reads and verifies.

use crate::{
    error::StoreError,
    index::{Entry, Index, Place},
    object::Objects,
    record::{self, Codec, Hash, Record},
    recovery::{DamagedPlace, Recovered, recover},
    segment::{Position, Segments},
    writer::{Bytes, Put, Shared, Writer},
};
use async_trait::async_trait;
use std::{
    path::Path,
    sync::{Arc, Mutex, atomic::AtomicBool},
};
use sy_commons::{fs::ensure_dir, owner::OwnerLock};
use symphony_core_ports::{
    Artifact, ArtifactContent, ArtifactId, ArtifactStorage, ArtifactSummary, Durability, PortError,
    PortResult,
};
use tokio::sync::oneshot;

/// What is stored of an object in more bytes than this has a file of its own.
const LARGE: usize = 64 * 1024;
/// Up to this length, hashing and compressing takes no longer than going to another thread.
const INLINE: usize = 16 * 1024;
/// The most bytes an artifact may have.
const MAX_SIZE: u64 = 4 * 1024 * 1024 * 1024;

/// Artifacts in a folder.
pub struct ArtifactStore {
    // Before the lock: the threads must have ended when another may own the folder.
    writer: Writer,
    shared: Arc<Shared>,
    damaged: Vec<DamagedPlace>,
    _owner: OwnerLock,
}

/// How the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// How many artifacts it has, roughly.
    pub artifacts: u64,
    /// What was found damaged when it was opened.
    pub damaged: Vec<DamagedPlace>,
}

/// An artifact ready for the writer.
struct Prepared {
    record: Record,
    bytes: Bytes,
    file_synced: bool,
    repair: bool,
}

impl ArtifactStore {
    /// Opens the store in `folder`, or makes it there. Reads what a crash left
    /// unindexed: at most a few thousand records.
    ///
    /// # Errors
    /// [`StoreError::Owner`] when another process uses it; those of reading its files.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        let folder = folder.as_ref();
        ensure_dir(folder)?;
        let owner = OwnerLock::acquire(folder).map_err(|e| StoreError::Owner(e.into()))?;
        let segments = Segments::open(folder)?;
        let objects = Objects::open(folder)?;
        let (index, covered) = Index::open(folder)?;
        let Recovered { active, damaged } = recover(&index, covered, &segments, &objects)?;
        let shared = Arc::new(Shared {
            index,
            segments,
            objects,
            synced: Mutex::new(active.position()),
            failed: AtomicBool::new(false),
        });
        Ok(Self {
            writer: Writer::start(&shared, active)?,
            shared,
            damaged,
            _owner: owner,
        })
    }

    /// How the store is.
    ///
    /// # Errors
    /// Those of reading the index.
    pub fn status(&self) -> Result<StoreStatus, StoreError> {
        Ok(StoreStatus {
            artifacts: self.shared.index.count()?,
            damaged: self.damaged.clone(),
        })
    }

    async fn store(&self, content: ArtifactContent) -> Result<ArtifactId, StoreError> {
        let durability = content.durability;
        let prepared = if content.bytes.len() <= INLINE {
            prepare_small(content)
        } else {
            let shared = Arc::clone(&self.shared);
            blocking(move || prepare(&shared, content)).await??
        };
        let id = ArtifactId::from_blake3(prepared.record.hash);
        let (answer, answered) = oneshot::channel();
        let put = Put {
            record: prepared.record,
            bytes: prepared.bytes,
            file_synced: prepared.file_synced,
            repair: prepared.repair,
            durability,
            answer,
        };
        self.writer.submit(put).await?;
        answered.await.map_err(|_| StoreError::Closed)??;
        Ok(id)
    }

    async fn retrieve(&self, id: &ArtifactId) -> Result<Artifact, StoreError> {
        let hash = record::hash_of(id).ok_or_else(|| StoreError::Unknown(id.clone()))?;
        let (shared, id) = (Arc::clone(&self.shared), id.clone());
        blocking(move || read_verified(&shared, hash, id)).await?
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| StoreError::Closed)
}

fn record_of(content: &ArtifactContent, hash: Hash, codec: Codec, stored: usize) -> Record {
    Record {
        hash,
        codec,
        size: content.bytes.len() as u64,
        stored: stored as u64,
        in_file: stored > LARGE,
        info: content.about.clone().into(),
    }
}

fn prepare_small(mut content: ArtifactContent) -> Prepared {
    let hash = *blake3::hash(&content.bytes).as_bytes();
    let mut record = record_of(&content, hash, Codec::Plain, content.bytes.len());
    let (codec, stored) = record::pack(std::mem::take(&mut content.bytes));
    record.codec = codec;
    record.stored = stored.len() as u64;
    Prepared {
        record,
        bytes: Bytes::Here(stored),
        file_synced: false,
        repair: false,
    }
}

/// Hashes and compresses, and writes a large object's file.
fn prepare(shared: &Shared, mut content: ArtifactContent) -> Result<Prepared, StoreError> {
    let size = content.bytes.len() as u64;
    if size > MAX_SIZE {
        return Err(StoreError::TooLarge {
            size,
            limit: MAX_SIZE,
        });
    }
    let durable = content.durability != Durability::Buffered;
    let hash = *blake3::hash(&content.bytes).as_bytes();
    let mut repair = false;
    if let Some(known) = shared.index.get(&hash)? {
        if let Some(prepared) = prepare_known(shared, hash, &known, durable)? {
            return Ok(prepared);
        }
        repair = true;
    }
    let mut record = record_of(&content, hash, Codec::Plain, 0);
    let (codec, stored) = record::pack(std::mem::take(&mut content.bytes));
    record.codec = codec;
    record.stored = stored.len() as u64;
    record.in_file = stored.len() > LARGE;
    if !record.in_file {
        return Ok(Prepared {
            record,
            bytes: Bytes::Here(stored),
            file_synced: false,
            repair,
        });
    }
    shared.objects.write(&hash, codec, size, &stored, durable)?;
    Ok(Prepared {
        record,
        bytes: Bytes::InFile,
        file_synced: durable,
        repair,
    })
}

/// What is stored already needs no bytes, only to be on disk. `None`: its file is gone or cut.
fn prepare_known(
    shared: &Shared,
    hash: Hash,
    known: &Entry,
    durable: bool,
) -> Result<Option<Prepared>, StoreError> {
    let in_file = matches!(known.place, Place::Object { .. });
    if in_file && !shared.objects.is_whole(&hash, known.stored) {
        return Ok(None);
    }
    let mut file_synced = known.place == Place::Object { synced: true };
    if in_file && durable && !file_synced {
        shared.objects.sync(&hash)?;
        file_synced = true;
    }
    Ok(Some(Prepared {
        record: Record {
            hash,
            codec: known.codec,
            size: known.size,
            stored: known.stored,
            in_file,
            info: known.info.clone(),
        },
        bytes: Bytes::Known,
        file_synced,
        repair: false,
    }))
}

fn read_verified(shared: &Shared, hash: Hash, id: ArtifactId) -> Result<Artifact, StoreError> {
    let entry = shared
        .index
        .get(&hash)?
        .ok_or_else(|| StoreError::Unknown(id.clone()))?;
    let read = match entry.place {
        Place::Segment { number, offset } => shared.segments.read(number, offset, entry.stored),
        Place::Object { .. } => shared.objects.read(&hash),
    };
    let why = match read.map(|stored| record::unpack(entry.codec, stored, entry.size)) {
        Ok(Ok(bytes)) if *blake3::hash(&bytes).as_bytes() == hash => {
            let about = entry.info.into();
            return Ok(Artifact { id, bytes, about });
        }
        Ok(Ok(_)) => "the stored bytes have another hash".to_owned(),
        Ok(Err(error)) => format!("the stored bytes cannot be decompressed: {error}"),
        Err(error) if is_gone(&error) => "the stored bytes are not there".to_owned(),
        Err(error) => return Err(error),
    };
    // Out of the index, so that the same bytes can be stored again.
    shared.index.note(hash, None, Position::default());
    Err(StoreError::Damaged { id, why })
}

/// Whether a file is missing or cut, other than unreadable at this moment.
fn is_gone(error: &StoreError) -> bool {
    use std::io::ErrorKind;
    match error {
        StoreError::Io { source, .. } => {
            matches!(
                source.kind(),
                ErrorKind::NotFound | ErrorKind::UnexpectedEof
            )
        }
        StoreError::Header { .. } => true,
        _ => false,
    }
}

/// The first and last hash that begin with these hexadecimal digits.
fn bounds(prefix: &str) -> Option<(Hash, Hash)> {
    let digits = prefix.strip_prefix("b3:").unwrap_or(prefix);
    if digits.len() > 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let fill = |digit: &str| {
        let hex = format!(
            "{}{}",
            digits.to_ascii_lowercase(),
            digit.repeat(64 - digits.len())
        );
        blake3::Hash::from_hex(hex)
            .ok()
            .map(|hash| *hash.as_bytes())
    };
    Some((fill("0")?, fill("f")?))
}

#[async_trait]
impl ArtifactStorage for ArtifactStore {
    async fn store_artifact(&self, content: ArtifactContent) -> PortResult<ArtifactId> {
        Ok(self.store(content).await?)
    }

    async fn retrieve_artifact(&self, id: &ArtifactId) -> PortResult<Artifact> {
        self.retrieve(id).await.map_err(PortError::from)
    }

    async fn contains_artifact(&self, id: &ArtifactId) -> PortResult<bool> {
        let Some(hash) = record::hash_of(id) else {
            return Ok(false);
        };
        let shared = Arc::clone(&self.shared);
        let known = blocking(move || shared.index.get(&hash)).await??;
        Ok(known.is_some())
    }

    async fn find_artifacts(&self, prefix: &str, limit: usize) -> PortResult<Vec<ArtifactSummary>> {
        let Some((first, last)) = bounds(prefix) else {
            return Ok(Vec::new());
        };
        let shared = Arc::clone(&self.shared);
        let found = blocking(move || shared.index.range(first, last, limit)).await??;
        let summaries = found.into_iter().map(|(hash, entry)| ArtifactSummary {
            id: ArtifactId::from_blake3(hash),
            size: entry.size,
            about: entry.info.into(),
        });
        Ok(summaries.collect())
    }
}
