//! The Pit in memory: five small mocks and their sum.

mod artifacts;
mod dag;
mod judge;
mod pool;

pub use artifacts::MockArtifactStorage;
pub use dag::MockDagTracking;
pub use judge::{MockArbitration, MockStaleness};
pub use pool::MockModelPool;

use crate::{Call, SimulatedClock};
use async_trait::async_trait;
use std::time::{Duration, SystemTime};
use symphony_core_ports::{
    Arbitration, Artifact, ArtifactContent, ArtifactId, ArtifactStorage, ArtifactSummary, CacheKey,
    Candidate, Conflict, DagNode, DagTracking, ModelHandle, ModelPool, ModelSpec, NewRun,
    NodeExecutor, NodeId, NodeResult, PortError, PortResult, Resolution, RetentionPolicy, RunId,
    RunOutcome, RunRecord, Staleness,
};

/// A [`PitPort`](symphony_core_ports::PitPort) made of the five mocks, each
/// reachable for what only it can tell.
///
/// Operations for scripts: the method names of the five traits.
#[derive(Debug, Clone)]
pub struct MockPitAdapter {
    /// Pool Manager.
    pub pool: MockModelPool,
    /// DAG Tracker.
    pub dag: MockDagTracking,
    /// Artifact Store.
    pub artifacts: MockArtifactStorage,
    /// Arbitration Engine.
    pub arbitration: MockArbitration,
    /// Stale Manager.
    pub staleness: MockStaleness,
}

impl MockPitAdapter {
    /// Empty.
    pub fn new() -> Self {
        Self::with_clock(SimulatedClock::new())
    }

    /// With waits and delays on this clock.
    pub fn with_clock(clock: SimulatedClock) -> Self {
        Self {
            pool: MockModelPool::with_clock(clock.clone()),
            dag: MockDagTracking::with_clock(clock.clone()),
            artifacts: MockArtifactStorage::with_clock(clock.clone()),
            arbitration: MockArbitration::with_clock(clock.clone()),
            staleness: MockStaleness::with_clock(clock),
        }
    }

    /// What the Pit is after its process was killed and started again: records
    /// and artifacts are there, leases and running nodes are not. Calls and
    /// scripts begin anew.
    #[must_use]
    pub fn restarted(&self) -> Self {
        let clock = self.pool.script().clock().clone();
        Self {
            dag: self.dag.restarted(),
            artifacts: self.artifacts.restarted(),
            ..Self::with_clock(clock)
        }
    }

    /// The next call of `operation` fails.
    pub fn fail_next(&self, operation: &str, error: PortError) {
        self.script_of(operation).fail_next(operation, error);
    }

    /// The `nth` call of `operation` from now on fails.
    pub fn fail_nth(&self, operation: &str, nth: u64, error: PortError) {
        self.script_of(operation).fail_nth(operation, nth, error);
    }

    /// Each call of `operation` takes this long.
    pub fn delay(&self, operation: &str, delay: Duration) {
        self.script_of(operation).delay(operation, delay);
    }

    /// How often `operation` was called.
    pub fn count(&self, operation: &str) -> u64 {
        self.script_of(operation).count(operation)
    }

    /// The calls so far, member by member.
    pub fn calls(&self) -> Vec<Call> {
        let members = self.members();
        members.into_iter().flat_map(|s| s.calls()).collect()
    }

    fn members(&self) -> [&crate::Script; 5] {
        [
            self.pool.script(),
            self.dag.script(),
            self.artifacts.script(),
            self.arbitration.script(),
            self.staleness.script(),
        ]
    }

    fn script_of(&self, operation: &str) -> &crate::Script {
        let mut members = self.members().into_iter();
        match members.find(|script| script.knows(operation)) {
            Some(script) => script,
            None => panic!("the Pit has no operation `{operation}`"),
        }
    }
}

impl Default for MockPitAdapter {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl ModelPool for MockPitAdapter {
    async fn allocate_model(&self, spec: ModelSpec, wait: Duration) -> PortResult<ModelHandle> {
        self.pool.allocate_model(spec, wait).await
    }

    async fn release_model(&self, handle: ModelHandle) -> PortResult<()> {
        self.pool.release_model(handle).await
    }
}

#[async_trait]
impl DagTracking for MockPitAdapter {
    async fn begin_run(&self, run: NewRun) -> PortResult<()> {
        self.dag.begin_run(run).await
    }

    async fn resume_run(&self, run: &RunId) -> PortResult<()> {
        self.dag.resume_run(run).await
    }

    async fn execute_dag_node(
        &self,
        run: &RunId,
        node: DagNode,
        executor: &dyn NodeExecutor,
    ) -> PortResult<NodeResult> {
        self.dag.execute_dag_node(run, node, executor).await
    }

    async fn skip_node(&self, run: &RunId, node: NodeId, reason: &str) -> PortResult<()> {
        self.dag.skip_node(run, node, reason).await
    }

    async fn finish_run(
        &self,
        run: &RunId,
        outcome: RunOutcome,
        finished: SystemTime,
    ) -> PortResult<()> {
        self.dag.finish_run(run, outcome, finished).await
    }

    async fn run(&self, run: &RunId) -> PortResult<RunRecord> {
        self.dag.run(run).await
    }

    async fn runs(&self) -> PortResult<Vec<RunRecord>> {
        self.dag.runs().await
    }

    async fn runs_succeeded_before(&self, before: SystemTime) -> PortResult<Vec<RunRecord>> {
        self.dag.runs_succeeded_before(before).await
    }

    async fn remove_run(&self, run: &RunId) -> PortResult<()> {
        self.dag.remove_run(run).await
    }

    async fn forget_cached(&self, key: &CacheKey) -> PortResult<()> {
        self.dag.forget_cached(key).await
    }
}

#[async_trait]
impl ArtifactStorage for MockPitAdapter {
    async fn store_artifact(&self, content: ArtifactContent) -> PortResult<ArtifactId> {
        self.artifacts.store_artifact(content).await
    }

    async fn retrieve_artifact(&self, id: &ArtifactId) -> PortResult<Artifact> {
        self.artifacts.retrieve_artifact(id).await
    }

    async fn contains_artifact(&self, id: &ArtifactId) -> PortResult<bool> {
        self.artifacts.contains_artifact(id).await
    }

    async fn find_artifacts(&self, prefix: &str, limit: usize) -> PortResult<Vec<ArtifactSummary>> {
        self.artifacts.find_artifacts(prefix, limit).await
    }
}

#[async_trait]
impl Arbitration for MockPitAdapter {
    async fn resolve_conflict(&self, conflict: Conflict) -> PortResult<Resolution> {
        self.arbitration.resolve_conflict(conflict).await
    }
}

#[async_trait]
impl Staleness for MockPitAdapter {
    async fn stale(
        &self,
        candidates: Vec<Candidate>,
        policy: &RetentionPolicy,
        now: SystemTime,
    ) -> PortResult<Vec<ArtifactId>> {
        self.staleness.stale(candidates, policy, now).await
    }
}
