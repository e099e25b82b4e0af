//! What is left after a crash: logs cut at every byte, bits flipped, files gone.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Counted, at, log_of, new_run, node, open};
use std::{fs, path::Path};
use symphony_core_ports::{DagTracking, NodeState, PortError, ResultOrigin, RunId, RunOutcome};
use symphony_dag_tracker::DagError;

/// A run of `count` nodes; gives the length of its log after each acknowledged completion.
async fn play(folder: &Path, run: &str, count: usize) -> Vec<usize> {
    let tracker = open(folder);
    tracker.begin_run(new_run(run, 1)).await.unwrap();
    let mut lengths = vec![length(folder, run)];
    for number in 0..count {
        let node = node(&format!("n{number}"), Some(&format!("{run} {number}")));
        tracker
            .execute_dag_node(&run.into(), node, &Counted::default())
            .await
            .unwrap();
        lengths.push(length(folder, run));
    }
    lengths
}

fn length(folder: &Path, run: &str) -> usize {
    usize::try_from(fs::metadata(log_of(folder, run)).unwrap().len()).unwrap()
}

fn completed(record: &symphony_core_ports::RunRecord) -> usize {
    let done =
        |n: &&symphony_core_ports::NodeRecord| matches!(n.state, NodeState::Completed { .. });
    record.nodes.iter().filter(done).count()
}

#[tokio::test]
async fn a_log_cut_anywhere_keeps_what_was_acknowledged_before() {
    let folder = tempfile::tempdir().unwrap();
    let lengths = play(folder.path(), "0000000a", 3).await;
    let log = log_of(folder.path(), "0000000a");
    let whole = fs::read(&log).unwrap();
    assert_eq!(whole.len(), lengths[3]);
    for cut in 0..=whole.len() {
        fs::write(&log, &whole[..cut]).unwrap();
        let acknowledged = lengths.iter().filter(|length| **length <= cut).count();
        let tracker = open(folder.path());
        let run = RunId::from("0000000a");
        let record = tracker.run(&run).await;
        if acknowledged == 0 {
            // Not even the beginning was: the id is free.
            assert!(
                matches!(record, Err(PortError::NotFound { .. })),
                "{record:?} at {cut}"
            );
            assert!(tracker.runs().await.unwrap().is_empty());
            continue;
        }
        assert_eq!(
            completed(&record.unwrap()),
            acknowledged - 1,
            "cut at {cut}"
        );
        // It goes on where it was cut, and what was completed is not done again.
        let executor = Counted::default();
        for number in 0..3 {
            let node = node(&format!("n{number}"), None);
            let result = tracker
                .execute_dag_node(&run, node, &executor)
                .await
                .unwrap();
            let logged = result.origin == ResultOrigin::Log;
            assert_eq!(logged, number < acknowledged - 1, "cut at {cut}");
        }
        assert_eq!(executor.calls(), 4 - acknowledged);
        drop(tracker);
        let record = open(folder.path()).run(&run).await.unwrap();
        assert_eq!(completed(&record), 3, "cut at {cut}");
    }
}

#[tokio::test]
async fn a_cut_header_frees_the_id() {
    let folder = tempfile::tempdir().unwrap();
    for left in [Vec::new(), b"symrun".to_vec(), vec![0; 4096]] {
        fs::create_dir_all(folder.path().join("runs")).unwrap();
        fs::write(log_of(folder.path(), "0000000a"), left).unwrap();
        let tracker = open(folder.path());
        tracker.begin_run(new_run("0000000a", 1)).await.unwrap();
        drop(tracker);
        let record = open(folder.path()).run(&"0000000a".into()).await.unwrap();
        assert_eq!(record.run, new_run("0000000a", 1));
    }
}

#[tokio::test]
async fn damage_in_the_middle_is_told_and_hurts_no_other_run() {
    let folder = tempfile::tempdir().unwrap();
    let lengths = play(folder.path(), "0000000a", 3).await;
    play(folder.path(), "0000000b", 2).await;
    let log = log_of(folder.path(), "0000000a");
    let whole = fs::read(&log).unwrap();
    // Every byte that a later record proves to have been synced.
    for at in (16..lengths[2]).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&log, &damaged).unwrap();
        let tracker = open(folder.path());
        let told = tracker.run(&"0000000a".into()).await;
        assert!(
            matches!(told, Err(PortError::OperationFailed { .. })),
            "{told:?} at {at}"
        );
        let runs = tracker.runs().await.unwrap();
        assert_eq!(runs.len(), 1, "byte {at}");
        assert_eq!(runs[0].run.id.as_str(), "0000000b");
        let damaged_runs = tracker.damaged_runs().await.unwrap();
        assert_eq!(damaged_runs[0].id.as_str(), "0000000a");
        assert!(matches!(damaged_runs[0].error, DagError::Damaged { .. }));
        let again = tracker.begin_run(new_run("0000000a", 9)).await;
        assert!(again.is_err(), "a damaged record is not written over");
        assert_eq!(fs::read(&log).unwrap(), damaged, "and is left as it is");
    }
}

#[tokio::test]
async fn a_log_of_a_newer_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    play(folder.path(), "0000000a", 1).await;
    let log = log_of(folder.path(), "0000000a");
    let newer = sy_commons::framed::header(*b"symrun\r\n", 99);
    fs::write(&log, newer).unwrap();
    let tracker = open(folder.path());
    let error = tracker.run(&"0000000a".into()).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert!(cause.to_string().contains("0000000a.log"), "{cause}");
    assert_eq!(fs::read(&log).unwrap(), newer);
}

#[tokio::test]
async fn a_cut_or_damaged_cache_only_costs_work() {
    let folder = tempfile::tempdir().unwrap();
    play(folder.path(), "0000000a", 3).await;
    let log = folder.path().join("cache.log");
    let whole = fs::read(&log).unwrap();
    let mut lefts: Vec<Vec<u8>> = (0..=whole.len())
        .step_by(5)
        .map(|n| whole[..n].to_vec())
        .collect();
    lefts.push(vec![0; 4096]);
    lefts.extend((16..whole.len()).step_by(31).map(|n| {
        let mut damaged = whole.clone();
        damaged[n] ^= 1;
        damaged
    }));
    for (number, left) in lefts.into_iter().enumerate() {
        fs::write(&log, left).unwrap();
        let tracker = open(folder.path());
        let run = format!("{number:08x}");
        if tracker.run(&run.as_str().into()).await.is_err() {
            tracker.begin_run(new_run(&run, 2)).await.unwrap();
        }
        let run = RunId::from(run.as_str());
        for number in 0..3 {
            let key = format!("0000000a {number}");
            let node = node(&format!("again{number}"), Some(&key));
            let result = tracker
                .execute_dag_node(&run, node, &Counted::default())
                .await;
            assert!(result.is_ok());
        }
        drop(tracker);
        let tracker = open(folder.path());
        for number in 0..3 {
            assert!(tracker.is_cached(&format!("0000000a {number}").as_str().into()));
        }
    }
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = open(folder.path());
    let run = RunId::from("0000000a");
    tracker.begin_run(new_run("0000000a", 5)).await.unwrap();
    let executor = Counted::default();
    tracker
        .execute_dag_node(&run, node("a", Some("k")), &executor)
        .await
        .unwrap();
    tracker
        .execute_dag_node(&run, node("b", Some("k")), &executor)
        .await
        .unwrap();
    let failing = Counted {
        fails: true,
        ..Counted::default()
    };
    tracker
        .execute_dag_node(&run, node("c", None), &failing)
        .await
        .unwrap_err();
    tracker
        .skip_node(&run, "d".into(), "nothing to do")
        .await
        .unwrap();
    let error = "c failed".to_owned();
    tracker
        .finish_run(&run, RunOutcome::Failed { error }, at(6))
        .await
        .unwrap();
    let before = tracker.run(&run).await.unwrap();
    drop(tracker);
    let tracker = open(folder.path());
    assert_eq!(tracker.run(&run).await.unwrap(), before);
    assert_eq!(tracker.runs().await.unwrap(), vec![before]);
    tracker.resume_run(&run).await.unwrap();
    drop(tracker);
    let record = open(folder.path()).run(&run).await.unwrap();
    assert_eq!((record.outcome, record.finished), (None, None));
}

#[tokio::test]
async fn a_second_owner_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let second = symphony_dag_tracker::DagTracker::open(folder.path());
    assert!(matches!(second, Err(DagError::Owner(_))));
    drop(first);
    open(folder.path());
}
