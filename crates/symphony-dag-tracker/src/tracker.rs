//! The DAG Tracker: record, else cache, else executor.

use crate::{
    cache::{Cache, Found, Lead},
    entry::{self, CacheEntry, RunEntry},
    error::DagError,
    journal::{self, Job, Journal, Kind, LogName, Write1},
    lock,
    reading::{cache_payloads, is_file_name, read_cache, read_run, read_unknown},
    run::{Asked, Busy, Run},
};
use async_trait::async_trait;
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::SystemTime,
};
use sy_commons::{fs::ensure_dir, owner::OwnerLock};
use symphony_core_ports::{
    CacheKey, DagNode, DagTracking, NewRun, NodeExecutor, NodeId, NodeOutput, NodeResult,
    PortError, PortResult, ResultOrigin, RunId, RunOutcome, RunRecord,
};
use tokio::sync::oneshot;

/// Nodes of finished runs that are kept in memory.
const REMEMBERED_NODES: usize = 200_000;

/// The record of runs in a folder, or in memory only.
pub struct DagTracker {
    // Before the lock: the journal's writer must have ended when another may own the folder.
    journal: Journal,
    cache: Arc<Cache>,
    runs: Arc<Mutex<Runs>>,
    /// One reads logs at a time, so that no log gets two states.
    reading: tokio::sync::Mutex<()>,
    folder: Option<PathBuf>,
    _owner: Option<OwnerLock>,
}

#[derive(Default)]
struct Runs {
    known: HashMap<RunId, Arc<Run>>,
    /// Runs that are just being begun.
    beginning: HashSet<RunId>,
}

/// A run whose log cannot be read as a whole.
#[derive(Debug)]
pub struct DamagedRun {
    /// Which run.
    pub id: RunId,
    /// What is wrong with its log.
    pub error: DagError,
}

impl DagTracker {
    /// A tracker whose runs end with the process.
    pub fn in_memory() -> Self {
        Self {
            journal: Journal::Memory,
            cache: Arc::default(),
            runs: Arc::default(),
            reading: tokio::sync::Mutex::default(),
            folder: None,
            _owner: None,
        }
    }

    /// Opens the record in `folder`, or makes it there. Reads the cache's log, no run's.
    ///
    /// # Errors
    /// [`DagError::Owner`] when another process uses it; those of reading the cache's log.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, DagError> {
        let folder = folder.as_ref();
        ensure_dir(folder.join("runs")).map_err(|e| DagError::Folder(e.into()))?;
        let owner = OwnerLock::acquire(folder).map_err(|e| DagError::Owner(e.into()))?;
        let cache = Arc::new(read_cache(&journal::path_of(folder, &LogName::Cache))?);
        Ok(Self {
            journal: Journal::open(folder)?,
            cache,
            runs: Arc::default(),
            reading: tokio::sync::Mutex::default(),
            folder: Some(folder.to_owned()),
            _owner: Some(owner),
        })
    }

    /// Runs whose logs are damaged; the others are not affected by them.
    ///
    /// # Errors
    /// Those of listing the folder.
    pub async fn damaged_runs(&self) -> PortResult<Vec<DamagedRun>> {
        Ok(self.read_all(None).await?)
    }

    /// Whether the cache has a result for this key.
    pub fn is_cached(&self, key: &CacheKey) -> bool {
        self.cache.knows(key)
    }

    /// The state of a run, from memory or its log.
    async fn find(&self, id: &RunId) -> PortResult<Arc<Run>> {
        if let Some(run) = lock(&self.runs).known.get(id) {
            return Ok(Arc::clone(run));
        }
        let _alone = self.reading.lock().await;
        if let Some(run) = lock(&self.runs).known.get(id) {
            return Ok(Arc::clone(run));
        }
        let run = match &self.folder {
            Some(folder) if is_file_name(id.as_str()) => {
                let (folder, id) = (folder.clone(), id.clone());
                blocking(move || read_run(&folder, &id)).await??
            }
            _ => None,
        };
        let run = Arc::new(run.ok_or_else(|| PortError::not_found(format!("run {id}")))?);
        lock(&self.runs).remember(&run);
        Ok(run)
    }

    /// Reads every log that is not in memory, or only those last written to before an
    /// instant; gives the damaged ones.
    async fn read_all(
        &self,
        written_before: Option<SystemTime>,
    ) -> Result<Vec<DamagedRun>, DagError> {
        let Some(folder) = self.folder.clone() else {
            return Ok(Vec::new());
        };
        let _alone = self.reading.lock().await;
        let known: HashSet<RunId> = {
            let runs = lock(&self.runs);
            runs.known.keys().chain(&runs.beginning).cloned().collect()
        };
        let read = blocking(move || read_unknown(&folder, &known, written_before)).await??;
        let mut damaged = Vec::new();
        let mut runs = lock(&self.runs);
        for (id, result) in read {
            match result {
                Ok(Some(run)) => runs.remember(&Arc::new(run)),
                Ok(None) => {}
                Err(error) => damaged.push(DamagedRun { id, error }),
            }
        }
        Ok(damaged)
    }

    /// As [`Self::read_all`]; says which are left out.
    async fn read_logged(&self, written_before: Option<SystemTime>) -> PortResult<()> {
        for DamagedRun { id, error } in self.read_all(written_before).await? {
            tracing::warn!(run = %id, %error, "a run is left out");
        }
        Ok(())
    }

    /// Writes records durably; `apply` runs once they are, before the answer.
    async fn commit(
        &self,
        kind: Kind,
        writes: Vec<Write1>,
        apply: impl FnOnce() + Send + 'static,
    ) -> Result<(), DagError> {
        let (answer, answered) = oneshot::channel();
        let done = move |result: Result<(), DagError>| {
            if result.is_ok() {
                apply();
            }
            // Whoever asked may have left; the record stands.
            let _ = answer.send(result);
        };
        let done = Box::new(done);
        self.journal.submit(Job { kind, writes, done }).await?;
        answered.await.map_err(|_| DagError::Closed)?
    }

    /// Writes a record of a run durably, and takes it over into its state.
    async fn record(&self, run: &Arc<Run>, entry: RunEntry) -> Result<(), DagError> {
        let write = run_write(run, &entry);
        let run = Arc::clone(run);
        self.commit(Kind::Durable, vec![write], move || run.apply(entry))
            .await
    }

    /// Notes that a node is started. No promise hangs on it, so nobody waits for the disk.
    async fn note_started(&self, run: &Arc<Run>, node: &DagNode) -> Result<(), DagError> {
        let entry = RunEntry::started(node);
        let writes = vec![run_write(run, &entry)];
        run.apply(entry);
        let done = Box::new(|_| {});
        let kind = Kind::Buffered;
        self.journal.submit(Job { kind, writes, done }).await
    }

    /// Records a completion. The node and its key stay taken until it is durable,
    /// also when the caller leaves meanwhile.
    async fn complete(
        &self,
        busy: Busy,
        lead: Option<Lead>,
        run: Arc<Run>,
        node: DagNode,
        output: NodeOutput,
    ) -> PortResult<NodeResult> {
        let origin = if lead.is_some() || node.cache_key.is_none() {
            ResultOrigin::Executed
        } else {
            ResultOrigin::Cache
        };
        let entry = RunEntry::completed(&node.id, &output, origin);
        let mut writes = Vec::with_capacity(2);
        if origin == ResultOrigin::Cache {
            let started = RunEntry::started(&node);
            writes.push(run_write(&run, &started));
            run.apply(started);
        }
        writes.push(run_write(&run, &entry));
        if let Some(key) = node.cache_key.as_ref().filter(|_| lead.is_some()) {
            writes.push(cache_write(&CacheEntry::Put {
                key: key.clone(),
                result: (&output).into(),
            }));
        }
        let made = output.clone();
        self.commit(Kind::Durable, writes, move || {
            run.apply(entry);
            if let Some(lead) = lead {
                lead.publish(made);
            }
            drop(busy);
        })
        .await?;
        Ok(NodeResult {
            node: node.id,
            output,
            origin,
        })
    }

    async fn compact_cache(&self) -> Result<(), DagError> {
        if matches!(self.journal, Journal::Memory) || !self.cache.wants_compaction() {
            return Ok(());
        }
        let cache = Arc::clone(&self.cache);
        let kind = Kind::Compact(Box::new(move || cache_payloads(&cache)));
        self.commit(kind, Vec::new(), || {}).await
    }
}

impl Runs {
    /// Keeps a run's state; lets finished ones go that nobody uses, when there are many.
    fn remember(&mut self, run: &Arc<Run>) {
        self.known.insert(run.id.clone(), Arc::clone(run));
        let mut nodes: usize = self.known.values().map(|run| run.node_count()).sum();
        if nodes <= REMEMBERED_NODES {
            return;
        }
        let newest = run.id.clone();
        self.known.retain(|id, run| {
            // A count of one: only this table knows it.
            let goes = nodes > REMEMBERED_NODES
                && *id != newest
                && Arc::strong_count(run) == 1
                && run.is_finished();
            if goes {
                nodes -= run.node_count();
            }
            !goes
        });
    }
}

fn run_write(run: &Run, entry: &RunEntry) -> Write1 {
    Write1 {
        log: LogName::Run(run.id.clone()),
        payload: entry::encode(entry),
    }
}

fn cache_write(entry: &CacheEntry) -> Write1 {
    Write1 {
        log: LogName::Cache,
        payload: entry::encode(entry),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, DagError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| DagError::Closed)
}

/// Keeps a run's id from being begun twice at once.
struct Beginning {
    runs: Arc<Mutex<Runs>>,
    id: RunId,
}

impl Drop for Beginning {
    fn drop(&mut self) {
        lock(&self.runs).beginning.remove(&self.id);
    }
}

#[async_trait]
impl DagTracking for DagTracker {
    async fn begin_run(&self, new: NewRun) -> PortResult<()> {
        if !is_file_name(new.id.as_str()) {
            return Err(PortError::invalid(
                format!("run id `{}`", new.id),
                "letters, digits, `-` and `_` are allowed, at most 64",
            ));
        }
        let exists = || PortError::Conflict {
            details: format!("a run {} exists", new.id),
            ranges: Vec::new(),
        };
        match self.find(&new.id).await {
            Ok(_) => return Err(exists()),
            Err(PortError::NotFound { .. }) => {}
            // Its log is damaged: still the record of another run.
            Err(error) => return Err(error),
        }
        {
            let mut runs = lock(&self.runs);
            if runs.known.contains_key(&new.id) || !runs.beginning.insert(new.id.clone()) {
                return Err(exists());
            }
        }
        let beginning = Beginning {
            runs: Arc::clone(&self.runs),
            id: new.id.clone(),
        };
        let entry = RunEntry::began(&new);
        let run = Arc::new(Run::new(new));
        let writes = vec![run_write(&run, &entry)];
        let apply = move || {
            lock(&beginning.runs).remember(&run);
            drop(beginning);
        };
        Ok(self.commit(Kind::Create, writes, apply).await?)
    }

    async fn resume_run(&self, id: &RunId) -> PortResult<()> {
        let run = self.find(id).await?;
        Ok(self.record(&run, RunEntry::Resumed {}).await?)
    }

    async fn execute_dag_node(
        &self,
        id: &RunId,
        node: DagNode,
        executor: &dyn NodeExecutor,
    ) -> PortResult<NodeResult> {
        let run = self.find(id).await?;
        let busy = match run.occupy(&node.id) {
            Asked::Completed(result) => {
                let origin = ResultOrigin::Log;
                return Ok(NodeResult { origin, ..result });
            }
            Asked::Busy => {
                return Err(PortError::Conflict {
                    details: format!("node {} of run {id} is being executed", node.id),
                    ranges: Vec::new(),
                });
            }
            Asked::Yours(busy) => busy,
        };
        let lead = match &node.cache_key {
            None => None,
            Some(key) => match self.cache.find_or_lead(key).await {
                Found::Known(output) => return self.complete(busy, None, run, node, output).await,
                Found::Lead(lead) => Some(lead),
            },
        };
        self.note_started(&run, &node).await?;
        match executor.execute(&node).await {
            Ok(output) => self.complete(busy, lead, run, node, output).await,
            Err(error) => {
                let entry = RunEntry::Failed {
                    node: node.id,
                    error: describe(&error),
                };
                if let Err(unwritten) = self.record(&run, entry).await {
                    tracing::warn!(error = %unwritten, "a node's failure was not recorded");
                }
                Err(error)
            }
        }
    }

    async fn skip_node(&self, id: &RunId, node: NodeId, reason: &str) -> PortResult<()> {
        let run = self.find(id).await?;
        // A completed node stays completed, whatever its condition says by now.
        let Asked::Yours(_busy) = run.occupy(&node) else {
            return Err(PortError::Conflict {
                details: format!("node {node} of run {id} is completed or being executed"),
                ranges: Vec::new(),
            });
        };
        let reason = reason.to_owned();
        Ok(self
            .record(&run, RunEntry::Skipped { node, reason })
            .await?)
    }

    async fn finish_run(
        &self,
        id: &RunId,
        outcome: RunOutcome,
        finished: SystemTime,
    ) -> PortResult<()> {
        let run = self.find(id).await?;
        let entry = RunEntry::Finished {
            outcome: outcome.into(),
            finished: finished.into(),
        };
        self.record(&run, entry).await?;
        if let Err(error) = self.compact_cache().await {
            tracing::warn!(%error, "the cache of node results was not compacted");
        }
        Ok(())
    }

    async fn run(&self, id: &RunId) -> PortResult<RunRecord> {
        Ok(self.find(id).await?.record())
    }

    async fn runs(&self) -> PortResult<Vec<RunRecord>> {
        self.read_logged(None).await?;
        let mut runs: Vec<_> = lock(&self.runs).known.values().cloned().collect();
        runs.sort_by(|a, b| b.started().cmp(&a.started()).then_with(|| b.id.cmp(&a.id)));
        Ok(runs.iter().map(|run| run.record()).collect())
    }

    async fn runs_succeeded_before(&self, before: SystemTime) -> PortResult<Vec<RunRecord>> {
        // The end of a run is written to its log: one written to since has not ended before.
        self.read_logged(Some(before)).await?;
        let runs: Vec<_> = lock(&self.runs).known.values().cloned().collect();
        let old =
            |run: &Arc<Run>| Some((run.succeeded().filter(|end| *end < before)?, run.record()));
        let mut old: Vec<_> = runs.iter().filter_map(old).collect();
        old.sort_by_key(|(end, _)| *end);
        Ok(old.into_iter().map(|(_, record)| record).collect())
    }

    async fn remove_run(&self, id: &RunId) -> PortResult<()> {
        let run = self.find(id).await?;
        // Whoever asks for it meanwhile waits, and then finds nothing.
        let _alone = self.reading.lock().await;
        {
            let mut runs = lock(&self.runs);
            // Two: the table and this call know it, and nobody who could go on with it.
            let idle = Arc::strong_count(&run) <= 2 && run.succeeded().is_some();
            if !idle {
                return Err(PortError::Conflict {
                    details: format!("run {id} can still be resumed, or is in use"),
                    ranges: Vec::new(),
                });
            }
            // If its log cannot be removed, it is read from there again.
            runs.known.remove(id);
        }
        let kind = Kind::Remove(id.clone());
        Ok(self.commit(kind, Vec::new(), || {}).await?)
    }

    async fn forget_cached(&self, key: &CacheKey) -> PortResult<()> {
        if !self.cache.knows(key) {
            return Ok(());
        }
        let key = key.clone();
        let write = cache_write(&CacheEntry::Forget { key: key.clone() });
        let cache = Arc::clone(&self.cache);
        let forget = move || cache.forget(&key);
        Ok(self.commit(Kind::Durable, vec![write], forget).await?)
    }
}

/// An error and its causes, in one line.
fn describe(error: &PortError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(why) = cause {
        text.push_str(": ");
        text.push_str(&why.to_string());
        cause = why.source();
    }
    text
}
