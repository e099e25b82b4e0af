//! Resolves conflicting claims by declared strategy.
//!
//! Several agents may claim one file, one model, one place in a queue.
//! [`ArbitrationEngine`] orders the claims by the strategy that the conflict
//! itself declares; the first in that order wins. It keeps nothing between
//! calls and looks at nothing but the claims: equal conflicts get equal
//! resolutions, in whatever order the claims are listed.

use async_trait::async_trait;
use std::{cmp::Ordering, collections::BTreeSet};
use symphony_core_ports::{
    Arbitration, ArbitrationStrategy, Claim, Conflict, PortError, PortResult, Resolution,
};

/// Decides between claims.
#[derive(Debug, Clone, Copy, Default)]
pub struct ArbitrationEngine;

/// [`Arbitration::resolve_conflict`], without the port.
///
/// # Errors
/// `InvalidInput` without claims, with two of one name, or with a quality that
/// is not within 0 and 1.
pub fn resolve(conflict: &Conflict) -> PortResult<Resolution> {
    check(conflict)?;
    let mut order: Vec<&Claim> = conflict.claims.iter().collect();
    order.sort_by(|a, b| compare(conflict.strategy, a, b));
    let [winner, losers @ ..] = order.as_slice() else {
        return Err(PortError::invalid("claims", "there is none"));
    };
    Ok(Resolution {
        winner: winner.claimant.clone(),
        losers: losers.iter().map(|claim| claim.claimant.clone()).collect(),
        reason: reason(conflict, winner, losers.first().copied()),
    })
}

fn check(conflict: &Conflict) -> PortResult<()> {
    if conflict.claims.is_empty() {
        return Err(PortError::invalid(
            "claims",
            format!("nobody claims {}", conflict.subject),
        ));
    }
    let mut names = BTreeSet::new();
    for claim in &conflict.claims {
        if !names.insert(&claim.claimant) {
            return Err(PortError::invalid(
                "claims",
                format!("{} claims {} twice", claim.claimant, conflict.subject),
            ));
        }
        if claim.quality.is_some_and(|q| !(0.0..=1.0).contains(&q)) {
            return Err(PortError::invalid(
                "claims",
                format!(
                    "the quality {} states is not within 0 and 1",
                    claim.claimant
                ),
            ));
        }
    }
    Ok(())
}

/// `Less`: `a` goes before `b`.
fn compare(strategy: ArbitrationStrategy, a: &Claim, b: &Claim) -> Ordering {
    by_strategy(strategy, a, b)
        .then_with(|| a.since.cmp(&b.since))
        .then_with(|| a.claimant.cmp(&b.claimant))
}

fn by_strategy(strategy: ArbitrationStrategy, a: &Claim, b: &Claim) -> Ordering {
    match strategy {
        ArbitrationStrategy::Priority => b.priority.cmp(&a.priority),
        ArbitrationStrategy::FirstCome => a.since.cmp(&b.since),
        ArbitrationStrategy::Quality => match (a.quality, b.quality) {
            (Some(x), Some(y)) => y.partial_cmp(&x).unwrap_or(Ordering::Equal),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        },
    }
}

fn reason(conflict: &Conflict, winner: &Claim, second: Option<&Claim>) -> String {
    let Some(second) = second else {
        return format!("{} alone claims {}", winner.claimant, conflict.subject);
    };
    let strategy = conflict.strategy;
    let decided_by = if by_strategy(strategy, winner, second).is_lt() {
        match strategy {
            ArbitrationStrategy::Priority => {
                format!("has priority {} over {}", winner.priority, second.priority)
            }
            ArbitrationStrategy::FirstCome => "claimed first".to_owned(),
            ArbitrationStrategy::Quality => match (winner.quality, second.quality) {
                (Some(best), Some(next)) => format!("has quality {best} over {next}"),
                _ => "is the only one with a known quality".to_owned(),
            },
        }
    } else if winner.since < second.since {
        "is level with the next and claimed first".to_owned()
    } else {
        "is level with the next, and its name sorts first".to_owned()
    };
    format!("{} {decided_by}: {}", winner.claimant, conflict.subject)
}

#[async_trait]
impl Arbitration for ArbitrationEngine {
    async fn resolve_conflict(&self, conflict: Conflict) -> PortResult<Resolution> {
        resolve(&conflict)
    }
}
