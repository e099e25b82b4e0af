//! References: `{find.items}`, alone or within a text.

use serde_json::Value;
use std::fmt;

/// A reference to a value: a source and the fields to follow.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// `inputs`, `item`, or a node's name.
    pub source: String,
    /// An input's or port's name, then fields; only `item` may have none.
    pub path: Vec<String>,
    /// At most so many characters of a text: `{item.code:300}`.
    pub cut: Option<usize>,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}", self.source)?;
        for field in &self.path {
            write!(f, ".{field}")?;
        }
        if let Some(cut) = self.cut {
            write!(f, ":{cut}")?;
        }
        f.write_str("}")
    }
}

/// A text, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// Nothing but a reference: the value itself, whatever its type.
    Value(Reference),
    /// A text with references in it.
    Text(Vec<Piece>),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Literal(String),
    /// Replaced by the value.
    Reference(Reference),
}

/// A text with braces that make no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` has {problem}: write references as {{node.port}}, braces as {{{{ and }}}}")]
pub struct InvalidTemplate {
    /// Around the place.
    pub text: String,
    /// What is wrong there.
    pub problem: &'static str,
}

impl Template {
    /// Takes a text apart.
    ///
    /// # Errors
    /// A brace that is neither doubled nor part of a reference.
    pub fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let tail = &rest[at..];
            if tail.starts_with("{{") || tail.starts_with("}}") {
                literal.push_str(&tail[..1]);
                rest = &tail[2..];
                continue;
            }
            if tail.starts_with('}') {
                return Err(invalid(tail, "a `}` without its `{`"));
            }
            let end = tail
                .find('}')
                .ok_or_else(|| invalid(tail, "a `{` without its `}`"))?;
            let reference = parse_reference(&tail[1..end])
                .ok_or_else(|| invalid(tail, "no reference in its braces"))?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Reference(reference));
            rest = &tail[end + 1..];
        }
        literal.push_str(rest);
        if pieces.len() == 1
            && literal.is_empty()
            && let Some(Piece::Reference(reference)) = pieces.first()
        {
            return Ok(Self::Value(reference.clone()));
        }
        if !literal.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self::Text(pieces))
    }

    /// The references in it.
    pub fn references(&self) -> Vec<&Reference> {
        match self {
            Self::Value(reference) => vec![reference],
            Self::Text(pieces) => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Reference(reference) => Some(reference),
                    Piece::Literal(_) => None,
                })
                .collect(),
        }
    }

    /// Puts values in the place of references.
    pub fn render(&self, look_up: &dyn Fn(&Reference) -> Value) -> Value {
        match self {
            Self::Value(reference) => look_up(reference),
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Literal(literal) => text.push_str(literal),
                        Piece::Reference(reference) => text.push_str(&as_text(&look_up(reference))),
                    }
                }
                Value::String(text)
            }
        }
    }
}

fn invalid(tail: &str, problem: &'static str) -> InvalidTemplate {
    InvalidTemplate {
        text: tail.chars().take(24).collect(),
        problem,
    }
}

fn parse_reference(text: &str) -> Option<Reference> {
    let (text, cut) = match text.split_once(':') {
        Some((text, cut)) => (text, Some(cut.parse().ok()?)),
        None => (text, None),
    };
    let mut parts = text.split('.').map(str::to_owned);
    let source = parts.next()?;
    let path: Vec<String> = parts.collect();
    let is_name = |s: &String| {
        !s.is_empty()
            && s.chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let complete = source == "item" || !path.is_empty();
    (is_name(&source) && path.iter().all(is_name) && complete).then_some(Reference {
        source,
        path,
        cut,
    })
}

/// How a value looks within a text: texts as they are, nothing for null, JSON for the rest.
fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Cuts a text to what a reference asks for.
pub fn cut(value: Value, reference: &Reference) -> Value {
    match (value, reference.cut) {
        (Value::String(text), Some(length)) if text.chars().nth(length).is_some() => {
            Value::String(text.chars().take(length).collect())
        }
        (value, _) => value,
    }
}

/// Follows fields into a value; what is not there is null.
pub fn follow(value: &Value, path: &[String]) -> Value {
    let mut at = value;
    for field in path {
        at = match at {
            Value::Object(object) => object.get(field).unwrap_or(&Value::Null),
            Value::Array(list) => field
                .parse::<usize>()
                .ok()
                .and_then(|i| list.get(i))
                .unwrap_or(&Value::Null),
            _ => &Value::Null,
        };
    }
    at.clone()
}

/// Whether a condition's value holds.
pub fn holds(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn reference(text: &str) -> Reference {
        parse_reference(text).unwrap()
    }

    #[test]
    fn a_lone_reference_keeps_the_type_of_its_value() {
        let template = Template::parse("{find.items}").unwrap();
        assert_eq!(template, Template::Value(reference("find.items")));
        assert_eq!(template.render(&|_| json!([1])), json!([1]));
    }

    #[test]
    fn references_within_a_text_become_text() {
        let template = Template::parse("a {item} b {{x}} {n.p}").unwrap();
        let value = template.render(&|r| {
            if r.source == "item" {
                json!("I")
            } else {
                json!(3)
            }
        });
        assert_eq!(value, json!("a I b {x} 3"));
    }

    #[test]
    fn a_reference_may_be_cut() {
        let reference = reference("item.code:3");
        assert_eq!(reference.to_string(), "{item.code:3}");
        assert_eq!(cut(json!("äöüß"), &reference), json!("äöü"));
        assert_eq!(cut(json!([1, 2, 3, 4]), &reference), json!([1, 2, 3, 4]));
    }

    #[test]
    fn stray_braces_are_refused_with_their_place() {
        for (text, problem) in [
            ("a } b", "without its `{`"),
            ("a { b", "without its `}`"),
            ("{ a }", "no reference"),
            ("{find}", "no reference"),
        ] {
            let error = Template::parse(text).unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
    }

    #[test]
    fn conditions() {
        for value in [
            json!(null),
            json!(false),
            json!(0),
            json!(""),
            json!([]),
            json!({}),
        ] {
            assert!(!holds(&value), "{value}");
        }
        for value in [
            json!(true),
            json!(2),
            json!("x"),
            json!([0]),
            json!({"a": null}),
        ] {
            assert!(holds(&value), "{value}");
        }
    }

    proptest! {
        #[test]
        fn doubled_braces_give_any_text_back(text in any::<String>()) {
            let escaped = text.replace('{', "{{").replace('}', "}}");
            let rendered = Template::parse(&escaped).unwrap().render(&|_| Value::Null);
            prop_assert_eq!(rendered, Value::String(text));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Template::parse(&text);
        }
    }
}
