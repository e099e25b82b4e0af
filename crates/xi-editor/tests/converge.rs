//! Several writers on one buffer converge, whatever the order of events.
//!
//! Each schedule is random from a seed, which a failure prints. Two kinds of
//! writers take part: views, which show an edit before it is accepted and
//! rebase it themselves (`refuse_stale`), and agents, which edit against the
//! revision they last read and leave rebasing to the engine (`merge`).
//!
//! `SYMPHONY_SCHEDULES` sets how many schedules are played (300 otherwise).
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::VecDeque;
use symphony_ipc_protocol::xi::{Applied, EditOrigin, OnOverlap, Replace, RevisionNumber};
use xi_editor::engine::{Buffer, Changes, EditError, Text};

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }
}

fn replaced(text: &str, edits: &[Replace]) -> String {
    let mut out = text.to_owned();
    for edit in edits.iter().rev() {
        out.replace_range(edit.start..edit.end, &edit.text);
    }
    out
}

/// One to three edits of a text, sorted and apart.
fn some_edits(random: &mut Random, text: &str, mark: char) -> Vec<Replace> {
    let borders: Vec<usize> = (0..=text.len())
        .filter(|i| text.is_char_boundary(*i))
        .collect();
    let mut edits: Vec<Replace> = Vec::new();
    let mut from = 0;
    for _ in 0..=random.below(3) {
        if from >= borders.len() {
            break;
        }
        let first = from + random.below((borders.len() - from).min(12));
        let last = (first + random.below(4)).min(borders.len() - 1);
        let inserted = match random.below(5) {
            0 => String::new(),
            1 => format!("{mark}\n"),
            2 => format!("é{mark}日"),
            _ => mark.to_string(),
        };
        edits.push(Replace {
            start: borders[first],
            end: borders[last],
            text: inserted,
        });
        from = last + 1;
    }
    edits
}

/// What the engine told a writer, in order.
enum Told {
    /// A revision, made by somebody (perhaps this writer).
    Revision(Applied, usize),
    /// This writer's edit changed nothing, or was refused.
    NoRevision,
}

/// A view: `shown` is the accepted text with the own unaccepted edits.
struct View {
    accepted: String,
    revision: RevisionNumber,
    /// Made to `accepted`, not accepted yet.
    own: Vec<Replace>,
    shown: String,
    in_flight: Option<(RevisionNumber, Vec<Replace>)>,
}

impl View {
    /// The user types: seen at once.
    fn type_something(&mut self, random: &mut Random, mark: char) {
        let edits = some_edits(random, &self.shown, mark);
        self.shown = replaced(&self.shown, &edits);
        self.own = composed(self.accepted.len(), &self.own, &edits);
        assert_eq!(replaced(&self.accepted, &self.own), self.shown);
    }

    /// The edits to send now, if none are under way.
    fn send(&mut self) -> Option<(RevisionNumber, Vec<Replace>)> {
        if self.in_flight.is_some() || self.own.is_empty() {
            return None;
        }
        self.in_flight = Some((self.revision, self.own.clone()));
        self.in_flight.clone()
    }

    fn take(&mut self, told: Told, me: usize) {
        match told {
            Told::NoRevision => {
                self.in_flight = None;
                if self.shown == self.accepted {
                    // Text replaced by itself is no revision.
                    self.own.clear();
                }
            }
            Told::Revision(applied, who) if who == me => {
                let (_, sent) = self.in_flight.take().unwrap();
                let before = replaced(&self.accepted, &sent);
                self.accepted = replaced(&self.accepted, &applied.edits);
                assert_eq!(self.accepted, before, "accepted as shown");
                self.revision = applied.revision;
                // What was typed since stays: it is the rest between accepted and shown.
                self.own = difference(&self.accepted, &self.shown);
            }
            Told::Revision(applied, _) => {
                self.accepted = replaced(&self.accepted, &applied.edits);
                self.revision = applied.revision;
                let own = std::mem::take(&mut self.own);
                self.own = Changes::of_edits(&applied.edits).rebase(own).edits;
                self.shown = replaced(&self.accepted, &self.own);
            }
        }
    }
}

/// One edit that turns `old` into `new`.
fn difference(old: &str, new: &str) -> Vec<Replace> {
    if old == new {
        return Vec::new();
    }
    let mut start = old
        .bytes()
        .zip(new.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    while !old.is_char_boundary(start) || !new.is_char_boundary(start) {
        start -= 1;
    }
    let most = old.len().min(new.len()) - start;
    let equal = |(a, b): &(u8, u8)| a == b;
    let ends = old.bytes().rev().zip(new.bytes().rev());
    let mut tail = ends.take(most).take_while(equal).count();
    while !old.is_char_boundary(old.len() - tail) || !new.is_char_boundary(new.len() - tail) {
        tail -= 1;
    }
    vec![Replace {
        start,
        end: old.len() - tail,
        text: new[start..new.len() - tail].to_owned(),
    }]
}

/// Two steps as one. Pieces of the middle text are either old or inserted.
fn composed(len: usize, first: &[Replace], second: &[Replace]) -> Vec<Replace> {
    #[derive(Clone)]
    enum Piece {
        Old(usize, usize),
        New(String),
    }
    let mut middle = Vec::new();
    let mut at = 0;
    for edit in first {
        middle.push(Piece::Old(at, edit.start));
        middle.push(Piece::New(edit.text.clone()));
        at = edit.end;
    }
    middle.push(Piece::Old(at, len));
    let cut = |from: usize, to: usize| -> Vec<Piece> {
        let (mut out, mut at) = (Vec::new(), 0);
        for piece in &middle {
            let size = match piece {
                Piece::Old(a, b) => b - a,
                Piece::New(text) => text.len(),
            };
            let (a, b) = (from.max(at), to.min(at + size));
            if a < b {
                out.push(match piece {
                    Piece::Old(start, _) => Piece::Old(start + a - at, start + b - at),
                    Piece::New(text) => Piece::New(text[a - at..b - at].to_owned()),
                });
            }
            at += size;
        }
        out
    };
    let mut last = Vec::new();
    let mut at = 0;
    for edit in second {
        last.extend(cut(at, edit.start));
        last.push(Piece::New(edit.text.clone()));
        at = edit.end;
    }
    last.extend(cut(at, usize::MAX));
    let mut edits: Vec<Replace> = Vec::new();
    let (mut old, mut text) = (0, String::new());
    for piece in last.into_iter().chain([Piece::Old(len, len)]) {
        match piece {
            Piece::New(new) => text.push_str(&new),
            Piece::Old(start, end) => {
                if start > old || !text.is_empty() {
                    let text = std::mem::take(&mut text);
                    edits.push(Replace {
                        start: old,
                        end: start,
                        text,
                    });
                }
                old = end;
            }
        }
    }
    edits
}

/// One schedule: 2 to 8 writers, random delays on every way, then silence.
fn play(seed: u64) {
    let mut random = Random(seed);
    let start = "fn main() {\n    println!(\"日本é\");\n}\n";
    let mut buffer = Buffer::new(Text::from(start));
    let writers = 2 + random.below(7);
    let is_view: Vec<bool> = (0..writers)
        .map(|i| i == 0 || random.below(3) > 0)
        .collect();
    let view = || View {
        accepted: start.to_owned(),
        revision: 0,
        own: Vec::new(),
        shown: start.to_owned(),
        in_flight: None,
    };
    let mut views: Vec<View> = (0..writers).map(|_| view()).collect();
    let mut told: Vec<VecDeque<Told>> = (0..writers).map(|_| VecDeque::new()).collect();
    let mut sent: Vec<VecDeque<(RevisionNumber, Vec<Replace>)>> = vec![VecDeque::new(); writers];
    let steps = 40 + random.below(60);
    let mut quiet = 0;
    for step in 0.. {
        let who = random.below(writers);
        let mark = char::from(b'a' + u8::try_from(who).unwrap());
        let typing = step < steps;
        match random.below(4) {
            0 if typing => views[who].type_something(&mut random, mark),
            1 => sent[who].extend(views[who].send()),
            2 => {
                if let Some((base, edits)) = sent[who].pop_front() {
                    deliver(&mut buffer, who, is_view[who], base, edits, &mut told);
                }
            }
            _ => {
                if let Some(news) = told[who].pop_front() {
                    take(&mut views[who], news, who, is_view[who]);
                }
            }
        }
        if typing && random.below(12) == 0 {
            tell(buffer.undo(), usize::MAX, &mut told);
        }
        let idle = |w: usize| told[w].is_empty() && sent[w].is_empty() && views[w].own.is_empty();
        quiet = if !typing && (0..writers).all(idle) {
            quiet + 1
        } else {
            0
        };
        assert!(
            step < 100_000,
            "seed {seed}: the writers never come to rest"
        );
        if quiet > 0 {
            break;
        }
    }
    let text = String::from(buffer.text());
    for (who, view) in views.iter().enumerate() {
        assert_eq!(
            view.revision,
            buffer.revision(),
            "seed {seed}, writer {who}"
        );
        assert_eq!(view.shown, text, "seed {seed}, writer {who}");
    }
}

fn take(view: &mut View, news: Told, who: usize, is_view: bool) {
    // An agent shows nothing of its own: what it sent is what the engine made of it.
    match news {
        Told::Revision(applied, by) if by == who && !is_view => {
            view.in_flight = None;
            view.accepted = replaced(&view.accepted, &applied.edits);
            view.revision = applied.revision;
            view.own.clear();
            view.shown.clone_from(&view.accepted);
        }
        Told::NoRevision if !is_view => {
            view.in_flight = None;
            view.own.clear();
            view.shown.clone_from(&view.accepted);
        }
        news => view.take(news, who),
    }
}

fn tell(applied: Applied, who: usize, told: &mut [VecDeque<Told>]) {
    if applied.changed {
        for queue in told.iter_mut() {
            queue.push_back(Told::Revision(applied.clone(), who));
        }
    } else if let Some(queue) = told.get_mut(who) {
        queue.push_back(Told::NoRevision);
    }
}

fn deliver(
    buffer: &mut Buffer,
    who: usize,
    is_view: bool,
    base: RevisionNumber,
    edits: Vec<Replace>,
    told: &mut [VecDeque<Told>],
) {
    let policy = if is_view {
        OnOverlap::RefuseStale
    } else {
        OnOverlap::Merge
    };
    let origin = EditOrigin {
        author: format!("writer {who}"),
        group: None,
    };
    match buffer.edit(Some(base), edits, policy, &origin) {
        Ok(applied) => tell(applied, who, told),
        Err(EditError::Stale { .. }) => told[who].push_back(Told::NoRevision),
        Err(error) => panic!("writer {who}: {error}"),
    }
}

#[test]
fn writers_converge_under_random_schedules() {
    let schedules = std::env::var("SYMPHONY_SCHEDULES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(300);
    for seed in 0..schedules {
        play(seed);
    }
    println!("{schedules} schedules of 2 to 8 writers, seeds 0..{schedules}");
}
