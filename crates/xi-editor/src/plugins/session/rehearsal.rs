//! A plugin that writes any bytes, without a process: for fuzzing, and to
//! replay what fuzzing kept.
//!
//! Each line is one that the plugin writes, but those that begin with `#`: they
//! say what the user does meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what does not hold is to be seen"
)]

use super::{About, Fault, Peer, Session};
use crate::companion::{Call, Desk, Notice, Snapshot};
use crate::editor::Editor;
use crate::plugins::delta::{Delta, Piece};
use crate::plugins::process::Stuck;
use crate::plugins::view::Change;
use crate::server::{Inbox, Outbox};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::{Message, RequestId};
use symphony_ipc_protocol::xi::{
    BufferKey, Close, Delete, EditOrigin, Insert, Open, Span, Undo, XiEvent,
};

/// So many lines at most.
const LINES: usize = 96;
/// What the views show at first.
const TEXTS: [&str; 2] = ["fn main() {\n    let é = \"日本\";\r\n}\n", ""];

/// Lets a plugin write lines, and checks what comes of them.
///
/// # Panics
/// When something does not hold.
pub fn rehearse(bytes: &[u8]) {
    let mut stage = Stage::new();
    for line in bytes.split(|b| *b == b'\n').take(LINES) {
        let outcome = match line.strip_prefix(b"#") {
            Some(act) => stage.act(act),
            None => stage.session.line(line),
        };
        let outcome = outcome.and_then(|()| stage.follow());
        stage.hear();
        if outcome.is_err() {
            break;
        }
    }
    stage.end();
}

/// Keeps what the plugin is sent.
#[derive(Default)]
struct Ear(RefCell<Vec<Vec<u8>>>);

impl Peer for Ear {
    fn send(&self, line: Vec<u8>) -> Result<(), Stuck> {
        self.0.borrow_mut().push(line);
        Ok(())
    }

    fn is_crowded(&self) -> bool {
        false
    }

    fn done_with(&self, _: usize) {}
}

struct Stage {
    session: Session<Ear>,
    editor: Editor,
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
    /// With the views' numbers.
    buffers: Vec<(BufferKey, u64)>,
    /// The text of every revision.
    texts: BTreeMap<(BufferKey, u64), String>,
    /// The texts as the plugin makes them of what it is told.
    copies: BTreeMap<String, String>,
}

impl Stage {
    fn new() -> Self {
        let (inbox, outbox) = (Arc::new(Inbox::default()), Arc::new(Outbox::default()));
        let desk = Desk::new(Arc::clone(&inbox), Arc::clone(&outbox));
        let (name, dropped) = (Arc::from("any"), Arc::default());
        let within = Duration::from_secs(60);
        let mut stage = Self {
            session: Session::new(&name, Ear::default(), &desk, within, &dropped),
            editor: Editor::default(),
            inbox,
            outbox,
            buffers: Vec::new(),
            texts: BTreeMap::new(),
            copies: BTreeMap::new(),
        };
        for text in TEXTS {
            let open = Open {
                path: None,
                text: Some(text.to_owned()),
            };
            stage.editor.open(open).unwrap();
        }
        drop((stage.editor.take_events(), stage.editor.take_notices()));
        let snapshots = stage.editor.snapshots();
        let config = Map::new();
        let about = |(view, now)| About {
            view,
            now,
            language: "Rust",
            config: &config,
        };
        let all: Vec<_> = (1..).zip(&snapshots).map(about).collect();
        stage.session.greet(1, &all).unwrap();
        for (view, now) in (1..).zip(&snapshots) {
            stage.buffers.push((now.buffer, view));
            stage.keep(now);
            let name = super::dialect::view_name(view);
            stage.copies.insert(name, String::from(&now.text));
        }
        stage
    }

    fn view_of(&self, buffer: BufferKey) -> Option<u64> {
        let mut buffers = self.buffers.iter();
        buffers
            .find(|(key, _)| *key == buffer)
            .map(|(_, view)| *view)
    }

    fn keep(&mut self, now: &Snapshot) {
        let text = String::from(&now.text);
        self.texts.insert((now.buffer, now.revision), text);
    }

    /// What the user does: a letter, then a number.
    fn act(&mut self, act: &[u8]) -> Result<(), Fault> {
        let number = usize::from(act.get(1).copied().unwrap_or_default());
        let Some((buffer, view)) = self.buffers.get(number % 2).copied() else {
            return Ok(());
        };
        let now = self.editor.snapshot(buffer, None).unwrap();
        let at = now.text.border_before(number % (now.text.len() + 1));
        match act.first() {
            Some(b'i') => {
                let text = String::from_utf8_lossy(&act[1..]).into_owned();
                let insert = Insert {
                    buffer,
                    at,
                    text,
                    base: None,
                    origin: EditOrigin::default(),
                };
                self.editor.insert(insert).unwrap();
            }
            Some(b'd') => {
                let delete = Delete {
                    buffer,
                    range: Span {
                        start: at,
                        end: now.text.len(),
                    },
                    base: None,
                    origin: EditOrigin::default(),
                };
                self.editor.delete(&delete).unwrap();
            }
            Some(b'u') => {
                self.editor.undo(&Undo { buffer }).unwrap();
            }
            Some(b'h') => {
                let id = RequestId::Number(1);
                let method = "plugin_hover".to_owned();
                let params = json!({"plugin": "any", "buffer": buffer, "position": at});
                let (call, _) = Call::new(id, method, params, Arc::clone(&self.outbox));
                let (_, reply) = call.read().unwrap();
                self.session.hover(view, at, reply)?;
            }
            Some(b't') => self.session.tend(Instant::now())?,
            Some(b'c') => {
                let discard = true;
                self.editor.close(&Close { buffer, discard }).unwrap();
            }
            _ => {}
        }
        Ok(())
    }

    /// What the editing loop and the hub do between two lines.
    fn follow(&mut self) -> Result<(), Fault> {
        while let Some(task) = self.inbox.try_take_task() {
            task(&mut self.editor);
        }
        self.editor.take_events();
        for notice in self.editor.take_notices() {
            match notice {
                Notice::Changed {
                    now,
                    edits,
                    author,
                    undone,
                } => {
                    self.keep(&now);
                    let view = self.view_of(now.buffer).unwrap();
                    let change = Change::of_edits(&now, &edits, &author, undone);
                    self.session.changed(view, change)?;
                }
                Notice::Closed(buffer) => {
                    let view = self.view_of(buffer).unwrap();
                    self.buffers.retain(|(key, _)| *key != buffer);
                    self.session.closed(view)?;
                }
                Notice::Opened(_) | Notice::Saved(_) => {}
            }
        }
        Ok(())
    }

    /// What the plugin is told leads to the texts that there are.
    fn hear(&mut self) {
        for line in self.session.process.0.take() {
            let heard: Value = serde_json::from_slice(&line).unwrap();
            if heard["method"] != "update" {
                continue;
            }
            let params = &heard["params"];
            let name = params["view_id"].as_str().unwrap();
            let delta: Delta = serde_json::from_value(params["delta"].clone()).unwrap();
            let copy = self.copies.get_mut(name).unwrap();
            *copy = applied(&delta, copy);
            let revision = params["rev"].as_u64().unwrap();
            let mut buffers = self.buffers.iter();
            let buffer = buffers.find(|(_, view)| super::dialect::view_name(*view) == name);
            if let Some((buffer, _)) = buffer {
                assert_eq!(*copy, self.texts[&(*buffer, revision)]);
            }
        }
    }

    /// What the client was told lies in the texts.
    fn end(self) {
        let Self {
            session,
            outbox,
            editor,
            inbox,
            texts,
            ..
        } = self;
        drop((session, editor, inbox));
        let Some(outbox) = Arc::into_inner(outbox) else {
            panic!("nobody else tells the client anything");
        };
        let bytes = outbox.into_bytes();
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            if let Message::Notification { params, .. } = Message::parse(line).unwrap() {
                check(&serde_json::from_value(params).unwrap(), &texts);
            }
        }
    }
}

/// As upstream's library applies a delta.
fn applied(delta: &Delta, old: &str) -> String {
    assert_eq!(delta.base_len, old.len());
    let piece = |piece: &Piece| match piece {
        Piece::Copy(start, end) => old[*start..*end].to_owned(),
        Piece::Insert(text) => text.clone(),
    };
    delta.els.iter().map(piece).collect()
}

fn check(event: &XiEvent, texts: &BTreeMap<(BufferKey, u64), String>) {
    let within = |buffer: &BufferKey, revision: &u64, range: &Span, part: (usize, usize)| {
        let text = &texts[&(*buffer, *revision)];
        assert!(text.get(part.0..part.1).is_some(), "{event:?}");
        assert!(range.start <= part.0 && part.1 <= range.end, "{event:?}");
    };
    match event {
        XiEvent::PluginSpans {
            buffer,
            revision,
            range,
            scopes,
            spans,
            ..
        } => {
            assert!(spans.is_sorted_by_key(|span| span.0));
            for (start, end, scope) in spans {
                within(buffer, revision, range, (*start, *end));
                assert!(*scope < scopes.len());
            }
        }
        XiEvent::PluginAnnotations {
            buffer,
            revision,
            range,
            annotations,
            ..
        } => {
            for note in annotations {
                within(buffer, revision, range, (note.start, note.end));
            }
        }
        _ => {}
    }
}

#[test]
fn what_fuzzing_kept_is_replayed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/dialect");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        rehearse(&std::fs::read(path).unwrap());
        count += 1;
    }
    assert!(count > 0);
}
