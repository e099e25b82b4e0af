//! Encodings, line ends, conflicts and large files, through the real process.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::Client;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use symphony_ipc_protocol::jsonrpc::code;
use tempfile::TempDir;

fn file(dir: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.path().canonicalize().unwrap().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn encodings_without_mark_are_found_and_kept() {
    let dir = TempDir::new().unwrap();
    let utf16: Vec<u8> = "wide text\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let cases: [(&str, &[u8], &str, &str); 3] = [
        ("latin1", b"caf\xe9\n", "latin1", "café\n"),
        ("windows", b"10 \x80\n", "windows1252", "10 €\n"),
        ("utf16", &utf16, "utf16-le-unmarked", "wide text\n"),
    ];
    let mut client = Client::new();
    for (name, bytes, encoding, text) in cases {
        let path = file(&dir, name, bytes);
        let info = client.call("open", json!({"path": path}));
        assert_eq!(info["encoding"], encoding);
        let buffer = &info["buffer"];
        assert_eq!(client.text(buffer), text);
        client.insert(buffer, 0, "x");
        let saved = client.call("save", json!({"buffer": buffer}));
        assert_eq!(saved["encoding"], encoding);
        assert_eq!(saved["created"], false);
        client.call("undo", json!({"buffer": buffer}));
        client.call("save", json!({"buffer": buffer}));
        assert_eq!(fs::read(&path).unwrap(), bytes, "{name}");
    }
}

#[test]
fn what_an_encoding_lacks_is_refused_with_the_choice_of_utf8() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", b"caf\xe9");
    let mut client = Client::new();
    let buffer = client.open(&path);
    client.insert(&buffer, 5, " 日");
    let (code, error) = client.fail("save", json!({"buffer": buffer}));
    assert_eq!(code, code::UNSUPPORTED);
    assert_eq!(
        error["data"],
        json!({"reason": "unencodable", "offset": 6, "character": "日"})
    );
    assert_eq!(fs::read(&path).unwrap(), b"caf\xe9");
    let params = json!({"buffer": buffer, "encoding": "utf8"});
    let saved = client.call("save", params);
    assert_eq!(saved["encoding"], "utf8");
    assert_eq!(fs::read_to_string(&path).unwrap(), "café 日");
    assert_eq!(client.info(&buffer)["dirty"], false);
    // Another encoding is a change to save.
    let params = json!({"buffer": buffer, "encoding": "utf16-be"});
    let info = client.call("set_encoding", params);
    assert_eq!(
        (&info["dirty"], &info["encoding"]),
        (&json!(true), &json!("utf16-be"))
    );
    assert_eq!(
        client.fail("close", json!({"buffer": buffer})).0,
        code::CONFLICT
    );
    client.call("save", json!({"buffer": buffer}));
    assert!(fs::read(&path).unwrap().starts_with(&[0xfe, 0xff, 0, b'c']));
    assert_eq!(client.info(&buffer)["dirty"], false);
}

#[test]
fn line_ends_are_changed_as_one_edit_or_by_a_save() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "a\r\nb\nc");
    let mut client = Client::new();
    let buffer = client.open(&path);
    let params = json!({"buffer": buffer, "line_ending": "lf"});
    let applied = client.call("set_line_ending", params);
    assert_eq!(
        applied["edits"],
        json!([{"start": 1, "end": 2, "text": ""}])
    );
    assert_eq!(client.info(&buffer)["line_ending"], "lf");
    client.call("undo", json!({"buffer": buffer}));
    let params = json!({"buffer": buffer, "line_ending": "crlf"});
    let saved = client.call("save", params);
    assert_eq!(
        (&saved["line_ending"], &saved["revision"]),
        (&json!("crlf"), &json!(3))
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "a\r\nb\r\nc");
    assert_eq!(client.info(&buffer)["dirty"], false);
    let params = json!({"buffer": buffer, "line_ending": "mixed"});
    assert_eq!(
        client.fail("set_line_ending", params).0,
        code::INVALID_PARAMS
    );
    // A save that fails converts nothing.
    fs::write(&path, "others").unwrap();
    let params = json!({"buffer": buffer, "line_ending": "lf", "encoding": "utf16-le"});
    assert_eq!(client.fail("save", params).0, code::CONFLICT);
    assert_eq!(client.text(&buffer), "a\r\nb\r\nc");
    assert_eq!(client.info(&buffer)["encoding"], "utf8");
}

#[test]
fn a_save_says_what_it_did() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "text\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let mut client = Client::new();
    let buffer = client.open(&path);
    client.insert(&buffer, 0, "x");
    let saved = client.call("save", json!({"buffer": buffer}));
    assert_eq!(
        (&saved["mode"], &saved["created"], &saved["bytes"]),
        (&json!(0o600), &json!(false), &json!(6))
    );
    fs::remove_file(&path).unwrap();
    client.insert(&buffer, 0, "x");
    let saved = client.call("save", json!({"buffer": buffer}));
    assert_eq!(saved["created"], true);
}

/// A buffer with two conflicts, and its file.
fn conflicted(client: &mut Client, dir: &TempDir) -> (Value, PathBuf) {
    let path = file(dir, "f", "a\nb\nc\nd\ne\n");
    let buffer = client.open(&path);
    for (line, text) in [(8, "our e"), (0, "our a")] {
        let range = json!({"start": line, "end": line + 1});
        client.call("delete", json!({"buffer": buffer, "range": range}));
        client.insert(&buffer, line, text);
    }
    fs::write(&path, "their a\nb\nC\nd\ntheir e\n").unwrap();
    let change = client.call("file_changed", json!({"buffer": buffer}));
    let ranges = json!([{"start": 0, "end": 6}, {"start": 12, "end": 18}]);
    assert_eq!(
        change["outcome"],
        json!({"kind": "conflict", "ranges": ranges})
    );
    (buffer, path)
}

#[test]
fn conflicts_are_listed_follow_edits_and_are_resolved() {
    let dir = TempDir::new().unwrap();
    let mut client = Client::new();
    let (buffer, path) = conflicted(&mut client, &dir);
    client.insert(&buffer, 6, "new line\n");
    let list = client.call("conflicts", json!({"buffer": buffer}));
    assert_eq!(
        list["conflicts"],
        json!([
            {"range": {"start": 0, "end": 6}, "ours": "our a\n", "theirs": "their a\n"},
            {"range": {"start": 21, "end": 27}, "ours": "our e\n", "theirs": "their e\n"},
        ])
    );
    let (code, error) = client.fail("save", json!({"buffer": buffer}));
    assert_eq!(
        (code, &error["data"]["reason"]),
        (code::CONFLICT, &json!("unresolved"))
    );
    let stale = json!({"buffer": buffer, "index": 0, "take": "ours", "revision": 0});
    assert_eq!(client.fail("resolve", stale).0, code::CONFLICT);
    let wrong = json!({"buffer": buffer, "index": 2, "take": "ours"});
    assert_eq!(client.fail("resolve", wrong).1["data"]["known"], 2);

    let resolved = client.call(
        "resolve",
        json!({"buffer": buffer, "index": 0, "take": "both"}),
    );
    assert_eq!(resolved["remaining"], json!([{"start": 29, "end": 35}]));
    // Undoing it brings the conflict back, redoing resolves it again.
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(client.info(&buffer)["conflicts"], 2);
    client.call("redo", json!({"buffer": buffer}));
    assert_eq!(client.info(&buffer)["conflicts"], 1);
    let resolved = client.call(
        "resolve",
        json!({"buffer": buffer, "index": 0, "take": "theirs"}),
    );
    assert_eq!(resolved["remaining"], json!([]));
    client.call("save", json!({"buffer": buffer}));
    let expected = "our a\ntheir a\nnew line\nb\nC\nd\ntheir e\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    let change = client.call("file_changed", json!({"buffer": buffer}));
    assert_eq!(change["outcome"]["kind"], "unchanged");
}

#[test]
fn a_file_that_changes_again_keeps_the_conflicts_right() {
    let dir = TempDir::new().unwrap();
    let mut client = Client::new();
    let (buffer, path) = conflicted(&mut client, &dir);
    fs::write(&path, "first\ntheir A\nb\nC\nd\ntheir e\n").unwrap();
    client.call("file_changed", json!({"buffer": buffer}));
    let list = client.call("conflicts", json!({"buffer": buffer}));
    let theirs: Vec<_> = list["conflicts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["theirs"].clone())
        .collect();
    assert_eq!(theirs, ["first\ntheir A\n", "their e\n"]);
    for _ in 0..2 {
        client.call(
            "resolve",
            json!({"buffer": buffer, "index": 0, "take": "theirs"}),
        );
    }
    // The buffer has the file's text now.
    let info = client.info(&buffer);
    assert_eq!(
        (&info["dirty"], info.get("conflicts")),
        (&json!(false), None)
    );
    assert_eq!(client.text(&buffer), "first\ntheir A\nb\nC\nd\ntheir e\n");
    assert_eq!(client.call("save", json!({"buffer": buffer}))["bytes"], 0);
}

#[test]
fn a_large_file_is_read_by_ranges_and_not_edited() {
    let dir = TempDir::new().unwrap();
    let text: String = (0..400_000).map(|i| format!("línea {i}\n")).collect();
    let path = file(&dir, "large", &text);
    let mut client = Client::with(&json!({"window_above_bytes": 1_000_000}));
    let info = client.call("open", json!({"path": path}));
    assert_eq!(
        (&info["windowed"], &info["read_only"], &info["len"]),
        (&json!(true), &json!(true), &json!(text.len()))
    );
    let buffer = info["buffer"].clone();
    // Inside of a character on both sides.
    let params = json!({"buffer": buffer, "range": {"start": 2, "end": 2}});
    let content = client.call("content", params);
    assert_eq!(content["range"], json!({"start": 1, "end": 3}));
    assert_eq!(content["text"], "í");
    let indexed = client.event(|e| e["kind"] == "window_indexed" && e["indexed"] == e["len"]);
    assert_eq!(indexed["lines"], 400_001);
    assert_eq!(client.info(&buffer)["lines"], 400_001);
    let at = text.find("línea 321098\n").unwrap();
    let found = client.call("locate_line", json!({"buffer": buffer, "line": 321_098}));
    assert_eq!(found, json!({"line": 321_098, "offset": at, "revision": 0}));
    let end = client.call("locate_line", json!({"buffer": buffer, "line": 9_000_000}));
    assert_eq!(end["offset"], text.len());
    for (method, params) in [
        ("insert", json!({"buffer": buffer, "at": 0, "text": "x"})),
        ("save", json!({"buffer": buffer})),
        ("find", json!({"buffer": buffer, "query": "x"})),
    ] {
        let (code, error) = client.fail(method, params);
        assert_eq!(
            (code, &error["data"]["reason"]),
            (code::REFUSED, &json!("windowed"))
        );
    }
    fs::write(&path, &text[..text.len() - 7]).unwrap();
    let params = json!({"buffer": buffer, "range": {"start": 0, "end": 1}});
    assert_eq!(client.fail("content", params.clone()).0, code::CONFLICT);
    let change = client.call("file_changed", json!({"buffer": buffer}));
    assert_eq!(
        (&change["outcome"]["kind"], &change["revision"]),
        (&json!("reloaded"), &json!(1))
    );
    assert_eq!(client.call("content", params)["text"], "l");
    assert_eq!(client.open(&path), buffer);
    client.call("close", json!({"buffer": buffer}));
    assert_eq!(client.call("buffers", json!({})), json!({"buffers": []}));
    // What it cannot be is said at once.
    let mut bytes = vec![b'x'; 2_000_000];
    bytes[5] = 0;
    let binary = file(&dir, "binary", &bytes);
    assert_eq!(
        client.fail("open", json!({"path": binary})).1["data"]["offset"],
        5
    );
    bytes[5] = 0xe9;
    let latin1 = file(&dir, "latin1", &bytes);
    assert_eq!(
        client.fail("open", json!({"path": latin1})).0,
        code::UNSUPPORTED
    );
}
