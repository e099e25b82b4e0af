//! Typing, and the clipboard.

use super::{Caret, Carets, Outcome, Scene, lines, pairs};
use symphony_ipc_protocol::xi::Replace;

/// Edits at the selections in order, and where each cursor is after its own.
#[derive(Default)]
pub(super) struct Plan {
    edits: Vec<Replace>,
    carets: Vec<Caret>,
    /// How much longer the text is after the edits so far.
    grown: isize,
}

impl Plan {
    /// Replaces a range; the selection is then at `anchor..head` of the new text of the range.
    pub(super) fn replace(&mut self, range: (usize, usize), text: String, at: (usize, usize)) {
        self.keep(range.0, at);
        self.grown += text.len() as isize - (range.1 - range.0) as isize;
        self.edits.push(Replace {
            start: range.0,
            end: range.1,
            text,
        });
    }

    /// Replaces a range; the cursor is then behind the new text.
    pub(super) fn insert(&mut self, range: (usize, usize), text: String) {
        let end = text.len();
        self.replace(range, text, (end, end));
    }

    /// Edits nothing; the selection is then at `anchor..head` from a place.
    pub(super) fn keep(&mut self, place: usize, at: (usize, usize)) {
        let place = place.saturating_add_signed(self.grown);
        self.carets.push(Caret::new(place + at.0, place + at.1));
    }

    pub(super) fn outcome(self, scene: &Scene<'_>) -> Outcome {
        let mut edits = self.edits;
        edits.retain(|e| e.start < e.end || !e.text.is_empty());
        Outcome {
            edits,
            carets: Carets::new(self.carets, scene.carets.primary_index()),
            clipboard: Vec::new(),
        }
    }
}

/// Types text at each selection.
pub(super) fn run(scene: &Scene<'_>, text: &str) -> Outcome {
    let mut plan = Plan::default();
    let mut chars = text.chars();
    let single = chars.next().filter(|_| chars.next().is_none());
    for caret in scene.carets.iter() {
        let paired = single.is_some_and(|c| pairs::typed(scene, caret, c, &mut plan));
        if !paired {
            plan.insert((caret.start(), caret.end()), text.to_owned());
        }
    }
    plan.outcome(scene)
}

/// Inserts one text at each selection, or all of them at each.
pub(super) fn paste(scene: &Scene<'_>, texts: &[String]) -> Outcome {
    let all = || texts.join(lines::line_break(scene.text, 0));
    let each = texts.len() == scene.carets.count();
    let all = if each { String::new() } else { all() };
    let mut plan = Plan::default();
    for (index, caret) in scene.carets.iter().enumerate() {
        let text = if each { &texts[index] } else { &all };
        plan.insert((caret.start(), caret.end()), text.clone());
    }
    plan.outcome(scene)
}

/// Gives what is selected; the line where nothing is.
pub(super) fn copy(scene: &Scene<'_>) -> Outcome {
    let part = |(start, end)| scene.text.slice(start, end).into_owned();
    Outcome {
        clipboard: taken(scene).into_iter().map(part).collect(),
        ..Outcome::select(scene.carets.clone())
    }
}

/// Gives it and deletes it.
pub(super) fn cut(scene: &Scene<'_>) -> Outcome {
    Outcome {
        clipboard: copy(scene).clipboard,
        ..delete_ranges(scene, taken(scene))
    }
}

/// What each selection has selected; the line with its end for the first of the
/// cursors in it.
fn taken(scene: &Scene<'_>) -> Vec<(usize, usize)> {
    let text = scene.text;
    let mut last = None;
    let range = |caret: &Caret| {
        if !caret.is_empty() {
            return (caret.start(), caret.end());
        }
        let line = text.line_of(caret.head);
        if last.replace(line) == Some(line) {
            return (caret.head, caret.head);
        }
        (text.line_start(line), text.line_start(line + 1))
    };
    scene.carets.iter().map(range).collect()
}

/// Deletes a range for each selection; ranges may overlap.
pub(super) fn delete_ranges(scene: &Scene<'_>, ranges: Vec<(usize, usize)>) -> Outcome {
    let cursors = ranges.iter().map(|r| Caret::at(r.0)).collect();
    let carets = Carets::new(cursors, scene.carets.primary_index());
    let mut sorted = ranges;
    sorted.sort_unstable();
    let mut edits: Vec<Replace> = Vec::new();
    for (start, end) in sorted {
        match edits.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ if start < end => edits.push(Replace {
                start,
                end,
                text: String::new(),
            }),
            _ => {}
        }
    }
    let changes = crate::engine::Changes::of_edits(&edits);
    Outcome {
        carets: carets.moved_by(&changes),
        edits,
        clipboard: Vec::new(),
    }
}
