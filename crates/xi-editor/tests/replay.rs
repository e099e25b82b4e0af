//! Recorded editing sessions replay to their exact final text.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Client, trace};
use serde_json::json;
use std::io::Write;
use symphony_ipc_protocol::xi::{EditOrigin, OnOverlap, Replace};
use xi_editor::engine::{Buffer, Text};

#[test]
fn a_trace_through_the_engine() {
    let Some(trace) = trace("sveltecomponent.json.gz") else {
        return;
    };
    let mut buffer = Buffer::new(Text::from(trace.start.as_str()));
    for (at, deleted, inserted) in &trace.patches {
        let edit = Replace {
            start: *at,
            end: at + deleted,
            text: inserted.clone(),
        };
        let origin = EditOrigin::default();
        buffer
            .edit(None, vec![edit], OnOverlap::Refuse, &origin)
            .unwrap();
    }
    assert!(String::from(buffer.text()) == trace.end);
    let mut undone = 0;
    while undone < 500 && buffer.undo().changed {
        undone += 1;
    }
    assert_eq!(undone, 500);
    while buffer.redo().changed {}
    assert!(String::from(buffer.text()) == trace.end);
}

#[test]
fn a_trace_through_the_wire() {
    let Some(trace) = trace("sveltecomponent.json.gz") else {
        return;
    };
    let mut client = Client::new();
    let buffer = client.new_buffer(&trace.start);
    let mut input = client.input.take().unwrap();
    // Each edit is made against the revision before it, so the writer never waits.
    let (mut text, mut revision) = (trace.start.clone(), 0);
    let mut lines = Vec::new();
    let mut revisions = Vec::new();
    for (i, (at, deleted, inserted)) in trace.patches.iter().enumerate() {
        let edits = json!([{"start": at, "end": at + deleted, "text": inserted}]);
        let params = json!({"buffer": buffer, "base": revision, "edits": edits});
        let line = json!({"jsonrpc": "2.0", "id": i, "method": "apply", "params": params});
        lines.push(format!("{line}\n"));
        // What replaces text by itself is no revision.
        revision += i32::from(text[*at..at + deleted] != **inserted);
        revisions.push(revision);
        text.replace_range(*at..at + deleted, inserted);
    }
    let writer = std::thread::spawn(move || {
        for line in lines {
            input.write_all(line.as_bytes()).unwrap();
        }
        input
    });
    for revision in revisions {
        let answer = client.answer();
        assert_eq!(answer["result"]["revision"], revision, "{answer}");
    }
    client.input = Some(writer.join().unwrap());
    assert!(client.text(&buffer) == trace.end);
}
