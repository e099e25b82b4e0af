//! Choices, made by bytes.

use symphony_ipc_protocol::xi::{EditOrigin, OnOverlap, Replace};

/// Pieces that texts are made of: what editing treats differently.
const PIECES: [&str; 30] = [
    "a",
    "b",
    "Z",
    " ",
    "\n",
    "\t",
    "    ",
    "\r\n",
    "\r",
    "é",
    "e\u{301}",
    "日",
    "😀",
    "👩‍👩‍👧",
    "🇩🇪",
    "(",
    ")",
    "{",
    "}\n",
    "[",
    "]",
    "\"",
    "'",
    "//",
    "_",
    "camelCase",
    "\u{feff}",
    "א",
    "\u{2028}",
    "ﬃ",
];

/// Bytes that are taken one after the other; zeros follow the last.
pub struct Source<'a> {
    rest: &'a [u8],
}

impl<'a> Source<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `bound`, 0 when that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let mut number = usize::from(self.byte());
        if bound > 256 {
            number = number << 8 | usize::from(self.byte());
        }
        number % bound.max(1)
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A text of at most so many pieces.
    pub fn text(&mut self, pieces: usize) -> String {
        let count = self.below(pieces + 1);
        (0..count).map(|_| self.one(&PIECES)).collect()
    }

    /// A text as the bytes say, to a zero.
    pub fn plain(&mut self) -> String {
        let end = self.rest.iter().position(|b| *b == 0);
        let (text, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    /// An offset, on a border of the text but for one of sixteen.
    pub fn offset(&mut self, text: &str) -> usize {
        let offset = self.below(text.len() + 1);
        if self.byte() % 16 == 15 {
            return offset.wrapping_add_signed(self.one(&[0, 1, -1, isize::MAX]));
        }
        (0..=offset)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0)
    }

    /// Up to four edits of a text, sorted and on borders but for a few.
    pub fn edits(&mut self, text: &str) -> Vec<Replace> {
        let count = self.below(5);
        let mut at: Vec<usize> = (0..count * 2).map(|_| self.offset(text)).collect();
        if self.byte() % 16 != 15 {
            at.sort_unstable();
        }
        at.chunks_exact(2)
            .map(|ends| Replace {
                start: ends[0],
                end: ends[1],
                text: self.text(4),
            })
            .collect()
    }

    pub fn policy(&mut self) -> OnOverlap {
        self.one(&[OnOverlap::Merge, OnOverlap::Refuse, OnOverlap::RefuseStale])
    }

    pub fn origin(&mut self) -> EditOrigin {
        EditOrigin {
            author: self.one(&["", "user", "agent"]).to_owned(),
            group: self.one(&[None, Some(1), Some(2)]),
        }
    }
}

/// Whether edits are sorted, apart, in the text and on its borders.
pub fn fit(text: &str, edits: &[Replace]) -> bool {
    let mut before = 0;
    edits.iter().all(|edit| {
        let fits = before <= edit.start && text.get(edit.start..edit.end).is_some();
        before = edit.end;
        fits
    })
}
