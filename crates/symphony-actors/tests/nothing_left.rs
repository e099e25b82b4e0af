//! However the host ends, no child is left.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::*;
use serde_json::json;
use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use symphony_actors::{ActorState, Incarnation, NoBehaviour, Supervisor};

async fn grandchild(incarnation: &Incarnation) -> u32 {
    let pid = incarnation
        .peer
        .call("grandchild", &json!({}), 5 * SECOND)
        .await;
    u32::try_from(pid.unwrap().as_u64().unwrap()).unwrap()
}

/// Two children, one that will not stop by itself, each with a child of its own.
async fn family(supervisor: &Supervisor) -> Vec<u32> {
    let mut pids = Vec::new();
    for mode in ["", "ignore-term"] {
        let mut spec = child(mode);
        spec.id = format!("child {mode}");
        spec.stop.grace = Duration::from_millis(150);
        spec.stop.term_grace = Duration::from_millis(100);
        let handle = supervisor.spawn(spec, Arc::new(NoBehaviour)).unwrap();
        let incarnation = ready(&handle).await;
        pids.extend([incarnation.pid, grandchild(&incarnation).await]);
    }
    assert!(pids.iter().all(|pid| runs(*pid)));
    pids
}

fn assert_gone(pids: &[u32]) {
    for pid in pids {
        assert!(
            gone_within(*pid, 2 * SECOND),
            "process {pid} is left of {pids:?}"
        );
    }
}

#[tokio::test]
async fn after_stop_all() {
    let supervisor = supervisor();
    let pids = family(&supervisor).await;
    let handles = supervisor.list();
    let asked = Instant::now();
    supervisor.stop_all(5 * SECOND).await;
    assert!(pids.iter().all(|pid| !runs(*pid)), "at once: {pids:?}");
    assert!(asked.elapsed() < 2 * SECOND);
    for handle in handles {
        assert!(matches!(handle.state(), ActorState::Stopped));
        assert!(handle.ready(SECOND).await.is_err());
    }
}

#[tokio::test]
async fn after_stop_all_without_patience() {
    let supervisor = supervisor();
    let pids = family(&supervisor).await;
    let asked = Instant::now();
    supervisor.stop_all(Duration::from_millis(20)).await;
    assert!(pids.iter().all(|pid| !runs(*pid)));
    assert!(asked.elapsed() < SECOND);
}

#[tokio::test]
async fn a_stopped_child_can_be_started_again() {
    let supervisor = supervisor();
    let (handle, first) = started(&supervisor, "").await;
    let left = grandchild(&first).await;
    handle.stop().await.unwrap();
    assert!(!runs(first.pid) && gone_within(left, SECOND));
    let death = handle.death(1, SECOND).await.unwrap();
    assert_eq!(death.to_string(), "was stopped, exit status 0");
    handle.start().await.unwrap();
    assert_eq!(ready(&handle).await.generation, 2);
}

#[tokio::test]
async fn after_a_crash_the_rest_of_its_group_ends_too() {
    let supervisor = supervisor();
    let (handle, first) = started(&supervisor, "").await;
    let left = grandchild(&first).await;
    let _ = first.peer.call("die", &json!({}), 5 * SECOND).await;
    assert!(gone_within(left, SECOND));
    assert_eq!(ready(&handle).await.generation, 2);
}

#[tokio::test]
async fn after_drop() {
    let supervisor = supervisor();
    let pids = family(&supervisor).await;
    drop(supervisor);
    assert_gone(&pids);
    assert!(children_named("guard").is_empty());
}

/// Living children of this process whose command line has the argument.
fn children_named(argument: &str) -> Vec<u32> {
    let own = std::process::id();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let read = |what: &str| std::fs::read_to_string(format!("/proc/{pid}/{what}"));
        let parent = read("stat").ok().and_then(|stat| {
            let rest = stat[stat.rfind(')')? + 1..].to_owned();
            rest.split_whitespace().nth(1)?.parse::<u32>().ok()
        });
        parent == Some(own)
            && runs(*pid)
            && read("cmdline").is_ok_and(|line| line.split('\0').any(|word| word == argument))
    })
    .collect()
}

/// Plays the host in a process of its own; runs only when asked by the tests below.
#[tokio::test]
#[ignore = "started by other tests as a process"]
async fn host_process() {
    let Some(report) = std::env::var_os("SYMPHONY_TEST_REPORT") else {
        return;
    };
    let supervisor = supervisor();
    let mut pids = family(&supervisor).await;
    pids.extend(children_named("guard"));
    let text: Vec<String> = pids.iter().map(ToString::to_string).collect();
    write_whole(Path::new(&report), &text.join(" "));
    tokio::time::sleep(60 * SECOND).await;
}

fn write_whole(path: &Path, text: &str) {
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, text).unwrap();
    std::fs::rename(temporary, path).unwrap();
}

fn killed_host(signal: &str) {
    // Built here: the host process may be killed while it builds.
    runner();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("pids");
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "host_process"])
        .env("SYMPHONY_TEST_REPORT", &report)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !report.exists() {
        assert!(begun.elapsed() < 20 * SECOND, "the host does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    let text = std::fs::read_to_string(&report).unwrap();
    let pids: Vec<u32> = text.split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 5, "two children, two grandchildren, the guard");
    assert!(pids.iter().all(|pid| runs(*pid)));
    let kill = ["-s", signal, &host.id().to_string()];
    assert!(Command::new("kill").args(kill).status().unwrap().success());
    host.wait().unwrap();
    assert_gone(&pids);
}

#[test]
fn after_sigkill_of_the_host() {
    killed_host("KILL");
}

#[test]
fn after_an_abort_of_the_host() {
    killed_host("ABRT");
}
