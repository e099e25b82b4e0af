//! Byte offsets and the positions of language servers: line and column.

use crate::engine::Text;
use ls_types::{Position, Range};
use std::sync::Arc;
use symphony_ipc_protocol::xi::{Replace, Span};

/// What a server counts columns in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// Bytes of UTF-8.
    Utf8,
    /// Units of UTF-16.
    Utf16,
    /// Characters.
    Utf32,
}

impl Columns {
    fn width(self, c: char) -> usize {
        match self {
            Self::Utf8 => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
            Self::Utf32 => 1,
        }
    }
}

/// A text with its lines as language servers see them: a lone `\r` ends one too.
#[derive(Debug, Clone)]
pub struct Source {
    text: Text,
    /// Where lines start; only for a text with a lone `\r`, where the rope does not know.
    starts: Option<Arc<[usize]>>,
}

impl Source {
    /// A text, looked through once.
    pub fn new(text: Text) -> Self {
        let lone = has_lone_return(&text, 0, text.len());
        Self::with(text, lone)
    }

    /// The text after edits of this one.
    pub fn after(&self, text: Text, edits: &[Replace]) -> Self {
        let mut lone = self.starts.is_some();
        let (mut removed, mut added) = (0, 0);
        for edit in edits {
            let start = edit.start - removed + added;
            let end = start + edit.text.len();
            lone = lone || has_lone_return(&text, start.saturating_sub(1), end + 1);
            removed += edit.end - edit.start;
            added += edit.text.len();
        }
        Self::with(text, lone)
    }

    fn with(text: Text, lone: bool) -> Self {
        let starts = lone.then(|| line_starts(&text));
        Self { text, starts }
    }

    /// The text.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Whether a lone `\r` ends lines.
    pub fn has_lone_returns(&self) -> bool {
        self.starts.is_some()
    }

    /// The line of an offset, counted from 0.
    pub fn line_at(&self, offset: usize) -> usize {
        match &self.starts {
            Some(starts) => starts.partition_point(|start| *start <= offset) - 1,
            None => self.text.line_of(offset),
        }
    }

    /// Where a line starts and where its text ends, before its line end.
    pub fn line(&self, line: usize) -> (usize, usize) {
        let (start, next) = match &self.starts {
            Some(starts) => {
                let at = |line: usize| starts.get(line).copied().unwrap_or(self.text.len());
                (at(line), at(line + 1))
            }
            None => (self.text.line_start(line), self.text.line_start(line + 1)),
        };
        let ends = |at: usize, byte: u8| at > start && self.text.byte(at - 1) == byte;
        let mut end = next;
        if ends(end, b'\n') {
            end -= 1;
            end -= usize::from(ends(end, b'\r'));
        } else {
            end -= usize::from(ends(end, b'\r'));
        }
        (start, end)
    }

    /// The position of an offset.
    pub fn position(&self, offset: usize, columns: Columns) -> Position {
        let line = self.line_at(offset);
        let (start, end) = self.line(line);
        let end = offset.min(end).max(start);
        let column = match columns {
            Columns::Utf8 => end - start,
            _ => self
                .text
                .pieces(start, end)
                .flat_map(str::chars)
                .map(|c| columns.width(c))
                .sum(),
        };
        Position::new(number(line), number(column))
    }

    /// The offset of a position. One past the end of its line is at that end,
    /// one within a character is before it.
    pub fn offset(&self, position: Position, columns: Columns) -> usize {
        let (start, end) = self.line(position.line as usize);
        let column = position.character as usize;
        if columns == Columns::Utf8 {
            let mut at = (start + column).min(end);
            while !self.text.is_border(at) {
                at -= 1;
            }
            return at;
        }
        let mut at = start;
        let mut seen = 0;
        for c in self.text.pieces(start, end).flat_map(str::chars) {
            seen += columns.width(c);
            if seen > column {
                break;
            }
            at += c.len_utf8();
        }
        at
    }

    /// The span of a range; empty at its start when it is backwards.
    pub fn span(&self, range: Range, columns: Columns) -> Span {
        let start = self.offset(range.start, columns);
        let end = self.offset(range.end, columns).max(start);
        Span { start, end }
    }

    /// The range of a span.
    pub fn range(&self, span: Span, columns: Columns) -> Range {
        Range::new(
            self.position(span.start, columns),
            self.position(span.end, columns),
        )
    }
}

/// No text has more lines or columns than fit: texts for servers are small.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Whether a `\r` without `\n` lies between `start` and `end`.
fn has_lone_return(text: &Text, start: usize, end: usize) -> bool {
    let len = text.len();
    let mut start = start.min(len);
    let mut end = end.min(len);
    while !text.is_border(start) {
        start -= 1;
    }
    while !text.is_border(end) {
        end += 1;
    }
    let mut open = false;
    for piece in text.pieces(start, end) {
        let bytes = piece.as_bytes();
        if open && bytes.first() != Some(&b'\n') {
            return true;
        }
        for at in memchr::memchr_iter(b'\r', bytes) {
            if bytes.get(at + 1).is_some_and(|next| *next != b'\n') {
                return true;
            }
        }
        open = bytes.last() == Some(&b'\r');
    }
    open && (end == len || text.byte(end) != b'\n')
}

fn line_starts(text: &Text) -> Arc<[usize]> {
    let mut starts = vec![0];
    let mut at = 0;
    let mut after_return = false;
    for piece in text.chunks() {
        for byte in piece.bytes() {
            if after_return && byte != b'\n' {
                starts.push(at);
            }
            at += 1;
            if byte == b'\n' {
                starts.push(at);
            }
            after_return = byte == b'\r';
        }
    }
    if after_return {
        starts.push(at);
    }
    starts.into()
}

/// Where an offset is after edits, sorted and in positions before them; text
/// inserted at it comes before it. `None` when the text around it was replaced.
pub fn rebase(offset: usize, edits: &[Replace]) -> Option<usize> {
    let replaced = edits.iter().any(|e| e.start < offset && offset < e.end);
    (!replaced).then(|| moved(offset, edits, true))
}

/// Where a span is after edits; `None` when all of it was replaced.
pub fn rebase_span(span: Span, edits: &[Replace]) -> Option<Span> {
    let all = |e: &Replace| e.start <= span.start && span.end <= e.end;
    if span.start < span.end && edits.iter().any(all) {
        return None;
    }
    let start = moved(span.start, edits, true);
    let end = moved(span.end, edits, false).max(start);
    Some(Span { start, end })
}

/// Where an offset is after edits. With `right` it stays behind what is inserted at it.
fn moved(offset: usize, edits: &[Replace], right: bool) -> usize {
    let (mut removed, mut added) = (0, 0);
    for edit in edits {
        let before = edit.end == offset && (right || edit.start < edit.end);
        if edit.end < offset || before {
            removed += edit.end - edit.start;
            added += edit.text.len();
        } else if edit.start < offset {
            let kept = if right { edit.text.len() } else { 0 };
            return edit.start - removed + added + kept;
        } else {
            break;
        }
    }
    offset - removed + added
}
