//! Where in a text a search text stands.

use crate::languages::cut;
use crate::project::{line_ending, line_of};
use similar::TextDiff;
use std::collections::HashMap;
use std::ops::Range;

/// Lines reported when a text occurs several times.
const MAX_PLACES: usize = 10;
/// Windows that are compared in earnest when nothing fits.
const CANDIDATES: usize = 5;
const NEAREST_CHARS: usize = 2_000;
const LEAST_PERCENT: u32 = 40;

/// What became of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// One place.
    One {
        /// The bytes to replace.
        range: Range<usize>,
        /// The replacement with the file's line ending and indentation.
        replace: String,
    },
    /// Several places.
    Several {
        /// The line of each, from 1; at most ten.
        lines: Vec<usize>,
    },
    /// No place.
    None,
}

/// Finds the one place of `search` in `text`.
///
/// The exact text is looked for first; then whole lines without regard to white space at
/// their ends and to line endings; then whole lines that are indented further or less, all
/// by the same white space.
#[must_use]
pub fn find(text: &str, search: &str, replace: &str) -> Place {
    let ending = line_ending(text);
    let own = |part: &str| part.replace("\r\n", "\n").replace('\n', ending);
    for wanted in [search.to_owned(), own(search)] {
        let places = occurrences(text, &wanted);
        match places.as_slice() {
            [] => {}
            [at] => {
                return Place::One {
                    range: *at..at + wanted.len(),
                    replace: own(replace),
                };
            }
            several => return several_places(text, several),
        }
    }
    by_lines(text, search, replace, ending)
}

fn several_places(text: &str, places: &[usize]) -> Place {
    Place::Several {
        lines: places.iter().map(|at| line_of(text, *at)).collect(),
    }
}

/// Where `wanted` starts, overlapping places too; at most [`MAX_PLACES`].
fn occurrences(text: &str, wanted: &str) -> Vec<usize> {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(wanted)) {
        places.push(from + at);
        if places.len() == MAX_PLACES {
            break;
        }
        let step = text[from + at..].chars().next().map_or(1, char::len_utf8);
        from += at + step;
    }
    places
}

/// How far lines are indented against what the search says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shift<'t> {
    None,
    Further(&'t str),
    Less(&'t str),
}

fn by_lines(text: &str, search: &str, replace: &str, ending: &str) -> Place {
    let wanted: Vec<&str> = search.lines().map(str::trim_end).collect();
    if wanted.iter().all(|line| line.is_empty()) {
        return Place::None;
    }
    let lines = line_ranges(text);
    let line = |index: usize| text[lines[index].clone()].trim_end();
    for shifted in [false, true] {
        let mut places = Vec::new();
        for first in 0..(lines.len() + 1).saturating_sub(wanted.len()) {
            let window: Vec<&str> = (first..first + wanted.len()).map(line).collect();
            if let Some(shift) = shift_between(&wanted, &window)
                && (shifted || shift == Shift::None)
            {
                places.push((first, shift));
                if places.len() == MAX_PLACES {
                    break;
                }
            }
        }
        match places.as_slice() {
            [] => {}
            [(first, shift)] => {
                let last = &lines[first + wanted.len() - 1];
                let full_line = search.ends_with('\n');
                // With its last line's end, the search takes the file's too.
                let end = if full_line {
                    last.end
                } else {
                    last.start + text[last.clone()].trim_end_matches(['\r', '\n']).len()
                };
                return Place::One {
                    range: lines[*first].start..end,
                    replace: indented(replace, *shift, ending),
                };
            }
            several => {
                let starts: Vec<usize> = several
                    .iter()
                    .map(|(first, _)| lines[*first].start)
                    .collect();
                return several_places(text, &starts);
            }
        }
    }
    Place::None
}

/// The range of each line with its end.
fn line_ranges(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let range = start..start + line.len();
            start = range.end;
            range
        })
        .collect()
}

/// The one shift that makes every line fit, if there is one.
fn shift_between<'t>(wanted: &[&'t str], window: &[&'t str]) -> Option<Shift<'t>> {
    let mut shift = None;
    for (wanted, found) in wanted.iter().zip(window) {
        if wanted.is_empty() || found.is_empty() {
            if wanted != found {
                return None;
            }
            continue;
        }
        let is_space = |text: &str| text.bytes().all(|byte| matches!(byte, b' ' | b'\t'));
        let here = if wanted == found {
            Shift::None
        } else if let Some(extra) = found.strip_suffix(wanted).filter(|extra| is_space(extra)) {
            Shift::Further(extra)
        } else if let Some(extra) = wanted.strip_suffix(found).filter(|extra| is_space(extra)) {
            Shift::Less(extra)
        } else {
            return None;
        };
        match shift {
            None => shift = Some(here),
            Some(before) if before == here => {}
            Some(_) => return None,
        }
    }
    shift
}

fn indented(replace: &str, shift: Shift<'_>, ending: &str) -> String {
    let unix = replace.replace("\r\n", "\n");
    let mut out = String::with_capacity(unix.len());
    for line in unix.split_inclusive('\n') {
        let (body, end) = match line.strip_suffix('\n') {
            Some(body) => (body, ending),
            None => (line, ""),
        };
        match shift {
            Shift::Further(extra) if !body.trim().is_empty() => {
                out.push_str(extra);
                out.push_str(body);
            }
            Shift::Less(extra) => out.push_str(body.strip_prefix(extra).unwrap_or(body)),
            _ => out.push_str(body),
        }
        out.push_str(end);
    }
    out
}

/// The lines of a text that are most like a search text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// The lines.
    pub text: String,
    /// Line of the first, from 1.
    pub line: usize,
    /// How much they are alike.
    pub percent: u32,
}

/// Finds the lines of `text` that are most like `search`; `None` when nothing is.
#[must_use]
pub fn nearest(text: &str, search: &str) -> Option<Nearest> {
    let lines = line_ranges(text);
    let count = search.lines().count().clamp(1, lines.len().max(1));
    let mut scored = windows_by_words(text, &lines, search, count);
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut best: Option<Nearest> = None;
    for (_, first) in scored.into_iter().take(CANDIDATES) {
        let range = lines[first].start..lines[first + count - 1].end;
        let window = cut(&text[range], NEAREST_CHARS);
        let ratio = TextDiff::from_words(cut(search, NEAREST_CHARS), window.clone()).ratio();
        // A share between 0 and 1, so the cast cannot overflow.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let percent = (ratio * 100.0) as u32;
        if percent >= LEAST_PERCENT && best.as_ref().is_none_or(|best| percent > best.percent) {
            best = Some(Nearest {
                text: window,
                line: first + 1,
                percent,
            });
        }
    }
    best
}

/// For each window of lines: how many of the search's words it has.
fn windows_by_words(
    text: &str,
    lines: &[Range<usize>],
    search: &str,
    count: usize,
) -> Vec<(i64, usize)> {
    let mut room: HashMap<&str, i64> = HashMap::new();
    for word in words(search) {
        *room.entry(word).or_default() += 1;
    }
    let mut shared = 0;
    let mut scored = Vec::new();
    for index in 0..lines.len() {
        for word in words(&text[lines[index].clone()]) {
            if let Some(left) = room.get_mut(word) {
                shared += i64::from(*left > 0);
                *left -= 1;
            }
        }
        if index + 1 < count {
            continue;
        }
        let first = index + 1 - count;
        if shared > 0 {
            scored.push((shared, first));
        }
        for word in words(&text[lines[first].clone()]) {
            if let Some(left) = room.get_mut(word) {
                *left += 1;
                shared -= i64::from(*left > 0);
            }
        }
    }
    scored
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}
