//! The one writer of all logs: a thread that writes what is queued, syncs once, answers all.

use crate::{
    error::DagError,
    log::{CACHE_MAGIC, RUN_MAGIC, VERSION},
};
use std::{
    collections::{HashMap, hash_map::Entry},
    fs::{File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    thread::JoinHandle,
};
use sy_commons::{
    framed::{header, push_frame},
    fs::{sync_dir, write_atomic},
};
use symphony_core_ports::RunId;
use tokio::sync::mpsc;

/// Jobs that may be queued; beyond, callers wait.
const QUEUE: usize = 4096;
/// Jobs that share a sync at most.
const BATCH: usize = 4096;
/// Logs kept open.
const OPEN_LOGS: usize = 64;
/// Cache records that may lie unsynced while there is no pause.
const CACHE_LAG: usize = 1024;

/// Which log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum LogName {
    Run(RunId),
    Cache,
}

/// A record to be written.
pub(crate) struct Write1 {
    pub(crate) log: LogName,
    pub(crate) payload: Vec<u8>,
}

/// Called on the writer's thread once it is known how a job ended.
pub(crate) type Done = Box<dyn FnOnce(Result<(), DagError>) + Send>;

/// Records to be written; the first one's log decides over the job's result.
pub(crate) struct Job {
    pub(crate) kind: Kind,
    pub(crate) writes: Vec<Write1>,
    pub(crate) done: Done,
}

pub(crate) enum Kind {
    /// Makes the log of the first record.
    Create,
    /// Answered after a sync.
    Durable,
    /// Answered when written; the next sync takes it along.
    Buffered,
    /// Replaces the cache's log by what this gives.
    Compact(Box<dyn FnOnce() -> Vec<Vec<u8>> + Send>),
    /// Removes a run's log.
    Remove(RunId),
}

impl Kind {
    /// Whether it comes after the batch before it, alone.
    fn is_alone(&self) -> bool {
        matches!(self, Self::Compact(_) | Self::Remove(_))
    }
}

/// Where jobs go.
pub(crate) enum Journal {
    /// Nowhere: the state in memory is all.
    Memory,
    Files(Files),
}

pub(crate) struct Files {
    queue: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl Journal {
    /// A journal over the logs of `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self, DagError> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let writer = Writer {
            folder: folder.to_owned(),
            open: HashMap::new(),
            cache_lag: 0,
        };
        let writer = std::thread::Builder::new()
            .name("dag-journal".to_owned())
            .spawn(move || writer.serve(jobs))
            .map_err(|e| DagError::io(folder, e))?;
        Ok(Self::Files(Files {
            queue: Some(queue),
            writer: Some(writer),
        }))
    }

    /// Queues a job; returns when it has its place in the queue.
    pub(crate) async fn submit(&self, job: Job) -> Result<(), DagError> {
        match self {
            Self::Memory => {
                (job.done)(Ok(()));
                Ok(())
            }
            Self::Files(files) => {
                let queue = files.queue.as_ref().ok_or(DagError::Closed)?;
                queue.send(job).await.map_err(|_| DagError::Closed)
            }
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // Closing the queue ends the writer after what is queued.
        drop(self.queue.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the DAG Tracker's writer panicked");
        }
    }
}

/// Where a log lies.
pub(crate) fn path_of(folder: &Path, log: &LogName) -> PathBuf {
    match log {
        LogName::Run(id) => folder.join("runs").join(format!("{id}.log")),
        LogName::Cache => folder.join("cache.log"),
    }
}

struct Writer {
    folder: PathBuf,
    open: HashMap<LogName, OpenLog>,
    /// Records of the cache's log that are not synced.
    cache_lag: usize,
}

struct OpenLog {
    path: PathBuf,
    file: File,
    end: u64,
    synced: u64,
    /// A sync failed: nobody knows what is on disk.
    failed: bool,
}

/// What one batch does to one log.
#[derive(Default)]
struct Staged {
    bytes: Vec<u8>,
    records: usize,
    create: bool,
    sync: bool,
    result: Option<DagError>,
}

impl Writer {
    fn serve(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(job) = jobs.blocking_recv() {
            let mut batch = Vec::new();
            let mut next = Some(job);
            let mut alone = None;
            while let Some(job) = next.take() {
                if job.kind.is_alone() {
                    alone = Some(job);
                    break;
                }
                batch.push(job);
                if batch.len() < BATCH {
                    next = jobs.try_recv().ok();
                }
            }
            self.commit(batch);
            // After the batch, whose effects are in what it takes over.
            match alone.map(|job| (job.kind, job.done)) {
                Some((Kind::Compact(all), done)) => done(self.compact(&all())),
                Some((Kind::Remove(run), done)) => done(self.remove(run)),
                _ => {}
            }
            if self.cache_lag > 0 && (jobs.is_empty() || self.cache_lag >= CACHE_LAG) {
                self.sync_cache();
            }
            self.close_some();
        }
        self.sync_cache();
    }

    fn commit(&mut self, batch: Vec<Job>) {
        let mut staged: HashMap<LogName, Staged> = HashMap::new();
        let mut answers = Vec::with_capacity(batch.len());
        for job in batch {
            let Some(first) = job.writes.first().map(|write| write.log.clone()) else {
                (job.done)(Ok(()));
                continue;
            };
            for write in job.writes {
                let stage = staged.entry(write.log.clone()).or_default();
                if write.log == first {
                    stage.create |= matches!(job.kind, Kind::Create);
                    stage.sync |= !matches!(job.kind, Kind::Buffered);
                }
                self.stage(&write, stage);
            }
            answers.push((first, job.done));
        }
        for (log, stage) in &mut staged {
            if stage.result.is_none()
                && let Some(open) = self.open.get_mut(log)
            {
                stage.result = open.append(stage, &self.folder).err();
            }
            if *log == LogName::Cache {
                self.cache_lag = if stage.sync {
                    0
                } else {
                    self.cache_lag + stage.records
                };
            }
            if let Some(error) = &stage.result {
                tracing::warn!(%error, "records of a run were not written");
            }
        }
        for (log, done) in answers {
            let failed = staged.get(&log).and_then(|stage| stage.result.clone());
            done(failed.map_or(Ok(()), Err));
        }
    }

    /// Frames a record behind what is staged for its log.
    fn stage(&mut self, write: &Write1, stage: &mut Staged) {
        if stage.result.is_some() {
            return;
        }
        let open = match self.open.entry(write.log.clone()) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => {
                match OpenLog::open(path_of(&self.folder, &write.log), &write.log, stage) {
                    Ok(open) => vacant.insert(open),
                    Err(error) => {
                        stage.result = Some(error);
                        return;
                    }
                }
            }
        };
        let offset = open.end + stage.bytes.len() as u64;
        let framed = push_frame(
            &mut stage.bytes,
            offset,
            offset - open.synced,
            &write.payload,
        );
        if let Err(error) = framed {
            // A text of that size is refused by whoever reads it, too.
            let why = std::io::Error::other(error);
            stage.result = Some(DagError::io(&open.path, why));
        }
        stage.records += 1;
    }

    /// Replaces the cache's log.
    fn compact(&mut self, payloads: &[Vec<u8>]) -> Result<(), DagError> {
        let path = path_of(&self.folder, &LogName::Cache);
        write_cache(&path, payloads)?;
        // The open file is the old one.
        self.open.remove(&LogName::Cache);
        self.cache_lag = 0;
        Ok(())
    }

    /// Removes a run's log.
    fn remove(&mut self, run: RunId) -> Result<(), DagError> {
        let log = LogName::Run(run);
        self.open.remove(&log);
        let path = path_of(&self.folder, &log);
        std::fs::remove_file(&path).map_err(|e| DagError::io(&path, e))?;
        sync_dir(self.folder.join("runs")).map_err(|e| DagError::Folder(e.into()))
    }

    fn sync_cache(&mut self) {
        self.cache_lag = 0;
        if let Some(open) = self.open.get_mut(&LogName::Cache)
            && let Err(error) = open.sync()
        {
            tracing::warn!(%error, "the cache of node results was not synced");
        }
    }

    /// Keeps the number of open logs down. One that is opened again is synced first.
    fn close_some(&mut self) {
        if self.open.len() > OPEN_LOGS {
            self.open
                .retain(|log, open| *log == LogName::Cache || open.failed);
        }
    }
}

/// Writes the cache's log anew, whole.
pub(crate) fn write_cache(path: &Path, payloads: &[Vec<u8>]) -> Result<(), DagError> {
    let mut bytes = header(CACHE_MAGIC, VERSION).to_vec();
    for payload in payloads {
        let offset = bytes.len() as u64;
        push_frame(&mut bytes, offset, offset, payload)
            .map_err(|e| DagError::io(path, std::io::Error::other(e)))?;
    }
    write_atomic(path, &bytes).map_err(|e| DagError::Folder(e.into()))
}

impl OpenLog {
    fn open(path: PathBuf, log: &LogName, stage: &mut Staged) -> Result<Self, DagError> {
        let failed = |e| DagError::io(&path, e);
        let file = OpenOptions::new()
            .create(stage.create || *log == LogName::Cache)
            .truncate(stage.create)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let end = file.metadata().map_err(failed)?.len();
        // What an earlier owner left unsynced must not be taken for synced.
        file.sync_data().map_err(failed)?;
        let mut open = Self {
            path,
            file,
            end,
            synced: end,
            failed: false,
        };
        if end < sy_commons::framed::HEADER_LEN as u64 {
            let magic = match log {
                LogName::Run(_) => RUN_MAGIC,
                LogName::Cache => CACHE_MAGIC,
            };
            open.end = 0;
            open.synced = 0;
            stage.create = true;
            stage.bytes.extend_from_slice(&header(magic, VERSION));
        }
        Ok(open)
    }

    /// Appends what is staged: all of it, or nothing.
    fn append(&mut self, stage: &Staged, folder: &Path) -> Result<(), DagError> {
        if self.failed {
            return Err(DagError::Unsynced {
                path: self.path.clone(),
            });
        }
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(&stage.bytes));
        if let Err(error) = written {
            // Half a batch must not stand before the next one.
            if self.file.set_len(self.end).is_err() {
                self.failed = true;
            }
            return Err(DagError::io(&self.path, error));
        }
        self.end += stage.bytes.len() as u64;
        if stage.sync {
            self.sync()?;
        }
        if stage.create {
            let parent = self.path.parent().unwrap_or(folder);
            sync_dir(parent).map_err(|e| DagError::Folder(e.into()))?;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DagError> {
        if let Err(error) = self.file.sync_data() {
            self.failed = true;
            return Err(DagError::io(&self.path, error));
        }
        self.synced = self.end;
        Ok(())
    }
}
