//! Real language servers, as they come from their registries.
//!
//! One of the locked Python environment is always tested in CI. The others are
//! looked for on the PATH and tested on demand:
//! `npm install -g pyright typescript typescript-language-server`, then
//! `cargo nextest run -p xi-editor -E 'binary(real_servers)' --run-ignored all --no-capture`.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;
mod language_servers;

use common::Client;
use language_servers::{client, wait_event};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A workspace with a file, an error in it, and what its server should find.
struct Case {
    name: &'static str,
    text: &'static str,
    /// The configuration of the server; built-in when null.
    server: Value,
    /// Completed at the end of this.
    typed: &'static str,
    /// One of the completions.
    completes: &'static str,
    /// Hovered, found and renamed at the last of these.
    symbol: &'static str,
    /// Part of the hover.
    hover: &'static str,
    /// Whether diagnostics come, and are of the whole program.
    errors: bool,
}

/// A position in the text: the end, or the start, of the last occurrence.
fn find(text: &str, part: &str, at_end: bool) -> usize {
    text.rfind(part).unwrap() + if at_end { part.len() } else { 0 }
}

fn run(case: &Case, marker: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(marker), "{}").unwrap();
    let path = folder.path().join(case.name);
    std::fs::write(&path, case.text).unwrap();
    let servers = if case.server.is_null() {
        vec![]
    } else {
        vec![case.server.clone()]
    };
    let mut client = client(&servers);
    let buffer = client.open(&path);
    let start = Instant::now();
    client.call("language_features", json!({"buffer": buffer, "on": true}));
    if case.errors {
        let found = |e: &Value| e["kind"] == "diagnostics_changed" && e["errors"] != 0;
        wait_event(&mut client, found);
        println!(
            "{}: first diagnostics after {:?}",
            case.name,
            start.elapsed()
        );
        let list = client.call("diagnostics", json!({"buffer": buffer}));
        assert_eq!(list["judged"], 0);
    }
    completes(case, &mut client, &buffer);
    finds(case, &mut client, &buffer);
    renames(case, &mut client, &buffer);
    println!("{}: all after {:?}", case.name, start.elapsed());
}

fn completes(case: &Case, client: &mut Client, buffer: &Value) {
    let at = find(case.text, case.typed, true);
    let mut times = Vec::new();
    for _ in 0..11 {
        let start = Instant::now();
        let list = client.call("completion", json!({"buffer": buffer, "at": at}));
        times.push(start.elapsed());
        let items = list["items"].as_array().unwrap();
        let item = items
            .iter()
            .find(|i| i["label"].as_str().unwrap().starts_with(case.completes));
        let item = item.unwrap_or_else(|| panic!("{list}"));
        assert_eq!(item["edit"]["end"], at);
    }
    let first = times.remove(0);
    times.sort();
    println!(
        "{}: completion {first:?} at first, then p50 {:?}",
        case.name, times[5]
    );
}

fn finds(case: &Case, client: &mut Client, buffer: &Value) {
    let at = find(case.text, case.symbol, false);
    let place = json!({"buffer": buffer, "at": at});
    let hover = client.call("hover", place.clone());
    assert!(
        hover["contents"].as_str().unwrap().contains(case.hover),
        "{hover}"
    );
    let found = client.call("definition", place.clone());
    let start = case.text.find(case.symbol).unwrap();
    assert_eq!(found["locations"][0]["span"]["start"], start, "{found}");
    let all = json!({"buffer": buffer, "at": at, "declaration": true});
    let found = client.call("references", all);
    let count = case.text.matches(case.symbol).count();
    assert_eq!(
        found["locations"].as_array().unwrap().len(),
        count,
        "{found}"
    );
    let symbols = client.call("document_symbols", json!({"buffer": buffer}));
    assert!(!symbols["symbols"].as_array().unwrap().is_empty());
}

/// A rename, applied, and the server asked about the text after it.
fn renames(case: &Case, client: &mut Client, buffer: &Value) {
    let at = find(case.text, case.symbol, false);
    let params = json!({"buffer": buffer, "at": at, "name": "renamed"});
    let edit = client.call("rename", params);
    let steps = edit["steps"].as_array().unwrap();
    assert_eq!(
        (steps.len(), &steps[0]["kind"]),
        (1, &json!("buffer")),
        "{edit}"
    );
    let apply = json!({"buffer": buffer, "base": steps[0]["base"], "edits": steps[0]["edits"]});
    client.call("apply", apply);
    let renamed = case.text.replace(case.symbol, "renamed");
    assert_eq!(client.text(buffer), renamed);
    let at = find(&renamed, "renamed", false);
    let hover = client.call("hover", json!({"buffer": buffer, "at": at}));
    assert_eq!(hover["revision"], 1);
    assert!(
        hover["contents"].as_str().unwrap().contains("renamed"),
        "{hover}"
    );
}

const PYTHON: &str = "# 😀 é\n\
def greeting(name: str) -> str:\n    \
    \"\"\"Say 😀.\"\"\"\n    \
    return '😀' + name\n\n\n\
wrong: int = '😀'; greeting('x')\n\
import os.pa";

/// A program in the folder of the Python that tests run with, in CI always there.
fn beside_python(program: &str) -> Option<PathBuf> {
    let python = std::env::var_os("SYMPHONY_PYTHON")?;
    let found = Path::new(&python).with_file_name(program);
    let is_there = found.exists();
    assert!(
        is_there || std::env::var_os("CI").is_none(),
        "{} is missing",
        found.display()
    );
    is_there.then_some(found)
}

#[test]
fn jedi_of_the_locked_environment() {
    let Some(program) = beside_python("jedi-language-server") else {
        println!("skipped: no jedi-language-server beside SYMPHONY_PYTHON");
        return;
    };
    let server = json!({
        "language": "python", "extensions": ["py"], "command": program,
        "root_markers": ["pyproject.toml"], "timeout_ms": 20_000,
        // It counts characters, whatever it agrees to.
        "position_encodings": ["utf-32"],
    });
    let case = Case {
        name: "a.py",
        text: PYTHON,
        server,
        typed: "os.pa",
        completes: "path",
        symbol: "greeting",
        hover: "Say",
        errors: false,
    };
    run(&case, "empty.toml");
}

#[test]
#[ignore = "needs pyright-langserver on the PATH"]
fn pyright() {
    let case = Case {
        name: "a.py",
        text: PYTHON,
        server: Value::Null,
        typed: "os.pa",
        completes: "path",
        symbol: "greeting",
        hover: "Say",
        errors: true,
    };
    run(&case, "pyrightconfig.json");
}

#[test]
#[ignore = "needs typescript-language-server on the PATH"]
fn typescript() {
    let text = "// 😀\nfunction greeting(name: string) { return `😀${name}`; }\n\
                const wrong: number = '😀'; greeting(\"x\");\nconsole.err";
    let case = Case {
        name: "a.ts",
        text,
        server: Value::Null,
        typed: "console.err",
        completes: "error",
        symbol: "greeting",
        hover: "name: string",
        errors: true,
    };
    run(&case, "tsconfig.json");
}
