//! Three-way merge by lines.

use crate::engine::Changes;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::xi::{Replace, Span};

/// A diff that takes longer becomes coarser, not later.
const DIFF_TIME: Duration = Duration::from_secs(1);
/// Texts are compared by blocks of so many bytes.
const BLOCK: usize = 4 * 1024;

/// What both sides did to a common base.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// What to change in our text to have their changes in it.
    pub edits: Vec<Replace>,
    /// Where both sides changed the same lines or lines beside each other: our
    /// text was kept. Sorted, apart from each other.
    pub conflicts: Vec<Both>,
}

/// A place that both sides changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Both {
    /// Where in our text, after the merge's edits.
    pub ours: Span,
    /// Where in their text.
    pub theirs: Span,
}

/// The edits by whole lines that turn `from` into `to`.
pub fn line_edits(from: &str, to: &str) -> Vec<Replace> {
    // Most changes are small: what is alike at both ends is no matter of a diff.
    let alike = lines_alike(from, to);
    let (from, to) = (&from[alike..], &to[alike..]);
    let alike_behind = lines_alike_behind(from, to);
    let (from, to) = (
        &from[..from.len() - alike_behind],
        &to[..to.len() - alike_behind],
    );
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
            push_joined(&mut edits, alike + at, alike + end, &to[at_new..end_new]);
        }
        (at, at_new) = (end, end_new);
    }
    edits
}

/// How many bytes of whole lines both texts begin with.
fn lines_alike(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let blocks = a.chunks(BLOCK).zip(b.chunks(BLOCK));
    let whole = blocks
        .take_while(|(a, b)| a == b && a.len() == BLOCK)
        .count()
        * BLOCK;
    let rest = a[whole..].iter().zip(&b[whole..]);
    let alike = whole + rest.take_while(|(a, b)| a == b).count();
    memchr::memrchr(b'\n', &a[..alike]).map_or(0, |end| end + 1)
}

/// How many bytes of whole lines both texts end with.
fn lines_alike_behind(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let blocks = a.rchunks(BLOCK).zip(b.rchunks(BLOCK));
    let whole = blocks
        .take_while(|(a, b)| a == b && a.len() == BLOCK)
        .count()
        * BLOCK;
    let (rest_a, rest_b) = (&a[..a.len() - whole], &b[..b.len() - whole]);
    let rest = rest_a.iter().rev().zip(rest_b.iter().rev());
    let alike = whole + rest.take_while(|(a, b)| a == b).count();
    let behind = &a[a.len() - alike..];
    memchr::memchr(b'\n', behind).map_or(0, |end| behind.len() - end - 1)
}

fn push_joined(edits: &mut Vec<Replace>, start: usize, end: usize, text: &str) {
    match edits.last_mut() {
        Some(last) if last.end == start => {
            last.end = end;
            last.text.push_str(text);
        }
        _ => edits.push(Replace {
            start,
            end,
            text: text.to_owned(),
        }),
    }
}

/// Merges their text into ours. What both sides did alike is no conflict.
pub fn merge(base: &str, ours: &str, theirs: &str) -> Merged {
    let (our_edits, their_edits) = (line_edits(base, ours), line_edits(base, theirs));
    let our_changes = Changes::of_edits(&our_edits);
    let their_changes = Changes::of_edits(&their_edits);
    let (mut wanted, mut conflicts) = (Vec::new(), Vec::new());
    let mut left = our_edits.as_slice();
    let mut right = their_edits.as_slice();
    while let Some(cluster) = Cluster::next(&mut left, &mut right) {
        match (cluster.ours, cluster.theirs) {
            ([], theirs) => wanted.extend_from_slice(theirs),
            (_, []) => {}
            (ours, theirs) if ours == theirs => {}
            _ => conflicts.push(Both {
                ours: our_changes.cover(cluster.span),
                theirs: their_changes.cover(cluster.span),
            }),
        }
    }
    let edits = our_changes.rebase(wanted).edits;
    let made = Changes::of_edits(&edits);
    for conflict in &mut conflicts {
        conflict.ours = made.cover(conflict.ours);
    }
    Merged { edits, conflicts }
}

/// Edits of both sides that touch each other, directly or through others.
struct Cluster<'a> {
    ours: &'a [Replace],
    theirs: &'a [Replace],
    /// All that they replace.
    span: Span,
}

impl<'a> Cluster<'a> {
    /// Takes the first cluster from the edits that are left.
    fn next(ours: &mut &'a [Replace], theirs: &mut &'a [Replace]) -> Option<Self> {
        let first = ours
            .first()
            .into_iter()
            .chain(theirs.first())
            .map(|e| e.start)
            .min()?;
        let mut end = first;
        let (mut taken, mut taken_theirs) = (0, 0);
        loop {
            if let Some(edit) = ours.get(taken).filter(|e| e.start <= end) {
                end = end.max(edit.end);
                taken += 1;
            } else if let Some(edit) = theirs.get(taken_theirs).filter(|e| e.start <= end) {
                end = end.max(edit.end);
                taken_theirs += 1;
            } else {
                break;
            }
        }
        let (mine, rest) = ours.split_at(taken);
        let (other, rest_theirs) = theirs.split_at(taken_theirs);
        (*ours, *theirs) = (rest, rest_theirs);
        Some(Self {
            ours: mine,
            theirs: other,
            span: Span { start: first, end },
        })
    }
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
        let (ours, theirs) = (conflict.ours, conflict.theirs);
        assert_eq!(&text[ours.start..ours.end], "0\nours\n");
        let other = "a\ntheirs\nc\nd\nE\n";
        assert_eq!(&other[theirs.start..theirs.end], "a\ntheirs\n");
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

        /// Likewise where the change lies between long parts that are alike.
        #[test]
        fn long_parts_alike_are_left_alone(
            before in 0..3_000_usize, old in "[ab\n]{0,9}", new in "[ab\n]{0,9}", after in 0..3_000_usize,
        ) {
            let (before, after) = ("some\n".repeat(before), "more\n".repeat(after));
            let (from, to) = (format!("{before}{old}{after}"), format!("{before}{new}{after}"));
            let edits = line_edits(&from, &to);
            prop_assert_eq!(apply(&from, &edits), to);
            prop_assert!(edits.iter().all(|e| e.start >= before.len()));
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
            let mut last = 0;
            for c in &merged.conflicts {
                prop_assert!(last <= c.ours.start && text.get(c.ours.start..c.ours.end).is_some());
                prop_assert!(theirs.get(c.theirs.start..c.theirs.end).is_some());
                last = c.ours.end;
            }
            // Taking their side everywhere is what they get who keep theirs.
            let mut taken = text;
            for c in merged.conflicts.iter().rev() {
                taken.replace_range(c.ours.start..c.ours.end, &theirs[c.theirs.start..c.theirs.end]);
            }
            let other = merge(&base, &theirs, &ours);
            prop_assert_eq!(taken, apply(&theirs, &other.edits));
        }
    }
}
