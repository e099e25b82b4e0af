//! The protocol as a JSON Schema.

use super::{EVENT_METHOD, METHODS, PROTOCOL, RequestVisitor, XiEvent, XiRequest, visit};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// Adds what a method takes and answers.
struct Describe<'a>(&'a mut SchemaGenerator);

impl RequestVisitor for Describe<'_> {
    type Output = Value;

    fn visit<R: XiRequest>(self) -> Value {
        json!({
            "params": self.0.subschema_for::<R>(),
            "result": self.0.subschema_for::<R::Answer>(),
        })
    }
}

/// JSON Schema (2020-12) of the lines that a client writes and of the events that it reads.
/// Below `methods`, each method has the schemas of its `params` and of its `result`.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut methods = Map::new();
    let mut lines = Vec::new();
    for method in METHODS {
        let Some(described) = visit(method, Describe(&mut generator)) else {
            continue;
        };
        methods.insert((*method).to_owned(), described);
        lines.push(request(method));
    }
    lines.push(json!({
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "method": {"const": EVENT_METHOD},
            "params": generator.subschema_for::<XiEvent>(),
        },
        "required": ["jsonrpc", "method", "params"],
    }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": PROTOCOL,
        "description": "A request, or an event. `methods` has the schemas of each method's `params` and `result`.",
        "anyOf": lines,
        "methods": methods,
        "$defs": generator.take_definitions(true),
    })
}

fn request(method: &str) -> Value {
    json!({
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": {"type": ["integer", "string"]},
            "method": {"const": method},
            "params": {"$ref": format!("#/methods/{method}/params")},
        },
        "required": ["jsonrpc", "id", "method", "params"],
    })
}
