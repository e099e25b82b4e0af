//! Find and replace through the real process.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::Client;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::code;

fn find(client: &mut Client, buffer: &Value, more: Value) -> Value {
    let mut params = json!({"buffer": buffer});
    for (key, value) in more.as_object().unwrap() {
        params[key] = value.clone();
    }
    client.call("find", params)
}

fn span(start: usize, end: usize) -> Value {
    json!({"start": start, "end": end})
}

#[test]
fn what_ends_upstream_is_an_answer_here() {
    let mut client = Client::new();
    let buffer = client.new_buffer("ab\n\ncd");
    let found = find(&mut client, &buffer, json!({"query": "^", "regex": true}));
    assert_eq!(
        found,
        json!({"revision": 0, "matches": [span(0, 0), span(3, 3), span(4, 4)], "more": false, "total": 3})
    );
    let found = find(&mut client, &buffer, json!({"query": "$", "regex": true}));
    assert_eq!(
        found["matches"],
        json!([span(2, 2), span(3, 3), span(6, 6)])
    );
    for bad in ["(", "[a", "a{999999}{999999}", "(?P<", "\\", "*"] {
        let params = json!({"buffer": buffer, "query": bad, "regex": true});
        let (code, error) = client.fail("find", params);
        assert_eq!(
            (code, &error["data"]["reason"]),
            (code::INVALID_PARAMS, &json!("pattern")),
            "{bad}"
        );
    }
    let params = json!({"buffer": buffer, "query": ""});
    assert_eq!(client.fail("find", params).0, code::INVALID_PARAMS);
    let empty = client.new_buffer("");
    let found = find(&mut client, &empty, json!({"query": "^$", "regex": true}));
    assert_eq!(found["matches"], json!([span(0, 0)]));
}

#[test]
fn from_a_place_in_ranges_at_a_revision_with_a_limit() {
    let mut client = Client::new();
    let buffer = client.new_buffer("one two one two one");
    let more = json!({"query": "one", "from": 5, "limit": 2, "count": true});
    let found = find(&mut client, &buffer, more);
    assert_eq!(found["matches"], json!([span(8, 11), span(16, 19)]));
    assert_eq!((&found["more"], &found["total"]), (&json!(true), &json!(3)));
    let more = json!({"query": "one", "from": 5, "backward": true, "limit": 1});
    let found = find(&mut client, &buffer, more);
    assert_eq!(
        (&found["matches"], found.get("total")),
        (&json!([span(0, 3)]), None)
    );
    let more = json!({"query": "ONE", "ignore_case": true, "ranges": [span(1, 12)]});
    assert_eq!(
        find(&mut client, &buffer, more)["matches"],
        json!([span(8, 11)])
    );
    client.insert(&buffer, 0, "one");
    let more = json!({"query": "one", "whole_word": true, "base": 0});
    let found = find(&mut client, &buffer, more);
    assert_eq!(
        (&found["revision"], &found["total"]),
        (&json!(0), &json!(3))
    );
    let found = find(
        &mut client,
        &buffer,
        json!({"query": "one", "whole_word": true}),
    );
    assert_eq!(
        (&found["revision"], &found["total"]),
        (&json!(1), &json!(2))
    );
    let params = json!({"buffer": buffer, "query": "one", "from": 99});
    assert_eq!(client.fail("find", params).0, code::INVALID_PARAMS);
}

#[test]
fn replacing_is_one_undo_group_and_respects_what_changed() {
    let mut client = Client::new();
    let buffer = client.new_buffer("get_name set_name\n");
    let params = json!({
        "buffer": buffer, "query": r"(\w+)_(\w+)", "regex": true, "replacement": "${2}_${1}", "author": "ada",
    });
    assert_eq!(
        client.call("replace", params),
        json!({"revision": 1, "replaced": 2})
    );
    assert_eq!(client.text(&buffer), "name_get name_set\n");
    let event = client.event(|e| e["kind"] == "buffer_changed");
    assert_eq!(event["author"], "ada");
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(client.text(&buffer), "get_name set_name\n");
    // Against a base: the place moved, and then it changed.
    client.insert(&buffer, 0, "x ");
    let named = |base: u64, matches: Value| json!({"buffer": buffer, "query": "set", "replacement": "put", "base": base, "matches": matches});
    client.call("replace", named(2, json!([span(9, 12)])));
    assert_eq!(client.text(&buffer), "x get_name put_name\n");
    let (code, error) = client.fail("replace", named(2, json!([span(9, 12)])));
    assert_eq!(
        (code, &error["data"]["reason"]),
        (code::CONFLICT, &json!("overlap"))
    );
    let (code, error) = client.fail("replace", named(2, json!([span(0, 3)])));
    assert_eq!(
        (code, &error["data"]["reason"]),
        (code::CONFLICT, &json!("no_match"))
    );
    let params = json!({"buffer": buffer, "query": "nothing", "replacement": "x"});
    assert_eq!(client.call("replace", params)["replaced"], 0);
}

#[test]
fn a_long_search_delays_no_edit_and_is_cancelled() {
    let mut client = Client::new();
    let buffer = client.new_buffer(&"a".repeat(4_000_000));
    // Each match looks to the end of the text: this takes minutes.
    let params = json!({"buffer": buffer, "query": "(?s).*[^a]|a", "regex": true, "count": true});
    let search = client.ask("find", &params);
    for i in 0..50 {
        let start = Instant::now();
        client.insert(&buffer, i, "x");
        assert!(start.elapsed() < Duration::from_secs(2));
    }
    let cancel = client.ask("cancel", &json!({"id": search}));
    let mut answers = [client.answer(), client.answer()];
    answers.sort_by_key(|answer| answer["id"].as_i64());
    assert_eq!(answers[0]["id"], search);
    assert_eq!(answers[0]["error"]["code"], code::CANCELLED);
    assert_eq!(answers[1]["id"], cancel);
    // Its thread ends; others search meanwhile.
    assert_eq!(
        find(&mut client, &buffer, json!({"query": "xa"}))["total"],
        1
    );
}
