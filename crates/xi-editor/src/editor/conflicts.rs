//! Where a buffer and its file disagree: kept, moved with edits, resolved.

use super::{Editor, EditorError, OpenBuffer, USER};
use crate::engine::{Change, Changes, Text};
use crate::journal::{ConflictsNote, Sides, ends, span};
use crate::merge::Both;
use symphony_ipc_protocol::xi::{
    self, Applied, Conflict, ConflictList, EditOrigin, OnOverlap, Replace, Resolve, Resolved, Span,
    Take,
};

/// So many resolutions are known to undo.
const REMEMBERED: usize = 256;

/// The unresolved conflicts of a buffer.
#[derive(Default)]
pub(super) struct Conflicts {
    /// Sorted. Their side is in positions of the file's text as last read.
    list: Vec<Both>,
    /// The conflicts at states of the buffer that undo and redo lead to.
    remembered: Vec<(u64, Vec<Both>)>,
    /// Whether a journal lacks anything but moves.
    news: bool,
}

impl Conflicts {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Our sides.
    pub(super) fn ranges(&self) -> Vec<Span> {
        self.list.iter().map(|both| both.ours).collect()
    }

    /// Moves our sides over a change of the buffer that led to `state`.
    pub(super) fn moved(&mut self, edits: &[Replace], state: u64) {
        if let Some((_, list)) = self.remembered.iter().find(|(of, _)| *of == state) {
            self.list.clone_from(list);
            return;
        }
        if !self.list.is_empty() {
            let changes = Changes::of_edits(edits);
            for both in &mut self.list {
                both.ours = moved(both.ours, &changes);
            }
        }
    }

    /// The file changed again: moves their sides, and adds the new conflicts.
    pub(super) fn follow(&mut self, file: &Changes, new: Vec<Both>) {
        self.remembered.clear();
        self.news = true;
        for both in &mut self.list {
            both.theirs = file.cover(both.theirs);
        }
        self.list.extend(new);
        self.list
            .sort_by_key(|both| (both.ours.start, both.ours.end));
        let mut joined: Vec<Both> = Vec::with_capacity(self.list.len());
        for both in self.list.drain(..) {
            match joined.last_mut() {
                Some(last) if meet(last.ours, both.ours) || meet(last.theirs, both.theirs) => {
                    last.ours = hull(last.ours, both.ours);
                    last.theirs = hull(last.theirs, both.theirs);
                }
                _ => joined.push(both),
            }
        }
        self.list = joined;
    }

    /// The file and the buffer agree.
    pub(super) fn clear(&mut self) {
        self.news |= !self.list.is_empty() || !self.remembered.is_empty();
        self.list.clear();
        self.remembered.clear();
    }

    fn remember(&mut self, state: u64) {
        self.remembered.retain(|(of, _)| *of != state);
        if self.remembered.len() >= REMEMBERED {
            self.remembered.remove(0);
        }
        self.remembered.push((state, self.list.clone()));
        self.news = true;
    }

    /// As a journal keeps it.
    pub(super) fn note(&self) -> ConflictsNote {
        let sides = |both: &Both| (ends(both.ours), ends(both.theirs));
        let all = |list: &Vec<Both>| list.iter().map(sides).collect();
        let states = self.remembered.iter();
        ConflictsNote {
            list: all(&self.list),
            remembered: states.map(|(state, list)| (*state, all(list))).collect(),
        }
    }

    /// The same where a journal lacks something.
    pub(super) fn take_note(&mut self) -> Option<ConflictsNote> {
        std::mem::take(&mut self.news).then(|| self.note())
    }

    /// What a journal kept, where the buffer has the text `ours` and the file
    /// had `theirs`; what is remembered of other states is checked when it is used.
    pub(super) fn of(note: &ConflictsNote, ours: &Text, theirs: &Text) -> Self {
        let both = |sides: &Sides| Both {
            ours: span(sides.0, ours),
            theirs: span(sides.1, theirs),
        };
        let plain = |sides: &Sides| Both {
            ours: plain(sides.0),
            theirs: plain(sides.1),
        };
        let states = note.remembered.iter();
        Self {
            list: note.list.iter().map(both).collect(),
            remembered: states
                .map(|(state, list)| (*state, list.iter().map(plain).collect()))
                .collect(),
            news: false,
        }
    }
}

fn plain(kept: (u64, u64)) -> Span {
    let offset = |kept| usize::try_from(kept).unwrap_or(usize::MAX);
    Span {
        start: offset(kept.0),
        end: offset(kept.1),
    }
}

fn meet(a: Span, b: Span) -> bool {
    a == b || (a.start < b.end && b.start < a.end)
}

fn hull(a: Span, b: Span) -> Span {
    Span {
        start: a.start.min(b.start),
        end: a.end.max(b.end),
    }
}

/// A span after changes: it grows over changes that reach into it, and keeps
/// what is inserted at its beginning but not behind its end.
fn moved(span: Span, changes: &Changes) -> Span {
    let (mut start, mut end) = (span.start, span.end);
    let mut grown = 0_isize;
    for change in changes.iter() {
        let &Change {
            start: from,
            old,
            new,
        } = change;
        let to = from + old;
        let is_inserted = old == 0;
        let new_from = from.saturating_add_signed(grown);
        grown += new as isize - old as isize;
        let is_before = to <= span.start && !(is_inserted && from == span.start);
        let is_behind = from >= span.end && !(from == span.start && is_inserted);
        if is_before {
            start = span.start.saturating_add_signed(grown);
            end = span.end.saturating_add_signed(grown);
        } else if !is_behind {
            if from < span.start {
                start = new_from;
            }
            end = if to <= span.end {
                span.end.saturating_add_signed(grown)
            } else {
                new_from + new
            };
        }
    }
    Span { start, end }
}

impl Editor {
    /// Lists the conflicts of a buffer with its file.
    ///
    /// # Errors
    /// [`EditorError::NoBuffer`].
    pub fn conflicts(&mut self, request: &xi::Conflicts) -> Result<ConflictList, EditorError> {
        let open = self.find(request.buffer)?;
        let list = open.conflicts.list.iter().map(|both| Conflict {
            range: both.ours,
            ours: open.ours(both),
            theirs: open.theirs(both),
        });
        Ok(ConflictList {
            revision: open.buffer.revision(),
            conflicts: list.collect(),
        })
    }

    /// Resolves one conflict.
    ///
    /// # Errors
    /// [`EditorError::NoConflict`], [`EditorError::NotNewest`].
    pub fn resolve(&mut self, request: &Resolve) -> Result<Resolved, EditorError> {
        let open = self.find(request.buffer)?;
        let newest = open.buffer.revision();
        if let Some(asked) = request.revision
            && asked != newest
        {
            return Err(EditorError::NotNewest { asked, newest });
        }
        let known = open.conflicts.len();
        let both = *open
            .conflicts
            .list
            .get(request.index)
            .ok_or(EditorError::NoConflict { known })?;
        let before = open.buffer.state();
        let applied = open.take(&both, request.take, &request.origin)?;
        open.conflicts.remember(before);
        open.conflicts.list.remove(request.index);
        // The change moves the others, and the state after it is to have no mark of this one.
        open.conflicts.moved(&applied.edits, u64::MAX);
        open.conflicts.remember(open.buffer.state());
        if open.conflicts.is_empty() {
            open.meet_file();
        }
        let remaining = open.conflicts.ranges();
        let author = match request.origin.author.as_str() {
            "" => USER,
            author => author,
        };
        self.tell_text(request.buffer, &applied, author);
        self.tell_selections(request.buffer);
        Ok(Resolved {
            revision: applied.revision,
            edits: applied.edits,
            remaining,
        })
    }
}

impl OpenBuffer {
    fn ours(&self, both: &Both) -> String {
        let range = both.ours;
        self.buffer
            .text()
            .slice(range.start, range.end)
            .into_owned()
    }

    fn theirs(&self, both: &Both) -> String {
        let range = both.theirs;
        self.disk.text.slice(range.start, range.end).into_owned()
    }

    fn take(
        &mut self,
        both: &Both,
        take: Take,
        origin: &EditOrigin,
    ) -> Result<Applied, EditorError> {
        let text = match take {
            Take::Ours => self.ours(both),
            Take::Theirs => self.theirs(both),
            Take::Both => {
                let mut text = self.ours(both);
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                text + &self.theirs(both)
            }
        };
        let edit = Replace {
            start: both.ours.start,
            end: both.ours.end,
            text,
        };
        let policy = OnOverlap::Refuse;
        Ok(self.buffer.edit(None, vec![edit], policy, origin)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replace(start: usize, end: usize, text: &str) -> Replace {
        Replace {
            start,
            end,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_range_follows_the_text_that_it_marks() {
        let span = |start, end| Span { start, end };
        let cases = [
            (replace(0, 2, "abc"), span(11, 21), "before"),
            (
                replace(10, 10, "ab"),
                span(10, 22),
                "inserted at its beginning",
            ),
            (
                replace(8, 10, ""),
                span(8, 18),
                "deleted up to its beginning",
            ),
            (replace(12, 13, "abc"), span(10, 22), "inside"),
            (
                replace(20, 20, "ab"),
                span(10, 20),
                "inserted behind its end",
            ),
            (replace(18, 25, "x"), span(10, 19), "over its end"),
            (replace(5, 12, "x"), span(5, 14), "over its beginning"),
            (replace(5, 25, ""), span(5, 5), "around it"),
            (replace(25, 26, "abc"), span(10, 20), "behind"),
        ];
        for (edit, expected, what) in cases {
            let changes = Changes::of_edits(&[edit]);
            assert_eq!(moved(span(10, 20), &changes), expected, "{what}");
        }
        let empty = Changes::of_edits(&[replace(10, 10, "ab")]);
        assert_eq!(
            moved(span(10, 10), &empty),
            span(10, 12),
            "an empty one grows"
        );
    }
}
