//! The grammars, and which of them a file is written in.

use std::path::Path;
use symphony_ipc_protocol::xi::Language;
use syntect::parsing::{SyntaxReference, SyntaxSet};

/// What a text without a language is called.
pub(super) const PLAIN: &str = "Plain Text";
/// Of the first line, so many bytes are looked at.
const FIRST_LINE_BYTES: usize = 400;

/// Files that the grammars' own lists leave out, by extension or whole name.
const MORE_FILES: &[(&str, &str)] = &[
    ("cjs", "JavaScript (Babel)"),
    ("cts", "TypeScript"),
    ("mts", "TypeScript"),
    ("json5", "JSON"),
    ("jsonc", "JSON"),
    ("jsonl", "JSON"),
    ("ipynb", "JSON"),
    ("webmanifest", "JSON"),
    ("Cargo.lock", "TOML"),
    ("poetry.lock", "TOML"),
    ("uv.lock", "TOML"),
    ("pyi", "Python"),
    ("Containerfile", "Dockerfile"),
];

/// How the language of a buffer came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The client said so.
    Client,
    /// By the file's name.
    Name,
    /// By the first line, or nothing told.
    FirstLine,
}

/// All grammars.
pub(super) struct Grammars {
    set: SyntaxSet,
}

impl Grammars {
    /// Takes a few milliseconds; each grammar is unpacked when it is first used.
    pub(super) fn load() -> Self {
        Self {
            set: two_face::syntax::extra_newlines(),
        }
    }

    pub(super) fn set(&self) -> &SyntaxSet {
        &self.set
    }

    /// A language's grammar; `None` for plain text.
    pub(super) fn grammar(&self, language: &str) -> Option<&SyntaxReference> {
        self.set
            .find_syntax_by_name(language)
            .filter(|grammar| grammar.name != PLAIN)
    }

    /// The name of the language that a file is written in.
    pub(super) fn detect(&self, path: Option<&Path>, first_line: &str) -> (&str, Origin) {
        if let Some(grammar) = path.and_then(|path| self.by_name(path)) {
            return (&grammar.name, Origin::Name);
        }
        let mut end = first_line.len().min(FIRST_LINE_BYTES);
        while !first_line.is_char_boundary(end) {
            end -= 1;
        }
        let name = self
            .set
            .find_syntax_by_first_line(&first_line[..end])
            .map_or(PLAIN, |grammar| &grammar.name);
        (name, Origin::FirstLine)
    }

    fn by_name(&self, path: &Path) -> Option<&SyntaxReference> {
        let name = path.file_name()?.to_str()?;
        let extension = path.extension().and_then(|e| e.to_str());
        self.by_file(name).or_else(|| self.by_file(extension?))
    }

    /// By an extension or a file's whole name.
    fn by_file(&self, file: &str) -> Option<&SyntaxReference> {
        self.set.find_syntax_by_extension(file).or_else(|| {
            let (_, language) = MORE_FILES
                .iter()
                .find(|(more, _)| more.eq_ignore_ascii_case(file))?;
            self.set.find_syntax_by_name(language)
        })
    }

    /// By what a person writes: a name, or an extension.
    pub(super) fn named(&self, language: &str) -> Option<&str> {
        let same = |grammar: &&SyntaxReference| grammar.name.eq_ignore_ascii_case(language);
        self.set
            .syntaxes()
            .iter()
            .rev()
            .find(same)
            .or_else(|| self.by_file(language))
            .map(|grammar| grammar.name.as_str())
    }

    /// What a language is called by: what a person wrote, its name, the extensions of its files.
    pub(super) fn names(&self, written: &str, language: &str) -> Vec<String> {
        let grammar = self.set.find_syntax_by_name(language);
        let files = grammar.into_iter().flat_map(|g| g.file_extensions.clone());
        [written.to_owned(), language.to_owned()]
            .into_iter()
            .chain(files)
            .collect()
    }

    /// All languages, sorted by name.
    pub(super) fn list(&self) -> Vec<Language> {
        let shown = self.set.syntaxes().iter().filter(|grammar| !grammar.hidden);
        let mut list: Vec<_> = shown
            .map(|grammar| {
                let more = MORE_FILES.iter().filter(|(_, of)| *of == grammar.name);
                let own = grammar.file_extensions.iter().cloned();
                let mut files: Vec<_> = own.chain(more.map(|(f, _)| (*f).to_owned())).collect();
                files.sort();
                files.dedup();
                Language {
                    name: grammar.name.clone(),
                    files,
                }
            })
            .collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list.dedup_by(|a, b| a.name == b.name);
        list
    }
}
