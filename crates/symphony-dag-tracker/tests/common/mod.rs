//! What the tests of this folder share.
#![allow(dead_code, clippy::unwrap_used, reason = "tests; each uses a part")]

use async_trait::async_trait;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};
use symphony_core_ports::{
    ArtifactId, CacheKey, DagNode, DagTracking, NewRun, NodeExecutor, NodeOutput, PortError,
    PortResult, RunId, Usage,
};
use symphony_dag_tracker::DagTracker;
use tokio::sync::Semaphore;

pub fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

pub fn new_run(id: &str, second: u64) -> NewRun {
    NewRun {
        id: id.into(),
        melody: "document".to_owned(),
        plan: ArtifactId::from_blake3([1; 32]),
        started: at(second),
    }
}

pub fn node(id: &str, key: Option<&str>) -> DagNode {
    DagNode {
        id: id.into(),
        player: "operator/test".to_owned(),
        label: format!("the node {id}"),
        cache_key: key.map(CacheKey::from),
        idempotency_key: format!("once/{id}"),
    }
}

/// Counts; waits for a permit where there is a gate.
#[derive(Default)]
pub struct Counted {
    pub calls: AtomicUsize,
    pub gate: Option<Semaphore>,
    pub fails: bool,
}

impl Counted {
    pub fn gated() -> Arc<Self> {
        Arc::new(Self {
            gate: Some(Semaphore::new(0)),
            ..Self::default()
        })
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn open(&self, count: usize) {
        self.gate.as_ref().unwrap().add_permits(count);
    }
}

#[async_trait]
impl NodeExecutor for Counted {
    async fn execute(&self, node: &DagNode) -> PortResult<NodeOutput> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        if self.fails {
            return Err(PortError::failed(format!("{} does not work", node.id)));
        }
        Ok(NodeOutput {
            output: ArtifactId::from_blake3([u8::try_from(call % 256).unwrap(); 32]),
            usage: Usage {
                model_calls: 1,
                ..Usage::default()
            },
            attempts: 1,
            duration: Duration::from_millis(3),
        })
    }
}

pub fn open(folder: &Path) -> DagTracker {
    DagTracker::open(folder).unwrap()
}

pub fn log_of(folder: &Path, run: &str) -> std::path::PathBuf {
    folder.join("runs").join(format!("{run}.log"))
}

pub async fn spawned(
    tracker: &Arc<DagTracker>,
    run: &str,
    node: DagNode,
    executor: &Arc<Counted>,
) -> tokio::task::JoinHandle<PortResult<symphony_core_ports::NodeResult>> {
    let (tracker, run, executor) = (tracker.clone(), RunId::from(run), executor.clone());
    let task = tokio::spawn(async move { tracker.execute_dag_node(&run, node, &*executor).await });
    // On the runtime of one thread this lets it run until it waits.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    task
}
