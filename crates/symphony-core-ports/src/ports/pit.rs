//! The Pit: five members, five traits, one sum.

use crate::{
    PortResult,
    types::{
        Artifact, ArtifactContent, ArtifactId, ArtifactSummary, CacheKey, Candidate, Conflict,
        DagNode, ModelHandle, ModelSpec, NewRun, NodeId, NodeOutput, NodeResult, Resolution,
        RetentionPolicy, RunId, RunOutcome, RunRecord,
    },
};
use async_trait::async_trait;
use std::time::{Duration, SystemTime};

/// High-performance infrastructure: the sum of its members' traits.
pub trait PitPort: ModelPool + DagTracking + ArtifactStorage + Arbitration + Staleness {}

impl<T: ModelPool + DagTracking + ArtifactStorage + Arbitration + Staleness> PitPort for T {}

/// Pool Manager: leases on models.
///
/// An implementation MUST never hold more leases of a model than its
/// `max_parallel`, serve waiting callers first come, first served, and refuse a
/// handle given back twice.
#[async_trait]
pub trait ModelPool: Send + Sync {
    /// Waits for a lease, at most `wait`.
    ///
    /// # Errors
    /// `Timeout`; `InvalidInput` (`max_parallel` of 0, or another than the leases held were given under).
    async fn allocate_model(&self, spec: ModelSpec, wait: Duration) -> PortResult<ModelHandle>;

    /// Gives a lease back.
    ///
    /// # Errors
    /// `NotFound` for a handle that is not held.
    async fn release_model(&self, handle: ModelHandle) -> PortResult<()>;
}

/// Executes one node of a run; given to the DAG Tracker by its caller.
#[async_trait]
pub trait NodeExecutor: Send + Sync {
    /// Does the work. Called at most once per [`DagTracking::execute_dag_node`].
    ///
    /// # Errors
    /// Whatever made the work fail.
    async fn execute(&self, node: &DagNode) -> PortResult<NodeOutput>;
}

/// DAG Tracker: the durable record of runs, and the cache of node results.
///
/// An implementation MUST:
/// - answer `execute_dag_node` only after the completion is durable: an
///   acknowledged completion is never lost, whatever dies;
/// - never execute a node again that this run's record shows as completed;
/// - answer from cache when the node's cache key is known;
/// - never remove the record of a run that could still be resumed;
/// - leave a node that failed or was interrupted to be executed again, with the same idempotency key.
#[async_trait]
pub trait DagTracking: Send + Sync {
    /// Begins a run, durably.
    ///
    /// # Errors
    /// `Conflict` when a run of this id exists; `Exhausted` (disk full).
    async fn begin_run(&self, run: NewRun) -> PortResult<()>;

    /// Says that a run plays again after it ended or was interrupted; takes back its outcome.
    ///
    /// # Errors
    /// `NotFound`.
    async fn resume_run(&self, run: &RunId) -> PortResult<()>;

    /// Answers a node from the run's record or from cache, else has it executed and records the result.
    ///
    /// # Errors
    /// Those of `executor`, recorded as the node's failure; `NotFound` (no such
    /// run); `Conflict` (the node is being executed at this moment).
    async fn execute_dag_node(
        &self,
        run: &RunId,
        node: DagNode,
        executor: &dyn NodeExecutor,
    ) -> PortResult<NodeResult>;

    /// Records that a node's condition does not hold.
    ///
    /// # Errors
    /// `NotFound`.
    async fn skip_node(&self, run: &RunId, node: NodeId, reason: &str) -> PortResult<()>;

    /// Records how a run ended, durably.
    ///
    /// # Errors
    /// `NotFound`.
    async fn finish_run(
        &self,
        run: &RunId,
        outcome: RunOutcome,
        finished: SystemTime,
    ) -> PortResult<()>;

    /// Everything recorded of a run.
    ///
    /// # Errors
    /// `NotFound`.
    async fn run(&self, run: &RunId) -> PortResult<RunRecord>;

    /// The runs, newest first.
    ///
    /// # Errors
    /// Those of reading the records; a damaged record is left out and logged.
    async fn runs(&self) -> PortResult<Vec<RunRecord>>;

    /// The runs that succeeded before an instant, oldest first. Looks at less than
    /// [`DagTracking::runs`]: records that were written to since are not read.
    ///
    /// # Errors
    /// Those of reading the records; a damaged record is left out and logged.
    async fn runs_succeeded_before(&self, before: SystemTime) -> PortResult<Vec<RunRecord>>;

    /// Removes the record of a run that succeeded, durably. Its artifacts, and what
    /// the cache knows from it, stay.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when the run can still be resumed or is in use.
    async fn remove_run(&self, run: &RunId) -> PortResult<()>;

    /// Takes a result out of the cache, for instance since its artifact is gone.
    ///
    /// # Errors
    /// Those of writing.
    async fn forget_cached(&self, key: &CacheKey) -> PortResult<()>;
}

/// Artifact Store: immutable bytes by content.
///
/// An implementation MUST give equal bytes equal ids, verify bytes against the
/// id on reading, and have stored bytes on disk as their durability says.
#[async_trait]
pub trait ArtifactStorage: Send + Sync {
    /// Stores bytes; storing equal bytes again is cheap and keeps the first description.
    ///
    /// # Errors
    /// `Exhausted` (disk full); nothing is stored then.
    async fn store_artifact(&self, content: ArtifactContent) -> PortResult<ArtifactId>;

    /// Reads an artifact and verifies it.
    ///
    /// # Errors
    /// `NotFound`; `OperationFailed` when the stored bytes do not match the id.
    async fn retrieve_artifact(&self, id: &ArtifactId) -> PortResult<Artifact>;

    /// Whether an artifact is there.
    ///
    /// # Errors
    /// Those of reading the index.
    async fn contains_artifact(&self, id: &ArtifactId) -> PortResult<bool>;

    /// Artifacts whose id (after `b3:`) begins with `prefix`, at most `limit`.
    ///
    /// # Errors
    /// Those of reading the index.
    async fn find_artifacts(&self, prefix: &str, limit: usize) -> PortResult<Vec<ArtifactSummary>>;
}

/// Arbitration Engine: decides between conflicting claims.
///
/// An implementation MUST be deterministic: equal conflicts, equal resolutions.
#[async_trait]
pub trait Arbitration: Send + Sync {
    /// Decides.
    ///
    /// # Errors
    /// `InvalidInput` without claims, or with two of one name.
    async fn resolve_conflict(&self, conflict: Conflict) -> PortResult<Resolution>;
}

/// Stale Manager: says what may go.
///
/// An implementation MUST never name a candidate that is referenced.
#[async_trait]
pub trait Staleness: Send + Sync {
    /// Which candidates are stale at `now`, least recently used first.
    ///
    /// # Errors
    /// `InvalidInput` for a candidate that appears twice.
    async fn stale(
        &self,
        candidates: Vec<Candidate>,
        policy: &RetentionPolicy,
        now: SystemTime,
    ) -> PortResult<Vec<ArtifactId>>;
}
