//! Words: runs of characters of one kind.

use crate::engine::Text;

/// A run is followed over so many characters at most.
const LONGEST_RUN: usize = 1 << 16;

/// What kind of character it is; neighbours of one kind belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A line end.
    Break,
    /// White space in a line.
    Space,
    /// Letters, digits, the underscore and what combines with them.
    Word,
    /// Chinese characters.
    Han,
    /// Hiragana.
    Hiragana,
    /// Katakana.
    Katakana,
    /// Everything else.
    Sign,
}

pub(super) fn kind(c: char) -> Kind {
    match c {
        '\n' | '\r' => Kind::Break,
        '\u{3040}'..='\u{309f}' => Kind::Hiragana,
        '\u{30a0}'..='\u{30ff}' => Kind::Katakana,
        '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => Kind::Han,
        c if c.is_whitespace() => Kind::Space,
        c if c == '_' || c.is_alphanumeric() || joins(c) => Kind::Word,
        _ => Kind::Sign,
    }
}

/// Whether a character belongs to the one before it, whatever that is.
fn joins(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{64b}'..='\u{65f}'
        | '\u{200c}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}')
}

/// The length in bytes of the run of one kind that characters begin with.
fn run(chars: impl Iterator<Item = char>) -> usize {
    let mut len = 0;
    let mut of = None;
    for c in chars.take(LONGEST_RUN) {
        if !joins(c) && *of.get_or_insert(kind(c)) != kind(c) {
            break;
        }
        len += c.len_utf8();
    }
    len
}

/// The same for characters that come backwards: what joins comes before what it joins to.
fn run_back(chars: impl Iterator<Item = char>) -> usize {
    let (mut len, mut joining) = (0, 0);
    let mut of = None;
    for c in chars.take(LONGEST_RUN) {
        joining += c.len_utf8();
        if joins(c) {
            continue;
        }
        if *of.get_or_insert(kind(c)) != kind(c) {
            return len;
        }
        len += std::mem::take(&mut joining);
    }
    len + joining
}

/// The end of the run of one kind that begins at an offset.
fn run_end(text: &Text, offset: usize) -> usize {
    offset + run(text.chars_from(offset))
}

/// The start of the run of one kind that ends at an offset.
fn run_start(text: &Text, offset: usize) -> usize {
    offset - run_back(text.chars_before(offset))
}

fn kind_at(text: &Text, offset: usize) -> Option<Kind> {
    text.chars_from(offset).next().map(kind)
}

fn kind_before(text: &Text, offset: usize) -> Option<Kind> {
    let mut before = text.chars_before(offset).take(LONGEST_RUN);
    before.find(|c| !joins(*c)).map(kind)
}

/// Over the spaces after an offset, and then the word or the signs; a line's end stops.
pub(super) fn next_word(text: &Text, offset: usize) -> usize {
    let at = match kind_at(text, offset) {
        None => return text.len(),
        Some(Kind::Break) => return text.next_cluster(offset),
        Some(Kind::Space) => run_end(text, offset),
        Some(_) => offset,
    };
    match kind_at(text, at) {
        None | Some(Kind::Break) => at,
        Some(_) => text.snap(run_end(text, at)),
    }
}

/// Over the spaces before an offset, and then the word or the signs; a line's end stops.
pub(super) fn previous_word(text: &Text, offset: usize) -> usize {
    let at = match kind_before(text, offset) {
        None => return 0,
        Some(Kind::Break) => return text.previous_cluster(offset),
        Some(Kind::Space) => run_start(text, offset),
        Some(_) => offset,
    };
    match kind_before(text, at) {
        None | Some(Kind::Break) => at,
        Some(_) => back_to_border(text, run_start(text, at)),
    }
}

/// The word, spaces or signs at an offset; what is before it where nothing follows in its line.
pub(super) fn word_at(text: &Text, offset: usize) -> (usize, usize) {
    let after = kind_at(text, offset).filter(|k| *k != Kind::Break);
    let before = kind_before(text, offset).filter(|k| *k != Kind::Break);
    let rank = |kind: Option<Kind>| match kind {
        None => 0,
        Some(Kind::Space) => 1,
        Some(Kind::Sign) => 2,
        Some(_) => 3,
    };
    let (start, end) = if after.is_none() && before.is_none() {
        (offset, offset)
    } else if rank(after) >= rank(before) {
        let end = run_end(text, offset);
        (run_start(text, end), end)
    } else {
        let start = run_start(text, offset);
        (start, run_end(text, start))
    };
    // A mark without a letter belongs to nothing: the run backwards leaves it out.
    let (start, end) = (start.min(offset), end.max(offset));
    (back_to_border(text, start), text.snap(end))
}

/// The next border in a word of camel case or snake case.
pub(super) fn next_subword(text: &Text, offset: usize) -> usize {
    let word = next_word(text, offset);
    let mut at = offset;
    let mut last: Option<char> = None;
    let mut chars = text.chars_from(offset).take(LONGEST_RUN).peekable();
    while at < word
        && let Some(c) = chars.next()
    {
        if last.is_some_and(|last| humps(last, c, chars.peek().copied())) {
            return text.snap(at);
        }
        at += c.len_utf8();
        last = Some(c);
    }
    word
}

/// The border before it.
pub(super) fn previous_subword(text: &Text, offset: usize) -> usize {
    let word = previous_word(text, offset);
    let mut at = offset;
    let mut after: Option<char> = None;
    let mut chars = text.chars_before(offset).take(LONGEST_RUN).peekable();
    while at > word
        && let Some(c) = chars.next()
    {
        at -= c.len_utf8();
        if at > word
            && let Some(before) = chars.peek()
            && humps(*before, c, after)
        {
            return back_to_border(text, at);
        }
        after = Some(c);
    }
    word
}

/// Whether a part of a word ends between two characters.
fn humps(before: char, c: char, after: Option<char>) -> bool {
    (before == '_' && c != '_')
        || (before.is_lowercase() && c.is_uppercase())
        || (before.is_uppercase() && c.is_uppercase() && after.is_some_and(char::is_lowercase))
}

/// An offset, or the border of grapheme clusters before it where it is none.
fn back_to_border(text: &Text, offset: usize) -> usize {
    if text.is_cluster_border(offset) {
        offset
    } else {
        text.previous_cluster(text.snap(offset))
    }
}
