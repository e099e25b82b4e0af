//! The protocol spoken to the real process: lifecycle, edits, bad input.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Client, wait_end};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use symphony_ipc_protocol::jsonrpc::{MAX_LINE_BYTES, code};

#[test]
fn initialize_comes_first_and_once_and_in_a_known_version() {
    let mut client = Client::start();
    assert_eq!(client.fail("ping", json!({})).0, code::INVALID_REQUEST);
    let hello = |p: &str| json!({"client": "t", "protocols": [p]});
    let (code, error) = client.fail("initialize", hello("xi-editor/99"));
    assert_eq!(code, code::UNSUPPORTED);
    assert_eq!(error["data"]["protocols"], json!(["xi-editor/1"]));
    let answer = client.call("initialize", hello("xi-editor/1"));
    assert_eq!(answer["protocol"], "xi-editor/1");
    assert_eq!(answer["pid"], client.child.id());
    let again = client.fail("initialize", hello("xi-editor/1"));
    assert_eq!(again.0, code::INVALID_REQUEST);
    assert_eq!(client.call("ping", json!({})), json!({}));
}

#[test]
fn a_bad_line_gets_an_error_and_the_process_lives() {
    let mut client = Client::new();
    let buffer = client.new_buffer("kept");
    let cases: [(&[u8], i64); 12] = [
        (b"{\"jsonrpc\":", code::PARSE_ERROR),
        (b"not json", code::PARSE_ERROR),
        (b"", code::INVALID_REQUEST),
        (b"   ", code::INVALID_REQUEST),
        (b"[]", code::INVALID_REQUEST),
        (
            b"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]",
            code::INVALID_REQUEST,
        ),
        (b"\xff\xfe{}", code::PARSE_ERROR),
        (b"\"text\"", code::INVALID_REQUEST),
        (b"{\"id\":1,\"method\":\"ping\"}", code::INVALID_REQUEST),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}",
            code::INVALID_REQUEST,
        ),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1}", code::INVALID_REQUEST),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":7}",
            code::INVALID_REQUEST,
        ),
    ];
    for (line, code) in cases {
        let answer = client.raw(line);
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(
        client.raw(deep.as_bytes())["error"]["code"],
        code::PARSE_ERROR
    );
    assert_eq!(client.text(&buffer), "kept");
}

#[test]
fn unknown_methods_notifications_and_responses_change_nothing() {
    let mut client = Client::new();
    let (code, error) = client.fail("fly", json!({}));
    assert_eq!(code, code::METHOD_NOT_FOUND);
    assert!(error["message"].as_str().unwrap().contains("fly"));
    client.send(br#"{"jsonrpc":"2.0","method":"fly"}"#);
    client.send(br#"{"jsonrpc":"2.0","method":"shutdown"}"#);
    client.send(br#"{"jsonrpc":"2.0","id":5,"result":{}}"#);
    assert_eq!(client.call("ping", json!({})), json!({}));
}

#[test]
fn bad_parameters_name_the_method_and_what_is_wrong() {
    let mut client = Client::new();
    let buffer = client.new_buffer("aé");
    let cases = [
        ("open", json!({"path": 3})),
        ("open", json!({})),
        ("open", json!({"path": "relative/path"})),
        ("content", json!({})),
        ("content", json!({"buffer": "no uuid"})),
        (
            "content",
            json!({"buffer": buffer, "range": {"start": 0, "end": 2}}),
        ),
        (
            "content",
            json!({"buffer": buffer, "range": {"start": 2, "end": 1}}),
        ),
        ("insert", json!({"buffer": buffer, "text": "x"})),
        ("insert", json!({"buffer": buffer, "at": -1, "text": "x"})),
        ("insert", json!({"buffer": buffer, "at": 2, "text": "x"})),
        ("insert", json!({"buffer": buffer, "at": 4, "text": "x"})),
        (
            "insert",
            json!({"buffer": buffer, "at": 0, "text": "x", "base": 7}),
        ),
        (
            "delete",
            json!({"buffer": buffer, "range": {"start": 0, "end": 9}}),
        ),
        (
            "apply",
            json!({"buffer": buffer, "base": 0, "edits": [
                {"start": 1, "end": 3, "text": ""}, {"start": 0, "end": 1, "text": ""}]}),
        ),
        (
            "apply",
            json!({"buffer": buffer, "base": 0, "edits": [], "on_overlap": "maybe"}),
        ),
        ("save", json!({"buffer": buffer})),
        ("file_changed", json!({"buffer": buffer})),
    ];
    for (method, params) in cases {
        let (code, error) = client.fail(method, params.clone());
        assert_eq!(code, code::INVALID_PARAMS, "{method} {params}: {error}");
    }
    let nobody = "00000000-0000-4000-8000-000000000000";
    for method in ["content", "undo", "redo", "save", "close", "file_changed"] {
        assert_eq!(
            client.fail(method, json!({"buffer": nobody})).0,
            code::NOT_FOUND
        );
    }
    let info = client.info(&buffer);
    assert_eq!((&info["revision"], &info["len"]), (&json!(0), &json!(3)));
}

#[test]
fn edits_undo_and_events_tell_the_same_story() {
    let mut client = Client::new();
    let buffer = client.new_buffer("one two\n");
    let applied = client.insert(&buffer, 3, "!");
    assert_eq!(
        applied,
        json!({"revision": 1, "changed": true, "edits": [{"start": 3, "end": 3, "text": "!"}]})
    );
    client.call(
        "delete",
        json!({"buffer": buffer, "range": {"start": 0, "end": 1}, "author": "agent", "group": 7}),
    );
    client.call(
        "apply",
        json!({"buffer": buffer, "base": 2, "author": "agent", "group": 7, "edits": [
            {"start": 0, "end": 0, "text": "O"}, {"start": 4, "end": 7, "text": "TWO"}]}),
    );
    assert_eq!(client.text(&buffer), "One! TWO\n");
    let undone = client.call("undo", json!({"buffer": buffer}));
    assert_eq!(
        (&undone["revision"], &undone["changed"]),
        (&json!(4), &json!(true))
    );
    assert_eq!(client.text(&buffer), "one! two\n");
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(client.text(&buffer), "one two\n");
    let nothing = client.call("undo", json!({"buffer": buffer}));
    assert_eq!(
        (&nothing["revision"], &nothing["changed"]),
        (&json!(5), &json!(false))
    );
    client.call("redo", json!({"buffer": buffer}));
    client.call("redo", json!({"buffer": buffer}));
    assert_eq!(client.text(&buffer), "One! TWO\n");
    let part = client.call(
        "content",
        json!({"buffer": buffer, "range": {"start": 5, "end": 8}}),
    );
    assert_eq!(
        part,
        json!({"text": "TWO", "range": {"start": 5, "end": 8}, "revision": 7})
    );

    let mut text = "one two\n".to_owned();
    let events = client.events();
    assert_eq!(events.len(), 7);
    for (i, event) in events.iter().enumerate() {
        assert_eq!(event["kind"], "buffer_changed");
        assert_eq!(event["revision"], i + 1);
        for edit in event["edits"].as_array().unwrap().iter().rev() {
            let at = |key: &str| usize::try_from(edit[key].as_u64().unwrap()).unwrap();
            text.replace_range(at("start")..at("end"), edit["text"].as_str().unwrap());
        }
        assert_eq!(event["len"], text.len());
    }
    assert_eq!(text, "One! TWO\n");
    let authors: Vec<_> = events
        .iter()
        .map(|e| e["author"].as_str().unwrap())
        .collect();
    assert_eq!(authors[..3], ["user", "agent", "agent"]);
}

#[test]
fn an_overlap_is_a_conflict_that_says_where() {
    let mut client = Client::new();
    let buffer = client.new_buffer("one two three");
    let apply = |policy: &str, start: usize, end: usize, text: &str| {
        json!({"buffer": buffer, "base": 0, "on_overlap": policy,
               "edits": [{"start": start, "end": end, "text": text}]})
    };
    client.call("apply", apply("refuse", 4, 7, "2"));
    let (code, error) = client.fail("apply", apply("refuse", 4, 7, "zwei"));
    assert_eq!(code, code::CONFLICT);
    assert_eq!(error["data"]["reason"], "overlap");
    assert_eq!(error["data"]["overlaps"], json!([{"start": 4, "end": 5}]));
    client.call("apply", apply("refuse", 8, 13, "3"));
    assert_eq!(client.text(&buffer), "one 2 3");
    let merged = client.call("apply", apply("merge", 4, 7, "zwei"));
    assert_eq!(client.text(&buffer), "one zwei2 3");
    assert_eq!(merged["overlaps"], json!([{"start": 4, "end": 9}]));
    for _ in 0..1_000 {
        client.insert(&buffer, 0, "x");
    }
    let (code, error) = client.fail("apply", apply("merge", 0, 0, "y"));
    assert_eq!(
        (code, &error["data"]["reason"]),
        (code::CONFLICT, &json!("base_too_old"))
    );
}

#[test]
fn close_keeps_unsaved_text_unless_told() {
    let mut client = Client::new();
    let buffer = client.new_buffer("text");
    let (code, _) = client.fail("close", json!({"buffer": buffer}));
    assert_eq!(code, code::CONFLICT);
    client.call("close", json!({"buffer": buffer, "discard": true}));
    assert_eq!(
        client.fail("content", json!({"buffer": buffer})).0,
        code::NOT_FOUND
    );
    let closed = client.events().pop().unwrap();
    assert_eq!(closed, json!({"kind": "buffer_closed", "buffer": buffer}));
    assert_eq!(client.call("buffers", json!({})), json!({"buffers": []}));
}

#[test]
fn shutdown_and_the_end_of_input_end_it_after_the_last_answer() {
    let mut client = Client::new();
    assert_eq!(client.call("shutdown", json!({})), json!({}));
    assert!(client.wait_end().success());

    let mut client = Client::new();
    let buffer = client.new_buffer("");
    for i in 0..500 {
        let line = json!({"jsonrpc": "2.0", "id": i, "method": "insert",
                          "params": {"buffer": buffer, "at": 0, "text": "x"}});
        client.send(line.to_string().as_bytes());
    }
    client.input = None;
    for i in 0..500 {
        assert_eq!(client.answer()["id"], i);
    }
    assert!(client.wait_end().success());
}

#[test]
fn it_ends_with_its_parent_even_when_the_pipe_stays_open() {
    // The shell starts the editor with an input that a third process keeps open, then is killed.
    let script = "sleep 30 | { \"$0\" & echo $!; exec sleep 30; }";
    let mut shell = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_xi-editor")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(shell.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let editor: i32 = line.trim().parse().unwrap();
    let status =
        |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let parent: i32 = status(editor)
        .lines()
        .find_map(|l| l.strip_prefix("PPid:"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    // Wait until it is the editor, not the shell's copy, and the signal is set.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let pid = rustix::process::Pid::from_raw(parent).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let start = std::time::Instant::now();
    loop {
        let status = status(editor);
        if status.is_empty() || status.contains("State:\tZ") {
            break;
        }
        assert!(start.elapsed() < common::WAIT, "still there:\n{status}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let _ = shell.kill();
    wait_end(&mut shell);
}

#[test]
fn a_line_beyond_the_limit_is_answered_and_not_held() {
    let mut client = Client::new();
    let block = vec![b'x'; 1024 * 1024];
    let input = client.input.as_mut().unwrap();
    for _ in 0..=MAX_LINE_BYTES / block.len() {
        std::io::Write::write_all(input, &block).unwrap();
    }
    let answer = client.raw(b"");
    assert_eq!(answer["error"]["code"], code::INVALID_REQUEST);
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("longer")
    );
    assert_eq!(client.call("ping", json!({})), json!({}));
}

#[test]
fn a_client_that_does_not_read_blocks_nothing_and_gets_every_answer_later() {
    const EDITS: usize = 20_000;
    let (allow, gate) = channel();
    let command = Command::new(env!("CARGO_BIN_EXE_xi-editor"));
    let mut client = Client::start_as(command, gate);
    allow.send(2).unwrap();
    client.hello();
    let buffer = client.new_buffer("");
    // From here on nothing is read: pipe, answers and events fill up.
    let line = json!({"jsonrpc": "2.0", "id": 7, "method": "insert",
                      "params": {"buffer": buffer, "at": 0, "text": "x"}});
    let line = line.to_string();
    for _ in 0..EDITS {
        client.send(line.as_bytes());
    }
    drop(allow);
    for revision in 1..=EDITS {
        let answer = client.answer();
        assert_eq!(answer["result"]["revision"], revision, "{answer}");
    }
    assert_eq!(client.info(&buffer)["len"], EDITS);
    // Some events were dropped, and the client was told.
    let events = client.events();
    let told = |e: &&Value| e["kind"] == "events_dropped";
    let notice = events.iter().find(told).unwrap();
    assert_eq!(notice["buffers"], json!([buffer]));
    assert!(events.len() < EDITS);
}

#[test]
fn options_print_and_anything_else_is_an_error() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_xi-editor"))
            .args(arguments)
            .output()
            .unwrap()
    };
    let version = run(&["--version"]);
    assert_eq!(
        String::from_utf8(version.stdout).unwrap(),
        format!("xi-editor {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert!(
        String::from_utf8(run(&["--help"]).stdout)
            .unwrap()
            .contains("XI_LOG")
    );
    assert_eq!(run(&["--fly"]).status.code(), Some(2));
}
