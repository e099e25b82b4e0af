//! A light check of a reply against the JSON Schema it was asked under.
//!
//! It knows the keywords that melodies use: `type`, `enum`, `const`,
//! `properties`, `required`, `additionalProperties: false`, `items`. Others are
//! left to whoever uses the reply.

use serde_json::Value;

/// Says where `value` does not fit `schema`.
///
/// # Errors
/// The place and what was expected there, for the model and for people.
pub fn check(value: &Value, schema: &Value) -> Result<(), String> {
    at("reply", value, schema)
}

fn at(place: &str, value: &Value, schema: &Value) -> Result<(), String> {
    if let Some(kinds) = schema.get("type") {
        let fits = match kinds {
            Value::String(kind) => is(value, kind),
            Value::Array(kinds) => kinds
                .iter()
                .filter_map(Value::as_str)
                .any(|kind| is(value, kind)),
            _ => true,
        };
        if !fits {
            return Err(format!("`{place}` must be of type {kinds}"));
        }
    }
    if let Some(Value::Array(choices)) = schema.get("enum")
        && !choices.contains(value)
    {
        return Err(format!(
            "`{place}` must be one of {}",
            Value::from(choices.clone())
        ));
    }
    if let Some(constant) = schema.get("const")
        && constant != value
    {
        return Err(format!("`{place}` must be {constant}"));
    }
    match value {
        Value::Object(_) => object(place, value, schema),
        Value::Array(items) => match schema.get("items") {
            Some(of) => items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| at(&format!("{place}[{index}]"), item, of)),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

fn object(place: &str, value: &Value, schema: &Value) -> Result<(), String> {
    let Some(object) = value.as_object() else {
        return Ok(());
    };
    let required = schema.get("required").and_then(Value::as_array);
    for key in required.into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(key) {
            return Err(format!("`{place}.{key}` is missing"));
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (key, item) in object {
        match properties.and_then(|all| all.get(key)) {
            Some(of) => at(&format!("{place}.{key}"), item, of)?,
            None if closed => return Err(format!("`{place}.{key}` is not allowed")),
            None => {}
        }
    }
    Ok(())
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64()
                || value.is_u64()
                || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => true,
    }
}

/// Whether the schema has the closed form that OpenAI's strict mode demands:
/// every object forbids other keys and requires all of its own.
pub fn is_strict(schema: &Value) -> bool {
    let Some(object) = schema.as_object() else {
        return false;
    };
    if let Some(items) = object.get("items")
        && !is_strict(items)
    {
        return false;
    }
    let Some(properties) = object.get("properties").and_then(Value::as_object) else {
        return object.get("type") != Some(&Value::from("object"));
    };
    let required = object.get("required").and_then(Value::as_array);
    object.get("additionalProperties") == Some(&Value::Bool(false))
        && properties.iter().all(|(key, of)| {
            required.is_some_and(|keys| keys.iter().any(|k| k == key.as_str())) && is_strict(of)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn edits() -> Value {
        json!({
            "type": "object", "required": ["edits"], "additionalProperties": false,
            "properties": { "edits": { "type": "array", "items": {
                "type": "object", "required": ["path"], "additionalProperties": false,
                "properties": { "path": { "type": "string" } }
            } } }
        })
    }

    #[test]
    fn names_the_place() {
        assert_eq!(
            check(&json!({ "edits": [{ "path": "a" }] }), &edits()),
            Ok(())
        );
        for (value, part) in [
            (json!([]), "`reply` must be of type"),
            (json!({}), "`reply.edits` is missing"),
            (
                json!({ "edits": [{ "path": 1 }] }),
                "`reply.edits[0].path` must be",
            ),
            (
                json!({ "edits": [], "more": 1 }),
                "`reply.more` is not allowed",
            ),
        ] {
            let error = check(&value, &edits()).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn choices_and_numbers() {
        let schema = json!({ "type": ["integer", "null"], "enum": [1, null] });
        assert!(check(&json!(1), &schema).is_ok());
        assert!(check(&json!(2), &schema).is_err());
        assert!(check(&json!(1.5), &json!({ "type": "integer" })).is_err());
        assert!(check(&json!("a"), &json!({ "const": "b" })).is_err());
    }

    #[test]
    fn strict_schemas_are_told_from_open_ones() {
        assert!(is_strict(&edits()));
        assert!(!is_strict(
            &json!({ "type": "object", "properties": { "a": {} } })
        ));
        assert!(!is_strict(&json!({ "type": "object" })));
    }
}
