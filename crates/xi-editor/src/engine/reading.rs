//! Reading a text by lines, characters and grapheme clusters.

use super::text::Text;
use std::borrow::Cow;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// A grapheme cluster is looked for in so many bytes: longer ones are taken apart.
const CLUSTER_WINDOW: usize = 4_096;

impl Text {
    /// The line of an offset, from 0.
    pub fn line_of(&self, offset: usize) -> usize {
        self.0.line_of_offset(self.border_before(offset))
    }

    /// Where a line begins; the end of the text when there are fewer.
    pub fn line_start(&self, line: usize) -> usize {
        if line >= self.lines() {
            return self.len();
        }
        self.0.offset_of_line(line)
    }

    /// Where a line ends, without its line end.
    pub fn line_end(&self, line: usize) -> usize {
        if line + 1 >= self.lines() {
            return self.len();
        }
        let end = self.0.offset_of_line(line + 1) - 1;
        if end > self.line_start(line) && self.0.byte_at(end - 1) == b'\r' {
            end - 1
        } else {
            end
        }
    }

    /// A line without its line end.
    pub fn line(&self, line: usize) -> Cow<'_, str> {
        self.slice(self.line_start(line), self.line_end(line))
    }

    /// The spaces and tabs that a line begins with: where they end.
    pub fn indent_end(&self, line: usize) -> usize {
        let start = self.line_start(line);
        let end = self.line_end(line);
        let mut at = start;
        for c in self.chars_from(start) {
            if at >= end || !(c == ' ' || c == '\t') {
                break;
            }
            at += 1;
        }
        at
    }

    /// Whether a line holds nothing but spaces and tabs.
    pub fn is_blank_line(&self, line: usize) -> bool {
        self.indent_end(line) == self.line_end(line)
    }

    /// The byte at an offset.
    ///
    /// # Panics
    /// When the offset does not lie in the text.
    pub fn byte(&self, offset: usize) -> u8 {
        self.0.byte_at(offset)
    }

    /// The characters from an offset on.
    pub fn chars_from(&self, offset: usize) -> impl Iterator<Item = char> {
        self.0.iter_chunks(offset..).flat_map(str::chars)
    }

    /// The characters before an offset, backwards.
    pub fn chars_before(&self, offset: usize) -> CharsBack<'_> {
        CharsBack {
            text: self,
            at: offset,
            piece: 32,
            read: Vec::new(),
        }
    }

    /// The nearest border of characters at or before an offset.
    pub fn border_before(&self, offset: usize) -> usize {
        let mut at = offset.min(self.len());
        while !self.is_border(at) {
            at -= 1;
        }
        at
    }

    /// Whether an offset is a border of grapheme clusters.
    pub fn is_cluster_border(&self, offset: usize) -> bool {
        if offset == 0 || offset >= self.len() {
            return offset <= self.len();
        }
        if !self.is_border(offset) {
            return false;
        }
        let (before, after) = (self.byte(offset - 1), self.byte(offset));
        if before.is_ascii() && after.is_ascii() {
            return !(before == b'\r' && after == b'\n');
        }
        let start = self.border_before(offset.saturating_sub(CLUSTER_WINDOW));
        let end = self.border_before(offset + 8);
        let part = self.slice(start, end);
        GraphemeCursor::new(offset - start, part.len(), true)
            .is_boundary(&part, 0)
            .unwrap_or(true)
    }

    /// The next border of grapheme clusters after an offset.
    pub fn next_cluster(&self, offset: usize) -> usize {
        let len = self.len();
        if offset + 1 >= len {
            return len;
        }
        let (first, second) = (self.byte(offset), self.byte(offset + 1));
        if first.is_ascii() && second.is_ascii() {
            return offset + 1 + usize::from(first == b'\r' && second == b'\n');
        }
        let end = self.border_before(offset + CLUSTER_WINDOW);
        let part = self.slice(offset, end);
        offset + part.graphemes(true).next().map_or(0, str::len)
    }

    /// The border of grapheme clusters before an offset.
    pub fn previous_cluster(&self, offset: usize) -> usize {
        if offset <= 1 {
            return 0;
        }
        let (first, second) = (self.byte(offset - 2), self.byte(offset - 1));
        if first.is_ascii() && second.is_ascii() {
            return offset - 1 - usize::from(first == b'\r' && second == b'\n');
        }
        let start = self.border_before(offset.saturating_sub(CLUSTER_WINDOW));
        let part = self.slice(start, offset);
        offset - part.graphemes(true).next_back().map_or(0, str::len)
    }

    /// An offset, or the next border of grapheme clusters where it is none.
    pub fn snap(&self, offset: usize) -> usize {
        let len = self.len();
        let mut at = offset.min(len);
        let limit = (at + CLUSTER_WINDOW).min(len);
        while (at < limit && !self.is_cluster_border(at)) || !self.is_border(at) {
            at += 1;
        }
        at
    }
}

/// Characters, backwards. The rope is read in pieces that grow, from a few characters on.
pub struct CharsBack<'a> {
    text: &'a Text,
    at: usize,
    piece: usize,
    read: Vec<char>,
}

impl Iterator for CharsBack<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if self.read.is_empty() && self.at > 0 {
            let start = self.text.border_before(self.at.saturating_sub(self.piece));
            self.read.extend(self.text.slice(start, self.at).chars());
            self.at = start;
            self.piece = (self.piece * 4).min(CLUSTER_WINDOW);
        }
        self.read.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Lines and clusters are those of the string, wherever the rope is cut.
        #[test]
        fn reading_is_that_of_the_string(
            parts in proptest::collection::vec("(a|é|e\u{301}|\r\n|\n|\r|👩‍👩‍👧|🇩🇪|ש|한|[ \t]){0,6}", 0..6),
            filler in prop_oneof![Just(0_usize), 500..1200_usize],
        ) {
            let string = parts.join(&"x".repeat(filler));
            let text = Text::from(string.as_str());
            let borders: Vec<usize> = string
                .grapheme_indices(true)
                .map(|(at, _)| at)
                .chain([string.len()])
                .collect();
            for at in 0..=string.len() {
                prop_assert_eq!(text.is_cluster_border(at), borders.contains(&at), "{}", at);
            }
            for pair in borders.windows(2) {
                prop_assert_eq!(text.next_cluster(pair[0]), pair[1]);
                prop_assert_eq!(text.previous_cluster(pair[1]), pair[0]);
                prop_assert_eq!(text.snap(pair[0] + 1), pair[1]);
            }
            for (index, line) in string.split('\n').enumerate() {
                let shown = if index + 1 < text.lines() { line.strip_suffix('\r').unwrap_or(line) } else { line };
                prop_assert_eq!(text.line(index), shown);
                let blank = shown.chars().all(|c| c == ' ' || c == '\t');
                prop_assert_eq!(text.is_blank_line(index), blank);
            }
        }
    }
}
