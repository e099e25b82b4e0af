//! What the parser knew at some lines of a text, and what is to be done for the rest.
//!
//! A [`States`] is a chain: each entry follows from the one before, unless it is
//! marked as broken off: an edit lies between, or a guess began there. Mending is
//! parsing from the entry before up to the broken one: when the same comes out,
//! the chain is whole there; otherwise that entry is replaced and the break moves
//! on to the next.

use super::state::State;

/// Entries are at least so many lines apart, but for those that requests left.
const MIN_SPACING: usize = 32;
/// So many entries are kept at most, roughly; a larger text has them further apart.
const MAX_ENTRIES: usize = 8_192;

/// When something came up; larger is newer.
pub(super) type Age = u64;

struct Entry {
    line: usize,
    state: State,
    /// Since when it does not follow from the entry before.
    broken: Option<Age>,
}

/// What was known at a line that the parser came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nothing, or the same as ever.
    Open,
    /// The chain is whole again here.
    Mended,
    /// Something else; what follows is broken off now.
    Changed,
}

/// The known states, by line. There is always one at line 0.
pub(super) struct States {
    entries: Vec<Entry>,
    /// Since when the text behind the last entry is unread; `None` when it is read.
    tail: Option<Age>,
    spacing: usize,
}

impl States {
    /// Of a text that nothing is known of.
    pub(super) fn new(first: State) -> Self {
        Self {
            entries: vec![Entry {
                line: 0,
                state: first,
                broken: None,
            }],
            tail: Some(0),
            spacing: MIN_SPACING,
        }
    }

    /// Spaces the entries for a text of so many lines.
    pub(super) fn fit(&mut self, lines: usize) {
        let wanted = (lines / MAX_ENTRIES).next_power_of_two().max(MIN_SPACING);
        // Not at each line that comes or goes around a power of two.
        if wanted > self.spacing || wanted * 4 <= self.spacing {
            self.spacing = wanted;
        }
    }

    /// When there are far too many, leaves out what lies closer together than the spacing.
    fn thin(&mut self) {
        if self.entries.len() <= MAX_ENTRIES * 2 {
            return;
        }
        let (spacing, mut kept) = (self.spacing, 0);
        self.entries.retain(|entry| {
            let keep = entry.line == 0 || entry.broken.is_some() || entry.line - kept >= spacing;
            if keep {
                kept = entry.line;
            }
            keep
        });
    }

    /// How many lines lie between two entries at most, where the text was read.
    pub(super) fn spacing(&self) -> usize {
        self.spacing
    }

    /// Lines `first..=last` became `last - first + 1 + growth` other lines.
    pub(super) fn edit(&mut self, first: usize, last: usize, growth: isize, age: Age) {
        self.entries
            .retain(|entry| entry.line <= first || entry.line > last);
        let behind = self.entries.partition_point(|entry| entry.line <= first);
        for entry in &mut self.entries[behind..] {
            entry.line = entry.line.saturating_add_signed(growth);
        }
        self.break_at(behind, age);
    }

    fn break_at(&mut self, index: usize, age: Age) {
        let since = match self.entries.get_mut(index) {
            Some(entry) => &mut entry.broken,
            None => &mut self.tail,
        };
        *since = Some(since.map_or(age, |before| before.max(age)));
    }

    /// The last known line up to `line`, what is known there, and whether it is
    /// certain (and not a guess, or older than an edit before it).
    pub(super) fn before(&self, line: usize) -> (usize, State, bool) {
        let index = self.index_before(line);
        let certain = self.entries[..=index].iter().all(|e| e.broken.is_none());
        let entry = &self.entries[index];
        (entry.line, entry.state.clone(), certain)
    }

    fn index_before(&self, line: usize) -> usize {
        self.entries.partition_point(|entry| entry.line <= line) - 1
    }

    /// A guess of what might be known at a line.
    pub(super) fn guess(&mut self, line: usize, state: State, age: Age) {
        let index = self.entries.partition_point(|entry| entry.line < line);
        if self
            .entries
            .get(index)
            .is_some_and(|entry| entry.line == line)
        {
            return;
        }
        if self.entries.len() >= MAX_ENTRIES * 2 {
            // Guesses all over a text that is not read: they are cheap to make again.
            self.entries.truncate(1);
            self.tail = Some(age);
            return self.guess(line, state, age);
        }
        // What came behind still follows from nothing: it was broken off or is now.
        self.break_at(index, age);
        self.entries.insert(
            index,
            Entry {
                line,
                state,
                broken: Some(age),
            },
        );
    }

    /// The parser came to `line`, from the entry before it, and knows `state` there.
    pub(super) fn reached(&mut self, line: usize, state: &State) -> Reached {
        let index = self.index_before(line);
        let entry = &mut self.entries[index];
        if entry.line < line {
            if line - entry.line >= self.spacing {
                self.insert(index + 1, line, state);
            }
            return Reached::Open;
        }
        let Some(age) = entry.broken.take() else {
            return Reached::Open;
        };
        if entry.state == *state {
            return Reached::Mended;
        }
        entry.state = state.clone();
        self.break_at(index + 1, age);
        Reached::Changed
    }

    /// Keeps what is known at a line that the parser came to and stops at.
    pub(super) fn keep(&mut self, line: usize, state: &State) {
        let index = self.index_before(line);
        if self.entries[index].line < line {
            self.insert(index + 1, line, state);
        }
    }

    /// Adds an entry that follows from the one before, and leaves that one out
    /// when it is not needed for the spacing.
    fn insert(&mut self, index: usize, line: usize, state: &State) {
        let entry = Entry {
            line,
            state: state.clone(),
            broken: None,
        };
        let before = &self.entries[index - 1];
        let spare = index >= 2
            && before.broken.is_none()
            && line - self.entries[index - 2].line <= self.spacing;
        if spare {
            self.entries[index - 1] = entry;
        } else {
            self.entries.insert(index, entry);
            self.thin();
        }
    }

    /// The parser came to the end of the text.
    pub(super) fn ended(&mut self) {
        self.tail = None;
    }

    /// Where to go on: the newest break, from the entry before it; with its age.
    pub(super) fn next(&self) -> Option<(Age, usize)> {
        let breaks = self.entries.windows(2).filter_map(|pair| match pair {
            [before, entry] => entry.broken.map(|age| (age, before.line)),
            _ => None,
        });
        let last = self.entries.last().map_or(0, |entry| entry.line);
        breaks.chain(self.tail.map(|age| (age, last))).max()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::grammars::Grammars;

    #[test]
    fn guesses_all_over_a_text_are_bounded() {
        let grammars = Grammars::load();
        let first = State::new(grammars.grammar("Rust").unwrap());
        let mut states = States::new(first.clone());
        for i in 1..60_000 {
            let line = i * 7_919 % 1_000_003;
            states.guess(line, first.clone(), i as Age);
            states.keep(line + 1, &first);
            assert!(states.len() <= MAX_ENTRIES * 2 + 1);
            let (from, _, certain) = states.before(line + 1);
            assert!(from >= line && !certain);
        }
    }
}
