//! Decisions of the Conductor.

use super::{PlayerRef, string_id};
use serde::{Deserialize, Serialize};

string_id! {
    /// What a reward is for: one decision.
    EpisodeId
}

/// What there is to decide: who plays a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionContext {
    /// Names the decision, for its reward.
    pub episode: EpisodeId,
    /// The melody.
    pub melody: String,
    /// The node.
    pub node: String,
    /// What the player must be able to do, e.g. `chat`, `json-schema`.
    pub needs: Vec<String>,
    /// Who could play; each fulfils the needs.
    pub candidates: Vec<PlayerCandidate>,
}

/// Someone who could play.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlayerCandidate {
    /// Who.
    pub player: PlayerRef,
    /// What a million tokens read cost, in US dollars.
    pub usd_per_1m_input: f64,
    /// What a million tokens written cost, in US dollars.
    pub usd_per_1m_output: f64,
    /// Whether the user's configuration names it as the default.
    pub is_default: bool,
}

/// Who plays, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Who.
    pub player: PlayerRef,
    /// Why, in one sentence for people.
    pub reason: String,
    /// How likely this choice was under the policy, more than 0, at most 1; makes off-policy evaluation possible.
    pub propensity: f64,
    /// The policy that decided.
    pub policy: String,
}

/// What a policy is asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyContext {
    /// The melody, if the question is about one.
    pub melody: Option<String>,
}

/// Who decides at present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// Whether it learns from rewards.
    pub learns: bool,
}
