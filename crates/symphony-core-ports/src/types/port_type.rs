//! The types of melody ports.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The type of a value that a wire of a melody carries.
///
/// Written `text`, `integer`, `list<edit>`, … Names other than the basic ones
/// are record types that extensions agree on (`item`, `edit`, `file`, …).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PortType {
    /// Any JSON value; fits every port, and every value fits it.
    Json,
    /// UTF-8 text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A file or folder, relative to the project.
    Path,
    /// A record type by name.
    Record(String),
    /// A list of values of one type.
    List(Box<PortType>),
}

/// A text is no port type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no port type: expected text, integer, number, boolean, json, path, a record's name such as `edit`, or list<…> of one"
)]
pub struct InvalidPortType(pub String);

impl PortType {
    /// A list of this type.
    pub fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// Whether a value of this type may flow into a port of type `target`.
    pub fn fits(&self, target: &Self) -> bool {
        match (self, target) {
            (Self::Json, _) | (_, Self::Json) => true,
            (Self::Integer, Self::Number) | (Self::Path, Self::Text) | (Self::Text, Self::Path) => {
                true
            }
            (Self::List(a), Self::List(b)) => a.fits(b),
            (a, b) => a == b,
        }
    }

    /// Whether a JSON value may be carried; records must be objects.
    pub fn admits(&self, value: &serde_json::Value) -> bool {
        use serde_json::Value;
        match self {
            Self::Json => true,
            Self::Text | Self::Path => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Record(_) => value.is_object(),
            Self::List(inner) => match value {
                Value::Array(values) => values.iter().all(|v| inner.admits(v)),
                _ => false,
            },
        }
    }
}

impl fmt::Display for PortType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json => f.write_str("json"),
            Self::Text => f.write_str("text"),
            Self::Integer => f.write_str("integer"),
            Self::Number => f.write_str("number"),
            Self::Boolean => f.write_str("boolean"),
            Self::Path => f.write_str("path"),
            Self::Record(name) => f.write_str(name),
            Self::List(inner) => write!(f, "list<{inner}>"),
        }
    }
}

impl FromStr for PortType {
    type Err = InvalidPortType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidPortType(text.to_owned());
        // Deep nesting has no use and would recurse without bound.
        if text.matches("list<").count() > 8 {
            return Err(invalid());
        }
        if let Some(inner) = text.strip_prefix("list<") {
            let inner = inner.strip_suffix('>').ok_or_else(invalid)?;
            return Ok(inner.parse::<Self>().map_err(|_| invalid())?.list());
        }
        Ok(match text {
            "json" => Self::Json,
            "text" => Self::Text,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "path" => Self::Path,
            // A list without the type of its elements.
            "list" => return Err(invalid()),
            name if is_name(name) => Self::Record(name.to_owned()),
            _ => return Err(invalid()),
        })
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

impl TryFrom<String> for PortType {
    type Error = InvalidPortType;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PortType> for String {
    fn from(port_type: PortType) -> Self {
        port_type.to_string()
    }
}
