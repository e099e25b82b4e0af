//! Comparing syntax trees without their comments.

use crate::languages::Language;
use crate::languages::python::docstring;
use std::collections::HashSet;
use tree_sitter::{Node, Tree, TreeCursor};

/// One node of a tree without comments: what two trees must share.
#[derive(Debug, PartialEq, Eq)]
struct Step<'t> {
    depth: u32,
    kind: u16,
    missing: bool,
    field: Option<u16>,
    /// The text of a node whose white space matters, or that has no parts.
    text: Option<&'t str>,
}

/// Whether two texts have the same syntax tree when comments and docstrings are left out:
/// the same kinds of nodes, with the same texts, in the same order.
#[must_use]
pub fn same_code(language: Language, a: (&str, &Tree), b: (&str, &Tree)) -> bool {
    comments_if_same_code(language, a, b).is_some()
}

/// Where the comments and docstrings of `b` stand, in order; `None` when its code is not that of `a`.
#[must_use]
pub fn comments_if_same_code(
    language: Language,
    a: (&str, &Tree),
    b: (&str, &Tree),
) -> Option<Vec<std::ops::Range<usize>>> {
    let mut steps = Steps::new(language, b.0, b.1);
    if !Steps::new(language, a.0, a.1).eq(steps.by_ref()) {
        return None;
    }
    // Equal sequences were both read to their ends, so every comment was passed.
    let mut ranges = steps.comments;
    ranges.sort_by_key(|range| range.start);
    Some(ranges)
}

/// Where the nodes of a tree start that are syntax errors, in order.
#[must_use]
pub fn errors(tree: &Tree) -> Vec<usize> {
    let mut places = Vec::new();
    if !tree.root_node().has_error() {
        return places;
    }
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            places.push(node.start_byte());
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        if !forward(&mut cursor) {
            return places;
        }
    }
}

struct Steps<'t> {
    language: Language,
    text: &'t str,
    cursor: TreeCursor<'t>,
    docstrings: HashSet<usize>,
    comments: Vec<std::ops::Range<usize>>,
    started: bool,
    ended: bool,
    enter: bool,
}

impl<'t> Steps<'t> {
    fn new(language: Language, text: &'t str, tree: &'t Tree) -> Self {
        Self {
            language,
            text,
            cursor: tree.walk(),
            docstrings: HashSet::new(),
            comments: Vec::new(),
            started: false,
            ended: false,
            enter: true,
        }
    }

    fn advance(&mut self) {
        if !self.started {
            self.started = true;
            return;
        }
        let inside = self.enter && self.cursor.goto_first_child();
        if !inside && !forward(&mut self.cursor) {
            self.ended = true;
        }
    }

    fn note_docstring(&mut self, node: Node<'t>) {
        if self.language != Language::Python {
            return;
        }
        let body = match node.kind() {
            "module" => Some(node),
            "function_definition" | "class_definition" => node.child_by_field_name("body"),
            _ => None,
        };
        if let Some(found) = body.and_then(|body| docstring(self.text, body)) {
            self.docstrings.insert(found.id());
        }
    }

    fn is_left_out(&self, node: Node<'t>) -> bool {
        self.language.is_comment(node.kind()) || self.docstrings.contains(&node.id())
    }
}

impl<'t> Iterator for Steps<'t> {
    type Item = Step<'t>;

    fn next(&mut self) -> Option<Step<'t>> {
        loop {
            self.advance();
            if self.ended {
                return None;
            }
            let node = self.cursor.node();
            if self.is_left_out(node) {
                self.comments.push(node.byte_range());
                self.enter = false;
                continue;
            }
            self.note_docstring(node);
            let depth = self.cursor.depth();
            let whole = is_text(node.kind()) || (depth > 0 && node.child_count() == 0);
            self.enter = !whole;
            return Some(Step {
                depth,
                kind: node.kind_id(),
                missing: node.is_missing(),
                field: self.cursor.field_id().map(u16::from),
                text: whole.then(|| self.text.get(node.byte_range()).unwrap_or_default()),
            });
        }
    }
}

/// Nodes whose parts do not cover their text, or in which white space has a meaning.
fn is_text(kind: &str) -> bool {
    kind.contains("string") && !kind.contains("statement")
        || matches!(
            kind,
            "regex" | "jsx_text" | "char_literal" | "rune_literal" | "hash_bang_line"
        )
}

/// To the next node that is not inside this one.
fn forward(cursor: &mut TreeCursor<'_>) -> bool {
    loop {
        if cursor.goto_next_sibling() {
            return true;
        }
        if !cursor.goto_parent() {
            return false;
        }
    }
}
