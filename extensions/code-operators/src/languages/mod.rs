//! What is particular to each programming language.

mod go;
pub(crate) mod python;
mod rust;
mod script;
pub mod symbols;

use serde::{Deserialize, Serialize};
use tree_sitter::{Node, Parser, Tree};

/// A language whose syntax is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust.
    Rust,
    /// Python.
    Python,
    /// TypeScript without JSX.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// JavaScript, with or without JSX.
    JavaScript,
    /// Go.
    Go,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Rust,
        Self::Python,
        Self::TypeScript,
        Self::Tsx,
        Self::JavaScript,
        Self::Go,
    ];

    /// The language of a file, by the end of its name.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        let (stem, end) = name.rsplit_once('.')?;
        if stem.is_empty() {
            return None;
        }
        match end {
            "rs" => Some(Self::Rust),
            "py" | "pyi" => Some(Self::Python),
            "ts" | "mts" | "cts" => Some(Self::TypeScript),
            "tsx" => Some(Self::Tsx),
            "js" | "mjs" | "cjs" | "jsx" => Some(Self::JavaScript),
            "go" => Some(Self::Go),
            _ => None,
        }
    }

    /// The name that items carry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::TypeScript => "typescript",
            Self::Tsx => "tsx",
            Self::JavaScript => "javascript",
            Self::Go => "go",
        }
    }

    /// The language of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.name() == name)
    }

    /// The syntax tree of a text. `None` only when the grammar does not fit the library.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<Tree> {
        let grammar = match self {
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
        };
        let mut parser = Parser::new();
        parser.set_language(&grammar).ok()?;
        parser.parse(text, None)
    }

    /// Whether a node of this kind is a comment.
    #[must_use]
    pub fn is_comment(self, kind: &str) -> bool {
        match self {
            Self::Rust => matches!(kind, "line_comment" | "block_comment"),
            _ => kind == "comment",
        }
    }

    /// Whether a comment works on the line below it, so that nothing may come between.
    #[must_use]
    pub fn works_on_next_line(self, comment: &str) -> bool {
        let marks = [
            "@ts-ignore",
            "@ts-expect-error",
            "-next-line",
            "prettier-ignore",
            "biome-ignore",
            "deno-lint-ignore",
            "ignore next",
            "ignore if",
            "ignore else",
            "$FlowFixMe",
            "$FlowIgnore",
            "__PURE__",
        ];
        matches!(self, Self::JavaScript | Self::TypeScript | Self::Tsx)
            && marks.iter().any(|mark| comment.contains(mark))
    }

    /// Whether a comment (or docstring) says something to a tool or compiler, not to people.
    #[must_use]
    pub fn is_directive(self, comment: &str) -> bool {
        let has = |marks: &[&str]| marks.iter().any(|mark| comment.contains(mark));
        match self {
            Self::Rust => has(&["@generated", "rustfmt-skip"]),
            Self::Python => has(&[
                "# type:",
                "#type:",
                "# noqa",
                "#noqa",
                "pylint:",
                "mypy:",
                "pyright:",
                "ruff:",
                "# coding:",
                "-*- coding:",
                "# coding=",
                "pragma:",
                "fmt: o",
                "fmt: skip",
                "isort:",
                "doctest:",
            ]),
            Self::Go => {
                let body = comment.trim_start_matches("//");
                comment.starts_with("//go:")
                    || comment.starts_with("//export ")
                    || comment.starts_with("//line ")
                    || comment.starts_with("/*line ")
                    || comment.starts_with("//nolint")
                    || comment.starts_with("//lint:")
                    || body.trim_start().starts_with("+build")
                    || body.trim_start().starts_with("#cgo")
            }
            Self::JavaScript | Self::TypeScript | Self::Tsx => has(&[
                "@ts-",
                "eslint-disable",
                "eslint-enable",
                "eslint-env",
                "/* eslint ",
                "/*eslint ",
                "prettier-ignore",
                "istanbul ignore",
                "c8 ignore",
                "v8 ignore",
                "biome-ignore",
                "deno-lint",
                "@jsx",
                "__PURE__",
                "sourceMappingURL",
                "sourceURL",
                "<reference",
                "<amd",
                "@flow",
                "@noflow",
                "$Flow",
                "webpackChunk",
                "webpackIgnore",
                "webpackMode",
                "webpackPre",
                "@vite-ignore",
                "@license",
                "@preserve",
                "@cc_on",
                "@jest-environment",
            ]),
        }
    }
}

/// A public item without a doc comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// `function`, `method`, `class`, …
    pub kind: &'static str,
    /// With what encloses it: `Cart.total`.
    pub name: String,
    /// The declaration without its body, on one line.
    pub signature: String,
    /// Where the item starts, with its attributes or decorators.
    pub start: usize,
    /// Where the item ends.
    pub end: usize,
    /// Where the declaration itself starts.
    pub declared: usize,
    /// Where the comment's lines go: the start of a line.
    pub insert_at: usize,
    /// White space before the comment.
    pub indent: String,
}

/// The public items of a file that have no doc comment, by position.
#[must_use]
pub fn undocumented(language: Language, text: &str, tree: &Tree) -> Vec<Gap> {
    let file = File { text, language };
    let root = tree.root_node();
    let mut gaps = match language {
        Language::Rust => rust::undocumented(&file, root),
        Language::Python => python::undocumented(&file, root),
        Language::Go => go::undocumented(&file, root),
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            script::undocumented(&file, root)
        }
    };
    gaps.sort_by_key(|gap| (gap.declared, gap.insert_at));
    gaps.dedup_by_key(|gap| gap.insert_at);
    gaps
}

/// A text with its language, as the modules of the languages read it.
pub(crate) struct File<'t> {
    pub(crate) text: &'t str,
    pub(crate) language: Language,
}

const SIGNATURE_CHARS: usize = 300;

impl<'t> File<'t> {
    pub(crate) fn of(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    pub(crate) fn field(&self, node: Node<'_>, field: &str) -> Option<&'t str> {
        node.child_by_field_name(field).map(|child| self.of(child))
    }

    pub(crate) fn is_comment(&self, node: Node<'_>) -> bool {
        self.language.is_comment(node.kind())
    }

    /// Start of the line of `at`, when there is only white space between; with that white space.
    pub(crate) fn line_start(&self, at: usize) -> Option<(usize, &'t str)> {
        let before = self.text.get(..at)?;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let indent = &before[start..];
        indent
            .bytes()
            .all(|byte| matches!(byte, b' ' | b'\t'))
            .then_some((start, indent))
    }

    /// The text of a declaration up to `end`, on one line.
    pub(crate) fn signature(&self, start: usize, end: usize) -> String {
        let text = self.text.get(start..end).unwrap_or_default();
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        let line = line.trim_end_matches(['{', ';', ' ']);
        cut(line, SIGNATURE_CHARS)
    }

    /// A gap whose comment goes above `above`, the first node of the item.
    pub(crate) fn gap_above(
        &self,
        above: Node<'_>,
        declaration: Node<'_>,
        head_end: usize,
        kind: &'static str,
        name: String,
    ) -> Option<Gap> {
        let (insert_at, indent) = self.line_start(above.start_byte())?;
        Some(Gap {
            kind,
            name,
            signature: self.signature(declaration.start_byte(), head_end),
            start: above.start_byte(),
            end: declaration.end_byte(),
            declared: declaration.start_byte(),
            insert_at,
            indent: indent.to_owned(),
        })
    }
}

/// The first `limit` characters, with an ellipsis where some are missing.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

/// The end of a declaration's head: where its body starts, or where it ends.
pub(crate) fn head_end(node: Node<'_>) -> usize {
    node.child_by_field_name("body")
        .map_or_else(|| node.end_byte(), |body| body.start_byte())
}

pub(crate) fn children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    // The cursor is constant-time for each step, an index is not.
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    std::iter::from_fn(move || {
        if !more {
            return None;
        }
        let child = cursor.node();
        more = cursor.goto_next_sibling();
        Some(child)
    })
}

pub(crate) fn named_children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    children(node).filter(Node::is_named)
}
