//! Places in a text, as plugins and as clients count them.

use crate::engine::Text;
use crate::plugins::dialect::{DataSpan, ScopeSpan, Unit};
use crate::plugins::view::View;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use symphony_ipc_protocol::xi::{PluginAnnotation, Span};

/// An answer to `get_data` has at most so many bytes.
const MAX_CHUNK: usize = 1024 * 1024;

/// Spans in positions of the text, neighbours of one scope joined, and the
/// scopes that they name.
pub(super) type Compact = (Span, Vec<String>, Vec<(usize, usize, usize)>);

pub(super) fn compact(
    view: &View,
    text: &Text,
    place: (usize, usize),
    spans: &[ScopeSpan],
) -> Option<Compact> {
    let range = within(text, place.0, place.1)?;
    let mut scopes = Vec::new();
    let mut indices = BTreeMap::new();
    let mut out: Vec<(usize, usize, usize)> = Vec::with_capacity(spans.len());
    for span in spans {
        let part = part_of(text, range, span.start, span.end)?;
        let scope = view.scope(span.scope_id)?;
        let index = *indices.entry(span.scope_id).or_insert_with(|| {
            scopes.push(scope.to_owned());
            scopes.len() - 1
        });
        match out.last_mut() {
            _ if part.start == part.end => {}
            Some(last) if last.1 == part.start && last.2 == index => last.1 = part.end,
            _ => out.push((part.start, part.end, index)),
        }
    }
    out.sort_by_key(|span| span.0);
    Some((range, scopes, out))
}

/// The range of `len` bytes from `start`, if it is one of the text.
fn within(text: &Text, start: usize, len: usize) -> Option<Span> {
    let end = start.checked_add(len)?;
    text.check(start, end).ok()?;
    Some(Span { start, end })
}

/// A part of a range, relative to its start.
fn part_of(text: &Text, range: Span, start: usize, end: usize) -> Option<Span> {
    let start = range.start.checked_add(start)?;
    let end = range.start.checked_add(end)?;
    text.check(start, end).ok()?;
    (end <= range.end).then_some(Span { start, end })
}

/// Annotations in positions of the text, and their range.
pub(super) fn annotations(
    text: &Text,
    place: (usize, usize),
    spans: Vec<DataSpan>,
) -> Option<(Span, Vec<PluginAnnotation>)> {
    let range = within(text, place.0, place.1)?;
    let each = spans.into_iter().map(|span| {
        let part = part_of(text, range, span.start, span.end)?;
        Some(PluginAnnotation {
            start: part.start,
            end: part.end,
            data: span.data,
        })
    });
    Some((range, each.collect::<Option<_>>()?))
}

/// A chunk of text as `get_data` answers it; `None` when it begins outside.
pub(super) fn data(text: &Text, start: usize, unit: Unit, max_size: usize) -> Option<Value> {
    let offset = match unit {
        Unit::Utf8 if start <= text.len() => text.border_before(start),
        Unit::Line if start <= text.lines() => text.line_start(start),
        Unit::Utf8 | Unit::Line => return None,
    };
    let mut end = text.border_before(offset.saturating_add(max_size.min(MAX_CHUNK)));
    if end == offset && offset < text.len() {
        // One character at least, so that whoever reads on and on gets somewhere.
        end = (offset + 1..=text.len()).find(|at| text.is_border(*at))?;
    }
    let line = text.line_of(offset);
    Some(json!({
        "chunk": text.slice(offset, end),
        "offset": offset,
        "first_line": line,
        "first_line_offset": offset - text.line_start(line),
    }))
}

/// The first `max` bytes of a text, to a border.
pub(super) fn cut(mut text: String, max: usize) -> String {
    let end = (0..=max.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or(0));
    text
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
