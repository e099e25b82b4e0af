//! Any lines: each is answered or refused, none ends the process.
//!
//! A line may hold `@b` and `@v`: the newest buffer and view. What would leave
//! the process (files, folders, programs) is left out.

use serde_json::Value;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::Message;
use xi_editor::server::{self, End};

/// So many lines at most.
const LINES: usize = 64;
/// No answer takes longer.
const WAIT: Duration = Duration::from_secs(20);
const HELLO: &str = r#"{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"client":"fuzz","protocols":["xi-editor/1"]}}"#;

pub fn run(bytes: &[u8]) {
    let mut client = Client::new();
    // The first byte says whether it is polite.
    let (polite, lines) = match bytes.split_first() {
        Some((b'!', lines)) => (false, lines),
        _ => (true, bytes),
    };
    if polite {
        client.send(HELLO.as_bytes());
    }
    for line in lines.split(|b| *b == b'\n').take(LINES) {
        if client.stops() {
            break;
        }
        client.offer(line);
    }
    client.end();
}

/// A client of a server in this process.
struct Client {
    input: Option<Sender<Vec<u8>>>,
    output: Receiver<Vec<u8>>,
    server: JoinHandle<io::Result<End>>,
    rest: Vec<u8>,
    /// Answers that are still to come.
    owed: usize,
    buffer: String,
    view: String,
    shuts_down: bool,
}

impl Client {
    fn new() -> Self {
        let (input, from) = channel();
        let (to, output) = channel();
        let server = std::thread::spawn(move || {
            let input = Input {
                from,
                rest: Vec::new(),
            };
            server::serve(input, Output(to))
        });
        let nil = "00000000-0000-0000-0000-000000000000";
        Self {
            input: Some(input),
            output,
            server,
            rest: Vec::new(),
            owed: 0,
            buffer: nil.to_owned(),
            view: nil.to_owned(),
            shuts_down: false,
        }
    }

    /// Whether it was asked to end: further lines may have no answer.
    fn stops(&self) -> bool {
        self.shuts_down
    }

    /// Sends a line unless it would reach beyond this process.
    fn offer(&mut self, line: &[u8]) {
        if line.windows(2).any(|two| two == b"@b" || two == b"@v") {
            self.settle();
            let text = String::from_utf8_lossy(line)
                .replace("@b", &self.buffer)
                .replace("@v", &self.view);
            self.send(text.as_bytes());
        } else {
            self.send(line);
        }
    }

    fn send(&mut self, line: &[u8]) {
        match Message::parse(line) {
            Ok(Message::Request { method, params, .. }) => {
                if !stays_inside(&params) {
                    return;
                }
                self.shuts_down |= method == "shutdown";
                self.owed += 1;
            }
            Err(_) => self.owed += 1,
            Ok(_) => {}
        }
        let mut line = line.to_vec();
        line.push(b'\n');
        // A closed input is found by the answers that do not come.
        let _ = self.input.as_ref().unwrap().send(line);
    }

    /// Takes all answers that are owed.
    fn settle(&mut self) {
        let start = Instant::now();
        while self.owed > 0 {
            let left = WAIT.saturating_sub(start.elapsed());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(error) => panic!("{} answers did not come: {error}", self.owed),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            match Message::parse(&line).expect("a valid line") {
                Message::Response { outcome, .. } => {
                    self.owed = self.owed.checked_sub(1).expect("no answer twice");
                    self.learn(outcome.ok());
                }
                Message::Notification { method, .. } => assert_eq!(method, "event"),
                Message::Request { .. } => panic!("the server asks nothing"),
            }
        }
    }

    /// Remembers names of buffers and views.
    fn learn(&mut self, result: Option<Value>) {
        let result = result.unwrap_or_default();
        let name = |key: &str| result.get(key).and_then(Value::as_str);
        match (name("view"), name("buffer")) {
            (Some(view), _) => view.clone_into(&mut self.view),
            (None, Some(buffer)) => buffer.clone_into(&mut self.buffer),
            (None, None) => {}
        }
    }

    fn end(mut self) {
        if self.shuts_down {
            // Companions may end before they have answered.
            self.input = None;
            self.server.join().unwrap().unwrap();
            return;
        }
        self.send(br#"{"jsonrpc":"2.0","id":"over","method":"ping"}"#);
        self.settle();
        self.input = None;
        let end = self.server.join().unwrap().unwrap();
        assert_eq!(end, End::InputClosed);
        assert!(self.rest.is_empty(), "whole lines only");
    }
}

/// Whether parameters name no file, folder or program.
fn stays_inside(params: &Value) -> bool {
    match params {
        Value::String(text) => !text.contains('/'),
        Value::Array(list) => list.iter().all(stays_inside),
        Value::Object(object) => object.iter().all(|(key, value)| {
            let outside = ["plugin_folders", "plugins", "language_servers"];
            let inside = key == "protocols" || stays_inside(value);
            inside && !outside.contains(&key.as_str())
        }),
        _ => true,
    }
}

struct Input {
    from: Receiver<Vec<u8>>,
    rest: Vec<u8>,
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            match self.from.recv() {
                Ok(bytes) => self.rest = bytes,
                Err(_) => return Ok(0),
            }
        }
        let len = self.rest.len().min(into.len());
        into[..len].copy_from_slice(&self.rest[..len]);
        self.rest.drain(..len);
        Ok(len)
    }
}

struct Output(Sender<Vec<u8>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.send(bytes.to_vec()).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
