//! Once, and only once: nodes, keys, cancelling.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Counted, new_run, node, open, spawned};
use std::sync::Arc;
use symphony_core_ports::{DagTracking, NodeState, PortError, ResultOrigin, RunId, RunOutcome};
use symphony_dag_tracker::DagTracker;

async fn tracker() -> (Arc<DagTracker>, RunId) {
    let tracker = Arc::new(DagTracker::in_memory());
    tracker.begin_run(new_run("0000000a", 1)).await.unwrap();
    (tracker, "0000000a".into())
}

#[tokio::test]
async fn equal_keys_at_once_are_executed_once() {
    let (tracker, _) = tracker().await;
    let executor = Counted::gated();
    let mut tasks = Vec::new();
    for number in 0..5 {
        let node = node(&format!("n{number}"), Some("key"));
        tasks.push(spawned(&tracker, "0000000a", node, &executor).await);
    }
    assert_eq!(executor.calls(), 1);
    executor.open(1);
    let mut origins = Vec::new();
    for task in tasks {
        origins.push(task.await.unwrap().unwrap().origin);
    }
    assert_eq!(executor.calls(), 1);
    assert_eq!(origins[0], ResultOrigin::Executed);
    assert!(
        origins[1..]
            .iter()
            .all(|origin| *origin == ResultOrigin::Cache)
    );
}

#[tokio::test]
async fn when_the_first_fails_the_next_one_does_it() {
    let (tracker, _) = tracker().await;
    let failing = Arc::new(Counted {
        fails: true,
        gate: Some(tokio::sync::Semaphore::new(0)),
        ..Counted::default()
    });
    let good = Arc::new(Counted::default());
    let first = spawned(&tracker, "0000000a", node("first", Some("key")), &failing).await;
    let second = spawned(&tracker, "0000000a", node("second", Some("key")), &good).await;
    assert_eq!((failing.calls(), good.calls()), (1, 0));
    failing.open(1);
    first.await.unwrap().unwrap_err();
    let result = second.await.unwrap().unwrap();
    assert_eq!(result.origin, ResultOrigin::Executed);
}

#[tokio::test]
async fn when_the_first_leaves_the_next_one_does_it() {
    let (tracker, run) = tracker().await;
    let left = Counted::gated();
    let good = Arc::new(Counted::default());
    let first = spawned(&tracker, "0000000a", node("first", Some("key")), &left).await;
    let waits = spawned(&tracker, "0000000a", node("waits", Some("key")), &good).await;
    let second = spawned(&tracker, "0000000a", node("second", Some("key")), &good).await;
    // One who waits may leave as well, and frees its node.
    waits.abort();
    assert!(waits.await.is_err());
    first.abort();
    assert!(first.await.is_err());
    let result = second.await.unwrap().unwrap();
    assert_eq!((result.origin, good.calls()), (ResultOrigin::Executed, 1));
    let waited = node("waits", Some("key"));
    let again = tracker
        .execute_dag_node(&run, waited, &*good)
        .await
        .unwrap();
    assert_eq!(again.origin, ResultOrigin::Cache);
}

#[tokio::test]
async fn a_node_in_work_is_refused_and_free_again_when_dropped() {
    let (tracker, run) = tracker().await;
    let executor = Counted::gated();
    let first = spawned(&tracker, "0000000a", node("n", None), &executor).await;
    let second = tracker
        .execute_dag_node(&run, node("n", None), &*executor)
        .await;
    assert!(
        matches!(second, Err(PortError::Conflict { .. })),
        "{second:?}"
    );
    let skip = tracker.skip_node(&run, "n".into(), "no").await;
    assert!(matches!(skip, Err(PortError::Conflict { .. })), "{skip:?}");
    first.abort();
    assert!(first.await.is_err());
    assert_eq!(
        tracker.run(&run).await.unwrap().nodes[0].state,
        NodeState::Started
    );
    let third = tracker
        .execute_dag_node(&run, node("n", None), &Counted::default())
        .await;
    assert_eq!(third.unwrap().origin, ResultOrigin::Executed);
}

#[tokio::test]
async fn a_completed_node_cannot_be_skipped() {
    let (tracker, run) = tracker().await;
    tracker
        .execute_dag_node(&run, node("n", None), &Counted::default())
        .await
        .unwrap();
    let skip = tracker.skip_node(&run, "n".into(), "no").await;
    assert!(matches!(skip, Err(PortError::Conflict { .. })), "{skip:?}");
}

#[tokio::test]
async fn what_a_caller_leaves_while_it_is_written_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = Arc::new(open(folder.path()));
    tracker.begin_run(new_run("0000000a", 1)).await.unwrap();
    let run = RunId::from("0000000a");
    let executor = Arc::new(Counted::default());
    for number in 0..50 {
        let name = format!("n{number}");
        let task = spawned(&tracker, "0000000a", node(&name, Some(&name)), &executor).await;
        task.abort();
        let _ = task.await;
    }
    // Each is either done, and then not done again, or free.
    for number in 0..50 {
        let name = format!("n{number}");
        let before = executor.calls();
        loop {
            let result = tracker
                .execute_dag_node(&run, node(&name, Some(&name)), &*executor)
                .await;
            match result {
                Ok(result) => {
                    let executed = executor.calls() - before;
                    assert_eq!(
                        executed,
                        usize::from(result.origin == ResultOrigin::Executed)
                    );
                    break;
                }
                // Still being written.
                Err(PortError::Conflict { .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_eq!(executor.calls(), 50, "each node was executed once");
}

#[tokio::test]
async fn one_run_id_is_begun_once() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = Arc::new(open(folder.path()));
    let begin = |second| {
        let tracker = tracker.clone();
        tokio::spawn(async move { tracker.begin_run(new_run("0000000a", second)).await })
    };
    let tasks: Vec<_> = (0..8).map(begin).collect();
    let mut begun = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => begun += 1,
            Err(error) => assert!(matches!(error, PortError::Conflict { .. }), "{error}"),
        }
    }
    assert_eq!(begun, 1);
}

#[tokio::test]
async fn names_that_are_no_file_names_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = open(folder.path());
    for name in ["", "../x", "a/b", "a.b", &"a".repeat(65)] {
        let begun = tracker.begin_run(new_run(name, 1)).await;
        assert!(
            matches!(begun, Err(PortError::InvalidInput { .. })),
            "{begun:?}"
        );
        let found = tracker.run(&name.into()).await;
        assert!(
            matches!(found, Err(PortError::NotFound { .. })),
            "{found:?}"
        );
    }
}

#[tokio::test]
async fn a_cache_that_is_mostly_dead_is_compacted() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = open(folder.path());
    let run = RunId::from("0000000a");
    tracker.begin_run(new_run("0000000a", 1)).await.unwrap();
    let length = || {
        std::fs::metadata(folder.path().join("cache.log"))
            .unwrap()
            .len()
    };
    let executor = Counted::default();
    for round in 0..600 {
        let kept = node(
            &format!("kept{round}"),
            Some(&format!("kept{}", round % 20)),
        );
        tracker
            .execute_dag_node(&run, kept, &executor)
            .await
            .unwrap();
        let name = format!("gone{round}");
        tracker
            .execute_dag_node(&run, node(&name, Some(&name)), &executor)
            .await
            .unwrap();
        tracker.forget_cached(&name.as_str().into()).await.unwrap();
    }
    let before = length();
    tracker
        .finish_run(&run, RunOutcome::Cancelled, common::at(2))
        .await
        .unwrap();
    assert!(length() * 10 < before, "{} of {before}", length());
    // It goes on behind what was compacted.
    tracker
        .execute_dag_node(&run, node("new", Some("new")), &executor)
        .await
        .unwrap();
    drop(tracker);
    let tracker = open(folder.path());
    assert!(tracker.is_cached(&"new".into()));
    assert!((0..20).all(|n| tracker.is_cached(&format!("kept{n}").as_str().into())));
    assert!(!tracker.is_cached(&"gone7".into()));
}

#[tokio::test]
async fn many_runs_at_once_keep_apart() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = Arc::new(open(folder.path()));
    let mut tasks = Vec::new();
    // More runs than logs are kept open.
    for number in 0..100_u64 {
        let tracker = tracker.clone();
        tasks.push(tokio::spawn(async move {
            let run = RunId::new(format!("{number:08x}"));
            tracker
                .begin_run(new_run(run.as_str(), number))
                .await
                .unwrap();
            for step in 0..3 {
                let node = node(&format!("n{step}"), None);
                tracker
                    .execute_dag_node(&run, node, &Counted::default())
                    .await
                    .unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    drop(tracker);
    let runs = open(folder.path()).runs().await.unwrap();
    assert_eq!(runs.len(), 100);
    assert!(runs.iter().all(|run| run.nodes.len() == 3));
    assert!(
        runs.windows(2)
            .all(|pair| pair[0].run.started >= pair[1].run.started)
    );
}
