//! One hunk at a time, as `git add -p` does it.

use crate::cli::{diff, keys::Press, style::Style};
use std::collections::BTreeMap;
use symphony_domain::changes::{ChangeSet, Hunk, HunkId, Verdict};

/// What the keys do.
pub const HELP: [&str; 8] = [
    "y  accept this hunk",
    "n  reject this hunk",
    "a  accept this hunk and the rest of the file",
    "d  reject this hunk and the rest of the file",
    "j  leave this hunk undecided, see the next",
    "u  step back and decide again",
    "q  stop here: what was decided counts, the rest stays undecided",
    "?  this help; Ctrl-C ends without deciding anything",
];

/// A way through the hunks of a change set.
pub struct Walk<'a> {
    set: &'a ChangeSet,
    /// The hunks to decide: indices of file and hunk.
    stops: Vec<(usize, usize)>,
    at: usize,
    verdicts: BTreeMap<HunkId, Verdict>,
    /// Where it was before each key, and what was decided by then.
    past: Vec<(usize, BTreeMap<HunkId, Verdict>)>,
}

/// What follows a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another hunk is to be decided.
    Hunk,
    /// The same hunk, after the help.
    Help,
    /// The same hunk: there is nothing to step back to.
    AtStart,
    /// The end: what was decided counts.
    End,
    /// The end: nothing counts.
    Dropped,
}

impl<'a> Walk<'a> {
    /// Through the hunks that `chosen` names.
    pub fn new(set: &'a ChangeSet, chosen: impl Fn(&Hunk) -> bool) -> Self {
        let mut stops = Vec::new();
        for (file_index, file) in set.files.iter().enumerate() {
            let hunks = file
                .hunks
                .iter()
                .enumerate()
                .filter(|(_, hunk)| chosen(hunk));
            stops.extend(hunks.map(|(hunk_index, _)| (file_index, hunk_index)));
        }
        Self {
            set,
            stops,
            at: 0,
            verdicts: BTreeMap::new(),
            past: Vec::new(),
        }
    }

    /// Whether all hunks were seen.
    pub fn is_over(&self) -> bool {
        self.at >= self.stops.len()
    }

    /// What was decided.
    pub fn verdicts(&self) -> Vec<(HunkId, Verdict)> {
        self.verdicts
            .iter()
            .map(|(id, verdict)| (*id, verdict.clone()))
            .collect()
    }

    /// The hunk to be decided.
    pub fn show(&self, style: Style) -> Vec<String> {
        let Some(&(file, hunk)) = self.stops.get(self.at) else {
            return Vec::new();
        };
        let file = &self.set.files[file];
        let mut lines = vec![String::new()];
        lines.extend(diff::hunk(file, &file.hunks[hunk], style));
        lines
    }

    /// The question.
    pub fn question(&self, style: Style) -> String {
        let text = format!(
            "({}/{}) Accept this hunk [y,n,a,d,j,u,q,?]?",
            self.at + 1,
            self.stops.len()
        );
        style.bold(&text)
    }

    /// Takes a key.
    pub fn press(&mut self, press: Press) -> Next {
        let key = match press {
            Press::Char(key) => key,
            Press::Interrupt => return Next::Dropped,
            Press::End => return Next::End,
            Press::Other => '?',
        };
        match key {
            'y' | 'Y' => self.decide(Verdict::Accept, false),
            'n' | 'N' => self.decide(Verdict::Reject, false),
            'a' | 'A' => self.decide(Verdict::Accept, true),
            'd' | 'D' => self.decide(Verdict::Reject, true),
            'j' | 'J' => {
                self.past.push((self.at, self.verdicts.clone()));
                self.at += 1;
                self.next()
            }
            'u' | 'U' => match self.past.pop() {
                None => Next::AtStart,
                Some((at, verdicts)) => {
                    (self.at, self.verdicts) = (at, verdicts);
                    Next::Hunk
                }
            },
            'q' | 'Q' => Next::End,
            _ => Next::Help,
        }
    }

    fn decide(&mut self, verdict: Verdict, rest_of_file: bool) -> Next {
        self.past.push((self.at, self.verdicts.clone()));
        let file = self.stops.get(self.at).map(|(file, _)| *file);
        while let Some(&(at_file, hunk)) = self.stops.get(self.at) {
            if Some(at_file) != file {
                break;
            }
            self.verdicts
                .insert(self.set.files[at_file].hunks[hunk].id, verdict.clone());
            self.at += 1;
            if !rest_of_file {
                break;
            }
        }
        self.next()
    }

    fn next(&self) -> Next {
        if self.is_over() {
            Next::End
        } else {
            Next::Hunk
        }
    }
}

#[cfg(test)]
#[path = "interactive_tests.rs"]
mod tests;
