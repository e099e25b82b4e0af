//! Commands on whole lines.

use super::{Caret, Outcome, Scene, columns};
use crate::engine::Text;
use symphony_ipc_protocol::xi::{Indent, Replace, Side};

/// Lines from the first to the last, both included.
pub(super) type Block = (usize, usize);

/// How the line ends, or the one before it; `\n` in a text of one line.
pub(super) fn line_break(text: &Text, line: usize) -> &'static str {
    let line = line.min(text.lines().saturating_sub(2));
    if text.line_start(line + 1) - text.line_end(line) == 2 {
        "\r\n"
    } else {
        "\n"
    }
}

/// The lines of a selection; one that ends where a line begins does not touch it.
fn lines_of(text: &Text, caret: &Caret) -> Block {
    let first = text.line_of(caret.start());
    let last = text.line_of(caret.end());
    if last > first && caret.end() == text.line_start(last) {
        (first, last - 1)
    } else {
        (first, last)
    }
}

/// The lines of all selections; blocks that touch are one.
pub(super) fn blocks(scene: &Scene<'_>) -> Vec<Block> {
    blocks_of(scene.text, scene.carets.iter())
}

fn blocks_of<'a>(text: &Text, carets: impl Iterator<Item = &'a Caret>) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    for (first, last) in carets.map(|c| lines_of(text, c)) {
        match out.last_mut() {
            Some(block) if first <= block.1 + 1 => block.1 = block.1.max(last),
            _ => out.push((first, last)),
        }
    }
    out
}

fn edit(start: usize, end: usize, text: impl Into<String>) -> Replace {
    let text = text.into();
    Replace { start, end, text }
}

/// Inserts to the next step at cursors, and indents the lines of selections.
pub(super) fn indent(scene: &Scene<'_>) -> Outcome {
    let (text, settings) = (scene.text, scene.settings);
    let selected = scene.carets.iter().filter(|c| !c.is_empty());
    let mut edits = Vec::new();
    for line in blocks_of(text, selected)
        .into_iter()
        .flat_map(|b| b.0..=b.1)
    {
        let start = text.line_start(line);
        if !text.is_blank_line(line) {
            edits.push(edit(start, start, settings.step()));
        }
    }
    for caret in scene.carets.iter().filter(|c| c.is_empty()) {
        let step = match settings.indent {
            Indent::Tabs => "\t".to_owned(),
            Indent::Spaces { width } => {
                let column = columns::column_of(text, settings.tab_width, caret.head);
                let width = width as usize;
                " ".repeat(width - column % width)
            }
        };
        edits.push(edit(caret.head, caret.head, step));
    }
    Outcome::edit(scene, edits)
}

/// Takes one step from the indentation of the lines.
pub(super) fn outdent(scene: &Scene<'_>) -> Outcome {
    let text = scene.text;
    let width = scene.settings.step_width();
    let mut edits = Vec::new();
    for line in blocks(scene).into_iter().flat_map(|b| b.0..=b.1) {
        let (start, end) = (text.line_start(line), text.indent_end(line));
        let indent = text.slice(start, end);
        let spaces = indent
            .bytes()
            .take(width)
            .take_while(|b| *b == b' ')
            .count();
        let less = if spaces < width && indent.as_bytes().get(spaces) == Some(&b'\t') {
            spaces + 1
        } else {
            spaces
        };
        if less > 0 {
            edits.push(edit(start, start + less, ""));
        }
    }
    Outcome::edit(scene, edits)
}

/// Moves each block, and the selections in it, by a distance of its own.
fn moved(scene: &Scene<'_>, edits: Vec<Replace>, moves: &[(Block, isize)]) -> Outcome {
    let text = scene.text;
    let grown: isize = edits.iter().map(|e| e.text.len() as isize).sum();
    let gone: usize = edits.iter().map(|e| e.end - e.start).sum();
    let len = text.len().saturating_add_signed(grown) - gone;
    let carets = scene.carets.map(|caret| {
        let (first, _) = lines_of(text, caret);
        let block = moves.partition_point(|(b, _)| b.1 < first);
        let by = moves.get(block).map_or(0, |(_, by)| *by);
        let to = |offset: usize| offset.saturating_add_signed(by).min(len);
        Caret::new(to(caret.anchor), to(caret.head))
    });
    Outcome {
        edits,
        carets,
        clipboard: Vec::new(),
    }
}

/// Exchanges blocks with the line above or below.
pub(super) fn shift(scene: &Scene<'_>, side: Side) -> Outcome {
    let text = scene.text;
    let mut edits = Vec::new();
    let mut moves = Vec::new();
    for block in blocks(scene) {
        let (first, last) = block;
        match side {
            Side::Above if first > 0 => {
                let (start, end) = (text.line_start(first - 1), text.line_end(first - 1));
                let other = text.slice(start, end);
                let line_end = text.slice(end, text.line_start(first));
                let place = text.line_end(last);
                moves.push((block, -((text.line_start(first) - start) as isize)));
                edits.push(edit(start, text.line_start(first), ""));
                edits.push(edit(place, place, format!("{line_end}{other}")));
            }
            Side::Below if last + 1 < text.lines() => {
                let (start, end) = (text.line_start(last + 1), text.line_end(last + 1));
                let other = text.slice(start, end);
                let line_end = text.slice(text.line_end(last), start);
                let place = text.line_start(first);
                moves.push((block, (other.len() + line_end.len()) as isize));
                edits.push(edit(place, place, format!("{other}{line_end}")));
                edits.push(edit(text.line_end(last), end, ""));
            }
            _ => moves.push((block, 0)),
        }
    }
    moved(scene, edits, &moves)
}

/// Doubles blocks; the selections go to the second one.
pub(super) fn duplicate(scene: &Scene<'_>) -> Outcome {
    let text = scene.text;
    let mut edits = Vec::new();
    let mut moves = Vec::new();
    let mut grown = 0;
    for block in blocks(scene) {
        let (start, end) = (text.line_start(block.0), text.line_end(block.1));
        let copy = format!("{}{}", line_break(text, block.1), text.slice(start, end));
        grown += copy.len() as isize;
        moves.push((block, grown));
        edits.push(edit(end, end, copy));
    }
    moved(scene, edits, &moves)
}

/// Deletes blocks.
pub(super) fn delete(scene: &Scene<'_>) -> Outcome {
    let text = scene.text;
    let mut edits = Vec::new();
    for (first, last) in blocks(scene) {
        let (mut start, end) = (text.line_start(first), text.line_start(last + 1));
        if last + 1 >= text.lines() && first > 0 {
            // The last line has no end of its own: the one before goes.
            start = text.line_end(first - 1);
        }
        if start < end {
            edits.push(edit(start, end, ""));
        }
    }
    let outcome = Outcome::edit(scene, edits);
    Outcome {
        carets: outcome.carets.map(|c| Caret::at(c.head)),
        ..outcome
    }
}

/// Joins the lines of each block, or a single line with the next one.
pub(super) fn join(scene: &Scene<'_>) -> Outcome {
    let text = scene.text;
    let mut edits: Vec<Replace> = Vec::new();
    let last_line = text.lines() - 1;
    for (first, last) in blocks(scene) {
        let last = if first == last { first + 1 } else { last };
        for line in first..last.min(last_line) {
            let (start, end) = (text.line_end(line), text.indent_end(line + 1));
            let before = text.chars_before(start).next();
            let spaced = before.is_none_or(char::is_whitespace) || text.is_blank_line(line);
            let space = if spaced || text.is_blank_line(line + 1) {
                ""
            } else {
                " "
            };
            // A block may end with the line that the one before was joined with.
            if edits.last().is_none_or(|e| e.end <= start) {
                edits.push(edit(start, end, space));
            }
        }
    }
    Outcome::edit(scene, edits)
}
