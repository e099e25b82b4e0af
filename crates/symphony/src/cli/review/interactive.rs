//! One hunk at a time, as `git add -p` does it.

use crate::cli::{diff, keys::Press, style::Style};
use std::{collections::BTreeMap, sync::Arc};
use symphony_domain::changes::{ChangeSet, FileChange, Hunk, HunkId, Verdict};

/// What the keys do.
pub const HELP: [&str; 9] = [
    "y  accept this hunk",
    "n  reject this hunk",
    "e  edit this hunk in your editor (VISUAL, EDITOR), then decide",
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
    now: State,
    /// How it was before each key.
    past: Vec<State>,
}

/// Where a walk is, and what was decided and edited by then.
#[derive(Clone, Default)]
struct State {
    at: usize,
    verdicts: BTreeMap<HunkId, Verdict>,
    edited: BTreeMap<HunkId, Arc<Edited>>,
}

/// A hunk with the reviewer's own text.
#[derive(Debug, Clone, PartialEq)]
pub struct Edited {
    /// The text as it was saved.
    pub text: String,
    /// The hunk with it.
    pub hunk: Hunk,
}

/// What follows a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another hunk is to be decided.
    Hunk,
    /// The same hunk, edited first.
    Edit,
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
            now: State::default(),
            past: Vec::new(),
        }
    }

    /// Whether all hunks were seen.
    pub fn is_over(&self) -> bool {
        self.now.at >= self.stops.len()
    }

    /// What was decided: an edited hunk is accepted with its text.
    pub fn verdicts(&self) -> Vec<(HunkId, Verdict)> {
        let decided = self.now.verdicts.iter();
        let told = decided.map(|(id, verdict)| match self.now.edited.get(id) {
            Some(edited) if *verdict == Verdict::Accept => {
                let text = edited.text.clone();
                (*id, Verdict::Edit { text })
            }
            _ => (*id, verdict.clone()),
        });
        told.collect()
    }

    /// The hunk to be decided as it was proposed, and its file.
    pub fn hunk(&self) -> Option<(&'a FileChange, &'a Hunk)> {
        let &(file, hunk) = self.stops.get(self.now.at)?;
        let file = &self.set.files[file];
        Some((file, &file.hunks[hunk]))
    }

    /// The reviewer's own text of the hunk to be decided.
    pub fn edited(&self) -> Option<&Edited> {
        let (_, hunk) = self.hunk()?;
        self.now.edited.get(&hunk.id).map(AsRef::as_ref)
    }

    /// Takes an edit of the hunk to be decided; `None`: it is as it was proposed.
    pub fn put(&mut self, edited: Option<Edited>) {
        let Some((_, hunk)) = self.hunk() else {
            return;
        };
        self.past.push(self.now.clone());
        match edited {
            Some(edited) => self.now.edited.insert(hunk.id, Arc::new(edited)),
            None => self.now.edited.remove(&hunk.id),
        };
    }

    /// The hunk to be decided.
    pub fn show(&self, style: Style) -> Vec<String> {
        let Some((file, hunk)) = self.hunk() else {
            return Vec::new();
        };
        let hunk = self.edited().map_or(hunk, |edited| &edited.hunk);
        let mut lines = vec![String::new()];
        lines.extend(diff::hunk(file, hunk, style));
        lines
    }

    /// The question.
    pub fn question(&self, style: Style) -> String {
        let text = format!(
            "({}/{}) Accept this {}hunk [y,n,e,a,d,j,u,q,?]?",
            self.now.at + 1,
            self.stops.len(),
            self.edited().map_or("", |_| "edited ")
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
            'e' | 'E' => Next::Edit,
            'a' | 'A' => self.decide(Verdict::Accept, true),
            'd' | 'D' => self.decide(Verdict::Reject, true),
            'j' | 'J' => {
                self.past.push(self.now.clone());
                self.now.at += 1;
                self.next()
            }
            'u' | 'U' => match self.past.pop() {
                None => Next::AtStart,
                Some(before) => {
                    self.now = before;
                    Next::Hunk
                }
            },
            'q' | 'Q' => Next::End,
            _ => Next::Help,
        }
    }

    fn decide(&mut self, verdict: Verdict, rest_of_file: bool) -> Next {
        self.past.push(self.now.clone());
        let file = self.stops.get(self.now.at).map(|(file, _)| *file);
        while let Some(&(at_file, hunk)) = self.stops.get(self.now.at) {
            if Some(at_file) != file {
                break;
            }
            let id = self.set.files[at_file].hunks[hunk].id;
            self.now.verdicts.insert(id, verdict.clone());
            self.now.at += 1;
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
