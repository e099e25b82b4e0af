//! Unsaved text outlives the process that holds it.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Client, wait_end};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn session(&self, name: &str) -> PathBuf {
        self.path("sessions").join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// A process of that session, and what `initialize` answered.
    fn start(&self, session: &str) -> (Client, Value) {
        let mut client = Client::start();
        let params = json!({"client": "test", "protocols": ["xi-editor/1"], "session": self.session(session)});
        let answer = client.call("initialize", params);
        (client, answer)
    }

    fn journals(&self, session: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.session(session)) else {
            return Vec::new();
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|e| e == "journal"))
            .collect()
    }
}

/// `kill -9`.
fn kill(mut client: Client) {
    client.child.kill().unwrap();
    wait_end(&mut client.child);
}

fn one(answer: &Value) -> &Value {
    let restored = answer["restored"].as_array().unwrap();
    assert_eq!(restored.len(), 1, "{answer}");
    assert!(answer.get("not_restored").is_none(), "{answer}");
    &restored[0]
}

#[test]
fn a_killed_editor_is_back_with_keys_revisions_text_undo_and_disk() {
    let world = World::new();
    let (mut client, answer) = world.start("s");
    assert!(answer.get("restored").is_none());
    let mode = fs::metadata(world.session("s"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    let dirty = client.open(&world.file("dirty.txt", "one\n"));
    let clean = client.open(&world.file("clean.txt", "two\n"));
    let new = client.new_buffer("");
    for n in 0..5 {
        client.insert(&dirty, 0, &format!("{n}é\n"));
    }
    client.call("save", json!({"buffer": dirty}));
    for n in 5..8 {
        client.insert(&dirty, 0, &format!("{n}\n"));
    }
    client.call("undo", json!({"buffer": dirty}));
    client.insert(&new, 0, "no file");
    let before: Vec<Value> = [&dirty, &clean, &new].map(|b| client.info(b)).into();
    let text = client.text(&dirty);
    kill(client);
    let (mut client, answer) = world.start("s");
    let restored = answer["restored"].as_array().unwrap();
    let infos: Vec<Value> = restored.iter().map(|r| r["info"].clone()).collect();
    assert_eq!(infos, before);
    assert_eq!(restored[0]["file"], json!({"kind": "unchanged"}));
    assert_eq!(restored[0]["recent"][8]["kind"], "undo");
    assert_eq!(client.text(&dirty), text);
    // A base from before the kill is still one.
    let edits = json!([{"start": 0, "end": 0, "text": "x"}]);
    let params = json!({"buffer": dirty, "base": 2, "edits": edits, "on_overlap": "merge"});
    assert_eq!(client.call("apply", params)["revision"], 10);
    client.call("undo", json!({"buffer": dirty}));
    // Undo reaches back beyond the save, to the file as it was opened.
    for _ in 0..7 {
        assert_eq!(
            client.call("undo", json!({"buffer": dirty}))["changed"],
            true
        );
    }
    assert_eq!(client.text(&dirty), "one\n");
    assert_eq!(
        client.call("undo", json!({"buffer": dirty}))["changed"],
        false
    );
    for _ in 0..5 {
        client.call("redo", json!({"buffer": dirty}));
    }
    assert_eq!(
        client.info(&dirty)["dirty"],
        false,
        "this is what was saved"
    );
}

#[test]
fn it_can_be_killed_again_and_again() {
    let world = World::new();
    let (mut client, _) = world.start("s");
    let buffer = client.open(&world.file("a.txt", ""));
    let mut expected = String::new();
    for n in 0..6 {
        for m in 0..5 {
            let text = format!("{n}.{m} ");
            client.insert(&buffer, expected.len(), &text);
            expected += &text;
        }
        kill(client);
        client = world.start("s").0;
        assert_eq!(client.text(&buffer), expected);
    }
    for _ in 0..30 {
        client.call("undo", json!({"buffer": buffer}));
    }
    assert_eq!(client.text(&buffer), "");
}

/// Undo groups of the client are one step, before and after.
#[test]
fn groups_stay_together_and_redo_is_kept() {
    let world = World::new();
    let (mut client, _) = world.start("s");
    let buffer = client.open(&world.file("a.txt", "."));
    for (at, group) in [(0, 1), (1, 1), (2, 2), (3, 2)] {
        let params = json!({"buffer": buffer, "at": at, "text": "x", "group": group});
        client.call("insert", params);
    }
    client.call("undo", json!({"buffer": buffer}));
    kill(client);
    let mut client = world.start("s").0;
    assert_eq!(client.text(&buffer), "xx.");
    client.call("redo", json!({"buffer": buffer}));
    assert_eq!(client.text(&buffer), "xxxx.");
    let params = json!({"buffer": buffer, "at": 0, "text": "y", "group": 2});
    client.call("insert", params);
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(client.text(&buffer), "xxxx.", "redo ends a group");
    client.call("undo", json!({"buffer": buffer}));
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(client.text(&buffer), ".");
}

#[test]
fn a_file_that_changed_meanwhile_is_merged_and_nothing_is_lost() {
    let world = World::new();
    let (mut client, _) = world.start("s");
    let merged = world.file("merged.txt", "a\nb\nc\nd\ne\n");
    let conflict = world.file("conflict.txt", "base\n");
    let clean = world.file("clean.txt", "clean\n");
    let gone = world.file("gone.txt", "gone\n");
    let keys: Vec<Value> = [&merged, &conflict, &clean, &gone]
        .iter()
        .map(|path| client.open(path))
        .collect();
    for key in [&keys[0], &keys[1], &keys[3]] {
        client.insert(key, 0, "mine ");
    }
    kill(client);
    fs::write(&merged, "a\nb\nc\nd\nE\n").unwrap();
    fs::write(&conflict, "theirs\n").unwrap();
    fs::write(&clean, "cleaner\n").unwrap();
    fs::remove_file(&gone).unwrap();
    let (mut client, answer) = world.start("s");
    let kinds = answer["restored"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds.map(|r| r["file"]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["merged", "conflict", "reloaded", "deleted"]);
    let texts: Vec<String> = keys.iter().map(|key| client.text(key)).collect();
    assert_eq!(
        texts,
        [
            "mine a\nb\nc\nd\nE\n",
            "mine base\n",
            "cleaner\n",
            "mine gone\n"
        ]
    );
    assert_eq!(client.info(&keys[2])["revision"], 1);
    assert_eq!(client.info(&keys[2])["dirty"], false);
    let (code, error) = client.fail("save", json!({"buffer": keys[1]}));
    assert_eq!(
        (code, &error["data"]["reason"]),
        (-32002, &json!("unresolved"))
    );
    // All of that is in the journals too.
    client.insert(&keys[2], 0, "x");
    kill(client);
    let (mut client, answer) = world.start("s");
    assert_eq!(answer["restored"].as_array().unwrap().len(), 4, "{answer}");
    let again: Vec<String> = keys.iter().map(|key| client.text(key)).collect();
    assert_eq!(again[..2], texts[..2]);
    assert_eq!(again[2], "xcleaner\n");
    // The merge base is theirs now: a later change of theirs still merges.
    fs::write(&merged, "A\nb\nc\nd\nE\n").unwrap();
    client.call("save", json!({"buffer": keys[3]}));
    assert_eq!(fs::read_to_string(&gone).unwrap(), "mine gone\n");
    fs::write(&merged, "a\nb\nC\nd\nE\n").unwrap();
    let change = client.call("file_changed", json!({"buffer": keys[0]}));
    assert_eq!(change["outcome"]["kind"], "merged");
    assert_eq!(client.text(&keys[0]), "mine a\nb\nC\nd\nE\n");
}

#[test]
fn a_torn_end_is_dropped_and_damage_is_put_aside_with_the_text_before_it() {
    let world = World::new();
    let (mut client, _) = world.start("s");
    let buffer = client.open(&world.file("a.txt", "base"));
    client.insert(&buffer, 0, "one ");
    std::thread::sleep(Duration::from_millis(600));
    let damage_at = fs::metadata(&world.journals("s")[0]).unwrap().len();
    client.insert(&buffer, 0, "two ");
    std::thread::sleep(Duration::from_millis(600));
    client.insert(&buffer, 0, "three ");
    kill(client);
    let journal = world.journals("s").remove(0);
    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, &whole[..whole.len() - 3]).unwrap();
    let (mut client, answer) = world.start("s");
    assert_eq!(one(&answer)["info"]["revision"], 2);
    assert_eq!(client.text(&buffer), "two one base");
    client.insert(&buffer, 0, "3 ");
    kill(client);
    let (mut client, answer) = world.start("s");
    assert_eq!(one(&answer)["info"]["revision"], 3);
    assert_eq!(client.text(&buffer), "3 two one base");
    kill(client);
    // A bit of the record of "two", which was durable.
    let mut bytes = whole;
    bytes[usize::try_from(damage_at).unwrap() + 20] ^= 1;
    fs::write(&journal, &bytes).unwrap();
    let (_client, answer) = world.start("s");
    assert!(answer.get("restored").is_none(), "{answer}");
    let not = &answer["not_restored"][0];
    assert_eq!(not["path"], json!(world.path("a.txt")));
    assert!(not["reason"].as_str().unwrap().contains("damaged"), "{not}");
    let aside = Path::new(not["aside"].as_str().unwrap());
    assert_eq!(fs::read_to_string(aside).unwrap(), "one base");
    assert_eq!(fs::read(aside.with_extension("journal")).unwrap(), bytes);
    assert_eq!(world.journals("s").len(), 0);
}

#[test]
fn a_newer_programs_journal_is_left_aside_as_it_is() {
    let world = World::new();
    fs::create_dir_all(world.session("s")).unwrap();
    let journal = world.session("s").join("6a1f4bb2.journal");
    let bytes = sy_commons::framed::header(*b"symxij\r\n", 9);
    fs::write(&journal, bytes).unwrap();
    let (_client, answer) = world.start("s");
    let aside = answer["not_restored"][0]["aside"].as_str().unwrap();
    assert_eq!(fs::read(aside).unwrap(), bytes);
}

#[test]
fn what_is_closed_or_saved_at_the_end_leaves_nothing_and_unsaved_text_stays() {
    let world = World::new();
    let (mut client, _) = world.start("s");
    let buffer = client.open(&world.file("a.txt", "base"));
    let other = client.new_buffer("gone");
    assert_eq!(world.journals("s").len(), 2);
    client.call("close", json!({"buffer": other, "discard": true}));
    assert_eq!(world.journals("s").len(), 1);
    client.insert(&buffer, 0, "x");
    client.call("shutdown", json!({}));
    wait_end(&mut client.child);
    let (mut client, answer) = world.start("s");
    assert_eq!(one(&answer)["info"]["buffer"], buffer);
    client.call("save", json!({"buffer": buffer}));
    client.call("shutdown", json!({}));
    wait_end(&mut client.child);
    assert!(!world.session("s").exists());
}

#[test]
fn a_session_has_one_process_and_dead_ones_are_offered() {
    let world = World::new();
    let (mut dead, _) = world.start("dead");
    let path = world.file("a.txt", "base\n");
    let buffer = dead.open(&path);
    dead.insert(&buffer, 0, "unsaved ");
    dead.open(&world.file("clean.txt", ""));
    let thrown = dead.new_buffer("thrown away");
    let mut second = Client::start();
    let params =
        json!({"client": "test", "protocols": ["xi-editor/1"], "session": world.session("dead")});
    let (code, error) = second.fail("initialize", params);
    assert_eq!(
        (code, &error["data"]["reason"]),
        (-32002, &json!("session_in_use"))
    );
    let (mut live, _) = world.start("live");
    let none = live.call("recoverable", json!({}));
    assert_eq!(none, json!({"recoverable": []}), "its process lives");
    kill(dead);
    let list = live.call("recoverable", json!({}));
    let list = list["recoverable"].as_array().unwrap();
    assert_eq!(list.len(), 2, "{list:?}");
    let first = list.iter().find(|r| r["path"] == json!(path)).unwrap();
    assert_eq!(first["len"], "unsaved base\n".len());
    assert!(first["changed_ms"].as_u64().unwrap() > 1_600_000_000_000);
    assert_eq!(
        world.journals("dead").len(),
        2,
        "the clean one is cleared away"
    );
    let there = live.open(&path);
    let (code, _) = live.fail("recover", json!({"id": first["id"]}));
    assert_eq!(code, -32002, "the file is open here");
    live.call("close", json!({"buffer": there}));
    let back = live.call("recover", json!({"id": first["id"]}));
    assert_eq!(back["info"]["buffer"], buffer);
    assert_eq!(live.text(&buffer), "unsaved base\n");
    let thrown = thrown.as_str().unwrap();
    live.call("discard_recovery", json!({"id": format!("dead/{thrown}")}));
    assert!(!world.session("dead").exists());
    let (code, _) = live.fail("discard_recovery", json!({"id": "../x"}));
    assert_eq!(code, -32001);
    // Ours now, with its undo.
    kill(live);
    let (mut live, answer) = world.start("live");
    assert_eq!(one(&answer)["info"]["buffer"], buffer);
    live.call("undo", json!({"buffer": buffer}));
    assert_eq!(live.text(&buffer), "base\n");
}

/// A long journal is begun anew; text, revision, undo and redo are the same.
#[test]
fn a_long_journal_is_begun_anew_and_loses_nothing() {
    let world = World::new();
    let (mut client, _) = world.start("s");
    let buffer = client.open(&world.file("a.txt", "start\n"));
    let journal = world.journals("s").remove(0);
    let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(&journal).unwrap());
    // Its number comes again, but not twice in a row.
    let (mut last, mut anew) = (inode(), 0);
    let (mut expected, mut n) = ("start\n".to_owned(), 0);
    let begun = Instant::now();
    while anew < 2 || n < 6_600 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "never begun anew"
        );
        let text = format!("{n} ");
        client.insert(&buffer, 0, &text);
        expected.insert_str(0, &text);
        n += 1;
        let now = inode();
        anew += usize::from(now != last);
        last = now;
        if n % 7 == 0 {
            client.call("undo", json!({"buffer": buffer}));
            client.call("redo", json!({"buffer": buffer}));
        }
    }
    for _ in 0..3 {
        client.call("undo", json!({"buffer": buffer}));
    }
    let (revision, text) = (
        client.info(&buffer)["revision"].clone(),
        client.text(&buffer),
    );
    kill(client);
    let (mut client, answer) = world.start("s");
    assert_eq!(one(&answer)["info"]["revision"], revision);
    assert_eq!(client.text(&buffer), text);
    for _ in 0..3 {
        client.call("redo", json!({"buffer": buffer}));
    }
    assert_eq!(client.text(&buffer), expected);
    let mut undone = 0;
    while client.call("undo", json!({"buffer": buffer}))["changed"] == true {
        undone += 1;
    }
    assert!(undone >= 1_000, "{undone}");
    let last = n - undone;
    assert!(client.text(&buffer).starts_with(&format!("{} ", last - 1)));
}

/// The text of a large file comes into the journal beside the loop.
#[test]
fn a_large_files_text_is_held_after_its_first_change() {
    let world = World::new();
    let (mut client, _) = world.start("s");
    let line = "a line of text, é\n";
    let text = line.repeat(3 * 1024 * 1024 / line.len());
    let path = world.file("large.txt", &text);
    let buffer = client.open(&path);
    let journal = world.journals("s").remove(0);
    let size = || fs::metadata(&journal).unwrap().len();
    let begun = Instant::now();
    let mut typed = String::new();
    while size() < text.len() as u64 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", size());
        client.insert(&buffer, 0, "x");
        typed.push('x');
        std::thread::sleep(Duration::from_millis(10));
    }
    client.insert(&buffer, 0, "y");
    kill(client);
    fs::write(&path, "something else\n").unwrap();
    let (mut client, answer) = world.start("s");
    assert_eq!(one(&answer)["file"]["kind"], "conflict");
    assert!(client.text(&buffer) == format!("y{typed}{text}"));
    for _ in 0..=typed.len() {
        client.call("undo", json!({"buffer": buffer}));
    }
    assert!(client.text(&buffer) == text);
}

#[test]
fn without_a_folder_to_write_editing_goes_on_and_the_client_is_told() {
    let world = World::new();
    fs::create_dir_all(world.path("sessions")).unwrap();
    // A file where the folder should be: also root cannot write there.
    fs::write(world.session("s"), "in the way").unwrap();
    let (mut client, _) = world.start("s");
    let buffer = client.open(&world.file("a.txt", "base"));
    client.insert(&buffer, 0, "x");
    client.insert(&buffer, 0, "y");
    assert_eq!(client.text(&buffer), "yxbase");
    let of = |client: &Client, kind: &str| {
        let kinds = client.events.iter().filter(|e| e["kind"] == kind);
        kinds.count()
    };
    assert_eq!(of(&client, "journal_failed"), 1, "{:?}", client.events);
    fs::remove_file(world.session("s")).unwrap();
    let begun = Instant::now();
    while of(&client, "journal_works") == 0 {
        assert!(begun.elapsed() < Duration::from_secs(15));
        std::thread::sleep(Duration::from_millis(200));
        client.call("ping", json!({}));
    }
    client.insert(&buffer, 0, "z");
    kill(client);
    let (mut client, answer) = world.start("s");
    assert_eq!(one(&answer)["info"]["revision"], 3);
    assert_eq!(client.text(&buffer), "zyxbase");
    assert_eq!(client.info(&buffer)["dirty"], true);
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(client.text(&buffer), "yxbase");
}
