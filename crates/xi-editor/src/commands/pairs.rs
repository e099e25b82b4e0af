//! Brackets and quotes that are closed as they are typed.

use super::insert::Plan;
use super::words::{Kind, kind};
use super::{Caret, Scene};

/// Types a character that is half of a pair; false when it is to be inserted as it is.
pub(super) fn typed(scene: &Scene<'_>, caret: &Caret, c: char, plan: &mut Plan) -> bool {
    if !scene.settings.auto_pairs {
        return false;
    }
    let pairs = scene.settings.language.pairs;
    let opens = pairs.iter().find(|pair| pair.0 == c);
    let closes = pairs.iter().any(|pair| pair.1 == c);
    let after = scene.text.chars_from(caret.head).next();
    if !caret.is_empty() {
        let Some((open, close)) = opens else {
            return false;
        };
        surround(scene, caret, *open, *close, plan);
        return true;
    }
    if closes && after == Some(c) {
        let width = c.len_utf8();
        plan.keep(caret.head, (width, width));
        return true;
    }
    match opens {
        Some((open, close)) if has_room(scene, caret, *open == *close) => {
            let width = open.len_utf8();
            let at = (caret.head, caret.head);
            plan.replace(at, format!("{open}{close}"), (width, width));
            true
        }
        _ => false,
    }
}

/// Puts a pair around what is selected, which stays selected.
fn surround(scene: &Scene<'_>, caret: &Caret, open: char, close: char, plan: &mut Plan) {
    let (start, end) = (caret.start(), caret.end());
    let inner = scene.text.slice(start, end);
    let inside = caret.over(open.len_utf8(), open.len_utf8() + inner.len());
    let text = format!("{open}{inner}{close}");
    plan.replace((start, end), text, (inside.anchor, inside.head));
}

/// Whether a closing half is wanted: nothing to be enclosed follows, and a quote does not end a word.
fn has_room(scene: &Scene<'_>, caret: &Caret, quote: bool) -> bool {
    let after = scene.text.chars_from(caret.head).next();
    let before = scene.text.chars_before(caret.head).next();
    let closes = |c: char| scene.settings.language.pairs.iter().any(|p| p.1 == c);
    let free = after.is_none_or(|c| {
        matches!(kind(c), Kind::Space | Kind::Break) || matches!(c, ',' | ';' | ':') || closes(c)
    });
    let opened = quote
        && before.is_some_and(|c| {
            let sign = matches!(kind(c), Kind::Space | Kind::Break | Kind::Sign);
            !sign || matches!(c, '"' | '\'' | '`' | '\\')
        });
    free && !opened
}

/// Whether a cursor is between the halves of an empty pair: how long they are.
pub(super) fn around(scene: &Scene<'_>, offset: usize) -> Option<(usize, usize)> {
    let before = scene.text.chars_before(offset).next()?;
    let after = scene.text.chars_from(offset).next()?;
    let pairs = scene.settings.language.pairs;
    let found = scene.settings.auto_pairs && pairs.contains(&(before, after));
    found.then(|| (before.len_utf8(), after.len_utf8()))
}
