//! The thread that appends, and the thread that syncs.

use crate::{
    error::StoreError,
    index::{Entry, Index, Place},
    object::Objects,
    record::{Hash, Record},
    segment::{Active, FULL, Position, Segments},
};
use std::{
    collections::HashMap,
    fs::File,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};
use sy_commons::framed::{FRAME_LEN, push_frame};
use symphony_core_ports::{ArtifactId, Durability};
use tokio::sync::{mpsc, oneshot};

/// Puts that may be queued; beyond, callers wait.
const QUEUE: usize = 1024;
/// Bytes that go into one write.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// So many entries behind, the index is committed.
const INDEX_LAG: usize = 2048;

pub(crate) type Answer = oneshot::Sender<Result<(), StoreError>>;

/// What the writer gets of an artifact's stored bytes.
pub(crate) enum Bytes {
    Here(Vec<u8>),
    /// They have a file of their own.
    InFile,
    /// They are stored already.
    Known,
}

/// An artifact to be stored.
pub(crate) struct Put {
    pub(crate) record: Record,
    pub(crate) bytes: Bytes,
    /// Whether its own file is on disk.
    pub(crate) file_synced: bool,
    /// Write it even if it is known: what is there is damaged.
    pub(crate) repair: bool,
    pub(crate) durability: Durability,
    pub(crate) answer: Answer,
}

/// What all parts of the store share.
pub(crate) struct Shared {
    pub(crate) index: Index,
    pub(crate) segments: Segments,
    pub(crate) objects: Objects,
    /// Up to where the segments are synced.
    pub(crate) synced: Mutex<Position>,
    /// A sync failed: nobody knows what is on disk.
    pub(crate) failed: AtomicBool,
}

impl Shared {
    pub(crate) fn synced(&self) -> Position {
        *self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both threads.
pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Put>>,
    threads: Vec<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(shared: &Arc<Shared>, active: Active) -> Result<Self, StoreError> {
        let (queue, puts) = mpsc::channel(QUEUE);
        let (syncs, requests) = sync_channel(QUEUE);
        let path = active.path.clone();
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(work)
                .map_err(|e| StoreError::io(&path, e))
        };
        let appender = Appender {
            shared: Arc::clone(shared),
            active,
            syncs,
            commit_asked: Arc::default(),
        };
        let syncer = Arc::clone(shared);
        let threads = vec![
            spawn(
                "artifact-sync",
                Box::new(move || serve_syncs(&syncer, &requests)),
            )?,
            spawn("artifact-write", Box::new(move || appender.serve(puts)))?,
        ];
        Ok(Self {
            queue: Some(queue),
            threads,
        })
    }

    /// Queues a put; returns when it has its place in the queue.
    pub(crate) async fn submit(&self, put: Put) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.send(put).await.map_err(|_| StoreError::Closed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Closing the queue ends the appender after what is queued, and that the syncer.
        drop(self.queue.take());
        for thread in self.threads.drain(..).rev() {
            if thread.join().is_err() {
                tracing::error!("a thread of the artifact store panicked");
            }
        }
    }
}

struct Appender {
    shared: Arc<Shared>,
    active: Active,
    syncs: SyncSender<Request>,
    /// Keeps it from asking for a commit of the index while one is asked for.
    commit_asked: Arc<AtomicBool>,
}

/// A sync somebody waits for, or a commit of the index that is due.
struct Request {
    file: Arc<File>,
    path: PathBuf,
    upto: Position,
    alone: bool,
    answer: Option<Answer>,
    commit: Option<Arc<AtomicBool>>,
}

/// What one write appends.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    entries: HashMap<Hash, Entry>,
    waiting: Vec<(Durability, Answer)>,
}

impl Appender {
    fn serve(mut self, mut puts: mpsc::Receiver<Put>) {
        while let Some(put) = puts.blocking_recv() {
            let mut batch = Batch::default();
            self.stage(put, &mut batch);
            while batch.bytes.len() < BATCH_BYTES
                && batch.waiting.len() < QUEUE
                && let Ok(put) = puts.try_recv()
            {
                self.stage(put, &mut batch);
            }
            self.append(batch);
        }
    }

    /// Adds a put to a batch; one that is stored already only waits with it.
    fn stage(&mut self, put: Put, batch: &mut Batch) {
        if self.shared.failed.load(Ordering::Acquire) {
            let _ = put.answer.send(Err(StoreError::Unsynced));
            return;
        }
        let hash = put.record.hash;
        let known = match batch.entries.get(&hash) {
            Some(entry) => Some(entry.clone()),
            None => match self.shared.index.get(&hash) {
                Ok(known) => known,
                Err(error) => {
                    let _ = put.answer.send(Err(error));
                    return;
                }
            },
        };
        match known {
            Some(mut entry) if !put.repair => {
                if let Place::Object { synced: false } = entry.place
                    && put.file_synced
                {
                    entry.place = Place::Object { synced: true };
                    self.shared
                        .index
                        .note(hash, Some(entry), self.active.position());
                }
            }
            _ => {
                if let Err(error) = self.frame(&put, batch) {
                    let _ = put.answer.send(Err(error));
                    return;
                }
            }
        }
        batch.waiting.push((put.durability, put.answer));
    }

    fn frame(&self, put: &Put, batch: &mut Batch) -> Result<(), StoreError> {
        let record = &put.record;
        let mut payload = record.encode();
        let data_at = (FRAME_LEN + payload.len()) as u64;
        match &put.bytes {
            Bytes::Here(bytes) => payload.extend_from_slice(bytes),
            Bytes::InFile => {}
            Bytes::Known => {
                return Err(StoreError::Damaged {
                    id: ArtifactId::from_blake3(record.hash),
                    why: "it was found damaged while it was stored again".to_owned(),
                });
            }
        }
        let offset = self.active.end + batch.bytes.len() as u64;
        let synced = self.shared.synced();
        let synced = if synced.segment == self.active.number {
            synced.offset
        } else {
            0
        };
        push_frame(&mut batch.bytes, offset, offset - synced, &payload)
            .map_err(|e| StoreError::io(&self.active.path, std::io::Error::other(e)))?;
        let place = if record.in_file {
            Place::Object {
                synced: put.file_synced,
            }
        } else {
            Place::Segment {
                number: self.active.number,
                offset: offset + data_at,
            }
        };
        let entry = Entry {
            place,
            codec: record.codec,
            size: record.size,
            stored: record.stored,
            info: record.info.clone(),
        };
        batch.entries.insert(record.hash, entry);
        Ok(())
    }

    fn append(&mut self, batch: Batch) {
        if let Err((error, stuck)) = self.active.append(&batch.bytes) {
            if stuck {
                self.shared.failed.store(true, Ordering::Release);
            }
            tracing::warn!(%error, "artifacts were not stored");
            for (_, answer) in batch.waiting {
                let _ = answer.send(Err(error.clone()));
            }
            return;
        }
        let upto = self.active.position();
        for (hash, entry) in batch.entries {
            self.shared.index.note(hash, Some(entry), upto);
        }
        for (durability, answer) in batch.waiting {
            match durability {
                Durability::Buffered => {
                    // Whoever asked may have left; the bytes are stored.
                    let _ = answer.send(Ok(()));
                }
                Durability::Group => self.request(Some(answer), false),
                Durability::Sync => self.request(Some(answer), true),
            }
        }
        let due = self.shared.index.waiting() >= INDEX_LAG;
        if due && !self.commit_asked.swap(true, Ordering::AcqRel) {
            self.request(None, false);
        }
        if self.active.end >= FULL {
            self.next_segment();
        }
    }

    fn request(&self, answer: Option<Answer>, alone: bool) {
        let commit = answer.is_none().then(|| Arc::clone(&self.commit_asked));
        let request = Request {
            file: Arc::clone(&self.active.file),
            path: self.active.path.clone(),
            upto: self.active.position(),
            alone,
            answer,
            commit,
        };
        if let Err(unsent) = self.syncs.send(request)
            && let Some(answer) = unsent.0.answer
        {
            let _ = answer.send(Err(StoreError::Closed));
        }
    }

    /// Goes on with a new segment. When that fails, the old one grows on.
    fn next_segment(&mut self) {
        // Whatever stands in a later segment proves that the earlier ones are synced.
        if let Err(error) = self.active.file.sync_data() {
            tracing::error!(%error, "a segment could not be synced");
            self.shared.failed.store(true, Ordering::Release);
            return;
        }
        match self.shared.segments.create(self.active.number + 1) {
            Ok(next) => self.active = next,
            Err(error) => tracing::warn!(%error, "no new segment could be made"),
        }
    }
}

fn serve_syncs(shared: &Shared, requests: &Receiver<Request>) {
    let mut last = None;
    while let Ok(first) = requests.recv() {
        let mut together = vec![first];
        while together.len() < QUEUE
            && let Ok(next) = requests.try_recv()
        {
            together.push(next);
        }
        if let Some(newest) = together.iter().max_by_key(|request| request.upto) {
            last = Some((Arc::clone(&newest.file), newest.path.clone(), newest.upto));
        }
        let (alone, shared_sync): (Vec<_>, Vec<_>) = together.into_iter().partition(|r| r.alone);
        for request in alone {
            sync(shared, vec![request]);
        }
        let mut by_segment: HashMap<u32, Vec<Request>> = HashMap::new();
        for request in shared_sync {
            let segment = request.upto.segment;
            by_segment.entry(segment).or_default().push(request);
        }
        for requests in by_segment.into_values() {
            sync(shared, requests);
        }
    }
    if let Some((file, path, upto)) = last {
        sync_to(shared, &file, path, upto).unwrap_or_else(|error| {
            tracing::error!(%error, "the artifact store was closed without a sync");
        });
    }
    commit(shared);
}

/// One sync for all of these, which are of one segment.
fn sync(shared: &Shared, requests: Vec<Request>) {
    let Some(furthest) = requests.iter().max_by_key(|request| request.upto) else {
        return;
    };
    let file = Arc::clone(&furthest.file);
    let result = sync_to(shared, &file, furthest.path.clone(), furthest.upto);
    let mut commits = Vec::new();
    for request in requests {
        if let Some(answer) = request.answer {
            let _ = answer.send(result.clone());
        }
        commits.extend(request.commit);
    }
    // After the answers: nobody waits for the index.
    for asked in commits {
        asked.store(false, Ordering::Release);
        commit(shared);
    }
}

fn sync_to(shared: &Shared, file: &File, path: PathBuf, upto: Position) -> Result<(), StoreError> {
    if shared.failed.load(Ordering::Acquire) {
        return Err(StoreError::Unsynced);
    }
    file.sync_data().map_err(|error| {
        shared.failed.store(true, Ordering::Release);
        StoreError::io(path, error)
    })?;
    let mut synced = shared.synced.lock().unwrap_or_else(PoisonError::into_inner);
    *synced = (*synced).max(upto);
    Ok(())
}

fn commit(shared: &Shared) {
    if shared.index.waiting() == 0 || shared.failed.load(Ordering::Acquire) {
        return;
    }
    if let Err(error) = shared.index.commit(shared.synced()) {
        tracing::warn!(%error, "the artifact index was not committed; the segments have it all");
    }
}
