//! The bridge to the Conductor.

use crate::{
    PortResult,
    types::{Decision, DecisionContext, EpisodeId, Policy, PolicyContext},
};
use async_trait::async_trait;

/// The one who chooses.
///
/// An implementation MUST choose one of the candidates, state its propensity in
/// (0, 1], and answer within a second or fail, so that a fixed choice can step in.
#[async_trait]
pub trait ConductorPort: Send + Sync {
    /// Chooses a player.
    ///
    /// # Errors
    /// `NotFound` when there is no candidate.
    async fn submit_decision(&self, context: DecisionContext) -> PortResult<Decision>;

    /// Says how good the outcome of a decision was, from -1 (rejected) to 1 (accepted).
    ///
    /// # Errors
    /// `InvalidInput` outside of that range or not a number. An unknown episode is no error.
    async fn report_reward(&self, episode: &EpisodeId, reward: f64) -> PortResult<()>;

    /// Who decides at present.
    ///
    /// # Errors
    /// Those of the process behind the port.
    async fn get_policy(&self, context: &PolicyContext) -> PortResult<Policy>;
}
