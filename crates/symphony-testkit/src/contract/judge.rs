//! The contracts of [`Arbitration`] and [`Staleness`].

use super::{Report, expect_error, good};
use proptest::{
    collection::vec,
    prelude::{Just, any},
    prop_oneof,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};
use symphony_core_ports::{
    Arbitration, ArbitrationStrategy, ArtifactId, Candidate, Claim, Conflict, PortError,
    RetentionPolicy, Staleness,
};

/// Holds an arbitration engine against its contract.
///
/// # Panics
/// When a case fails.
pub async fn run_arbitration(port: Arc<dyn Arbitration>) {
    let mut report = Report::new("Arbitration");
    report.case("priority", priority(&*port)).await;
    report.case("first_come", first_come(&*port)).await;
    report.case("quality", quality(&*port)).await;
    report.case("ties", ties(&*port)).await;
    report
        .case("refuses_bad_claims", refuses_bad_claims(&*port))
        .await;
    report
        .case("is_deterministic", is_deterministic(&*port))
        .await;
    report.finish();
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn claim(claimant: &str, priority: i32, since: u64, quality: Option<f64>) -> Claim {
    Claim {
        claimant: claimant.into(),
        priority,
        since: at(since),
        quality,
    }
}

fn conflict(strategy: ArbitrationStrategy, claims: Vec<Claim>) -> Conflict {
    Conflict {
        subject: "file src/cart.py".into(),
        claims,
        strategy,
    }
}

async fn ranking(port: &dyn Arbitration, conflict: Conflict) -> Vec<String> {
    let resolution = good(port.resolve_conflict(conflict).await);
    assert!(!resolution.reason.is_empty(), "a reason for people");
    let mut ranking = vec![resolution.winner];
    ranking.extend(resolution.losers);
    ranking
}

async fn priority(port: &dyn Arbitration) {
    let claims = vec![
        claim("low", -1, 0, Some(1.0)),
        claim("high", 7, 9, None),
        claim("middle", 3, 5, Some(0.5)),
    ];
    let conflict = conflict(ArbitrationStrategy::Priority, claims);
    assert_eq!(ranking(port, conflict).await, ["high", "middle", "low"]);
}

async fn first_come(port: &dyn Arbitration) {
    let claims = vec![
        claim("late", 9, 30, Some(1.0)),
        claim("early", 0, 10, None),
        claim("between", 5, 20, None),
    ];
    let conflict = conflict(ArbitrationStrategy::FirstCome, claims);
    assert_eq!(ranking(port, conflict).await, ["early", "between", "late"]);
}

async fn quality(port: &dyn Arbitration) {
    let claims = vec![
        claim("unknown", 9, 0, None),
        claim("poor", 0, 1, Some(0.0)),
        claim("good", 0, 2, Some(0.9)),
    ];
    let conflict = conflict(ArbitrationStrategy::Quality, claims);
    assert_eq!(ranking(port, conflict).await, ["good", "poor", "unknown"]);
}

async fn ties(port: &dyn Arbitration) {
    for strategy in [
        ArbitrationStrategy::Priority,
        ArbitrationStrategy::FirstCome,
        ArbitrationStrategy::Quality,
    ] {
        let claims = vec![
            claim("b", 1, 5, Some(0.5)),
            claim("a", 1, 5, Some(0.5)),
            claim("z", 1, 4, Some(0.5)),
        ];
        let conflict = conflict(strategy, claims);
        assert_eq!(
            ranking(port, conflict).await,
            ["z", "a", "b"],
            "{strategy:?}"
        );
    }
}

async fn refuses_bad_claims(port: &dyn Arbitration) {
    let none = conflict(ArbitrationStrategy::Priority, Vec::new());
    expect_error!(
        port.resolve_conflict(none).await,
        PortError::InvalidInput { .. }
    );
    let twice = vec![claim("a", 1, 1, None), claim("a", 2, 2, None)];
    let twice = conflict(ArbitrationStrategy::Priority, twice);
    expect_error!(
        port.resolve_conflict(twice).await,
        PortError::InvalidInput { .. }
    );
}

async fn is_deterministic(port: &dyn Arbitration) {
    let strategy = prop_oneof![
        Just(ArbitrationStrategy::Priority),
        Just(ArbitrationStrategy::FirstCome),
        Just(ArbitrationStrategy::Quality),
    ];
    let quality = prop_oneof![Just(None), (0..3u8).prop_map(|q| Some(f64::from(q) / 2.0))];
    let claims = vec((-2..3, 0..4u64, quality), 1..8);
    let mut runner = TestRunner::deterministic();
    for _ in 0..100 {
        let Ok(tree) = (strategy.clone(), claims.clone()).new_tree(&mut runner) else {
            panic!("no claims were generated");
        };
        let (strategy, claims) = tree.current();
        let claims: Vec<Claim> = claims
            .into_iter()
            .enumerate()
            .map(|(n, (priority, since, quality))| {
                claim(&format!("claimant {n}"), priority, since, quality)
            })
            .collect();
        let names: BTreeSet<String> = claims.iter().map(|c| c.claimant.clone()).collect();
        let first = ranking(port, conflict(strategy, claims.clone())).await;
        let again = ranking(port, conflict(strategy, claims.clone())).await;
        assert_eq!(first, again);
        let mut turned = claims;
        turned.reverse();
        let other_way_round = ranking(port, conflict(strategy, turned)).await;
        assert_eq!(first, other_way_round, "the order of claims decides");
        assert_eq!(first.into_iter().collect::<BTreeSet<_>>(), names);
    }
}

/// Holds a stale manager against its contract.
///
/// # Panics
/// When a case fails.
pub async fn run_staleness(port: Arc<dyn Staleness>) {
    let mut report = Report::new("Staleness");
    report
        .case("nothing_is_nothing", nothing_is_nothing(&*port))
        .await;
    report
        .case("the_old_are_stale", the_old_are_stale(&*port))
        .await;
    report
        .case("too_much_is_stale", too_much_is_stale(&*port))
        .await;
    report
        .case("the_referenced_stay", the_referenced_stay(&*port))
        .await;
    report
        .case("the_future_is_fresh", the_future_is_fresh(&*port))
        .await;
    report
        .case("refuses_doubles", refuses_doubles(&*port))
        .await;
    report
        .case("keeps_its_promises", keeps_its_promises(&*port))
        .await;
    report.finish();
}

const HOUR: u64 = 3_600;

fn id(n: usize) -> ArtifactId {
    ArtifactId::from_blake3(*blake3::hash(&n.to_le_bytes()).as_bytes())
}

fn candidate(n: usize, size: u64, last_used: u64, referenced: bool) -> Candidate {
    Candidate {
        id: id(n),
        size,
        last_used: at(last_used),
        referenced,
    }
}

fn policy(max_age_hours: u64, max_bytes: Option<u64>) -> RetentionPolicy {
    RetentionPolicy {
        max_age: Duration::from_secs(max_age_hours * HOUR),
        max_bytes,
    }
}

async fn nothing_is_nothing(port: &dyn Staleness) {
    let stale = good(port.stale(Vec::new(), &policy(1, Some(0)), at(0)).await);
    assert_eq!(stale, []);
}

async fn the_old_are_stale(port: &dyn Staleness) {
    let candidates = vec![
        candidate(0, 10, 8 * HOUR, false),
        candidate(1, 10, HOUR, false),
        candidate(2, 10, 0, false),
    ];
    let stale = good(
        port.stale(candidates, &policy(5, None), at(10 * HOUR))
            .await,
    );
    assert_eq!(stale, [id(2), id(1)], "least recently used first");
}

async fn too_much_is_stale(port: &dyn Staleness) {
    let candidates: Vec<_> = (0..5)
        .map(|n| candidate(n, 10, n as u64 * HOUR, false))
        .collect();
    let now = at(5 * HOUR);
    let fits = port
        .stale(candidates.clone(), &policy(100, Some(50)), now)
        .await;
    assert_eq!(good(fits), []);
    let over = port
        .stale(candidates.clone(), &policy(100, Some(49)), now)
        .await;
    assert_eq!(good(over), [id(0)]);
    let over = port
        .stale(candidates.clone(), &policy(100, Some(20)), now)
        .await;
    assert_eq!(good(over), [id(0), id(1), id(2)]);
    let all = port.stale(candidates, &policy(100, Some(0)), now).await;
    assert_eq!(good(all), [id(0), id(1), id(2), id(3), id(4)]);
}

async fn the_referenced_stay(port: &dyn Staleness) {
    let candidates = vec![
        candidate(0, 1_000, 0, true),
        candidate(1, 10, 0, false),
        candidate(2, 10, 9 * HOUR, true),
    ];
    let stale = port
        .stale(candidates, &policy(1, Some(0)), at(10 * HOUR))
        .await;
    assert_eq!(good(stale), [id(1)]);
}

async fn the_future_is_fresh(port: &dyn Staleness) {
    let candidates = vec![candidate(0, 10, 20 * HOUR, false)];
    let stale = port
        .stale(candidates, &policy(1, None), at(10 * HOUR))
        .await;
    assert_eq!(good(stale), []);
}

async fn refuses_doubles(port: &dyn Staleness) {
    let candidates = vec![candidate(0, 10, 0, false), candidate(0, 10, 1, false)];
    expect_error!(
        port.stale(candidates, &policy(1, None), at(0)).await,
        PortError::InvalidInput { .. }
    );
}

async fn keeps_its_promises(port: &dyn Staleness) {
    let rows = vec((0..100u64, 0..48u64, any::<bool>()), 0..20);
    let limits = (
        1..48u64,
        prop_oneof![Just(None), (0..800u64).prop_map(Some)],
    );
    let mut runner = TestRunner::deterministic();
    for _ in 0..100 {
        let Ok(tree) = (rows.clone(), limits.clone()).new_tree(&mut runner) else {
            panic!("no candidates were generated");
        };
        let (rows, (hours, max_bytes)) = tree.current();
        let candidates: Vec<Candidate> = rows
            .into_iter()
            .enumerate()
            // Half an hour off, so that no age meets a limit exactly.
            .map(|(n, (size, hour, used))| candidate(n, size, hour * HOUR + HOUR / 2, used))
            .collect();
        let now = at(48 * HOUR);
        let policy = policy(hours, max_bytes);
        let stale = good(port.stale(candidates.clone(), &policy, now).await);
        check_stale(&candidates, &policy, now, &stale);
    }
}

fn check_stale(
    candidates: &[Candidate],
    policy: &RetentionPolicy,
    now: SystemTime,
    stale: &[ArtifactId],
) {
    let named: BTreeSet<&ArtifactId> = stale.iter().collect();
    assert_eq!(named.len(), stale.len(), "each is named once");
    let age = |c: &Candidate| now.duration_since(c.last_used).unwrap_or_default();
    let mut ages = Vec::new();
    for id in stale {
        let Some(candidate) = candidates.iter().find(|c| c.id == *id) else {
            panic!("{id} is no candidate");
        };
        assert!(!candidate.referenced, "{id} is referenced");
        ages.push(age(candidate));
    }
    assert!(
        ages.is_sorted_by(|a, b| a >= b),
        "least recently used first"
    );
    let kept = || candidates.iter().filter(|c| !named.contains(&c.id));
    assert!(
        kept().all(|c| c.referenced || age(c) <= policy.max_age),
        "one that is too old was kept"
    );
    if let Some(max) = policy.max_bytes {
        let bytes: u64 = kept().map(|c| c.size).sum();
        assert!(
            bytes <= max || kept().all(|c| c.referenced),
            "{bytes} bytes are kept where {max} are allowed"
        );
    }
}
