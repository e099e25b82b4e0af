//! Breaking lines.

use super::insert::Plan;
use super::{Caret, Outcome, Scene, lines};

/// Of longer indentation, so many bytes are repeated.
const LONGEST_INDENT: usize = 1_024;

/// Breaks the line at each selection and indents the new one.
pub(super) fn run(scene: &Scene<'_>) -> Outcome {
    let mut plan = Plan::default();
    for caret in scene.carets.iter() {
        let (text, head) = broken(scene, caret);
        plan.replace((caret.start(), caret.end()), text, (head, head));
    }
    plan.outcome(scene)
}

/// What is inserted at a selection, and where the cursor is in it.
fn broken(scene: &Scene<'_>, caret: &Caret) -> (String, usize) {
    let text = scene.text;
    let line = text.line_of(caret.start());
    let line_break = lines::line_break(text, line);
    let start = text.line_start(line);
    let indent_end = text.indent_end(line).min(caret.start());
    let indent = text.slice(start, indent_end.min(start + LONGEST_INDENT));
    let before = text
        .chars_before(caret.start())
        .find(|c| !matches!(c, ' ' | '\t'));
    let after = text.chars_from(caret.end()).next();
    let brackets = [('(', ')'), ('[', ']'), ('{', '}')];
    let opened = brackets.iter().find(|pair| Some(pair.0) == before);
    let Some((_, close)) = opened else {
        let inserted = format!("{line_break}{indent}");
        let head = inserted.len();
        return (inserted, head);
    };
    let mut inserted = format!("{line_break}{indent}{}", scene.settings.step());
    let head = inserted.len();
    if after == Some(*close) {
        inserted.push_str(&format!("{line_break}{indent}"));
    }
    (inserted, head)
}
