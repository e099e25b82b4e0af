//! What holds for every conflict.

use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};
use symphony_arbitration_engine::{ArbitrationEngine, resolve};
use symphony_core_ports::{
    Arbitration, ArbitrationStrategy, Claim, Conflict, PortError, Resolution,
};

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

fn claim(name: &str, priority: i32, second: u64, quality: Option<f64>) -> Claim {
    Claim {
        claimant: name.to_owned(),
        priority,
        since: at(second),
        quality,
    }
}

fn conflict(strategy: ArbitrationStrategy, claims: Vec<Claim>) -> Conflict {
    Conflict {
        subject: "file src/cart.py".to_owned(),
        claims,
        strategy,
    }
}

fn strategies() -> impl Strategy<Value = ArbitrationStrategy> {
    prop_oneof![
        Just(ArbitrationStrategy::Priority),
        Just(ArbitrationStrategy::FirstCome),
        Just(ArbitrationStrategy::Quality),
    ]
}

/// Few different values, so that ties are common.
fn claims() -> impl Strategy<Value = Vec<Claim>> {
    let parts = (-2..3_i32, 0..3_u64, proptest::option::of(0..=4_u8));
    proptest::collection::btree_map("[a-e]{1,2}", parts, 1..8).prop_map(|named| {
        named
            .into_iter()
            .map(|(name, (priority, second, quality))| {
                claim(&name, priority, second, quality.map(|q| f64::from(q) / 4.0))
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn the_order_of_the_claims_does_not_matter(
        strategy in strategies(),
        (listed, shuffled) in claims().prop_flat_map(|c| (Just(c.clone()), Just(c).prop_shuffle())),
    ) {
        let one = resolve(&conflict(strategy, listed)).unwrap();
        let other = resolve(&conflict(strategy, shuffled)).unwrap();
        prop_assert_eq!(one, other);
    }

    #[test]
    fn everybody_is_named_once(strategy in strategies(), claims in claims()) {
        let names: BTreeSet<_> = claims.iter().map(|c| c.claimant.clone()).collect();
        let count = claims.len();
        let Resolution { winner, losers, .. } = resolve(&conflict(strategy, claims)).unwrap();
        let mut named: BTreeSet<_> = losers.iter().cloned().collect();
        prop_assert_eq!(losers.len() + 1, count);
        prop_assert!(named.insert(winner));
        prop_assert_eq!(named, names);
    }

    #[test]
    fn losers_are_ordered_as_they_would_win(strategy in strategies(), claims in claims()) {
        let mut left = claims.clone();
        let resolution = resolve(&conflict(strategy, claims)).unwrap();
        let order = std::iter::once(resolution.winner).chain(resolution.losers);
        for expected in order {
            let next = resolve(&conflict(strategy, left.clone())).unwrap().winner;
            prop_assert_eq!(&next, &expected);
            left.retain(|c| c.claimant != next);
        }
    }

    #[test]
    fn nobody_beats_the_winner(strategy in strategies(), claims in claims()) {
        let winner = resolve(&conflict(strategy, claims.clone())).unwrap().winner;
        let best = claims.iter().find(|c| c.claimant == winner).unwrap();
        for other in &claims {
            let beaten = match strategy {
                ArbitrationStrategy::Priority => best.priority < other.priority,
                ArbitrationStrategy::FirstCome => best.since > other.since,
                ArbitrationStrategy::Quality => best.quality < other.quality,
            };
            prop_assert!(!beaten);
        }
    }
}

#[test]
fn ties_go_to_the_earlier_claim_then_to_the_name() {
    let by = |claims| resolve(&conflict(ArbitrationStrategy::Priority, claims)).unwrap();
    let earlier = by(vec![claim("a", 1, 9, None), claim("b", 1, 2, None)]);
    assert_eq!(earlier.winner, "b");
    assert!(
        earlier.reason.contains("claimed first"),
        "{}",
        earlier.reason
    );
    let name = by(vec![claim("b", 1, 2, None), claim("a", 1, 2, None)]);
    assert_eq!(name.winner, "a");
    assert!(name.reason.contains("name sorts first"), "{}", name.reason);
}

#[test]
fn a_known_quality_beats_an_unknown_one() {
    let claims = vec![claim("a", 9, 0, None), claim("z", 0, 9, Some(0.0))];
    let resolution = resolve(&conflict(ArbitrationStrategy::Quality, claims)).unwrap();
    assert_eq!(resolution.winner, "z");
    assert!(resolution.reason.contains("file src/cart.py"));
}

#[tokio::test]
async fn unfit_conflicts_are_refused() {
    let unfit = [
        vec![],
        vec![claim("a", 0, 0, None), claim("a", 1, 1, None)],
        vec![claim("a", 0, 0, Some(f64::NAN))],
        vec![claim("a", 0, 0, Some(1.5)), claim("b", 0, 0, Some(0.5))],
    ];
    for claims in unfit {
        let answer = ArbitrationEngine
            .resolve_conflict(conflict(ArbitrationStrategy::Quality, claims))
            .await;
        assert!(
            matches!(answer, Err(PortError::InvalidInput { .. })),
            "{answer:?}"
        );
    }
}
