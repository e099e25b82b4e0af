//! JSON out of what a model wrote.

use serde_json::Value;

/// Starts that are tried; prose full of braces must not cost quadratic time.
const MAX_STARTS: usize = 32;

/// The JSON value in `text` that `fits`, else the first one: the text itself,
/// the inside of a fence, or an object or list with prose around it.
pub fn find(text: &str, fits: impl Fn(&Value) -> bool) -> Option<Value> {
    let text = text.trim();
    let mut first = None;
    let whole = serde_json::from_str(text).ok();
    for value in whole.into_iter().chain(fenced(text)).chain(embedded(text)) {
        if fits(&value) {
            return Some(value);
        }
        first.get_or_insert(value);
    }
    first
}

fn fenced(text: &str) -> Option<Value> {
    let (_, rest) = text.split_once("```")?;
    let (_, body) = rest.split_once('\n')?;
    // A fence inside of a string does not end the block: the last one does.
    let (body, _) = body.rsplit_once("```")?;
    serde_json::from_str(body.trim()).ok()
}

fn embedded(text: &str) -> impl Iterator<Item = Value> {
    text.match_indices(['{', '['])
        .take(MAX_STARTS)
        .filter_map(|(start, _)| {
            serde_json::Deserializer::from_str(&text[start..])
                .into_iter::<Value>()
                .next()?
                .ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn finds_json_in_what_models_write() {
        let wanted = Some(json!({ "a": "```x```" }));
        for text in [
            r#" {"a":"```x```"} "#,
            "```json\n{\"a\":\"```x```\"}\n```",
            "Here it is:\n```\n{\"a\":\"```x```\"}\n```\nHope it helps.",
            "Sure! {\"a\":\"```x```\"} Anything else?",
            "As said in [1]: {\"a\":\"```x```\"}",
            "{not json} then {\"a\":\"```x```\"}",
        ] {
            assert_eq!(find(text, Value::is_object), wanted, "{text}");
        }
        for text in ["", "no", "{\"a\": ", "```json\n{\"a\": \n```"] {
            assert_eq!(find(text, Value::is_object), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = find(&text, Value::is_object);
        }

        #[test]
        fn an_object_survives_a_fence(key in "[a-z]{1,8}", value in any::<String>()) {
            let object = json!({ key: value });
            prop_assert_eq!(find(&format!("```json\n{object:#}\n```"), Value::is_object), Some(object));
        }
    }
}
