//! The cases.

use super::{
    super::{expect_error, good, left_out},
    Behaviour, Fixture,
};
use serde_json::{Map, Value, json};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use symphony_core_ports::{
    ExtensionEvent, ExtensionId, ExtensionPort, PortError, PortResult, Request, Response,
};
use tokio::{sync::broadcast::Receiver, time::timeout};

/// Enough for a process to start on a busy machine.
const LONG: Duration = Duration::from_secs(20);
/// A time-out that shall be reached.
const SHORT: Duration = Duration::from_millis(400);
/// By when a call with the time-out `SHORT` must have ended, on a busy machine.
const GRACE: Duration = Duration::from_secs(10);

fn request(value: Value, timeout: Duration) -> Request {
    static CALLS: AtomicU64 = AtomicU64::new(1);
    let call = format!("call-{}", CALLS.fetch_add(1, Ordering::Relaxed));
    Request {
        idempotency_key: format!("key of {call}"),
        call,
        inputs: Map::from_iter([("value".to_owned(), value)]),
        timeout,
    }
}

/// Loads an extension and waits until it runs, so that its start counts into no time-out.
async fn started(fixture: &impl Fixture, behaviour: Behaviour) -> ExtensionId {
    let port = fixture.port();
    let id = good(port.load(fixture.manifest(behaviour)).await);
    assert_eq!(id.as_str(), behaviour.id());
    good(port.ready(&id).await);
    id
}

async fn call(port: &dyn ExtensionPort, id: &ExtensionId, value: Value) -> Response {
    good(port.invoke(id, request(value, LONG)).await)
}

/// A call that ends by its time-out, and not much later.
async fn short_call(
    fixture: &impl Fixture,
    id: &ExtensionId,
    value: Value,
) -> PortResult<Response> {
    let port = fixture.port();
    let begun = Instant::now();
    let (outcome, ()) = tokio::join!(
        port.invoke(id, request(value, SHORT)),
        fixture.pass(SHORT + SHORT / 4)
    );
    assert!(begun.elapsed() < GRACE, "it took {:?}", begun.elapsed());
    outcome
}

/// Trouble of another extension must not have reached this one.
async fn still_answers(port: &dyn ExtensionPort, echo: &ExtensionId) {
    let begun = Instant::now();
    assert_eq!(
        call(port, echo, json!("still here")).await.outputs["value"],
        "still here"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "held up: {:?}",
        begun.elapsed()
    );
}

pub(super) async fn an_extension_answers(fixture: &impl Fixture) {
    let port = fixture.port();
    // Its process starts with the first call where it must.
    let id = good(port.load(fixture.manifest(Behaviour::Echo)).await);
    for value in [
        json!("text with äöü and \n"),
        json!({"a": [1, 2.5, null]}),
        json!(0),
    ] {
        let response = call(&*port, &id, value.clone()).await;
        assert_eq!(response.outputs["value"], value);
        let usage = response.usage;
        assert_eq!(
            (usage.model_calls, usage.input_tokens, usage.output_tokens),
            (1, 2, 3)
        );
    }
    let large = json!("x".repeat(1 << 20));
    assert_eq!(
        call(&*port, &id, large.clone()).await.outputs["value"],
        large
    );
}

pub(super) async fn ready_tells_what_it_said(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = started(fixture, Behaviour::Echo).await;
    for _ in 0..2 {
        let status = good(port.ready(&id).await);
        assert_eq!(status.id, id);
        assert_eq!(status.model.as_deref(), Some("echo-model"));
        assert_eq!(status.max_parallel, 4);
    }
}

pub(super) async fn loading_again_is_the_same(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = started(fixture, Behaviour::FailsOnce).await;
    let first = port.invoke(&id, request(json!(1), LONG)).await;
    assert!(first.is_err());
    let again = good(port.load(fixture.manifest(Behaviour::FailsOnce)).await);
    assert_eq!(again, id);
    // It goes on where it was.
    call(&*port, &id, json!(2)).await;
}

pub(super) async fn another_manifest_conflicts(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = started(fixture, Behaviour::Echo).await;
    let mut other = fixture.manifest(Behaviour::Echo);
    other.version.major += 1;
    expect_error!(port.load(other).await, PortError::Conflict { .. });
    still_answers(&*port, &id).await;
}

pub(super) async fn what_is_not_loaded_is_not_found(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = ExtensionId::from("never-loaded");
    expect_error!(port.ready(&id).await, PortError::NotFound { .. });
    expect_error!(port.unload(&id).await, PortError::NotFound { .. });
    let outcome = port.invoke(&id, request(json!(1), LONG)).await;
    expect_error!(outcome, PortError::NotFound { .. });
}

pub(super) async fn an_ungranted_permission_is_refused(fixture: &impl Fixture) {
    let Some(manifest) = fixture.ungranted() else {
        return left_out("a permission that is not granted");
    };
    let port = fixture.port();
    let id = manifest.id.clone();
    let outcome = port.load(manifest).await;
    expect_error!(outcome, PortError::PermissionDenied { .. });
    expect_error!(port.ready(&id).await, PortError::NotFound { .. });
}

pub(super) async fn an_unloaded_extension_is_gone(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = started(fixture, Behaviour::FailsOnce).await;
    assert!(port.invoke(&id, request(json!(1), LONG)).await.is_err());
    call(&*port, &id, json!(1)).await;
    good(port.unload(&id).await);
    let outcome = port.invoke(&id, request(json!(1), LONG)).await;
    expect_error!(outcome, PortError::NotFound { .. });
    expect_error!(port.unload(&id).await, PortError::NotFound { .. });
    let again = started(fixture, Behaviour::FailsOnce).await;
    let fresh = port.invoke(&again, request(json!(1), LONG)).await;
    assert!(fresh.is_err(), "it begins anew");
}

pub(super) async fn calls_run_side_by_side(fixture: &impl Fixture) {
    const CALLS: u64 = 12;
    let port = fixture.port();
    let id = started(fixture, Behaviour::Slow).await;
    let echo = started(fixture, Behaviour::Echo).await;
    let tasks: Vec<_> = (0..CALLS)
        .map(|n| {
            let (port, id) = (fixture.port(), id.clone());
            tokio::spawn(async move {
                let value = json!(20 + n);
                assert_eq!(
                    call(&*port, &id, value.clone()).await.outputs["value"],
                    value
                );
            })
        })
        .collect();
    let all_time = async {
        while tasks.iter().any(|task| !task.is_finished()) {
            fixture.pass(Duration::from_millis(100)).await;
        }
    };
    tokio::join!(all_time, still_answers(&*port, &echo));
    for task in tasks {
        assert!(task.await.is_ok());
    }
}

async fn next(events: &mut Receiver<ExtensionEvent>) -> ExtensionEvent {
    loop {
        match timeout(LONG, events.recv()).await {
            // Its log is its own affair.
            Ok(Ok(ExtensionEvent::Log { .. })) => {}
            Ok(Ok(event)) => return event,
            other => panic!("expected an event, got {other:?}"),
        }
    }
}

pub(super) async fn events_come_in_order(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = good(port.load(fixture.manifest(Behaviour::Streams)).await);
    let mut events = port.events(&id);
    good(port.ready(&id).await);
    assert!(matches!(
        next(&mut events).await,
        ExtensionEvent::Started { .. }
    ));
    for _ in 0..2 {
        let request = request(json!(1), LONG);
        let name = request.call.clone();
        good(port.invoke(&id, request).await);
        let half = ExtensionEvent::Progress {
            call: name.clone(),
            done: 1,
            total: Some(2),
            message: "half".into(),
        };
        assert_eq!(next(&mut events).await, half);
        for text in ["la", "lu"] {
            let (call, text) = (name.clone(), text.to_owned());
            assert_eq!(next(&mut events).await, ExtensionEvent::Text { call, text });
        }
    }
    good(port.unload(&id).await);
    assert_eq!(next(&mut events).await, ExtensionEvent::Stopped);
}

pub(super) async fn events_of_nobody_are_none(fixture: &impl Fixture) {
    let port = fixture.port();
    let mut events = port.events(&ExtensionId::from("never-loaded"));
    let id = started(fixture, Behaviour::Streams).await;
    call(&*port, &id, json!(1)).await;
    let event = timeout(Duration::from_millis(50), events.recv()).await;
    assert!(matches!(event, Err(_) | Ok(Err(_))), "{event:?}");
}

pub(super) async fn a_failure_may_pass(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = started(fixture, Behaviour::FailsOnce).await;
    match port.invoke(&id, request(json!(7), LONG)).await {
        Err(error @ PortError::OperationFailed { .. }) => assert!(error.is_retryable()),
        other => panic!("expected a failure, got {other:?}"),
    }
    assert_eq!(call(&*port, &id, json!(7)).await.outputs["value"], 7);
}

pub(super) async fn failures_keep_their_kind(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = started(fixture, Behaviour::Fails).await;
    let fails = |kind: &str| {
        let (port, id, request) = (fixture.port(), id.clone(), request(json!(kind), LONG));
        async move { port.invoke(&id, request).await }
    };
    expect_error!(fails("invalid").await, PortError::InvalidInput { .. });
    expect_error!(fails("refused").await, PortError::PermissionDenied { .. });
    expect_error!(fails("unsupported").await, PortError::Unsupported { .. });
    expect_error!(fails("timeout").await, PortError::Timeout { .. });
    expect_error!(fails("upstream").await, PortError::OperationFailed { .. });
    match fails("busy").await {
        Err(error @ PortError::Exhausted { .. }) => {
            assert_eq!(error.retry_after(), Some(Duration::from_millis(250)));
        }
        other => panic!("expected Exhausted, got {other:?}"),
    }
    // None of that was its end.
    good(port.ready(&id).await);
}

pub(super) async fn a_slow_call_times_out(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = started(fixture, Behaviour::Slow).await;
    let outcome = short_call(fixture, &id, json!(30_000)).await;
    expect_error!(outcome, PortError::Timeout { .. });
    // It was told to stop, so its places are free again.
    for _ in 0..4 {
        let outcome = short_call(fixture, &id, json!(30_000)).await;
        expect_error!(outcome, PortError::Timeout { .. });
    }
    assert_eq!(call(&*port, &id, json!(0)).await.outputs["value"], 0);
}

pub(super) async fn a_hanging_call_times_out(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = started(fixture, Behaviour::Hangs).await;
    let echo = started(fixture, Behaviour::Echo).await;
    let outcome = short_call(fixture, &id, json!(1)).await;
    expect_error!(outcome, PortError::Timeout { .. });
    still_answers(&*port, &echo).await;
}

pub(super) async fn a_dropped_call_is_stopped(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = started(fixture, Behaviour::Slow).await;
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (port, id) = (fixture.port(), id.clone());
            tokio::spawn(async move { port.invoke(&id, request(json!(600_000), LONG * 60)).await })
        })
        .collect();
    fixture.pass(Duration::from_millis(200)).await;
    for task in tasks {
        assert!(!task.is_finished());
        task.abort();
        assert!(task.await.is_err());
    }
    // All four places were taken for ten minutes; a call goes through only if they are free.
    assert_eq!(call(&*port, &id, json!(0)).await.outputs["value"], 0);
}

pub(super) async fn a_death_is_told_with_last_words(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = started(fixture, Behaviour::Dies).await;
    let echo = started(fixture, Behaviour::Echo).await;
    let mut events = port.events(&id);
    match port.invoke(&id, request(json!(1), LONG)).await {
        Err(error @ PortError::ProcessCommunicationFailed { .. }) => {
            assert!(error.to_string().contains("out of luck"), "{error}");
        }
        other => panic!("expected ProcessCommunicationFailed, got {other:?}"),
    }
    match next(&mut events).await {
        ExtensionEvent::Crashed { details } => assert!(details.contains("out of luck")),
        other => panic!("expected a crash, got {other:?}"),
    }
    still_answers(&*port, &echo).await;
    // Called again it is started again, and dies again.
    let again = port.invoke(&id, request(json!(1), LONG)).await;
    expect_error!(again, PortError::ProcessCommunicationFailed { .. });
}

/// A call of an extension that never answers ends, and others do not notice.
async fn ends(fixture: &impl Fixture, behaviour: Behaviour) {
    let port = fixture.port();
    let id = started(fixture, behaviour).await;
    let echo = started(fixture, Behaviour::Echo).await;
    let (outcome, ()) = tokio::join!(
        short_call(fixture, &id, json!(1)),
        still_answers(&*port, &echo)
    );
    expect_error!(
        outcome,
        PortError::Timeout { .. }
            | PortError::ProcessCommunicationFailed { .. }
            | PortError::Exhausted { .. }
    );
    still_answers(&*port, &echo).await;
    good(port.unload(&id).await);
}

pub(super) async fn garbage_ends_the_call(fixture: &impl Fixture) {
    ends(fixture, Behaviour::Garbage).await;
}

pub(super) async fn a_flood_ends_the_call(fixture: &impl Fixture) {
    ends(fixture, Behaviour::Flood).await;
}

pub(super) async fn what_cannot_start_is_told(fixture: &impl Fixture) {
    let port = fixture.port();
    let echo = started(fixture, Behaviour::Echo).await;
    for behaviour in [
        Behaviour::Missing,
        Behaviour::StillBorn,
        Behaviour::Stranger,
    ] {
        let outcome = match port.load(fixture.manifest(behaviour)).await {
            Ok(id) => port.ready(&id).await.map(drop),
            Err(error) => Err(error),
        };
        expect_error!(outcome, PortError::ProcessCommunicationFailed { .. });
    }
    still_answers(&*port, &echo).await;
}

pub(super) async fn unloading_ends_calls(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = started(fixture, Behaviour::Slow).await;
    let task = tokio::spawn({
        let (port, id) = (fixture.port(), id.clone());
        async move { port.invoke(&id, request(json!(600_000), LONG * 60)).await }
    });
    fixture.pass(Duration::from_millis(200)).await;
    good(port.unload(&id).await);
    match timeout(GRACE, task).await {
        Ok(Ok(outcome)) => assert!(outcome.is_err(), "{outcome:?}"),
        other => panic!("the call did not end: {other:?}"),
    }
}

pub(super) async fn no_process_stays(fixture: &impl Fixture) {
    let port = fixture.port();
    let mut loaded = Vec::new();
    for behaviour in [Behaviour::Echo, Behaviour::Hangs, Behaviour::Flood] {
        loaded.push(started(fixture, behaviour).await);
    }
    let Some(alive) = fixture.processes() else {
        return left_out("processes");
    };
    assert!(
        alive >= loaded.len(),
        "{alive} processes of {} extensions",
        loaded.len()
    );
    for id in &loaded[1..] {
        assert!(short_call(fixture, id, json!(1)).await.is_err());
    }
    for id in &loaded {
        good(port.unload(id).await);
    }
    let begun = Instant::now();
    while fixture.processes() != Some(0) {
        assert!(begun.elapsed() < GRACE, "{:?} stayed", fixture.processes());
        fixture.pass(Duration::from_millis(20)).await;
    }
}
