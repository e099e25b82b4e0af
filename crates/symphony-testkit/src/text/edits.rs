//! Arithmetic of edits: checks, inversion, rebasing, differences.

use std::ops::Range;
use symphony_core_ports::{PortError, PortResult, TextEdit};

/// Refuses a range that is reversed, past the end or within a character.
pub(super) fn check_range(text: &str, range: &Range<usize>) -> PortResult<()> {
    if text.get(range.clone()).is_some() {
        return Ok(());
    }
    let why = format!(
        "{}..{} is reversed, past the end ({}) or within a character",
        range.start,
        range.end,
        text.len()
    );
    Err(PortError::invalid("range", why))
}

/// Refuses edits that are unsorted, overlap or do not fit the text.
pub(super) fn check(text: &str, edits: &[TextEdit]) -> PortResult<()> {
    let mut done = 0;
    for edit in edits {
        check_range(text, &edit.range)?;
        if edit.range.start < done {
            let why = format!("the edit at {} is unsorted or overlaps", edit.range.start);
            return Err(PortError::invalid("edits", why));
        }
        done = edit.range.end;
    }
    Ok(())
}

/// The edits that take `edits` of `text` back, in positions of the text after them.
pub(super) fn invert(text: &str, edits: &[TextEdit]) -> Vec<TextEdit> {
    let mut inserted = 0;
    let mut removed = 0;
    edits
        .iter()
        .map(|edit| {
            let start = edit.range.start + inserted - removed;
            inserted += edit.text.len();
            removed += edit.range.len();
            TextEdit {
                range: start..start + edit.text.len(),
                text: text[edit.range.clone()].to_owned(),
            }
        })
        .collect()
}

/// Where `range` is after `edits`, and whether one of them meets or touches it.
pub(super) fn carry(range: &Range<usize>, edits: &[TextEdit]) -> (Range<usize>, bool) {
    let mut carried = range.clone();
    let mut met = false;
    for edit in edits {
        let grown = edit.text.len();
        let shift = |at: usize| at + grown - edit.range.len();
        if edit.range.end < range.start {
            carried = shift(carried.start)..shift(carried.end);
        } else if edit.range.start <= range.end {
            met = true;
            let before = edit.range.start.min(range.start);
            let after = edit.range.end.max(range.end);
            carried.start -= range.start - before;
            carried.end = shift(carried.end + (after - range.end));
        }
    }
    (carried, met)
}

/// The smallest single edit that makes `new` of `old`; none when they are equal.
pub(super) fn difference(old: &str, new: &str) -> Option<TextEdit> {
    if old == new {
        return None;
    }
    let same = |a: &(char, char)| a.0 == a.1;
    let prefix: usize = old
        .chars()
        .zip(new.chars())
        .take_while(same)
        .map(|(c, _)| c.len_utf8())
        .sum();
    let suffix: usize = old[prefix..]
        .chars()
        .rev()
        .zip(new[prefix..].chars().rev())
        .take_while(same)
        .map(|(c, _)| c.len_utf8())
        .sum();
    Some(TextEdit {
        range: prefix..old.len() - suffix,
        text: new[prefix..new.len() - suffix].to_owned(),
    })
}
