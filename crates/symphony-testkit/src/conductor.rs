//! A Conductor that chooses by rule.

use crate::{
    SimulatedClock,
    script::{Script, scripted},
};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use symphony_core_ports::{
    ConductorPort, Decision, DecisionContext, EpisodeId, PlayerRef, Policy, PolicyContext,
    PortError, PortResult,
};

type Chooser = Box<dyn Fn(&DecisionContext) -> Option<PlayerRef> + Send>;

/// A [`ConductorPort`] that chooses the default candidate, else the first one,
/// unless [`choose`](Self::choose) says otherwise; keeps decisions and rewards.
///
/// Operations for scripts: `submit_decision`, `report_reward`, `get_policy`.
#[derive(Clone)]
pub struct MockConductorAdapter {
    shared: Arc<Mutex<Shared>>,
    script: Script,
}

#[derive(Default)]
struct Shared {
    chooser: Option<Chooser>,
    decisions: Vec<(DecisionContext, Decision)>,
    rewards: Vec<(EpisodeId, f64)>,
}

scripted!(MockConductorAdapter);

impl MockConductorAdapter {
    /// Chooses the default candidate, else the first.
    pub fn new() -> Self {
        Self::with_clock(SimulatedClock::new())
    }

    /// With delays on this clock.
    pub fn with_clock(clock: SimulatedClock) -> Self {
        let operations = &["submit_decision", "report_reward", "get_policy"];
        Self {
            shared: Arc::default(),
            script: Script::new(operations, clock),
        }
    }

    /// Chooses by `chooser`; where it gives `None`, or no candidate, the plain rule holds.
    pub fn choose(&self, chooser: impl Fn(&DecisionContext) -> Option<PlayerRef> + Send + 'static) {
        self.lock().chooser = Some(Box::new(chooser));
    }

    /// What was decided so far.
    pub fn decisions(&self) -> Vec<(DecisionContext, Decision)> {
        self.lock().decisions.clone()
    }

    /// The rewards so far.
    pub fn rewards(&self) -> Vec<(EpisodeId, f64)> {
        self.lock().rewards.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MockConductorAdapter {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl ConductorPort for MockConductorAdapter {
    async fn submit_decision(&self, context: DecisionContext) -> PortResult<Decision> {
        self.script
            .enter("submit_decision", context.node.clone())
            .await?;
        let mut shared = self.lock();
        let wished = shared
            .chooser
            .as_ref()
            .and_then(|chooser| chooser(&context))
            .and_then(|wish| context.candidates.iter().find(|c| c.player == wish));
        let chosen = wished
            .or_else(|| context.candidates.iter().find(|c| c.is_default))
            .or_else(|| context.candidates.first())
            .ok_or_else(|| PortError::not_found(format!("a player for `{}`", context.node)))?;
        let decision = Decision {
            player: chosen.player.clone(),
            reason: "The test says so.".into(),
            propensity: 1.0,
            policy: "mock".into(),
        };
        shared.decisions.push((context, decision.clone()));
        Ok(decision)
    }

    async fn report_reward(&self, episode: &EpisodeId, reward: f64) -> PortResult<()> {
        self.script
            .enter("report_reward", format!("{episode} {reward}"))
            .await?;
        if !(-1.0..=1.0).contains(&reward) {
            return Err(PortError::invalid("reward", "not a number from -1 to 1"));
        }
        self.lock().rewards.push((episode.clone(), reward));
        Ok(())
    }

    async fn get_policy(&self, context: &PolicyContext) -> PortResult<Policy> {
        let about = context.melody.clone().unwrap_or_default();
        self.script.enter("get_policy", about).await?;
        Ok(Policy {
            name: "mock".into(),
            description: "Chooses the default, else the first.".into(),
            learns: false,
        })
    }
}
