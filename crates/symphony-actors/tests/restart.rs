//! Ends, hangs and restarts of real processes.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::*;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use symphony_actors::{
    ActorError, ActorSpec, ActorState, Behaviour, DeathCause, EventKind, Incarnation, NoBehaviour,
    RestartPolicy, StartError,
};
use symphony_ipc_transport::{CallError, CloseReason, Incoming};

#[tokio::test]
async fn a_crash_ends_the_call_tells_the_last_words_and_restarts() {
    let supervisor = supervisor();
    let (handle, first) = started(&supervisor, "").await;
    let error = first
        .peer
        .call("die", &json!({"code": 7}), 10 * SECOND)
        .await;
    assert!(matches!(error, Err(CallError::Closed(CloseReason::Ended))));
    let death = handle.death(first.generation, SECOND).await.unwrap();
    assert_eq!((death.code, death.generation), (Some(7), 1));
    assert_eq!(death.last_words, ["last words"]);
    let second = ready(&handle).await;
    assert_eq!(second.generation, 2);
    let echo = second.peer.call("echo", &json!([1]), SECOND).await.unwrap();
    assert_eq!(echo, json!([1]));
    assert_eq!(handle.restarts(), 1);
}

#[tokio::test]
async fn death_is_seen_within_50_ms() {
    let supervisor = supervisor();
    let (handle, first) = started(&supervisor, "").await;
    let mut events = handle.events();
    let pid = rustix::process::Pid::from_raw(first.pid.cast_signed()).unwrap();
    let mut best = SECOND;
    for _ in 0..3 {
        let current = ready(&handle).await;
        let pid = rustix::process::Pid::from_raw(current.pid.cast_signed()).unwrap_or(pid);
        let killed = Instant::now();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        let death = event(&mut events, |kind| match kind {
            EventKind::Exited(death) => Some(death),
            _ => None,
        })
        .await;
        best = best.min(killed.elapsed());
        assert_eq!(death.signal, Some(9));
    }
    assert!(best < Duration::from_millis(50), "{best:?}");
}

#[tokio::test]
async fn five_restarts_in_five_seconds_then_it_fails_and_can_be_started_again() {
    let supervisor = supervisor();
    let spec = ActorSpec {
        args: vec!["-c".into(), "echo no model >&2; exit 3".into()],
        ..ActorSpec::new("broken", "sh")
    };
    let handle = supervisor
        .spawn(spec, Arc::new(Handshake::default()))
        .unwrap();
    let error = handle.ready(5 * SECOND).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "broken ended 6 times within 5s; the last time it ended by itself, exit status 3; its last words: no model"
    );
    assert_eq!(handle.restarts(), 5);
    assert!(matches!(handle.state(), ActorState::Failed { .. }));
    handle.start().await.unwrap();
    assert!(handle.ready(5 * SECOND).await.is_err());
    assert_eq!(handle.restarts(), 10);
}

#[tokio::test]
async fn a_hang_is_found_within_a_second_and_a_busy_child_is_left_alone() {
    let supervisor = supervisor();
    let (handle, first) = started(&supervisor, "").await;
    first
        .peer
        .call("compute", &json!({"seconds": 1.5}), 10 * SECOND)
        .await
        .unwrap();
    assert_eq!(ready(&handle).await.generation, 1, "it was busy, not hung");
    let asked = Instant::now();
    let error = first.peer.call("stop-self", &json!({}), 10 * SECOND).await;
    assert!(matches!(error, Err(CallError::Closed(_))));
    let death = handle.death(1, SECOND).await.unwrap();
    assert!(
        asked.elapsed() < Duration::from_millis(1200),
        "{:?}",
        asked.elapsed()
    );
    assert!(matches!(death.cause, DeathCause::Hung { .. }));
    assert_eq!(ready(&handle).await.generation, 2);
}

#[tokio::test]
async fn garbage_is_tolerated_for_a_while_then_ends_the_child() {
    let supervisor = supervisor();
    let (handle, first) = started(&supervisor, "").await;
    let mut events = handle.events();
    first
        .peer
        .call("garbage", &json!({"lines": 50}), SECOND)
        .await
        .unwrap();
    let sample = event(&mut events, |kind| match kind {
        EventKind::Malformed { sample, .. } => Some(sample),
        _ => None,
    });
    assert_eq!(sample.await, "Loading weights 0%");
    let error = first
        .peer
        .call("garbage", &json!({"lines": 99}), SECOND)
        .await;
    assert!(matches!(
        error,
        Err(CallError::Closed(CloseReason::Garbage { lines: 101, .. }))
    ));
    let death = handle.death(1, SECOND).await.unwrap();
    let text = death.to_string();
    assert!(
        text.contains("no message, the last one: Loading weights 50%"),
        "{text}"
    );
    assert_eq!(ready(&handle).await.generation, 2);
}

#[tokio::test]
async fn floods_on_both_outputs_are_survived() {
    let supervisor = supervisor();
    let (handle, first) = started(&supervisor, "").await;
    first
        .peer
        .call("flood", &json!({"messages": 20_000}), 20 * SECOND)
        .await
        .unwrap();
    first
        .peer
        .call("flood-stderr", &json!({"lines": 20_000}), 20 * SECOND)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(handle.last_words().len() <= 64);
    assert_eq!(ready(&handle).await.generation, 1);
}

#[tokio::test]
async fn a_child_that_closes_its_output_is_replaced() {
    let supervisor = supervisor();
    let (handle, first) = started(&supervisor, "").await;
    let error = first
        .peer
        .call("close-output", &json!({}), 10 * SECOND)
        .await;
    assert!(matches!(error, Err(CallError::Closed(_))));
    let death = handle.death(1, 2 * SECOND).await.unwrap();
    assert!(matches!(
        death.cause,
        DeathCause::Disconnected(CloseReason::Ended)
    ));
    assert_eq!(ready(&handle).await.generation, 2);
}

/// Asks for the process id at each start, and refuses or hangs on request.
#[derive(Default)]
struct Handshake {
    starts: AtomicU32,
    refuse: bool,
    hang: bool,
    notes: AtomicU32,
}

#[async_trait::async_trait]
impl Behaviour for Handshake {
    async fn started(&self, incarnation: &Incarnation) -> Result<(), StartError> {
        let pid = incarnation.peer.call("pid", &json!({}), 5 * SECOND).await?;
        assert_eq!(pid, json!(incarnation.pid));
        self.starts.fetch_add(1, Ordering::Relaxed);
        if self.refuse {
            return Err(StartError::Fatal("it speaks another protocol".to_owned()));
        }
        if self.hang {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
    async fn incoming(&self, _: u64, message: Incoming) {
        if let Incoming::Notification { params, .. } = message {
            assert_eq!(params["n"], self.notes.fetch_add(1, Ordering::Relaxed));
        }
    }
}

#[tokio::test]
async fn the_handshake_runs_at_every_start_and_notifications_come_in_order() {
    let supervisor = supervisor();
    let behaviour = Arc::new(Handshake::default());
    let handle = supervisor.spawn(child(""), behaviour.clone()).unwrap();
    let first = ready(&handle).await;
    first
        .peer
        .call("flood", &json!({"messages": 500}), SECOND)
        .await
        .unwrap();
    handle
        .restart(first.generation, "for the test")
        .await
        .unwrap();
    let death = handle.death(1, 2 * SECOND).await.unwrap();
    assert_eq!(death.to_string(), "was restarted: for the test");
    assert_eq!(ready(&handle).await.generation, 2);
    handle.restart(1, "too late").await.unwrap();
    assert_eq!(ready(&handle).await.generation, 2);
    assert_eq!(behaviour.starts.load(Ordering::Relaxed), 2);
    assert_eq!(behaviour.notes.load(Ordering::Relaxed), 500);
    assert_eq!(handle.restarts(), 0, "asked for, so not counted");
}

#[tokio::test]
async fn a_refused_start_is_not_repeated_and_a_slow_one_ends() {
    let supervisor = supervisor();
    let refusing = Arc::new(Handshake {
        refuse: true,
        ..Handshake::default()
    });
    let handle = supervisor.spawn(child(""), refusing.clone()).unwrap();
    let error = handle.ready(5 * SECOND).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "child cannot work: it speaks another protocol"
    );
    assert_eq!(refusing.starts.load(Ordering::Relaxed), 1);
    supervisor.remove("child").await.unwrap();
    let slow = Arc::new(Handshake {
        hang: true,
        ..Handshake::default()
    });
    let mut spec = child("");
    spec.startup_timeout = Duration::from_millis(300);
    spec.restart = RestartPolicy::never();
    let handle = supervisor.spawn(spec, slow).unwrap();
    let error = handle.ready(5 * SECOND).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "child was not ready within 300ms and was killed"
    );
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let supervisor = supervisor();
    let spec = ActorSpec::new("ghost", "/no/such/program");
    let handle = supervisor.spawn(spec, Arc::new(NoBehaviour)).unwrap();
    let error = handle.ready(SECOND).await.unwrap_err();
    assert!(matches!(&error, ActorError::ProgramMissing { .. }));
    assert_eq!(
        error.to_string(),
        "cannot start ghost: its program /no/such/program was not found or is not executable"
    );
    let mut spec = child("");
    spec.cwd = Some("/no/such/folder".into());
    let handle = supervisor.spawn(spec, Arc::new(NoBehaviour)).unwrap();
    let error = handle.ready(SECOND).await.unwrap_err();
    assert!(matches!(error, ActorError::FolderMissing { .. }));
    let again = supervisor.spawn(child(""), Arc::new(NoBehaviour));
    assert!(matches!(again, Err(ActorError::Duplicate { .. })));
}

#[tokio::test]
async fn the_child_gets_its_folder_and_nothing_of_the_hosts_secrets() {
    let supervisor = supervisor();
    let folder = tempfile::tempdir().unwrap();
    let mut spec = child("");
    spec.cwd = Some(folder.path().to_owned());
    spec.env.insert("GIVEN".into(), "yes".into());
    spec.limits.open_files = Some(64);
    let handle = supervisor.spawn(spec, Arc::new(NoBehaviour)).unwrap();
    let peer = ready(&handle).await.peer;
    let variables = peer.call("environment", &json!({}), SECOND).await.unwrap();
    assert_eq!(variables["GIVEN"], "yes");
    assert!(variables.get("PATH").is_some());
    assert!(variables.get("CARGO_MANIFEST_DIR").is_none(), "{variables}");
    let place = peer.call("where", &Value::Null, SECOND).await.unwrap();
    assert_eq!(
        std::path::Path::new(place.as_str().unwrap())
            .canonicalize()
            .unwrap(),
        folder.path().canonicalize().unwrap()
    );
    let resources = handle.resources().unwrap();
    assert!(resources.resident > 1 << 20 && resources.resident <= resources.resident_peak);
    assert!(resources.threads >= 1);
    assert_eq!(supervisor.resources().len(), 1);
}
