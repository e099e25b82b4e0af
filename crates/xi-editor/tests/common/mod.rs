//! A client that speaks to the real binary over pipes.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and uses a part")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// No answer takes longer.
pub const WAIT: Duration = Duration::from_secs(20);

pub struct Client {
    pub child: Child,
    pub input: Option<ChildStdin>,
    lines: Receiver<String>,
    next_id: i64,
    /// Events that came while waiting for answers.
    pub events: Vec<Value>,
}

impl Client {
    /// Starts the binary without saying hello.
    pub fn start() -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_xi-editor"));
        Self::start_as(command, channel().1)
    }

    /// Starts a command that becomes the binary; of its output as many lines are
    /// read as `gate` allows, and all when the gate's other end is dropped.
    pub fn start_as(mut command: Command, gate: Receiver<usize>) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            let mut lines = output.lines().map_while(Result::ok);
            loop {
                let allowed = gate.recv().unwrap_or(usize::MAX);
                for line in lines.by_ref().take(allowed) {
                    if send.send(line).is_err() {
                        return;
                    }
                }
                if allowed == usize::MAX {
                    return;
                }
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
            next_id: 1,
            events: Vec::new(),
        }
    }

    pub fn hello(&mut self) {
        let params = json!({"client": "test", "protocols": ["xi-editor/1"]});
        self.call("initialize", params);
    }

    pub fn new() -> Self {
        let mut client = Self::start();
        client.hello();
        client
    }

    pub fn send(&mut self, line: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line).unwrap();
        input.write_all(b"\n").unwrap();
    }

    /// The next line, whatever it is.
    pub fn receive(&mut self) -> Value {
        let line = self.lines.recv_timeout(WAIT).expect("an answer in time");
        serde_json::from_str(&line).unwrap()
    }

    /// The next answer; events before it are kept.
    pub fn answer(&mut self) -> Value {
        loop {
            let message = self.receive();
            if message.get("method").is_none() {
                return message;
            }
            self.events.push(message["params"].clone());
        }
    }

    pub fn raw(&mut self, line: &[u8]) -> Value {
        self.send(line);
        self.answer()
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        let line = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let answer = self.raw(line.to_string().as_bytes());
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let answer = self.request(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The error's code and whole error.
    pub fn fail(&mut self, method: &str, params: Value) -> (i64, Value) {
        let answer = self.request(method, params);
        let error = answer
            .get("error")
            .unwrap_or_else(|| panic!("{method} should fail: {answer}"));
        (error["code"].as_i64().unwrap(), error.clone())
    }

    pub fn open(&mut self, path: &Path) -> Value {
        self.call("open", json!({"path": path}))["buffer"].clone()
    }

    pub fn new_buffer(&mut self, text: &str) -> Value {
        self.call("open", json!({"text": text}))["buffer"].clone()
    }

    pub fn text(&mut self, buffer: &Value) -> String {
        let answer = self.call("content", json!({"buffer": buffer}));
        answer["text"].as_str().unwrap().to_owned()
    }

    pub fn insert(&mut self, buffer: &Value, at: usize, text: &str) -> Value {
        self.call("insert", json!({"buffer": buffer, "at": at, "text": text}))
    }

    pub fn info(&mut self, buffer: &Value) -> Value {
        let list = self.call("buffers", json!({}));
        let buffers = list["buffers"].as_array().unwrap();
        buffers
            .iter()
            .find(|b| b["buffer"] == *buffer)
            .unwrap()
            .clone()
    }

    /// Says hello with more in it.
    pub fn with(hello: &Value) -> Self {
        let mut client = Self::start();
        let mut params = json!({"client": "t", "protocols": ["xi-editor/1"]});
        for (key, value) in hello.as_object().unwrap() {
            params[key] = value.clone();
        }
        client.call("initialize", params);
        client
    }

    /// Waits for an event that is wanted; those before it are gone.
    pub fn event(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            for event in std::mem::take(&mut self.events) {
                if wanted(&event) {
                    return event;
                }
            }
            assert!(start.elapsed() < WAIT, "an event in time");
            let message = self.receive();
            if message.get("method").is_some() {
                self.events.push(message["params"].clone());
            }
        }
    }

    /// Sends a request and does not wait for its answer; its id.
    pub fn ask(&mut self, method: &str, params: &Value) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        let line = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(line.to_string().as_bytes());
        id
    }

    /// All events so far: a ping's answer comes after them.
    pub fn events(&mut self) -> Vec<Value> {
        self.call("ping", json!({}));
        std::mem::take(&mut self.events)
    }

    pub fn wait_end(&mut self) -> ExitStatus {
        wait_end(&mut self.child)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn wait_end(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(start.elapsed() < WAIT, "the process should have ended");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A recorded editing session.
pub struct Trace {
    pub start: String,
    pub end: String,
    /// Sorted in time: position in bytes, bytes deleted, text inserted.
    pub patches: Vec<(usize, usize, String)>,
}

/// Reads a trace of the public data folder; `None`, saying so, where that is absent.
pub fn trace(name: &str) -> Option<Trace> {
    let folder = std::env::var_os("SYMPHONY_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        Into::into,
    );
    let path = folder.join("editing-traces").join(name);
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: no {} (set SYMPHONY_DATA)", path.display());
        return None;
    };
    let mut json = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut json)
        .unwrap();
    let recorded: Value = serde_json::from_str(&json).unwrap();
    let text = |key: &str| recorded[key].as_str().unwrap().to_owned();
    let start = text("startContent");
    // Positions in the file count characters: the text as it was tells the bytes.
    let mut chars: Vec<char> = start.chars().collect();
    let only_ascii = json.is_ascii();
    let mut patches = Vec::new();
    for transaction in recorded["txns"].as_array().unwrap() {
        for patch in transaction["patches"].as_array().unwrap() {
            let at = usize::try_from(patch[0].as_u64().unwrap()).unwrap();
            let deleted = usize::try_from(patch[1].as_u64().unwrap()).unwrap();
            let inserted = patch[2].as_str().unwrap();
            if only_ascii && inserted.is_ascii() {
                patches.push((at, deleted, inserted.to_owned()));
                continue;
            }
            let bytes = |part: &[char]| part.iter().map(|c| c.len_utf8()).sum::<usize>();
            patches.push((
                bytes(&chars[..at]),
                bytes(&chars[at..at + deleted]),
                inserted.to_owned(),
            ));
            chars.splice(at..at + deleted, inserted.chars());
        }
    }
    Some(Trace {
        start,
        end: text("endContent"),
        patches,
    })
}
