//! A disk that takes no more: the system's own limit on files stands in for it.
#![cfg(unix)]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test has a process of its own"
)]

mod common;

use common::{Counted, new_run, node, open};
use std::{path::PathBuf, process::Command};
use symphony_core_ports::{DagTracking, PortError, RunId};

const FOLDER: &str = "SYMPHONY_TEST_FULL_DISK";

/// Runs `inner` of this file in a process whose files may have 32 KiB.
#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"trap "" XFSZ; ulimit -f 64 && exec "$0" --exact inner --ignored --nocapture"#;
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let acknowledged: usize = told
        .lines()
        .find_map(|line| line.strip_prefix("acknowledged "))
        .unwrap()
        .parse()
        .unwrap();
    assert!(acknowledged > 5, "{acknowledged}");
    let tracker = open(folder.path());
    let run = RunId::from("0000000a");
    let executor = Counted::default();
    for number in 0..acknowledged {
        let node = node(&format!("n{number}"), None);
        tracker
            .execute_dag_node(&run, node, &executor)
            .await
            .unwrap();
    }
    assert_eq!(executor.calls(), 0);
    let more = node("more", None);
    tracker
        .execute_dag_node(&run, more, &executor)
        .await
        .unwrap();
}

#[tokio::test]
#[ignore = "part of the test above, in a process of its own"]
async fn inner() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let tracker = open(&folder);
    let run = RunId::from("0000000a");
    tracker.begin_run(new_run("0000000a", 1)).await.unwrap();
    for number in 0..1_000 {
        let node = node(&format!("n{number}"), None);
        match tracker
            .execute_dag_node(&run, node, &Counted::default())
            .await
        {
            Ok(_) => {}
            Err(error) => {
                assert!(matches!(error, PortError::Exhausted { .. }), "{error:?}");
                println!("\nacknowledged {number}");
                return;
            }
        }
    }
    panic!("the limit was never reached");
}
