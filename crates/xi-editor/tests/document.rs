//! The written protocol names every method, and its examples are valid.
#![allow(clippy::unwrap_used, reason = "a test may")]

use serde_json::Value;
use symphony_ipc_protocol::jsonrpc::Message;
use symphony_ipc_protocol::xi::{self, RequestVisitor, XiEvent, XiRequest};

const DOCUMENT: &str = include_str!("../../../docs/protocols/xi-editor.md");

/// The lines of the JSON examples.
fn examples() -> Vec<&'static str> {
    DOCUMENT
        .split("```json\n")
        .skip(1)
        .flat_map(|part| part.split("```").next().unwrap().lines())
        .collect()
}

/// An example request with its result.
struct Example<'a> {
    params: &'a Value,
    result: &'a Value,
}

impl RequestVisitor for Example<'_> {
    type Output = ();

    fn visit<R: XiRequest>(self) {
        let request: R = serde_json::from_value(self.params.clone()).unwrap();
        let again = serde_json::to_value(&request).unwrap();
        for (key, value) in self.params.as_object().unwrap() {
            assert_eq!(&again[key], value, "{}: `{key}` is no parameter", R::METHOD);
        }
        let answer: R::Answer = serde_json::from_value(self.result.clone()).unwrap();
        let again = serde_json::to_value(&answer).unwrap();
        assert_eq!(&again, self.result, "{}", R::METHOD);
    }
}

#[test]
fn every_method_has_its_section_with_an_example() {
    for method in xi::METHODS {
        assert!(DOCUMENT.contains(&format!("### `{method}`\n")), "{method}");
        let example = format!("\"method\":\"{method}\"");
        assert!(examples().iter().any(|l| l.contains(&example)), "{method}");
    }
    let sections = DOCUMENT.matches("\n### `").count();
    assert_eq!(sections, xi::METHODS.len(), "no section without a method");
}

#[test]
fn the_examples_are_what_the_types_say() {
    let messages: Vec<Message> = examples()
        .into_iter()
        .map(|line| Message::parse(line.as_bytes()).unwrap_or_else(|e| panic!("{line}: {e}")))
        .collect();
    let mut checked = 0;
    for (i, message) in messages.iter().enumerate() {
        match message {
            Message::Request { id, method, params } => {
                let result = messages[i..].iter().find_map(|m| match m {
                    Message::Response {
                        id: Some(of),
                        outcome: Ok(result),
                    } if of == id => Some(result),
                    _ => None,
                });
                let result = result.unwrap_or_else(|| panic!("{method} has no answer"));
                xi::visit(method, Example { params, result })
                    .unwrap_or_else(|| panic!("an example of the unknown method {method}"));
                checked += 1;
            }
            Message::Notification { method, params } => {
                assert_eq!(method, xi::EVENT_METHOD);
                let event: XiEvent = serde_json::from_value(params.clone()).unwrap();
                assert_eq!(&serde_json::to_value(&event).unwrap(), params);
            }
            Message::Response { .. } => {}
        }
    }
    assert!(checked >= xi::METHODS.len());
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/protocols/xi-editor.schema.json"
    );
    let schema = serde_json::to_string_pretty(&xi::schema()).unwrap();
    let written = format!("{schema}\n");
    if std::env::var_os("SYMPHONY_BLESS").is_some() {
        std::fs::write(path, &written).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        published, written,
        "run the test with SYMPHONY_BLESS=1 to publish the schema anew"
    );
}

/// Each `$ref` of the schema, for instance `#/$defs/Span`.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn the_schema_is_whole() {
    let schema = xi::schema();
    let mut found = Vec::new();
    references(&schema, &mut found);
    assert!(found.len() > xi::METHODS.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(
            schema.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
    for method in xi::METHODS {
        let described = &schema["methods"][method];
        assert!(described["params"].is_object(), "{method}");
        assert!(described["result"].is_object(), "{method}");
    }
}
