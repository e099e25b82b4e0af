//! Records of runs that go.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Counted, at, log_of, new_run, node, open, spawned};
use std::{fs, path::Path, sync::Arc};
use symphony_core_ports::{ArtifactId, DagTracking, PortError, RunId, RunOutcome};
use symphony_dag_tracker::DagTracker;

fn success() -> RunOutcome {
    RunOutcome::Succeeded {
        output: ArtifactId::from_blake3([2; 32]),
    }
}

async fn succeeded(tracker: &DagTracker, id: &str, second: u64) -> RunId {
    tracker.begin_run(new_run(id, 1)).await.unwrap();
    tracker
        .finish_run(&id.into(), success(), at(second))
        .await
        .unwrap();
    id.into()
}

/// As if the log had last been written to then.
fn age(folder: &Path, run: &str, second: u64) {
    let log = fs::File::options().write(true).open(log_of(folder, run));
    log.unwrap().set_modified(at(second)).unwrap();
}

#[tokio::test]
async fn a_removed_run_leaves_no_file_and_the_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = open(folder.path());
    let gone = succeeded(&tracker, "0000000a", 5).await;
    succeeded(&tracker, "0000000b", 6).await;
    tracker.remove_run(&gone).await.unwrap();
    assert!(!log_of(folder.path(), "0000000a").exists());
    let left = tracker.runs().await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].run.id.as_str(), "0000000b");
    // A new run of that name has nothing of the old one.
    tracker.begin_run(new_run("0000000a", 9)).await.unwrap();
    drop(tracker);
    let again = open(folder.path()).run(&gone).await.unwrap();
    assert_eq!((again.run.started, again.outcome), (at(9), None));
}

#[tokio::test]
async fn only_logs_that_may_be_old_enough_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = open(folder.path());
    for id in ["0000000a", "0000000b", "0000000c"] {
        succeeded(&tracker, id, 5).await;
    }
    drop(tracker);
    age(folder.path(), "0000000a", 5);
    age(folder.path(), "0000000b", 6);
    // This one was written to since; it is not even opened.
    fs::write(log_of(folder.path(), "0000000c"), "no log at all").unwrap();
    let tracker = open(folder.path());
    let old = tracker.runs_succeeded_before(at(10)).await.unwrap();
    let ids: Vec<&str> = old.iter().map(|record| record.run.id.as_str()).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert!(ids.contains(&"0000000a") && ids.contains(&"0000000b"));
    for record in old {
        tracker.remove_run(&record.run.id).await.unwrap();
    }
    let logs = fs::read_dir(folder.path().join("runs")).unwrap().count();
    assert_eq!(logs, 1, "the one that was not asked about stays as it is");
}

#[tokio::test]
async fn a_run_that_somebody_works_on_stays() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = Arc::new(open(folder.path()));
    let run = succeeded(&tracker, "0000000a", 5).await;
    let gated = Counted::gated();
    let working = spawned(&tracker, "0000000a", node("late", None), &gated).await;
    let refused = tracker.remove_run(&run).await;
    assert!(
        matches!(refused, Err(PortError::Conflict { .. })),
        "{refused:?}"
    );
    gated.open(1);
    working.await.unwrap().unwrap();
    tracker.remove_run(&run).await.unwrap();
}

#[tokio::test]
async fn a_log_that_cannot_be_removed_is_still_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = open(folder.path());
    let run = succeeded(&tracker, "0000000a", 5).await;
    let (log, away) = (
        log_of(folder.path(), "0000000a"),
        folder.path().join("away"),
    );
    fs::rename(&log, &away).unwrap();
    tracker.remove_run(&run).await.unwrap_err();
    fs::rename(&away, &log).unwrap();
    assert_eq!(tracker.run(&run).await.unwrap().outcome, Some(success()));
}
