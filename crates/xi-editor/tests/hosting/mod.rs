//! What tests of plugins share.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and uses a part")]

use crate::common::{Client, WAIT};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

/// Builds the runner beside the binary, unless whoever runs the tests has built it.
fn runner() {
    static RUNNER: OnceLock<()> = OnceLock::new();
    RUNNER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_BIN_EXE_xi-editor")).parent().unwrap();
        let runner = folder.join("symphony-extension-runner");
        if std::env::var_os("SYMPHONY_PROGRAMS_BUILT").is_some() && runner.exists() {
            return;
        }
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "-q", "-p", "symphony-sandbox", "--bins"]);
        build.arg("--target-dir").arg(folder.parent().unwrap());
        assert!(build.status().unwrap().success());
    });
}

pub fn start(folders: &[&Path], start: &[&str]) -> Client {
    runner();
    let mut client = Client::start();
    let params = json!({"client": "test", "protocols": ["xi-editor/1"],
        "plugin_folders": folders, "plugins": start});
    client.call("initialize", params);
    client
}

/// The next event that fits, also of those that came already; it is taken out.
pub fn event(client: &mut Client, fits: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    loop {
        if let Some(at) = client.events.iter().position(&fits) {
            return client.events.remove(at);
        }
        assert!(begin.elapsed() < WAIT, "no such event in time");
        let message = client.receive();
        assert_eq!(message["method"], "event", "{message}");
        client.events.push(message["params"].clone());
    }
}

pub fn kind(kind: &str) -> impl Fn(&Value) -> bool {
    move |event| event["kind"] == kind
}

pub fn state<'a>(plugin: &'a str, state: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |e| e["kind"] == "plugin_state_changed" && e["plugin"] == plugin && e["state"] == state
}

pub fn spans_at(revision: u64) -> impl Fn(&Value) -> bool {
    move |e| e["kind"] == "plugin_spans" && e["revision"] == revision
}

pub fn info(client: &mut Client, name: &str) -> Value {
    let list = client.call("plugins", json!({}));
    let all = list["plugins"].as_array().unwrap();
    all.iter().find(|p| p["name"] == name).unwrap().clone()
}
