//! What lines looked like when the client was last told.

use std::hash::{DefaultHasher, Hash, Hasher};
use syntect::parsing::Scope;

/// So many lines are remembered; of more, those of the newest answer.
const MAX_LINES: usize = 8_192;

/// What a line looks like, in short.
#[derive(Default)]
pub(super) struct Look(DefaultHasher);

impl Look {
    pub(super) fn add(&mut self, len: usize, scopes: &[Scope]) {
        (len, scopes).hash(&mut self.0);
    }

    pub(super) fn finish(&self) -> u64 {
        self.0.finish()
    }
}

/// Lines and their looks, sorted; and those that look different by now.
#[derive(Default)]
pub(super) struct Shown {
    lines: Vec<(usize, u64)>,
    /// First and last line of what changed and was not told yet.
    stale: Option<(usize, usize)>,
}

impl Shown {
    pub(super) fn has(&self, line: usize) -> bool {
        self.lines.binary_search_by_key(&line, |l| l.0).is_ok()
    }

    /// The client is answered with these lines, sorted and without a gap.
    pub(super) fn answered(&mut self, new: Vec<(usize, u64)>) {
        let (Some(first), Some(last)) = (new.first(), new.last()) else {
            return;
        };
        let from = self.lines.partition_point(|l| l.0 < first.0);
        let to = self.lines.partition_point(|l| l.0 <= last.0);
        if self.lines.len() - (to - from) + new.len() > MAX_LINES {
            self.lines = new;
        } else {
            self.lines.splice(from..to, new);
        }
    }

    /// A line was gone over again; when it looks different, the client is to be told.
    pub(super) fn again(&mut self, line: usize, look: u64) {
        let Ok(at) = self.lines.binary_search_by_key(&line, |l| l.0) else {
            return;
        };
        if self.lines[at].1 != look {
            self.lines[at].1 = look;
            let (first, last) = self.stale.unwrap_or((line, line));
            self.stale = Some((first.min(line), last.max(line)));
        }
    }

    /// Lines `first..=last` were edited: the client knows that itself.
    pub(super) fn edit(&mut self, first: usize, last: usize, growth: isize) {
        self.lines.retain(|l| l.0 < first || l.0 > last);
        let behind = self.lines.partition_point(|l| l.0 < first);
        for line in &mut self.lines[behind..] {
            line.0 = line.0.saturating_add_signed(growth);
        }
    }

    /// Forgets everything; whether there was anything.
    pub(super) fn clear(&mut self) -> bool {
        let had = !self.lines.is_empty();
        *self = Self::default();
        had
    }

    /// The lines to tell of, once.
    pub(super) fn take_stale(&mut self) -> Option<(usize, usize)> {
        self.stale.take()
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale.is_some()
    }
}
