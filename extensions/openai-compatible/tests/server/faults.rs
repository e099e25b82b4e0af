//! Each fault of a server ends in an answer that says what to do about it.

use crate::support::{Instrument, Server};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CANCELLED: i64 = -32800;
const NOT_FOUND: i64 = -32001;
const REFUSED: i64 = -32003;
const UNSUPPORTED: i64 = -32004;
const TIMEOUT: i64 = -32006;
const BUSY: i64 = -32007;
const UPSTREAM: i64 = -32008;

fn fails(answer: &Value, code: i64, part: &str) {
    assert_eq!(answer["error"]["code"], code, "{answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains(part), "{message}");
}

fn retryable(answer: &Value) -> bool {
    answer["error"]["data"]["retryable"] == true
}

/// One question to a server that plays `rule`.
fn play(rule: Value, settings: Value) -> (Value, Server) {
    let server = Server::rules(json!([rule]));
    let answer = Instrument::on(&server.url(), settings, "").ask("hi");
    (answer, server)
}

#[test]
fn status_codes() {
    for (status, code, part) in [
        (401, REFUSED, "asks for a key"),
        (402, REFUSED, "402"),
        (403, REFUSED, "asks for a key"),
        (400, UNSUPPORTED, "scripted 400"),
        (413, UNSUPPORTED, "413"),
        (307, REFUSED, "redirects"),
    ] {
        let (answer, server) = play(json!({ "status": status }), json!({}));
        fails(&answer, code, part);
        assert_eq!(server.requests().len(), 1);
    }
    for status in [500, 502, 529] {
        let (answer, _) = play(json!({ "status": status }), json!({}));
        fails(&answer, UPSTREAM, &format!("scripted {status}"));
        assert!(retryable(&answer));
    }
}

#[test]
fn too_many_requests_say_when_to_come_back() {
    let (answer, _) = play(
        json!({ "status": 429, "headers": { "Retry-After": "1.5" } }),
        json!({}),
    );
    fails(&answer, BUSY, "429");
    assert_eq!(answer["error"]["data"]["retry_after_ms"], 1500);

    let (answer, _) = play(
        json!({ "status": 429, "headers": { "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT" } }),
        json!({}),
    );
    fails(&answer, BUSY, "429");

    let body = json!({ "error": { "message": "You exceeded your current quota" } });
    let (answer, _) = play(
        json!({ "status": 429, "body": body.to_string() }),
        json!({}),
    );
    fails(&answer, REFUSED, "quota");
}

#[test]
fn a_cut_stream_can_be_tried_again() {
    let rule = json!({ "chunks": ["one ", "two ", "three"], "cut_after": 2 });
    let server = Server::rules(json!([rule]));
    let mut instrument = Instrument::on(&server.url(), json!({}), "");
    let answer = instrument.ask("hi");
    fails(&answer, UPSTREAM, "middle of the answer");
    assert!(retryable(&answer));
    assert_eq!(instrument.streamed, "one two ");
}

#[test]
fn malformed_streams_can_be_tried_again() {
    for (raw, part) in [
        ("data: {\"choices\": [\n\n", "malformed"),
        ("<html>gateway</html>", "middle of the answer"),
        ("", "middle of the answer"),
        ("data: [DONE]\n\n", "empty"),
        (
            "data: {\"error\": {\"message\": \"out of memory\"}}\n\n",
            "out of memory",
        ),
    ] {
        let (answer, _) = play(json!({ "raw": raw }), json!({}));
        fails(&answer, UPSTREAM, part);
        assert!(retryable(&answer), "{raw}");
    }
    let busy = "data: {\"error\": {\"message\": \"slow down\", \"code\": 429}}\n\n";
    let (answer, _) = play(json!({ "raw": busy }), json!({}));
    fails(&answer, BUSY, "slow down");
}

#[test]
fn a_silent_server_times_out_at_every_stage() {
    let start = Instant::now();
    let (answer, _) = play(
        json!({ "hang": true }),
        json!({ "first_byte_timeout_s": 0.3 }),
    );
    fails(&answer, TIMEOUT, "did not begin to answer");

    let (answer, server) = play(
        json!({ "chunks": ["a", "b"], "stall_after": 1 }),
        json!({ "idle_timeout_s": 0.3 }),
    );
    fails(&answer, TIMEOUT, "sent nothing for");
    assert!(server.saw_the_client_leave());

    let chunks: Vec<_> = (0..100).map(|n| n.to_string()).collect();
    let (answer, _) = play(
        json!({ "chunks": chunks, "chunk_delay_ms": 50 }),
        json!({ "timeout_s": 0.5 }),
    );
    fails(&answer, TIMEOUT, "took longer");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn cancelling_closes_the_connection() {
    for rule in [
        json!({ "hang": true }),
        json!({ "chunks": ["a", "b"], "stall_after": 1 }),
    ] {
        let streams = rule.get("chunks").is_some();
        let server = Server::rules(json!([rule]));
        let mut instrument = Instrument::on(&server.url(), json!({}), "");
        let id = instrument.invoke(json!({ "messages": [{ "role": "user", "content": "x" }] }));
        if streams {
            instrument.wait_for_text();
        } else {
            while server.requests().is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let start = Instant::now();
        instrument.cancel(id);
        fails(&instrument.answer(id), CANCELLED, "cancelled");
        assert!(start.elapsed() < Duration::from_secs(1));
        assert!(server.saw_the_client_leave());
    }
}

#[test]
fn nobody_listens() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}/v1");
    let answer = Instrument::on(&url, json!({}), "").ask("hi");
    fails(&answer, UPSTREAM, "nothing listens");
    assert!(retryable(&answer));
}

#[test]
fn a_model_that_is_not_there_is_answered_with_those_that_are() {
    let server = Server::play(json!({
        "models": ["small", "large"], "rules": [{ "status": 404, "body": "no such model" }]
    }));
    let answer = Instrument::on(&server.url(), json!({}), "").ask("hi");
    fails(&answer, NOT_FOUND, "no model `tiny`");
    fails(&answer, NOT_FOUND, "small, large");

    let wrong = format!("http://127.0.0.1:{}/wrong", server.port);
    let mut instrument = Instrument::start();
    let answer = instrument.initialize(&json!({ "base_url": wrong }), "");
    fails(&answer, REFUSED, "`model` is missing; it has small, large");
}

#[test]
fn the_key_is_sent_and_never_told() {
    let key = "sk-very-secret-123";
    let page = json!({ "error": { "message": format!("Incorrect API key provided: {key}") } });
    for status in [401, 403, 400, 404, 429, 500] {
        let server = Server::rules(json!([{ "status": status, "body": page.to_string() }]));
        let mut instrument =
            Instrument::on(&server.url(), json!({ "headers": { "X-Title": "t" } }), key);
        let answer = instrument.ask("hi");
        assert!(answer.get("error").is_some());
        assert!(!answer.to_string().contains(key), "{answer}");
        assert!(!instrument.logged.join(" ").contains(key));
        let headers = &server.requests()[0]["headers"];
        assert_eq!(headers["authorization"], format!("Bearer {key}"));
        assert_eq!(headers["x-title"], "t");
    }
}
