//! Selecting: all, lines, words, more of the same.

use super::{Caret, Carets, MAX_CARETS, Outcome, Scene, words};
use crate::engine::Text;
use symphony_ipc_protocol::xi::Side;

/// Text is searched in pieces of so many bytes.
const PIECE: usize = 256 * 1024;

/// Adds a cursor above the first or below the last one.
pub(super) fn add_cursor(scene: &Scene<'_>, side: Side) -> Outcome {
    let (edge, rows) = match side {
        Side::Above => (scene.carets.iter().next(), -1),
        Side::Below => (scene.carets.iter().next_back(), 1),
    };
    let mut carets = scene.carets.clone();
    if let Some(caret) = edge
        && carets.count() < MAX_CARETS
    {
        let (head, goal) = scene.rows.moved(scene.text, caret.head, rows, caret.goal);
        let goal = Some(goal);
        carets = carets.and(Caret {
            goal,
            ..Caret::at(head)
        });
    }
    Outcome::select(carets)
}

/// Selects the next place with the primary selection's text as well.
pub(super) fn add_next(scene: &Scene<'_>) -> Outcome {
    if scene.carets.iter().any(Caret::is_empty) {
        return select_words(scene);
    }
    let primary = scene.carets.primary();
    let needle = scene.text.slice(primary.start(), primary.end());
    let taken = |at: usize| scene.carets.iter().any(|c| c.start() == at);
    let mut from = primary.end();
    let mut wrapped = false;
    while scene.carets.count() < MAX_CARETS {
        match find(scene.text, &needle, from) {
            Some(at) if wrapped && at >= primary.start() => break,
            Some(at) if taken(at) || !on_borders(scene.text, at, needle.len()) => {
                from = at + needle.chars().next().map_or(1, char::len_utf8);
            }
            Some(at) => {
                let found = primary.over(at, at + needle.len());
                return Outcome::select(scene.carets.and(found));
            }
            None if wrapped => break,
            None => {
                wrapped = true;
                from = 0;
            }
        }
    }
    Outcome::select(scene.carets.clone())
}

fn on_borders(text: &Text, at: usize, len: usize) -> bool {
    text.is_cluster_border(at) && text.is_cluster_border(at + len)
}

/// The first place of a text from an offset on.
fn find(text: &Text, needle: &str, from: usize) -> Option<usize> {
    let finder = memchr::memmem::Finder::new(needle);
    let mut start = from;
    while start + needle.len() <= text.len() {
        let end = text.border_before(start + PIECE.max(needle.len() * 2));
        let piece = text.slice(start, end);
        if let Some(at) = finder.find(piece.as_bytes()) {
            return Some(start + at);
        }
        if end == text.len() {
            break;
        }
        start = text.border_before(end - needle.len());
    }
    None
}

/// Selects everything.
pub(super) fn select_all(scene: &Scene<'_>) -> Outcome {
    Outcome::select(Carets::one(Caret::new(0, scene.text.len())))
}

/// Selects whole lines; those that are whole already grow by one.
pub(super) fn select_lines(scene: &Scene<'_>) -> Outcome {
    let text = scene.text;
    Outcome::select(scene.carets.map(|caret| {
        let start = text.line_start(text.line_of(caret.start()));
        Caret::new(start, text.line_start(text.line_of(caret.end()) + 1))
    }))
}

/// Selects the word at each cursor where nothing is selected.
pub(super) fn select_words(scene: &Scene<'_>) -> Outcome {
    Outcome::select(scene.carets.map(|caret| {
        if caret.is_empty() {
            let (start, end) = words::word_at(scene.text, caret.head);
            Caret::new(start, end)
        } else {
            *caret
        }
    }))
}

/// Leaves the primary cursor only.
pub(super) fn collapse(scene: &Scene<'_>) -> Outcome {
    Outcome::select(Carets::one(Caret::at(scene.carets.primary().head)))
}
