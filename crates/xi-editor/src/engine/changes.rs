//! Which places of a text changed between two revisions, and moving edits over them.

use symphony_ipc_protocol::xi::{Replace, Span};

/// One place: `start..start + old` became `new` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// First byte, in the text before.
    pub start: usize,
    /// How many bytes went.
    pub old: usize,
    /// How many bytes came in their place.
    pub new: usize,
}

impl Change {
    fn end(&self) -> usize {
        self.start + self.old
    }

    /// Whether an edit of `start..end` meets this change: text that it
    /// replaces changed, or text on either side of the place that it inserts at.
    fn meets(&self, start: usize, end: usize) -> bool {
        if start == end {
            self.start <= start && start <= self.end()
        } else if self.old == 0 {
            start < self.start && self.start < end
        } else {
            start < self.end() && self.start < end
        }
    }
}

/// The changes from one revision to a later one: sorted, apart from each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes(Vec<Change>);

/// Edits moved to a newer revision.
#[derive(Debug, Default)]
pub struct Rebased {
    /// The same edits, in positions of the newer revision.
    pub edits: Vec<Replace>,
    /// The places of the newer revision that an edit met.
    pub overlaps: Vec<Span>,
}

/// A position plus the growth of what lies before it.
fn shifted(position: usize, growth: isize) -> usize {
    position.saturating_add_signed(growth)
}

fn growth(change: &Change) -> isize {
    change.new as isize - change.old as isize
}

impl Changes {
    /// The changes that sorted, non-overlapping edits make.
    pub fn of_edits(edits: &[Replace]) -> Self {
        let mut list = Self::default();
        for edit in edits {
            list.push(Change {
                start: edit.start,
                old: edit.end - edit.start,
                new: edit.text.len(),
            });
        }
        list
    }

    /// The changes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.0.iter()
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a change behind the others; one that touches the last joins it.
    fn push(&mut self, change: Change) {
        if change.old == 0 && change.new == 0 {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.end() == change.start => {
                last.old += change.old;
                last.new += change.new;
            }
            _ => self.0.push(change),
        }
    }

    /// These changes, then `next`, as one step.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        if self.is_empty() {
            return next.clone();
        }
        let mut out = Self::default();
        let mut first = self.0.iter().peekable();
        let mut second = next.0.iter().peekable();
        // How much longer the middle text is than the first, and the last than the middle.
        let (mut grown, mut grown_next) = (0_isize, 0_isize);
        loop {
            let a = first.peek().map(|c| shifted(c.start, grown));
            let b = second.peek().map(|c| c.start);
            let Some(start) = a.into_iter().chain(b).min() else {
                return out;
            };
            // All that touches, in positions of the middle text.
            let (before, before_next) = (grown, grown_next);
            let mut end = start;
            loop {
                if let Some(c) = first.next_if(|c| shifted(c.start, grown) <= end) {
                    end = end.max(shifted(c.start, grown) + c.new);
                    grown += growth(c);
                } else if let Some(c) = second.next_if(|c| c.start <= end) {
                    end = end.max(c.end());
                    grown_next += growth(c);
                } else {
                    break;
                }
            }
            let old_start = shifted(start, -before);
            let new_start = shifted(start, before_next);
            out.push(Change {
                start: old_start,
                old: shifted(end, -grown) - old_start,
                new: shifted(end, grown_next) - new_start,
            });
        }
    }

    /// Drops the changes for which `same` says that old and new text are
    /// equal. It is asked with (old range, new range).
    pub fn retain_real(&mut self, mut same: impl FnMut((usize, usize), (usize, usize)) -> bool) {
        let mut grown = 0;
        self.0.retain(|change| {
            let start = shifted(change.start, grown);
            grown += growth(change);
            change.old != change.new
                || !same((change.start, change.end()), (start, start + change.new))
        });
    }

    /// Moves a span of the text before into the text after, growing it over
    /// the changes at its ends.
    pub fn cover(&self, span: Span) -> Span {
        let (mut start, mut end) = (span.start, span.end);
        let mut grown = 0;
        for change in &self.0 {
            let new_start = shifted(change.start, grown);
            if change.end() < span.start {
                start = shifted(span.start, grown + growth(change));
            } else if change.start <= span.start {
                start = new_start;
            }
            if change.end() <= span.end {
                end = shifted(span.end, grown + growth(change));
            } else if change.start <= span.end {
                end = new_start + change.new;
            }
            grown += growth(change);
        }
        Span { start, end }
    }

    /// Moves a position of the text before into the text after. Text inserted
    /// there comes before it where `after` is set; a position inside of replaced
    /// text goes to that end of it.
    pub fn moved(&self, position: usize, after: bool) -> usize {
        let mut grown = 0;
        for change in &self.0 {
            let inside = change.start < position || (after && change.old == 0);
            if change.start > position || !inside {
                break;
            }
            if change.end() > position {
                let new = if after { change.new } else { 0 };
                return shifted(change.start + new, grown);
            }
            grown += growth(change);
        }
        shifted(position, grown)
    }

    /// Moves sorted, non-overlapping edits of the text before into the text after.
    ///
    /// What others inserted stays, what others deleted is not deleted twice,
    /// and text inserted at the place of an earlier insertion comes after it.
    pub fn rebase(&self, edits: Vec<Replace>) -> Rebased {
        if self.is_empty() {
            return Rebased {
                edits: joined(edits),
                overlaps: Vec::new(),
            };
        }
        let mut out = Rebased::default();
        let mut pieces = Vec::with_capacity(edits.len());
        let (mut index, mut grown) = (0, 0_isize);
        for edit in edits {
            while let Some(change) = self.0.get(index)
                && change.end() < edit.start
            {
                grown += growth(change);
                index += 1;
            }
            self.move_edit(edit, index, grown, &mut pieces, &mut out.overlaps);
        }
        out.overlaps.dedup();
        out.edits = joined(pieces);
        out
    }

    /// Moves one edit over the changes from `index` on; those before it grew the text by `grown`.
    fn move_edit(
        &self,
        edit: Replace,
        index: usize,
        mut grown: isize,
        pieces: &mut Vec<Replace>,
        overlaps: &mut Vec<Span>,
    ) {
        let (start, end) = (edit.start, edit.end);
        let mut at = shifted(start, grown);
        let mut deleted = Vec::new();
        let mut rest = start;
        for change in self.0[index..].iter().take_while(|c| c.start <= end) {
            let new_start = shifted(change.start, grown);
            let new_end = new_start + change.new;
            if change.meets(start, end) {
                overlaps.push(Span {
                    start: new_start,
                    end: new_end,
                });
            }
            if rest < change.start {
                deleted.push((shifted(rest, grown), new_start));
            }
            grown += growth(change);
            if change.end() <= start {
                at = shifted(start, grown);
            } else if change.start < start {
                at = new_end;
            }
            rest = rest.max(change.end());
        }
        if rest < end {
            deleted.push((shifted(rest, grown), shifted(end, grown)));
        }
        if !edit.text.is_empty() {
            pieces.push(Replace {
                start: at,
                end: at,
                text: edit.text,
            });
        }
        pieces.extend(deleted.into_iter().map(|(start, end)| Replace {
            start,
            end,
            text: String::new(),
        }));
    }
}

/// The same edits with those that touch made one, and those that do nothing left out.
fn joined(edits: Vec<Replace>) -> Vec<Replace> {
    let mut out: Vec<Replace> = Vec::with_capacity(edits.len());
    for edit in edits {
        if edit.start == edit.end && edit.text.is_empty() {
            continue;
        }
        match out.last_mut() {
            Some(last) if last.end == edit.start => {
                last.end = edit.end;
                last.text.push_str(&edit.text);
            }
            _ => out.push(edit),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn replace(start: usize, end: usize, text: &str) -> Replace {
        Replace {
            start,
            end,
            text: text.to_owned(),
        }
    }

    fn apply(text: &str, edits: &[Replace]) -> String {
        let mut out = text.to_owned();
        for edit in edits.iter().rev() {
            out.replace_range(edit.start..edit.end, &edit.text);
        }
        out
    }

    /// Sorted edits that do not overlap, for an ASCII text of `len` bytes.
    fn edits(len: usize) -> impl Strategy<Value = Vec<Replace>> {
        proptest::collection::vec((0..=len, 0..4_usize, "[a-z]{0,3}"), 0..4).prop_map(
            move |mut raw| {
                raw.sort_by_key(|r| r.0);
                let mut out: Vec<Replace> = Vec::new();
                for (start, size, text) in raw {
                    let start = start.max(out.last().map_or(0, |e| e.end));
                    out.push(replace(start, (start + size).min(len), &text));
                }
                out
            },
        )
    }

    #[test]
    fn an_edit_keeps_what_was_inserted_into_the_range_it_deletes() {
        let changes = Changes::of_edits(&[replace(3, 3, "NEW")]);
        let rebased = changes.rebase(vec![replace(1, 5, "x")]);
        assert_eq!(apply("abcNEWdefg", &rebased.edits), "axNEWfg");
        assert_eq!(rebased.overlaps, [Span { start: 3, end: 6 }]);
    }

    #[test]
    fn overlap_is_text_replaced_or_text_beside_an_insertion() {
        let meets = |theirs: (usize, usize, &str), ours: (usize, usize)| {
            let changes = Changes::of_edits(&[replace(theirs.0, theirs.1, theirs.2)]);
            !changes
                .rebase(vec![replace(ours.0, ours.1, "z")])
                .overlaps
                .is_empty()
        };
        assert!(meets((2, 4, "q"), (3, 3)));
        assert!(meets((2, 4, ""), (4, 4)));
        assert!(meets((2, 2, "q"), (2, 2)));
        assert!(meets((2, 4, "q"), (3, 6)));
        assert!(meets((3, 3, "q"), (2, 4)));
        assert!(!meets((2, 4, "q"), (4, 6)));
        assert!(!meets((2, 2, "q"), (2, 4)));
        assert!(!meets((2, 4, "q"), (5, 5)));
    }

    proptest! {
        /// Composing two steps gives the length and the untouched text of both.
        #[test]
        fn composition_equals_two_steps(
            (first, second) in edits(20).prop_flat_map(|first| {
                let len = apply("ABCDEFGHIJKLMNOPQRST", &first).len();
                (Just(first), edits(len))
            })
        ) {
            let base = "ABCDEFGHIJKLMNOPQRST";
            let middle = apply(base, &first);
            let last = apply(&middle, &second);
            let whole = Changes::of_edits(&first).then(&Changes::of_edits(&second));
            let (mut at, mut at_last) = (0, 0);
            for change in whole.iter() {
                let copied = change.start - at;
                prop_assert_eq!(&base[at..change.start], &last[at_last..at_last + copied]);
                at = change.end();
                at_last += copied + change.new;
            }
            prop_assert_eq!(&base[at..], &last[at_last..]);
        }

        /// Both sides' insertions survive, both sides' deletions are gone, the rest keeps its order.
        #[test]
        fn rebasing_loses_and_doubles_nothing(theirs in edits(20), ours in edits(20)) {
            let base = "ABCDEFGHIJKLMNOPQRST";
            let upper = |list: &[Replace]| -> Vec<Replace> {
                list.iter().map(|e| replace(e.start, e.end, &e.text.replace(|_| true, "#"))).collect()
            };
            let ours = upper(&ours);
            let head = apply(base, &theirs);
            let rebased = Changes::of_edits(&theirs).rebase(ours.clone());
            prop_assert!(rebased.edits.windows(2).all(|w| w[0].end < w[1].start));
            let merged = apply(&head, &rebased.edits);
            let gone = |i: usize| theirs.iter().chain(&ours).any(|e| e.start <= i && i < e.end);
            let kept: String = base.chars().enumerate().filter(|(i, _)| !gone(*i)).map(|(_, c)| c).collect();
            let got: String = merged.chars().filter(char::is_ascii_uppercase).collect();
            prop_assert_eq!(got, kept);
            let inserted: String = theirs.iter().map(|e| e.text.as_str()).collect();
            let got: String = merged.chars().filter(char::is_ascii_lowercase).collect();
            prop_assert_eq!(got, inserted);
            let count: usize = ours.iter().map(|e| e.text.len()).sum();
            prop_assert_eq!(merged.matches('#').count(), count);
        }
    }
}
