//! Files through the real process: what opens, what a save keeps, what others change.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::Client;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use symphony_ipc_protocol::jsonrpc::code;
use tempfile::TempDir;

fn file(dir: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.path().canonicalize().unwrap().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_no_text_file_is_refused_with_the_reason() {
    let dir = TempDir::new().unwrap();
    let mut client = Client::start();
    client.call(
        "initialize",
        json!({"client": "t", "protocols": ["xi-editor/1"], "max_file_bytes": 100}),
    );
    let cases = [
        (file(&dir, "binary", b"ab\0cd"), json!(2), "binary"),
        (
            file(&dir, "marked", b"\xef\xbb\xbfa\xe9"),
            json!(4),
            "UTF-8",
        ),
        (file(&dir, "cut16", b"\xff\xfea\0b"), json!(4), "UTF-16"),
    ];
    for (path, offset, word) in cases {
        let (code, error) = client.fail("open", json!({"path": path}));
        assert_eq!(code, code::UNSUPPORTED);
        assert_eq!(error["data"]["offset"], offset, "{error}");
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
    }
    let large = file(&dir, "large", [b'x'; 101]);
    let (code, error) = client.fail("open", json!({"path": large}));
    assert_eq!(
        (code, &error["data"]["limit"]),
        (code::UNSUPPORTED, &json!(100))
    );
    assert_eq!(
        client.fail("open", json!({"path": dir.path()})).0,
        code::UNSUPPORTED
    );
    let missing = dir.path().join("missing");
    for path in [missing.clone(), missing.join("below")] {
        assert_eq!(
            client.fail("open", json!({"path": path})).0,
            code::NOT_FOUND
        );
    }
    assert_eq!(client.call("buffers", json!({})), json!({"buffers": []}));
}

#[test]
fn a_save_keeps_encoding_line_ends_and_permissions() {
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(unit)
            .collect()
    };
    let text = "é line\r\nsecond\r\n";
    let cases = [
        ("utf8", "utf8", "crlf", text.as_bytes().to_vec()),
        (
            "bom",
            "utf8-bom",
            "crlf",
            format!("\u{feff}{text}").into_bytes(),
        ),
        ("le", "utf16-le", "crlf", utf16(text, u16::to_le_bytes)),
        ("be", "utf16-be", "crlf", utf16(text, u16::to_be_bytes)),
        ("mixed", "utf8", "mixed", "é line\nsecond\r\n".into()),
        ("lf", "utf8", "lf", "é line\nsecond".into()),
    ];
    let dir = TempDir::new().unwrap();
    let mut client = Client::new();
    for (name, encoding, line_ending, bytes) in cases {
        let path = file(&dir, name, &bytes);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let info = client.call("open", json!({"path": path}));
        assert_eq!(info["encoding"], encoding);
        assert_eq!(info["line_ending"], line_ending);
        assert_eq!(info["dirty"], false);
        let buffer = &info["buffer"];
        assert!(client.text(buffer).starts_with("é line"));
        client.insert(buffer, 2, "X");
        let saved = client.call("save", json!({"buffer": buffer}));
        let now = fs::read(&path).unwrap();
        assert_eq!(saved["bytes"], now.len());
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
        // Without the insertion it is byte for byte what it was.
        client.call("undo", json!({"buffer": buffer}));
        client.call("save", json!({"buffer": buffer}));
        assert_eq!(fs::read(&path).unwrap(), bytes, "{name}");
        assert_ne!(now, bytes);
    }
    assert_eq!(names(dir.path()).len(), 6, "no temporary file is left");
}

#[test]
fn a_symbolic_link_stays_and_shares_its_files_buffer() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "real", "text");
    let link = dir.path().join("link");
    symlink(&path, &link).unwrap();
    let mut client = Client::new();
    let info = client.call("open", json!({"path": link}));
    assert_eq!(info["path"], json!(path));
    assert_eq!(client.open(&path), info["buffer"]);
    client.insert(&info["buffer"], 4, "!");
    client.call("save", json!({"buffer": info["buffer"]}));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), "text!");
}

#[test]
fn nothing_is_written_when_the_file_holds_the_text() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "text");
    let inode = fs::metadata(&path).unwrap().ino();
    let mut client = Client::new();
    let buffer = client.open(&path);
    assert_eq!(client.call("save", json!({"buffer": buffer}))["bytes"], 0);
    // Typed and taken back by hand: the same text.
    client.insert(&buffer, 0, "x");
    client.call(
        "delete",
        json!({"buffer": buffer, "range": {"start": 0, "end": 1}}),
    );
    let saved = client.call("save", json!({"buffer": buffer}));
    assert_eq!(
        (&saved["bytes"], &saved["revision"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(client.info(&buffer)["dirty"], false);
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
}

#[test]
fn dirty_follows_undo_and_save() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "text");
    let mut client = Client::new();
    let buffer = client.open(&path);
    let state = |client: &mut Client| {
        let info = client.info(&buffer);
        (info["dirty"].clone(), info["saved_revision"].clone())
    };
    client.insert(&buffer, 0, "x");
    assert_eq!(state(&mut client), (json!(true), json!(0)));
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(state(&mut client), (json!(false), json!(2)));
    client.call("redo", json!({"buffer": buffer}));
    client.call("save", json!({"buffer": buffer, "revision": 3}));
    assert_eq!(state(&mut client), (json!(false), json!(3)));
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(state(&mut client), (json!(true), json!(3)));
    let (code, error) = client.fail("save", json!({"buffer": buffer, "revision": 3}));
    assert_eq!(
        (code, &error["data"]["revision"]),
        (code::CONFLICT, &json!(4))
    );
    let saved: Vec<Value> = client
        .events()
        .into_iter()
        .filter(|e| e["kind"] == "buffer_saved")
        .collect();
    assert_eq!(
        saved,
        [json!({"kind": "buffer_saved", "buffer": buffer, "path": path, "revision": 3})]
    );
}

#[test]
fn a_file_that_changed_on_disk_is_not_overwritten_unasked() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "text");
    let mut client = Client::new();
    let buffer = client.open(&path);
    client.insert(&buffer, 0, "my ");
    fs::write(&path, "TEXT").unwrap();
    let (code, error) = client.fail("save", json!({"buffer": buffer}));
    assert_eq!(
        (code, &error["data"]["reason"]),
        (code::CONFLICT, &json!("changed_on_disk"))
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "TEXT");
    client.call("save", json!({"buffer": buffer, "overwrite": true}));
    assert_eq!(fs::read_to_string(&path).unwrap(), "my text");
    fs::remove_file(&path).unwrap();
    client.insert(&buffer, 0, "all ");
    client.call("save", json!({"buffer": buffer}));
    assert_eq!(fs::read_to_string(&path).unwrap(), "all my text");
}

#[test]
fn a_read_only_file_and_a_missing_directory_refuse_a_save() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "text");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let mut client = Client::new();
    let info = client.call("open", json!({"path": path}));
    assert_eq!(info["read_only"], true);
    let buffer = &info["buffer"];
    client.insert(buffer, 0, "x");
    assert_eq!(
        client.fail("save", json!({"buffer": buffer})).0,
        code::REFUSED
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "text");

    let nowhere = dir.path().join("no/such/dir/f");
    let params = json!({"buffer": buffer, "path": nowhere});
    assert_eq!(client.fail("save", params).0, code::NOT_FOUND);
    assert!(!nowhere.exists());
    // The directory goes away after opening.
    let below = dir.path().canonicalize().unwrap().join("below");
    fs::create_dir(&below).unwrap();
    fs::write(below.join("g"), "g").unwrap();
    let buffer = client.open(&below.join("g"));
    client.insert(&buffer, 0, "x");
    fs::remove_dir_all(&below).unwrap();
    assert_eq!(
        client.fail("save", json!({"buffer": buffer})).0,
        code::NOT_FOUND
    );
    assert_eq!(client.text(&buffer), "xg");
}

#[test]
fn folders_of_a_new_file_are_made_when_it_is_saved() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().canonicalize().unwrap().join("no/such/dir/f");
    let mut client = Client::new();
    let info = client.call("open", json!({"path": path, "text": "x"}));
    assert!(!dir.path().join("no").exists(), "opening writes nothing");
    client.call("save", json!({"buffer": info["buffer"]}));
    assert_eq!(fs::read_to_string(path).unwrap(), "x");
}

#[test]
fn a_new_buffer_is_saved_where_nothing_is() {
    let dir = TempDir::new().unwrap();
    let taken = file(&dir, "taken", "here");
    let fresh = dir.path().canonicalize().unwrap().join("fresh");
    let mut client = Client::new();
    let conflict = json!({"path": taken, "text": "x"});
    assert_eq!(client.fail("open", conflict).0, code::CONFLICT);
    let info = client.call("open", json!({"path": fresh, "text": "new\n"}));
    assert_eq!(
        (&info["dirty"], &info["saved_revision"], &info["lines"]),
        (&json!(true), &Value::Null, &json!(2))
    );
    assert_eq!(client.open(&fresh), info["buffer"]);
    let buffer = info["buffer"].clone();
    let elsewhere = json!({"buffer": buffer, "path": taken});
    assert_eq!(client.fail("save", elsewhere).0, code::CONFLICT);
    assert!(!fresh.exists());
    client.call("save", json!({"buffer": buffer}));
    assert_eq!(fs::read_to_string(&fresh).unwrap(), "new\n");
    let moved = dir.path().canonicalize().unwrap().join("moved");
    client.call("save", json!({"buffer": buffer, "path": moved}));
    assert_eq!(client.info(&buffer)["path"], json!(moved));
    assert_eq!(fs::read_to_string(&taken).unwrap(), "here");
}

fn outcome(client: &mut Client, buffer: &Value) -> Value {
    client.call("file_changed", json!({"buffer": buffer}))["outcome"].clone()
}

#[test]
fn an_external_change_reloads_a_clean_buffer_undoably() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "a\nb\nc\n");
    let mut client = Client::new();
    let buffer = client.open(&path);
    assert_eq!(outcome(&mut client, &buffer), json!({"kind": "unchanged"}));
    fs::write(&path, "\u{feff}a\nB\nc\n").unwrap();
    assert_eq!(outcome(&mut client, &buffer), json!({"kind": "reloaded"}));
    let info = client.info(&buffer);
    assert_eq!(
        (&info["dirty"], &info["encoding"]),
        (&json!(false), &json!("utf8-bom"))
    );
    let events = client.events();
    assert_eq!(events[0]["author"], "disk");
    assert_eq!(
        events[0]["edits"],
        json!([{"start": 2, "end": 4, "text": "B\n"}])
    );
    assert_eq!(events[1]["kind"], "file_modified");
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(client.text(&buffer), "a\nb\nc\n");
    assert_eq!(client.info(&buffer)["dirty"], true);
}

#[test]
fn an_external_change_of_a_dirty_buffer_merges_or_says_where_not() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "a\nb\nc\nd\ne\n");
    let mut client = Client::new();
    let buffer = client.open(&path);
    client.insert(&buffer, 0, "mine ");
    fs::write(&path, "a\nb\nc\nd\nE\n").unwrap();
    assert_eq!(outcome(&mut client, &buffer), json!({"kind": "merged"}));
    assert_eq!(client.text(&buffer), "mine a\nb\nc\nd\nE\n");
    client.call("save", json!({"buffer": buffer}));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine a\nb\nc\nd\nE\n");

    client.insert(&buffer, 0, "still ");
    fs::write(&path, "theirs a\nb\nc\nD\nE\n").unwrap();
    let conflict = json!({"kind": "conflict", "ranges": [{"start": 0, "end": 13}]});
    assert_eq!(outcome(&mut client, &buffer), conflict);
    assert_eq!(client.text(&buffer), "still mine a\nb\nc\nD\nE\n");
    // It stays a conflict until the caller decides.
    assert_eq!(outcome(&mut client, &buffer), conflict);
    assert_eq!(
        client.fail("save", json!({"buffer": buffer})).0,
        code::CONFLICT
    );
    client.call("save", json!({"buffer": buffer, "overwrite": true}));
    assert_eq!(outcome(&mut client, &buffer), json!({"kind": "unchanged"}));
}

#[test]
fn a_deleted_file_leaves_the_text_and_may_come_back() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "text\n");
    let mut client = Client::new();
    let buffer = client.open(&path);
    fs::remove_file(&path).unwrap();
    assert_eq!(outcome(&mut client, &buffer), json!({"kind": "deleted"}));
    assert_eq!(outcome(&mut client, &buffer), json!({"kind": "unchanged"}));
    let info = client.info(&buffer);
    assert_eq!(
        (&info["dirty"], &info["saved_revision"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(client.text(&buffer), "text\n");
    fs::write(&path, "text\nmore\n").unwrap();
    assert_eq!(outcome(&mut client, &buffer), json!({"kind": "reloaded"}));
    assert_eq!(client.text(&buffer), "text\nmore\n");
    assert_eq!(client.info(&buffer)["dirty"], false);
}

#[test]
fn a_file_that_became_binary_leaves_the_buffer_alone() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "text\n");
    let mut client = Client::new();
    let buffer = client.open(&path);
    fs::write(&path, b"a\0b").unwrap();
    let (code, _) = client.fail("file_changed", json!({"buffer": buffer}));
    assert_eq!(code, code::UNSUPPORTED);
    assert_eq!(client.text(&buffer), "text\n");
    client.insert(&buffer, 0, "x");
    assert_eq!(
        client.fail("save", json!({"buffer": buffer})).0,
        code::CONFLICT
    );
    assert_eq!(fs::read(&path).unwrap(), b"a\0b");
}

#[test]
fn only_the_known_file_of_a_clean_buffer_is_removed() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "text");
    let mut client = Client::new();
    let buffer = client.open(&path);
    let refused = |client: &mut Client, reason: &str| {
        let (code, error) = client.fail("remove", json!({"buffer": buffer}));
        assert_eq!(code, code::CONFLICT);
        assert_eq!(error["data"]["reason"], reason);
        assert!(path.exists());
    };
    client.insert(&buffer, 0, "x");
    refused(&mut client, "unsaved");
    client.call("undo", json!({"buffer": buffer}));
    fs::write(&path, "TEXT").unwrap();
    refused(&mut client, "changed_on_disk");
    client.call("file_changed", json!({"buffer": buffer}));
    client.call("remove", json!({"buffer": buffer}));
    assert!(!path.exists());
    assert_eq!(
        client.fail("content", json!({"buffer": buffer})).0,
        code::NOT_FOUND
    );
    let closed = client.events().pop().unwrap();
    assert_eq!(closed["kind"], "buffer_closed");
    let buffer = client.new_buffer("x");
    let (code, _) = client.fail("remove", json!({"buffer": buffer}));
    assert_eq!(code, code::INVALID_PARAMS);
}

#[test]
fn a_save_that_the_system_cuts_off_leaves_the_old_bytes() {
    let dir = TempDir::new().unwrap();
    let path = file(&dir, "f", "old");
    // No file of this process may grow beyond a few blocks; the signal is ignored, so writing fails.
    let mut command = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\"";
    command.args(["-c", script, env!("CARGO_BIN_EXE_xi-editor")]);
    let mut client = Client::start_as(command, channel().1);
    client.hello();
    let buffer = client.open(&path);
    client.insert(&buffer, 0, &"x".repeat(100_000));
    let (code, error) = client.fail("save", json!({"buffer": buffer}));
    assert_eq!(
        (code, &error["data"]["os_error"]),
        (code::IO, &json!(27)),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(names(dir.path()), ["f"], "no temporary file is left");
    // The text is still there, and a smaller one can be saved.
    client.call(
        "delete",
        json!({"buffer": buffer, "range": {"start": 0, "end": 99_999}}),
    );
    client.call("save", json!({"buffer": buffer}));
    assert_eq!(fs::read_to_string(&path).unwrap(), "xold");
}
