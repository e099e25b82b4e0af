//! The TOML form of a melody, `symphony.melody/1`, as it is written.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version of the format that this Symphony reads and writes.
pub const SCHEMA: &str = "symphony.melody/1";

/// A melody: a workflow of players.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MelodyFile {
    /// Always `symphony.melody/1`.
    pub schema: String,
    /// What `symphony perform` calls it: lower-case letters, digits and `-`.
    pub name: String,
    /// Its name for people.
    #[serde(default)]
    pub title: String,
    /// One or two sentences for people.
    #[serde(default)]
    pub description: String,
    /// What it asks for when it is performed.
    #[serde(default)]
    pub inputs: IndexMap<String, InputDeclaration>,
    /// What a run may consume at most.
    #[serde(default)]
    pub budget: BudgetDeclaration,
    /// Its nodes.
    pub nodes: IndexMap<String, NodeDeclaration>,
    /// What it gives, by name: references such as `{stage.change_set}`.
    #[serde(default)]
    pub output: IndexMap<String, String>,
}

/// An input of a melody: a type's name, or a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum InputDeclaration {
    /// Only the type: the input is required.
    Type(String),
    /// The type with more.
    Full(InputTable),
}

/// An input of a melody with all that can be said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputTable {
    /// A port type: `text`, `integer`, `number`, `boolean`, `path`, `json`, `list<…>`.
    #[serde(rename = "type")]
    pub port_type: String,
    /// Used when nothing is given; without it the input is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// One sentence for people.
    #[serde(default)]
    pub description: String,
}

/// What a run may consume; 0 or absent is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetDeclaration {
    /// Calls of models.
    pub calls: u64,
    /// Tokens read and written by models.
    pub tokens: u64,
    /// Money, in US dollars.
    pub usd: f64,
    /// Seconds from the start or resumption of the run.
    pub seconds: u64,
}

/// A node: one piece of work by one player, or one for each element of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeDeclaration {
    /// `operator/NAME`, `instrument/NAME`, or `instrument/*` for one that the Conductor chooses.
    pub player: String,
    /// What it does, for people: a verb.
    #[serde(default)]
    pub title: String,
    /// What the player must be able to do, e.g. `["chat", "json-schema"]`.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Values by input port: literals, references such as `{find.items}`, or texts with references in them.
    #[serde(default)]
    pub with: IndexMap<String, Value>,
    /// What an Instrument is asked; makes its inputs `messages`, `schema`, `max_tokens` and `temperature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<PromptDeclaration>,
    /// A reference to a list: the node is executed for each element, in parallel; `{item}` is the element.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<String>,
    /// A reference; the node is skipped when its value is null, false, 0 or empty. `!{…}` turns it around.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Nodes that must be done before, besides those it refers to.
    #[serde(default)]
    pub after: Vec<String>,
    /// How often and when to try again.
    #[serde(default)]
    pub retry: RetryDeclaration,
    /// How long one try may take, e.g. `60s`; absent: the configured `run.node_timeout_s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// What a failed element of a fan-out means for the node.
    #[serde(default)]
    pub on_error: OnError,
}

/// What a failed element of a fan-out means for its node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// The others are finished, then the run fails and can be resumed.
    #[default]
    Fail,
    /// Its outputs are null, the run goes on.
    Skip,
}

/// How often and when to try again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryDeclaration {
    /// Tries after the first one; absent: the configured `run.retries`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Wait before the first of them, e.g. `200ms`; doubles with each.
    pub backoff: String,
}

impl Default for RetryDeclaration {
    fn default() -> Self {
        Self {
            times: None,
            backoff: "200ms".to_owned(),
        }
    }
}

/// What an Instrument is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptDeclaration {
    /// What the model is told of its part. References allowed.
    #[serde(default)]
    pub system: String,
    /// Worked examples, as earlier turns of the conversation. Literal.
    #[serde(default)]
    pub examples: Vec<PromptExample>,
    /// What the model is asked. References allowed; write `{{` and `}}` for braces.
    pub user: String,
    /// The JSON Schema of the reply; the output port `reply` then carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// At most this many tokens are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// 0 is the most predictable.
    #[serde(default)]
    pub temperature: f64,
}

/// A worked example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptExample {
    /// What was asked.
    pub user: String,
    /// What was answered.
    pub assistant: String,
}

/// The JSON Schema of the format, as published in `docs/formats/melody.schema.json`.
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(MelodyFile).to_value();
    if let Value::Object(object) = &mut schema {
        object.insert(
            "title".to_owned(),
            Value::from("Symphony melody, symphony.melody/1"),
        );
    }
    schema
}

/// Values by name, sorted.
pub type Values = BTreeMap<String, Value>;

impl InputDeclaration {
    /// The type as written; `project` stands for the project's folder, a path.
    pub fn port_type(&self) -> &str {
        let text = match self {
            Self::Type(text) => text,
            Self::Full(table) => &table.port_type,
        };
        if text == "project" { "path" } else { text }
    }

    /// Whether it is the project's folder, which the host fills in.
    pub fn is_project(&self) -> bool {
        matches!(self, Self::Type(text) if text == "project")
    }

    /// What it is when nothing is given.
    pub fn default_value(&self) -> Option<&Value> {
        match self {
            Self::Type(_) => None,
            Self::Full(table) => table.default.as_ref(),
        }
    }
}
