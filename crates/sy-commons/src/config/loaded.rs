//! The outcome of loading, and how it is shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use figment::value::{Num, Value};
use serde::Serialize;

use super::Origin;
use super::keys::{Path, dotted};
use super::layer::Layer;
use crate::redact::redact;
use crate::secret::REDACTED;

/// A configuration, and where each of its values came from.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// The typed configuration.
    pub value: T,
    /// Every effective value, sorted by key.
    pub entries: Vec<Entry>,
}

/// An effective value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its key, dotted as in TOML.
    pub key: String,
    /// The value as TOML, secrets masked.
    pub value: String,
    /// Where it was set.
    pub origin: Origin,
}

impl<T> Loaded<T> {
    /// Where the value of `key` was set; `None` when it has none.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.origin)
    }

    /// All values and origins in three columns, a line each.
    #[must_use]
    pub fn table(&self) -> String {
        let width = |text: fn(&Entry) -> &str, most: usize| {
            let widths = self.entries.iter().map(|entry| text(entry).chars().count());
            widths.max().unwrap_or_default().min(most)
        };
        let (keys, values) = (width(|e| &e.key, 48), width(|e| &e.value, 40));
        let mut out = String::new();
        for Entry { key, value, origin } in &self.entries {
            let _ = writeln!(out, "{key:keys$}  {value:values$}  {origin}");
        }
        out
    }
}

/// Every effective value of `layers`; later layers win.
pub(super) fn entries(layers: &[Layer]) -> Vec<Entry> {
    let mut effective: BTreeMap<&Path, Entry> = BTreeMap::new();
    for layer in layers {
        for (path, origin) in layer.origins() {
            let Some(value) = layer.value(path) else {
                continue;
            };
            // A table without content is no value.
            if value.as_dict().is_some() {
                continue;
            }
            let value = shown(path, value);
            effective.insert(
                path,
                Entry {
                    key: dotted(path),
                    value,
                    origin: origin.clone(),
                },
            );
        }
    }
    effective.into_values().collect()
}

/// The value as TOML, without secrets.
fn shown(path: &[String], value: &Value) -> String {
    let name = path.last().map(String::as_str).unwrap_or_default();
    let secret = ["api_key", "key", "token", "password", "secret"];
    let is_secret = |word: &&str| name == *word || name.ends_with(&format!("_{word}"));
    if secret.iter().any(is_secret) {
        return format!("\"{REDACTED}\"");
    }
    redact(&toml_text(value)).into_owned()
}

fn toml_text(value: &Value) -> String {
    match value {
        Value::String(_, text) => toml::Value::String(without_credentials(text)).to_string(),
        Value::Bool(_, value) => value.to_string(),
        Value::Char(_, value) => toml::Value::String(value.to_string()).to_string(),
        Value::Num(_, Num::F64(value)) => toml::Value::Float(*value).to_string(),
        Value::Num(_, Num::F32(value)) => toml::Value::Float((*value).into()).to_string(),
        Value::Num(_, number) => number
            .to_i128()
            .map(|number| number.to_string())
            .or_else(|| number.to_u128().map(|number| number.to_string()))
            .unwrap_or_default(),
        Value::Array(_, items) => {
            let items: Vec<String> = items.iter().map(toml_text).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Empty(..) | Value::Dict(..) => String::new(),
    }
}

/// An address without its user, password and query, which may hold keys.
fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (address, query) = rest
        .split_once('?')
        .map_or((rest, false), |(a, _)| (a, true));
    let end = address.find('/').unwrap_or(address.len());
    let (host, path) = address.split_at(end);
    let host = match host.rsplit_once('@') {
        Some((_, host)) => format!("{REDACTED}@{host}"),
        None => host.to_owned(),
    };
    let query = if query {
        format!("?{REDACTED}")
    } else {
        String::new()
    };
    format!("{scheme}://{host}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_may_be_secret() {
        let cases = [
            ("http://localhost:1/v1", "http://localhost:1/v1"),
            ("https://me:pw@host/v1", "https://[redacted]@host/v1"),
            ("https://host/v1?key=abc", "https://host/v1?[redacted]"),
            ("https://host/a@b", "https://host/a@b"),
            ("plain", "plain"),
        ];
        for (from, to) in cases {
            assert_eq!(without_credentials(from), to);
        }
    }

    #[test]
    fn secret_names_are_masked_and_counts_of_tokens_are_not() {
        let show = |name: &str| shown(&["x".into(), name.into()], &Value::from("v"));
        for name in ["api_key", "password", "bot_token", "client_secret"] {
            assert_eq!(show(name), "\"[redacted]\"");
        }
        for name in ["max_tokens", "api_key_env", "keyring"] {
            assert_eq!(show(name), "\"v\"");
        }
    }

    #[test]
    fn values_read_as_toml() {
        assert_eq!(toml_text(&Value::from("a\"b")), "'a\"b'");
        assert_eq!(toml_text(&Value::from(0.0)), "0.0");
        assert_eq!(toml_text(&Value::from(7_u64)), "7");
        assert_eq!(toml_text(&Value::from(vec!["a", "b"])), "[\"a\", \"b\"]");
    }
}
