//! Three-way merge by lines.

use crate::engine::Changes;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::xi::{Replace, Span};

/// A diff that takes longer becomes coarser, not later.
const DIFF_TIME: Duration = Duration::from_secs(1);

/// What both sides did to a common base.
#[derive(Debug, PartialEq, Eq)]
pub struct Merged {
    /// What to change in our text to have their changes in it.
    pub edits: Vec<Replace>,
    /// Ranges of our text, after those edits, where both sides changed the same
    /// lines or lines beside each other: our text was kept.
    pub conflicts: Vec<Span>,
}

/// The edits by whole lines that turn `from` into `to`.
pub fn line_edits(from: &str, to: &str) -> Vec<Replace> {
    let old: Vec<&str> = from.split_inclusive('\n').collect();
    let new: Vec<&str> = to.split_inclusive('\n').collect();
    let deadline = Instant::now() + DIFF_TIME;
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(deadline));
    let mut edits = Vec::new();
    let (mut at, mut at_new) = (0, 0);
    for op in ops {
        let (old_range, new_range) = (op.old_range(), op.new_range());
        let size = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
        let end = at + size(&old[old_range]);
        let end_new = at_new + size(&new[new_range]);
        if !matches!(op, DiffOp::Equal { .. }) {
            edits.push(Replace {
                start: at,
                end,
                text: to[at_new..end_new].to_owned(),
            });
        }
        (at, at_new) = (end, end_new);
    }
    edits
}

/// Merges their text into ours. What both sides did alike is no conflict.
pub fn merge(base: &str, ours: &str, theirs: &str) -> Merged {
    let our_edits = line_edits(base, ours);
    let our_changes = Changes::of_edits(&our_edits);
    let (mut wanted, mut conflicts) = (Vec::new(), Vec::new());
    for edit in line_edits(base, theirs) {
        if our_edits.contains(&edit) {
            continue;
        }
        let beside = |ours: &Replace| ours.start <= edit.end && edit.start <= ours.end;
        if our_edits.iter().any(beside) {
            conflicts.push(our_changes.cover(Span {
                start: edit.start,
                end: edit.end,
            }));
        } else {
            wanted.push(edit);
        }
    }
    let edits = our_changes.rebase(wanted).edits;
    let made = Changes::of_edits(&edits);
    let mut conflicts: Vec<Span> = conflicts.into_iter().map(|c| made.cover(c)).collect();
    conflicts.dedup();
    Merged { edits, conflicts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn apply(text: &str, edits: &[Replace]) -> String {
        let mut out = text.to_owned();
        for edit in edits.iter().rev() {
            out.replace_range(edit.start..edit.end, &edit.text);
        }
        out
    }

    #[test]
    fn changes_apart_are_both_kept() {
        let base = "a\nb\nc\nd\ne\n";
        let merged = merge(base, "A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\nf\n");
        assert_eq!(
            apply("A\nb\nc\nd\ne\n", &merged.edits),
            "A\nb\nc\nd\nE\nf\n"
        );
        assert!(merged.conflicts.is_empty());
    }

    #[test]
    fn a_conflict_keeps_ours_and_still_takes_the_rest() {
        let ours = "0\nours\nc\nd\ne\n";
        let merged = merge("a\nb\nc\nd\ne\n", ours, "a\ntheirs\nc\nd\nE\n");
        let text = apply(ours, &merged.edits);
        assert_eq!(text, "0\nours\nc\nd\nE\n");
        let [conflict] = merged.conflicts[..] else {
            panic!("{merged:?}")
        };
        assert_eq!(&text[conflict.start..conflict.end], "0\nours\n");
    }

    #[test]
    fn the_same_change_on_both_sides_is_agreement() {
        let merged = merge("a\nb\n", "a\nB\n", "a\nB\n");
        assert_eq!((merged.edits.len(), merged.conflicts.len()), (0, 0));
    }

    proptest! {
        #[test]
        fn line_edits_lead_from_one_to_the_other(from in "[ab\n]{0,20}", to in "[ab\n]{0,20}") {
            prop_assert_eq!(apply(&from, &line_edits(&from, &to)), to);
        }

        /// With one side untouched the other side's text comes out.
        #[test]
        fn one_sided_changes_win(base in "[ab\n]{0,20}", other in "[ab\n]{0,20}") {
            let merged = merge(&base, &base, &other);
            prop_assert_eq!(apply(&base, &merged.edits), other.as_str());
            prop_assert!(merged.conflicts.is_empty());
            let merged = merge(&base, &other, &base);
            prop_assert!(merged.edits.is_empty() && merged.conflicts.is_empty());
        }

        /// Conflicts lie in the merged text, and merging again finds nothing new to take.
        #[test]
        fn merging_is_stable(base in "[abc\n]{0,30}", ours in "[abc\n]{0,30}", theirs in "[abc\n]{0,30}") {
            let merged = merge(&base, &ours, &theirs);
            let text = apply(&ours, &merged.edits);
            for c in &merged.conflicts {
                prop_assert!(c.start <= c.end && text.get(c.start..c.end).is_some());
            }
        }
    }
}
