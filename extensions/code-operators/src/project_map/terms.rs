//! Words of the prompt, and how well files and symbols fit them.

use super::Entry;
use std::collections::{HashMap, HashSet};

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

    /// What a file gets for being meant by its name, or by the name of what it declares.
    fn named(&self, entry: &Entry) -> f64 {
        const PATH: f64 = 20.0;
        const SYMBOL: f64 = 4.0;
        let name = entry.path.rsplit('/').next().unwrap_or_default();
        let path = self.exact.contains(&entry.path) || self.exact.contains(name);
        let told = |name: &str| name.chars().skip(1).any(|c| c.is_uppercase() || c == '_');
        let symbols = entry
            .symbols
            .iter()
            .filter(|symbol| told(&symbol.name) && self.exact.contains(&symbol.name))
            .count();
        f64::from(u8::from(path)) * PATH + symbols.min(3) as f64 * SYMBOL
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

/// What counts of a file for one word of the prompt.
#[derive(Clone, Copy, Default)]
struct Hits {
    words: f64,
    symbols: f64,
    path: f64,
}

/// How well each file fits: BM25 over its words, and the same again where a word of the
/// prompt is in its path or in the name of something it declares.
pub(crate) fn file_scores(prompt: &Prompt, entries: &[Entry]) -> Vec<f64> {
    const K: f64 = 1.2;
    const B: f64 = 0.75;
    const SYMBOL: f64 = 1.0;
    const PATH: f64 = 1.5;
    let mut matcher = Matcher::new(prompt);
    let hits: Vec<Vec<Hits>> = entries.iter().map(|entry| matcher.hits(entry)).collect();
    let total = entries.len() as f64;
    let rarity: Vec<f64> = (0..prompt.stems.len())
        .map(|term| {
            let with = hits.iter().filter(|hits| hits[term].words > 0.0).count() as f64;
            ((total - with + 0.5) / (with + 0.5) + 1.0).ln()
        })
        .collect();
    let average = entries.iter().map(|entry| entry.length).sum::<usize>() as f64 / total.max(1.0);
    let score = |entry: &Entry, hits: &[Hits]| {
        let long = K * (1.0 - B + B * entry.length as f64 / average.max(1.0));
        let of_term = |(hits, rarity): (&Hits, &f64)| {
            let words = hits.words * (K + 1.0) / (hits.words + long);
            let symbols = SYMBOL * hits.symbols * 2.0 / (hits.symbols + 1.0);
            rarity * (words + symbols + PATH * hits.path)
        };
        hits.iter().zip(&rarity).map(of_term).sum::<f64>() + prompt.named(entry)
    };
    entries
        .iter()
        .zip(&hits)
        .map(|(entry, hits)| score(entry, hits))
        .collect()
}

/// Which words of the prompt are in which identifier, worked out once for each.
struct Matcher<'p, 'e> {
    prompt: &'p Prompt,
    known: HashMap<&'e str, Vec<usize>>,
}

impl<'p, 'e> Matcher<'p, 'e> {
    fn new(prompt: &'p Prompt) -> Self {
        Self {
            prompt,
            known: HashMap::new(),
        }
    }

    fn terms(&mut self, identifier: &'e str) -> &[usize] {
        let stems = &self.prompt.stems;
        self.known.entry(identifier).or_insert_with(|| {
            let parts = parts(identifier).into_iter().map(|part| stem(&part));
            parts
                .filter_map(|part| stems.iter().position(|stem| *stem == part))
                .collect()
        })
    }

    fn hits(&mut self, entry: &'e Entry) -> Vec<Hits> {
        let mut hits = vec![Hits::default(); self.prompt.stems.len()];
        for (word, count) in &entry.words {
            for term in self.terms(word) {
                hits[*term].words += f64::from(*count);
            }
        }
        for symbol in &entry.symbols {
            for term in self.terms(&symbol.name) {
                hits[*term].symbols += 1.0;
            }
        }
        for word in identifiers(&entry.path) {
            for term in self.terms(word) {
                hits[*term].path = 1.0;
            }
        }
        hits
    }
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
