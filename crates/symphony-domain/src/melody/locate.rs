//! Finds the line of a key in TOML text.

use toml_edit::{Document, Item};

/// The line, from 1, of the deepest part of `path` that is there.
pub fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    let document = Document::parse(text).ok()?;
    let mut item: &Item = document.as_item();
    let mut offset = None;
    for key in path {
        let Some(table) = item.as_table_like() else {
            break;
        };
        let Some((found, next)) = table.get_key_value(key) else {
            break;
        };
        offset = found
            .span()
            .or_else(|| next.span())
            .map(|span| span.start)
            .or(offset);
        item = next;
    }
    offset.map(|offset| line_at(text, offset))
}

/// The line, from 1, of a byte offset.
pub fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|b| **b == b'\n')
        .count()
        + 1
}
