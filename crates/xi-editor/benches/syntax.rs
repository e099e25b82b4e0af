//! Figures of highlighting over real pipes, in 10 MB of Rust.
//!
//! Run with `cargo bench -p xi-editor --bench syntax`.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A real source, repeated.
const SOURCE: &str = include_str!("../src/server.rs");
const BYTES: usize = 10 * 1024 * 1024;
/// A window shows so many lines.
const WINDOW: usize = 60;
/// The whole file takes no longer.
const WAIT: Duration = Duration::from_secs(300);

struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    line: String,
    buffer: Value,
}

impl Peer {
    /// Starts the binary and opens the file.
    fn open(path: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xi-editor"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut peer = Self {
            child,
            input,
            output,
            line: String::new(),
            buffer: Value::Null,
        };
        let hello = json!({"client": "bench", "protocols": ["xi-editor/1"]});
        peer.call("initialize", &hello);
        peer.buffer = peer.call("open", &json!({"path": path}))["buffer"].clone();
        peer
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        let line = json!({"jsonrpc": "2.0", "id": 0, "method": method, "params": params});
        let sent = self.input.write_all(format!("{line}\n").as_bytes());
        sent.expect("the peer reads");
        loop {
            self.line.clear();
            let read = self.output.read_line(&mut self.line).expect("an answer");
            assert!(read > 0, "the peer ended");
            if self.line.contains("\"method\":\"event\"") {
                continue;
            }
            let mut answer: Value = serde_json::from_str(&self.line).expect("JSON");
            assert!(answer.get("error").is_none(), "{answer}");
            return answer["result"].take();
        }
    }

    fn highlight(&mut self, first: usize) -> Value {
        let params = json!({
            "buffer": self.buffer, "first_line": first, "last_line": first + WINDOW - 1,
        });
        self.call("highlight", &params)
    }

    fn insert(&mut self, at: usize, text: &str) {
        let params = json!({"buffer": self.buffer, "at": at, "text": text});
        self.call("insert", &params);
    }

    /// Resident memory in MiB.
    fn resident(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let kib = line.and_then(|l| l.trim().split(' ').next()?.parse::<u64>().ok());
        kib.unwrap_or(0) / 1_024
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let out = run();
    (start.elapsed(), out)
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |p: usize| times[(times.len() - 1) * p / 1_000].as_secs_f64() * 1e6;
    format!(
        "p50 {:.0} µs, p99 {:.0} µs, max {:.0} µs",
        at(500),
        at(990),
        at(1_000)
    )
}

/// The first window of a new process, and one more after it.
fn first_window(name: &str, path: &Path, line: usize) {
    let mut peer = Peer::open(path);
    let (first, answer) = timed(|| peer.highlight(line));
    let (next, _) = timed(|| peer.highlight(line + WINDOW));
    println!(
        "first window at the {name}: {:.1} ms (guess: {}), the window below: {:.1} ms",
        first.as_secs_f64() * 1e3,
        answer.get("provisional").is_some(),
        next.as_secs_f64() * 1e3
    );
}

fn whole_file(path: &Path, lines: usize) {
    let mut peer = Peer::open(path);
    let before = peer.resident();
    let (time, ()) = timed(|| {
        let start = Instant::now();
        while peer.highlight(lines - WINDOW).get("provisional").is_some() {
            assert!(start.elapsed() < WAIT, "still a guess");
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    println!(
        "whole file: {:.2} s, {lines} lines; resident {} MiB, without highlighting {before} MiB",
        time.as_secs_f64(),
        peer.resident()
    );
    let (jump, _) = timed(|| peer.highlight(lines / 2 + 17));
    println!("then a window anywhere: {:.1} ms", jump.as_secs_f64() * 1e3);
    let at = SOURCE.len() * 100;
    let first = SOURCE.matches('\n').count() * 100 - WINDOW / 2;
    peer.highlight(first);
    let (mut edits, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        edits.push(timed(|| peer.insert(at, "x")).0);
        answers.push(timed(|| peer.highlight(first)).0);
    }
    println!("typing in a window: {}", percentiles(edits));
    println!("the window after each key: {}", percentiles(answers));
}

/// Typing on while the background is at work, or without any highlighting.
fn typing(
    name: &str,
    path: &Path,
    window: Option<usize>,
    each: impl Fn(usize) -> (usize, &'static str),
) {
    let mut peer = Peer::open(path);
    if let Some(line) = window {
        peer.highlight(line);
    }
    let times = (0..4_000).map(|i| {
        let (at, text) = each(i);
        // A client thinks between keys; long enough for the background to go on.
        std::thread::sleep(Duration::from_micros(300));
        timed(|| peer.insert(at, text)).0
    });
    println!(
        "insert round trip, {name}: {}",
        percentiles(times.collect())
    );
}

fn main() {
    let text = SOURCE.repeat(BYTES / SOURCE.len() + 1);
    let lines = text.matches('\n').count();
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("big.rs");
    std::fs::write(&path, &text).expect("written");
    first_window("start", &path, 0);
    first_window("middle", &path, lines / 2);
    first_window("end", &path, lines - 2 * WINDOW);
    whole_file(&path, lines);
    let typed = |i: usize| (SOURCE.len() * 200 + i, "x");
    typing("without highlighting", &path, None, typed);
    typing("while the file is read", &path, Some(0), typed);
    let comment = |i: usize| (0, if i.is_multiple_of(2) { "/*" } else { "*/" });
    typing(
        "each opens or ends a comment above all",
        &path,
        Some(0),
        comment,
    );
}
