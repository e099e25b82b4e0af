//! The process that is killed.

use crate::common::WAIT;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The process, and what was asked of it.
pub struct Peer {
    pub child: Child,
    input: ChildStdin,
    /// Its answers.
    pub lines: Receiver<String>,
    asked: u64,
    before_round: u64,
}

impl Peer {
    /// Starts it; the answer to `initialize`, and how long that took.
    pub fn start(session: &Path) -> (Self, Value, Duration) {
        let begun = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_xi-editor"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if line.contains("\"id\":") && send.send(line).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take().unwrap();
        let mut peer = Self {
            child,
            input,
            lines,
            asked: 0,
            before_round: 0,
        };
        let hello = json!({"client": "kill", "protocols": ["xi-editor/1"], "session": session});
        let answer = peer.call("initialize", &hello).unwrap();
        let took = begun.elapsed();
        peer.begin_round();
        (peer, answer, took)
    }

    pub fn ask(&mut self, method: &str, params: &Value) {
        self.asked += 1;
        let line = json!({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params});
        // It may be dead already.
        let _ = self.input.write_all(format!("{line}\n").as_bytes());
    }

    /// Only between rounds: nothing else may wait for its answer.
    pub fn call(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        self.ask(method, params);
        self.begin_round();
        loop {
            let line = self.lines.recv_timeout(WAIT).unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer["id"] == self.asked {
                return match answer.get("error") {
                    None => Ok(answer["result"].clone()),
                    Some(error) => Err(error.to_string()),
                };
            }
        }
    }

    /// What is asked from now on belongs to the next round.
    pub fn begin_round(&mut self) {
        self.before_round = self.asked;
    }

    /// How much was asked before the round.
    pub fn before_round(&self) -> u64 {
        self.before_round
    }
}
