//! Making one usable sentence of what a model wrote, or refusing it.

use crate::languages::Language;
use std::collections::HashSet;
use symphony_extension_sdk::types::Item;

const MAX_CHARS: usize = 400;

/// How models start when they talk about themselves or the task.
const CHATTER: [&str; 14] = [
    "as an ai",
    "i'm sorry",
    "i am sorry",
    "sorry,",
    "i cannot",
    "i can't",
    "i will",
    "i'll ",
    "here is",
    "here's",
    "sure,",
    "certainly",
    "summary:",
    "ignore all",
];

/// Why a sentence is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// Nothing is left of it.
    #[error("the sentence is empty")]
    Empty,
    /// Too long for one sentence.
    #[error("the sentence is longer than {MAX_CHARS} characters")]
    TooLong,
    /// It says no more than the declaration.
    #[error("the sentence only repeats the declaration")]
    Echo,
    /// It holds code instead of words.
    #[error("the sentence holds code")]
    Code,
    /// It holds an address.
    #[error("the sentence holds an address")]
    Address,
    /// It holds invisible or direction-changing characters.
    #[error("the sentence holds invisible characters")]
    Invisible,
    /// It holds markup or tags that tools act on.
    #[error("the sentence holds markup or a tool's directive")]
    Markup,
    /// It says the same words again and again, as small models do.
    #[error("the sentence repeats itself")]
    Repetition,
    /// It stops in the middle.
    #[error("the sentence is cut off")]
    CutOff,
    /// It speaks of the model or the task.
    #[error("the sentence is about the task, not about the code")]
    Chatter,
}

/// One sentence in plain text for an item's comment: one line, ending in a full stop.
///
/// # Errors
/// [`Unusable`], when it should not become a comment.
pub fn clean(raw: &str, item: &Item, language: Language) -> Result<String, Unusable> {
    if raw.contains("```") || raw.contains("~~~") {
        return Err(Unusable::Code);
    }
    if raw.chars().any(is_invisible) {
        return Err(Unusable::Invisible);
    }
    // Emphasis of Markdown is the only markup that models add for no reason.
    let plain = raw.replace("**", "");
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_matches(|c: char| matches!(c, '"' | '*' | '#' | ' ' | '-' | '>' | '/'));
    let sentence = first_sentence(line).trim_end_matches([' ', ',', ';', ':', '.', '…']);
    let words = words_of(sentence);
    if words.is_empty() {
        return Err(Unusable::Empty);
    }
    if sentence.chars().count() > MAX_CHARS {
        return Err(Unusable::TooLong);
    }
    refuse_suspicious(sentence, language)?;
    if repeats_itself(&words) {
        return Err(Unusable::Repetition);
    }
    if words
        .last()
        .is_some_and(|word| DANGLING.contains(&word.as_str()))
    {
        return Err(Unusable::CutOff);
    }
    if is_echo(sentence, &words, item) {
        return Err(Unusable::Echo);
    }
    let mut sentence = match language {
        Language::Go => in_go(sentence, item),
        Language::Rust => code_marked(&capitalised(sentence)),
        _ => capitalised(sentence),
    };
    if !sentence.ends_with(['!', '?']) {
        sentence.push('.');
    }
    Ok(sentence)
}

/// Words that no sentence ends with.
const DANGLING: [&str; 10] = [
    "a", "an", "and", "of", "or", "the", "to", "with", "if", "is",
];

/// Whether three words in a row occur three times.
fn repeats_itself(words: &[String]) -> bool {
    let windows = || words.windows(3);
    windows().any(|window| windows().filter(|other| *other == window).count() >= 3)
}

fn is_invisible(c: char) -> bool {
    let space = matches!(c, ' ' | '\n' | '\r' | '\t');
    (c.is_control() && !space)
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Up to the first full stop that ends a sentence.
fn first_sentence(line: &str) -> &str {
    for (at, _) in line.match_indices(['.', '!', '?']) {
        let (head, rest) = (&line[..at], &line[at + 1..]);
        let next = rest.trim_start();
        let ends = rest.is_empty()
            || (rest.starts_with(' ') && next.starts_with(|c: char| c.is_uppercase() || c == '`'));
        let short = ["e.g", "i.e", "etc", "vs", "cf", "approx", "Dr", "Mr"];
        if ends && !short.iter().any(|word| head.ends_with(word)) {
            let kept = if line[at..].starts_with('.') {
                at
            } else {
                at + 1
            };
            return &line[..kept];
        }
    }
    line
}

fn refuse_suspicious(sentence: &str, language: Language) -> Result<(), Unusable> {
    let lower = sentence.to_lowercase();
    let has = |marks: &[&str]| marks.iter().any(|mark| lower.contains(mark));
    if has(&["://", "www.", "mailto:", "javascript:"]) {
        return Err(Unusable::Address);
    }
    if has(&[
        "=>", "->", "();", "return ", "{", "}", ";", "==", "&&", "||", "def ", "fn ", "func ",
        "const ", "import ",
    ]) && looks_like_code(sentence)
    {
        return Err(Unusable::Code);
    }
    let markup = has(&[
        "<script", "<!--", "-->", "</", "/>", ">>>", "{@", "<img", "<a ",
    ]) || language.is_directive(sentence)
        || language.is_directive(&format!("// {sentence}"))
        || language.is_directive(&format!("# {sentence}"))
        || has_tag(sentence);
    if markup {
        return Err(Unusable::Markup);
    }
    if CHATTER.iter().any(|start| lower.starts_with(start))
        || has(&["ignore previous", "system prompt", "as an ai "])
    {
        return Err(Unusable::Chatter);
    }
    Ok(())
}

/// Words with code's punctuation among them, and few enough words around it.
fn looks_like_code(sentence: &str) -> bool {
    let outside: String = sentence.split('`').step_by(2).collect();
    let marks = outside
        .chars()
        .filter(|c| matches!(c, '{' | '}' | ';' | '=' | '<' | '>' | '&' | '|' | '('))
        .count();
    let starts = [
        "def ",
        "fn ",
        "func ",
        "function(",
        "const ",
        "import ",
        "class ",
        "pub ",
        "return ",
    ];
    let lower = outside.trim_start().to_lowercase();
    outside.contains(['{', '}', ';']) && marks >= 2
        || outside.contains("=>")
        || (starts.iter().any(|start| lower.starts_with(start)) && marks >= 1)
}

/// A word like `@param`, which documentation tools act on.
fn has_tag(sentence: &str) -> bool {
    sentence.split([' ', '(']).any(|word| {
        word.strip_prefix('@')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    })
}

fn words_of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    for c in text.chars() {
        let breaks = !c.is_alphanumeric() || (c.is_uppercase() && lower_before);
        if breaks && !word.is_empty() {
            words.push(std::mem::take(&mut word).to_lowercase());
        }
        if c.is_alphanumeric() {
            word.push(c);
        }
        lower_before = c.is_lowercase() || c.is_numeric();
    }
    if !word.is_empty() {
        words.push(word.to_lowercase());
    }
    words
}

/// A word's beginning that its forms share.
fn stem(word: &str) -> &str {
    for end in ["ing", "ed", "es", "s"] {
        if let Some(rest) = word.strip_suffix(end)
            && rest.len() >= 3
        {
            return rest.trim_end_matches('e');
        }
    }
    if word.len() > 3 {
        word.trim_end_matches('e')
    } else {
        word
    }
}

const EMPTY_WORDS: [&str; 26] = [
    "a",
    "an",
    "the",
    "this",
    "that",
    "of",
    "to",
    "is",
    "it",
    "for",
    "and",
    "function",
    "method",
    "class",
    "struct",
    "type",
    "interface",
    "enum",
    "trait",
    "which",
    "represents",
    "called",
    "named",
    "does",
    "public",
    "module",
];

fn is_echo(sentence: &str, words: &[String], item: &Item) -> bool {
    let squeeze = |text: &str| {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .collect::<String>()
            .to_lowercase()
    };
    let squeezed = squeeze(sentence);
    if squeezed == squeeze(&item.signature) || squeezed == squeeze(&item.name) {
        return true;
    }
    let declared = words_of(&format!("{} {}", item.name, item.signature));
    let known: HashSet<&str> = declared.iter().map(|word| stem(word)).collect();
    let new = words
        .iter()
        .filter(|word| !EMPTY_WORDS.contains(&word.as_str()))
        .any(|word| !known.contains(stem(word)));
    !new
}

fn capitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    match chars.next() {
        // A name in code keeps its case: `fooBar`, `snake_case`.
        Some(first) if !first_word_is_code(sentence) => first.to_uppercase().chain(chars).collect(),
        _ => sentence.to_owned(),
    }
}

fn first_word_is_code(sentence: &str) -> bool {
    let word = sentence.split(' ').next().unwrap_or_default();
    word.contains(['_', '.', '(', ':', '`']) || word.chars().skip(1).any(char::is_uppercase)
}

/// Go's comments start with the item's name.
fn in_go(sentence: &str, item: &Item) -> String {
    let name = item.name.rsplit('.').next().unwrap_or_default();
    let (first, rest) = sentence.split_once(' ').unwrap_or((sentence, ""));
    if first.trim_matches('`') == name {
        return format!("{name} {rest}");
    }
    let lowered = if first_word_is_code(sentence)
        || first.chars().all(char::is_uppercase) && first.len() > 1
    {
        sentence.to_owned()
    } else {
        let mut chars = sentence.chars();
        chars
            .next()
            .map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
    };
    let article = ["a ", "an ", "the "]
        .iter()
        .any(|start| lowered.starts_with(start));
    if article {
        format!("{name} is {lowered}")
    } else {
        format!("{name} {lowered}")
    }
}

/// Rustdoc reads `Vec<T>` as markup and `[x]` as a link unless marked as code.
fn code_marked(sentence: &str) -> String {
    if sentence.contains('`') {
        return sentence.to_owned();
    }
    let mark = |word: &str| {
        if !word.contains(['<', '[']) {
            return word.to_owned();
        }
        let body = word.trim_end_matches([',', '.', ';', ':']);
        format!("`{body}`{}", &word[body.len()..])
    };
    sentence.split(' ').map(mark).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(sentence: &str) -> Result<String, Unusable> {
        let item = Item {
            path: "a.py".into(),
            base: String::new(),
            language: "python".into(),
            kind: "function".into(),
            name: "load_key".into(),
            signature: "def load_key(name)".into(),
            code: String::new(),
            line: 1,
            insert_at: 0,
            indent: String::new(),
        };
        clean(sentence, &item, Language::Python)
    }

    #[test]
    fn loops_and_cut_off_sentences_are_refused() {
        let looping = "A value that is a URL that is a URL that is a URL that is one";
        assert_eq!(judged(looping), Err(Unusable::Repetition));
        assert_eq!(
            judged("Answers with a status code of"),
            Err(Unusable::CutOff)
        );
        let fine = "Reads the key of that name from the store";
        assert_eq!(judged(fine), Ok(format!("{fine}.")));
    }
}
