//! Words of the prompt, and how well files and symbols fit them.

use super::Entry;
use std::collections::HashSet;

const STOP_WORDS: [&str; 60] = [
    "the", "a", "an", "and", "or", "of", "to", "in", "on", "for", "with", "is", "are", "be", "it",
    "that", "this", "as", "at", "by", "from", "into", "so", "we", "you", "i", "should", "must",
    "can", "when", "if", "then", "not", "do", "does", "all", "every", "each", "add", "make",
    "change", "use", "file", "files", "code", "please", "want", "need", "where", "which", "there",
    "have", "has", "also", "instead", "how", "what", "its", "our", "my",
];

/// A prompt as words.
pub(crate) struct Prompt {
    /// Stems of its words and of the parts of its identifiers.
    pub(crate) stems: Vec<String>,
    /// Words that look like identifiers or paths, as they are.
    exact: HashSet<String>,
}

impl Prompt {
    pub(crate) fn new(text: &str) -> Self {
        let mut stems = Vec::new();
        for word in identifiers(text).flat_map(parts) {
            let stem = stem(&word);
            if !STOP_WORDS.contains(&word.as_str()) && stem.len() > 1 && !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        let clean = |word: &str| {
            word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_')
                .to_owned()
        };
        let exact = text
            .split(|c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | ',' | '('))
            .map(clean)
            .chain(identifiers(text).map(str::to_owned))
            .filter(|word| word.len() > 2)
            .collect();
        Self { stems, exact }
    }

    /// How well a symbol's name and signature fit.
    pub(crate) fn fit(&self, name: &str, signature: &str) -> f64 {
        if self.exact.contains(name) && !STOP_WORDS.contains(&name) {
            return 5.0;
        }
        let of_name = self.count(name);
        let of_signature = self.count(signature);
        3.0 * of_name as f64 + of_signature.saturating_sub(of_name) as f64
    }

    fn count(&self, text: &str) -> usize {
        let found: HashSet<String> = identifiers(text)
            .flat_map(parts)
            .map(|part| stem(&part))
            .collect();
        self.stems
            .iter()
            .filter(|stem| found.contains(*stem))
            .count()
    }
}

/// Runs of letters, digits and underscores that start with no digit.
pub(crate) fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| word.len() > 1 && !word.starts_with(|c: char| c.is_ascii_digit()))
}

/// The words in an identifier: `parseHTTPHeader_v2` has `parse`, `http`, `header`, `v2`.
pub(crate) fn parts(identifier: &str) -> Vec<String> {
    let chars: Vec<char> = identifier.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (index, &c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| chars[index]);
        let next_lower = chars.get(index + 1).is_some_and(|c| c.is_lowercase());
        let starts =
            c.is_uppercase() && before.is_some_and(|before| !before.is_uppercase() || next_lower);
        if (c == '_' || starts) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c != '_' {
            word.extend(c.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// What the forms of an English word share, roughly.
pub(crate) fn stem(word: &str) -> String {
    for end in [
        "ations", "ation", "ings", "ing", "ies", "ers", "er", "ed", "es", "s", "y", "e",
    ] {
        if let Some(rest) = word.strip_suffix(end)
            && rest.chars().count() >= 3
        {
            return rest.to_owned();
        }
    }
    word.to_owned()
}

/// How well each file fits: BM25 over its words, with its path and its symbols counting more.
pub(crate) fn file_scores(prompt: &Prompt, entries: &[Entry]) -> Vec<f64> {
    const PATH: f64 = 12.0;
    const SYMBOL: f64 = 4.0;
    const K: f64 = 1.2;
    const B: f64 = 0.5;
    let average = entries.iter().map(|entry| entry.length).sum::<usize>() as f64
        / entries.len().max(1) as f64;
    let counts: Vec<Vec<f64>> = entries
        .iter()
        .map(|entry| {
            let mut counts = vec![0.0; prompt.stems.len()];
            let mut add = |identifier: &str, weight: f64| {
                for part in parts(identifier) {
                    let part = stem(&part);
                    if let Some(index) = prompt.stems.iter().position(|stem| *stem == part) {
                        counts[index] += weight;
                    }
                }
            };
            entry
                .words
                .iter()
                .for_each(|(word, count)| add(word, f64::from(*count)));
            entry
                .symbols
                .iter()
                .for_each(|symbol| add(&symbol.name, SYMBOL));
            identifiers(&entry.path).for_each(|word| add(word, PATH));
            counts
        })
        .collect();
    let total = entries.len() as f64;
    let rarity: Vec<f64> = (0..prompt.stems.len())
        .map(|term| {
            let with = counts.iter().filter(|counts| counts[term] > 0.0).count() as f64;
            ((total - with + 0.5) / (with + 0.5) + 1.0).ln()
        })
        .collect();
    let named = |entry: &Entry| {
        let name = entry.path.rsplit('/').next().unwrap_or_default();
        let symbols = entry
            .symbols
            .iter()
            .filter(|symbol| prompt.exact.contains(&symbol.name));
        let path = prompt.exact.contains(&entry.path) || prompt.exact.contains(name);
        f64::from(u8::from(path)) * 20.0 + symbols.count().min(3) as f64 * 4.0
    };
    entries
        .iter()
        .zip(&counts)
        .map(|(entry, counts)| {
            let long = K * (1.0 - B + B * entry.length as f64 / average.max(1.0));
            let words: f64 = counts
                .iter()
                .zip(&rarity)
                .map(|(count, rarity)| rarity * count * (K + 1.0) / (count + long))
                .sum();
            words + named(entry)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_fall_into_words() {
        assert_eq!(
            parts("parseHTTPHeader_v2"),
            ["parse", "http", "header", "v2"]
        );
        assert_eq!(parts("__init__"), ["init"]);
        assert_eq!(parts("SCREAMING_CASE"), ["screaming", "case"]);
    }

    #[test]
    fn forms_of_a_word_meet() {
        for (a, b) in [
            ("parsing", "parse"),
            ("parser", "parsed"),
            ("entries", "entry"),
            ("retries", "retry"),
        ] {
            assert_eq!(stem(a), stem(b));
        }
    }
}
