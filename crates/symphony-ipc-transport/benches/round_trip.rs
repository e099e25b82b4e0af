//! Round trips of a 200-byte message: raw and through `Peer`, over a Unix
//! socket and over the standard streams of a child process.
//!
//! Prints p50 and p99 in microseconds; the echo side is always another process.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use symphony_ipc_transport::{Peer, PeerOptions};

const ROUNDS: usize = 20_000;
const WARM_UP: usize = 2_000;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("--echo-stdio") => return echo(std::io::stdin().lock(), std::io::stdout().lock()),
        Some("--echo-socket") => {
            let listener = UnixListener::bind(&args[2]).expect("bind");
            println!("ready");
            let (stream, _) = listener.accept().expect("accept");
            return echo(stream.try_clone().expect("clone"), stream);
        }
        _ => {}
    }
    let dir = tempfile::tempdir().expect("temporary folder");
    raw_stdio();
    raw_socket(&dir.path().join("raw.sock"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("runtime");
    // Calls are made on a worker, as in the host.
    let run = |future| runtime.block_on(async { tokio::spawn(future).await.expect("bench") });
    run(Box::pin(peer_stdio()) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);
    run(Box::pin(peer_socket(dir.path().join("peer.sock"))));
}

/// Answers requests with their parameters, and all other lines with themselves.
fn echo(input: impl Read, mut output: impl Write) {
    let mut input = BufReader::new(input);
    let mut line = String::new();
    while input.read_line(&mut line).is_ok_and(|n| n > 0) {
        if line.starts_with('{') {
            let request: Value = serde_json::from_str(&line).expect("request");
            let answer = json!({"jsonrpc":"2.0","id":request["id"],"result":request["params"]});
            line = answer.to_string() + "\n";
        }
        if output
            .write_all(line.as_bytes())
            .and_then(|()| output.flush())
            .is_err()
        {
            return;
        }
        line.clear();
    }
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.drain(..WARM_UP);
    times.sort();
    let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e6;
    println!(
        "{name:<28} p50 {:6.1} µs   p99 {:6.1} µs",
        at(0.5),
        at(0.99)
    );
}

fn child(args: &[&str]) -> std::process::Child {
    Command::new(std::env::current_exe().expect("own path"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("child")
}

fn raw(name: &str, input: impl Read, mut output: impl Write) {
    let message = format!("{}\n", "m".repeat(199));
    let mut input = BufReader::new(input);
    let mut line = String::new();
    let times = (0..ROUNDS + WARM_UP).map(|_| {
        let started = Instant::now();
        output.write_all(message.as_bytes()).expect("write");
        line.clear();
        input.read_line(&mut line).expect("read");
        started.elapsed()
    });
    report(name, times.collect());
}

fn raw_stdio() {
    let mut child = child(&["--echo-stdio"]);
    raw(
        "raw, child's stdio",
        child.stdout.take().expect("stdout"),
        child.stdin.take().expect("stdin"),
    );
    child.wait().expect("wait");
}

fn raw_socket(path: &Path) {
    let mut child = socket_child(path);
    let stream = UnixStream::connect(path).expect("connect");
    raw(
        "raw, Unix socket",
        stream.try_clone().expect("clone"),
        &stream,
    );
    drop(stream);
    let _ = child.kill();
    child.wait().expect("wait");
}

fn socket_child(path: &Path) -> std::process::Child {
    let mut child = child(&["--echo-socket", path.to_str().expect("path")]);
    let mut ready = String::new();
    BufReader::new(child.stdout.as_mut().expect("stdout"))
        .read_line(&mut ready)
        .expect("ready");
    child
}

async fn calls(name: &str, peer: Peer) {
    let params = json!({"text": "m".repeat(140)});
    let mut times = Vec::new();
    for _ in 0..ROUNDS + WARM_UP {
        let started = Instant::now();
        peer.call("echo", &params, Duration::from_secs(5))
            .await
            .expect("answer");
        times.push(started.elapsed());
    }
    report(name, times);
}

async fn peer_stdio() {
    let mut child = child(&["--echo-stdio"]);
    let output = tokio::process::ChildStdout::from_std(child.stdout.take().expect("stdout"));
    let input = tokio::process::ChildStdin::from_std(child.stdin.take().expect("stdin"));
    let (peer, _incoming) = Peer::start(
        output.expect("stdout"),
        input.expect("stdin"),
        PeerOptions::default(),
    );
    calls("Peer, child's stdio", peer).await;
    let _ = child.kill();
    child.wait().expect("wait");
}

async fn peer_socket(path: std::path::PathBuf) {
    let mut child = socket_child(&path);
    let (read, write) = symphony_ipc_transport::unix::connect(&path)
        .await
        .expect("connect")
        .into_split();
    let (peer, _incoming) = Peer::start(read, write, PeerOptions::default());
    calls("Peer, Unix socket", peer).await;
    let _ = child.kill();
    child.wait().expect("wait");
}
