//! What the generators promise, and that the scripted test extension speaks the protocol.

#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::prelude::*;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};
use symphony_core_ports::PortType;
use symphony_testkit::{
    contract::extension::{Behaviour, SCRIPT, script_manifest},
    generators::{apply, cyclic_graph, dag, edits_for, text, text_and_edits, typed_value},
};

proptest! {
    #[test]
    fn edits_are_valid_for_their_text((text, edits) in text_and_edits()) {
        let mut done = None;
        let mut grown = text.len();
        for edit in &edits {
            prop_assert!(text.get(edit.range.clone()).is_some());
            prop_assert!(done.is_none_or(|done| edit.range.start > done), "they touch");
            done = Some(edit.range.end);
            grown = grown + edit.text.len() - edit.range.len();
        }
        prop_assert_eq!(apply(&text, &edits).len(), grown);
    }

    #[test]
    fn values_fit_their_type((port_type, value) in typed_value()) {
        prop_assert!(port_type.admits(&value), "{port_type}: {value}");
        prop_assert_eq!(port_type.to_string().parse::<PortType>().unwrap(), port_type);
    }

    #[test]
    fn dags_have_no_cycle(shape in dag(20)) {
        prop_assert!((1..=20).contains(&shape.nodes));
        for (from, to) in &shape.edges {
            prop_assert!(from < to && *to < shape.nodes);
            prop_assert!(shape.successors(*from).contains(to));
            prop_assert!(shape.predecessors(*to).contains(from));
        }
    }

    #[test]
    fn cyclic_graphs_have_the_cycle_they_name((shape, cycle) in cyclic_graph(12)) {
        prop_assert!(!cycle.is_empty());
        for (at, from) in cycle.iter().enumerate() {
            let to = cycle[(at + 1) % cycle.len()];
            prop_assert!(shape.edges.contains(&(*from, to)));
        }
    }
}

/// A generator that never gives the hard cases tests nothing.
#[test]
fn the_hard_cases_come() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut wide, mut crlf, mut several) = (0, 0, 0);
    for _ in 0..200 {
        let text = text().new_tree(&mut runner).unwrap().current();
        wide += usize::from(text.chars().any(|c| c.len_utf8() == 4));
        crlf += usize::from(text.contains("\r\n"));
        let edits = edits_for(&text).new_tree(&mut runner).unwrap().current();
        several += usize::from(edits.len() > 1);
    }
    assert!(
        wide > 50 && crlf > 20 && several > 20,
        "{wide} {crlf} {several}"
    );
}

/// Starts the scripted extension and gives the lines it answers to these, until it ends.
fn talk(behaviour: Behaviour, lines: &[&str], answers: usize) -> (Vec<String>, String) {
    let folder = std::env::temp_dir().join(format!(
        "misbehave-{}-{}",
        behaviour.id(),
        std::process::id()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("misbehave.py"), SCRIPT).unwrap();
    let manifest = script_manifest(behaviour, &folder, "python3");
    let mut child = Command::new(&manifest.launch.command[0])
        .args(&manifest.launch.command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for line in lines {
        // One that has died reads no more.
        let _ = writeln!(input, "{line}");
    }
    let output = BufReader::new(child.stdout.take().unwrap());
    let said: Vec<String> = output.lines().take(answers).map_while(Result::ok).collect();
    drop(input);
    let ended = child.wait_with_output().unwrap();
    (said, String::from_utf8_lossy(&ended.stderr).into_owned())
}

const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocol":"symphony.extension/1"}}"#;
const CALL: &str =
    r#"{"jsonrpc":"2.0","id":2,"method":"invoke","params":{"call":"c","inputs":{"value":7}}}"#;

fn json(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line}"))
}

#[test]
fn the_scripted_extension_answers() {
    let (said, _) = talk(Behaviour::Echo, &[HELLO, CALL], 2);
    let hello: symphony_ipc_protocol::extension::Initialized =
        serde_json::from_value(json(&said[0])["result"].clone()).unwrap();
    assert_eq!((hello.id.as_str(), hello.max_parallel), ("echo", 4));
    assert_eq!(hello.protocol, symphony_ipc_protocol::extension::PROTOCOL);
    let answer: symphony_ipc_protocol::extension::Invoked =
        serde_json::from_value(json(&said[1])["result"].clone()).unwrap();
    assert_eq!(answer.outputs["value"], 7);
    assert_eq!(answer.usage.output_tokens, 3);
}

#[test]
fn the_scripted_extension_streams() {
    let (said, _) = talk(Behaviour::Streams, &[HELLO, CALL], 5);
    let methods: Vec<_> = said.iter().map(|l| json(l)["method"].clone()).collect();
    assert_eq!(methods[1..4], ["progress", "text", "text"]);
}

#[test]
fn the_scripted_extension_fails_once() {
    let again = CALL.replace("\"id\":2", "\"id\":3");
    let (said, _) = talk(Behaviour::FailsOnce, &[HELLO, CALL, &again], 3);
    let by_id = |id: u64| {
        said.iter()
            .map(|l| json(l))
            .find(|m| m["id"] == id)
            .unwrap()
    };
    let error = &by_id(2)["error"];
    assert_eq!(
        error["code"],
        symphony_ipc_protocol::jsonrpc::code::UPSTREAM
    );
    assert_eq!(error["data"]["retryable"], true);
    assert_eq!(by_id(3)["result"]["outputs"]["value"], 7);
}

#[test]
fn the_scripted_extension_misbehaves() {
    let (said, last_words) = talk(Behaviour::Dies, &[HELLO, CALL], 9);
    assert_eq!((said.len(), last_words.as_str()), (1, "out of luck\n"));
    let (said, _) = talk(Behaviour::StillBorn, &[HELLO], 9);
    assert!(said.is_empty());
    let (said, _) = talk(Behaviour::Garbage, &[HELLO, CALL], 2);
    assert!(serde_json::from_str::<serde_json::Value>(&said[1]).is_err());
    let (said, _) = talk(Behaviour::Flood, &[HELLO, CALL], 500);
    assert_eq!(said.len(), 500);
    let (said, _) = talk(Behaviour::Stranger, &[HELLO], 1);
    assert_ne!(json(&said[0])["result"]["protocol"], "symphony.extension/1");
}

#[test]
fn a_cancelled_call_of_the_scripted_extension_ends() {
    let long = CALL.replace("\"value\":7", "\"value\":600000");
    let cancel = r#"{"jsonrpc":"2.0","method":"cancel","params":{"call":"c"}}"#;
    let (said, _) = talk(Behaviour::Slow, &[HELLO, &long, cancel], 2);
    let error = &json(&said[1])["error"];
    assert_eq!(
        error["code"],
        symphony_ipc_protocol::jsonrpc::code::CANCELLED
    );
}
