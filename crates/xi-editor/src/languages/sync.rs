//! Texts on their way to a server: what changed, in its positions.

use super::positions::{Columns, Source};
use serde_json::{Value, json};
use symphony_ipc_protocol::xi::{Replace, Span};

/// More edits at once are sent as one.
const MAX_EDITS: usize = 64;

/// The `contentChanges` that make `before` into `after`.
pub fn content_changes(
    before: &Source,
    after: &Source,
    edits: &[Replace],
    columns: Columns,
) -> Value {
    let Some((first, last)) = edits.first().zip(edits.last()) else {
        return json!([]);
    };
    // With lone returns an edit can move lines that it does not touch.
    if before.has_lone_returns() || after.has_lone_returns() {
        return whole(after);
    }
    let splits = |at: usize| splits_line_end(before, at);
    let any_split = edits.iter().any(|e| splits(e.start) || splits(e.end));
    if edits.len() > MAX_EDITS || any_split {
        return json!([covering(before, after, first.start, last.end, columns)]);
    }
    // The last first: positions of the others stay what they are.
    edits
        .iter()
        .rev()
        .map(|edit| {
            let span = Span {
                start: edit.start,
                end: edit.end,
            };
            json!({"range": before.range(span, columns), "text": edit.text})
        })
        .collect()
}

/// The whole text as a change.
pub fn whole(after: &Source) -> Value {
    json!([{"text": String::from(after.text())}])
}

/// One change for all between `start` and `end`; no position names the middle of `\r\n`.
fn covering(before: &Source, after: &Source, start: usize, end: usize, columns: Columns) -> Value {
    let start = start - usize::from(splits_line_end(before, start));
    let end = end + usize::from(splits_line_end(before, end));
    let tail = before.text().len() - end;
    let text = after.text().slice(start, after.text().len() - tail);
    json!({"range": before.range(Span { start, end }, columns), "text": text})
}

/// Whether an offset lies between `\r` and `\n`.
fn splits_line_end(source: &Source, at: usize) -> bool {
    let text = source.text();
    at > 0 && at < text.len() && text.byte(at) == b'\n' && text.byte(at - 1) == b'\r'
}

#[cfg(test)]
#[path = "sync_tests.rs"]
mod tests;
