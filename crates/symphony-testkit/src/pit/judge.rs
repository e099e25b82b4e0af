//! Who may, and what may go.

use crate::{
    SimulatedClock,
    script::{Script, scripted},
};
use async_trait::async_trait;
use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeSet,
    time::SystemTime,
};
use symphony_core_ports::{
    Arbitration, ArbitrationStrategy, ArtifactId, Candidate, Claim, Conflict, PortError,
    PortResult, Resolution, RetentionPolicy, Staleness,
};

/// An [`Arbitration`]. Operation for scripts: `resolve_conflict`.
#[derive(Debug, Clone)]
pub struct MockArbitration {
    script: Script,
}

/// A [`Staleness`]. Operation for scripts: `stale`.
#[derive(Debug, Clone)]
pub struct MockStaleness {
    script: Script,
}

scripted!(MockArbitration);
scripted!(MockStaleness);

impl MockArbitration {
    /// Decides at once.
    pub fn new() -> Self {
        Self::with_clock(SimulatedClock::new())
    }

    /// With delays on this clock.
    pub fn with_clock(clock: SimulatedClock) -> Self {
        Self {
            script: Script::new(&["resolve_conflict"], clock),
        }
    }
}

impl Default for MockArbitration {
    fn default() -> Self {
        Self::new()
    }
}

impl MockStaleness {
    /// Answers at once.
    pub fn new() -> Self {
        Self::with_clock(SimulatedClock::new())
    }

    /// With delays on this clock.
    pub fn with_clock(clock: SimulatedClock) -> Self {
        Self {
            script: Script::new(&["stale"], clock),
        }
    }
}

impl Default for MockStaleness {
    fn default() -> Self {
        Self::new()
    }
}

fn better(strategy: ArbitrationStrategy, a: &Claim, b: &Claim) -> Ordering {
    let by_strategy = match strategy {
        ArbitrationStrategy::Priority => b.priority.cmp(&a.priority),
        ArbitrationStrategy::FirstCome => Ordering::Equal,
        ArbitrationStrategy::Quality => match (a.quality, b.quality) {
            (Some(a), Some(b)) => b.total_cmp(&a),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        },
    };
    by_strategy
        .then(a.since.cmp(&b.since))
        .then_with(|| a.claimant.cmp(&b.claimant))
}

#[async_trait]
impl Arbitration for MockArbitration {
    async fn resolve_conflict(&self, conflict: Conflict) -> PortResult<Resolution> {
        self.script
            .enter("resolve_conflict", conflict.subject.clone())
            .await?;
        let mut claims = conflict.claims;
        let names: BTreeSet<&str> = claims.iter().map(|c| c.claimant.as_str()).collect();
        if names.len() < claims.len() {
            return Err(PortError::invalid("claims", "two of one name"));
        }
        claims.sort_by(|a, b| better(conflict.strategy, a, b));
        let mut ranked = claims.into_iter().map(|claim| claim.claimant);
        let winner = ranked
            .next()
            .ok_or_else(|| PortError::invalid("claims", "there are none"))?;
        Ok(Resolution {
            reason: format!("{winner} is first under {:?}", conflict.strategy),
            winner,
            losers: ranked.collect(),
        })
    }
}

#[async_trait]
impl Staleness for MockStaleness {
    async fn stale(
        &self,
        candidates: Vec<Candidate>,
        policy: &RetentionPolicy,
        now: SystemTime,
    ) -> PortResult<Vec<ArtifactId>> {
        let about = format!("{} candidates", candidates.len());
        self.script.enter("stale", about).await?;
        let ids: BTreeSet<&ArtifactId> = candidates.iter().map(|c| &c.id).collect();
        if ids.len() < candidates.len() {
            return Err(PortError::invalid("candidates", "one appears twice"));
        }
        let mut bytes: u64 = candidates.iter().map(|c| c.size).sum();
        let mut free: Vec<Candidate> = candidates.into_iter().filter(|c| !c.referenced).collect();
        free.sort_by_key(|c| (Reverse(age(c, now)), c.id.clone()));
        let mut stale = Vec::new();
        for candidate in free {
            let over = policy.max_bytes.is_some_and(|max| bytes > max);
            if age(&candidate, now) > policy.max_age || over {
                bytes -= candidate.size;
                stale.push(candidate.id);
            }
        }
        Ok(stale)
    }
}

fn age(candidate: &Candidate, now: SystemTime) -> std::time::Duration {
    // One used in the future is fresh.
    now.duration_since(candidate.last_used).unwrap_or_default()
}
