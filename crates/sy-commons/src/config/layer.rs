//! One layer: its values, and where each was set.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::keys::{self, Kind, Path, dotted, find, is_known};
use super::{Origin, PREFIX};
use crate::fs::{FsError, read_text_limited};

/// No configuration is longer, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// One layer of the configuration.
#[derive(Debug)]
pub(super) struct Layer {
    name: &'static str,
    values: Dict,
    /// Every value's path and origin, tables without content included.
    origins: BTreeMap<Path, Origin>,
}

impl Provider for &Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

impl Layer {
    /// A built-in file.
    pub(super) fn embedded(text: &str, origin: Origin) -> Result<Self, ConfigError> {
        Self::parse(text, "built-in", FilePath::new("(built in)"), |_| {
            origin.clone()
        })
    }

    /// The user's file; `None` when it is neither there nor required.
    pub(super) fn user_file(path: &FilePath, required: bool) -> Result<Option<Self>, ConfigError> {
        let text = match read_text_limited(path, MAX_FILE_BYTES) {
            Ok(text) => text,
            Err(error) if !required && FsError::is_not_found(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let layer = Self::parse(&text, "user file", path, |line| Origin::File {
            path: path.to_owned(),
            line: Some(line),
        })?;
        layer.refuse_unknown()?;
        Ok(Some(layer))
    }

    fn parse(
        text: &str,
        name: &'static str,
        path: &FilePath,
        origin: impl Fn(usize) -> Origin,
    ) -> Result<Self, ConfigError> {
        let syntax = |error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let before = text.get(..at).unwrap_or_default();
            ConfigError::Syntax {
                path: path.to_owned(),
                line: line_of(text, at),
                column: before
                    .rsplit('\n')
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .count()
                    + 1,
                message: error.message().to_owned(),
            }
        };
        let spans = DeTable::parse(text).map_err(syntax)?;
        let table: toml::Table = toml::from_str(text).map_err(syntax)?;
        let mut origins = BTreeMap::new();
        walk(spans.get_ref(), &mut Vec::new(), &mut |path, at| {
            origins.insert(path.to_vec(), origin(line_of(text, at)));
        });
        let values = Value::serialize(&table)?.into_dict().unwrap_or_default();
        Ok(Self {
            name,
            values,
            origins,
        })
    }

    /// The variables that set a key: those with a `__` in their name. Names in
    /// paths (of models, of extensions) are found among those of `below`.
    pub(super) fn environment(
        variables: &[(String, String)],
        below: &[Layer],
    ) -> Result<Self, ConfigError> {
        let mut layer = Self {
            name: "environment",
            values: Dict::new(),
            origins: BTreeMap::new(),
        };
        let mut wrong = Vec::new();
        for (variable, text) in variables {
            let Some(rest) = variable
                .strip_prefix(PREFIX)
                .filter(|rest| rest.contains("__"))
            else {
                continue;
            };
            let path = spell(rest, below);
            let origin = Origin::Environment {
                variable: variable.clone(),
            };
            match find(&path).map(|key| parse_value(key.kind, text)) {
                Some(Ok(value)) => {
                    insert(&mut layer.values, &path, value);
                    layer.origins.insert(path, origin);
                }
                Some(Err(message)) => {
                    wrong.push(ConfigError::WrongType {
                        key: dotted(&path),
                        origin,
                        message,
                    });
                }
                None => wrong.push(unknown(&path, origin)),
            }
        }
        ConfigError::of(wrong).map_or(Ok(layer), Err)
    }

    fn refuse_unknown(&self) -> Result<(), ConfigError> {
        let unknown = self
            .origins
            .iter()
            .filter(|(path, _)| !is_known(path))
            .map(|(path, origin)| unknown(path, origin.clone()));
        ConfigError::of(unknown.collect()).map_or(Ok(()), Err)
    }

    /// Every value's path and origin.
    pub(super) fn origins(&self) -> impl Iterator<Item = (&Path, &Origin)> {
        self.origins.iter()
    }

    /// The value at `path`.
    pub(super) fn value(&self, path: &[String]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.values.get(first)?, |value, name| {
                value.as_dict().and_then(|dict| dict.get(name))
            })
    }
}

/// Where the value at `path`, or the nearest one above or below it, was set.
pub(super) fn origin_of(layers: &[Layer], path: &[String]) -> Origin {
    let all = || layers.iter().rev().flat_map(Layer::origins);
    all()
        .find(|(set, _)| set.as_slice() == path)
        .or_else(|| all().find(|(set, _)| path.starts_with(set) || set.starts_with(path)))
        .map_or(Origin::Default, |(_, origin)| origin.clone())
}

/// Figment's word on a value of the wrong type, with the place it was set.
pub(super) fn explain(error: figment::Error, layers: &[Layer]) -> ConfigError {
    let errors = error.into_iter().map(|error| {
        if error.path.is_empty() {
            return ConfigError::from(error);
        }
        ConfigError::WrongType {
            key: dotted(&error.path),
            origin: origin_of(layers, &error.path),
            message: error.kind.to_string(),
        }
    });
    let errors: Vec<ConfigError> = errors.collect();
    ConfigError::of(errors).unwrap_or_else(|| ConfigError::Several(Vec::new()))
}

fn unknown(path: &[String], origin: Origin) -> ConfigError {
    ConfigError::UnknownKey {
        key: dotted(path),
        origin,
        nearest: keys::nearest(path),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Visits every value that is not a table, and every empty table.
fn walk(table: &DeTable<'_>, path: &mut Path, visit: &mut impl FnMut(&[String], usize)) {
    for (name, value) in table {
        path.push(name.get_ref().to_string());
        match Spanned::get_ref(value) {
            DeValue::Table(inner) if !inner.is_empty() => walk(inner, path, visit),
            _ => visit(path, name.span().start),
        }
        path.pop();
    }
}

/// `MODELS__LOCAL_MODEL__KIND` as a path; a name known below is spelled as
/// there.
fn spell(rest: &str, below: &[Layer]) -> Path {
    let mut path = Path::new();
    for segment in rest.split("__") {
        let wanted = segment.to_lowercase();
        let depth = path.len();
        let known = below.iter().flat_map(Layer::origins).find_map(|(set, _)| {
            let name = set.get(depth).filter(|_| set.starts_with(&path))?;
            (plain(name) == plain(&wanted)).then(|| name.clone())
        });
        path.push(known.unwrap_or(wanted));
    }
    path
}

/// A name as the environment can spell it.
fn plain(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect()
}

fn parse_value(kind: Kind, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    match kind {
        Kind::Text => Ok(Value::from(text)),
        Kind::Integer => trimmed
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| format!("`{text}` is not a whole number")),
        Kind::Float => trimmed
            .parse::<f64>()
            .map(Value::from)
            .map_err(|_| format!("`{text}` is not a number")),
        Kind::Bool => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Value::from(true)),
            "false" | "0" | "no" | "off" => Ok(Value::from(false)),
            _ => Err(format!("`{text}` is neither true nor false")),
        },
        Kind::List => Ok(Value::from(
            trimmed
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect::<Vec<String>>(),
        )),
    }
}

fn insert(values: &mut Dict, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        values.insert(first.clone(), value);
        return;
    }
    let slot = values
        .entry(first.clone())
        .or_insert_with(|| Value::from(Dict::new()));
    if let Value::Dict(_, inner) = slot {
        insert(inner, rest, value);
    }
}
