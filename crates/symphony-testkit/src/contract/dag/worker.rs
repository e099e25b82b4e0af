//! What the suite has executed, and by whom.

use async_trait::async_trait;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};
use symphony_core_ports::{
    ArtifactId, CacheKey, DagNode, NewRun, NodeExecutor, NodeId, NodeOutput, PortError, PortResult,
    RunId, Usage,
};
use tokio::sync::Notify;

/// Counts and remembers what it executes.
#[derive(Default)]
pub(super) struct Worker {
    executed: AtomicUsize,
    keys: Mutex<Vec<String>>,
    /// Set: fails instead.
    failure: Mutex<Option<PortError>>,
    /// Set: waits for it before it answers.
    gate: Option<Arc<Notify>>,
}

impl Worker {
    pub(super) fn failing(error: PortError) -> Self {
        Self {
            failure: Mutex::new(Some(error)),
            ..Self::default()
        }
    }

    pub(super) fn gated(gate: &Arc<Notify>) -> Self {
        Self {
            gate: Some(Arc::clone(gate)),
            ..Self::default()
        }
    }

    pub(super) fn executed(&self) -> usize {
        self.executed.load(Ordering::SeqCst)
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[async_trait]
impl NodeExecutor for Worker {
    async fn execute(&self, node: &DagNode) -> PortResult<NodeOutput> {
        self.executed.fetch_add(1, Ordering::SeqCst);
        self.keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(node.idempotency_key.clone());
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        let failure = self
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match failure {
            Some(error) => Err(error),
            None => Ok(output_of(node)),
        }
    }
}

pub(super) fn output_of(node: &DagNode) -> NodeOutput {
    NodeOutput {
        output: artifact(node.label.as_str()),
        usage: Usage {
            model_calls: 1,
            input_tokens: 100,
            output_tokens: 10,
            usd: 0.25,
        },
        attempts: 2,
        duration: Duration::from_millis(1_234),
    }
}

pub(super) fn artifact(text: &str) -> ArtifactId {
    ArtifactId::from_blake3(*blake3::hash(text.as_bytes()).as_bytes())
}

pub(super) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

pub(super) fn new_run(id: &str, started: u64) -> NewRun {
    NewRun {
        id: RunId::from(id),
        melody: "document".into(),
        plan: artifact("plan"),
        started: at(started),
    }
}

pub(super) fn node(id: &str, key: Option<&str>) -> DagNode {
    DagNode {
        id: NodeId::from(id),
        player: "operator/find-undocumented".into(),
        label: format!("label of {id}"),
        cache_key: key.map(CacheKey::from),
        idempotency_key: format!("key of {id}"),
    }
}
