//! Rounds of `kill -9` at random moments under an editing load: nothing that
//! was acknowledged is lost. The model is an editor in this process that is
//! never killed.
//!
//! `XI_KILL_ROUNDS` sets how many (20 otherwise; `cargo xtask kills` runs many),
//! `XI_KILL_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;
mod killing;

use common::wait_end;
use killing::acts::{Act, Random};
use killing::model::Model;
use killing::peer::Peer;
use killing::state::{Keys, State};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Edits a second.
const RATE: u64 = 200;
/// A round lasts between these, in milliseconds.
const ROUND: (u64, u64) = (20, 400);
const BUFFERS: usize = 4;

/// Both editors, and the keys that each gave.
struct World {
    peer: Peer,
    model: Model,
    theirs: Keys,
    ours: Keys,
    /// What was asked in this round, in order.
    asked: Vec<Act>,
    /// How much of it was answered, and with which result.
    answered: Vec<bool>,
}

fn open(folder: &Path, mut call: impl FnMut(&str, &Value) -> Result<Value, String>) -> Keys {
    let mut keys = Keys::default();
    for n in 0..BUFFERS {
        let request = if n > 0 {
            let path = folder.join(format!("{n}.rs"));
            std::fs::write(&path, "fn f() {\n    one\n    two\n}\n").unwrap();
            json!({"path": path})
        } else {
            json!({"text": ""})
        };
        let buffer = call("open", &request).unwrap()["buffer"].clone();
        for _ in 0..2 {
            let view = call("open_view", &json!({"buffer": buffer})).unwrap();
            keys.views.push(view["view"].clone());
        }
        keys.buffers.push(buffer);
    }
    keys
}

impl World {
    fn new(root: &Path) -> Self {
        let folder = |name: &str| {
            let folder = root.join(name);
            std::fs::create_dir(&folder).unwrap();
            folder
        };
        let (mut peer, _, _) = Peer::start(&root.join("session"));
        let mut model = Model::default();
        Self {
            theirs: open(&folder("theirs"), |method, params| {
                peer.call(method, params)
            }),
            ours: open(&folder("ours"), |method, params| model.call(method, params)),
            peer,
            model,
            asked: Vec::new(),
            answered: Vec::new(),
        }
    }

    /// Edits at the rate until the moment of the kill, reads what was
    /// acknowledged by then, and kills it. In the end more may have been done
    /// than acknowledged. When it was killed.
    fn round(&mut self, random: &mut Random) -> Instant {
        let lasts = Duration::from_millis(ROUND.0 + random.below(ROUND.1 - ROUND.0));
        let begun = Instant::now();
        let newest = self.model.newest_nodes(&self.ours);
        self.asked.clear();
        self.answered.clear();
        while begun.elapsed() < lasts {
            let act = Act::random(random, &newest);
            let (method, params) = act.request(&self.theirs);
            self.asked.push(act);
            self.peer.ask(method, &params);
            let made = self.asked.len() as u64;
            let next = begun + Duration::from_millis(made * 1_000 / RATE);
            loop {
                let left = next.saturating_duration_since(Instant::now());
                match self.peer.lines.recv_timeout(left) {
                    Ok(line) => self.note(&line),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => panic!("it ended by itself"),
                }
            }
        }
        let killed = Instant::now();
        self.peer.child.kill().unwrap();
        wait_end(&mut self.peer.child);
        // What was written before the kill was acknowledged as well.
        while let Ok(line) = self.peer.lines.recv_timeout(common::WAIT) {
            self.note(&line);
        }
        killed
    }

    fn note(&mut self, line: &str) {
        let answer: Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            answer["id"].as_u64().unwrap(),
            self.peer.before_round() + self.answered.len() as u64 + 1,
            "answers come in order"
        );
        self.answered.push(answer.get("error").is_none());
    }

    /// Compares what is back with the model, and goes on from there; how many
    /// operations were done that were not acknowledged.
    fn compare(&mut self, answer: &Value) -> usize {
        assert!(answer.get("not_restored").is_none(), "{answer}");
        let restored = answer["restored"].as_array().unwrap();
        let keys = restored.iter().map(|r| r["info"]["buffer"].clone());
        let keys: Vec<Value> = keys.collect();
        assert_eq!(keys, self.theirs.buffers, "in the order they were opened");
        let theirs = State::of(&self.theirs, |m, p| self.peer.call(m, p));
        for (act, succeeded) in self.asked.iter().zip(&self.answered) {
            let (method, params) = act.request(&self.ours);
            let done = self.model.call(method, &params);
            assert_eq!(done.is_ok(), *succeeded, "{act:?}: {done:?}");
        }
        let mut first = None;
        for more in 0..=self.asked.len() - self.answered.len() {
            let ours = State::of(&self.ours, |m, p| self.model.call(m, p));
            let Some(difference) = theirs.difference(&ours) else {
                return more;
            };
            first.get_or_insert(difference);
            let Some(act) = self.asked.get(self.answered.len() + more) else {
                break;
            };
            let (method, params) = act.request(&self.ours);
            // What it answered nobody knows.
            let _ = self.model.call(method, &params);
        }
        panic!(
            "{} of {} were acknowledged, the last of them {:?}: {}",
            self.answered.len(),
            self.asked.len(),
            self.answered.len().checked_sub(1).map(|n| &self.asked[n]),
            first.unwrap_or_default()
        );
    }
}

fn setting(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().unwrap())
}

fn times(what: &str, times: &mut [Duration]) {
    times.sort();
    let of = |of_100: usize| times[(times.len() - 1) * of_100 / 100].as_secs_f64() * 1e3;
    println!(
        "{what}: p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms",
        of(50),
        of(99),
        of(100)
    );
}

#[test]
fn nothing_acknowledged_is_lost() {
    let rounds = setting("XI_KILL_ROUNDS", 20);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = setting("XI_KILL_SEED", u64::from(now.subsec_nanos()) | 1);
    println!("XI_KILL_SEED={seed}");
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let mut world = World::new(&root);
    let (mut recoveries, mut blocks) = (Vec::new(), Vec::new());
    let (mut acknowledged, mut unacknowledged) = (0, 0);
    for n in 1..=rounds {
        let killed = world.round(&mut random);
        let (peer, answer, took) = Peer::start(&root.join("session"));
        world.peer = peer;
        let caller = json!({"buffer": world.theirs.buffers[0]});
        world.peer.call("content", &caller).unwrap();
        blocks.push(killed.elapsed());
        recoveries.push(took);
        acknowledged += world.answered.len();
        unacknowledged += world.compare(&answer);
        world.peer.begin_round();
        if n.is_multiple_of(50) {
            println!("{n} rounds: back after {:.1} ms", took.as_secs_f64() * 1e3);
        }
    }
    world.peer.child.kill().unwrap();
    wait_end(&mut world.peer.child);
    println!(
        "{rounds} rounds of kill -9: {acknowledged} operations acknowledged, 0 lost; {unacknowledged} done and not acknowledged"
    );
    times(
        "from the start of the process until all is back",
        &mut recoveries,
    );
    times("a caller waits from the kill to its answer", &mut blocks);
}
