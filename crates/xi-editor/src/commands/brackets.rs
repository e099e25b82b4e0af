//! Brackets that belong together.

use crate::engine::Text;

const PAIRS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

fn closer(c: char) -> Option<char> {
    PAIRS.iter().find(|p| p.0 == c).map(|p| p.1)
}

fn opener(c: char) -> Option<char> {
    PAIRS.iter().find(|p| p.1 == c).map(|p| p.0)
}

/// Where the bracket begins that closes what opens before `offset`.
fn closing(text: &Text, offset: usize, open: char, reach: usize) -> Option<usize> {
    let mut at = offset;
    let mut nested = vec![closer(open)?];
    for c in text.chars_from(offset).take(reach) {
        if let Some(close) = closer(c) {
            nested.push(close);
        } else if nested.last() == Some(&c) {
            nested.pop();
            if nested.is_empty() {
                return Some(at);
            }
        }
        at += c.len_utf8();
    }
    None
}

/// Where the bracket begins that opens what closes at `offset`; any bracket without `close`.
fn opening(text: &Text, offset: usize, close: Option<char>, reach: usize) -> Option<usize> {
    let mut at = offset;
    let mut nested: Vec<char> = Vec::new();
    for c in text.chars_before(offset).take(reach) {
        at -= c.len_utf8();
        if let Some(open) = opener(c) {
            nested.push(open);
        } else if nested.last() == Some(&c) {
            nested.pop();
        } else if nested.is_empty()
            && closer(c).is_some()
            && (close.is_none() || closer(c) == close)
        {
            return Some(at);
        }
    }
    None
}

/// The bracket that belongs to the one after an offset, to the one before it, or that opens around
/// it; looked for over so many characters.
pub(super) fn matching(text: &Text, offset: usize, reach: usize) -> Option<usize> {
    let other = |at: usize, c: char| match (closer(c), opener(c)) {
        (Some(_), _) => closing(text, at + 1, c, reach),
        (_, Some(_)) => opening(text, at, Some(c), reach),
        _ => None,
    };
    let after = text.chars_from(offset).next();
    let before = text.chars_before(offset).next();
    after
        .and_then(|c| other(offset, c))
        .or_else(|| before.and_then(|c| other(offset - c.len_utf8(), c)))
        .or_else(|| opening(text, offset, None, reach))
}
