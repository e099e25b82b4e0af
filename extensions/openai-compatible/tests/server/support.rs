//! The two processes, and what the host would say to them.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// The scripted model server of `symphony_testing`.
pub struct Server {
    child: Child,
    pub port: u16,
    log: PathBuf,
    _dir: tempfile::TempDir,
}

impl Server {
    pub fn play(script: Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log.jsonl");
        std::fs::write(dir.path().join("script.json"), script.to_string()).unwrap();
        let python = std::env::var("SYMPHONY_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let sources = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .unwrap()
            .join("python/symphony_testing/src");
        let mut child = Command::new(python)
            .args([
                "-m",
                "symphony_testing.model_server",
                "--until-input-closes",
            ])
            .arg("--script")
            .arg(dir.path().join("script.json"))
            .arg("--log")
            .arg(&log)
            .env("PYTHONPATH", sources)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            port: line.trim().parse().expect("the server prints its port"),
            child,
            log,
            _dir: dir,
        }
    }

    /// A server with these rules.
    pub fn rules(rules: Value) -> Self {
        Self::play(json!({ "models": ["tiny"], "rules": rules }))
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    fn entries(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Value> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.get("body").is_some());
        entries
    }

    /// Waits until the server has seen a client go away early.
    pub fn saw_the_client_leave(&self) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) {
            if self.entries().iter().any(|entry| entry["gone"] == true) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Instrument, spoken to as the host does.
pub struct Instrument {
    child: Child,
    input: ChildStdin,
    lines: Receiver<Value>,
    next: i64,
    answers: HashMap<i64, Value>,
    /// Text that was streamed.
    pub streamed: String,
    /// Lines of its log.
    pub logged: Vec<String>,
}

impl Instrument {
    pub fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_symphony-openai-compatible"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).expect("each line is JSON");
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        Self {
            input: child.stdin.take().unwrap(),
            child,
            lines,
            next: 0,
            answers: HashMap::new(),
            streamed: String::new(),
            logged: Vec::new(),
        }
    }

    /// Greeted with settings beside `base_url` and `model`, and with a key.
    pub fn on(url: &str, settings: Value, key: &str) -> Self {
        let mut instrument = Self::start();
        let mut all = json!({ "base_url": url, "model": "tiny" });
        for (name, value) in settings.as_object().unwrap() {
            all[name] = value.clone();
        }
        let answer = instrument.initialize(&all, key);
        assert!(answer.get("result").is_some(), "{answer}");
        instrument
    }

    pub fn initialize(&mut self, settings: &Value, key: &str) -> Value {
        let secrets = if key.is_empty() {
            json!({})
        } else {
            json!({ "api-key": key })
        };
        let params = json!({
            "protocol": "symphony.extension/1", "settings": settings, "secrets": secrets
        });
        let id = self.send("initialize", params);
        self.answer(id)
    }

    fn write(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
        self.input.flush().unwrap();
    }

    fn send(&mut self, method: &str, params: Value) -> i64 {
        self.next += 1;
        let id = self.next;
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// Starts a call and gives back its id.
    pub fn invoke(&mut self, inputs: Value) -> i64 {
        let call = format!("call-{}", self.next + 1);
        self.send("invoke", json!({ "call": call, "inputs": inputs }))
    }

    pub fn cancel(&mut self, id: i64) {
        let params = json!({ "call": format!("call-{id}") });
        self.write(&json!({ "jsonrpc": "2.0", "method": "cancel", "params": params }));
    }

    fn line(&mut self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("an answer");
        match line["method"].as_str() {
            Some("text") => self.streamed += line["params"]["text"].as_str().unwrap(),
            Some("log") => self
                .logged
                .push(line["params"]["message"].as_str().unwrap().to_owned()),
            _ => {}
        }
        line
    }

    /// Waits for streamed text.
    pub fn wait_for_text(&mut self) {
        while self.streamed.is_empty() {
            self.line();
        }
    }

    pub fn answer(&mut self, id: i64) -> Value {
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return answer;
            }
            let line = self.line();
            if let Some(id) = line["id"].as_i64() {
                self.answers.insert(id, line);
            }
        }
    }

    /// A chat of one message.
    pub fn ask(&mut self, text: &str) -> Value {
        let id = self.invoke(json!({ "messages": [{ "role": "user", "content": text }] }));
        self.answer(id)
    }

    /// A chat of one message under the schema of a summary.
    pub fn ask_json(&mut self, text: &str) -> Value {
        let id = self.invoke(json!({
            "messages": [{ "role": "user", "content": text }], "schema": summary(),
            "temperature": 0, "max_tokens": 50
        }));
        self.answer(id)
    }
}

impl Drop for Instrument {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn summary() -> Value {
    json!({
        "type": "object", "required": ["summary"], "additionalProperties": false,
        "properties": { "summary": { "type": "string" } }
    })
}
