//! Go: exported functions, types, and methods of exported types.

use super::{File, Gap, head_end, named_children};
use tree_sitter::Node;

pub(super) fn undocumented(file: &File<'_>, root: Node<'_>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let nodes: Vec<Node<'_>> = named_children(root).collect();
    for (index, &node) in nodes.iter().enumerate() {
        let above = Above::of(file, &nodes[..index], node);
        match node.kind() {
            "function_declaration" => {
                let name = file.field(node, "name").unwrap_or_default();
                if is_exported(name) && !above.documented {
                    let end = head_end(node);
                    gaps.extend(file.gap_above(above.first, node, end, "function", name.into()));
                }
            }
            "method_declaration" => gaps.extend(method(file, node, &above)),
            "type_declaration" => types(file, node, &above, &mut gaps),
            _ => {}
        }
    }
    gaps
}

fn is_exported(name: &str) -> bool {
    name.chars().next().is_some_and(char::is_uppercase)
}

/// The comment that touches an item, in whose lines directives do not count.
struct Above<'n> {
    first: Node<'n>,
    documented: bool,
}

impl<'n> Above<'n> {
    fn of(file: &File<'_>, before: &[Node<'n>], item: Node<'n>) -> Self {
        let mut above = Self {
            first: item,
            documented: false,
        };
        for &node in before.iter().rev() {
            let touches = node.end_position().row + 1 == above.first.start_position().row;
            let alone = file.line_start(node.start_byte()).is_some();
            if !file.is_comment(node) || !touches || !alone {
                break;
            }
            above.documented |= !file.language.is_directive(file.of(node));
            above.first = node;
        }
        above
    }
}

fn method(file: &File<'_>, node: Node<'_>, above: &Above<'_>) -> Option<Gap> {
    let name = file.field(node, "name")?;
    let receiver = receiver(file, node)?;
    if above.documented || !is_exported(name) || !is_exported(receiver) {
        return None;
    }
    let full = format!("{receiver}.{name}");
    file.gap_above(above.first, node, head_end(node), "method", full)
}

/// The receiver's type without star and type parameters.
fn receiver<'t>(file: &File<'t>, node: Node<'_>) -> Option<&'t str> {
    let list = node.child_by_field_name("receiver")?;
    let parameter = named_children(list).find(|child| child.kind() == "parameter_declaration")?;
    let name = file.field(parameter, "type")?;
    let name = name.trim_start_matches(['*', '(', ' ']);
    name.split(['[', ')', ' ']).next()
}

fn types(file: &File<'_>, declaration: Node<'_>, above: &Above<'_>, gaps: &mut Vec<Gap>) {
    if above.documented {
        return;
    }
    let nodes: Vec<Node<'_>> = named_children(declaration).collect();
    let grouped = file.of(declaration)["type".len()..]
        .trim_start()
        .starts_with('(');
    for (index, &node) in nodes.iter().enumerate() {
        if !matches!(node.kind(), "type_spec" | "type_alias") {
            continue;
        }
        let name = file.field(node, "name").unwrap_or_default();
        if !is_exported(name) {
            continue;
        }
        let (first, documented) = if grouped {
            let own = Above::of(file, &nodes[..index], node);
            (own.first, own.documented)
        } else {
            (above.first, false)
        };
        if documented {
            continue;
        }
        let body = node.child_by_field_name("type");
        let kind = match body.map(|body| body.kind()) {
            Some("struct_type") => "struct",
            Some("interface_type") => "interface",
            _ => "type",
        };
        let whole = if grouped { node } else { declaration };
        // The braces of a struct or interface are its body.
        let end = match kind {
            "type" => node.end_byte(),
            _ => {
                let text = file.of(node);
                node.start_byte() + text.find('{').unwrap_or(text.len())
            }
        };
        let gap = file.gap_above(first, whole, end, kind, name.into());
        gaps.extend(gap.map(|mut gap| {
            if grouped {
                gap.signature.insert_str(0, "type ");
            }
            gap
        }));
    }
}
