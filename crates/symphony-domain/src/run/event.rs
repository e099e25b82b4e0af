//! What a run tells while it plays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use symphony_core_ports::{ArtifactId, Usage};

/// Takes events; must not block.
pub type EventSink = Arc<dyn Fn(RunEvent) + Send + Sync>;

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The run began, or was resumed.
    RunStarted {
        /// Which.
        run: String,
        /// The melody's name.
        melody: String,
        /// Its nodes, in order: name and title.
        nodes: Vec<(String, String)>,
        /// Whether it was resumed.
        resumed: bool,
    },
    /// A node began.
    NodeStarted {
        /// Which.
        node: String,
        /// Who plays it.
        player: String,
        /// Why this player, where someone chose.
        reason: String,
        /// Of how many elements, for a fan-out.
        total: Option<u64>,
    },
    /// A node or an element of its fan-out is done.
    InstanceFinished {
        /// The node.
        node: String,
        /// Elements done so far.
        done: u64,
        /// Elements.
        total: u64,
        /// `executed`, `cache` or `log`.
        origin: String,
        /// What the element is, for people.
        label: String,
    },
    /// A try failed and another follows.
    Retried {
        /// The node or element.
        node: String,
        /// What the element is, for people.
        label: String,
        /// The try that failed, from 1.
        attempt: u32,
        /// Why.
        error: String,
        /// Milliseconds until the next.
        wait_ms: u64,
    },
    /// An element failed for good.
    InstanceFailed {
        /// The node or element.
        node: String,
        /// What the element is, for people.
        label: String,
        /// Why.
        error: String,
    },
    /// A player tells how far it is.
    Progress {
        /// The node or element.
        node: String,
        /// Done so far.
        done: u64,
        /// Of how many.
        total: Option<u64>,
        /// What is being done.
        message: String,
    },
    /// Text of a model as it comes.
    Text {
        /// The node or element.
        node: String,
        /// The next piece.
        text: String,
    },
    /// A node is done.
    NodeFinished {
        /// Which.
        node: String,
        /// How many elements were executed, came from cache, from the record, failed.
        counts: Counts,
        /// Milliseconds it took.
        elapsed_ms: u64,
        /// What it consumed.
        usage: Usage,
        /// Its outputs.
        output: Option<ArtifactId>,
        /// Sizes of its lists by port, e.g. `items` 23: what a summary is made of.
        sizes: std::collections::BTreeMap<String, u64>,
    },
    /// A node was left out.
    NodeSkipped {
        /// Which.
        node: String,
        /// Why.
        reason: String,
    },
    /// A node failed.
    NodeFailed {
        /// Which.
        node: String,
        /// Why.
        error: String,
    },
    /// The run ended.
    RunFinished {
        /// Which.
        run: String,
        /// `succeeded`, `failed` or `cancelled`.
        outcome: String,
        /// What it consumed.
        usage: Usage,
        /// Milliseconds it took.
        elapsed_ms: u64,
    },
}

/// How the elements of a node came about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Executed now.
    pub executed: u64,
    /// Answered from the cache.
    pub cached: u64,
    /// Already done before the run was resumed.
    pub recorded: u64,
    /// Failed.
    pub failed: u64,
}

impl Counts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.executed + self.cached + self.recorded + self.failed
    }
}
