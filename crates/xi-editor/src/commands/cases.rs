//! Case of letters, and transposing.

use super::insert::Plan;
use super::words::{Kind, kind, word_at};
use super::{Caret, Outcome, Scene};
use symphony_ipc_protocol::xi::LetterCase;

/// Changes the case of what is selected, or of the word at each cursor.
pub(super) fn change(scene: &Scene<'_>, to: LetterCase) -> Outcome {
    let mut plan = Plan::default();
    let mut done = 0;
    for caret in scene.carets.iter() {
        let (start, end) = if caret.is_empty() {
            word_at(scene.text, caret.head)
        } else {
            (caret.start(), caret.end())
        };
        if start < done {
            // The word of the cursor before: it is changed already.
            plan.keep(caret.head, (0, 0));
            continue;
        }
        done = end;
        let old = scene.text.slice(start, end);
        let new = in_case(&old, to);
        if new == old {
            plan.keep(start, (caret.anchor - start, caret.head - start));
        } else if caret.is_empty() {
            let head = in_case(&old[..caret.head - start], to).len();
            plan.replace((start, end), new, (head, head));
        } else {
            let inside = caret.over(0, new.len());
            plan.replace((start, end), new, (inside.anchor, inside.head));
        }
    }
    plan.outcome(scene)
}

fn in_case(text: &str, to: LetterCase) -> String {
    match to {
        LetterCase::Upper => text.to_uppercase(),
        LetterCase::Lower => text.to_lowercase(),
        LetterCase::Title => {
            let mut out = String::with_capacity(text.len());
            let mut in_word = false;
            for c in text.chars() {
                if in_word {
                    out.extend(c.to_lowercase());
                } else {
                    out.extend(c.to_uppercase());
                }
                in_word = kind(c) == Kind::Word || (in_word && c == '\'');
            }
            out
        }
    }
}

/// Exchanges the clusters before and after each cursor; at a line's end, the two before it.
pub(super) fn transpose(scene: &Scene<'_>) -> Outcome {
    let text = scene.text;
    let mut plan = Plan::default();
    let mut done = 0;
    for caret in scene.carets.iter() {
        match swap(scene, caret).filter(|(first, ..)| *first >= done) {
            Some((first, middle, last)) => {
                let swapped = format!("{}{}", text.slice(middle, last), text.slice(first, middle));
                plan.insert((first, last), swapped);
                done = last;
            }
            None => {
                let start = caret.start();
                plan.keep(start, (caret.anchor - start, caret.head - start));
            }
        }
    }
    plan.outcome(scene)
}

/// The borders of two clusters that change places.
fn swap(scene: &Scene<'_>, caret: &Caret) -> Option<(usize, usize, usize)> {
    let text = scene.text;
    let line = text.line_of(caret.head);
    let (start, end) = (text.line_start(line), text.line_end(line));
    if !caret.is_empty() {
        return None;
    }
    let middle = if caret.head == end {
        text.previous_cluster(caret.head)
    } else {
        caret.head
    };
    (middle > start && middle < end).then(|| {
        (
            text.previous_cluster(middle),
            middle,
            text.next_cluster(middle),
        )
    })
}
