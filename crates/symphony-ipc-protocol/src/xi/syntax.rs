//! Syntax highlighting.

use super::{BufferKey, RevisionNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One `highlight` covers at most so many lines.
pub const MAX_HIGHLIGHT_LINES: usize = 5_000;

/// Asks what lines look like. Lines count from 0; lines past the text are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Highlight {
    /// The buffer.
    pub buffer: BufferKey,
    /// The first line.
    pub first_line: usize,
    /// The last line, included; at most [`MAX_HIGHLIGHT_LINES`] lines in all.
    pub last_line: usize,
    /// With a theme's name, styles are answered; without, scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
}

/// What lines look like at a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Highlighted {
    /// The revision.
    pub revision: RevisionNumber,
    /// The language of the buffer.
    pub language: String,
    /// The first line.
    pub first_line: usize,
    /// One past the last line; the first line when the text has no such lines.
    pub end_line: usize,
    /// Where the first line begins, in bytes.
    pub start: usize,
    /// Whether this is a guess, as the text above is not read yet.
    /// `highlights_stale` comes when it was wrong.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
    /// Asked without a theme: scopes from the outermost to the innermost,
    /// separated by spaces, without the language's own and without `meta` scopes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Asked with a theme: its styles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub styles: Vec<SyntaxStyle>,
    /// Asked with a theme: what text outside of every span looks like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_style: Option<SyntaxStyle>,
    /// Triples (skip, length, index in `scopes` or `styles`). Bytes are skipped
    /// from the end of the span before, at first from `start`. No span crosses
    /// the end of a line.
    pub spans: Vec<usize>,
}

/// How text is drawn. Colours are `#rrggbb`, or `#rrggbbaa` when they are not opaque.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SyntaxStyle {
    /// Colour of the text.
    pub fg: String,
    /// Colour behind the text; absent: the default style's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bg: Option<String>,
    /// Bold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bold: bool,
    /// Italic.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub italic: bool,
    /// Underlined.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub underline: bool,
}

/// Asks which themes there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Themes {}

/// The themes, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThemeList {
    /// The themes.
    pub themes: Vec<Theme>,
}

/// A theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Theme {
    /// Its name, for `highlight`.
    pub name: String,
    /// Whether it is made for light text on a dark ground.
    pub dark: bool,
}

/// Asks which languages there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Languages {}

/// The languages, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LanguageList {
    /// The languages.
    pub languages: Vec<Language>,
}

/// A language that can be highlighted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Language {
    /// Its name, for `set_language`.
    pub name: String,
    /// Extensions and whole names of its files, without the dot of an extension.
    pub files: Vec<String>,
}

/// Says in which language a buffer is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetLanguage {
    /// The buffer.
    pub buffer: BufferKey,
    /// The language's name or one of its extensions, upper and lower case
    /// alike; without it the language is found by the file again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// The language of a buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BufferLanguage {
    /// Its name; `Plain Text` when none is known.
    pub language: String,
}
