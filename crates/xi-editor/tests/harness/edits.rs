//! Edits against held revisions, undo and redo, beside a model that replays what is told.

use super::replaced;
use super::source::{Source, fit};
use std::collections::HashMap;
use symphony_ipc_protocol::xi::{Applied, OnOverlap, Replace};
use xi_editor::engine::{Buffer, EditError, Run, Text};

/// So many operations at most.
const OPERATIONS: usize = 200;
/// Texts grow no longer.
const MAX_LEN: usize = 4 * 1024;

struct Pair {
    buffer: Buffer,
    /// The text of every revision.
    texts: Vec<String>,
    states: HashMap<u64, String>,
    nodes: HashMap<u64, String>,
}

pub fn run(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let start = source.text(12);
    let mut pair = Pair {
        buffer: Buffer::new(Text::from(start.as_str())),
        texts: vec![start],
        states: HashMap::new(),
        nodes: HashMap::new(),
    };
    pair.note();
    for _ in 0..OPERATIONS {
        if source.is_empty() {
            break;
        }
        pair.step(&mut source);
    }
    pair.unwind();
}

impl Pair {
    fn text(&self) -> &str {
        self.texts.last().unwrap()
    }

    fn step(&mut self, source: &mut Source<'_>) {
        match source.byte() % 12 {
            0 => self.undo(),
            1 => self.redo(),
            2 => {
                let nodes = self.buffer.undo_tree();
                let node = nodes[source.below(nodes.len())].node;
                let applied = self.buffer.undo_to(node).unwrap();
                self.took(&applied);
                assert_eq!(self.buffer.node(), node);
                assert_eq!(self.text(), self.nodes[&node]);
            }
            3 => self.buffer.tidy(),
            4 if self.text().len() < MAX_LEN => {
                let edits = source.edits(self.text());
                let run = Run {
                    view: 1,
                    moves: u64::from(source.byte() % 2),
                    deletes: source.flag(),
                };
                let origin = source.origin();
                let expected = self.expected(&edits);
                let outcome = self.buffer.edit_in_run(edits, run, &origin);
                self.judge(expected, outcome);
            }
            5 if self.text().len() < MAX_LEN => {
                let edits = source.edits(self.text());
                let expected = self.expected(&edits);
                let origin = source.origin();
                let outcome = self
                    .buffer
                    .edit_joining(None, edits, OnOverlap::Refuse, &origin);
                self.judge(expected, outcome);
            }
            _ if self.text().len() < MAX_LEN => self.edit(source),
            _ => self.undo(),
        }
        self.note();
    }

    /// What edits of the newest text make of it, if they are edits of it.
    fn expected(&self, edits: &[Replace]) -> Option<String> {
        fit(self.text(), edits).then(|| replaced(self.text(), edits))
    }

    fn judge(&mut self, expected: Option<String>, outcome: Result<Applied, EditError>) {
        match (expected, outcome) {
            (Some(text), Ok(applied)) => {
                self.took(&applied);
                assert_eq!(self.text(), text);
            }
            (None, Err(_)) => {}
            (expected, outcome) => panic!("{expected:?}, but {outcome:?}"),
        }
    }

    /// An edit against any revision.
    fn edit(&mut self, source: &mut Source<'_>) {
        let newest = self.buffer.revision();
        let base = newest - source.below(usize::try_from(newest).unwrap() + 1) as u64;
        let based = self.texts[usize::try_from(base).unwrap()].clone();
        assert_eq!(String::from(self.buffer.at(Some(base)).unwrap()), based);
        let edits = source.edits(&based);
        let (policy, origin) = (source.policy(), source.origin());
        let outcome = self.buffer.edit(Some(base), edits.clone(), policy, &origin);
        match outcome {
            Ok(applied) => {
                assert!(fit(&based, &edits));
                assert!(policy != OnOverlap::RefuseStale || base == newest);
                assert!(policy != OnOverlap::Refuse || applied.overlaps.is_empty());
                self.took(&applied);
                for edit in &edits {
                    assert!(self.text().contains(&edit.text), "what was inserted stays");
                }
                if base == newest {
                    assert_eq!(self.text(), replaced(&based, &edits));
                    assert!(applied.overlaps.is_empty());
                }
            }
            Err(EditError::Overlap { overlaps, .. }) => {
                assert!(policy == OnOverlap::Refuse && !overlaps.is_empty());
                self.within(overlaps.iter().map(|span| (span.start, span.end)));
            }
            Err(EditError::Stale { .. }) => {
                assert!(policy == OnOverlap::RefuseStale && base < newest);
            }
            Err(EditError::Engine(why)) => panic!("{why}"),
            Err(_) => assert!(!fit(&based, &edits)),
        }
        self.changes_are_true(base);
    }

    /// What `changes_from` leaves out is the same in both texts.
    fn changes_are_true(&self, base: u64) {
        let old = &self.texts[usize::try_from(base).unwrap()];
        let (_, changes) = self.buffer.changes_from(base).unwrap();
        let (mut at, mut now) = (0, 0);
        for change in changes.iter() {
            let kept = change.start - at;
            assert_eq!(old[at..change.start], self.text()[now..now + kept]);
            (at, now) = (change.start + change.old, now + kept + change.new);
        }
        assert_eq!(old[at..], self.text()[now..]);
        for at in (0..=old.len()).filter(|at| old.is_char_boundary(*at)) {
            let (before, after) = (changes.moved(at, false), changes.moved(at, true));
            assert!(self.text().is_char_boundary(before) && self.text().is_char_boundary(after));
            assert!(before <= after);
        }
    }

    fn undo(&mut self) {
        let applied = self.buffer.undo();
        let before = self.text().to_owned();
        self.took(&applied);
        if applied.changed {
            let applied = self.buffer.redo();
            self.took(&applied);
            assert_eq!(self.text(), before, "redo brings back what undo took");
            let applied = self.buffer.undo();
            self.took(&applied);
        }
    }

    fn redo(&mut self) {
        let applied = self.buffer.redo();
        self.took(&applied);
    }

    /// Replays what was told.
    fn took(&mut self, applied: &Applied) {
        assert_eq!(applied.revision, self.buffer.revision());
        assert_eq!(applied.changed, !applied.edits.is_empty());
        assert!(fit(self.text(), &applied.edits), "{:?}", applied.edits);
        if applied.changed {
            self.texts.push(replaced(self.text(), &applied.edits));
        }
        assert_eq!(self.texts.len() as u64, applied.revision + 1);
        self.within(applied.overlaps.iter().map(|span| (span.start, span.end)));
        assert_eq!(String::from(self.buffer.text()), self.text());
    }

    fn within(&self, spans: impl Iterator<Item = (usize, usize)>) {
        for (start, end) in spans {
            assert!(self.text().get(start..end).is_some(), "{start}..{end}");
        }
    }

    /// One state has one text; a node's text is that of its newest edit.
    fn note(&mut self) {
        let text = self.text().to_owned();
        let known = self.states.entry(self.buffer.state()).or_insert(text);
        assert_eq!(known, self.texts.last().unwrap());
        self.nodes
            .insert(self.buffer.node(), self.text().to_owned());
        let tree = self.buffer.undo_tree();
        let current = tree.iter().filter(|node| node.current);
        assert!(current.map(|node| node.node).eq([self.buffer.node()]));
        let summary = self.buffer.summary();
        assert_eq!(summary, Text::from(self.text()).summary());
    }

    /// Undone to the end, the first text is back.
    fn unwind(&mut self) {
        loop {
            let node = self.buffer.node();
            let applied = self.buffer.undo();
            self.took(&applied);
            if self.buffer.node() == node {
                break;
            }
            assert_eq!(self.text(), self.nodes[&self.buffer.node()]);
        }
        assert_eq!(self.text(), self.texts[0]);
    }
}
