//! Decides what is stale under a retention policy.
//!
//! [`StaleManager`] is given candidates, a policy and the time, and says which
//! candidates may go. It removes nothing, keeps nothing and reads no clock.
//! What is referenced is never named, whatever the policy says.
//!
//! Two rules make a candidate stale: it was not used for longer than
//! `max_age`; or everything together is larger than `max_bytes`, and it is
//! among the least recently used ones that have to go until the rest fits.
//! Referenced candidates count against `max_bytes` and stay.

use async_trait::async_trait;
use std::{collections::HashSet, time::SystemTime};
use symphony_core_ports::{
    ArtifactId, Candidate, PortError, PortResult, RetentionPolicy, Staleness,
};

/// Says what may go.
#[derive(Debug, Clone, Copy, Default)]
pub struct StaleManager;

/// [`Staleness::stale`], without the port. Least recently used first; equal
/// times in the order of the ids.
///
/// # Errors
/// `InvalidInput` for a candidate that appears twice.
pub fn stale(
    candidates: &[Candidate],
    policy: &RetentionPolicy,
    now: SystemTime,
) -> PortResult<Vec<ArtifactId>> {
    let mut seen = HashSet::with_capacity(candidates.len());
    if let Some(twice) = candidates.iter().find(|c| !seen.insert(&c.id)) {
        return Err(PortError::invalid(
            "candidates",
            format!("{} appears twice", twice.id),
        ));
    }
    let mut may_go: Vec<&Candidate> = candidates.iter().filter(|c| !c.referenced).collect();
    may_go.sort_by(|a, b| a.last_used.cmp(&b.last_used).then_with(|| a.id.cmp(&b.id)));

    // Wider than a size, so that no sum of sizes overflows.
    let mut left: u128 = candidates.iter().map(|c| u128::from(c.size)).sum();
    let fits = policy.max_bytes.map_or(u128::MAX, u128::from);
    let mut stale = Vec::new();
    // Sorted by last use, what is stale under either rule stands at the front.
    for candidate in may_go {
        // A last use in the future (a clock set back) is no age at all.
        let age = now.duration_since(candidate.last_used).unwrap_or_default();
        if age <= policy.max_age && left <= fits {
            break;
        }
        left -= u128::from(candidate.size);
        stale.push(candidate.id.clone());
    }
    Ok(stale)
}

#[async_trait]
impl Staleness for StaleManager {
    async fn stale(
        &self,
        candidates: Vec<Candidate>,
        policy: &RetentionPolicy,
        now: SystemTime,
    ) -> PortResult<Vec<ArtifactId>> {
        stale(&candidates, policy, now)
    }
}
