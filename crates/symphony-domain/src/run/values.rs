//! The values that nodes have given so far, and what is made of them.

use crate::melody::{
    Node,
    format::Values,
    template::{Reference, Template, cut, follow},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Values by source.
#[derive(Debug, Clone, Default)]
pub struct Known {
    inputs: Values,
    outputs: BTreeMap<String, Value>,
}

impl Known {
    pub fn new(inputs: Values) -> Self {
        Self {
            inputs,
            outputs: BTreeMap::new(),
        }
    }

    /// A node's outputs: an object by port; null for a node that was skipped.
    pub fn insert(&mut self, node: &str, outputs: Value) {
        self.outputs.insert(node.to_owned(), outputs);
    }

    /// What a reference gives; null where nothing is.
    pub fn look_up(&self, reference: &Reference, item: &Value) -> Value {
        let value = match reference.source.as_str() {
            "item" => follow(item, &reference.path),
            "inputs" => {
                let value = reference
                    .path
                    .first()
                    .and_then(|name| self.inputs.get(name));
                follow(
                    value.unwrap_or(&Value::Null),
                    reference.path.get(1..).unwrap_or_default(),
                )
            }
            node => follow(
                self.outputs.get(node).unwrap_or(&Value::Null),
                &reference.path,
            ),
        };
        cut(value, reference)
    }
}

/// The inputs of one call: what is wired, then what the prompt makes.
pub fn call_inputs(node: &Node, known: &Known, item: &Value) -> Map<String, Value> {
    let look_up = |reference: &Reference| known.look_up(reference, item);
    let mut inputs: Map<String, Value> = node
        .with
        .iter()
        .map(|(port, argument)| (port.clone(), argument.render(&look_up)))
        .collect();
    // An empty port takes its default, as if it were not wired.
    inputs.retain(|_, value| !value.is_null());
    let (Some(prompt), Some(declared)) = (&node.prompt, &node.declaration.prompt) else {
        return inputs;
    };
    let text = |template: &Template| template.render(&look_up);
    let mut messages = Vec::new();
    if !declared.system.is_empty() {
        messages.push(json!({"role": "system", "content": text(&prompt.system)}));
    }
    for example in &declared.examples {
        messages.push(json!({"role": "user", "content": example.user}));
        messages.push(json!({"role": "assistant", "content": example.assistant}));
    }
    let mut user = text(&prompt.user);
    if !user.is_string() {
        user = Value::String(user.to_string());
    }
    messages.push(json!({"role": "user", "content": user}));
    inputs.insert("messages".into(), Value::Array(messages));
    inputs.insert("temperature".into(), json!(declared.temperature));
    if let Some(schema) = &declared.schema {
        inputs.insert("schema".into(), schema.clone());
    }
    if let Some(max_tokens) = declared.max_tokens {
        inputs.insert("max_tokens".into(), json!(max_tokens));
    }
    inputs
}

/// What an element is, for people: its name and file where it has them.
pub fn label_of(item: &Value) -> String {
    let field = |name: &str| item.get(name).and_then(Value::as_str);
    match (field("path"), field("name")) {
        (Some(path), Some(name)) => format!("{path}: {name}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => item
            .as_str()
            .map(|s| s.chars().take(60).collect())
            .unwrap_or_default(),
    }
}

/// Joins the outputs of a fan-out: each port a list in the order of the elements, null where one failed.
pub fn join_outputs(ports: impl Iterator<Item = String>, outputs: &[Value]) -> Value {
    let joined = ports.map(|port| {
        let values = outputs
            .iter()
            .map(|o| o.get(&port).cloned().unwrap_or(Value::Null))
            .collect();
        (port, Value::Array(values))
    });
    Value::Object(joined.collect())
}

/// Sizes of the lists among a node's outputs.
pub fn list_sizes(outputs: &Value) -> BTreeMap<String, u64> {
    let object = outputs.as_object().into_iter().flatten();
    object
        .filter_map(|(port, value)| value.as_array().map(|l| (port.clone(), l.len() as u64)))
        .collect()
}
