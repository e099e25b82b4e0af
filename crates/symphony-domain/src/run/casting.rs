//! Who plays what: the user's word, else the Conductor's.

use crate::{
    core::SymphonyCore,
    melody::{Melody, check::Players},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use symphony_core_ports::{
    DecisionContext, EpisodeId, ExtensionManifest, PlayerCandidate, PlayerRef, PortError,
    PortResult, RunId, Usage,
};

/// What a player's tokens cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// US dollars for a million tokens read.
    pub usd_per_1m_input: f64,
    /// US dollars for a million tokens written.
    pub usd_per_1m_output: f64,
}

impl Price {
    /// What a call cost.
    pub fn of(&self, usage: &Usage) -> f64 {
        (usage.input_tokens as f64 * self.usd_per_1m_input
            + usage.output_tokens as f64 * self.usd_per_1m_output)
            / 1_000_000.0
    }
}

/// Who plays a node, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CastMember {
    /// Who.
    pub player: PlayerRef,
    /// Why, for people; empty when the melody names the player.
    pub reason: String,
    /// What a reward for this choice refers to; `None` when nobody chose.
    pub episode: Option<EpisodeId>,
    /// What its tokens cost.
    pub price: Price,
}

/// What the user decided about players.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Wishes {
    /// For single nodes (`--player describe=ollama`).
    pub players: BTreeMap<String, PlayerRef>,
    /// For every node that is left to the Conductor (`--model ollama`).
    pub model: Option<PlayerRef>,
    /// The Instrument that the configuration names as default.
    pub default_model: Option<PlayerRef>,
    /// What Instruments cost, by player.
    pub prices: BTreeMap<String, Price>,
}

/// Decides who plays each node.
///
/// # Errors
/// `NotFound` when a wish names a node or player that is not there; the Conductor's errors.
pub async fn cast(
    core: &SymphonyCore,
    melody: &Melody,
    players: &Players,
    wishes: &Wishes,
    run: &RunId,
) -> PortResult<BTreeMap<String, CastMember>> {
    if let Some(node) = wishes.players.keys().find(|n| melody.node(n).is_none()) {
        return Err(PortError::not_found(format!(
            "node `{node}` of melody `{}`",
            melody.file.name
        )));
    }
    let price = |player: &PlayerRef| {
        wishes
            .prices
            .get(&player.to_string())
            .copied()
            .unwrap_or_default()
    };
    let mut cast = BTreeMap::new();
    for node in &melody.nodes {
        let wish = wishes.players.get(&node.name);
        let wish = wish.or(wishes.model.as_ref().filter(|_| node.player.id.is_none()));
        let member = if let Some(player) = wish {
            let manifest = players
                .get(player)
                .ok_or_else(|| PortError::not_found(format!("player `{player}`")))?;
            able(manifest, &node.declaration.needs)?;
            CastMember {
                player: player.clone(),
                reason: "you named it".into(),
                episode: None,
                price: price(player),
            }
        } else if node.player.id.is_some() {
            let player = node.player.clone();
            CastMember {
                price: price(&player),
                player,
                reason: String::new(),
                episode: None,
            }
        } else {
            let candidates = players.instruments_for(&node.declaration.needs).map(|m| {
                let player = m.player();
                let Price {
                    usd_per_1m_input,
                    usd_per_1m_output,
                } = price(&player);
                let is_default = wishes.default_model.as_ref() == Some(&player);
                PlayerCandidate {
                    player,
                    usd_per_1m_input,
                    usd_per_1m_output,
                    is_default,
                }
            });
            let episode = EpisodeId(format!("{run}.{}", node.name));
            let context = DecisionContext {
                episode: episode.clone(),
                melody: melody.file.name.clone(),
                node: node.name.clone(),
                needs: node.declaration.needs.clone(),
                candidates: candidates.collect(),
            };
            let decision = core.conductor.submit_decision(context).await?;
            let price = price(&decision.player);
            CastMember {
                player: decision.player,
                reason: decision.reason,
                episode: Some(episode),
                price,
            }
        };
        cast.insert(node.name.clone(), member);
    }
    Ok(cast)
}

fn able(manifest: &ExtensionManifest, needs: &[String]) -> PortResult<()> {
    match needs.iter().find(|n| !manifest.capabilities.contains(n)) {
        Some(lacking) => Err(PortError::invalid(
            "player",
            format!("`{}` cannot do `{lacking}`", manifest.player()),
        )),
        None => Ok(()),
    }
}
