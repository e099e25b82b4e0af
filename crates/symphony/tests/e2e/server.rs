//! The scripted model server of `symphony_testing`, and what it was asked.

use crate::stage::{python, workspace};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A sentence that is fit to describe anything.
pub const SENTENCE: &str = "Keeps the books of the corner store in good order.";

/// A running server. It ends with this value.
pub struct Server {
    child: Child,
    port: u16,
    dir: tempfile::TempDir,
}

impl Server {
    /// A server that plays these rules.
    pub fn with(rules: Value) -> Self {
        Self::at(0, rules)
    }

    /// A server that describes everything with [`SENTENCE`].
    pub fn describing() -> Self {
        Self::with(json!([{ "json": { "summary": SENTENCE } }]))
    }

    /// As [`Server::describing`], each answer after `ms` milliseconds.
    pub fn describing_after(ms: u64) -> Self {
        Self::with(json!([{ "delay_ms": ms, "json": { "summary": SENTENCE } }]))
    }

    /// A server at a port where another one was before.
    pub fn at(port: u16, rules: Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let script = json!({ "models": ["scripted"], "rules": rules });
        std::fs::write(dir.path().join("script.json"), script.to_string()).unwrap();
        let mut child = Command::new(python())
            .args([
                "-m",
                "symphony_testing.model_server",
                "--until-input-closes",
            ])
            .arg("--script")
            .arg(dir.path().join("script.json"))
            .arg("--log")
            .arg(dir.path().join("log.jsonl"))
            .args(["--port", &port.to_string()])
            .env(
                "PYTHONPATH",
                workspace().join("python/symphony_testing/src"),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", python().display()));
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().parse().expect("the server prints its port");
        Self { child, port, dir }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it and gives back its port, where nothing listens then.
    pub fn stop(self) -> u16 {
        self.port
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log.jsonl")
    }

    fn entries(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// How many requests there were.
    pub fn calls(&self) -> usize {
        self.entries()
            .iter()
            .filter(|entry| entry.get("body").is_some())
            .count()
    }

    /// The last message of each request.
    pub fn questions(&self) -> Vec<String> {
        let last = |entry: Value| {
            let messages = entry["body"]["messages"].as_array()?.clone();
            Some(messages.last()?["content"].as_str()?.to_owned())
        };
        self.entries().into_iter().filter_map(last).collect()
    }

    /// The requests whose client went away before the answer.
    pub fn gone(&self) -> usize {
        self.entries()
            .iter()
            .filter(|entry| entry["gone"] == true)
            .count()
    }

    /// Waits for the `n`th request.
    pub fn wait_for_calls(&self, n: usize) {
        let start = Instant::now();
        while self.calls() < n {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "only {} of {n} requests came",
                self.calls()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
