//! Columns: how wide text is in cells, tab stops included.

use super::{Caret, Carets, MAX_CARETS, Outcome, Scene};
use crate::engine::Text;
use symphony_ipc_protocol::xi::Corner;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns are counted exactly in so many bytes of a line; beyond, a byte is a column.
const EXACT: usize = 64 * 1024;

/// Columns of a grapheme cluster that begins at a column.
pub(crate) fn cluster_width(cluster: &str, column: usize, tab_width: usize) -> usize {
    match cluster {
        "\t" => tab_width - column % tab_width,
        _ => cluster.width(),
    }
}

/// The column of an offset in its line, from 0.
pub fn column_of(text: &Text, tab_width: usize, offset: usize) -> usize {
    let start = text.line_start(text.line_of(offset));
    let exact = text.snap(offset.min(start + EXACT)).min(offset);
    let part = text.slice(start, exact);
    let width = part.graphemes(true).fold(0, |column, cluster| {
        column + cluster_width(cluster, column, tab_width)
    });
    width + (offset - exact)
}

/// The offset in a line that is at a column, or before it where there is none; with whether the line is that long.
pub fn offset_at(text: &Text, tab_width: usize, line: usize, column: usize) -> (usize, bool) {
    let (start, end) = (text.line_start(line), text.line_end(line));
    let exact = text.snap(end.min(start + EXACT)).min(end);
    let part = text.slice(start, exact);
    let (mut at, mut reached) = (start, 0);
    for cluster in part.graphemes(true) {
        let next = reached + cluster_width(cluster, reached, tab_width);
        if next > column {
            return (at, true);
        }
        reached = next;
        at += cluster.len();
    }
    let far = at.saturating_add(column - reached);
    (text.snap(far.min(end)).min(end), far <= end)
}

/// Selects a rectangle, a selection in each line that is long enough.
pub(super) fn select(scene: &Scene<'_>, anchor: Corner, head: Corner) -> Outcome {
    let text = scene.text;
    let last = text.lines() - 1;
    let from = anchor.line.saturating_sub(1).min(last);
    let to = head.line.saturating_sub(1).min(last);
    let columns = (
        anchor.column.saturating_sub(1),
        head.column.saturating_sub(1),
    );
    let width = scene.settings.tab_width;
    let left = columns.0.min(columns.1);
    let mut list = Vec::new();
    let mut push = |line: usize| {
        let (_, reaches) = offset_at(text, width, line, left);
        if reaches || list.is_empty() {
            let (anchor, _) = offset_at(text, width, line, columns.0);
            let (head, _) = offset_at(text, width, line, columns.1);
            list.push(Caret::new(anchor, head));
        }
        list.len() < MAX_CARETS
    };
    // The line of the head comes last: it is the primary one.
    if from <= to {
        let _ = (from..=to).all(&mut push);
    } else {
        let _ = (to..=from).rev().all(&mut push);
    }
    let primary = list.len().saturating_sub(1);
    Outcome::select(Carets::new(list, primary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_no_line_has_is_the_end_of_the_line() {
        let text = Text::from("ab\n");
        for column in [3, 64 * 1024, usize::MAX] {
            assert_eq!(offset_at(&text, 4, 0, column), (2, false));
        }
        assert_eq!(offset_at(&text, 4, 0, 2), (2, true));
    }
}
