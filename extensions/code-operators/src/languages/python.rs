//! Python: public functions, classes and methods without a docstring.

use super::{File, Gap, children, named_children};
use tree_sitter::Node;

pub(super) fn undocumented(file: &File<'_>, root: Node<'_>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    statements(file, root, "", &mut gaps);
    gaps
}

/// The docstring that opens a body, if there is one.
///
/// Only a plain string counts: neither bytes, nor a format string, nor several joined.
pub(crate) fn docstring<'n>(text: &str, body: Node<'n>) -> Option<Node<'n>> {
    let first = named_children(body).find(|node| node.kind() != "comment")?;
    if first.kind() != "expression_statement" || first.named_child_count() != 1 {
        return None;
    }
    let string = first
        .named_child(0)
        .filter(|node| node.kind() == "string")?;
    let prefix = text.get(string.start_byte()..)?.split(['"', '\'']).next()?;
    let plain = prefix
        .chars()
        .all(|letter| matches!(letter, 'r' | 'R' | 'u' | 'U'));
    // `"a".strip()` or `"a"; x = 1` is no docstring either, but the first is another kind of node.
    plain.then_some(first)
}

fn statements(file: &File<'_>, list: Node<'_>, inside: &str, gaps: &mut Vec<Gap>) {
    for node in named_children(list) {
        match node.kind() {
            "function_definition" | "class_definition" => {
                definition(file, node, node, inside, gaps);
            }
            "decorated_definition" => {
                if let Some(inner) = node.child_by_field_name("definition")
                    && !children(node).any(|child| is_telling(file, child))
                {
                    definition(file, node, inner, inside, gaps);
                }
            }
            // What a condition defines is public all the same.
            "if_statement" => {
                let condition = file.field(node, "condition").unwrap_or_default();
                if !condition.contains("__main__") {
                    statements(file, node, inside, gaps);
                }
            }
            "try_statement" | "else_clause" | "elif_clause" | "except_clause"
            | "finally_clause" | "with_statement" | "block" => statements(file, node, inside, gaps),
            _ => {}
        }
    }
}

/// Decorators that say the documentation is elsewhere.
fn is_telling(file: &File<'_>, node: Node<'_>) -> bool {
    if node.kind() != "decorator" {
        return false;
    }
    let text = file.of(node).trim_start_matches('@');
    let name = text.split(['(', ' ', '\n', '#']).next().unwrap_or_default();
    let last = name.rsplit('.').next().unwrap_or_default().trim();
    matches!(last, "overload" | "override" | "setter" | "deleter")
}

fn definition(file: &File<'_>, whole: Node<'_>, node: Node<'_>, inside: &str, gaps: &mut Vec<Gap>) {
    let name = file.field(node, "name").unwrap_or_default();
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    if name.is_empty() || name.starts_with('_') {
        return;
    }
    let class = node.kind() == "class_definition";
    let full = if inside.is_empty() {
        name.to_owned()
    } else {
        format!("{inside}.{name}")
    };
    if docstring(file.text, body).is_none() {
        let kind = match (class, inside.is_empty()) {
            (true, _) => "class",
            (false, true) => "function",
            (false, false) => "method",
        };
        gaps.extend(gap(file, whole, node, body, kind, full.clone()));
    }
    if class {
        statements(file, body, &full, gaps);
    }
}

fn gap(
    file: &File<'_>,
    whole: Node<'_>,
    node: Node<'_>,
    body: Node<'_>,
    kind: &'static str,
    name: String,
) -> Option<Gap> {
    let colon = children(node).filter(|child| child.kind() == ":").last()?;
    let first = named_children(body).find(|child| child.kind() != "comment")?;
    let (first_line, indent) = file.line_start(first.start_byte())?;
    // The docstring goes straight below the head, above comments that open the body.
    let after = file.text.get(colon.end_byte()..)?.find('\n')?;
    let insert_at = colon.end_byte() + after + 1;
    if insert_at > first_line {
        return None;
    }
    Some(Gap {
        kind,
        name,
        signature: file.signature(node.start_byte(), colon.start_byte()),
        start: whole.start_byte(),
        end: whole.end_byte(),
        declared: node.start_byte(),
        insert_at,
        indent: indent.to_owned(),
    })
}
