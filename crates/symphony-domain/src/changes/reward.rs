//! What the Conductor is told of a review.

use super::{
    ChangeSets,
    store::Loaded,
    types::{Application, Decided, Hunk, HunkDecision, HunkId},
};
use std::collections::HashSet;

impl ChangeSets {
    /// Rewards the decisions that led to the hunks of an application.
    pub(super) async fn reward(&self, application: &Application) {
        let loaded = async {
            let record = self.store.find_set(&application.change_set).await?;
            self.store.load(record).await
        };
        match loaded.await {
            Ok(set) => self.reward_decisions(&set, &application.decisions).await,
            Err(error) => tracing::warn!(%error, "no reward: the change set cannot be read"),
        }
    }

    /// Rewards each episode by the share of accepted hunks among those that it made.
    pub(super) async fn reward_decisions(&self, set: &Loaded, decisions: &[HunkDecision]) {
        let hunks = || set.plan.files.iter().flat_map(|file| &file.hunks);
        for episode in &set.plan.episodes {
            let player = episode.player.to_string();
            let by_player = |hunk: &&Hunk| hunk.by.split(", ").any(|one| one == player);
            let own: HashSet<HunkId> = hunks().filter(by_player).map(|hunk| hunk.id).collect();
            // A player that made no edit itself, a planner for instance, stands for all.
            let counted = decisions
                .iter()
                .filter(|decision| own.is_empty() || own.contains(&decision.hunk));
            let Some(reward) = mean(counted.clone().filter_map(worth)) else {
                continue;
            };
            let told = self
                .store
                .core
                .conductor
                .report_reward(&episode.episode, reward);
            match told.await {
                Ok(()) => {
                    let edited = counted.filter(|decision| decision.is_edited()).count();
                    tracing::debug!(episode = %episode.episode, reward, edited, "rewarded");
                }
                Err(error) => {
                    tracing::warn!(episode = %episode.episode, %error, "a reward was not taken");
                }
            }
        }
    }
}

/// What a hunk is worth that was taken with the reviewer's own text: the place
/// and the intent were right, the words were not.
const EDITED: f64 = 0.5;

/// What a decision says of a hunk: 1 for taken, [`EDITED`] for taken with an
/// edit, -1 for rejected or taken back.
fn worth(decision: &HunkDecision) -> Option<f64> {
    match (decision.from, decision.to) {
        (_, Decided::Accepted) if decision.is_edited() => Some(EDITED),
        (_, Decided::Accepted) => Some(1.0),
        (_, Decided::Rejected) | (Decided::Accepted, Decided::Pending) => Some(-1.0),
        (_, Decided::Pending) => None,
    }
}

/// Between -1 and 1 for parts that are.
fn mean(parts: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = parts.fold((0.0, 0u32), |(sum, count), part| (sum + part, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}
