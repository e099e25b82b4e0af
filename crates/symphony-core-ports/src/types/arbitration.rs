//! Conflicts and staleness.

use super::ArtifactId;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// Several claims on one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// What is claimed, e.g. `file src/cart.py` or `model local-model`.
    pub subject: String,
    /// The claims; at least one, with names that differ.
    pub claims: Vec<Claim>,
    /// How to decide.
    pub strategy: ArbitrationStrategy,
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Who claims.
    pub claimant: String,
    /// Higher wins under [`ArbitrationStrategy::Priority`].
    pub priority: i32,
    /// When the claim was made.
    pub since: SystemTime,
    /// How good the claimed result is, 0 to 1, where that is known.
    pub quality: Option<f64>,
}

/// How to decide between claims. Ties go to the earlier claim, then to the name that sorts first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArbitrationStrategy {
    /// The highest priority.
    Priority,
    /// The earliest claim.
    FirstCome,
    /// The best known quality; claims without one lose to those with one.
    Quality,
}

/// A decision between claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Who may.
    pub winner: String,
    /// Who must wait, best first.
    pub losers: Vec<String>,
    /// Why, for people.
    pub reason: String,
}

/// How long things are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionPolicy {
    /// What was not used for this long is stale.
    pub max_age: Duration,
    /// Above this many bytes the least recently used are stale; `None`: no limit.
    pub max_bytes: Option<u64>,
}

/// Something that may be stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Which artifact.
    pub id: ArtifactId,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last used.
    pub last_used: SystemTime,
    /// Whether something still refers to it; such a one is never stale.
    pub referenced: bool,
}
