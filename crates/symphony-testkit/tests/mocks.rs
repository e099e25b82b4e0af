//! What mocks can be told, and what they tell, beyond the contract suites.

#![allow(clippy::unwrap_used, reason = "a test may")]

use serde_json::json;
use std::{sync::Arc, time::Duration};
use symphony_core_ports::{
    Clock, ConductorPort, ExtensionEvent, ExtensionPort, IdSource, ModelPool, ModelSpec,
    OpenBuffer, PitPort, PlayerRef, PortError, Response, TextEditingPort,
};
use symphony_testkit::{
    MockConductorAdapter, MockExtensionAdapter, MockPitAdapter, MockTextEditingAdapter,
    SequentialIds, SimulatedClock, manifest,
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn failures_come_in_the_order_prescribed() {
    let mock = MockTextEditingAdapter::new().with_file("/a", "text");
    mock.fail_next("open", PortError::failed("first"));
    mock.fail_next("open", PortError::failed("second"));
    mock.fail_nth("open", 4, PortError::failed("fourth"));
    let mut outcomes = Vec::new();
    for _ in 0..5 {
        let outcome = mock.open(OpenBuffer::File("/a".into())).await;
        outcomes.push(outcome.map_err(|e| e.to_string()).err());
    }
    let expected = [Some("first"), Some("second"), None, Some("fourth"), None];
    assert_eq!(outcomes, expected.map(|e| e.map(str::to_owned)));
    assert_eq!(mock.count("open"), 5);
    assert_eq!(mock.calls()[0].about, "/a");
}

#[tokio::test]
async fn a_failing_call_changes_nothing() {
    let mock = MockTextEditingAdapter::new().with_file("/a", "text");
    let buffer = mock.open(OpenBuffer::File("/a".into())).await.unwrap();
    mock.fail_when("insert", |n| (n % 2 == 1).then_some(PortError::Cancelled));
    assert!(mock.insert(buffer.id, 0, "1").await.is_err());
    mock.insert(buffer.id, 0, "2").await.unwrap();
    assert!(mock.insert(buffer.id, 0, "3").await.is_err());
    let text = mock.get_content(buffer.id, None).await.unwrap();
    assert_eq!(text.text, "2text");
}

#[test]
#[should_panic(expected = "no operation `isnert`")]
fn a_misspelt_operation_is_told() {
    MockTextEditingAdapter::new().fail_next("isnert", PortError::Cancelled);
}

#[tokio::test]
async fn delays_pass_on_the_clock_of_the_mock() {
    let clock = SimulatedClock::new();
    let mock = MockConductorAdapter::with_clock(clock.clone());
    mock.delay("get_policy", 3 * SECOND);
    let task = tokio::spawn({
        let mock = mock.clone();
        async move { mock.get_policy(&Default::default()).await }
    });
    clock.wait_for_sleepers(1).await;
    clock.advance(2 * SECOND);
    tokio::task::yield_now().await;
    assert!(!task.is_finished());
    clock.advance(SECOND);
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn sleepers_wake_by_deadline() {
    let clock = SimulatedClock::new().auto_advance();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tasks: Vec<_> = [5, 1, 3, 2, 4]
        .map(|n| {
            let (clock, order) = (clock.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                clock.sleep(n * SECOND).await;
                order.lock().unwrap().push(n);
            })
        })
        .into();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), [1, 2, 3, 4, 5]);
    assert_eq!(clock.elapsed(), 5 * SECOND);
}

#[tokio::test]
async fn the_shorter_of_two_waits_wins_in_auto_advance() {
    let clock = SimulatedClock::new().auto_advance();
    let winner = tokio::select! {
        biased;
        () = clock.sleep(2 * SECOND) => "work",
        () = clock.sleep(SECOND) => "time-out",
    };
    assert_eq!(winner, "time-out");
    assert_eq!(clock.elapsed(), SECOND);
    assert_eq!(clock.sleepers(), 0);
}

#[tokio::test]
async fn advance_to_next_moves_exactly_to_the_deadline() {
    let clock = SimulatedClock::new();
    assert_eq!(clock.advance_to_next(), None);
    let start = clock.now();
    let sleeper = tokio::spawn({
        let clock = clock.clone();
        async move { clock.sleep(7 * SECOND).await }
    });
    clock.wait_for_sleepers(1).await;
    assert_eq!(clock.advance_to_next(), Some(7 * SECOND));
    sleeper.await.unwrap();
    assert_eq!(clock.now(), start + 7 * SECOND);
}

#[test]
fn ids_count_up() {
    let ids = SequentialIds::starting_at(7);
    let other = ids.clone();
    assert_eq!((ids.next_id(), other.next_id(), ids.next_id()), (7, 8, 9));
}

async fn loaded(mock: &MockExtensionAdapter, id: &str) -> symphony_core_ports::ExtensionId {
    mock.load(manifest::operator(id).build()).await.unwrap()
}

#[tokio::test]
async fn a_hanging_extension_times_out_and_its_work_is_dropped() {
    let clock = SimulatedClock::new().auto_advance();
    let mock = MockExtensionAdapter::with_clock(clock.clone());
    let id = loaded(&mock, "stuck").await;
    mock.hang("operator/stuck");
    let outcome = mock.invoke(&id, MockExtensionAdapter::request([])).await;
    assert!(matches!(outcome, Err(PortError::Timeout { .. })));
    assert_eq!(clock.elapsed(), 60 * SECOND);
    assert_eq!((mock.dropped("stuck"), mock.running("stuck")), (1, 0));
}

#[tokio::test]
async fn work_longer_than_the_time_out_times_out() {
    let mock = MockExtensionAdapter::with_clock(SimulatedClock::new().auto_advance());
    let id = loaded(&mock, "slow").await;
    mock.on_async("slow", |call| async move {
        let seconds = call.request.inputs["seconds"].as_u64().unwrap();
        call.work(Duration::from_secs(seconds)).await;
        Ok(Response::default())
    });
    let request = |seconds: u64| MockExtensionAdapter::request([("seconds", seconds.into())]);
    mock.invoke(&id, request(59)).await.unwrap();
    let late = mock.invoke(&id, request(61)).await;
    assert!(matches!(late, Err(PortError::Timeout { .. })));
}

#[tokio::test]
async fn a_dropped_call_is_counted() {
    let mock = MockExtensionAdapter::new();
    let id = loaded(&mock, "stuck").await;
    mock.hang("stuck");
    let call = tokio::spawn({
        let (mock, id) = (mock.clone(), id.clone());
        async move { mock.invoke(&id, MockExtensionAdapter::request([])).await }
    });
    while mock.running("stuck") == 0 {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!((mock.dropped("stuck"), mock.running("stuck")), (1, 0));
    assert_eq!(mock.invocations("stuck"), 1);
}

#[tokio::test]
async fn handlers_stream_events_of_their_call() {
    let mock = MockExtensionAdapter::new();
    let id = loaded(&mock, "singer").await;
    mock.on_async("singer", |call| async move {
        call.text("la");
        call.progress(1, Some(2), "half");
        Ok(Response::default())
    });
    let mut events = mock.events(&id);
    let request = MockExtensionAdapter::request([("song", json!("short"))]);
    let name = request.call.clone();
    mock.invoke(&id, request).await.unwrap();
    assert_eq!(
        events.recv().await.unwrap(),
        ExtensionEvent::Started { model: None }
    );
    let text = ExtensionEvent::Text {
        call: name,
        text: "la".into(),
    };
    assert_eq!(events.recv().await.unwrap(), text);
    assert!(matches!(
        events.recv().await.unwrap(),
        ExtensionEvent::Progress { done: 1, .. }
    ));
}

#[tokio::test]
async fn denied_permissions_refuse_an_extension() {
    let mock = MockExtensionAdapter::new();
    mock.deny("network:loopback".parse().unwrap());
    let manifest = manifest::operator("caller").permission("network:loopback");
    let refused = mock.load(manifest.build()).await;
    assert!(matches!(refused, Err(PortError::PermissionDenied { .. })));
    assert!(mock.loaded().is_empty());
}

#[tokio::test]
async fn the_conductor_chooses_as_told() {
    let mock = MockConductorAdapter::new();
    mock.choose(|context| context.candidates.last().map(|c| c.player.clone()));
    let context = symphony_testkit::contract::conductor::context(&["a", "b", "c"]);
    let decision = mock.submit_decision(context).await.unwrap();
    let expected: PlayerRef = "instrument/c".parse().unwrap();
    assert_eq!(decision.player, expected);
    assert_eq!(mock.decisions()[0].1, decision);
}

#[tokio::test]
async fn the_pit_is_one_port_of_five() {
    let mock = MockPitAdapter::new();
    let port: Arc<dyn PitPort> = Arc::new(mock.clone());
    mock.fail_next("allocate_model", PortError::failed("no memory"));
    let spec = ModelSpec {
        model_id: "m".into(),
        version: None,
        max_parallel: 1,
        config: Default::default(),
    };
    assert!(port.allocate_model(spec.clone(), SECOND).await.is_err());
    let lease = port.allocate_model(spec, SECOND).await.unwrap();
    assert_eq!(mock.pool.held(), 1);
    port.release_model(lease).await.unwrap();
    assert_eq!((mock.pool.held(), mock.pool.most_held()), (0, 1));
    assert_eq!(mock.count("allocate_model"), 2);
    assert_eq!(mock.calls().len(), 3);
}

#[tokio::test]
async fn a_waiter_that_gives_up_leaves_no_lease_behind() {
    let mock = MockPitAdapter::new();
    let spec = ModelSpec {
        model_id: "m".into(),
        version: None,
        max_parallel: 1,
        config: Default::default(),
    };
    let held = mock.allocate_model(spec.clone(), SECOND).await.unwrap();
    let waiter = tokio::spawn({
        let (mock, spec) = (mock.clone(), spec.clone());
        async move { mock.allocate_model(spec, SECOND).await }
    });
    mock.pool.script().clock().wait_for_sleepers(1).await;
    // The lease is on its way to the waiter when the waiter is dropped.
    mock.release_model(held).await.unwrap();
    waiter.abort();
    let _ = waiter.await;
    let again = mock.allocate_model(spec, SECOND);
    let held = tokio::time::timeout(SECOND, again).await.unwrap().unwrap();
    mock.release_model(held).await.unwrap();
    assert_eq!(mock.pool.held(), 0);
}
