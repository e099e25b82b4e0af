//! Plugins through the protocol: the real binary, real plugin processes.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;
mod hosting;

use common::{Client, WAIT};
use hosting::{event, info, kind, spans_at, start, state};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A folder with the test's plugin under the names of some of its modes.
fn plugins(modes: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for mode in modes {
        let own = folder.path().join(mode);
        std::fs::create_dir(&own).unwrap();
        let script = own.join(format!("{mode}.py"));
        std::fs::write(&script, include_str!("plugins/probe.py")).unwrap();
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
        let scope = if *mode == "once" {
            "single_invocation"
        } else {
            "global"
        };
        let manifest = format!(
            "name = \"{mode}\"\nversion = \"1.2\"\nexec_path = \"./{mode}.py\"\nscope = \"{scope}\"\n\
             activations = [\"autorun\", {{ on_syntax = \"Words\" }}]\n\
             [[languages]]\nname = \"Words\"\nextensions = [\"words\"]\nscope = \"text.words\"\n\
             [[commands]]\ntitle = \"Say\"\ndescription = \"Says it\"\n\
             rpc_cmd = {{ method = \"say\", params = {{ text = \"\" }}, rpc_type = \"notification\" }}\n\
             args = [{{ title = \"Text\", description = \"What\", key = \"text\", arg_type = \"String\" }}]\n"
        );
        std::fs::write(own.join("manifest.toml"), manifest).unwrap();
    }
    folder
}

fn command(client: &mut Client, plugin: &str, buffer: &Value, method: &str, params: Value) {
    let params = json!({"plugin": plugin, "buffer": buffer, "method": method, "params": params});
    client.call("plugin_command", params);
}

#[test]
fn plugins_are_listed_with_what_they_can_and_none_runs_unasked() {
    let folder = plugins(&["good"]);
    for (name, manifest, _) in bad_manifests() {
        let own = folder.path().join(name);
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join("manifest.toml"), manifest).unwrap();
    }
    let missing = folder.path().join("nowhere");
    let mut client = start(&[folder.path(), &missing, Path::new("relative")], &[]);
    client.new_buffer("a text");
    let list = client.call("plugins", json!({}));
    let good = info(&mut client, "good");
    assert_eq!(good["state"], "stopped");
    assert_eq!(good["version"], "1.2");
    assert_eq!(good["scope"], "global");
    assert_eq!(good["activations"], json!(["autorun", "on_syntax:Words"]));
    assert_eq!(good["commands"][0]["args"][0]["arg_type"], "String");
    assert_eq!(good["languages"][0]["extensions"], json!(["words"]));
    assert_eq!(list["plugins"].as_array().unwrap().len(), 1);
    let bad = list["bad"].as_array().unwrap();
    let reason = |file: &Path| {
        let found = bad
            .iter()
            .find(|b| Path::new(b["file"].as_str().unwrap()) == file);
        found.unwrap_or_else(|| panic!("{} is told", file.display()))["reason"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for (name, _, why) in bad_manifests() {
        let reason = reason(&folder.path().join(name).join("manifest.toml"));
        assert!(reason.contains(why), "{name}: {reason}");
    }
    assert!(reason(&missing).contains("cannot be read"));
    assert!(reason(Path::new("relative")).contains("absolute"));
    let buffer = client.new_buffer("");
    let params = json!({"plugin": "good", "buffer": buffer, "method": "say"});
    let (code, error) = client.fail("plugin_command", params);
    assert_eq!(
        (code, &error["data"]["reason"]),
        (-32002, &json!("not_running"))
    );
    assert_eq!(client.fail("start_plugin", json!({"name": "x"})).0, -32001);
    let params = json!({"name": "good", "answer_within_ms": 1});
    assert_eq!(client.fail("start_plugin", params).0, -32602);
    let unknown = "6a1f4bb2-7c1e-4a87-9d8e-0f3a5f1c2d3e";
    let params = json!({"name": "good", "buffers": [unknown]});
    assert_eq!(client.fail("start_plugin", params).0, -32001);
    client.call("stop_plugin", json!({"name": "good"}));
}

fn bad_manifests() -> [(&'static str, String, &'static str); 5] {
    [
        ("broken", "name = ".to_owned(), "no manifest"),
        (
            "nameless",
            "version = \"1\"\nexec_path = \"x\"".to_owned(),
            "missing field `name`",
        ),
        (
            "empty",
            "name = \"\"\nversion = \"1\"\nexec_path = \"x\"".to_owned(),
            "name",
        ),
        (
            "no-program",
            "name = \"n\"\nversion = \"1\"\nexec_path = \"./x\"".to_owned(),
            "not there",
        ),
        ("long", "#".repeat(2_000_000), "longer"),
    ]
}

#[test]
fn a_plugin_sees_texts_and_changes_and_tells_spans_in_their_positions() {
    let folder = plugins(&["good"]);
    let mut client = start(&[folder.path()], &["good"]);
    let buffer = client.new_buffer("two  wörds\nand more");
    let first = event(&mut client, spans_at(0));
    assert_eq!(first["plugin"], "good");
    assert_eq!(first["buffer"], buffer);
    assert_eq!(first["range"], json!({"start": 0, "end": 20}));
    assert_eq!(first["scopes"], json!(["text.plain word"]));
    assert_eq!(first["spans"], json!([[0, 3, 0], [5, 15, 0], [16, 20, 0]]));
    client.insert(&buffer, 3, "x");
    let next = event(&mut client, spans_at(1));
    assert_eq!(next["spans"], json!([[0, 4, 0], [6, 16, 0], [17, 21, 0]]));
    // Many changes at once: whatever is left out, the last is told.
    for i in 0..300_usize {
        client.insert(&buffer, 0, ["é", " ", "\n"][i % 3]);
        if i % 7 == 0 {
            client.call("undo", json!({"buffer": buffer}));
        }
    }
    let revision = client.info(&buffer)["revision"].as_u64().unwrap();
    let last = event(&mut client, spans_at(revision));
    let len = client.info(&buffer)["len"].as_u64().unwrap();
    assert_eq!(last["range"]["end"], len);
    let good = info(&mut client, "good");
    assert_eq!(
        (&good["state"], &good["restarts"]),
        (&json!("running"), &json!(0))
    );
    client.call("close", json!({"buffer": buffer, "discard": true}));
    let other = client.new_buffer("another");
    let spans = event(&mut client, |e| {
        e["kind"] == "plugin_spans" && e["buffer"] == other
    });
    assert_eq!(spans["spans"], json!([[0, 7, 0]]));
    let pid = good["pid"].as_u64().unwrap();
    client.call("stop_plugin", json!({"name": "good"}));
    event(&mut client, state("good", "stopped"));
    assert!(
        !PathBuf::from(format!("/proc/{pid}")).exists(),
        "it is gone when the answer comes"
    );
}

#[test]
fn a_large_insertion_is_read_by_the_plugin_itself() {
    let folder = plugins(&["good"]);
    let mut client = start(&[folder.path()], &[]);
    let buffer = client.new_buffer("");
    client.call("start_plugin", json!({"name": "good", "buffers": [buffer]}));
    // Above what a delta may hold.
    client.insert(&buffer, 0, &"wörd".repeat(220_000));
    let spans = event(&mut client, spans_at(1));
    assert_eq!(spans["spans"], json!([[0, 1_100_000, 0]]));
}

#[test]
fn an_edit_of_a_plugin_is_merged_and_undone_with_what_it_answers() {
    let folder = plugins(&["stamp"]);
    let mut client = start(&[folder.path()], &["stamp"]);
    let buffer = client.new_buffer("text");
    event(&mut client, spans_at(0));
    client.insert(&buffer, 4, "!");
    let by_plugin = |e: &Value| e["kind"] == "buffer_changed" && e["author"] == "stamp";
    event(&mut client, by_plugin);
    assert_eq!(client.text(&buffer), "*text!");
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(client.text(&buffer), "text", "both at once");
    // Typed on while the plugin answers: nothing of either is lost.
    for _ in 0..50 {
        // Behind what is there of the plugin's.
        let len = client.info(&buffer)["len"].as_u64().unwrap();
        client.insert(&buffer, usize::try_from(len).unwrap(), "x");
    }
    // Changes that came while it worked are told as one: it answers once.
    loop {
        let revision = client.info(&buffer)["revision"].as_u64().unwrap();
        event(&mut client, spans_at(revision));
        if client.info(&buffer)["revision"] == revision {
            break;
        }
    }
    let made = client.events.iter().filter(|e| by_plugin(e)).count();
    let text = client.text(&buffer);
    assert!((1..=50).contains(&made));
    assert_eq!(text.matches('*').count(), made, "{text}");
    assert_eq!(text.replace('*', ""), format!("text{}", "x".repeat(50)));
}

#[test]
fn alerts_items_and_annotations_reach_the_client() {
    let folder = plugins(&["good"]);
    let file = folder.path().join("some.words");
    std::fs::write(&file, "hello there\n").unwrap();
    let mut client = start(&[folder.path()], &[]);
    let buffer = client.open(&file);
    client.call("start_plugin", json!({"name": "good"}));
    event(&mut client, spans_at(0));
    command(&mut client, "good", &buffer, "say", json!({"text": "hi"}));
    let alert = event(&mut client, kind("plugin_alert"));
    assert_eq!(
        (&alert["message"], &alert["buffer"]),
        (&json!("hi"), &buffer)
    );
    command(&mut client, "good", &buffer, "status", Value::Null);
    for (value, alignment) in [("one", Some("left")), ("two", None)] {
        let item = event(&mut client, kind("plugin_status_item"));
        assert_eq!((&item["value"], &item["key"]), (&json!(value), &json!("k")));
        assert_eq!(item["alignment"].as_str(), alignment);
    }
    assert_eq!(
        event(&mut client, kind("plugin_status_item")).get("value"),
        None
    );
    command(&mut client, "good", &buffer, "annotate", Value::Null);
    let notes = event(&mut client, kind("plugin_annotations"));
    assert_eq!(notes["annotation"], "lint");
    assert_eq!(
        notes["annotations"],
        json!([{"start": 0, "end": 1, "data": {"note": 1}}])
    );
    command(&mut client, "good", &buffer, "about", Value::Null);
    assert_eq!(
        event(&mut client, kind("plugin_alert"))["message"],
        "[2, true, true]"
    );
    command(&mut client, "good", &buffer, "environment", Value::Null);
    let seen = event(&mut client, kind("plugin_alert"))["message"].clone();
    assert!(
        !seen.as_str().unwrap().contains("CARGO"),
        "a clean environment: {seen}"
    );
}

#[test]
fn hovers_and_settings_reach_the_plugins_that_see_the_buffer() {
    let folder = plugins(&["good", "silent"]);
    let file = folder.path().join("some.words");
    std::fs::write(&file, "hello there\n").unwrap();
    let mut client = start(&[folder.path()], &[]);
    let buffer = client.open(&file);
    let other = client.new_buffer("other");
    let wanted = json!({"name": "good", "languages": ["Words"]});
    client.call("start_plugin", wanted);
    event(&mut client, spans_at(0));
    let hover = json!({"plugin": "good", "buffer": buffer, "position": 6});
    let answer = client.call("plugin_hover", hover);
    let expected = json!({"content": "there\n", "range": {"start": 6, "end": 12}, "revision": 0});
    assert_eq!(answer, expected);
    let past = json!({"plugin": "good", "buffer": buffer, "position": 99});
    assert_eq!(client.fail("plugin_hover", past).0, -32602);
    let not_served = json!({"plugin": "good", "buffer": other, "position": 0});
    assert_eq!(
        client.fail("plugin_hover", not_served).1["data"]["reason"],
        "not_served"
    );

    let wrong = json!({"buffer": buffer, "changes": {"tab_size": "four"}});
    assert_eq!(client.fail("plugin_config", wrong).0, -32602);
    let changes = json!({"buffer": buffer, "changes": {"tab_size": 2, "mine": [1]}});
    let settings = client.call("plugin_config", changes);
    assert_eq!(
        (&settings["language"], &settings["config"]["tab_size"]),
        (&json!("Words"), &json!(2))
    );
    command(&mut client, "good", &buffer, "config", Value::Null);
    let told = event(&mut client, kind("plugin_alert"))["message"].clone();
    let told: Value = serde_json::from_str(told.as_str().unwrap()).unwrap();
    assert_eq!(told, json!({"tab_size": 2, "mine": [1]}));
    // Another language, that the plugin was not asked for: it does not see the buffer any more.
    client.call(
        "plugin_config",
        json!({"buffer": buffer, "language": "Else"}),
    );
    let hover = json!({"plugin": "good", "buffer": buffer, "position": 6});
    assert_eq!(
        client.fail("plugin_hover", hover).1["data"]["reason"],
        "not_served"
    );
    client.call(
        "plugin_config",
        json!({"buffer": other, "language": "Words"}),
    );
    let spans = event(&mut client, kind("plugin_spans"));
    assert_eq!(spans["buffer"], other);

    // A question that nobody answers ends with a time-out, or is given up.
    client.call(
        "start_plugin",
        json!({"name": "silent", "buffers": [buffer]}),
    );
    let hover = json!({"plugin": "silent", "buffer": buffer, "position": 0});
    let begin = Instant::now();
    assert_eq!(client.fail("plugin_hover", hover).0, -32006);
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_plugin_that_crashes_is_started_again_and_disabled_when_it_goes_on() {
    let folder = plugins(&["crash", "good"]);
    let mut client = start(&[folder.path()], &["crash", "good"]);
    let buffer = client.new_buffer("text");
    for times in 1..=5_u64 {
        // Each run is told of the buffer anew, and ends with the first change.
        let crashed = |e: &Value| e["kind"] == "plugin_spans" && e["plugin"] == "crash";
        event(&mut client, crashed);
        client.insert(&buffer, 0, "x");
        let expected = if times < 5 { "crashed" } else { "disabled" };
        let end = event(&mut client, state("crash", expected));
        assert_eq!(end["last_words"], json!(["these are my last words"]));
        assert!(
            end["reason"].as_str().unwrap().contains("exit status: 3"),
            "{end}"
        );
    }
    let crash = info(&mut client, "crash");
    assert_eq!(
        (&crash["state"], &crash["restarts"]),
        (&json!("disabled"), &json!(4))
    );
    assert_eq!(
        info(&mut client, "good")["restarts"],
        0,
        "the others are as they were"
    );
    // Whoever asks again gets another chance.
    client.events.clear();
    client.call("start_plugin", json!({"name": "crash"}));
    event(&mut client, state("crash", "running"));
    client.call("stop_plugin", json!({"name": "crash"}));
    assert_eq!(info(&mut client, "crash")["state"], "stopped");
}

/// Types into a buffer while a plugin misbehaves, and gives how it ended.
fn type_against(mode: &str) -> Value {
    let folder = plugins(&[mode]);
    let mut client = start(&[folder.path()], &[]);
    let buffer = client.new_buffer("some text");
    client.call(
        "start_plugin",
        json!({"name": mode, "answer_within_ms": 400}),
    );
    event(&mut client, spans_at(0));
    let begin = Instant::now();
    let mut times = Vec::new();
    let mut i = 0;
    let ended = loop {
        let one = Instant::now();
        client.insert(&buffer, i, "x");
        times.push(one.elapsed());
        i += 1;
        let ended = |e: &Value| e["kind"] == "plugin_state_changed" && e["state"] != "running";
        if let Some(at) = client.events.iter().position(ended) {
            break client.events.remove(at);
        }
        client
            .events
            .retain(|e| e["kind"] == "plugin_state_changed");
        assert!(begin.elapsed() < WAIT, "{mode} should have been ended");
        std::thread::sleep(Duration::from_millis(5));
    };
    times.sort();
    let median = times[times.len() / 2];
    assert!(
        median < Duration::from_millis(100),
        "{mode}: {} edits, half of them took {median:?} and more",
        times.len()
    );
    assert!(client.text(&buffer).starts_with(&"x".repeat(i)));
    client.call("stop_plugin", json!({"name": mode}));
    ended
}

#[test]
fn a_plugin_that_hangs_costs_the_user_nothing() {
    let end = type_against("hang");
    assert_eq!(end["state"], "crashed");
    assert!(
        end["reason"].as_str().unwrap().contains("did not answer"),
        "{end}"
    );
}

#[test]
fn a_plugin_that_floods_costs_the_user_nothing() {
    let end = type_against("flood");
    assert!(
        end["reason"].as_str().unwrap().contains("did not answer"),
        "{end}"
    );
}

#[test]
fn a_plugin_that_writes_garbage_costs_the_user_nothing() {
    let end = type_against("garbage");
    assert!(
        end["reason"].as_str().unwrap().contains("bad messages"),
        "{end}"
    );
}

#[test]
fn a_line_without_end_costs_the_user_nothing() {
    let end = type_against("endless");
    let reason = end["reason"].as_str().unwrap();
    assert!(
        reason.contains("longer than") || reason.contains("answer"),
        "{end}"
    );
}

#[test]
fn a_plugin_that_runs_once_ends_without_fuss() {
    let folder = plugins(&["once"]);
    let mut client = start(&[folder.path()], &["once"]);
    let buffer = client.new_buffer("text");
    event(&mut client, spans_at(0));
    client.insert(&buffer, 0, "more ");
    command(&mut client, "once", &buffer, "say", json!({"text": "done"}));
    event(&mut client, kind("plugin_alert"));
    assert!(
        !client.events.iter().any(spans_at(1)),
        "it is told of no change"
    );
    command(&mut client, "once", &buffer, "exit", Value::Null);
    event(&mut client, state("once", "stopped"));
    assert_eq!(info(&mut client, "once")["restarts"], 0);
}

#[test]
fn plugins_end_with_the_editor() {
    let folder = plugins(&["good"]);
    let mut client = start(&[folder.path()], &["good"]);
    let pid = info(&mut client, "good")["pid"].as_u64().unwrap();
    client.call("shutdown", json!({}));
    client.wait_end();
    let begin = Instant::now();
    while PathBuf::from(format!("/proc/{pid}")).exists() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if stat.contains(") Z") {
            break;
        }
        assert!(begin.elapsed() < WAIT, "it lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_name_that_no_plugin_has_is_told() {
    let mut client = start(&[], &["nobody"]);
    let told = event(&mut client, state("nobody", "stopped"));
    assert_eq!(told["reason"], "no such plugin");
}

#[test]
fn random_messages_neither_end_nor_bloat_the_editor() {
    let folder = plugins(&["fuzz"]);
    let mut client = start(&[folder.path()], &[]);
    let buffer = client.new_buffer("a text of some words, wörds");
    client.call("start_plugin", json!({"name": "fuzz"}));
    // Each run writes thousands of lines that are nearly right, until it is ended for the bad ones.
    event(&mut client, state("fuzz", "disabled"));
    let fuzz = info(&mut client, "fuzz");
    assert!(fuzz["dropped"].as_u64().unwrap() >= 100, "{fuzz}");
    let before = client.text(&buffer);
    client.insert(&buffer, 0, "still here ");
    assert_eq!(client.text(&buffer), format!("still here {before}"));
    let status = std::fs::read_to_string(format!("/proc/{}/status", client.child.id())).unwrap();
    let peak = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kib < 200 * 1024, "peak of {kib} KiB");
}
