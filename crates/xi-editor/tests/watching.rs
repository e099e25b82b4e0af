//! Files that others change are seen, by the real process and the real system.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Client, WAIT};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Bench {
    client: Client,
    folder: PathBuf,
    _dir: TempDir,
}

fn bench() -> Bench {
    let dir = TempDir::new().unwrap();
    Bench {
        client: Client::with(&json!({"watch": true})),
        folder: dir.path().canonicalize().unwrap(),
        _dir: dir,
    }
}

impl Bench {
    fn open(&mut self, name: &str, text: &str) -> (Value, PathBuf) {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        let buffer = self.client.open(&path);
        // The watch begins beside: a change before it is seen by the first look.
        std::thread::sleep(Duration::from_millis(60));
        (buffer, path)
    }

    fn outcome(&mut self, buffer: &Value, kind: &str) -> Value {
        self.client.event(|event| {
            event["kind"] == "file_modified"
                && event["buffer"] == *buffer
                && event["outcome"]["kind"] == kind
        })
    }

    /// Nothing is told for some time.
    fn quiet(&mut self) {
        std::thread::sleep(Duration::from_millis(150));
        let events = self.client.events();
        assert!(events.is_empty(), "{events:?}");
    }
}

fn replace_by_rename(path: &Path, text: &str) {
    let other = path.with_extension("new");
    fs::write(&other, text).unwrap();
    fs::rename(other, path).unwrap();
}

#[test]
fn a_change_comes_in_unasked_and_soon() {
    let mut bench = bench();
    let (buffer, path) = bench.open("f", "one\n");
    let mut times = Vec::new();
    for i in 0..10 {
        let text = format!("text {i}\n");
        let start = Instant::now();
        fs::write(&path, &text).unwrap();
        bench.outcome(&buffer, "reloaded");
        times.push(start.elapsed());
        assert_eq!(bench.client.text(&buffer), text);
    }
    times.sort();
    println!("change to event: {times:?}");
    assert!(times[times.len() / 2] < Duration::from_millis(200));
    assert_eq!(bench.client.info(&buffer)["dirty"], false);
}

#[test]
fn own_saves_and_touched_files_tell_nothing() {
    let mut bench = bench();
    let (buffer, path) = bench.open("f", "one\n");
    bench.client.insert(&buffer, 0, "x");
    bench.client.call("save", json!({"buffer": buffer}));
    let kinds: Vec<_> = bench
        .client
        .events()
        .iter()
        .map(|e| e["kind"].clone())
        .collect();
    assert_eq!(kinds, ["buffer_changed", "buffer_saved"]);
    bench.quiet();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    fs::read(&path).unwrap();
    fs::write(bench.folder.join("neighbour"), "x").unwrap();
    bench.quiet();
}

#[test]
fn replaced_deleted_made_again_and_renamed_away() {
    let mut bench = bench();
    let (buffer, path) = bench.open("f", "one\n");
    replace_by_rename(&path, "two\n");
    bench.outcome(&buffer, "reloaded");
    assert_eq!(bench.client.text(&buffer), "two\n");
    fs::remove_file(&path).unwrap();
    bench.outcome(&buffer, "deleted");
    assert_eq!(bench.client.text(&buffer), "two\n");
    fs::write(&path, "three\n").unwrap();
    bench.outcome(&buffer, "reloaded");
    fs::rename(&path, bench.folder.join("away")).unwrap();
    bench.outcome(&buffer, "deleted");
    fs::rename(bench.folder.join("away"), &path).unwrap();
    bench.outcome(&buffer, "reloaded");
    assert_eq!(bench.client.text(&buffer), "three\n");
    // Deleted and written within the pause is one change.
    fs::remove_file(&path).unwrap();
    fs::write(&path, "four\n").unwrap();
    bench.outcome(&buffer, "reloaded");
    assert_eq!(bench.client.text(&buffer), "four\n");
}

#[test]
fn a_dirty_buffer_merges_and_permission_is_told() {
    let mut bench = bench();
    let (buffer, path) = bench.open("f", "a\nb\nc\nd\n");
    bench.client.insert(&buffer, 0, "mine ");
    fs::write(&path, "a\nb\nc\nD\n").unwrap();
    bench.outcome(&buffer, "merged");
    assert_eq!(bench.client.text(&buffer), "mine a\nb\nc\nD\n");
    replace_by_rename(&path, "theirs\nb\nc\nD\n");
    bench.outcome(&buffer, "conflict");
    assert_eq!(bench.client.info(&buffer)["conflicts"], 1);
    for (mode, read_only) in [(0o444, true), (0o644, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let event = bench.client.event(|e| e["kind"] == "read_only_changed");
        assert_eq!(event["read_only"], read_only);
    }
}

#[test]
fn a_folder_may_go_and_come_back() {
    let mut bench = bench();
    let below = bench.folder.join("below");
    fs::create_dir(&below).unwrap();
    let (buffer, path) = bench.open("below/f", "one\n");
    fs::remove_dir_all(&below).unwrap();
    bench.outcome(&buffer, "deleted");
    fs::create_dir(&below).unwrap();
    fs::write(&path, "two\n").unwrap();
    bench.outcome(&buffer, "reloaded");
    // And it is watched again.
    std::thread::sleep(Duration::from_millis(60));
    fs::write(&path, "three\n").unwrap();
    bench.outcome(&buffer, "reloaded");
    fs::rename(&below, bench.folder.join("moved")).unwrap();
    bench.outcome(&buffer, "deleted");
}

#[test]
fn many_files_of_a_folder_and_a_file_that_is_saved_elsewhere() {
    let mut bench = bench();
    let buffers: Vec<_> = (0..20)
        .map(|i| {
            let path = bench.folder.join(format!("f{i}"));
            fs::write(&path, "one\n").unwrap();
            (bench.client.open(&path), path)
        })
        .collect();
    std::thread::sleep(Duration::from_millis(60));
    for (_, path) in &buffers {
        fs::write(path, "two\n").unwrap();
    }
    for _ in &buffers {
        bench.client.event(|e| e["outcome"]["kind"] == "reloaded");
    }
    for (buffer, _) in &buffers {
        assert_eq!(bench.client.text(buffer), "two\n");
    }
    let (buffer, old) = &buffers[0];
    let elsewhere = bench.folder.join("deep/new");
    fs::create_dir(bench.folder.join("deep")).unwrap();
    let params = json!({"buffer": buffer, "path": elsewhere});
    bench.client.call("save", params);
    bench.client.events();
    std::thread::sleep(Duration::from_millis(60));
    fs::write(old, "nobody's\n").unwrap();
    bench.quiet();
    fs::write(&elsewhere, "three\n").unwrap();
    bench.outcome(buffer, "reloaded");
    bench.client.call("close", json!({"buffer": buffer}));
    bench.client.events();
    fs::write(&elsewhere, "four\n").unwrap();
    bench.quiet();
}

/// A file rewritten piece by piece ends in the buffer whole.
#[test]
fn a_slow_writer_is_followed_to_the_end() {
    let mut bench = bench();
    let (buffer, path) = bench.open("f", "old\n");
    let mut whole = String::new();
    let mut file = fs::File::create(&path).unwrap();
    for i in 0..30 {
        let line = format!("line {i}\n");
        std::io::Write::write_all(&mut file, line.as_bytes()).unwrap();
        whole.push_str(&line);
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(file);
    let start = Instant::now();
    while bench.client.text(&buffer) != whole {
        assert!(start.elapsed() < WAIT);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(bench.client.info(&buffer)["dirty"], false);
}

#[test]
fn without_being_asked_nothing_is_watched() {
    let mut client = Client::new();
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("f");
    fs::write(&path, "one").unwrap();
    let buffer = client.open(&path);
    fs::write(&path, "two").unwrap();
    std::thread::sleep(Duration::from_millis(150));
    assert!(client.events().is_empty());
    assert_eq!(client.text(&buffer), "one");
}

/// Where no watch can be had, that is told once and files can be looked at still.
#[test]
fn a_watcher_that_cannot_start_is_told_once() {
    let mut command = std::process::Command::new("sh");
    // No descriptor is left for watching.
    let script = "ulimit -n 5; exec \"$0\"";
    command.args(["-c", script, env!("CARGO_BIN_EXE_xi-editor")]);
    let mut client = Client::start_as(command, std::sync::mpsc::channel().1);
    let hello = json!({"client": "t", "protocols": ["xi-editor/1"], "watch": true});
    client.call("initialize", hello);
    let dir = TempDir::new().unwrap();
    let mut buffers = Vec::new();
    for name in ["f", "g"] {
        let path = dir.path().join(name);
        fs::write(&path, "one").unwrap();
        buffers.push((client.open(&path), path));
    }
    let event = client.event(|e| e["kind"] == "watch_failed");
    assert!(event["reason"].as_str().unwrap().len() > 3, "{event}");
    std::thread::sleep(Duration::from_millis(50));
    assert!(client.events().is_empty(), "told once");
    for (buffer, path) in &buffers {
        fs::write(path, "two").unwrap();
        let change = client.call("file_changed", json!({"buffer": buffer}));
        assert_eq!(change["outcome"]["kind"], "reloaded");
    }
}
