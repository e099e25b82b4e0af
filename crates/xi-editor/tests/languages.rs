//! Language servers, good and bad: real processes that do what the text says.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;
mod language_servers;

use language_servers::{Studio, client};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::code;

/// Sends a request without waiting for the answer; its id is the name.
fn send(studio: &mut Studio, id: &str, method: &str, params: &Value) {
    let line = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    studio.client.send(line.to_string().as_bytes());
}

#[test]
fn the_server_knows_the_text_and_the_place_in_either_encoding() {
    for encoding in ["utf-8", "utf-16"] {
        let mut studio = Studio::new(encoding, "well");
        let mut text = "let 😀é = 1;\r\nnext é😀x".to_owned();
        let buffer = studio.open("a.fake", &text);
        let edits = [
            (4, 4, "𝒳"),
            (0, 0, "\n"),
            (20, 20, "line\r\n"),
            (13, 15, ""),
        ];
        for (revision, (at, end, new)) in edits.into_iter().enumerate() {
            for place in (0..=text.len()).filter(|p| text.is_char_boundary(*p)) {
                if text[..place].ends_with('\r') {
                    continue;
                }
                let known = studio.hover(&buffer, place);
                assert_eq!(known["text"], text, "{encoding}");
                assert_eq!(known["rest"], text[place..], "{encoding} at {place}");
                assert_eq!(known["version"], revision);
                assert_eq!(known["revision"], revision);
                assert_eq!(known["span"], json!({"start": place, "end": place}));
            }
            let edit = json!([{"start": at, "end": end, "text": new}]);
            let params = json!({"buffer": buffer, "base": revision, "edits": edit});
            studio.client.call("apply", params);
            text.replace_range(at..end, new);
        }
    }
}

#[test]
fn diagnostics_come_by_themselves_and_follow_the_text() {
    let mut studio = Studio::new("utf-16", "well");
    let buffer = studio.open("a.fake", "😀 error here");
    let on = json!({"buffer": buffer, "on": true});
    studio.client.call("language_features", on);
    let event = studio.wait_event(|e| e["kind"] == "diagnostics_changed");
    assert_eq!(
        (&event["errors"], &event["revision"]),
        (&json!(1), &json!(0))
    );
    let list = |studio: &mut Studio| studio.client.call("diagnostics", json!({"buffer": buffer}));
    let found = list(&mut studio);
    let expected = json!({
        "span": {"start": 5, "end": 10}, "severity": "error", "message": "an error",
        "code": "7", "source": "fake", "unnecessary": false, "deprecated": false,
    });
    assert_eq!(found["diagnostics"], json!([expected]));
    studio.client.insert(&buffer, 0, "é\n");
    let moved = list(&mut studio);
    assert_eq!(moved["revision"], 1);
    assert_eq!(
        moved["diagnostics"][0]["span"],
        json!({"start": 8, "end": 13})
    );
    studio.client.call("undo", json!({"buffer": buffer}));
    studio.client.call(
        "delete",
        json!({"buffer": buffer, "range": {"start": 5, "end": 10}}),
    );
    studio.wait_event(|e| e["kind"] == "diagnostics_changed" && e["errors"] == 0);
    assert_eq!(list(&mut studio)["judged"], 3);
    let off = json!({"buffer": buffer, "on": false});
    studio.client.call("language_features", off);
    studio.wait_log(|l| l == "textDocument/didClose");
}

#[test]
fn a_crash_costs_one_answer_and_the_server_is_back_with_the_text() {
    let mut studio = Studio::new("utf-8", "well");
    let buffer = studio.open("a.fake", "good\nCRASH");
    let first = studio.hover(&buffer, 0)["pid"].clone();
    let params = json!({"buffer": buffer, "at": 6});
    let (code, error) = studio.client.fail("hover", params);
    assert_eq!(code, code::UPSTREAM);
    assert_eq!(error["data"], json!({"reason": "ended", "retryable": true}));
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("about to crash"),
        "{error}"
    );
    studio.client.insert(&buffer, 0, "new ");
    let known = studio.hover(&buffer, 0);
    assert_eq!(known["text"], "new good\nCRASH");
    assert_ne!(known["pid"], first);
    let opened = studio
        .log()
        .iter()
        .filter(|l| *l == "textDocument/didOpen")
        .count();
    assert_eq!(opened, 2);
    studio.wait_event(|e| e["server"]["state"] == "restarting");
}

#[test]
fn what_is_no_message_ends_the_server_and_not_us() {
    let mut studio = Studio::new("utf-8", "well");
    let buffer = studio.open("a.fake", "good\nJUNK\nHUGE\nHEADERS");
    for (at, why) in [(5, "no message"), (10, "99999999999"), (15, "too long")] {
        let params = json!({"buffer": buffer, "at": at});
        let (code, error) = studio.client.fail("hover", params);
        assert_eq!(code, code::UPSTREAM);
        assert!(error["message"].as_str().unwrap().contains(why), "{error}");
        studio.client.insert(&buffer, 0, "");
    }
    assert_eq!(
        studio.hover(&buffer, 0)["rest"],
        "good\nJUNK\nHUGE\nHEADERS"
    );
}

#[test]
fn a_server_that_ends_always_is_given_up_and_started_when_asked_to() {
    let mut studio = Studio::new("utf-8", "exits");
    let buffer = studio.open("a.fake", "text");
    let params = json!({"buffer": buffer, "at": 0});
    let (code, error) = studio.client.fail("hover", params.clone());
    assert_eq!(
        (code, &error["data"]["retryable"]),
        (code::UPSTREAM, &json!(false))
    );
    let event = studio.wait_event(|e| e["server"]["state"] == "given_up");
    let told = event["server"]["error"].as_str().unwrap();
    assert!(told.contains("no licence"), "{told}");
    let starts = studio.log().len();
    assert_eq!(starts, 5);
    let (_, error) = studio.client.fail("hover", params);
    assert_eq!(error["data"]["reason"], "given_up");
    studio.client.insert(&buffer, 0, "more ");
    let again = json!({"buffer": buffer});
    studio.client.call("restart_language_server", again);
    studio.wait_log(|_| studio.log().len() > starts);
}

#[test]
fn a_hanging_request_is_given_up_and_so_is_a_cancelled_one() {
    let mut studio = Studio::with("utf-8", "well", json!({"timeout_ms": 400}));
    let buffer = studio.open("a.fake", "good\nHANG");
    studio.hover(&buffer, 0);
    let params = json!({"buffer": buffer, "at": 6});
    let start = Instant::now();
    assert_eq!(studio.client.fail("hover", params.clone()).0, code::TIMEOUT);
    assert!(start.elapsed() >= Duration::from_millis(400));
    studio.wait_log(|l| l == "$/cancelRequest");
    let start = Instant::now();
    send(&mut studio, "h", "hover", &params);
    send(&mut studio, "c", "cancel", &json!({"id": "h"}));
    let answers = [studio.client.answer(), studio.client.answer()];
    let of = |id: &str| answers.iter().find(|a| a["id"] == id).unwrap().clone();
    assert_eq!(of("h")["error"]["code"], code::CANCELLED);
    assert_eq!(of("c")["result"], json!({}));
    assert!(start.elapsed() < Duration::from_millis(300));
    assert_eq!(studio.hover(&buffer, 0)["version"], 0);
}

#[test]
fn a_server_that_answers_nothing_any_more_is_started_again() {
    let mut studio = Studio::with("utf-8", "well", json!({"timeout_ms": 300}));
    let buffer = studio.open("a.fake", "good\nDEAF");
    let first = studio.hover(&buffer, 0)["pid"].clone();
    for at in [6, 0, 0] {
        let params = json!({"buffer": buffer, "at": at});
        assert_eq!(studio.client.fail("hover", params).0, code::TIMEOUT);
    }
    let event = studio.wait_event(|e| e["server"]["state"] == "restarting");
    let why = event["server"]["error"].as_str().unwrap();
    assert!(why.contains("answers nothing"), "{why}");
    studio.wait_state("ready");
    assert_ne!(studio.hover(&buffer, 0)["pid"], first);
}

#[test]
fn a_cancelled_request_is_cancelled_at_the_server() {
    let mut studio = Studio::new("utf-8", "well");
    let buffer = studio.open("a.fake", "good\nHANG");
    studio.hover(&buffer, 0);
    send(
        &mut studio,
        "h",
        "hover",
        &json!({"buffer": buffer, "at": 6}),
    );
    studio.wait_log(|_| {
        let log = studio.log();
        log.iter().filter(|l| *l == "textDocument/hover").count() == 2
    });
    send(&mut studio, "c", "cancel", &json!({"id": "h"}));
    studio.wait_log(|l| l == "$/cancelRequest");
}

#[test]
fn a_flood_and_a_deaf_server_do_not_delay_editing() {
    let mut studio = Studio::with("utf-8", "well", json!({"timeout_ms": 15_000}));
    let buffer = studio.open("a.fake", "good\nFLOOD error\nDEAF");
    studio.hover(&buffer, 0);
    for at in [6, 17] {
        let id = format!("bad {at}");
        send(
            &mut studio,
            &id,
            "hover",
            &json!({"buffer": buffer, "at": at}),
        );
        let mut worst = Duration::ZERO;
        for _ in 0..300 {
            let start = Instant::now();
            let line = json!({"jsonrpc": "2.0", "id": 0, "method": "insert",
                "params": {"buffer": buffer, "at": 0, "text": ""}});
            studio.client.send(line.to_string().as_bytes());
            while studio.client.answer()["id"] != 0 {}
            worst = worst.max(start.elapsed());
        }
        assert!(worst < Duration::from_millis(250), "{worst:?}");
    }
    let told = studio
        .client
        .events
        .iter()
        .filter(|e| e["kind"] == "diagnostics_changed")
        .count();
    assert!(told < 100, "{told} events");
}

#[test]
fn a_missing_program_is_told_once_with_what_to_do() {
    let more = json!({"command": "no-such-server", "install": "apt install it"});
    let mut studio = Studio::with("utf-8", "well", more);
    let buffer = studio.open("a.fake", "text");
    let mut told = 0;
    for _ in 0..3 {
        let params = json!({"buffer": buffer, "at": 0});
        let (code, error) = studio.client.fail("hover", params);
        assert_eq!(code, code::UNSUPPORTED);
        assert_eq!(error["data"]["reason"], "missing_program");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("apt install it"), "{message}");
        let missing = |e: &&Value| e["server"]["state"] == "missing";
        told += studio.client.events().iter().filter(missing).count();
    }
    std::thread::sleep(Duration::from_millis(100));
    let missing = |e: &&Value| e["server"]["state"] == "missing";
    told += studio.client.events().iter().filter(missing).count();
    assert_eq!(told, 1);
    let text = studio.client.new_buffer("no file");
    let (code, error) = studio.client.fail("diagnostics", json!({"buffer": text}));
    assert_eq!(
        (code, &error["data"]["reason"]),
        (code::UNSUPPORTED, &json!("no_file"))
    );
    let other = studio.open("a.unknown", "text");
    let (_, error) = studio.client.fail("diagnostics", json!({"buffer": other}));
    assert_eq!(error["data"]["reason"], "no_server");
}

#[test]
fn one_server_serves_a_workspace_and_stops_when_nobody_needs_it() {
    let mut studio = Studio::with("utf-8", "well", json!({"idle_ms": 150}));
    let (a, b) = (studio.open("a.fake", "a"), studio.open("b.fake", "b"));
    let first = studio.hover(&a, 0);
    let second = studio.hover(&b, 0);
    assert_eq!(first["pid"], second["pid"]);
    let status = studio.status();
    assert_eq!(
        (&status["state"], &status["buffers"]),
        (&json!("ready"), &json!(2))
    );
    assert_eq!(
        status["progress"][0],
        json!({"title": "indexing", "percentage": 10})
    );
    assert_eq!(
        status["root"],
        studio.path("").to_str().unwrap().trim_end_matches('/')
    );
    for buffer in [&a, &b] {
        studio.client.call("close", json!({"buffer": buffer}));
    }
    studio.wait_state("stopped");
    studio.wait_log(|l| l == "exit");
    assert!(
        studio
            .log()
            .ends_with(&["shutdown".to_owned(), "exit".to_owned()])
    );
    let again = studio.client.open(&studio.path("a.fake"));
    assert_ne!(studio.hover(&again, 0)["pid"], first["pid"]);
}

#[test]
fn places_of_older_revisions_are_rebased_or_refused() {
    let mut studio = Studio::new("utf-8", "well");
    let buffer = studio.open("a.fake", "one two three");
    studio.hover(&buffer, 0);
    studio.client.insert(&buffer, 0, "zero ");
    let at = |at: usize, revision: u64| json!({"buffer": buffer, "at": at, "revision": revision});
    let answer = studio.client.call("hover", at(4, 0));
    assert_eq!(
        (&answer["span"]["start"], &answer["revision"]),
        (&json!(9), &json!(1))
    );
    studio.client.call(
        "delete",
        json!({"buffer": buffer, "range": {"start": 5, "end": 12}}),
    );
    let (code, error) = studio.client.fail("hover", at(4, 0));
    assert_eq!(
        (code, &error["data"]["reason"]),
        (code::CONFLICT, &json!("text_changed"))
    );
    assert_eq!(
        studio.client.fail("hover", at(0, 9)).0,
        code::INVALID_PARAMS
    );
    assert_eq!(
        studio.client.fail("hover", at(99, 2)).0,
        code::INVALID_PARAMS
    );
    assert_eq!(
        studio
            .client
            .fail("inlay_hints", json!({"buffer": buffer}))
            .0,
        code::UNSUPPORTED
    );
}

#[test]
fn an_answer_is_for_the_text_that_was_asked_about() {
    let mut studio = Studio::new("utf-8", "well");
    let buffer = studio.open("a.fake", "SLOWLY error");
    studio.hover(&buffer, 0);
    send(
        &mut studio,
        "h",
        "hover",
        &json!({"buffer": buffer, "at": 7}),
    );
    let line = json!({"jsonrpc": "2.0", "id": "i", "method": "insert",
        "params": {"buffer": buffer, "at": 0, "text": "longer "}});
    studio.client.send(line.to_string().as_bytes());
    assert_eq!(studio.client.answer()["id"], "i");
    let answer = studio.client.answer()["result"].clone();
    assert_eq!(
        (&answer["revision"], &answer["span"]["start"]),
        (&json!(0), &json!(7))
    );
}

#[test]
fn completions_are_edits_and_are_resolved() {
    let mut studio = Studio::new("utf-16", "well");
    let buffer = studio.open("a.fake", "😀 ze");
    let list = studio
        .client
        .call("completion", json!({"buffer": buffer, "at": 7}));
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "the bad item is left out: {list}");
    assert_eq!(items[0]["label"], "zeta");
    assert_eq!(
        items[0]["edit"],
        json!({"start": 5, "end": 7, "text": "zeta(${1:x})"})
    );
    assert_eq!(
        (&items[0]["snippet"], &items[0]["kind"]),
        (&json!(true), &json!("function"))
    );
    assert_eq!(
        items[1]["edit"],
        json!({"start": 7, "end": 7, "text": "alpha"})
    );
    let key = json!({"buffer": buffer, "list": items[0]["list"], "item": items[0]["item"]});
    let resolved = studio.client.call("resolve_completion", key);
    let told = resolved["item"]["documentation"].as_str().unwrap();
    assert!(told.contains("does zeta"));
    let best = json!({"buffer": buffer, "at": 7, "limit": 1});
    let best = studio.client.call("completion", best);
    assert_eq!(
        (&best["incomplete"], best["items"].as_array().unwrap().len()),
        (&json!(true), 1)
    );
    let gone = json!({"buffer": buffer, "list": 999, "item": 0});
    assert_eq!(
        studio.client.fail("resolve_completion", gone).0,
        code::NOT_FOUND
    );
}

#[test]
fn a_rename_is_given_as_edits_against_exact_texts() {
    let mut studio = Studio::new("utf-16", "well");
    let other = studio.path("other.fake");
    std::fs::write(&other, "name is used here").unwrap();
    let buffer = studio.open("a.fake", "😀 name = name");
    studio.client.insert(&buffer, 0, "\n");
    let params = json!({"buffer": buffer, "at": 7});
    let prepared = studio.client.call("prepare_rename", params.clone());
    assert_eq!(
        (&prepared["name"], &prepared["span"]["start"]),
        (&json!("name"), &json!(6))
    );
    let mut params = params;
    params["name"] = json!("title");
    let edit = studio.client.call("rename", params);
    let steps = edit["steps"].as_array().unwrap();
    assert_eq!(steps[0]["kind"], "buffer");
    let apply = json!({"buffer": buffer, "base": steps[0]["base"], "edits": steps[0]["edits"]});
    studio.client.call("apply", apply);
    assert_eq!(studio.client.text(&buffer), "\n😀 title = title");
    assert_eq!(
        (&steps[1]["kind"], &steps[1]["path"]),
        (&json!("file"), &json!(other))
    );
    let opened = studio.client.open(&other);
    assert_eq!(studio.client.info(&opened)["digest"], steps[1]["digest"]);
    let apply = json!({"buffer": opened, "base": 0, "edits": steps[1]["edits"]});
    studio.client.call("apply", apply);
    assert_eq!(studio.client.text(&opened), "title is used here");
    assert_eq!(steps[2]["kind"], "rename");
    let formatted = studio.open("b.fake", "a  b 😀  c");
    let edits = studio
        .client
        .call("formatting", json!({"buffer": formatted}));
    let apply = json!({"buffer": formatted, "base": 0, "edits": edits["edits"]});
    studio.client.call("apply", apply);
    assert_eq!(studio.client.text(&formatted), "a b 😀 c");
}

#[test]
fn code_actions_change_nothing_and_servers_may_not_edit_by_themselves() {
    let mut studio = Studio::new("utf-8", "well");
    let buffer = studio.open("a.fake", "an error\nUNASKED");
    studio.hover(&buffer, 0);
    let range = json!({"buffer": buffer, "range": {"start": 0, "end": 8}});
    let list = studio.client.call("code_actions", range);
    let about = studio.wait_log(|l| l.starts_with("about"));
    assert!(about.contains("an error"), "{about}");
    let key = |i: usize| {
        let action = &list["actions"][i];
        json!({"buffer": buffer, "list": action["list"], "item": action["item"]})
    };
    let fix = studio.client.call("resolve_code_action", key(0));
    let fine = json!([{"start": 3, "end": 8, "text": "fine"}]);
    let edits = |steps: &Value| steps["steps"][0]["edits"].clone();
    assert_eq!(edits(&fix["edit"])[0]["text"], fine[0]["text"]);
    let ran = studio.client.call("run_code_action", key(1));
    assert_eq!(edits(&ran), json!([{"start": 3, "end": 8, "text": "ran"}]));
    assert_eq!(studio.client.text(&buffer), "an error\nUNASKED");
    studio.wait_log(|l| l.starts_with("answer") && l.contains("\"applied\": true"));
    studio.hover(&buffer, 10);
    let refused = studio.wait_log(|l| l.starts_with("answer") && l.contains("failureReason"));
    assert!(refused.contains("false"), "{refused}");
    let odd = studio.wait_log(|l| l.contains("\"odd\""));
    assert!(odd.contains("-32601"), "{odd}");
    let settings = studio.wait_log(|l| l.contains("\"settings\""));
    assert!(settings.contains("[3, null]"), "{settings}");
}

#[test]
fn definitions_and_symbols_are_spans_with_their_lines() {
    let mut studio = Studio::new("utf-16", "well");
    let buffer = studio.open("a.fake", "😀 error\nsecond error line");
    let found = studio
        .client
        .call("definition", json!({"buffer": buffer, "at": 6}));
    let second = &found["locations"][1];
    assert_eq!(second["span"], json!({"start": 18, "end": 23}));
    assert_eq!(
        (&second["line"], &second["text"]),
        (&json!(1), &json!("second error line"))
    );
    assert_eq!(
        (&second["buffer"], &second["revision"]),
        (&buffer, &json!(0))
    );
    let symbols = studio
        .client
        .call("document_symbols", json!({"buffer": buffer}));
    assert_eq!(symbols["symbols"][0]["kind"], "function");
    assert_eq!(
        symbols["symbols"][0]["span"],
        json!({"start": 5, "end": 10})
    );
    studio.client.insert(&buffer, 0, "x");
    studio.client.call("save", json!({"buffer": buffer}));
    studio.wait_log(|l| l == "textDocument/didSave");
    let moved = json!({"buffer": buffer, "path": studio.path("b.fake")});
    studio.client.call("save", moved);
    studio.wait_log(|l| l == "textDocument/didClose");
    assert_eq!(studio.hover(&buffer, 0)["version"], 1);
}

#[test]
fn without_language_features_nothing_is_started() {
    let mut plain = client(&[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rs");
    std::fs::write(&path, "fn main() {}").unwrap();
    plain.open(&path);
    assert_eq!(
        plain.call("language_status", json!({}))["servers"],
        json!([])
    );
}
