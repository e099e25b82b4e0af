//! One sentence as a doc comment of a language.

use crate::languages::Language;

const COLUMNS: usize = 100;
const TAB_COLUMNS: usize = 4;

/// The lines of a doc comment for `sentence`, each with `indent` in front and `ending` behind.
///
/// `sentence` is one line of plain text, as [`crate::sentence::clean`] leaves it.
#[must_use]
pub fn doc_comment(language: Language, indent: &str, sentence: &str, ending: &str) -> String {
    let columns: usize = indent
        .chars()
        .map(|space| if space == '\t' { TAB_COLUMNS } else { 1 })
        .sum();
    let lines = match language {
        Language::Rust => each_line(sentence, columns, "/// "),
        Language::Go => each_line(sentence, columns, "// "),
        Language::Python => docstring(sentence, columns),
        Language::JavaScript | Language::TypeScript | Language::Tsx => js_doc(sentence, columns),
    };
    lines
        .iter()
        .flat_map(|line| [indent, line.as_str(), ending])
        .collect()
}

fn each_line(sentence: &str, columns: usize, mark: &str) -> Vec<String> {
    wrap(sentence, COLUMNS.saturating_sub(columns + mark.len()))
        .into_iter()
        .map(|line| format!("{mark}{line}"))
        .collect()
}

fn docstring(sentence: &str, columns: usize) -> Vec<String> {
    let mut safe = sentence
        .replace('\\', r"\\")
        .replace("\"\"\"", "\\\"\\\"\\\"");
    if safe.ends_with('"') {
        safe.insert(safe.len() - 1, '\\');
    }
    let quotes = "\"\"\"";
    if safe.chars().count() + columns + 2 * quotes.len() <= COLUMNS {
        return vec![format!("{quotes}{safe}{quotes}")];
    }
    let mut lines = wrap(&safe, COLUMNS.saturating_sub(columns + quotes.len()));
    if let Some(first) = lines.first_mut() {
        first.insert_str(0, quotes);
    }
    lines.push(quotes.to_owned());
    lines
}

fn js_doc(sentence: &str, columns: usize) -> Vec<String> {
    let safe = sentence.replace("*/", "* /");
    if safe.chars().count() + columns + "/**  */".len() <= COLUMNS {
        return vec![format!("/** {safe} */")];
    }
    let mut lines = vec!["/**".to_owned()];
    lines.extend(
        wrap(&safe, COLUMNS.saturating_sub(columns + " * ".len()))
            .into_iter()
            .map(|line| format!(" * {line}")),
    );
    lines.push(" */".to_owned());
    lines
}

/// Breaks a sentence at spaces into lines of at most `width` characters where its words allow.
fn wrap(sentence: &str, width: usize) -> Vec<String> {
    let width = width.max(20);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in sentence.split(' ').filter(|word| !word.is_empty()) {
        let chars = word.chars().count();
        if length > 0 && length + 1 + chars > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += chars;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_sentences_stand_on_one_line() {
        let make = |language| doc_comment(language, "    ", "Adds one.", "\n");
        assert_eq!(make(Language::Rust), "    /// Adds one.\n");
        assert_eq!(make(Language::Python), "    \"\"\"Adds one.\"\"\"\n");
        assert_eq!(make(Language::Tsx), "    /** Adds one. */\n");
        assert_eq!(make(Language::Go), "    // Adds one.\n");
    }

    #[test]
    fn what_would_end_the_comment_is_made_safe() {
        let make = |language, sentence| doc_comment(language, "", sentence, "\r\n");
        assert_eq!(
            make(Language::JavaScript, "Ends */ early."),
            "/** Ends * / early. */\r\n"
        );
        assert_eq!(
            make(Language::Python, r#"A \d and """."#),
            "\"\"\"A \\\\d and \\\"\\\"\\\".\"\"\"\r\n"
        );
        assert_eq!(
            make(Language::Python, r#"Says "hi"."#),
            "\"\"\"Says \"hi\".\"\"\"\r\n"
        );
        assert_eq!(
            make(Language::Python, r#"Says "hi""#),
            "\"\"\"Says \"hi\\\"\"\"\"\r\n"
        );
    }

    #[test]
    fn long_sentences_are_wrapped() {
        let sentence = "word ".repeat(40) + "end.";
        for language in Language::ALL {
            let comment = doc_comment(language, "\t\t", &sentence, "\n");
            assert!(comment.lines().count() > 2, "{comment}");
            for line in comment.lines() {
                assert!(line.starts_with("\t\t"));
                assert!(line.chars().count() + 6 <= 100, "{line}");
            }
        }
    }

    proptest! {
        // Whatever the sentence, the whole of it is one comment and nothing else.
        #[test]
        fn any_sentence_stays_inside_its_comment(
            sentence in r#"[A-Za-z]{1,9}([ "'\\*/`#a-zé]{0,130})[a-z"\\*/]\."#,
        ) {
            for (language, head, tail) in [
                (Language::Rust, "", "pub fn a() {}\n"),
                (Language::Go, "package p\n\n", "func A() {}\n"),
                (Language::TypeScript, "", "export function a() {}\n"),
                (Language::Python, "def a():\n", "    return 1\n"),
            ] {
                let indent = if language == Language::Python { "    " } else { "" };
                let comment = doc_comment(language, indent, &sentence, "\n");
                let before = format!("{head}{tail}");
                let after = format!("{head}{comment}{tail}");
                let before_tree = language.parse(&before).unwrap();
                let after_tree = language.parse(&after).unwrap();
                prop_assert!(!after_tree.root_node().has_error(), "{}", after);
                prop_assert!(
                    crate::compare::same_code(language, (&before, &before_tree), (&after, &after_tree)),
                    "{}", after
                );
            }
        }
    }
}
