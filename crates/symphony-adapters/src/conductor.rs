//! The Conductor that only follows rules: what plays when nothing learns.

use crate::data::is_key;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::{
    cmp::Ordering,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use symphony_core_ports::{
    Clock, Collection, ConductorPort, DataPort, Decision, DecisionContext, EpisodeId, Expected,
    PlayerCandidate, Policy, PolicyContext, PortError, PortResult, RecordKey,
};

/// The name of the policy, as it stands in every decision.
pub const POLICY: &str = "rules";

/// Where decisions wait for their rewards.
const DECISIONS: &str = "decisions";
/// What a learner reads: rewards, each with its decision.
const REWARDS: &str = "rewards";
/// So many rewards of one decision are told apart.
const MAX_REWARDS: u32 = 10_000;

/// [`ConductorPort`] by plain rules: the user's default if it is a candidate,
/// else the cheapest, else the first by name.
///
/// It does not learn, and keeps what a learner needs: each decision goes into
/// the collection `decisions` before it is answered, each reward together with
/// its decision into `rewards`, as `<episode>.<number>`.
pub struct RuleConductor {
    data: Arc<dyn DataPort>,
    clock: Arc<dyn Clock>,
}

impl RuleConductor {
    /// A Conductor that keeps decisions and rewards in `data`.
    pub fn new(data: Arc<dyn DataPort>, clock: Arc<dyn Clock>) -> Self {
        Self { data, clock }
    }

    fn seconds(&self) -> f64 {
        let now: SystemTime = self.clock.now();
        now.duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64()
    }
}

/// The rules.
fn choose(candidates: &[PlayerCandidate]) -> Option<(&PlayerCandidate, String)> {
    let order = |a: &&PlayerCandidate, b: &&PlayerCandidate| {
        cost(a)
            .partial_cmp(&cost(b))
            .unwrap_or(Ordering::Equal)
            .then_with(|| name(a).cmp(&name(b)))
    };
    if let Some(default) = candidates.iter().filter(|c| c.is_default).min_by(order) {
        return Some((
            default,
            "your configuration names it as the default".to_owned(),
        ));
    }
    let cheapest = candidates.iter().min_by(order)?;
    let level = candidates
        .iter()
        .filter(|c| cost(c).total_cmp(&cost(cheapest)).is_eq())
        .count();
    let reason = match (candidates.len(), level) {
        (1, _) => "it is the only one that fulfils the needs".to_owned(),
        (_, 1) => format!(
            "it is the cheapest of {}: {} USD a million tokens read and a million written",
            candidates.len(),
            cost(cheapest)
        ),
        _ => format!("{level} cost the same, and its name sorts first"),
    };
    Some((cheapest, reason))
}

/// A million tokens read and a million written; a price that is not a number is the highest.
fn cost(candidate: &PlayerCandidate) -> f64 {
    let sum = candidate.usd_per_1m_input + candidate.usd_per_1m_output;
    if sum.is_nan() { f64::INFINITY } else { sum }
}

fn name(candidate: &PlayerCandidate) -> String {
    candidate.player.to_string()
}

/// An episode as the beginning of a record's key.
fn key_of(episode: &EpisodeId) -> String {
    let text = episode.as_str();
    if is_key(text) && text.len() <= 150 {
        text.to_owned()
    } else {
        format!("hash-{}", blake3::hash(text.as_bytes()).to_hex())
    }
}

fn written(value: &impl serde::Serialize) -> PortResult<Value> {
    serde_json::to_value(value)
        .map_err(|e| PortError::failed_because("a decision cannot be written down", e))
}

#[async_trait]
impl ConductorPort for RuleConductor {
    async fn submit_decision(&self, context: DecisionContext) -> PortResult<Decision> {
        let Some((chosen, reason)) = choose(&context.candidates) else {
            return Err(PortError::not_found(format!(
                "a player for {} of {} that can {}",
                context.node,
                context.melody,
                context.needs.join(", ")
            )));
        };
        let decision = Decision {
            player: chosen.player.clone(),
            reason,
            propensity: 1.0,
            policy: POLICY.to_owned(),
        };
        let record = json!({
            "decided": self.seconds(),
            "context": written(&context)?,
            "decision": written(&decision)?,
        });
        let key = RecordKey::new(key_of(&context.episode));
        self.data
            .put(&DECISIONS.into(), &key, record, Expected::Any)
            .await?;
        Ok(decision)
    }

    async fn report_reward(&self, episode: &EpisodeId, reward: f64) -> PortResult<()> {
        if !(-1.0..=1.0).contains(&reward) {
            return Err(PortError::invalid(
                "reward",
                format!("{reward} is not within -1 and 1"),
            ));
        }
        let base = key_of(episode);
        let key = RecordKey::new(base.clone());
        let Some(decision) = self.data.get(&DECISIONS.into(), &key).await? else {
            tracing::debug!(%episode, reward, "a reward for a decision that is not known");
            return Ok(());
        };
        let record = json!({
            "episode": episode,
            "reward": reward,
            "reported": self.seconds(),
            "decided": decision.value["decided"],
            "context": decision.value["context"],
            "decision": decision.value["decision"],
        });
        // A decision may be rewarded again: accepted, then undone. All is kept.
        let rewards = Collection::from(REWARDS);
        for number in 1..=MAX_REWARDS {
            let key = RecordKey::new(format!("{base}.{number}"));
            let put = self
                .data
                .put(&rewards, &key, record.clone(), Expected::Absent);
            match put.await {
                Ok(_) => return Ok(()),
                Err(PortError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(PortError::Exhausted {
            resource: format!("the rewards of episode {episode}"),
            details: format!("{MAX_REWARDS} are there"),
            retry_after: None,
        })
    }

    async fn get_policy(&self, _: &PolicyContext) -> PortResult<Policy> {
        Ok(Policy {
            name: POLICY.to_owned(),
            description: "plain rules: your default if it fits, else the cheapest, else the first \
                          by name; rewards are kept and nothing is learned from them"
                .to_owned(),
            learns: false,
        })
    }
}
