//! How a view shows a text: lines broken into rows, folded lines left out.
//!
//! Nothing is kept but settings and folds: rows are worked out where somebody
//! looks, so that an edit costs nothing however long the text is. A line is
//! laid out in pieces of 64 KiB, which bounds what one row costs; where a row
//! begins depends on the line and the settings only, never on who asks.

mod folds;
mod metrics;
mod wrap;

pub use folds::{Folded, Hidden, foldable};
pub use metrics::Metrics;

use crate::commands::Rows;
use crate::engine::Text;
use wrap::break_row;

/// A line is laid out in pieces of so many bytes.
const PIECE: usize = 64 * 1024;

/// How a view shows its text.
pub struct Layout<'a> {
    /// How wide a row is; `None`: as wide as its line.
    pub wrap: Option<usize>,
    /// How wide clusters are.
    pub metrics: &'a Metrics,
    /// Columns from one tab stop to the next.
    pub tab_width: usize,
    /// Lines that are folded away.
    pub hidden: Hidden,
}

/// A row: where it begins and ends, and of which line it is, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its line.
    pub line: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte, without the line end.
    pub end: usize,
}

impl Layout<'_> {
    /// The row that an offset is in; where one row ends and another begins, the other.
    pub fn row_at(&self, text: &Text, offset: usize) -> Row {
        let line = self.shown_line(text, text.line_of(offset));
        let (start, end) = (text.line_start(line), text.line_end(line));
        if self.wrap.is_none() {
            return Row { line, start, end };
        }
        let offset = offset.clamp(start, end);
        let mut row = self.row_from(text, line, piece_of(text, start, offset));
        while row.end <= offset && row.end < end {
            row = self.row_from(text, line, row.end);
        }
        row
    }

    /// A line, or the next one that is shown, or the one before where none is.
    fn shown_line(&self, text: &Text, line: usize) -> usize {
        let shown = self.hidden.shown(line);
        if shown < text.lines() {
            return shown;
        }
        self.hidden.shown_before(shown).unwrap_or(0)
    }

    /// The row after another one.
    pub fn next_row(&self, text: &Text, row: &Row) -> Option<Row> {
        if row.end < text.line_end(row.line) {
            return Some(self.row_from(text, row.line, row.end));
        }
        let line = self.hidden.shown(row.line + 1);
        (line < text.lines()).then(|| self.row_from(text, line, text.line_start(line)))
    }

    /// The row before another one.
    pub fn previous_row(&self, text: &Text, row: &Row) -> Option<Row> {
        if row.start > text.line_start(row.line) {
            return Some(self.row_at(text, text.border_before(row.start - 1)));
        }
        let line = self.hidden.shown_before(row.line)?;
        Some(self.row_at(text, text.line_end(line)))
    }

    /// How wide a row is up to an offset in it.
    pub fn width_to(&self, text: &Text, row: &Row, offset: usize) -> usize {
        self.metrics
            .width(text, (row.start, offset), self.tab_width)
    }

    /// The offset in a row that is nearest to a width, and not at its end where
    /// the next row of the line begins.
    pub fn offset_in(&self, text: &Text, row: &Row, width: usize) -> usize {
        let range = (row.start, row.end);
        let at = self.metrics.offset(text, range, width, self.tab_width);
        if at == row.end && at > row.start && at < text.line_end(row.line) {
            text.previous_cluster(at)
        } else {
            at
        }
    }

    /// The row that begins at an offset.
    fn row_from(&self, text: &Text, line: usize, start: usize) -> Row {
        let line_end = text.line_end(line);
        let end = match self.wrap {
            None => line_end,
            Some(width) => {
                let line_start = text.line_start(line);
                let limit = piece_end(text, (line_start, line_end), start);
                break_row(text, (start, limit), width, self.metrics, self.tab_width)
            }
        };
        Row { line, start, end }
    }
}

impl Rows for Layout<'_> {
    fn moved(&self, text: &Text, offset: usize, count: i64, goal: Option<usize>) -> (usize, usize) {
        let mut row = self.row_at(text, offset);
        let within = offset.clamp(row.start, row.end);
        let goal = goal.unwrap_or_else(|| self.width_to(text, &row, within));
        if self.wrap.is_none() && self.hidden.is_empty() {
            let line = i64::try_from(row.line).unwrap_or(i64::MAX);
            let last = text.lines() - 1;
            let line = usize::try_from(line.saturating_add(count).max(0)).unwrap_or(last);
            let line = line.min(last);
            row = self.row_from(text, line, text.line_start(line));
        } else {
            for _ in 0..count.unsigned_abs() {
                let next = if count > 0 {
                    self.next_row(text, &row)
                } else {
                    self.previous_row(text, &row)
                };
                let Some(next) = next else { break };
                row = next;
            }
        }
        (self.offset_in(text, &row, goal), goal)
    }
}

/// Where the piece of a line begins that an offset is in.
fn piece_of(text: &Text, line_start: usize, offset: usize) -> usize {
    let number = (offset - line_start) / PIECE;
    let start = piece(text, line_start, number);
    if start > offset {
        piece(text, line_start, number - 1)
    } else {
        start
    }
}

/// Where the piece ends that a row of a line begins in.
fn piece_end(text: &Text, line: (usize, usize), start: usize) -> usize {
    let number = (start - line.0) / PIECE;
    // Pieces whose first cluster is long may begin where the one before does.
    (number + 1..)
        .map(|number| piece(text, line.0, number).min(line.1))
        .find(|end| *end > start || *end == line.1)
        .unwrap_or(line.1)
}

fn piece(text: &Text, line_start: usize, number: usize) -> usize {
    if number == 0 {
        line_start
    } else {
        text.snap(line_start + number * PIECE)
    }
}

#[cfg(test)]
mod tests;
