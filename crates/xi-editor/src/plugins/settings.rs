//! The settings of a buffer that plugins are told.
//!
//! Upstream's library ends the plugin when one is missing or has another type,
//! so all of upstream's are always there and changes are checked.

use serde_json::{Map, Value, json};
use symphony_ipc_protocol::xi::LineEnding;

/// The language of a buffer that no plugin knows.
pub(super) const PLAIN_TEXT: &str = "Plain Text";

/// A buffer may have so many settings beyond upstream's.
const MAX_SETTINGS: usize = 200;

/// Upstream's settings with its values; only indenting is left to the editor's
/// own commands, for a plugin's comes late and races with typing.
pub(super) fn defaults(line_ending: LineEnding) -> Map<String, Value> {
    let line_ending = match line_ending {
        LineEnding::Crlf => "\r\n",
        LineEnding::Lf | LineEnding::Mixed => "\n",
    };
    let all = json!({
        "line_ending": line_ending,
        "tab_size": 4,
        "translate_tabs_to_spaces": true,
        "use_tab_stops": true,
        "font_face": "monospace",
        "font_size": 14.0,
        "auto_indent": false,
        "scroll_past_end": false,
        "wrap_width": 0,
        "word_wrap": false,
        "autodetect_whitespace": true,
        "surrounding_pairs": [["\"", "\""], ["'", "'"], ["{", "}"], ["[", "]"]],
        "save_with_newline": true,
    });
    match all {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

/// Checks that upstream's settings keep their types.
///
/// # Errors
/// What is wrong, for people.
pub(super) fn check(changes: &Map<String, Value>) -> Result<(), String> {
    if changes.len() > MAX_SETTINGS {
        return Err(format!("more than {MAX_SETTINGS} settings"));
    }
    for (name, value) in changes {
        let (fits, wanted) = match name.as_str() {
            "line_ending" | "font_face" => (value.is_string(), "text"),
            "tab_size" => (
                value.as_u64().is_some_and(|n| (1..=64).contains(&n)),
                "a whole number from 1 to 64",
            ),
            "wrap_width" => (
                value.as_u64().is_some_and(|n| n <= 1_000_000),
                "a whole number from 0 to 1,000,000",
            ),
            "font_size" => (value.is_number(), "a number"),
            "translate_tabs_to_spaces"
            | "use_tab_stops"
            | "auto_indent"
            | "scroll_past_end"
            | "word_wrap"
            | "autodetect_whitespace"
            | "save_with_newline" => (value.is_boolean(), "true or false"),
            "surrounding_pairs" => (are_pairs(value), "a list of pairs of texts"),
            _ => continue,
        };
        if !fits {
            return Err(format!("{name} must be {wanted}, not {value}"));
        }
    }
    Ok(())
}

fn are_pairs(value: &Value) -> bool {
    let is_pair = |pair: &Value| {
        pair.as_array()
            .is_some_and(|both| both.len() == 2 && both.iter().all(Value::is_string))
    };
    value.as_array().is_some_and(|all| all.iter().all(is_pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_pass_their_own_check_and_wrong_types_do_not() {
        assert_eq!(check(&defaults(LineEnding::Mixed)), Ok(()));
        for (name, value) in defaults(LineEnding::Lf) {
            let wrong = if value.is_boolean() {
                json!(1)
            } else {
                json!(true)
            };
            let changes = Map::from_iter([(name.clone(), wrong)]);
            assert!(check(&changes).unwrap_err().starts_with(&name));
        }
        for tab_size in [json!(0), json!(65), json!(-1), json!(1.5)] {
            assert!(check(&Map::from_iter([("tab_size".to_owned(), tab_size)])).is_err());
        }
        let own = Map::from_iter([("my_plugin".to_owned(), json!({"deep": [1]}))]);
        assert_eq!(check(&own), Ok(()));
    }
}
