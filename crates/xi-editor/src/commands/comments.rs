//! Making lines comments, and comments lines.

use super::lines::{self, Block};
use super::{Outcome, Scene};
use symphony_ipc_protocol::xi::Replace;

/// Comments the lines of all selections, or takes the comments away where all are comments.
pub(super) fn toggle(scene: &Scene<'_>) -> Outcome {
    let language = scene.settings.language;
    let blocks = lines::blocks(scene);
    let edits = match (language.line_comment, language.block_comment) {
        (Some(token), _) => by_lines(scene, &blocks, token),
        (None, Some((open, close))) => {
            let around = |block: &Block| by_block(scene, *block, open, close);
            blocks.iter().flat_map(around).collect()
        }
        (None, None) => return Outcome::select(scene.carets.clone()),
    };
    Outcome::edit(scene, edits)
}

fn replace(start: usize, end: usize, text: &str) -> Replace {
    Replace {
        start,
        end,
        text: text.to_owned(),
    }
}

fn by_lines(scene: &Scene<'_>, blocks: &[Block], token: &str) -> Vec<Replace> {
    let text = scene.text;
    let lines = || {
        let all = blocks.iter().flat_map(|b| b.0..=b.1);
        all.filter(|line| !text.is_blank_line(*line))
    };
    let starts_with = |at: usize, what: &str| text.holds(at, at + what.len(), what);
    if lines().all(|line| starts_with(text.indent_end(line), token)) {
        return lines()
            .map(|line| {
                let start = text.indent_end(line);
                let mut end = start + token.len();
                end += usize::from(starts_with(end, " "));
                replace(start, end, "")
            })
            .collect();
    }
    let indent = |line: usize| text.indent_end(line) - text.line_start(line);
    let column = lines().map(indent).min().unwrap_or(0);
    lines()
        .map(|line| {
            let at = text.line_start(line) + column;
            replace(at, at, &format!("{token} "))
        })
        .collect()
}

fn by_block(scene: &Scene<'_>, block: Block, open: &str, close: &str) -> Vec<Replace> {
    let text = scene.text;
    let start = text.indent_end(block.0);
    let end = text.line_end(block.1);
    let spaces = text
        .chars_before(end)
        .take_while(|c| matches!(c, ' ' | '\t'));
    let end = end - spaces.count();
    if start >= end {
        return Vec::new();
    }
    let is_comment = end - start >= open.len() + close.len()
        && text.holds(start, start + open.len(), open)
        && text.holds(end - close.len(), end, close);
    if !is_comment {
        return vec![
            replace(start, start, &format!("{open} ")),
            replace(end, end, &format!(" {close}")),
        ];
    }
    let (mut inner, mut inner_end) = (start + open.len(), end - close.len());
    if inner < inner_end && text.holds(inner, inner + 1, " ") {
        inner += 1;
    }
    if inner < inner_end && text.holds(inner_end - 1, inner_end, " ") {
        inner_end -= 1;
    }
    vec![replace(start, inner, ""), replace(inner_end, end, "")]
}
