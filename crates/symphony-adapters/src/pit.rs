//! [`PitPort`] in this process: the five members of the Pit behind one object.
//!
//! [`PitPort`]: symphony_core_ports::PitPort

use async_trait::async_trait;
use serde::Serialize;
use std::{
    future::Future,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};
use symphony_arbitration_engine::ArbitrationEngine;
use symphony_artifact_store::ArtifactStore;
use symphony_core_ports::{
    Arbitration, Artifact, ArtifactContent, ArtifactId, ArtifactStorage, ArtifactSummary, CacheKey,
    Candidate, Clock, Conflict, DagNode, DagTracking, ModelHandle, ModelPool, ModelSpec, NewRun,
    NodeExecutor, NodeId, NodeResult, PortResult, Resolution, RetentionPolicy, RunId, RunOutcome,
    RunRecord, Staleness,
};
use symphony_dag_tracker::DagTracker;
use symphony_pool_manager::PoolManager;
use symphony_stale_manager::StaleManager;

/// The Pit in this process, on a folder of this machine.
pub struct PitAdapter {
    pool: PoolManager,
    dag: DagTracker,
    artifacts: ArtifactStore,
    arbitration: ArbitrationEngine,
    stale: StaleManager,
    calls: Calls,
}

/// Counters of one operation.
#[derive(Default)]
struct Counter {
    calls: AtomicU64,
    errors: AtomicU64,
    abandoned: AtomicU64,
    nanoseconds: AtomicU64,
    slowest: AtomicU64,
}

/// What an operation of the Pit did so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationMetrics {
    /// The operation, as the port calls it.
    pub operation: &'static str,
    /// Calls that ended, well or not.
    pub calls: u64,
    /// Those of them that gave an error.
    pub errors: u64,
    /// Calls whose caller left before they ended.
    pub abandoned: u64,
    /// How long calls took on average, waiting included.
    pub mean: Duration,
    /// How long the slowest call took.
    pub slowest: Duration,
}

macro_rules! operations {
    ($($name:ident),* $(,)?) => {
        #[derive(Default)]
        struct Calls {
            $($name: Counter),*
        }

        impl Calls {
            fn metrics(&self) -> Vec<OperationMetrics> {
                vec![$(self.$name.metrics(stringify!($name))),*]
            }
        }
    };
}

operations!(
    allocate_model,
    release_model,
    begin_run,
    resume_run,
    execute_dag_node,
    skip_node,
    finish_run,
    run,
    runs,
    runs_succeeded_before,
    remove_run,
    forget_cached,
    store_artifact,
    retrieve_artifact,
    contains_artifact,
    find_artifacts,
    resolve_conflict,
    stale,
);

impl Counter {
    /// Runs a call and counts it, also when its caller leaves.
    async fn count<T>(&self, call: impl Future<Output = PortResult<T>>) -> PortResult<T> {
        let mut counting = Counting {
            counter: self,
            start: Instant::now(),
            ended: false,
        };
        let result = call.await;
        counting.ended = true;
        if result.is_err() {
            self.errors.fetch_add(1, Relaxed);
        }
        result
    }

    fn metrics(&self, operation: &'static str) -> OperationMetrics {
        let calls = self.calls.load(Relaxed);
        let total = self.nanoseconds.load(Relaxed);
        OperationMetrics {
            operation,
            calls,
            errors: self.errors.load(Relaxed),
            abandoned: self.abandoned.load(Relaxed),
            mean: Duration::from_nanos(total.checked_div(calls).unwrap_or(0)),
            slowest: Duration::from_nanos(self.slowest.load(Relaxed)),
        }
    }
}

struct Counting<'a> {
    counter: &'a Counter,
    start: Instant,
    ended: bool,
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.counter.abandoned.fetch_add(1, Relaxed);
            return;
        }
        let took = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.counter.calls.fetch_add(1, Relaxed);
        self.counter.nanoseconds.fetch_add(took, Relaxed);
        self.counter.slowest.fetch_max(took, Relaxed);
    }
}

impl PitAdapter {
    /// Opens the Pit on `folder`: artifacts in `artifacts`, the record of runs in `dag`.
    ///
    /// # Errors
    /// `Conflict` when another process has it; those of reading its files.
    pub fn open(folder: impl AsRef<Path>, clock: Arc<dyn Clock>) -> PortResult<Self> {
        let folder = folder.as_ref();
        Ok(Self::new(
            PoolManager::new(clock),
            DagTracker::open(folder.join("dag"))?,
            ArtifactStore::open(folder.join("artifacts"))?,
        ))
    }

    /// The Pit of these members.
    pub fn new(pool: PoolManager, dag: DagTracker, artifacts: ArtifactStore) -> Self {
        Self {
            pool,
            dag,
            artifacts,
            arbitration: ArbitrationEngine,
            stale: StaleManager,
            calls: Calls::default(),
        }
    }

    /// What each operation did so far.
    pub fn metrics(&self) -> Vec<OperationMetrics> {
        self.calls.metrics()
    }

    /// The Pool Manager: its synchronous calls and its status.
    pub fn pool(&self) -> &PoolManager {
        &self.pool
    }

    /// The DAG Tracker: which runs are damaged.
    pub fn dag(&self) -> &DagTracker {
        &self.dag
    }

    /// The Artifact Store: its status.
    pub fn artifacts(&self) -> &ArtifactStore {
        &self.artifacts
    }
}

#[async_trait]
impl ModelPool for PitAdapter {
    async fn allocate_model(&self, spec: ModelSpec, wait: Duration) -> PortResult<ModelHandle> {
        let call = self.pool.allocate_model(spec, wait);
        self.calls.allocate_model.count(call).await
    }

    async fn release_model(&self, handle: ModelHandle) -> PortResult<()> {
        let call = self.pool.release_model(handle);
        self.calls.release_model.count(call).await
    }
}

#[async_trait]
impl DagTracking for PitAdapter {
    async fn begin_run(&self, run: NewRun) -> PortResult<()> {
        self.calls.begin_run.count(self.dag.begin_run(run)).await
    }

    async fn resume_run(&self, run: &RunId) -> PortResult<()> {
        self.calls.resume_run.count(self.dag.resume_run(run)).await
    }

    async fn execute_dag_node(
        &self,
        run: &RunId,
        node: DagNode,
        executor: &dyn NodeExecutor,
    ) -> PortResult<NodeResult> {
        let call = self.dag.execute_dag_node(run, node, executor);
        self.calls.execute_dag_node.count(call).await
    }

    async fn skip_node(&self, run: &RunId, node: NodeId, reason: &str) -> PortResult<()> {
        let call = self.dag.skip_node(run, node, reason);
        self.calls.skip_node.count(call).await
    }

    async fn finish_run(
        &self,
        run: &RunId,
        outcome: RunOutcome,
        finished: SystemTime,
    ) -> PortResult<()> {
        let call = self.dag.finish_run(run, outcome, finished);
        self.calls.finish_run.count(call).await
    }

    async fn run(&self, run: &RunId) -> PortResult<RunRecord> {
        self.calls.run.count(self.dag.run(run)).await
    }

    async fn runs(&self) -> PortResult<Vec<RunRecord>> {
        self.calls.runs.count(self.dag.runs()).await
    }

    async fn runs_succeeded_before(&self, before: SystemTime) -> PortResult<Vec<RunRecord>> {
        let call = self.dag.runs_succeeded_before(before);
        self.calls.runs_succeeded_before.count(call).await
    }

    async fn remove_run(&self, run: &RunId) -> PortResult<()> {
        self.calls.remove_run.count(self.dag.remove_run(run)).await
    }

    async fn forget_cached(&self, key: &CacheKey) -> PortResult<()> {
        let call = self.dag.forget_cached(key);
        self.calls.forget_cached.count(call).await
    }
}

#[async_trait]
impl ArtifactStorage for PitAdapter {
    async fn store_artifact(&self, content: ArtifactContent) -> PortResult<ArtifactId> {
        let call = self.artifacts.store_artifact(content);
        self.calls.store_artifact.count(call).await
    }

    async fn retrieve_artifact(&self, id: &ArtifactId) -> PortResult<Artifact> {
        let call = self.artifacts.retrieve_artifact(id);
        self.calls.retrieve_artifact.count(call).await
    }

    async fn contains_artifact(&self, id: &ArtifactId) -> PortResult<bool> {
        let call = self.artifacts.contains_artifact(id);
        self.calls.contains_artifact.count(call).await
    }

    async fn find_artifacts(&self, prefix: &str, limit: usize) -> PortResult<Vec<ArtifactSummary>> {
        let call = self.artifacts.find_artifacts(prefix, limit);
        self.calls.find_artifacts.count(call).await
    }
}

#[async_trait]
impl Arbitration for PitAdapter {
    async fn resolve_conflict(&self, conflict: Conflict) -> PortResult<Resolution> {
        let call = self.arbitration.resolve_conflict(conflict);
        self.calls.resolve_conflict.count(call).await
    }
}

#[async_trait]
impl Staleness for PitAdapter {
    async fn stale(
        &self,
        candidates: Vec<Candidate>,
        policy: &RetentionPolicy,
        now: SystemTime,
    ) -> PortResult<Vec<ArtifactId>> {
        let call = self.stale.stale(candidates, policy, now);
        self.calls.stale.count(call).await
    }
}
