//! Runs in memory.

use crate::{
    SimulatedClock,
    script::{Script, scripted},
};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};
use symphony_core_ports::{
    CacheKey, DagNode, DagTracking, NewRun, NodeExecutor, NodeId, NodeOutput, NodeRecord,
    NodeResult, NodeState, PortError, PortResult, ResultOrigin, RunId, RunOutcome, RunRecord,
};

const OPERATIONS: &[&str] = &[
    "begin_run",
    "resume_run",
    "execute_dag_node",
    "skip_node",
    "finish_run",
    "run",
    "runs",
    "runs_succeeded_before",
    "remove_run",
    "forget_cached",
];

/// A [`DagTracking`] in memory.
///
/// Operations for scripts: the names of the port's methods.
#[derive(Debug, Clone)]
pub struct MockDagTracking {
    shared: Arc<Mutex<Shared>>,
    script: Script,
}

#[derive(Debug, Default)]
struct Shared {
    /// In the order they began.
    runs: Vec<RunRecord>,
    cache: BTreeMap<CacheKey, NodeOutput>,
    executing: BTreeSet<(RunId, NodeId)>,
}

scripted!(MockDagTracking);

impl MockDagTracking {
    /// Without runs.
    pub fn new() -> Self {
        Self::with_clock(SimulatedClock::new())
    }

    /// With delays on this clock.
    pub fn with_clock(clock: SimulatedClock) -> Self {
        Self {
            shared: Arc::default(),
            script: Script::new(OPERATIONS, clock),
        }
    }

    /// What a crash would leave: records and cache, nothing that runs.
    #[must_use]
    pub fn restarted(&self) -> Self {
        let fresh = Self::with_clock(self.script.clock().clone());
        {
            let old = self.lock();
            let mut new = fresh.lock();
            new.runs = old.runs.clone();
            new.cache = old.cache.clone();
        }
        fresh
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MockDagTracking {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    fn find(&mut self, id: &RunId) -> PortResult<&mut RunRecord> {
        self.runs
            .iter_mut()
            .find(|record| record.run.id == *id)
            .ok_or_else(|| PortError::not_found(format!("run {id}")))
    }

    /// Gives the result where there is one, else notes that the node starts.
    fn start(&mut self, run: &RunId, node: &DagNode) -> PortResult<Option<NodeResult>> {
        let cached = node
            .cache_key
            .as_ref()
            .and_then(|key| self.cache.get(key))
            .cloned();
        let executing = self.executing.contains(&(run.clone(), node.id.clone()));
        let record = self.find(run)?;
        let known = record.nodes.iter().find(|known| known.id == node.id);
        if let Some(NodeState::Completed { result }) = known.map(|known| &known.state) {
            return Ok(Some(NodeResult {
                origin: ResultOrigin::Log,
                ..result.clone()
            }));
        }
        if executing {
            return Err(PortError::Conflict {
                details: format!("{} is being executed", node.id),
                ranges: Vec::new(),
            });
        }
        if let Some(output) = cached {
            let result = NodeResult {
                node: node.id.clone(),
                output,
                origin: ResultOrigin::Cache,
            };
            let state = NodeState::Completed {
                result: result.clone(),
            };
            set(record, node, state);
            return Ok(Some(result));
        }
        set(record, node, NodeState::Started);
        self.executing.insert((run.clone(), node.id.clone()));
        Ok(None)
    }

    fn end(
        &mut self,
        run: &RunId,
        node: &DagNode,
        outcome: PortResult<NodeOutput>,
    ) -> PortResult<NodeResult> {
        let record = self.find(run)?;
        match outcome {
            Ok(output) => {
                let result = NodeResult {
                    node: node.id.clone(),
                    output: output.clone(),
                    origin: ResultOrigin::Executed,
                };
                let state = NodeState::Completed {
                    result: result.clone(),
                };
                set(record, node, state);
                if let Some(key) = &node.cache_key {
                    self.cache.insert(key.clone(), output);
                }
                Ok(result)
            }
            Err(error) => {
                let state = NodeState::Failed {
                    error: error.to_string(),
                };
                set(record, node, state);
                Err(error)
            }
        }
    }
}

fn succeeded(record: &RunRecord) -> bool {
    matches!(record.outcome, Some(RunOutcome::Succeeded { .. }))
}

fn set(record: &mut RunRecord, node: &DagNode, state: NodeState) {
    let new = NodeRecord {
        id: node.id.clone(),
        player: node.player.clone(),
        label: node.label.clone(),
        state,
    };
    match record.nodes.iter_mut().find(|known| known.id == new.id) {
        Some(known) => *known = new,
        None => record.nodes.push(new),
    }
}

/// Notes that a node is no longer executed, also when its future is dropped.
struct Executing<'a> {
    tracker: &'a MockDagTracking,
    key: (RunId, NodeId),
}

impl Drop for Executing<'_> {
    fn drop(&mut self) {
        self.tracker.lock().executing.remove(&self.key);
    }
}

#[async_trait]
impl DagTracking for MockDagTracking {
    async fn begin_run(&self, run: NewRun) -> PortResult<()> {
        self.script.enter("begin_run", run.id.0.clone()).await?;
        let mut shared = self.lock();
        if shared.find(&run.id).is_ok() {
            return Err(PortError::Conflict {
                details: format!("run {} exists", run.id),
                ranges: Vec::new(),
            });
        }
        shared.runs.push(RunRecord {
            run,
            nodes: Vec::new(),
            outcome: None,
            finished: None,
        });
        Ok(())
    }

    async fn resume_run(&self, run: &RunId) -> PortResult<()> {
        self.script.enter("resume_run", run.0.clone()).await?;
        let mut shared = self.lock();
        let record = shared.find(run)?;
        record.outcome = None;
        record.finished = None;
        Ok(())
    }

    async fn execute_dag_node(
        &self,
        run: &RunId,
        node: DagNode,
        executor: &dyn NodeExecutor,
    ) -> PortResult<NodeResult> {
        self.script
            .enter("execute_dag_node", node.id.0.clone())
            .await?;
        let known = self.lock().start(run, &node)?;
        if let Some(result) = known {
            return Ok(result);
        }
        let executing = Executing {
            tracker: self,
            key: (run.clone(), node.id.clone()),
        };
        let outcome = executor.execute(&node).await;
        let result = self.lock().end(run, &node, outcome);
        drop(executing);
        result
    }

    async fn skip_node(&self, run: &RunId, node: NodeId, reason: &str) -> PortResult<()> {
        self.script.enter("skip_node", node.0.clone()).await?;
        let mut shared = self.lock();
        let record = shared.find(run)?;
        let node = DagNode {
            id: node,
            player: String::new(),
            label: String::new(),
            cache_key: None,
            idempotency_key: String::new(),
        };
        let reason = reason.to_owned();
        set(record, &node, NodeState::Skipped { reason });
        Ok(())
    }

    async fn finish_run(
        &self,
        run: &RunId,
        outcome: RunOutcome,
        finished: SystemTime,
    ) -> PortResult<()> {
        self.script.enter("finish_run", run.0.clone()).await?;
        let mut shared = self.lock();
        let record = shared.find(run)?;
        record.outcome = Some(outcome);
        record.finished = Some(finished);
        Ok(())
    }

    async fn run(&self, run: &RunId) -> PortResult<RunRecord> {
        self.script.enter("run", run.0.clone()).await?;
        self.lock().find(run).cloned()
    }

    async fn runs(&self) -> PortResult<Vec<RunRecord>> {
        self.script.enter("runs", "").await?;
        let mut runs = self.lock().runs.clone();
        runs.reverse();
        runs.sort_by_key(|record| std::cmp::Reverse(record.run.started));
        Ok(runs)
    }

    async fn runs_succeeded_before(&self, before: SystemTime) -> PortResult<Vec<RunRecord>> {
        self.script.enter("runs_succeeded_before", "").await?;
        let shared = self.lock();
        let old = shared.runs.iter().filter(|record| {
            succeeded(record) && record.finished.is_some_and(|finished| finished < before)
        });
        let mut old: Vec<_> = old.cloned().collect();
        old.sort_by_key(|record| record.finished);
        Ok(old)
    }

    async fn remove_run(&self, run: &RunId) -> PortResult<()> {
        self.script.enter("remove_run", run.0.clone()).await?;
        let mut shared = self.lock();
        let busy = shared.executing.iter().any(|(busy, _)| busy == run);
        if busy || !succeeded(shared.find(run)?) {
            return Err(PortError::Conflict {
                details: format!("run {run} can still be resumed"),
                ranges: Vec::new(),
            });
        }
        shared.runs.retain(|record| record.run.id != *run);
        Ok(())
    }

    async fn forget_cached(&self, key: &CacheKey) -> PortResult<()> {
        self.script.enter("forget_cached", key.0.clone()).await?;
        self.lock().cache.remove(key);
        Ok(())
    }
}
