//! Changes a melody's text and keeps its comments.

use super::{Melody, problem::Problems};
use toml_edit::{DocumentMut, Item, Value};

/// Why a melody could not be rewritten.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The text is no TOML.
    #[error("the melody's text is no TOML")]
    Syntax(#[from] toml_edit::TomlError),
    /// There is no such node.
    #[error("there is no node `{0}`")]
    NoSuchNode(String),
    /// The changed melody would not be sound.
    #[error("the change would break the melody: {0}")]
    Unsound(#[from] Problems),
}

/// A change of one node.
#[derive(Debug, Clone)]
pub enum Change {
    /// Another player.
    Player(String),
    /// Another value of a key of `with`.
    With {
        /// The port.
        port: String,
        /// The value.
        value: Value,
    },
    /// The node goes.
    Remove,
}

/// Makes a change in a melody's text; comments, order and layout stay.
///
/// # Errors
/// [`RewriteError`]; the text is then unchanged.
pub fn rewrite(
    text: &str,
    origin: &str,
    node: &str,
    change: Change,
) -> Result<String, RewriteError> {
    let mut document: DocumentMut = text.parse()?;
    let nodes = document.get_mut("nodes").and_then(Item::as_table_like_mut);
    let nodes = nodes.ok_or_else(|| RewriteError::NoSuchNode(node.to_owned()))?;
    if matches!(change, Change::Remove) {
        nodes
            .remove(node)
            .ok_or_else(|| RewriteError::NoSuchNode(node.to_owned()))?;
    } else {
        let table = nodes.get_mut(node).and_then(Item::as_table_like_mut);
        let table = table.ok_or_else(|| RewriteError::NoSuchNode(node.to_owned()))?;
        match change {
            Change::Player(player) => set(table, "player", Value::from(player)),
            Change::With { port, value } => {
                let with = table
                    .entry("with")
                    .or_insert(Item::Value(Value::InlineTable(Default::default())));
                if let Some(with) = with.as_table_like_mut() {
                    set(with, &port, value);
                }
            }
            Change::Remove => {}
        }
    }
    let text = document.to_string();
    Melody::parse(&text, origin)?;
    Ok(text)
}

/// Sets a key and keeps the white space and comment that stand around its value.
fn set(table: &mut dyn toml_edit::TableLike, key: &str, mut value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}
