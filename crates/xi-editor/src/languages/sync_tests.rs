//! A server that follows the changes has our text, whatever the lines and columns.

use super::*;
use crate::engine::Text;
use crate::languages::positions::{rebase, rebase_span};
use ls_types::{Position, Range};
use proptest::prelude::*;

/// A server's text, on strings, as the specification words it.
struct Model {
    text: String,
    columns: Columns,
}

impl Model {
    /// Start and end (before the line end) of each line.
    fn lines(&self) -> Vec<(usize, usize)> {
        let bytes = self.text.as_bytes();
        let (mut lines, mut start, mut at) = (Vec::new(), 0, 0);
        while at < bytes.len() {
            let end_len = match bytes[at] {
                b'\r' if bytes.get(at + 1) == Some(&b'\n') => 2,
                b'\r' | b'\n' => 1,
                _ => 0,
            };
            if end_len > 0 {
                lines.push((start, at));
                start = at + end_len;
            }
            at += end_len.max(1);
        }
        lines.push((start, bytes.len()));
        lines
    }

    fn offset(&self, position: Position) -> usize {
        let (start, end) = self.lines()[position.line as usize];
        let mut column = 0;
        for (at, c) in self.text[start..end].char_indices() {
            if column >= position.character {
                assert_eq!(column, position.character, "between characters");
                return start + at;
            }
            column += match self.columns {
                Columns::Utf8 => c.len_utf8(),
                Columns::Utf16 => c.len_utf16(),
                Columns::Utf32 => 1,
            } as u32;
        }
        assert_eq!(column, position.character, "within the line");
        end
    }

    fn follow(&mut self, changes: &Value) {
        for change in changes.as_array().unwrap() {
            let text = change["text"].as_str().unwrap();
            match change.get("range") {
                None => self.text = text.to_owned(),
                Some(range) => {
                    let range: Range = serde_json::from_value(range.clone()).unwrap();
                    let (start, end) = (self.offset(range.start), self.offset(range.end));
                    self.text.replace_range(start..end, text);
                }
            }
        }
    }
}

/// A text, and edits of it that are sorted and apart.
fn edited() -> impl Strategy<Value = (String, Vec<Replace>)> {
    let part = "[aé😀\r\n]{0,6}";
    let parts = prop::collection::vec((part, part, part, any::<bool>()), 1..5);
    parts.prop_map(|parts| {
        let mut text = String::new();
        let mut edits = Vec::new();
        for (kept, old, new, is_edit) in parts {
            text.push_str(&kept);
            let start = text.len();
            text.push_str(&old);
            if is_edit {
                edits.push(Replace {
                    start,
                    end: text.len(),
                    text: new,
                });
            }
        }
        (text, edits)
    })
}

fn apply(text: &str, edits: &[Replace]) -> String {
    let mut new = text.to_owned();
    for edit in edits.iter().rev() {
        new.replace_range(edit.start..edit.end, &edit.text);
    }
    new
}

fn columns() -> impl Strategy<Value = Columns> {
    prop_oneof![
        Just(Columns::Utf8),
        Just(Columns::Utf16),
        Just(Columns::Utf32)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_server_has_our_text((text, edits) in edited(), columns in columns()) {
        let new = apply(&text, &edits);
        let before = Source::new(Text::from(text.as_str()));
        let after = before.after(Text::from(new.as_str()), &edits);
        let fresh = Source::new(Text::from(new.as_str()));
        // Lone returns that went may still be believed in; never one that came be missed.
        prop_assert!(after.has_lone_returns() || !fresh.has_lone_returns());
        let mut server = Model { text, columns };
        server.follow(&content_changes(&before, &after, &edits, columns));
        prop_assert_eq!(server.text, new);
    }

    #[test]
    fn positions_are_those_of_the_server(text in "[aé😀\r\n]{0,24}", columns in columns()) {
        let source = Source::new(Text::from(text.as_str()));
        let server = Model { text: text.clone(), columns };
        for offset in (0..=text.len()).filter(|o| text.is_char_boundary(*o)) {
            let position = source.position(offset, columns);
            let within = splits_line_end(&source, offset);
            let expected = offset - usize::from(within);
            prop_assert_eq!(server.offset(position), expected);
            prop_assert_eq!(source.offset(position, columns), expected);
        }
    }

    #[test]
    fn any_position_is_a_place_in_the_text(text in "[aé😀\r\n]{0,24}", line in 0..30_u32, column in 0..40_u32, columns in columns()) {
        let source = Source::new(Text::from(text.as_str()));
        let at = source.offset(Position::new(line, column), columns);
        prop_assert!(text.is_char_boundary(at));
    }

    /// Text that no edit touched is found again.
    #[test]
    fn untouched_spans_are_rebased_exactly((text, edits) in edited(), from in 0..30_usize, len in 0..10_usize) {
        let new = apply(&text, &edits);
        let (start, end) = (from.min(text.len()), (from + len).min(text.len()));
        let touched = edits.iter().any(|e| e.start <= end && start <= e.end);
        let span = Span { start, end };
        if !touched {
            let there = rebase_span(span, &edits).unwrap();
            prop_assert_eq!(&new.as_bytes()[there.start..there.end], &text.as_bytes()[start..end]);
            prop_assert_eq!(rebase(start, &edits), Some(there.start));
        } else if let Some(there) = rebase_span(span, &edits) {
            prop_assert!(there.start <= there.end && there.end <= new.len());
        }
    }
}
