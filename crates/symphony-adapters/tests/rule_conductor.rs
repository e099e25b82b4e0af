//! What the rules choose, and that nothing of the learning data is lost.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use std::sync::Arc;
use symphony_adapters::{
    conductor::RuleConductor, data::LocalDataAdapter, environment::SystemClock,
};
use symphony_core_ports::{
    ConductorPort, DataPort, Decision, DecisionContext, ExtensionType, PlayerCandidate, PlayerRef,
};

fn candidate(name: &str, cost: f64, is_default: bool) -> PlayerCandidate {
    PlayerCandidate {
        player: PlayerRef::named(ExtensionType::Instrument, name),
        usd_per_1m_input: cost,
        usd_per_1m_output: cost,
        is_default,
    }
}

fn context(episode: &str, candidates: Vec<PlayerCandidate>) -> DecisionContext {
    DecisionContext {
        episode: episode.into(),
        melody: "document".to_owned(),
        node: "describe".to_owned(),
        needs: vec!["chat".to_owned()],
        candidates,
    }
}

struct Stage {
    _folder: tempfile::TempDir,
    data: Arc<LocalDataAdapter>,
    conductor: RuleConductor,
}

fn stage() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let data = Arc::new(LocalDataAdapter::open(folder.path()).unwrap());
    let conductor = RuleConductor::new(data.clone(), Arc::new(SystemClock));
    Stage {
        _folder: folder,
        data,
        conductor,
    }
}

async fn decide(candidates: Vec<PlayerCandidate>) -> Decision {
    let stage = stage();
    let context = context("e", candidates);
    stage.conductor.submit_decision(context).await.unwrap()
}

async fn rewards(data: &LocalDataAdapter) -> Vec<Value> {
    let records = data.list(&"rewards".into()).await.unwrap();
    records.into_iter().map(|record| record.value).collect()
}

#[tokio::test]
async fn the_default_then_the_cheapest_then_the_first_by_name() {
    let dear_default = decide(vec![candidate("a", 0.0, false), candidate("b", 9.0, true)]).await;
    assert_eq!(dear_default.player.to_string(), "instrument/b");
    assert!(
        dear_default.reason.contains("default"),
        "{}",
        dear_default.reason
    );
    let cheapest = decide(vec![candidate("a", 2.0, false), candidate("b", 1.0, false)]).await;
    assert_eq!(cheapest.player.to_string(), "instrument/b");
    assert!(cheapest.reason.contains("cheapest"), "{}", cheapest.reason);
    let level = decide(vec![candidate("b", 1.0, false), candidate("a", 1.0, false)]).await;
    assert_eq!(level.player.to_string(), "instrument/a");
    assert!(
        level.reason.contains("name sorts first"),
        "{}",
        level.reason
    );
    let unpriced = decide(vec![
        candidate("a", f64::NAN, false),
        candidate("b", 1.0, false),
    ])
    .await;
    assert_eq!(unpriced.player.to_string(), "instrument/b");
    for decision in [dear_default, cheapest, level, unpriced] {
        assert!((decision.propensity - 1.0).abs() < f64::EPSILON);
        assert_eq!(decision.policy, "rules");
    }
}

#[tokio::test]
async fn every_reward_is_kept_with_its_decision() {
    let stage = stage();
    let episode = "7f3a0000.describe.7";
    let candidates = vec![candidate("a", 1.0, false), candidate("b", 2.0, false)];
    let context = context(episode, candidates);
    let decision = stage
        .conductor
        .submit_decision(context.clone())
        .await
        .unwrap();
    // Another process: the decision is known from the records.
    let later = RuleConductor::new(stage.data.clone(), Arc::new(SystemClock));
    later.report_reward(&episode.into(), 1.0).await.unwrap();
    later.report_reward(&episode.into(), -1.0).await.unwrap();
    let kept = rewards(&stage.data).await;
    assert_eq!(kept.len(), 2);
    for (record, reward) in kept.iter().zip([1.0, -1.0]) {
        assert_eq!(record["reward"], reward);
        assert_eq!(record["episode"], episode);
        assert_eq!(
            serde_json::from_value::<Decision>(record["decision"].clone()).unwrap(),
            decision
        );
        let read: DecisionContext = serde_json::from_value(record["context"].clone()).unwrap();
        assert_eq!(read, context);
        assert!(record["decided"].as_f64() <= record["reported"].as_f64());
    }
}

#[tokio::test]
async fn an_episode_of_any_text_is_kept() {
    let stage = stage();
    for episode in ["describe[7] of 7f3a", "", "../../etc", &"x".repeat(500)] {
        let context = context(episode, vec![candidate("a", 1.0, false)]);
        stage.conductor.submit_decision(context).await.unwrap();
        stage
            .conductor
            .report_reward(&episode.into(), 0.5)
            .await
            .unwrap();
    }
    assert_eq!(rewards(&stage.data).await.len(), 4);
}

#[tokio::test]
async fn a_reward_without_a_decision_teaches_nothing() {
    let stage = stage();
    stage
        .conductor
        .report_reward(&"unknown".into(), 1.0)
        .await
        .unwrap();
    assert!(rewards(&stage.data).await.is_empty());
}
