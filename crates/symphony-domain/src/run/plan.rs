//! What a run plays: everything that `resume` needs to play it again.

use super::casting::CastMember;
use crate::melody::{
    Melody,
    format::{InputDeclaration, Values},
    problem::nearest,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a run plays. Stored as an artifact when the run begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunPlan {
    /// The melody's text.
    pub melody: String,
    /// Where the text came from, for messages.
    pub origin: String,
    /// The melody's inputs.
    pub inputs: Values,
    /// Who plays each node.
    pub cast: BTreeMap<String, CastMember>,
    /// Whether results of earlier runs are left unused.
    #[serde(default)]
    pub fresh: bool,
}

/// An input that does not fit the melody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The melody has no such input.
    #[error("melody `{melody}` has no input `{name}`; {help}")]
    Unknown {
        /// The melody.
        melody: String,
        /// What was given.
        name: String,
        /// What there is.
        help: String,
    },
    /// An input that has no default was not given.
    #[error(
        "melody `{melody}` needs the input `{name}` ({port_type}): give it with --input {name}=…"
    )]
    Missing {
        /// The melody.
        melody: String,
        /// Which.
        name: String,
        /// What it takes.
        port_type: String,
    },
    /// The value is of another type or out of range.
    #[error("input `{name}` is {found}, expected {expected}")]
    Unfit {
        /// Which.
        name: String,
        /// What was given.
        found: String,
        /// What it takes.
        expected: String,
    },
}

/// Fills in defaults and checks types and ranges.
///
/// # Errors
/// [`InputError`] for the first input that does not fit.
pub fn resolve_inputs(
    melody: &Melody,
    given: &Values,
    project: &str,
) -> Result<Values, InputError> {
    let name = || melody.file.name.clone();
    if let Some(unknown) = given.keys().find(|k| !melody.inputs.contains_key(*k)) {
        let known: Vec<&str> = melody.inputs.keys().map(String::as_str).collect();
        return Err(InputError::Unknown {
            melody: name(),
            name: unknown.clone(),
            help: nearest(unknown, &known),
        });
    }
    let mut inputs = Values::new();
    for (input, port_type) in &melody.inputs {
        let declaration = &melody.file.inputs[input];
        let value = match (given.get(input), declaration.default_value()) {
            (Some(value), _) | (None, Some(value)) => value.clone(),
            (None, None) if declaration.is_project() => Value::from(project),
            (None, None) => {
                return Err(InputError::Missing {
                    melody: name(),
                    name: input.clone(),
                    port_type: port_type.to_string(),
                });
            }
        };
        let unfit = |expected: String| InputError::Unfit {
            name: input.clone(),
            found: value.to_string(),
            expected,
        };
        if !port_type.admits(&value) {
            return Err(unfit(port_type.to_string()));
        }
        if let (InputDeclaration::Full(table), Some(number)) = (declaration, value.as_f64())
            && (table.min.is_some_and(|min| number < min)
                || table.max.is_some_and(|max| number > max))
        {
            let bound = |b: Option<f64>| b.map_or_else(|| "…".to_owned(), |b| b.to_string());
            return Err(unfit(format!(
                "{port_type} from {} to {}",
                bound(table.min),
                bound(table.max)
            )));
        }
        inputs.insert(input.clone(), value);
    }
    Ok(inputs)
}
