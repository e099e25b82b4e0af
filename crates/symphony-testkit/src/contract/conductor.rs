//! The contract of [`ConductorPort`].

use super::{expect_error, good, suite};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use symphony_core_ports::{
    ConductorPort, DecisionContext, EpisodeId, ExtensionType, PlayerCandidate, PlayerRef,
    PolicyContext, PortError,
};

/// What the suite needs.
pub trait Fixture {
    /// The implementation.
    fn port(&self) -> Arc<dyn ConductorPort>;
}

suite! {
    "ConductorPort":
    chooses_a_candidate,
    chooses_the_only_candidate,
    no_candidate_is_not_found,
    answers_within_a_second,
    takes_rewards_in_range,
    refuses_rewards_out_of_range,
    names_its_policy,
    decides_for_many_at_once,
}

/// A decision between instruments of these names; the second one is the default.
pub fn context(names: &[&str]) -> DecisionContext {
    let candidates = names.iter().enumerate().map(|(at, name)| PlayerCandidate {
        player: PlayerRef::named(ExtensionType::Instrument, *name),
        usd_per_1m_input: at as f64,
        usd_per_1m_output: at as f64 * 2.0,
        is_default: at == 1,
    });
    DecisionContext {
        episode: EpisodeId::from("episode"),
        melody: "document".into(),
        node: "describe".into(),
        needs: vec!["chat".into()],
        candidates: candidates.collect(),
    }
}

async fn chooses_a_candidate(fixture: &impl Fixture) {
    let context = context(&["cheap", "usual", "dear"]);
    let decision = good(fixture.port().submit_decision(context.clone()).await);
    let mut players = context.candidates.iter().map(|c| &c.player);
    assert!(players.any(|player| *player == decision.player));
    assert!(decision.propensity > 0.0 && decision.propensity <= 1.0);
    assert!(!decision.reason.is_empty(), "a reason for people");
    assert!(!decision.policy.is_empty(), "the name of the policy");
}

async fn chooses_the_only_candidate(fixture: &impl Fixture) {
    let context = context(&["only"]);
    let decision = good(fixture.port().submit_decision(context.clone()).await);
    assert_eq!(decision.player, context.candidates[0].player);
}

async fn no_candidate_is_not_found(fixture: &impl Fixture) {
    let port = fixture.port();
    expect_error!(
        port.submit_decision(context(&[])).await,
        PortError::NotFound { .. }
    );
}

async fn answers_within_a_second(fixture: &impl Fixture) {
    let begun = Instant::now();
    let names: Vec<String> = (0..200).map(|n| format!("model-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    good(fixture.port().submit_decision(context(&names)).await);
    assert!(begun.elapsed() < Duration::from_secs(1));
}

async fn takes_rewards_in_range(fixture: &impl Fixture) {
    let port = fixture.port();
    let context = context(&["a", "b"]);
    good(port.submit_decision(context.clone()).await);
    for reward in [-1.0, -0.5, 0.0, 0.25, 1.0] {
        good(port.report_reward(&context.episode, reward).await);
    }
    let unknown = EpisodeId::from("never decided");
    good(port.report_reward(&unknown, 1.0).await);
}

async fn refuses_rewards_out_of_range(fixture: &impl Fixture) {
    let port = fixture.port();
    let episode = EpisodeId::from("episode");
    for reward in [
        -1.000_001,
        1.000_001,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ] {
        expect_error!(
            port.report_reward(&episode, reward).await,
            PortError::InvalidInput { .. }
        );
    }
}

async fn names_its_policy(fixture: &impl Fixture) {
    let port = fixture.port();
    let melody = Some("document".to_owned());
    for context in [PolicyContext::default(), PolicyContext { melody }] {
        let policy = good(port.get_policy(&context).await);
        assert!(!policy.name.is_empty());
        assert!(!policy.description.is_empty());
    }
}

async fn decides_for_many_at_once(fixture: &impl Fixture) {
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let port = fixture.port();
            tokio::spawn(async move {
                let mut context = context(&["a", "b", "c"]);
                context.episode = EpisodeId::new(format!("episode {n}"));
                let decision = good(port.submit_decision(context).await);
                assert!(decision.propensity > 0.0);
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.is_ok());
    }
}
