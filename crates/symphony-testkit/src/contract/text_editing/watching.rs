//! Events, and what outlives a crash.

use super::{
    super::{good, left_out},
    Fixture, edit,
    editing::draw,
    open_text, text_of,
};
use crate::generators::{apply, edits_for};
use proptest::test_runner::TestRunner;
use std::time::{Duration, Instant};
use symphony_core_ports::{BufferEvent, BufferId, PortError, Revision, TextDelta, TextEditingPort};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(10);

/// The next event; waits for it.
pub(super) async fn next(events: &mut Receiver<BufferEvent>) -> BufferEvent {
    match timeout(PATIENCE, events.recv()).await {
        Ok(Ok(event)) => event,
        Ok(Err(error)) => panic!("expected an event, got {error}"),
        Err(_) => panic!("no event came in {PATIENCE:?}"),
    }
}

pub(super) async fn events_replay_to_the_text(fixture: &impl Fixture) {
    let port = fixture.port();
    let first = "one äöü\ntwo 漢字\nthree\n";
    let id = open_text(fixture, "a", first).await.id;
    let other = open_text(fixture, "other", "text").await.id;
    let mut events = port.subscribe(id);
    let mut runner = TestRunner::deterministic();
    for turn in 0..30 {
        let content = good(port.get_content(id, None).await);
        good(port.insert(other, 0, "not ours").await);
        match turn % 5 {
            0 => good(port.insert(id, 0, "new ").await),
            1 => good(port.undo(id).await),
            2 => good(port.redo(id).await),
            _ => {
                let delta = TextDelta {
                    base: content.revision,
                    edits: draw(&edits_for(&content.text), &mut runner),
                    author: "operator/test".into(),
                };
                good(port.apply(id, delta).await).revision
            }
        };
    }
    let last = good(port.get_content(id, None).await);
    let mut replayed = first.to_owned();
    let mut seen = Revision(0);
    while seen < last.revision {
        match next(&mut events).await {
            BufferEvent::Changed {
                buffer,
                revision,
                edits,
                author,
            } => {
                assert_eq!(buffer, id);
                assert_eq!(revision.0, seen.0 + 1, "in order, without a gap");
                assert!(!author.is_empty());
                replayed = apply(&replayed, &edits);
                seen = revision;
            }
            other => panic!("expected a change, got {other:?}"),
        }
    }
    assert_eq!(replayed, last.text);
}

pub(super) async fn saving_and_closing_are_told(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "text\n").await.id;
    let mut events = port.subscribe(id);
    let delta = TextDelta {
        base: Revision(0),
        edits: vec![edit(0..4, "other")],
        author: "operator/test".into(),
    };
    good(port.apply(id, delta).await);
    match next(&mut events).await {
        BufferEvent::Changed { author, .. } => assert_eq!(author, "operator/test"),
        other => panic!("expected a change, got {other:?}"),
    }
    good(port.save(id).await);
    let revision = Revision(1);
    let saved = BufferEvent::Saved {
        buffer: id,
        revision,
    };
    assert_eq!(next(&mut events).await, saved);
    good(port.close(id, false).await);
    assert_eq!(next(&mut events).await, BufferEvent::Closed { buffer: id });
}

pub(super) async fn a_lagging_subscriber_holds_nothing_up(fixture: &impl Fixture) {
    const EDITS: usize = 2_500;
    let port = fixture.port();
    let id = open_text(fixture, "a", "").await.id;
    let mut lagging = port.subscribe(id);
    for n in 0..EDITS {
        good(port.insert(id, n, "x").await);
    }
    assert_eq!(text_of(&*port, id).await, "x".repeat(EDITS));
    // It misses events and is told so, or it has them all, in order.
    let mut expected = 1;
    while expected <= EDITS as u64 {
        match timeout(PATIENCE, lagging.recv()).await {
            Ok(Ok(BufferEvent::Changed { revision, .. })) => {
                assert_eq!(revision.0, expected);
                expected += 1;
            }
            Ok(Err(RecvError::Lagged(missed))) => expected += missed,
            other => panic!("expected a change or to be told of missed ones, got {other:?}"),
        }
    }
}

pub(super) async fn an_unknown_buffer_tells_nothing(fixture: &impl Fixture) {
    let port = fixture.port();
    let known = open_text(fixture, "a", "text").await.id;
    let unknown = BufferId(Uuid::from_u128(0x5eed_0000_4000_8000_0000_0000_0000_0002));
    let mut events = port.subscribe(unknown);
    good(port.insert(known, 0, "a").await);
    let event = timeout(Duration::from_millis(50), events.recv()).await;
    assert!(matches!(event, Err(_) | Ok(Err(_))), "{event:?}");
}

pub(super) async fn no_change_is_lost_when_the_process_dies(fixture: &impl Fixture) {
    let port = fixture.port();
    let clean = open_text(fixture, "clean", "as in the file\n").await.id;
    let dirty = open_text(fixture, "dirty", "äöü\n").await.id;
    for n in 0..20 {
        good(port.insert(dirty, 0, &format!("line {n}\n")).await);
    }
    good(port.delete(dirty, 0..5).await);
    let before = good(port.get_content(dirty, None).await);
    if !fixture.kill().await {
        return left_out("killing the process behind the port");
    }
    let after = once_it_is_back(&*port, dirty).await;
    assert_eq!(after, before.text);
    assert_eq!(once_it_is_back(&*port, clean).await, "as in the file\n");
    // It works on: an edit, its event, a save.
    let mut events = port.subscribe(dirty);
    good(port.insert(dirty, 0, "after\n").await);
    assert!(matches!(
        next(&mut events).await,
        BufferEvent::Changed { .. }
    ));
    good(port.save(dirty).await);
    let expected = format!("after\n{}", before.text);
    assert_eq!(fixture.read("dirty").as_deref(), Some(expected.as_bytes()));
}

/// Reads a buffer, asking again while the process behind the port is away.
async fn once_it_is_back(port: &dyn TextEditingPort, id: BufferId) -> String {
    let begun = Instant::now();
    loop {
        match port.get_content(id, None).await {
            Ok(content) => return content.text,
            Err(
                error @ (PortError::ProcessCommunicationFailed { .. } | PortError::Timeout { .. }),
            ) => {
                assert!(begun.elapsed() < PATIENCE, "it does not come back: {error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("expected the text, got {error:?}"),
        }
    }
}
