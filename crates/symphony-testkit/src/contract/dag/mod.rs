//! The contract of [`DagTracking`].

mod worker;

use super::{expect_error, good, left_out, suite};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use symphony_core_ports::{
    CacheKey, DagNode, DagTracking, NodeId, NodeState, PortError, PortResult, ResultOrigin, RunId,
    RunOutcome,
};
use tokio::sync::Notify;
use worker::{Worker, artifact, at, new_run, node, output_of};

/// What the suite needs: a tracker without runs.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The implementation.
    fn port(&self) -> Arc<dyn DagTracking>;

    /// Ends the tracker as a crash would and opens it again over the same
    /// storage; [`port`](Self::port) gives the new one from then on. `false`
    /// where that is not possible.
    async fn reopen(&self) -> bool {
        false
    }
}

suite! {
    "DagTracking":
    records_a_run,
    a_run_begins_once,
    unknown_runs_are_not_found,
    runs_come_newest_first,
    a_completed_node_is_not_executed_again,
    an_equal_node_is_answered_from_cache,
    without_a_key_nothing_is_cached,
    forgotten_results_are_made_again,
    a_failed_node_is_executed_again,
    failures_are_not_cached,
    a_node_is_executed_once_at_a_time,
    a_dropped_node_is_executed_again,
    skips_are_recorded,
    resuming_takes_back_the_outcome,
    nodes_keep_their_order,
    many_nodes_at_once,
    usage_counts_what_was_executed,
    what_succeeded_can_be_removed,
    what_could_be_resumed_cannot_be_removed,
    survives_a_crash,
    interrupted_nodes_run_again_after_a_crash,
}

/// A tracker with one run that has begun.
async fn begun(fixture: &impl Fixture) -> (Arc<dyn DagTracking>, RunId) {
    let port = fixture.port();
    let run = new_run("00000001", 1);
    good(port.begin_run(run.clone()).await);
    (port, run.id)
}

async fn state_of(port: &dyn DagTracking, run: &RunId, node: &str) -> Option<NodeState> {
    let record = good(port.run(run).await);
    let mut nodes = record.nodes.into_iter();
    nodes.find(|n| n.id.as_str() == node).map(|n| n.state)
}

async fn records_a_run(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let record = good(port.run(&run).await);
    assert_eq!(record.run, new_run("00000001", 1));
    assert_eq!(
        (record.nodes.len(), record.outcome, record.finished),
        (0, None, None)
    );

    let worker = Worker::default();
    let result = good(
        port.execute_dag_node(&run, node("find", None), &worker)
            .await,
    );
    assert_eq!(result.node, NodeId::from("find"));
    assert_eq!(result.origin, ResultOrigin::Executed);
    assert_eq!(result.output, output_of(&node("find", None)));
    let record = good(port.run(&run).await);
    assert_eq!(record.nodes[0].player, "operator/find-undocumented");
    assert_eq!(record.nodes[0].label, "label of find");
    assert_eq!(record.nodes[0].state, NodeState::Completed { result });

    let outcome = RunOutcome::Succeeded {
        output: artifact("end"),
    };
    good(port.finish_run(&run, outcome.clone(), at(9)).await);
    let record = good(port.run(&run).await);
    assert_eq!(
        (record.outcome, record.finished),
        (Some(outcome), Some(at(9)))
    );
}

async fn a_run_begins_once(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let again = new_run("00000001", 99);
    expect_error!(port.begin_run(again).await, PortError::Conflict { .. });
    assert_eq!(good(port.run(&run).await).run.started, at(1));
}

async fn unknown_runs_are_not_found(fixture: &impl Fixture) {
    let port = fixture.port();
    let run = RunId::from("ffffffff");
    let worker = Worker::default();
    expect_error!(port.run(&run).await, PortError::NotFound { .. });
    expect_error!(port.resume_run(&run).await, PortError::NotFound { .. });
    expect_error!(
        port.execute_dag_node(&run, node("n", None), &worker).await,
        PortError::NotFound { .. }
    );
    expect_error!(
        port.skip_node(&run, NodeId::from("n"), "no").await,
        PortError::NotFound { .. }
    );
    expect_error!(
        port.finish_run(&run, RunOutcome::Cancelled, at(1)).await,
        PortError::NotFound { .. }
    );
    assert_eq!(worker.executed(), 0);
    assert_eq!(good(port.runs().await), []);
}

async fn runs_come_newest_first(fixture: &impl Fixture) {
    let port = fixture.port();
    for (id, started) in [("00000002", 20), ("00000003", 30), ("00000001", 10)] {
        good(port.begin_run(new_run(id, started)).await);
    }
    let runs = good(port.runs().await);
    let ids: Vec<&str> = runs.iter().map(|r| r.run.id.as_str()).collect();
    assert_eq!(ids, ["00000003", "00000002", "00000001"]);
    for run in &runs {
        assert_eq!(good(port.run(&run.run.id).await), *run);
    }
}

async fn a_completed_node_is_not_executed_again(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let worker = Worker::default();
    let first = good(port.execute_dag_node(&run, node("n", None), &worker).await);
    let again = good(port.execute_dag_node(&run, node("n", None), &worker).await);
    assert_eq!(worker.executed(), 1);
    assert_eq!(again.origin, ResultOrigin::Log);
    assert_eq!(again.output, first.output);
    // What is recorded is where it came from at first.
    let usage = good(port.run(&run).await).usage();
    assert_eq!(usage.model_calls, 1);
}

async fn an_equal_node_is_answered_from_cache(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let worker = Worker::default();
    let first = good(
        port.execute_dag_node(&run, node("a", Some("k")), &worker)
            .await,
    );
    let same_run = good(
        port.execute_dag_node(&run, node("b", Some("k")), &worker)
            .await,
    );
    good(port.begin_run(new_run("00000002", 2)).await);
    let other = RunId::from("00000002");
    let other_run = good(
        port.execute_dag_node(&other, node("a", Some("k")), &worker)
            .await,
    );
    assert_eq!(worker.executed(), 1);
    for (result, name) in [(&same_run, "b"), (&other_run, "a")] {
        assert_eq!(result.origin, ResultOrigin::Cache);
        assert_eq!(result.output.output, first.output.output);
        assert_eq!(result.node.as_str(), name);
    }
    good(
        port.execute_dag_node(&run, node("c", Some("other")), &worker)
            .await,
    );
    assert_eq!(worker.executed(), 2);
    let state = state_of(&*port, &other, "a").await;
    assert_eq!(state, Some(NodeState::Completed { result: other_run }));
}

async fn without_a_key_nothing_is_cached(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let worker = Worker::default();
    for name in ["a", "b"] {
        let result = good(port.execute_dag_node(&run, node(name, None), &worker).await);
        assert_eq!(result.origin, ResultOrigin::Executed);
    }
    assert_eq!(worker.executed(), 2);
}

async fn forgotten_results_are_made_again(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let worker = Worker::default();
    good(
        port.execute_dag_node(&run, node("a", Some("k")), &worker)
            .await,
    );
    good(port.forget_cached(&CacheKey::from("k")).await);
    good(port.forget_cached(&CacheKey::from("never known")).await);
    let result = good(
        port.execute_dag_node(&run, node("b", Some("k")), &worker)
            .await,
    );
    assert_eq!(result.origin, ResultOrigin::Executed);
    let result = good(
        port.execute_dag_node(&run, node("c", Some("k")), &worker)
            .await,
    );
    assert_eq!(result.origin, ResultOrigin::Cache);
    assert_eq!(worker.executed(), 2);
}

async fn a_failed_node_is_executed_again(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let worker = Worker::failing(PortError::invalid("inputs", "too long by 7"));
    let outcome = port.execute_dag_node(&run, node("n", None), &worker).await;
    expect_error!(outcome, PortError::InvalidInput { .. });
    match state_of(&*port, &run, "n").await {
        Some(NodeState::Failed { error }) => assert!(error.contains("too long by 7"), "{error}"),
        other => panic!("expected a failure, got {other:?}"),
    }
    let result = good(port.execute_dag_node(&run, node("n", None), &worker).await);
    assert_eq!(result.origin, ResultOrigin::Executed);
    assert_eq!(worker.keys(), ["key of n", "key of n"]);
    assert_eq!(good(port.run(&run).await).nodes.len(), 1);
}

async fn failures_are_not_cached(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let worker = Worker::failing(PortError::Cancelled);
    let outcome = port
        .execute_dag_node(&run, node("a", Some("k")), &worker)
        .await;
    expect_error!(outcome, PortError::Cancelled);
    let result = good(
        port.execute_dag_node(&run, node("b", Some("k")), &worker)
            .await,
    );
    assert_eq!(result.origin, ResultOrigin::Executed);
}

/// Begins to execute a node and returns when its executor was called.
async fn under_way(
    port: &Arc<dyn DagTracking>,
    run: &RunId,
    node: DagNode,
    worker: &Arc<Worker>,
) -> tokio::task::JoinHandle<PortResult<symphony_core_ports::NodeResult>> {
    let before = worker.executed();
    let task = tokio::spawn({
        let (port, run, worker) = (Arc::clone(port), run.clone(), Arc::clone(worker));
        async move { port.execute_dag_node(&run, node, &*worker).await }
    });
    while worker.executed() == before {
        assert!(!task.is_finished(), "it ended without its executor");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    task
}

async fn a_node_is_executed_once_at_a_time(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let gate = Arc::new(Notify::new());
    let worker = Arc::new(Worker::gated(&gate));
    let first = under_way(&port, &run, node("n", None), &worker).await;
    assert_eq!(state_of(&*port, &run, "n").await, Some(NodeState::Started));
    expect_error!(
        port.execute_dag_node(&run, node("n", None), &*worker).await,
        PortError::Conflict { .. }
    );
    assert_eq!(worker.executed(), 1);
    gate.notify_one();
    let Ok(result) = first.await else {
        panic!("the task failed");
    };
    assert_eq!(good(result).origin, ResultOrigin::Executed);
}

async fn a_dropped_node_is_executed_again(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let gate = Arc::new(Notify::new());
    let worker = Arc::new(Worker::gated(&gate));
    let first = under_way(&port, &run, node("n", None), &worker).await;
    first.abort();
    assert!(first.await.is_err());
    let ready = Worker::default();
    let result = good(port.execute_dag_node(&run, node("n", None), &ready).await);
    assert_eq!(result.origin, ResultOrigin::Executed);
    assert_eq!(ready.keys(), worker.keys());
}

async fn skips_are_recorded(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    good(
        port.skip_node(&run, NodeId::from("n"), "items is empty")
            .await,
    );
    let record = good(port.run(&run).await);
    assert_eq!(record.nodes.len(), 1);
    assert_eq!(record.nodes[0].player, "");
    let reason = "items is empty".to_owned();
    assert_eq!(record.nodes[0].state, NodeState::Skipped { reason });
}

async fn resuming_takes_back_the_outcome(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let worker = Worker::default();
    good(
        port.execute_dag_node(&run, node("done", None), &worker)
            .await,
    );
    for outcome in [
        RunOutcome::Cancelled,
        RunOutcome::Failed {
            error: "no luck".into(),
        },
    ] {
        good(port.finish_run(&run, outcome.clone(), at(5)).await);
        assert_eq!(good(port.run(&run).await).outcome, Some(outcome));
        good(port.resume_run(&run).await);
        let record = good(port.run(&run).await);
        assert_eq!((record.outcome, record.finished), (None, None));
        let result = good(
            port.execute_dag_node(&run, node("done", None), &worker)
                .await,
        );
        assert_eq!(result.origin, ResultOrigin::Log);
    }
    assert_eq!(worker.executed(), 1);
    good(port.resume_run(&run).await);
}

async fn nodes_keep_their_order(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let worker = Worker::failing(PortError::failed("the first time"));
    let first = port.execute_dag_node(&run, node("c", None), &worker).await;
    assert!(first.is_err());
    for name in ["a", "b", "c"] {
        good(port.execute_dag_node(&run, node(name, None), &worker).await);
    }
    good(port.skip_node(&run, NodeId::from("d"), "no").await);
    let record = good(port.run(&run).await);
    let order: Vec<&str> = record.nodes.iter().map(|n| n.id.as_str()).collect();
    assert_eq!(order, ["c", "a", "b", "d"]);
}

async fn many_nodes_at_once(fixture: &impl Fixture) {
    const NODES: usize = 200;
    let (port, run) = begun(fixture).await;
    let worker = Arc::new(Worker::default());
    for round in 0..2 {
        let tasks: Vec<_> = (0..NODES)
            .map(|n| {
                let (port, run, worker) = (Arc::clone(&port), run.clone(), Arc::clone(&worker));
                tokio::spawn(async move {
                    let name = format!("describe[{n}]");
                    let node = node(&name, Some(&name));
                    good(port.execute_dag_node(&run, node, &*worker).await).origin
                })
            })
            .collect();
        let expected = [ResultOrigin::Executed, ResultOrigin::Log][round];
        for task in tasks {
            assert_eq!(task.await.ok(), Some(expected));
        }
    }
    assert_eq!(worker.executed(), NODES);
    assert_eq!(good(port.run(&run).await).nodes.len(), NODES);
}

async fn usage_counts_what_was_executed(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let worker = Worker::default();
    for (name, key) in [("a", "1"), ("b", "2"), ("c", "1")] {
        good(
            port.execute_dag_node(&run, node(name, Some(key)), &worker)
                .await,
        );
    }
    let usage = good(port.run(&run).await).usage();
    assert_eq!((usage.model_calls, usage.tokens()), (2, 220));
    assert!((usage.usd - 0.5).abs() < 1e-9);
}

/// A run that ended so.
async fn ended(port: &Arc<dyn DagTracking>, id: &str, outcome: RunOutcome, finished: u64) -> RunId {
    let run = new_run(id, 1);
    good(port.begin_run(run.clone()).await);
    good(port.finish_run(&run.id, outcome, at(finished)).await);
    run.id
}

async fn what_succeeded_can_be_removed(fixture: &impl Fixture) {
    let success = || RunOutcome::Succeeded {
        output: artifact("end"),
    };
    let port = fixture.port();
    let worker = Worker::default();
    let old = ended(&port, "00000001", success(), 20).await;
    good(port.resume_run(&old).await);
    let kept = node("n", Some("k"));
    good(port.execute_dag_node(&old, kept.clone(), &worker).await);
    good(port.finish_run(&old, success(), at(20)).await);
    let older = ended(&port, "00000002", success(), 10).await;
    let young = ended(&port, "00000003", success(), 30).await;
    let found = good(port.runs_succeeded_before(at(30)).await);
    let ids: Vec<&RunId> = found.iter().map(|record| &record.run.id).collect();
    assert_eq!(ids, [&older, &old]);
    assert_eq!(found[1], good(port.run(&old).await));

    good(port.remove_run(&old).await);
    drop(port);
    fixture.reopen().await;
    let port = fixture.port();
    expect_error!(port.run(&old).await, PortError::NotFound { .. });
    expect_error!(port.remove_run(&old).await, PortError::NotFound { .. });
    let left = good(port.runs().await);
    assert_eq!(left.len(), 2);
    // What the cache knows stays, and the name is free.
    let again = good(port.execute_dag_node(&young, kept, &worker).await);
    assert_eq!(again.origin, ResultOrigin::Cache);
    good(port.begin_run(new_run(old.as_str(), 40)).await);
    assert_eq!(good(port.run(&old).await).nodes, []);
}

async fn what_could_be_resumed_cannot_be_removed(fixture: &impl Fixture) {
    let (port, begun) = begun(fixture).await;
    let cancelled = ended(&port, "00000002", RunOutcome::Cancelled, 2).await;
    let error = "no luck".to_owned();
    let failed = ended(&port, "00000003", RunOutcome::Failed { error }, 2).await;
    assert_eq!(good(port.runs_succeeded_before(at(99)).await), []);
    for run in [&begun, &cancelled, &failed] {
        expect_error!(port.remove_run(run).await, PortError::Conflict { .. });
        good(port.run(run).await);
    }
}

async fn survives_a_crash(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let worker = Worker::failing(PortError::failed("the first time"));
    let failed = port
        .execute_dag_node(&run, node("failed", Some("f")), &worker)
        .await;
    assert!(failed.is_err());
    good(
        port.execute_dag_node(&run, node("done", Some("k")), &worker)
            .await,
    );
    good(port.skip_node(&run, NodeId::from("skipped"), "why").await);
    good(port.begin_run(new_run("00000002", 2)).await);
    let ended = RunId::from("00000002");
    good(port.finish_run(&ended, RunOutcome::Cancelled, at(7)).await);
    let before = (good(port.run(&run).await), good(port.run(&ended).await));
    drop(port);
    if !fixture.reopen().await {
        return left_out("reopening");
    }
    let port = fixture.port();
    let after = (good(port.run(&run).await), good(port.run(&ended).await));
    assert_eq!(after, before);
    good(port.resume_run(&run).await);
    let again = good(
        port.execute_dag_node(&run, node("done", Some("k")), &worker)
            .await,
    );
    assert_eq!(again.origin, ResultOrigin::Log);
    let cached = good(
        port.execute_dag_node(&ended, node("x", Some("k")), &worker)
            .await,
    );
    assert_eq!(cached.origin, ResultOrigin::Cache);
    assert_eq!(worker.executed(), 2);
    good(
        port.execute_dag_node(&run, node("failed", Some("f")), &worker)
            .await,
    );
    assert_eq!(
        worker.keys(),
        ["key of failed", "key of done", "key of failed"]
    );
}

async fn interrupted_nodes_run_again_after_a_crash(fixture: &impl Fixture) {
    let (port, run) = begun(fixture).await;
    let gate = Arc::new(Notify::new());
    let worker = Arc::new(Worker::gated(&gate));
    let first = under_way(&port, &run, node("n", Some("k")), &worker).await;
    first.abort();
    assert!(first.await.is_err());
    drop(port);
    if !fixture.reopen().await {
        return left_out("reopening");
    }
    let port = fixture.port();
    let state = state_of(&*port, &run, "n").await;
    assert!(
        matches!(state, Some(NodeState::Started | NodeState::Failed { .. })),
        "{state:?}"
    );
    good(port.resume_run(&run).await);
    let ready = Worker::default();
    let result = good(
        port.execute_dag_node(&run, node("n", Some("k")), &ready)
            .await,
    );
    assert_eq!(result.origin, ResultOrigin::Executed);
    assert_eq!(ready.keys(), worker.keys(), "the same idempotency key");
}
