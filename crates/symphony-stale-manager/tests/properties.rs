//! What holds for every set of candidates.

use proptest::prelude::*;
use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};
use symphony_core_ports::{ArtifactId, Candidate, PortError, RetentionPolicy, Staleness};
use symphony_stale_manager::{StaleManager, stale};

const NOW: u64 = 1_000;

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

fn candidate(number: u8, size: u64, last_used: u64, referenced: bool) -> Candidate {
    Candidate {
        id: ArtifactId::from_blake3([number; 32]),
        size,
        last_used: at(last_used),
        referenced,
    }
}

fn policy(max_age: u64, max_bytes: Option<u64>) -> RetentionPolicy {
    RetentionPolicy {
        max_age: Duration::from_secs(max_age),
        max_bytes,
    }
}

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let parts = (
        prop_oneof![0..100_u64, Just(u64::MAX)],
        NOW - 20..NOW + 5,
        any::<bool>(),
    );
    proptest::collection::btree_map(any::<u8>(), parts, 0..20).prop_map(|by_number| {
        by_number
            .into_iter()
            .map(|(n, (size, used, referenced))| candidate(n, size, used, referenced))
            .collect()
    })
}

fn policies() -> impl Strategy<Value = RetentionPolicy> {
    (0..30_u64, proptest::option::of(0..500_u64)).prop_map(|(age, bytes)| policy(age, bytes))
}

proptest! {
    #[test]
    fn a_referenced_one_never_goes(all in candidates(), policy in policies()) {
        let gone: HashSet<_> = stale(&all, &policy, at(NOW)).unwrap().into_iter().collect();
        prop_assert!(all.iter().all(|c| !(c.referenced && gone.contains(&c.id))));
    }

    #[test]
    fn the_order_of_the_candidates_does_not_matter(
        (listed, shuffled) in candidates().prop_flat_map(|c| (Just(c.clone()), Just(c).prop_shuffle())),
        policy in policies(),
    ) {
        prop_assert_eq!(
            stale(&listed, &policy, at(NOW)).unwrap(),
            stale(&shuffled, &policy, at(NOW)).unwrap()
        );
    }

    #[test]
    fn what_is_too_old_goes_and_what_stays_fits(all in candidates(), policy in policies()) {
        let gone = stale(&all, &policy, at(NOW)).unwrap();
        let rest: Vec<_> = all.iter().filter(|c| !gone.contains(&c.id)).collect();
        for kept in rest.iter().filter(|c| !c.referenced) {
            prop_assert!(at(NOW).duration_since(kept.last_used).unwrap_or_default() <= policy.max_age);
        }
        let bytes: u128 = rest.iter().map(|c| u128::from(c.size)).sum();
        if let Some(limit) = policy.max_bytes && rest.iter().any(|c| !c.referenced) {
            prop_assert!(bytes <= u128::from(limit));
        }
    }

    #[test]
    fn none_goes_without_need(all in candidates(), policy in policies()) {
        let gone = stale(&all, &policy, at(NOW)).unwrap();
        let Some(last) = gone.last() else { return Ok(()) };
        // The last to go was too old, or without it the rest would not fit.
        let last = all.iter().find(|c| c.id == *last).unwrap();
        let too_old = at(NOW).duration_since(last.last_used).unwrap_or_default() > policy.max_age;
        let with_it: u128 = all
            .iter()
            .filter(|c| c.id == last.id || !gone.contains(&c.id))
            .map(|c| u128::from(c.size))
            .sum();
        prop_assert!(too_old || policy.max_bytes.is_some_and(|limit| with_it > u128::from(limit)));
    }

    #[test]
    fn least_recently_used_goes_first(all in candidates(), policy in policies()) {
        let used: Vec<_> = stale(&all, &policy, at(NOW))
            .unwrap()
            .iter()
            .map(|id| all.iter().find(|c| c.id == *id).unwrap().last_used)
            .collect();
        prop_assert!(used.is_sorted());
    }
}

#[test]
fn a_limit_on_bytes_takes_the_least_recently_used() {
    let all = [
        candidate(1, 40, 990, false),
        candidate(2, 40, 980, false),
        candidate(3, 40, 970, true),
        candidate(4, 40, 960, false),
    ];
    let gone = stale(&all, &policy(1_000, Some(100)), at(NOW)).unwrap();
    assert_eq!(gone, [all[3].id.clone(), all[1].id.clone()]);
    assert!(
        stale(&all, &policy(1_000, None), at(NOW))
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_candidate_listed_twice_is_refused() {
    let twice = vec![candidate(1, 1, 1, false), candidate(1, 1, 2, true)];
    let answer = StaleManager.stale(twice, &policy(0, None), at(NOW)).await;
    assert!(
        matches!(answer, Err(PortError::InvalidInput { .. })),
        "{answer:?}"
    );
}
