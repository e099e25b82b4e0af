//! Edits become hunks: what touches is decided together, all else apart.

use super::{
    merge,
    proposed::{ProposedEdit, ProposedFile},
    types::{Decided, DiffKind, DiffLine, Hunk, HunkEdit},
};
use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices};
use std::{collections::BTreeSet, ops::Range};

/// Lines shown around a change.
const CONTEXT: usize = 3;
/// Labels of one kind that a hunk of many edits shows.
const MAX_LABELS: usize = 8;
/// Bytes of a line that are shown.
const MAX_SHOWN: usize = 4_096;

/// A text and where its lines begin.
struct Base<'a> {
    text: &'a str,
    lines: Vec<&'a str>,
    starts: Vec<usize>,
}

impl<'a> Base<'a> {
    fn new(text: &'a str) -> Self {
        let lines = merge::lines(text);
        let mut at = 0;
        let starts = lines
            .iter()
            .map(|line| {
                let start = at;
                at += line.len();
                start
            })
            .collect();
        Self {
            text,
            lines,
            starts,
        }
    }

    /// The row that a byte is in; past the last one at the end of a text that ends with `\n`.
    fn row(&self, at: usize) -> usize {
        if at == self.text.len() && (at == 0 || self.text.ends_with('\n')) {
            return self.lines.len();
        }
        self.starts.partition_point(|start| *start <= at) - 1
    }

    fn begins_row(&self, at: usize) -> bool {
        at == 0 || self.text.as_bytes()[at - 1] == b'\n'
    }

    /// Where a row begins; the end of the text for the one past the last.
    fn start(&self, row: usize) -> usize {
        self.starts.get(row).copied().unwrap_or(self.text.len())
    }

    /// The rows that putting a text in the place of bytes changes; empty for
    /// an insertion of whole rows.
    fn rows(&self, start: usize, end: usize, text: &str) -> Range<usize> {
        let first = self.row(start);
        let whole = self.begins_row(start)
            && self.begins_row(end)
            && (text.is_empty() || text.ends_with('\n'));
        let last = match whole {
            true => self.row(end),
            false => (self.row(end) + 1).min(self.lines.len()),
        };
        first..last.max(first)
    }

    fn bytes(&self, rows: &Range<usize>) -> Range<usize> {
        self.start(rows.start)..self.start(rows.end)
    }

    /// Rows turned into another text, as a diff with context.
    fn diff(&self, rows: &Range<usize>, new: &str) -> Vec<DiffLine> {
        let before = rows.start.saturating_sub(CONTEXT);
        let after = (rows.end + CONTEXT).min(self.lines.len());
        let context = |rows: Range<usize>| {
            let lines = self.lines[rows].iter();
            lines.map(|line| diff_line(DiffKind::Context, line))
        };
        let mut lines: Vec<DiffLine> = context(before..rows.start).collect();
        lines.extend(diff(&self.lines[rows.clone()], &merge::lines(new)));
        lines.extend(context(rows.end..after));
        lines
    }
}

/// The edits of a hunk and the rows they change.
struct Group<'a> {
    rows: Range<usize>,
    edits: Vec<&'a ProposedEdit>,
}

/// The hunks of a file, numbered from `first`. Edits that change nothing are left out.
pub(super) fn hunks_of(file: &ProposedFile, first: u32) -> Vec<Hunk> {
    let base = Base::new(file.base_text.as_deref().unwrap_or_default());
    let mut hunks = Vec::new();
    // Lines that the hunks so far add, less those they remove.
    let mut grown = 0isize;
    for (id, group) in (first..).zip(groups(&base, file)) {
        let (hunk, grows) = hunk_of(&base, &group, id, grown);
        grown += grows;
        hunks.push(hunk);
    }
    hunks
}

fn groups<'a>(base: &Base<'_>, file: &'a ProposedFile) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    if file.base_text.is_none() {
        // A new file is there or it is not, even an empty one.
        return vec![Group {
            rows: 0..0,
            edits: file.edits.iter().collect(),
        }];
    }
    for edit in &file.edits {
        if base.text[edit.start..edit.end] == edit.text {
            continue;
        }
        let rows = base.rows(edit.start, edit.end, &edit.text);
        match groups.last_mut() {
            Some(last) if rows.start <= last.rows.end => {
                last.rows.end = last.rows.end.max(rows.end);
                last.edits.push(edit);
            }
            _ => groups.push(Group {
                rows,
                edits: vec![edit],
            }),
        }
    }
    groups
}

fn hunk_of(base: &Base<'_>, group: &Group<'_>, id: u32, grown: isize) -> (Hunk, isize) {
    let rows = &group.rows;
    let edits = group.edits.iter().map(|edit| HunkEdit {
        start: edit.start,
        end: edit.end,
        text: edit.text.clone(),
    });
    let edits: Vec<HunkEdit> = edits.collect();
    let new = woven(base.text, base.bytes(rows), edits.iter());
    let before = rows.start.saturating_sub(CONTEXT);
    let hunk = Hunk {
        id,
        edits,
        old_start_line: before + 1,
        new_start_line: before.saturating_add_signed(grown) + 1,
        lines: base.diff(rows, &new),
        item: joined(&group.edits, ", ", |edit| &edit.item),
        why: joined(&group.edits, "; ", |edit| &edit.why),
        by: joined(&group.edits, ", ", |edit| &edit.by),
        findings: Vec::new(),
        verdict: Decided::Pending,
        edited: false,
    };
    let grows = hunk.grows();
    (hunk, grows)
}

fn diff(old: &[&str], new: &[&str]) -> Vec<DiffLine> {
    let ops = capture_diff_slices(Algorithm::Myers, old, new);
    let changes = ops.iter().flat_map(|op: &DiffOp| op.iter_changes(old, new));
    changes
        .map(|change| {
            let kind = match change.tag() {
                ChangeTag::Equal => DiffKind::Context,
                ChangeTag::Delete => DiffKind::Removed,
                ChangeTag::Insert => DiffKind::Added,
            };
            diff_line(kind, change.value_ref())
        })
        .collect()
}

fn diff_line(kind: DiffKind, line: &str) -> DiffLine {
    let bare = line.strip_suffix('\n').unwrap_or(line);
    let text = &bare[..bare.floor_char_boundary(MAX_SHOWN)];
    DiffLine {
        kind,
        text: text.to_owned(),
        newline: bare.len() < line.len(),
        cut: bare.len() - text.len(),
    }
}

/// Each label once, in order; of many the first ones and their number.
fn joined<'a>(
    edits: &[&'a ProposedEdit],
    between: &str,
    label: impl Fn(&'a ProposedEdit) -> &'a String,
) -> String {
    let mut seen = BTreeSet::new();
    let labels = edits.iter().map(|edit| label(edit).as_str());
    let distinct: Vec<&str> = labels
        .filter(|label| !label.is_empty() && seen.insert(*label))
        .collect();
    match distinct.len().saturating_sub(MAX_LABELS) {
        0 => distinct.join(between),
        more => format!("{} and {more} more", distinct[..MAX_LABELS].join(between)),
    }
}

/// `base` with the edits of these hunks, which are in order.
pub(super) fn with_hunks<'a>(base: &str, hunks: impl Iterator<Item = &'a Hunk>) -> String {
    woven(base, 0..base.len(), hunks.flat_map(|hunk| &hunk.edits))
}

/// These bytes of `base` with edits of them, which are in order.
fn woven<'a>(base: &str, bytes: Range<usize>, edits: impl Iterator<Item = &'a HunkEdit>) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut done = bytes.start;
    for edit in edits {
        out.push_str(&base[done..edit.start]);
        out.push_str(&edit.text);
        done = edit.end;
    }
    out.push_str(&base[done..bytes.end.max(done)]);
    out
}

/// The whole lines of a base that a hunk replaces, and by what.
pub(super) struct Replaced<'a> {
    base: Base<'a>,
    rows: Range<usize>,
    /// The lines as the hunk makes them.
    pub(super) new: String,
}

impl<'a> Replaced<'a> {
    /// What a hunk of this base replaces.
    pub(super) fn of(base: &'a str, hunk: &Hunk) -> Self {
        let base = Base::new(base);
        let rows = hunk.edits.iter();
        let rows = rows.map(|edit| base.rows(edit.start, edit.end, &edit.text));
        let rows = rows.reduce(|all, next| all.start..all.end.max(next.end));
        let rows = rows.unwrap_or_default();
        let new = woven(base.text, base.bytes(&rows), hunk.edits.iter());
        Self { base, rows, new }
    }

    /// The lines as the base has them.
    pub(super) fn old(&self) -> &'a str {
        &self.base.text[self.base.bytes(&self.rows)]
    }

    /// Whether no line of the base follows.
    pub(super) fn is_last(&self) -> bool {
        self.rows.end == self.base.lines.len()
    }

    /// Where they begin in the base.
    pub(super) fn start(&self) -> usize {
        self.base.start(self.rows.start)
    }

    /// What follows them in the base.
    pub(super) fn rest(&self) -> &'a str {
        &self.base.text[self.base.start(self.rows.end)..]
    }

    /// Has the hunk put another text in their place.
    pub(super) fn replace(&self, hunk: &mut Hunk, text: &str) {
        let bytes = self.base.bytes(&self.rows);
        hunk.lines = self.base.diff(&self.rows, text);
        hunk.edits = vec![HunkEdit {
            start: bytes.start,
            end: bytes.end,
            text: text.to_owned(),
        }];
    }
}
