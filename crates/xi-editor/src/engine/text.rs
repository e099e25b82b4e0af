//! An immutable text; cloning it is free.

use lapce_xi_rope::{LinesMetric, Rope};
use std::borrow::Cow;
use symphony_ipc_protocol::xi::LineEnding;

/// A text at one revision. A clone shares all of its memory.
#[derive(Clone, Default)]
pub struct Text(pub(super) Rope);

impl Text {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of lines, at least 1.
    pub fn lines(&self) -> usize {
        self.0.measure::<LinesMetric>() + 1
    }

    /// Whether `offset` lies in the text and between two characters.
    pub fn is_border(&self, offset: usize) -> bool {
        let len = self.len();
        // A continuation byte of UTF-8 is 0b10xx_xxxx.
        offset == 0
            || offset == len
            || (offset < len && (self.0.byte_at(offset) & 0b1100_0000) != 0b1000_0000)
    }

    /// The text of a range on character borders.
    ///
    /// # Panics
    /// When the range does not lie on borders of the text: check with [`Text::is_border`].
    pub fn slice(&self, start: usize, end: usize) -> Cow<'_, str> {
        self.0.slice_to_cow(start..end)
    }

    /// The text in pieces, in order.
    pub fn chunks(&self) -> impl Iterator<Item = &str> {
        self.0.iter_chunks(..)
    }

    /// Whether `start..end` holds exactly `other`.
    pub fn holds(&self, start: usize, end: usize, other: &str) -> bool {
        if end - start != other.len() {
            return false;
        }
        let mut rest = other;
        self.0.iter_chunks(start..end).all(|chunk| {
            rest.strip_prefix(chunk).is_some_and(|after| {
                rest = after;
                true
            })
        })
    }

    /// Whether `start..end` of this text equals `start..end` of another.
    pub(super) fn same_range(
        &self,
        range: (usize, usize),
        other: &Text,
        other_range: (usize, usize),
    ) -> bool {
        if range.1 - range.0 != other_range.1 - other_range.0 {
            return false;
        }
        let bytes = self
            .0
            .iter_chunks(range.0..range.1)
            .flat_map(|chunk| chunk.bytes());
        let others = other
            .0
            .iter_chunks(other_range.0..other_range.1)
            .flat_map(|chunk| chunk.bytes());
        bytes.eq(others)
    }

    /// BLAKE3 of the text and how its lines end, in one pass.
    pub fn summary(&self) -> Summary {
        let mut hasher = blake3::Hasher::new();
        let (mut crlf, mut lf, mut last) = (0_usize, 0_usize, 0_u8);
        for chunk in self.chunks() {
            let bytes = chunk.as_bytes();
            hasher.update(bytes);
            for at in memchr::memchr_iter(b'\n', bytes) {
                let before = if at == 0 { last } else { bytes[at - 1] };
                if before == b'\r' {
                    crlf += 1;
                } else {
                    lf += 1;
                }
            }
            last = bytes.last().copied().unwrap_or(last);
        }
        Summary {
            digest: format!("b3:{}", hasher.finalize().to_hex()),
            line_ending: match (crlf, lf) {
                (0, _) => LineEnding::Lf,
                (_, 0) => LineEnding::Crlf,
                _ => LineEnding::Mixed,
            },
        }
    }
}

/// What a whole text says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// BLAKE3 as UTF-8, hexadecimal with the prefix `b3:`.
    pub digest: String,
    /// How lines end; a text of one line counts as `\n`.
    pub line_ending: LineEnding,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Rope::from(text))
    }
}

impl From<&Text> for String {
    fn from(text: &Text) -> Self {
        let mut all = String::with_capacity(text.len());
        for chunk in text.chunks() {
            all.push_str(chunk);
        }
        all
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({} bytes)", self.len())
    }
}
