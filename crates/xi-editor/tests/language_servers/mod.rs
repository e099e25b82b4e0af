//! What the tests with language servers share.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and uses a part")]

use crate::common::{Client, WAIT};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;
use tempfile::TempDir;

/// Builds the program that children are started through, unless it was built.
pub fn build_runner() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let own = Path::new(env!("CARGO_BIN_EXE_xi-editor"));
        let folder = own.parent().unwrap();
        let runner = folder.join("symphony-extension-runner");
        if std::env::var_os("SYMPHONY_PROGRAMS_BUILT").is_some() && runner.exists() {
            return;
        }
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "-q", "-p", "symphony-sandbox", "--bins"]);
        build.arg("--target-dir").arg(folder.parent().unwrap());
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success());
    });
}

/// A client, and a workspace for its fake server.
pub struct Studio {
    pub client: Client,
    pub folder: TempDir,
}

impl Studio {
    /// With a fake server that counts columns so and is in this mode.
    pub fn new(encoding: &str, mode: &str) -> Self {
        Self::with(encoding, mode, json!({}))
    }

    /// The same, and more of its configuration.
    pub fn with(encoding: &str, mode: &str, more: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("fake.root"), "").unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language_servers/fake.py");
        let python = std::env::var("SYMPHONY_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let mut server = json!({
            "language": "fake",
            "extensions": ["fake"],
            "command": python,
            "args": [script, folder.path().join("log"), encoding, mode],
            "root_markers": ["fake.root"],
            "settings": {"fake": {"depth": 3}},
        });
        for (key, value) in more.as_object().unwrap() {
            server[key] = value.clone();
        }
        let client = client(&[server]);
        Self { client, folder }
    }

    /// Opens a file of the workspace with a text.
    pub fn open(&mut self, name: &str, text: &str) -> Value {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        self.client.open(&path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// What the server got, line by line.
    pub fn log(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// Waits until the server got something.
    pub fn wait_log(&self, what: impl Fn(&str) -> bool) -> String {
        wait("a line of the log", || {
            self.log().into_iter().find(|l| what(l))
        })
    }

    /// What the server says of a place.
    pub fn hover(&mut self, buffer: &Value, at: usize) -> Value {
        let answer = self
            .client
            .call("hover", json!({"buffer": buffer, "at": at}));
        let known = answer["contents"].as_str().unwrap();
        let mut known: Value = serde_json::from_str(known).unwrap();
        known["revision"] = answer["revision"].clone();
        known["span"] = answer["span"].clone();
        known
    }

    pub fn status(&mut self) -> Value {
        let answer = self.client.call("language_status", json!({}));
        answer["servers"][0].clone()
    }

    /// Waits for the server to be in a state.
    pub fn wait_state(&mut self, state: &str) -> Value {
        wait(state, || {
            Some(self.status()).filter(|s| s["state"] == state)
        })
    }

    /// Waits for an event.
    pub fn wait_event(&mut self, what: impl Fn(&Value) -> bool) -> Value {
        wait_event(&mut self.client, what)
    }
}

pub fn client(servers: &[Value]) -> Client {
    build_runner();
    let mut client = Client::start();
    let hello =
        json!({"client": "test", "protocols": ["xi-editor/1"], "language_servers": servers});
    client.call("initialize", hello);
    client
}

pub fn wait_event(client: &mut Client, what: impl Fn(&Value) -> bool) -> Value {
    wait("an event", || {
        client.call("ping", json!({}));
        let found = client.events.iter().position(&what)?;
        Some(client.events.remove(found))
    })
}

pub fn wait<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(start.elapsed() < WAIT, "{what} should have come");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
