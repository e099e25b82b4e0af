//! The dialect's deltas: the new text as pieces of the old one and new pieces.

use crate::engine::{Changes, Text};
use serde::{Deserialize, Serialize};
use symphony_ipc_protocol::xi::Replace;

/// A change as the dialect writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// Length of the text before, in bytes.
    pub base_len: usize,
    /// The text after, piece by piece.
    pub els: Vec<Piece>,
}

/// A piece of the text after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// These bytes of the text before: first, one past the last.
    Copy(usize, usize),
    /// This text.
    Insert(String),
}

/// Why a plugin's delta is no change of the text that it names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// It was made for another text.
    #[error("the delta is for a text of {said} bytes, not {len}")]
    OtherText {
        /// What it says.
        said: usize,
        /// What the text has.
        len: usize,
    },
    /// Copies go back, or past the end.
    #[error("the copy {start}..{end} does not follow {previous} within {len} bytes")]
    BadCopy {
        /// First byte.
        start: usize,
        /// One past the last byte.
        end: usize,
        /// Where the copy before it ended.
        previous: usize,
        /// Length of the text.
        len: usize,
    },
}

impl Delta {
    /// What `changes` made of a text of `base_len` bytes to become `now`.
    /// `None` when it would insert or count more than about `max_bytes`.
    pub fn of_changes(
        base_len: usize,
        changes: &Changes,
        now: &Text,
        max_bytes: usize,
    ) -> Option<Self> {
        let (pieces, inserted) = changes
            .iter()
            .fold((0, 0), |(n, bytes), c| (n + 2, bytes + c.new));
        // Upstream's measure: ten bytes a piece.
        if inserted + pieces * 10 > max_bytes {
            return None;
        }
        let mut els = Vec::with_capacity(pieces + 1);
        let (mut old_at, mut new_at) = (0, 0);
        for change in changes.iter() {
            if change.start > old_at {
                els.push(Piece::Copy(old_at, change.start));
                new_at += change.start - old_at;
            }
            if change.new > 0 {
                let text = now.slice(new_at, new_at + change.new).into_owned();
                els.push(Piece::Insert(text));
                new_at += change.new;
            }
            old_at = change.start + change.old;
        }
        if old_at < base_len {
            els.push(Piece::Copy(old_at, base_len));
        }
        Some(Self { base_len, els })
    }

    /// The edits that it makes of a text of `len` bytes. Whether they lie on
    /// character borders is left to whoever makes them.
    ///
    /// # Errors
    /// [`DeltaError`].
    pub fn into_edits(self, len: usize) -> Result<Vec<Replace>, DeltaError> {
        if self.base_len != len {
            let said = self.base_len;
            return Err(DeltaError::OtherText { said, len });
        }
        let mut edits = Vec::new();
        let mut text = String::new();
        let mut at = 0;
        for piece in self.els {
            match piece {
                Piece::Insert(more) => text.push_str(&more),
                Piece::Copy(start, end) => {
                    if start < at || end < start || end > len {
                        let previous = at;
                        return Err(DeltaError::BadCopy {
                            start,
                            end,
                            previous,
                            len,
                        });
                    }
                    replace(&mut edits, at, start, &mut text);
                    at = end;
                }
            }
        }
        replace(&mut edits, at, len, &mut text);
        Ok(edits)
    }
}

fn replace(edits: &mut Vec<Replace>, start: usize, end: usize, text: &mut String) {
    if start < end || !text.is_empty() {
        let text = std::mem::take(text);
        edits.push(Replace { start, end, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As upstream's library applies a delta.
    fn apply(delta: &Delta, old: &str) -> String {
        assert_eq!(delta.base_len, old.len());
        let piece = |piece: &Piece| match piece {
            Piece::Copy(start, end) => old[*start..*end].to_owned(),
            Piece::Insert(text) => text.clone(),
        };
        delta.els.iter().map(piece).collect()
    }

    /// A text and sorted edits of it, on its borders.
    fn text_and_edits() -> impl Strategy<Value = (String, Vec<Replace>)> {
        let places = prop::collection::vec((any::<u16>(), "[xé😀\n]{0,3}"), 0..8);
        ("[aé日😀\n]{0,20}", places).prop_map(|(text, places)| {
            let mut borders: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
            borders.push(text.len());
            let mut at: Vec<_> = places
                .iter()
                .map(|(at, _)| borders[usize::from(*at) % borders.len()])
                .collect();
            at.sort_unstable();
            let edits = at
                .chunks_exact(2)
                .zip(places)
                .map(|(ends, (_, text))| Replace {
                    start: ends[0],
                    end: ends[1],
                    text,
                })
                .collect();
            (text, edits)
        })
    }

    fn edited(text: &str, edits: &[Replace]) -> String {
        let mut out = String::new();
        let mut at = 0;
        for edit in edits {
            out.push_str(&text[at..edit.start]);
            out.push_str(&edit.text);
            at = edit.end;
        }
        out + &text[at..]
    }

    proptest! {
        #[test]
        fn a_change_becomes_a_delta_and_again_the_change((old, edits) in text_and_edits()) {
            let new = edited(&old, &edits);
            let now = Text::from(new.as_str());
            let changes = Changes::of_edits(&edits);
            let delta = Delta::of_changes(old.len(), &changes, &now, usize::MAX).unwrap();
            prop_assert_eq!(apply(&delta, &old), new.as_str());
            let wire = serde_json::to_string(&delta).unwrap();
            let read: Delta = serde_json::from_str(&wire).unwrap();
            prop_assert_eq!(&read, &delta);
            let back = read.into_edits(old.len()).unwrap();
            prop_assert_eq!(edited(&old, &back), new);
        }

        #[test]
        fn two_changes_in_one_delta_lead_to_the_same_text(
            (old, first) in text_and_edits(),
            second in text_and_edits(),
        ) {
            let middle = edited(&old, &first);
            // The second edits, cut to what the middle text allows.
            let fits = |e: &Replace| middle.is_char_boundary(e.start) && middle.is_char_boundary(e.end);
            let second: Vec<_> = second.1.into_iter().filter(fits).collect();
            let new = edited(&middle, &second);
            let changes = Changes::of_edits(&first).then(&Changes::of_edits(&second));
            let now = Text::from(new.as_str());
            let delta = Delta::of_changes(old.len(), &changes, &now, usize::MAX).unwrap();
            prop_assert_eq!(apply(&delta, &old), new);
        }

        #[test]
        fn any_delta_is_refused_or_makes_edits_that_fit(
            said in 0_usize..12,
            pieces in prop::collection::vec((any::<bool>(), 0_usize..14, 0_usize..14), 0..5),
        ) {
            let els = pieces.into_iter().map(|(copy, a, b)| match copy {
                true => Piece::Copy(a, b),
                false => Piece::Insert("n".repeat(a)),
            });
            let delta = Delta { base_len: said, els: els.collect() };
            if let Ok(edits) = delta.clone().into_edits(10) {
                prop_assert_eq!(said, 10);
                let old = "0123456789";
                prop_assert_eq!(edited(old, &edits), apply(&delta, old));
            }
        }
    }

    #[test]
    fn it_is_written_as_upstream_reads_it() {
        let edits = [Replace {
            start: 5,
            end: 5,
            text: "rofls".to_owned(),
        }];
        let now = Text::from("helloroflso");
        let delta = Delta::of_changes(6, &Changes::of_edits(&edits), &now, 1_000).unwrap();
        let wire = r#"{"base_len":6,"els":[{"copy":[0,5]},{"insert":"rofls"},{"copy":[5,6]}]}"#;
        assert_eq!(serde_json::to_string(&delta).unwrap(), wire);
        assert_eq!(
            Delta::of_changes(6, &Changes::of_edits(&edits), &now, 10),
            None
        );
    }
}
