//! Changes a melody's text where it must change, and nowhere else.
//!
//! The text is not written anew: a value is put in the place of another, or a
//! key is put behind the last one of its table. So every comment, space and line
//! ending of the rest is kept, whatever it is.

use super::{
    Melody,
    problem::{Problems, nearest},
};
use serde_json::Value as Json;
use std::ops::Range;
use toml_edit::{Document, Item, Key, TableLike, Value};

/// Why a melody could not be rewritten.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The text is no TOML.
    #[error("the melody's text is no TOML")]
    Syntax(#[from] toml_edit::TomlError),
    /// There is no such node.
    #[error("there is no node `{node}`; {help}")]
    NoSuchNode {
        /// What was asked for.
        node: String,
        /// What there is.
        help: String,
    },
    /// TOML has no such value.
    #[error("`{key}` cannot be {value}: TOML has no such value")]
    NoSuchValue {
        /// The key.
        key: String,
        /// The value, as JSON.
        value: String,
    },
    /// The text is laid out in a way that is not changed here.
    #[error("`{key}` of node `{node}` is laid out in a way that must be changed by hand")]
    Layout {
        /// The node.
        node: String,
        /// The key.
        key: String,
    },
    /// The changed melody would not be sound.
    #[error(transparent)]
    Unsound(#[from] Problems),
}

/// A change of one node.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Another player.
    Player(String),
    /// Another value of a key of `with`.
    With {
        /// The port.
        port: String,
        /// The value.
        value: Json,
    },
    /// Tries after the first one.
    Retries(u32),
    /// The wait before the second try, e.g. `200ms`.
    Backoff(String),
    /// How long a try may take, e.g. `60s`.
    Timeout(String),
}

impl Change {
    /// Where the value stands in the node's table, and the value.
    fn place(&self) -> (Vec<&str>, Json) {
        match self {
            Self::Player(player) => (vec!["player"], player.as_str().into()),
            Self::With { port, value } => (vec!["with", port], value.clone()),
            Self::Retries(times) => (vec!["retry", "times"], (*times).into()),
            Self::Backoff(wait) => (vec!["retry", "backoff"], wait.as_str().into()),
            Self::Timeout(limit) => (vec!["timeout"], limit.as_str().into()),
        }
    }
}

/// Makes changes of a node in a melody's text; gives the melody with its new text.
///
/// # Errors
/// [`RewriteError`]. What only the players can tell is found by [`Melody::check`].
pub fn rewrite(
    text: &str,
    origin: &str,
    node: &str,
    changes: &[Change],
) -> Result<Melody, RewriteError> {
    let mut text = text.to_owned();
    for change in changes {
        let (path, json) = change.place();
        let value = toml_value(&json).ok_or_else(|| RewriteError::NoSuchValue {
            key: path.join("."),
            value: json.to_string(),
        })?;
        let (place, new) = edit(&text, node, &path, &value)?;
        text.replace_range(place, &new);
    }
    Ok(Melody::parse(&text, origin)?)
}

/// What differs, as a unified diff; empty when nothing does.
pub fn diff(old: &str, new: &str) -> String {
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .to_string()
}

/// A value in TOML; `None` for null and for numbers that TOML does not have.
fn toml_value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) if number.is_f64() => Value::from(number.as_f64()?),
        Json::Number(number) => Value::from(number.as_i64()?),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(values) => {
            let values: Option<toml_edit::Array> = values.iter().map(toml_value).collect();
            Value::Array(values?)
        }
        Json::Object(fields) => {
            let mut table = toml_edit::InlineTable::new();
            for (name, value) in fields {
                table.insert(name, toml_value(value)?);
            }
            Value::InlineTable(table)
        }
    })
}

/// The piece of text to be replaced so that `path` of the node has the value, and by what.
fn edit(
    text: &str,
    node: &str,
    path: &[&str],
    value: &Value,
) -> Result<(Range<usize>, String), RewriteError> {
    let document = Document::parse(text)?;
    let nodes = document.get("nodes").and_then(Item::as_table_like);
    let found = nodes.and_then(|nodes| nodes.get(node));
    let mut item = found.ok_or_else(|| no_such_node(node, nodes))?;
    let by_hand = || RewriteError::Layout {
        node: node.to_owned(),
        key: path.join("."),
    };
    let mut keys = path;
    while let [key, rest @ ..] = keys {
        let table = item.as_table_like().ok_or_else(by_hand)?;
        match table.get(key) {
            None => return insertion(text, item, &assignment(keys, value)).ok_or_else(by_hand),
            Some(next) => (item, keys) = (next, rest),
        }
    }
    // A table with a header of its own is no value that another could take the place of.
    let place = item.as_value().and_then(Value::span);
    Ok((place.ok_or_else(by_hand)?, written(value)))
}

fn no_such_node(node: &str, nodes: Option<&dyn TableLike>) -> RewriteError {
    let names = nodes.into_iter().flat_map(|nodes| nodes.iter());
    let names: Vec<&str> = names.map(|(name, _)| name).collect();
    RewriteError::NoSuchNode {
        node: node.to_owned(),
        help: nearest(node, &names),
    }
}

/// `a = 1` for one key, `a = { b = 1 }` for two.
fn assignment(keys: &[&str], value: &Value) -> String {
    let mut keys = keys.iter().rev();
    let last = keys.next().copied().unwrap_or_default();
    let name = |key: &str| Key::new(key).display_repr().into_owned();
    let innermost = format!("{} = {}", name(last), written(value));
    keys.fold(innermost, |inner, key| {
        format!("{} = {{ {inner} }}", name(key))
    })
}

fn written(value: &Value) -> String {
    value.clone().decorated("", "").to_string()
}

/// Where an assignment goes in a table, with what must stand around it.
fn insertion(text: &str, table: &Item, assignment: &str) -> Option<(Range<usize>, String)> {
    if let Some(inline) = table.as_inline_table() {
        if inline.is_dotted() {
            return None;
        }
        let whole = inline.span()?;
        return Some(match inline.iter().filter_map(|(_, v)| end_of(v)).max() {
            Some(end) => (end..end, format!(", {assignment}")),
            None => (whole, format!("{{ {assignment} }}")),
        });
    }
    let table = table.as_table()?;
    let own = table.iter().filter_map(|(name, item)| {
        let end = item.as_value()?.span()?.end;
        Some((table.key(name)?.span()?.start, end))
    });
    let (prefix, end) = match own.max_by_key(|(_, end)| *end) {
        // Its indentation, and what leads to the table where keys are dotted.
        Some((key, end)) => (&text[line_start(text, key)..key], end),
        None if table.is_dotted() => return None,
        None => ("", table.span()?.end),
    };
    Some(match text[end..].find('\n') {
        Some(length) => {
            let next = end + length + 1;
            let newline = &text[end..next];
            let newline = if newline.ends_with("\r\n") {
                "\r\n"
            } else {
                "\n"
            };
            (next..next, format!("{prefix}{assignment}{newline}"))
        }
        None => {
            let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
            let all = text.len();
            (all..all, format!("{newline}{prefix}{assignment}{newline}"))
        }
    })
}

/// Where a value ends; one of dotted keys ends where the last of them does.
fn end_of(value: &Value) -> Option<usize> {
    match value {
        Value::InlineTable(table) if table.is_dotted() => {
            table.iter().filter_map(|(_, value)| end_of(value)).max()
        }
        value => value.span().map(|span| span.end),
    }
}

fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |newline| newline + 1)
}
