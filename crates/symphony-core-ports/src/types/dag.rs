//! Runs of melodies, and their nodes.

use super::{ArtifactId, string_id};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{time::Duration, time::SystemTime};

string_id! {
    /// A run of a melody: 8 hexadecimal digits; people may use the first few.
    RunId
}
string_id! {
    /// A node of a run: `find`, or `describe[7]` for one of a fan-out.
    NodeId
}
string_id! {
    /// What a node's result depends on, hashed: player, its version and model, inputs.
    /// Equal keys mean that a result may be used again.
    CacheKey
}

/// What a run starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRun {
    /// Its name.
    pub id: RunId,
    /// The melody's name.
    pub melody: String,
    /// The melody's text, parameters and players as they were at the start: what `resume` reads.
    pub plan: ArtifactId,
    /// When.
    pub started: SystemTime,
}

/// A node to be executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DagNode {
    /// Its name, unique in the run.
    pub id: NodeId,
    /// Who executes it, e.g. `operator/find-undocumented`.
    pub player: String,
    /// What it is about, for people.
    pub label: String,
    /// Where an equal piece of work may be found; `None`: never answered from cache.
    pub cache_key: Option<CacheKey>,
    /// The same for every try of this node.
    pub idempotency_key: String,
}

/// What executing a node gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeOutput {
    /// The outputs by port, a JSON object.
    pub output: ArtifactId,
    /// What it took.
    pub usage: Usage,
    /// How often it was tried.
    pub attempts: u32,
    /// How long the last try took.
    pub duration: Duration,
}

/// What calls consumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Calls of a model.
    pub model_calls: u64,
    /// Tokens read by models.
    pub input_tokens: u64,
    /// Tokens written by models.
    pub output_tokens: u64,
    /// Money, in US dollars.
    pub usd: f64,
}

impl Usage {
    /// Tokens read and written.
    pub fn tokens(&self) -> u64 {
        self.input_tokens + self.output_tokens
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.model_calls += other.model_calls;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.usd += other.usd;
    }
}

/// Where a node's result came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultOrigin {
    /// It was executed.
    Executed,
    /// An equal piece of work was done before, in this run or another.
    Cache,
    /// This run had completed it before it was resumed.
    Log,
}

/// A completed node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeResult {
    /// Which.
    pub node: NodeId,
    /// What it gave.
    pub output: NodeOutput,
    /// Where that came from.
    pub origin: ResultOrigin,
}

/// How far a node is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum NodeState {
    /// It was started; no end was recorded.
    Started,
    /// It is done.
    Completed {
        /// The result.
        result: NodeResult,
    },
    /// It failed; a resumed run executes it again.
    Failed {
        /// Why.
        error: String,
    },
    /// Its condition did not hold.
    Skipped {
        /// Which condition.
        reason: String,
    },
}

/// A node in a run's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Which.
    pub id: NodeId,
    /// Who executes it; empty for a node that was skipped.
    pub player: String,
    /// What it is about.
    pub label: String,
    /// How far it is.
    #[serde(flatten)]
    pub state: NodeState,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "outcome")]
pub enum RunOutcome {
    /// All nodes are done.
    Succeeded {
        /// The melody's outputs, a JSON object.
        output: ArtifactId,
    },
    /// A node failed; the run can be resumed.
    Failed {
        /// Why.
        error: String,
    },
    /// The user stopped it; the run can be resumed.
    Cancelled,
}

/// Everything that is recorded of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// What it started from.
    pub run: NewRun,
    /// Its nodes, in the order they were first started.
    pub nodes: Vec<NodeRecord>,
    /// How it ended last; `None` while it plays or after a crash.
    pub outcome: Option<RunOutcome>,
    /// When it ended.
    pub finished: Option<SystemTime>,
}

impl RunRecord {
    /// What all completed nodes of this run consumed themselves, without what came from cache.
    pub fn usage(&self) -> Usage {
        let mut total = Usage::default();
        for node in &self.nodes {
            if let NodeState::Completed { result } = &node.state
                && result.origin == ResultOrigin::Executed
            {
                total += result.output.usage;
            }
        }
        total
    }
}
