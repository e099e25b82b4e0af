//! Upstream's own plugins, unchanged, under this host.
//!
//! `XI_UPSTREAM_PLUGINS` names a folder that holds them, each with its manifest.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;
mod hosting;

use hosting::{event, kind, start};
use serde_json::{Value, json};
use std::path::PathBuf;

fn upstream() -> Option<PathBuf> {
    let folder = std::env::var_os("XI_UPSTREAM_PLUGINS").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: XI_UPSTREAM_PLUGINS names no folder of upstream's plugins");
    }
    folder
}

#[test]
fn the_sample_plugin_capitalizes_the_word_before_an_exclamation_mark() {
    let Some(folder) = upstream() else { return };
    let mut client = start(&[&folder], &["sample-plugin"]);
    let buffer = client.new_buffer("first line\nwhat a wörd and more");
    event(&mut client, hosting::state("sample-plugin", "running"));
    client.insert(&buffer, 23, "!");
    let change = event(&mut client, |e| e["author"] == "sample-plugin");
    assert_eq!(change["kind"], "buffer_changed");
    assert_eq!(client.text(&buffer), "first line\nwhat a WÖRD! and more");
    client.insert(&buffer, 0, "x");
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(hosting::info(&mut client, "sample-plugin")["dropped"], 0);
    client.call("stop_plugin", json!({"name": "sample-plugin"}));
}

/// The scope at a position, of the newest spans told.
fn scope_at(all: &[Value], position: u64) -> Option<String> {
    all.iter().rev().find_map(|event| {
        let spans = event["spans"].as_array()?;
        let holds = |s: &&Value| s[0].as_u64() <= Some(position) && s[1].as_u64() > Some(position);
        let index = usize::try_from(spans.iter().find(holds)?[2].as_u64()?).ok()?;
        Some(event["scopes"][index].as_str()?.to_owned())
    })
}

/// Waits until all of a revision has its spans, and gives them.
fn highlighted(client: &mut common::Client, revision: u64, upto: u64) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let spans = event(client, |e| {
            e["kind"] == "plugin_spans" && e["revision"] == revision
        });
        let end = spans["range"]["end"].as_u64().unwrap();
        all.push(spans);
        if end >= upto {
            return all;
        }
    }
}

#[test]
fn the_highlighter_tells_scopes_follows_changes_and_indents_when_asked_to() {
    let Some(folder) = upstream() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("main.rs");
    let text = "// çomment\nfn main() {\n    let s = \"text\";\n}\n".repeat(100);
    std::fs::write(&file, &text).unwrap();
    let mut client = start(&[&folder], &["xi-syntect-plugin"]);
    let buffer = client.open(&file);
    let len = text.len() as u64;
    let spans = highlighted(&mut client, 0, len);
    assert!(
        scope_at(&spans, 3)
            .unwrap()
            .starts_with("source.rust comment.line")
    );
    assert!(
        scope_at(&spans, 15)
            .unwrap()
            .contains("entity.name.function")
    );
    assert!(scope_at(&spans, 38).unwrap().contains("string.quoted"));
    // The same line again, now in a string that does not end.
    client.insert(&buffer, 0, "\"");
    let spans = highlighted(&mut client, 1, 13);
    assert!(scope_at(&spans, 15).unwrap().contains("string.quoted"));
    client.call("undo", json!({"buffer": buffer}));

    let params = json!({"buffer": buffer, "changes": {"auto_indent": true}});
    assert_eq!(client.call("plugin_config", params)["language"], "Rust");
    let at = text.find("{\n").unwrap() + 1;
    client.insert(&buffer, at, "\n");
    let indent = event(&mut client, |e| e["author"] == "xi-syntect-plugin");
    assert_eq!(indent["edits"][0]["text"], "    ");
    assert_eq!(indent["edits"][0]["start"], at + 1);
    client.call("undo", json!({"buffer": buffer}));
    assert_eq!(
        client.text(&buffer),
        text,
        "the line and its indentation go together"
    );

    let params = json!({"plugin": "xi-syntect-plugin", "buffer": buffer,
        "method": "toggle_comment", "params": [[1, 2]]});
    client.call("plugin_command", params);
    event(&mut client, |e| e["author"] == "xi-syntect-plugin");
    assert!(client.text(&buffer).contains("\n// fn main() {\n"));
    let info = hosting::info(&mut client, "xi-syntect-plugin");
    assert_eq!(
        (&info["state"], &info["restarts"]),
        (&json!("running"), &json!(0))
    );
    assert!(info["languages"].as_array().unwrap().len() > 50);
    assert!(!client.events.iter().any(kind("plugin_alert")));
}
