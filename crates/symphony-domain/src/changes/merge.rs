//! Differences and three-way merges by lines.

use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::ops::{Range, RangeInclusive};
use symphony_core_ports::TextEdit;

/// Lines of a text, from 1; empty at the end of a text whose lines were removed.
pub type Lines = RangeInclusive<usize>;

/// `from` turned into `to`: lines `old` of `from` become lines `new` of `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change<'a> {
    old: Range<usize>,
    new: Range<usize>,
    text: &'a str,
}

/// Byte offsets at which the lines of a text begin, and its length.
fn borders(lines: &[&str]) -> Vec<usize> {
    let mut at = 0;
    let mut borders = vec![0];
    borders.extend(lines.iter().map(|line| {
        at += line.len();
        at
    }));
    borders
}

/// A text as its lines, each with its end.
pub(super) fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The smallest changes of lines that were found; sorted, with equal lines between them.
fn changes<'a>(from: &[&str], to: &[&str], to_text: &'a str) -> Vec<Change<'a>> {
    let at = borders(to);
    let mut changes: Vec<Change<'a>> = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, from, to) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (old, mut new) = (op.old_range(), op.new_range());
        let mut start = old.start;
        if let Some(last) = changes.last()
            && last.old.end == old.start
            && last.new.end == new.start
        {
            (start, new.start) = (last.old.start, last.new.start);
            changes.pop();
        }
        changes.push(Change {
            old: start..old.end,
            text: &to_text[at[new.start]..at[new.end]],
            new,
        });
    }
    changes
}

/// The edits that turn `from` into `to`: few and small, sorted, without overlap.
pub fn edits_between(from: &str, to: &str) -> Vec<TextEdit> {
    let (old, new) = (lines(from), lines(to));
    let at = borders(&old);
    let changes = changes(&old, &new, to);
    changes
        .iter()
        .map(|change| trimmed(from, at[change.old.start]..at[change.old.end], change.text))
        .collect()
}

/// The edit without what it would replace by itself.
fn trimmed(from: &str, range: Range<usize>, text: &str) -> TextEdit {
    let old = &from[range.clone()];
    let same = |(a, b): &(char, char)| a == b;
    let len = |pairs: (char, char)| pairs.0.len_utf8();
    let head: usize = old
        .chars()
        .zip(text.chars())
        .take_while(same)
        .map(len)
        .sum();
    let tail: usize = old[head..]
        .chars()
        .rev()
        .zip(text[head..].chars().rev())
        .take_while(same)
        .map(len)
        .sum();
    TextEdit {
        range: range.start + head..range.end - tail,
        text: text[head..text.len() - tail].to_owned(),
    }
}

/// The lines of `to` that differ from `from`.
pub fn changed_lines(from: &str, to: &str) -> Vec<Lines> {
    let (old, new) = (lines(from), lines(to));
    let changes = changes(&old, &new, to);
    changes.into_iter().map(|c| shown(&c.new)).collect()
}

/// Lines as people count them; where lines are missing, the one that follows.
fn shown(range: &Range<usize>) -> Lines {
    range.start + 1..=range.end.max(range.start + 1)
}

/// What both sides did to `base`, in one text; changes that are alike are made once.
///
/// # Errors
/// The lines of `ours` that both sides changed differently.
pub fn merge(base: &str, ours: &str, theirs: &str) -> Result<String, Vec<Lines>> {
    let base_lines = lines(base);
    let (our_lines, their_lines) = (lines(ours), lines(theirs));
    let our_changes = changes(&base_lines, &our_lines, ours);
    let their_changes = changes(&base_lines, &their_lines, theirs);
    let mut wanted = Vec::new();
    let mut conflicts = Vec::new();
    let mut first = 0;
    for change in &their_changes {
        // Both are sorted: what lies before this change lies before the next ones too.
        while our_changes
            .get(first)
            .is_some_and(|ours| ours.old.end < change.old.start)
        {
            first += 1;
        }
        let near = our_changes[first..]
            .iter()
            .take_while(|ours| ours.old.start <= change.old.end);
        let mut agreed = false;
        for ours in near {
            if ours.old == change.old && ours.text == change.text {
                agreed = true;
            } else if collide(&ours.old, &change.old) {
                conflicts.push(shown(&ours.new));
            }
        }
        if !agreed {
            wanted.push(change);
        }
    }
    if !conflicts.is_empty() {
        conflicts.dedup();
        return Err(conflicts);
    }
    Ok(woven(&base_lines, &our_changes, &wanted))
}

/// Whether two changes of a text cannot both be made: they share lines, or one
/// inserts where the other changes. Changes of neighbouring lines can.
fn collide(a: &Range<usize>, b: &Range<usize>) -> bool {
    if a.is_empty() || b.is_empty() {
        a.start <= b.end && b.start <= a.end
    } else {
        a.start < b.end && b.start < a.end
    }
}

/// `base` with both sides' changes, which do not collide.
fn woven(base: &[&str], ours: &[Change<'_>], theirs: &[&Change<'_>]) -> String {
    let mut all: Vec<&Change<'_>> = ours.iter().chain(theirs.iter().copied()).collect();
    all.sort_by_key(|change| (change.old.start, change.old.end));
    let mut out = String::new();
    let mut done = 0;
    for change in all {
        out.extend(base[done..change.old.start].iter().copied());
        out.push_str(change.text);
        done = change.old.end;
    }
    out.extend(base[done..].iter().copied());
    out
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
