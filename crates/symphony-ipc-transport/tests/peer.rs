//! A peer against a scripted other side over an in-memory duplex.
#![allow(clippy::unwrap_used, reason = "test code")]

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::{
    jsonrpc::{RpcError, code},
    xi::{Ping, Undo},
};
use symphony_ipc_transport::{CallError, CloseReason, Incoming, Peer, PeerOptions};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf, split},
    sync::mpsc,
};

const SECOND: Duration = Duration::from_secs(1);

struct Other {
    lines: tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
    out: WriteHalf<DuplexStream>,
}

impl Other {
    async fn read(&mut self) -> Value {
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }
    async fn write(&mut self, line: &str) {
        self.out.write_all(line.as_bytes()).await.unwrap();
        self.out.write_all(b"\n").await.unwrap();
    }
    async fn reply(&mut self, id: &Value, result: Value) {
        self.write(&json!({"jsonrpc":"2.0","id":id,"result":result}).to_string())
            .await;
    }
}

fn pair_with(buffer: usize, options: PeerOptions) -> (Peer, mpsc::Receiver<Incoming>, Other) {
    let (ours, theirs) = tokio::io::duplex(buffer);
    let (read, write) = split(ours);
    let (peer, incoming) = Peer::start(read, write, options);
    let (read, out) = split(theirs);
    let lines = BufReader::new(read).lines();
    (peer, incoming, Other { lines, out })
}

fn pair() -> (Peer, mpsc::Receiver<Incoming>, Other) {
    pair_with(1 << 16, PeerOptions::default())
}

#[tokio::test]
async fn answers_find_their_calls_in_any_order() {
    let (peer, _incoming, mut other) = pair();
    let (one, two) = (peer.clone(), peer.clone());
    let one = tokio::spawn(async move { one.call("one", &json!({"n": 1}), SECOND).await });
    let first = other.read().await;
    let two = tokio::spawn(async move { two.call("two", &json!({"n": 2}), SECOND).await });
    let second = other.read().await;
    assert_eq!(first["method"], "one");
    assert_eq!(first["params"], json!({"n": 1}));
    other.reply(&second["id"], json!("second")).await;
    other.reply(&first["id"], json!("first")).await;
    assert_eq!(one.await.unwrap().unwrap(), json!("first"));
    assert_eq!(two.await.unwrap().unwrap(), json!("second"));
    assert_eq!(peer.stats().pending, 0);
}

#[tokio::test]
async fn a_remote_error_keeps_code_and_data() {
    let (peer, _incoming, mut other) = pair();
    let task = tokio::spawn(async move { peer.call("x", &json!({}), SECOND).await });
    let id = other.read().await["id"].clone();
    other
        .write(&json!({"jsonrpc":"2.0","id":id,"error":{"code":code::CONFLICT,"message":"no","data":[1]}}).to_string())
        .await;
    let Err(CallError::Remote(error)) = task.await.unwrap() else {
        panic!("expected the remote error")
    };
    assert_eq!(
        error,
        RpcError::new(code::CONFLICT, "no").with_data(json!([1]))
    );
}

#[tokio::test]
async fn typed_calls_decode_and_say_what_does_not_fit() {
    let (peer, _incoming, mut other) = pair();
    let caller = peer.clone();
    let task = tokio::spawn(async move { caller.call_typed(&Ping {}, SECOND).await });
    let id = other.read().await["id"].clone();
    other.reply(&id, json!({})).await;
    task.await.unwrap().unwrap();
    let undo = Undo { buffer: uuid() };
    let task = tokio::spawn(async move { peer.call_typed(&undo, SECOND).await });
    let id = other.read().await["id"].clone();
    other.reply(&id, json!({"revision": "three"})).await;
    assert!(matches!(
        task.await.unwrap(),
        Err(CallError::Decode { method, .. }) if method == "undo"
    ));
}

fn uuid() -> symphony_ipc_protocol::xi::BufferKey {
    serde_json::from_value(json!("6f2a7d8e-0000-4000-8000-000000000001")).unwrap()
}

#[tokio::test]
async fn a_call_times_out_and_its_late_answer_is_dropped() {
    let (peer, _incoming, mut other) = pair();
    let error = peer
        .call("slow", &json!({}), Duration::from_millis(20))
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }) && error.effect_unknown());
    assert_eq!(peer.stats().pending, 0);
    let id = other.read().await["id"].clone();
    other.reply(&id, json!(1)).await;
    let caller = peer.clone();
    let task = tokio::spawn(async move { caller.call("next", &json!({}), SECOND).await });
    let id = other.read().await["id"].clone();
    other.reply(&id, json!(2)).await;
    assert_eq!(task.await.unwrap().unwrap(), json!(2));
    assert_eq!(peer.stats().orphaned, 1);
}

#[tokio::test]
async fn dropping_a_call_forgets_it() {
    let (peer, _incoming, mut other) = pair();
    let caller = peer.clone();
    let task = tokio::spawn(async move { caller.call("x", &json!({}), SECOND).await });
    other.read().await;
    assert_eq!(peer.stats().pending, 1);
    task.abort();
    let _ = task.await;
    assert_eq!(peer.stats().pending, 0);
}

#[tokio::test]
async fn the_end_of_the_stream_ends_every_call() {
    let (peer, mut incoming, mut other) = pair();
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let peer = peer.clone();
            tokio::spawn(async move { peer.call("x", &json!({}), 30 * SECOND).await })
        })
        .collect();
    for _ in 0..3 {
        other.read().await;
    }
    drop(other);
    for call in calls {
        assert!(matches!(
            call.await.unwrap(),
            Err(CallError::Closed(CloseReason::Ended))
        ));
    }
    assert!(incoming.recv().await.is_none());
    assert!(matches!(
        peer.call("x", &json!({}), SECOND).await,
        Err(CallError::Closed(CloseReason::Ended))
    ));
}

#[tokio::test]
async fn requests_are_answered_even_when_dropped() {
    let (_peer, mut incoming, mut other) = pair();
    other
        .write(r#"{"jsonrpc":"2.0","id":"a","method":"hello","params":{"x":1}}"#)
        .await;
    let Some(Incoming::Request {
        method,
        params,
        responder,
    }) = incoming.recv().await
    else {
        panic!("expected a request")
    };
    assert_eq!((method.as_str(), params), ("hello", json!({"x":1})));
    responder.respond(Ok(json!("hi"))).await.unwrap();
    assert_eq!(
        other.read().await,
        json!({"jsonrpc":"2.0","id":"a","result":"hi"})
    );
    other
        .write(r#"{"jsonrpc":"2.0","id":2,"method":"ignored"}"#)
        .await;
    drop(incoming.recv().await);
    assert_eq!(other.read().await["error"]["code"], code::INTERNAL_ERROR);
}

#[tokio::test]
async fn a_bad_line_is_reported_and_the_connection_lives() {
    let options = PeerOptions {
        max_line: 1000,
        reply_to_malformed: true,
        ..PeerOptions::default()
    };
    let (peer, mut incoming, mut other) = pair_with(1 << 16, options);
    other.write("loading model…").await;
    let Some(Incoming::Malformed { sample, .. }) = incoming.recv().await else {
        panic!("expected the bad line")
    };
    assert_eq!(sample, "loading model…");
    assert_eq!(other.read().await["error"]["code"], code::PARSE_ERROR);
    other.write(&"y".repeat(5000)).await;
    assert!(matches!(
        incoming.recv().await,
        Some(Incoming::TooLong { bytes: 5000, .. })
    ));
    assert_eq!(other.read().await["error"]["code"], code::INVALID_REQUEST);
    other.write(r#"{"jsonrpc":"2.0","method":"fine"}"#).await;
    assert!(matches!(
        incoming.recv().await,
        Some(Incoming::Notification { method, .. }) if method == "fine"
    ));
    assert_eq!(peer.stats().malformed, 2);
}

#[tokio::test]
async fn too_much_garbage_breaks_the_connection() {
    let options = PeerOptions {
        max_malformed: 5,
        ..PeerOptions::default()
    };
    let (peer, mut incoming, mut other) = pair_with(1 << 16, options);
    let call = tokio::spawn({
        let peer = peer.clone();
        async move { peer.call("x", &json!({}), SECOND).await }
    });
    other.read().await;
    for n in 0..6 {
        other.write(&format!("garbage {n}")).await;
    }
    while incoming.recv().await.is_some() {}
    let Err(CallError::Closed(CloseReason::Garbage { lines: 6, sample })) = call.await.unwrap()
    else {
        panic!("expected garbage")
    };
    assert_eq!(sample, "garbage 5");
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_found_and_memory_stays_bounded() {
    let options = PeerOptions {
        outgoing_bytes: 2000,
        write_timeout: Duration::from_millis(200),
        ..PeerOptions::default()
    };
    let (peer, _incoming, _other) = pair_with(64, options);
    let text = "z".repeat(500);
    let mut queued = 0;
    let started = Instant::now();
    let error = loop {
        match peer.call("x", &text, Duration::from_millis(30)).await {
            Err(CallError::Timeout { .. }) => queued += 1,
            other => break other.unwrap_err(),
        }
    };
    assert!(matches!(error, CallError::QueueFull { .. }) && !error.effect_unknown());
    assert!((2..=5).contains(&queued), "{queued} messages were queued");
    assert!(matches!(
        peer.closed().await,
        CloseReason::WriteStalled { .. }
    ));
    assert!(started.elapsed() < 2 * SECOND);
}

#[tokio::test]
async fn messages_larger_than_every_buffer_pass_whole_and_in_order() {
    let options = PeerOptions {
        outgoing_bytes: 1000,
        ..PeerOptions::default()
    };
    let (peer, _incoming, mut other) = pair_with(64, options);
    let sender = tokio::spawn(async move {
        for n in 0..50_usize {
            peer.notify("n", &json!({"n": n, "fill": "f".repeat(n * 97)}))
                .await
                .unwrap();
        }
        peer
    });
    for n in 0..50_usize {
        let line = other.read().await;
        assert_eq!(line["params"]["n"], n);
        assert_eq!(line["params"]["fill"].as_str().unwrap().len(), n * 97);
    }
    drop(sender.await.unwrap());
}

#[tokio::test]
async fn a_flood_of_notifications_stops_reading_not_memory() {
    let options = PeerOptions {
        incoming: 10,
        ..PeerOptions::default()
    };
    let (peer, mut incoming, mut other) = pair_with(1000, options);
    let flood = tokio::spawn(async move {
        for n in 0..2000 {
            let line = format!(r#"{{"jsonrpc":"2.0","method":"n","params":{{"n":{n}}}}}"#);
            other.write(&line).await;
        }
        other
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        peer.stats().lines_in < 100,
        "reading waits for the listener"
    );
    for n in 0..2000 {
        let Some(Incoming::Notification { params, .. }) = incoming.recv().await else {
            panic!("expected a notification")
        };
        assert_eq!(params["n"], n);
    }
    drop(flood.await.unwrap());
}

#[tokio::test]
async fn dropping_the_last_peer_closes_the_stream() {
    let (peer, mut incoming, mut other) = pair();
    drop(peer.clone());
    drop(peer);
    assert!(other.lines.next_line().await.unwrap().is_none());
    assert!(incoming.recv().await.is_none());
}

#[tokio::test]
async fn calls_begun_one_after_the_other_are_sent_in_that_order() {
    let (peer, _incoming, mut other) = pair();
    let mut pending = Vec::new();
    for n in 0..5 {
        pending.push(peer.begin("n", &json!({"n": n}), SECOND).await.unwrap());
    }
    drop(pending.pop());
    assert_eq!(peer.stats().pending, 4);
    for n in 0..5 {
        let request = other.read().await;
        assert_eq!(request["params"]["n"], n);
        other.reply(&request["id"], json!(n)).await;
    }
    for (n, call) in pending.into_iter().enumerate() {
        assert_eq!(call.answer().await.unwrap(), json!(n));
    }
}
