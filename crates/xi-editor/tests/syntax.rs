//! Highlighting over the wire.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Client, WAIT};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::code;

/// Opens a new buffer that will be saved to a file of that name.
fn open(client: &mut Client, name: &str, text: &str) -> (tempfile::TempDir, Value) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    let info = client.call("open", json!({"path": path, "text": text}));
    (dir, info["buffer"].clone())
}

fn highlight(client: &mut Client, buffer: &Value, first: usize, last: usize) -> Value {
    client.call(
        "highlight",
        json!({"buffer": buffer, "first_line": first, "last_line": last}),
    )
}

/// The spans of an answer, as (text, entry of the table).
fn spans<'a>(answer: &'a Value, text: &'a str) -> Vec<(&'a str, &'a Value)> {
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let table = if answer["styles"].is_array() {
        &answer["styles"]
    } else {
        &answer["scopes"]
    };
    let mut at = number(&answer["start"]);
    let flat = answer["spans"].as_array().unwrap();
    flat.chunks(3)
        .map(|span| {
            let start = at + number(&span[0]);
            at = start + number(&span[1]);
            (&text[start..at], &table[number(&span[2])])
        })
        .collect()
}

fn scope_of<'a>(answer: &'a Value, text: &'a str, word: &str) -> &'a str {
    let all = spans(answer, text);
    let span = all.iter().find(|(part, _)| *part == word);
    span.unwrap_or_else(|| panic!("{word} in {all:?}"))
        .1
        .as_str()
        .unwrap()
}

/// Waits for the next event of highlighting.
fn stale(client: &mut Client) -> Value {
    let start = Instant::now();
    loop {
        let events = client.events();
        if let Some(event) = events.iter().find(|e| e["kind"] == "highlights_stale") {
            return event.clone();
        }
        assert!(start.elapsed() < WAIT, "no event");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn scopes_and_styles_of_a_file() {
    let mut client = Client::new();
    let text = "// é\nfn main() {\n    let s = \"a\\n\";\n}\n";
    let (_dir, buffer) = open(&mut client, "a.rs", text);
    let all = highlight(&mut client, &buffer, 0, 100);
    assert_eq!(all["language"], "Rust");
    assert_eq!((&all["revision"], &all["end_line"]), (&json!(0), &json!(5)));
    assert!(all.get("provisional").is_none() && all.get("styles").is_none());
    assert!(scope_of(&all, text, "fn").starts_with("storage.type.function"));
    assert!(scope_of(&all, text, "main").starts_with("entity.name.function"));
    assert!(scope_of(&all, text, " é").starts_with("comment.line"));
    let escape = scope_of(&all, text, "\\n");
    assert!(escape.starts_with("string.quoted.double") && escape.contains("escape"));

    let part = highlight(&mut client, &buffer, 1, 1);
    assert_eq!(part["start"], "// é\n".len());
    assert_eq!(spans(&part, text)[0].0, "fn");

    let themed = client.call(
        "highlight",
        json!({"buffer": buffer, "first_line": 0, "last_line": 9, "theme": "Nord"}),
    );
    assert_eq!(
        themed["default_style"],
        json!({"fg": "#d8dee9", "bg": "#2e3440"})
    );
    let all = spans(&themed, text);
    let keyword = all.iter().find(|(part, _)| *part == "fn").unwrap();
    assert_eq!(keyword.1["fg"], "#81a1c1");
    assert_eq!(all[0].0, "// é", "pieces of one style are one span");
}

#[test]
fn lists_and_refusals() {
    let mut client = Client::new();
    let themes = client.call("themes", json!({}));
    let themes = themes["themes"].as_array().unwrap();
    assert!(
        themes.contains(&json!({"name": "GitHub", "dark": false})),
        "{themes:?}"
    );
    assert!(themes.contains(&json!({"name": "Nord", "dark": true})));
    let languages = client.call("languages", json!({}));
    let languages = languages["languages"].as_array().unwrap();
    for name in [
        "Rust",
        "TypeScript",
        "Python",
        "Go",
        "TOML",
        "Markdown",
        "Plain Text",
    ] {
        assert!(languages.iter().any(|l| l["name"] == name), "{name}");
    }
    let buffer = client.new_buffer("text");
    let nobody = "00000000-0000-4000-8000-000000000000";
    let lines =
        |first: u64, last: u64| json!({"buffer": buffer, "first_line": first, "last_line": last});
    let themed = json!({"buffer": buffer, "first_line": 0, "last_line": 0, "theme": "ansi"});
    for (method, params, code) in [
        ("highlight", lines(1, 0), code::INVALID_PARAMS),
        ("highlight", lines(0, 5_000), code::INVALID_PARAMS),
        ("highlight", lines(0, u64::MAX), code::INVALID_PARAMS),
        ("highlight", themed, code::INVALID_PARAMS),
        (
            "highlight",
            json!({"buffer": nobody, "first_line": 0, "last_line": 0}),
            code::NOT_FOUND,
        ),
        (
            "set_language",
            json!({"buffer": buffer, "language": "klingon"}),
            code::INVALID_PARAMS,
        ),
        ("set_language", json!({"buffer": nobody}), code::NOT_FOUND),
    ] {
        assert_eq!(
            client.fail(method, params.clone()).0,
            code,
            "{method} {params}"
        );
    }
    let past = highlight(&mut client, &buffer, 7, 9);
    assert_eq!(
        (&past["first_line"], &past["end_line"]),
        (&json!(1), &json!(1))
    );
    client.call("close", json!({"buffer": buffer, "discard": true}));
    let params = json!({"buffer": buffer, "first_line": 0, "last_line": 0});
    assert_eq!(client.fail("highlight", params).0, code::NOT_FOUND);
}

#[test]
fn an_opened_comment_is_told_and_the_newest_text_answered() {
    let mut client = Client::new();
    let mut text = "fn f() { 1 }\n".repeat(200);
    let (_dir, buffer) = open(&mut client, "a.rs", &text);
    highlight(&mut client, &buffer, 100, 140);
    client.insert(&buffer, 0, "/* ");
    text.insert_str(0, "/* ");
    let event = stale(&mut client);
    assert_eq!(event["buffer"], buffer);
    assert_eq!(event["revision"], 1);
    assert_eq!(
        (&event["first_line"], &event["last_line"]),
        (&json!(100), &json!(140))
    );
    let answer = highlight(&mut client, &buffer, 100, 140);
    assert_eq!(answer["revision"], 1);
    assert!(scope_of(&answer, &text, "fn f() { 1 }").starts_with("comment.block"));
    // An edit inside of a line changes no other.
    client.insert(&buffer, "/* fn f() { 1 }\n".len(), "x");
    highlight(&mut client, &buffer, 0, 10);
    std::thread::sleep(Duration::from_millis(100));
    let kinds: Vec<_> = client.events().iter().map(|e| e["kind"].clone()).collect();
    assert_eq!(kinds, ["buffer_changed"]);
}

#[test]
fn the_language_is_set_and_follows_the_file() {
    let mut client = Client::new();
    let dir = tempfile::tempdir().unwrap();
    let buffer = client.new_buffer("def f(): pass\n");
    assert_eq!(
        highlight(&mut client, &buffer, 0, 0)["language"],
        "Plain Text"
    );
    let path = dir.path().join("a.py");
    client.call("save", json!({"buffer": buffer, "path": path}));
    assert_eq!(stale(&mut client)["first_line"], 0);
    assert_eq!(highlight(&mut client, &buffer, 0, 0)["language"], "Python");
    let set = client.call(
        "set_language",
        json!({"buffer": buffer, "language": "rust"}),
    );
    assert_eq!(set, json!({"language": "Rust"}));
    assert!(stale(&mut client).get("last_line").is_none());
    assert_eq!(highlight(&mut client, &buffer, 0, 0)["language"], "Rust");
    // Editing knows it by the extension that the grammar names.
    let editing = |client: &mut Client, expected: &str| {
        let settings = client.call("configure", json!({"buffer": buffer}));
        assert_eq!(settings["language"], expected);
    };
    editing(&mut client, "rust");
    let shell = json!({"buffer": buffer, "language": "Bourne Again Shell (bash)"});
    client.call("set_language", shell);
    editing(&mut client, "shell");
    let found = client.call("set_language", json!({"buffer": buffer}));
    assert_eq!(found, json!({"language": "Python"}));
    editing(&mut client, "python");
}

#[test]
fn the_middle_of_a_long_file_comes_at_once_and_is_corrected() {
    let mut client = Client::new();
    let text = format!("/* open\n{}", "fn f() { 1 }\n\n".repeat(50_000));
    let (_dir, buffer) = open(&mut client, "a.rs", &text);
    let guess = highlight(&mut client, &buffer, 80_000, 80_050);
    assert_eq!(guess["provisional"], true);
    assert!(scope_of(&guess, &text, "fn").starts_with("storage"));
    // Editing goes on meanwhile; the lines are counted in the newest revision.
    client.insert(&buffer, "/* open\n".len(), "one\ntwo\n");
    let event = stale(&mut client);
    assert_eq!(event["revision"], 1);
    assert!(event["first_line"].as_u64().unwrap() >= 80_002, "{event}");
    assert!(event["last_line"].as_u64().unwrap() <= 80_052, "{event}");
    let now = highlight(&mut client, &buffer, 80_002, 80_052);
    assert!(now.get("provisional").is_none());
    let text = text.replacen("/* open\n", "/* open\none\ntwo\n", 1);
    assert!(scope_of(&now, &text, "fn f() { 1 }").starts_with("comment"));
}

#[test]
fn the_licences_of_what_is_built_in_can_be_read() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xi-editor"));
    let output = command.arg("--acknowledgements").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.contains("MIT License") && text.contains("Apache License"));
}
