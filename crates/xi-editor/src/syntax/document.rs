//! One buffer's text, its language, and what is known of it.

use super::grammars::{Grammars, Origin};
use super::paint::Painter;
use super::shown::{Look, Shown};
use super::state::{MAX_LINE_BYTES, State};
use super::states::{Age, Reached, States};
use crate::companion::Snapshot;
use crate::engine::Text;
use std::time::{Duration, Instant};
use symphony_ipc_protocol::xi::Replace;

/// Before the lines asked for an answer goes over others, for about so long at
/// most; when what is known ends further above, it begins with a guess.
const LEAD_TIME: Duration = Duration::from_millis(10);
/// Those are so many lines, whatever the time: at least, at most.
const LEAD_LINES: (usize, usize) = (64, 512);
/// And at most so many bytes.
const LEAD_BYTES: usize = 128 * 1024;
/// Until it is known how long a line takes.
const FIRST_PACE: Duration = Duration::from_micros(50);
/// Of larger texts only what is asked for is gone over.
const MAX_BACKGROUND_BYTES: usize = 64 * 1024 * 1024;
/// After so many lines it is asked whether anybody waits for the answer.
const CANCEL_LINES: usize = 64;

/// Of a request: which lines, the end not included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    pub(super) first: usize,
    pub(super) end: usize,
}

/// One buffer.
pub(super) struct Document {
    now: Snapshot,
    language: String,
    origin: Origin,
    /// What is known; `None` for plain text and when nobody asked.
    states: Option<States>,
    shown: Shown,
    /// A line, for the parser.
    line: String,
    /// How long a line takes, by the last few.
    pace: Duration,
}

impl Document {
    pub(super) fn new(now: Snapshot, grammars: &Grammars) -> Self {
        let (language, origin) = detect(&now, grammars);
        Self {
            now,
            language,
            origin,
            states: None,
            shown: Shown::default(),
            line: String::new(),
            pace: FIRST_PACE,
        }
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.now
    }

    pub(super) fn language(&self) -> &str {
        &self.language
    }

    /// Takes a change in: edits in positions of the text before. True when
    /// everything the client was shown may be wrong.
    pub(super) fn change(
        &mut self,
        now: Snapshot,
        edits: &[Replace],
        grammars: &Grammars,
        age: Age,
    ) -> bool {
        let mut at_first = false;
        // From the last to the first, so that lines before an edit keep their numbers.
        for edit in edits.iter().rev() {
            let first = self.now.text.line_of(edit.start);
            let last = self.now.text.line_of(edit.end);
            let come = memchr::memchr_iter(b'\n', edit.text.as_bytes()).count();
            let growth = come.cast_signed() - (last - first).cast_signed();
            at_first |= first == 0;
            self.shown.edit(first, last, growth);
            if let Some(states) = &mut self.states {
                states.edit(first, last, growth, age);
            }
        }
        self.now = now;
        if let Some(states) = &mut self.states {
            states.fit(self.now.text.lines());
        }
        at_first && self.origin == Origin::FirstLine && self.find_language(grammars)
    }

    /// The text is another, and nobody knows where. True as in [`Document::change`].
    pub(super) fn replace(&mut self, now: Snapshot, grammars: &Grammars) -> bool {
        if now.revision == self.now.revision {
            return self.moved(now, grammars);
        }
        self.now = now;
        self.states = None;
        let redetected = self.origin != Origin::Client && self.find_language(grammars);
        self.shown.clear() || redetected
    }

    /// It belongs to a file, maybe another. True as in [`Document::change`].
    pub(super) fn moved(&mut self, now: Snapshot, grammars: &Grammars) -> bool {
        let same = self.now.path == now.path;
        self.now = now;
        !same && self.origin != Origin::Client && self.find_language(grammars)
    }

    fn find_language(&mut self, grammars: &Grammars) -> bool {
        let (language, origin) = detect(&self.now, grammars);
        self.set_language(language, origin)
    }

    /// The client names a language, or `None` to have it found. True as in
    /// [`Document::change`].
    pub(super) fn choose(&mut self, language: Option<&str>, grammars: &Grammars) -> bool {
        match language {
            Some(language) => self.set_language(language.to_owned(), Origin::Client),
            None => self.find_language(grammars),
        }
    }

    fn set_language(&mut self, language: String, origin: Origin) -> bool {
        self.origin = origin;
        if self.language == language {
            return false;
        }
        self.language = language;
        self.states = None;
        self.shown.clear()
    }

    /// Paints lines; whether that is certain, or `None` when nobody waits any more.
    pub(super) fn answer(
        &mut self,
        grammars: &Grammars,
        lines: Lines,
        painter: &mut Painter<'_>,
        age: Age,
        given_up: impl Fn() -> bool,
    ) -> Option<bool> {
        let Some(grammar) = grammars.grammar(&self.language) else {
            let looks = (lines.first..lines.end).map(|line| (line, 0));
            self.shown.answered(looks.collect());
            return Some(true);
        };
        let all = self.now.text.lines();
        let states = self.states.get_or_insert_with(|| {
            let mut states = States::new(State::new(grammar));
            states.fit(all);
            states
        });
        let (mut line, mut state, mut certain) = states.before(lines.first);
        let lead = lead(self.pace);
        let text = &self.now.text;
        if lines.first - line > lead.max(states.spacing())
            || text.line_start(lines.first) - text.line_start(line) > LEAD_BYTES
        {
            line = guess_line(text, lines.first, lead / 2);
            state = State::new(grammar);
            states.guess(line, state.clone(), age);
            certain = false;
        }
        let mut looks = Vec::with_capacity(lines.end - lines.first);
        while line < lines.end {
            if line == lines.first {
                self.keep(line, &state);
            }
            let paint = (line >= lines.first).then_some(&mut *painter);
            let painted = paint.is_some();
            let (look, _) = self.timed_pass(grammars, line, &mut state, paint);
            if painted {
                looks.push((line, look));
            }
            line += 1;
            if line % CANCEL_LINES == 0 && given_up() {
                self.keep(line, &state);
                return None;
            }
        }
        self.keep(line, &state);
        self.shown.answered(looks);
        Some(certain)
    }

    fn keep(&mut self, line: usize, state: &State) {
        if line < self.now.text.lines()
            && let Some(states) = &mut self.states
        {
            states.keep(line, state);
        }
    }

    /// How old the newest thing is that is to be done in the background.
    pub(super) fn waiting(&self) -> Option<Age> {
        let small = self.now.text.len() <= MAX_BACKGROUND_BYTES;
        let states = self.states.as_ref().filter(|_| small)?;
        states.next().map(|(age, _)| age)
    }

    /// Does that, for some time.
    pub(super) fn work(&mut self, grammars: &Grammars, until: Instant) {
        let Some((line, state, _)) = self.states.as_ref().and_then(|states| {
            let (_, from) = states.next()?;
            Some(states.before(from))
        }) else {
            return;
        };
        let (mut line, mut state) = (line, state);
        let all = self.now.text.lines();
        while line < all {
            let (_, reached) = self.timed_pass(grammars, line, &mut state, None);
            line += 1;
            if reached == Reached::Mended {
                return;
            }
            if Instant::now() >= until {
                self.keep(line, &state);
                return;
            }
        }
    }

    /// As [`Document::pass`], and remembers how long lines take.
    fn timed_pass(
        &mut self,
        grammars: &Grammars,
        line: usize,
        state: &mut State,
        paint: Option<&mut Painter<'_>>,
    ) -> (u64, Reached) {
        let start = Instant::now();
        let passed = self.pass(grammars, line, state, paint);
        // One slow line, when a grammar is unpacked for instance, says little.
        let took = start.elapsed().min(self.pace * 8);
        self.pace = (self.pace * 31 + took) / 32;
        self.pace = self.pace.max(Duration::from_micros(1));
        passed
    }

    /// Goes over one line. What it looks like (0 when nobody wants to know), and
    /// what was known at its end.
    fn pass(
        &mut self,
        grammars: &Grammars,
        line: usize,
        state: &mut State,
        mut paint: Option<&mut Painter<'_>>,
    ) -> (u64, Reached) {
        let text = &self.now.text;
        let (start, end) = (text.line_start(line), text.line_start(line + 1));
        let wanted = paint.is_some() || self.shown.has(line);
        let mut look = Look::default();
        let mut rest = end - start;
        if rest <= MAX_LINE_BYTES {
            self.line.clear();
            self.line.push_str(&text.slice(start, end));
            // Grammars know no other end of a line, and each line has one.
            self.line
                .truncate(self.line.trim_end_matches(['\r', '\n']).len());
            self.line.push('\n');
            state.step(grammars.set(), &self.line, |len, scopes| {
                if wanted {
                    look.add(len, scopes);
                }
                if let Some(painter) = &mut paint {
                    painter.piece(len, scopes);
                }
                rest -= len;
            });
        }
        match paint {
            Some(painter) => painter.skip(rest),
            None if wanted => self.shown.again(line, look.finish()),
            None => {}
        }
        let last = line + 1 >= text.lines();
        let reached = match &mut self.states {
            Some(states) if last => {
                states.ended();
                Reached::Open
            }
            Some(states) => states.reached(line + 1, state),
            None => Reached::Open,
        };
        (look.finish(), reached)
    }

    /// The lines that look different from what was answered, once.
    pub(super) fn take_stale(&mut self) -> Option<(usize, usize)> {
        self.shown.take_stale()
    }

    /// At how many lines something is known.
    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.states.as_ref().map_or(0, States::len)
    }

    pub(super) fn is_stale(&self) -> bool {
        self.shown.is_stale()
    }
}

fn detect(now: &Snapshot, grammars: &Grammars) -> (String, Origin) {
    let end = now.text.line_start(1);
    let line = if end <= MAX_LINE_BYTES {
        now.text.slice(0, end)
    } else {
        "".into()
    };
    let (language, origin) = grammars.detect(now.path.as_deref(), &line);
    (language.to_owned(), origin)
}

/// How many lines an answer may go over before those asked for.
fn lead(pace: Duration) -> usize {
    let lines = LEAD_TIME.as_nanos() / pace.as_nanos().max(1);
    let (least, most) = LEAD_LINES;
    usize::try_from(lines).unwrap_or(most).clamp(least, most)
}

/// Where to begin with a guess for what is shown from `first`, at most `lead`
/// lines above: where a paragraph begins at the margin, as functions and such do.
fn guess_line(text: &Text, first: usize, lead: usize) -> usize {
    let shown = text.line_start(first);
    let mut begin = first.saturating_sub(lead);
    while begin < first && shown - text.line_start(begin) > LEAD_BYTES {
        begin += 1;
    }
    let at_margin = |line: &usize| {
        let start = text.line_start(*line);
        let after_blank = *line == 0 || start - text.line_start(line - 1) <= 2;
        after_blank && start < text.len() && !text.byte(start).is_ascii_whitespace()
    };
    // Some lines are left to come from the guess to what is true.
    let end = first.saturating_sub(lead / 4).max(begin);
    (begin..end).find(at_margin).unwrap_or(begin)
}
