//! An immutable text; cloning it is free.

use super::buffer::EditError;
use lapce_xi_rope::tree::TreeBuilder;
use lapce_xi_rope::{LinesMetric, Rope, RopeInfo};
use std::borrow::Cow;
use symphony_ipc_protocol::xi::{LineEnding, Replace};

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

    /// The text of a range in pieces, in order.
    pub fn pieces(&self, start: usize, end: usize) -> impl Iterator<Item = &str> {
        self.0.iter_chunks(start..end)
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

    /// Whether `start..end` is a range on borders that holds exactly `other`.
    pub fn holds(&self, start: usize, end: usize, other: &str) -> bool {
        if start + other.len() != end || !self.is_border(start) || !self.is_border(end) {
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

    /// Whether two texts are the same.
    pub fn equals(&self, other: &Text) -> bool {
        self.0.ptr_eq(&other.0) || self.same_range((0, self.len()), other, (0, other.len()))
    }

    /// The text after sorted, non-overlapping edits.
    ///
    /// # Errors
    /// [`EditError`] when they do not fit.
    pub fn edited(&self, edits: &[Replace]) -> Result<Self, EditError> {
        let mut text = self.clone();
        for edit in edits.iter().rev() {
            text.check(edit.start, edit.end)?;
            text.0.edit(edit.start..edit.end, edit.text.as_str());
        }
        Ok(text)
    }

    /// BLAKE3 of the text and how its lines end, in one pass.
    pub fn summary(&self) -> Summary {
        let mut pass = Pass::default();
        // The hash is several times faster over blocks than over the rope's small pieces.
        let mut block = Vec::with_capacity(SUMMARY_BLOCK.min(self.len()));
        for chunk in self.chunks() {
            if block.len() + chunk.len() > SUMMARY_BLOCK {
                pass.take(&block);
                block.clear();
            }
            block.extend_from_slice(chunk.as_bytes());
        }
        pass.take(&block);
        pass.summary()
    }

    /// Adds the text of a range on character borders to a string.
    pub fn append_to(&self, start: usize, end: usize, out: &mut String) {
        for chunk in self.0.iter_chunks(start..end) {
            out.push_str(chunk);
        }
    }
}

/// Builds a text from parts, and its summary meanwhile.
#[derive(Default)]
pub struct TextBuilder {
    tree: Tree,
    pass: Pass,
}

struct Tree(TreeBuilder<RopeInfo>);

impl Default for Tree {
    fn default() -> Self {
        Self(TreeBuilder::new())
    }
}

impl TextBuilder {
    /// Adds a part.
    pub fn push(&mut self, part: &str) {
        self.pass.take(part.as_bytes());
        self.tree.0.push_str(part);
    }

    /// The text.
    pub fn finish(self) -> (Text, Summary) {
        (Text(self.tree.0.build()), self.pass.summary())
    }
}

/// A summary takes so many bytes at once.
const SUMMARY_BLOCK: usize = 128 * 1024;

/// A summary in the making.
#[derive(Default)]
struct Pass {
    hasher: blake3::Hasher,
    crlf: usize,
    lf: usize,
    last: u8,
}

impl Pass {
    fn take(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        for at in memchr::memchr_iter(b'\n', bytes) {
            let before = if at == 0 { self.last } else { bytes[at - 1] };
            if before == b'\r' {
                self.crlf += 1;
            } else {
                self.lf += 1;
            }
        }
        self.last = bytes.last().copied().unwrap_or(self.last);
    }

    fn summary(&self) -> Summary {
        Summary {
            digest: self.hasher.finalize(),
            line_ending: match (self.crlf, self.lf) {
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
    /// BLAKE3 as UTF-8.
    pub digest: blake3::Hash,
    /// How lines end; a text of one line counts as `\n`.
    pub line_ending: LineEnding,
}

impl Summary {
    /// The digest as it is written: hexadecimal with the prefix `b3:`.
    pub fn digest_text(&self) -> String {
        format!("b3:{}", self.digest.to_hex())
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// The summary is that of the whole string, wherever blocks and pieces are cut.
        #[test]
        fn a_summary_is_of_the_whole(line in "[ab\r]{0,3}", times in 0..60_000_usize, last in "[\r\n]{0,3}") {
            let all = format!("{}{last}", format!("{line}\n").repeat(times));
            let summary = Text::from(all.as_str()).summary();
            prop_assert_eq!(summary.digest_text(), format!("b3:{}", blake3::hash(all.as_bytes()).to_hex()));
            let (crlf, all_ends) = (all.matches("\r\n").count(), all.matches('\n').count());
            let expected = match (crlf, all_ends - crlf) {
                (0, _) => LineEnding::Lf,
                (_, 0) => LineEnding::Crlf,
                _ => LineEnding::Mixed,
            };
            prop_assert_eq!(summary.line_ending, expected);
        }

        #[test]
        fn borders_and_comparison_are_those_of_the_string(text in "[aé日😀]{0,12}", other in "[aé]{0,3}") {
            let rope = Text::from(text.as_str());
            for at in 0..=text.len() + 1 {
                prop_assert_eq!(rope.is_border(at), text.is_char_boundary(at));
                if let Some(part) = text.get(at..at + other.len()) {
                    prop_assert_eq!(rope.holds(at, at + other.len(), &other), part == other);
                }
            }
            prop_assert_eq!(String::from(&rope), text);
        }
    }
}
