//! Moving cursors.

use super::{Caret, Carets, Outcome, Scene, brackets, columns, words};
use crate::engine::Text;
use symphony_ipc_protocol::xi::{Direction, Unit};

/// All cursors together are moved so often at most.
const MOST_OFTEN: usize = 100_000;
/// So many characters that may be read stand for one line.
const CHARS_A_LINE: usize = 16;

/// Moves all cursors.
pub(super) fn run(
    scene: &Scene<'_>,
    by: Unit,
    direction: Direction,
    count: u32,
    extend: bool,
) -> Outcome {
    let most = u32::try_from(MOST_OFTEN / scene.carets.count()).unwrap_or(u32::MAX);
    let count = count.clamp(1, most.max(1));
    Outcome::select(scene.carets.map(|caret| {
        let moved = match by {
            Unit::Line | Unit::Page => by_rows(scene, caret, direction, count, extend),
            Unit::Grapheme if !extend && !caret.is_empty() => {
                // The first step only leaves the selection.
                let edge = match direction {
                    Direction::Forward => caret.end(),
                    Direction::Backward => caret.start(),
                };
                Caret::at(often(scene, edge, by, direction, count - 1))
            }
            _ => Caret::at(often(scene, caret.head, by, direction, count)),
        };
        Caret {
            anchor: if extend { caret.anchor } else { moved.head },
            ..moved
        }
    }))
}

fn often(scene: &Scene<'_>, mut at: usize, by: Unit, direction: Direction, count: u32) -> usize {
    for _ in 0..count {
        let next = target(scene, at, by, direction);
        if next == at {
            break;
        }
        at = next;
    }
    at
}

fn by_rows(
    scene: &Scene<'_>,
    caret: &Caret,
    direction: Direction,
    count: u32,
    extend: bool,
) -> Caret {
    let (from, rows) = match direction {
        Direction::Forward => (caret.end(), i64::from(count)),
        Direction::Backward => (caret.start(), -i64::from(count)),
    };
    let from = if extend || caret.is_empty() {
        caret.head
    } else {
        from
    };
    let (head, goal) = scene.rows.moved(scene.text, from, rows, caret.goal);
    Caret {
        goal: Some(goal),
        ..Caret::at(head)
    }
}

/// Where one movement leads that needs no rows.
pub(super) fn target(scene: &Scene<'_>, at: usize, by: Unit, direction: Direction) -> usize {
    use Direction::{Backward, Forward};
    let text = scene.text;
    let lines = scene.reach() / CHARS_A_LINE;
    match (by, direction) {
        (Unit::Grapheme, Forward) => text.next_cluster(at),
        (Unit::Grapheme, Backward) => text.previous_cluster(at),
        (Unit::Word, Forward) => words::next_word(text, at),
        (Unit::Word, Backward) => words::previous_word(text, at),
        (Unit::Subword, Forward) => words::next_subword(text, at),
        (Unit::Subword, Backward) => words::previous_subword(text, at),
        (Unit::LineEdge, Forward) => text.line_end(text.line_of(at)),
        (Unit::LineEdge, Backward) => line_beginning(text, at),
        (Unit::Paragraph, Forward) => paragraph_end(text, at, lines),
        (Unit::Paragraph, Backward) => paragraph_start(text, at, lines),
        (Unit::Bracket, _) => brackets::matching(text, at, scene.reach()).unwrap_or(at),
        (Unit::Document, Forward) => text.len(),
        (Unit::Document, Backward) => 0,
        (Unit::Line | Unit::Page, Forward) => next_line(text, at),
        (Unit::Line | Unit::Page, Backward) => text.line_start(text.line_of(at).saturating_sub(1)),
    }
}

fn next_line(text: &Text, at: usize) -> usize {
    text.line_start(text.line_of(at) + 1)
}

/// The line's first letter, or its very beginning when the cursor is there.
fn line_beginning(text: &Text, at: usize) -> usize {
    let line = text.line_of(at);
    // A combining mark may follow the last space.
    let indent = text.snap(text.indent_end(line));
    let start = text.line_start(line);
    if at == indent || indent > text.line_end(line) {
        start
    } else {
        indent
    }
}

/// The next empty line after the text that follows, `reach` lines away at most.
fn paragraph_end(text: &Text, at: usize, reach: usize) -> usize {
    let mut line = text.line_of(at);
    let last = text.lines() - 1;
    let stop = last.min(line + reach);
    while line < stop && text.is_blank_line(line) {
        line += 1;
    }
    while line < stop && !text.is_blank_line(line) {
        line += 1;
    }
    if line == last && !text.is_blank_line(line) {
        text.len()
    } else {
        text.line_start(line)
    }
}

/// The empty line before the text that precedes, `reach` lines away at most.
fn paragraph_start(text: &Text, at: usize, reach: usize) -> usize {
    let mut line = text.line_of(at);
    let stop = line.saturating_sub(reach);
    if line > stop && at == text.line_start(line) {
        line -= 1;
    }
    while line > stop && text.is_blank_line(line) {
        line -= 1;
    }
    while line > stop && !text.is_blank_line(line) {
        line -= 1;
    }
    text.line_start(line)
}

/// One cursor at a line and column, both from 1.
pub(super) fn goto_line(scene: &Scene<'_>, line: usize, column: usize, extend: bool) -> Outcome {
    let line = line.saturating_sub(1).min(scene.text.lines() - 1);
    let column = column.saturating_sub(1);
    let (head, _) = columns::offset_at(scene.text, scene.settings.tab_width, line, column);
    let anchor = if extend {
        scene.carets.primary().anchor
    } else {
        head
    };
    Outcome::select(Carets::one(Caret::new(anchor, head)))
}
