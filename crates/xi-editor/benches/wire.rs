//! Figures over real pipes, printed with their targets; and the engine alone.
//!
//! Run with `cargo bench -p xi-editor --bench wire`.

#[path = "../tests/common/mod.rs"]
mod common;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::xi::{EditOrigin, OnOverlap, Replace};
use xi_editor::engine::{Buffer, Text};

struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    line: String,
}

impl Peer {
    fn start() -> Self {
        Self::start_in(None)
    }

    /// With unsaved text kept in a session's folder.
    fn start_in(session: Option<&std::path::Path>) -> Self {
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
        };
        let mut hello = json!({"client": "bench", "protocols": ["xi-editor/1"]});
        if let Some(session) = session {
            hello["session"] = json!(session);
        }
        peer.call("initialize", &hello);
        peer
    }

    fn send(&mut self, line: &str) {
        self.input
            .write_all(line.as_bytes())
            .expect("the peer reads");
    }

    /// Reads up to the next answer.
    fn receive(&mut self) {
        loop {
            self.line.clear();
            let read = self.output.read_line(&mut self.line).expect("an answer");
            assert!(read > 0, "the peer ended");
            assert!(!self.line.contains("\"error\""), "{}", self.line);
            if self.line.contains("\"result\"") {
                return;
            }
        }
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.send(&request(0, method, params));
        self.receive();
        let answer: Value = serde_json::from_str(&self.line).expect("JSON");
        answer["result"].clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request(id: usize, method: &str, params: &Value) -> String {
    let line = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    format!("{line}\n")
}

/// A cheap sequence of numbers that looks random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |p: usize| times[(times.len() - 1) * p / 1_000].as_secs_f64() * 1e6;
    format!(
        "p50 {:.1} µs, p99 {:.1} µs, max {:.1} µs",
        at(500),
        at(990),
        at(1_000)
    )
}

fn start() {
    let times: Vec<_> = (0..50)
        .map(|_| {
            let start = Instant::now();
            let peer = Peer::start();
            let time = start.elapsed();
            drop(peer);
            time
        })
        .collect();
    println!(
        "start to `initialize` answered (target <= 50,000 µs): {}",
        percentiles(times)
    );
}

fn big_text() -> String {
    let line = "the quick brown fox jumps over the lazy dog, and once more 0123456789\n";
    line.repeat(100 * 1024 * 1024 / line.len())
}

fn round_trips(name: &str, text: &str, journal: bool) {
    let session = tempfile::tempdir().expect("a folder");
    let mut peer = Peer::start_in(journal.then(|| session.path()));
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("text");
    std::fs::write(&path, text).expect("written");
    let opening = Instant::now();
    let info = peer.call("open", &json!({"path": path}));
    println!(
        "{name}: open {:.0} ms (target <= 600), resident {} MiB, at most {} MiB (target <= 1.6 x its size)",
        opening.elapsed().as_secs_f64() * 1e3,
        memory(&peer.child, "VmRSS:"),
        memory(&peer.child, "VmHWM:")
    );
    finding(name, &mut peer, &info["buffer"]);
    let mut random = Random(7);
    let mut times = Vec::new();
    for i in 0..20_000 {
        let at = random.below(text.len() + i + 1);
        let params = json!({"buffer": info["buffer"], "at": at, "text": "x"});
        let line = request(i, "insert", &params);
        let start = Instant::now();
        peer.send(&line);
        peer.receive();
        times.push(start.elapsed());
    }
    println!(
        "{name}: insert round trip at random places (target p50 <= 60, p99 <= 500): {}",
        percentiles(times)
    );
    let times = (0..5_000).map(|i| {
        let line = request(i, "ping", &json!({}));
        let start = Instant::now();
        peer.send(&line);
        peer.receive();
        start.elapsed()
    });
    println!("{name}: ping round trip: {}", percentiles(times.collect()));
}

/// Counting all matches, and the next one from the middle.
fn finding(name: &str, peer: &mut Peer, buffer: &Value) {
    for (query, regex) in [("lazy", false), ("absent", false), (r"^the.*\d$", true)] {
        for (what, more) in [
            ("all counted", json!({"count": true, "limit": 1})),
            ("all wanted", json!({"limit": 100_000})),
        ] {
            let mut params = json!({"buffer": buffer, "query": query, "regex": regex});
            for (key, value) in more.as_object().into_iter().flatten() {
                params[key] = value.clone();
            }
            let start = Instant::now();
            peer.call("find", &params);
            let time = start.elapsed().as_secs_f64() * 1e3;
            println!("{name}: find `{query}`, {what}: {time:.1} ms");
        }
    }
}

/// From the start of a process to the answer of `initialize` with every
/// buffer back, after `kill -9`.
fn recovery(name: &str, buffers: usize, text: &str, edits: usize) {
    let dir = tempfile::tempdir().expect("a folder");
    let session = dir.path().join("session");
    let mut peer = Peer::start_in(Some(&session));
    let mut random = Random(7);
    let keys: Vec<Value> = (0..buffers)
        .map(|n| {
            let path = dir.path().join(n.to_string());
            std::fs::write(&path, text).expect("written");
            peer.call("open", &json!({"path": path}))["buffer"].clone()
        })
        .collect();
    for _ in 0..edits {
        for key in &keys {
            let at = random.below(text.len());
            peer.call("insert", &json!({"buffer": key, "at": at, "text": "x"}));
        }
    }
    // A large text comes into the journal beside the loop, and the next edit takes it.
    std::thread::sleep(Duration::from_secs(2));
    for key in &keys {
        peer.call("insert", &json!({"buffer": key, "at": 0, "text": "x"}));
    }
    let times = (0..15).map(|_| {
        peer.child.kill().expect("killed");
        peer.child.wait().expect("ended");
        let start = Instant::now();
        peer = Peer::start_in(Some(&session));
        let time = start.elapsed();
        assert_eq!(peer.line.matches("\"recent\"").count(), buffers);
        time
    });
    println!(
        "recovery, {name} (target <= 100,000 µs): {}",
        percentiles(times.collect())
    );
}

/// A figure of the process's memory in MiB.
fn memory(child: &Child, which: &str) -> u64 {
    let path = format!("/proc/{}/status", child.id());
    let status = std::fs::read_to_string(path).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(which));
    let kib = line.and_then(|l| l.trim().split(' ').next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn pipelined(name: &str, random_places: bool, journal: bool) {
    const EDITS: usize = 100_000;
    let session = tempfile::tempdir().expect("a folder");
    let mut peer = Peer::start_in(journal.then(|| session.path()));
    let info = peer.call("open", &json!({"text": ""}));
    let mut random = Random(7);
    let lines: Vec<_> = (0..EDITS)
        .map(|i| {
            let at = if random_places {
                random.below(i + 1)
            } else {
                i
            };
            let params = json!({"buffer": info["buffer"], "at": at, "text": "x"});
            request(i, "insert", &params)
        })
        .collect();
    let start = Instant::now();
    let mut input = peer.child.stdin.take();
    std::thread::scope(|scope| {
        let target = input.as_mut().unwrap_or(&mut peer.input);
        scope.spawn(move || {
            for line in &lines {
                target.write_all(line.as_bytes()).expect("the peer reads");
            }
        });
        let (mut answers, mut line) = (0, String::new());
        while answers < EDITS {
            line.clear();
            peer.output.read_line(&mut line).expect("an answer");
            answers += usize::from(line.contains("\"result\""));
        }
    });
    let rate = f64::from(u32::try_from(EDITS).unwrap_or(0)) / start.elapsed().as_secs_f64();
    println!("pipelined edits, {name} (target >= 20,000/s): {rate:.0}/s");
}

fn engine(name: &str, text: &str, random_places: bool) {
    const EDITS: u32 = 50_000;
    let mut buffer = Buffer::new(Text::from(text));
    let mut random = Random(7);
    let origin = EditOrigin::default();
    let mut times = Vec::new();
    for i in 0..EDITS as usize {
        let at = if random_places {
            random.below(text.len() + i + 1)
        } else {
            i
        };
        let edit = Replace {
            start: at,
            end: at,
            text: "x".to_owned(),
        };
        let start = Instant::now();
        buffer
            .edit(None, vec![edit], OnOverlap::Merge, &origin)
            .expect("a valid edit");
        times.push(start.elapsed());
    }
    let mean = times.iter().sum::<Duration>().as_secs_f64() * 1e6 / f64::from(EDITS);
    println!("engine, {name}: mean {mean:.2} µs, {}", percentiles(times));
}

/// A recorded session (josephg/editing-traces), each patch an undo group of its own.
fn recorded(name: &str) {
    let Some(trace) = common::trace(name) else {
        return;
    };
    let mut buffer = Buffer::new(Text::from(trace.start.as_str()));
    let origin = EditOrigin::default();
    let mut times = Vec::new();
    for (at, deleted, text) in trace.patches {
        let edit = Replace {
            start: at,
            end: at + deleted,
            text,
        };
        let start = Instant::now();
        buffer
            .edit(None, vec![edit], OnOverlap::Merge, &origin)
            .expect("a valid edit");
        times.push(start.elapsed());
    }
    assert!(String::from(buffer.text()) == trace.end, "the exact text");
    println!(
        "engine, recorded {name}: {} edits, {}",
        times.len(),
        percentiles(times)
    );
}

/// Where the time of opening goes.
fn opening(text: &str) {
    let timed = |what: &str, run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        println!(
            "opening 100 MB, {what}: {:.0} ms",
            start.elapsed().as_secs_f64() * 1e3
        );
    };
    let bytes = text.as_bytes().to_vec();
    timed("hash", &mut || {
        std::hint::black_box(blake3::hash(&bytes));
    });
    let mut decoded = None;
    timed("decode", &mut || {
        decoded = xi_editor::file::decode(bytes.clone()).ok()
    });
    let mut rope = Text::default();
    timed("build the text", &mut || rope = Text::from(text));
    timed("digest and line ends", &mut || {
        std::hint::black_box(rope.summary());
    });
}

fn main() {
    let big = big_text();
    start();
    for (journal, how) in [(false, "no journal"), (true, "journal")] {
        round_trips(&format!("empty buffer, {how}"), "", journal);
        round_trips(&format!("100 MB buffer, {how}"), &big, journal);
        pipelined(&format!("typed on, {how}"), false, journal);
        pipelined(&format!("random places, {how}"), true, journal);
    }
    for megabytes in [1, 10, 100] {
        let text = &big[..megabytes * 1_000_000];
        recovery(&format!("{megabytes} MB, 100 edits"), 1, text, 100);
    }
    recovery("1 MB, 5,000 edits", 1, &big[..1_000_000], 5_000);
    recovery(
        "20 buffers of 50 kB, 200 edits each",
        20,
        &big[..50_000],
        200,
    );
    engine("typed on from empty", "", false);
    engine("random places from empty", "", true);
    engine("random places in 100 MB", &big, true);
    recorded("automerge-paper.json.gz");
    recorded("sveltecomponent.json.gz");
    opening(&big);
}
