//! JavaScript and TypeScript: what a module exports, and the public methods of its classes.

use super::{File, Gap, children, head_end, named_children};
use std::collections::HashSet;
use tree_sitter::Node;

pub(super) fn undocumented(file: &File<'_>, root: Node<'_>) -> Vec<Gap> {
    let mut finder = Finder {
        file,
        exported: exported_later(file, root),
        gaps: Vec::new(),
    };
    finder.statements(root, "", false);
    finder.gaps
}

/// Names exported apart from their declaration: `export { a }`, `module.exports = { a }`.
fn exported_later<'t>(file: &File<'t>, root: Node<'_>) -> HashSet<&'t str> {
    let mut names = HashSet::new();
    for node in named_children(root) {
        match node.kind() {
            "export_statement" if node.child_by_field_name("source").is_none() => {
                let clause = named_children(node).find(|child| child.kind() == "export_clause");
                let specifiers = clause.into_iter().flat_map(named_children);
                names.extend(specifiers.filter_map(|child| file.field(child, "name")));
                let default = node.child_by_field_name("value");
                names.extend(
                    default
                        .filter(|value| value.kind() == "identifier")
                        .map(|value| file.of(value)),
                );
            }
            "expression_statement" => {
                if let Some((_, value)) = common_js(file, node) {
                    match value.kind() {
                        "identifier" => {
                            names.insert(file.of(value));
                        }
                        "object" => names.extend(
                            named_children(value)
                                .filter_map(|entry| match entry.kind() {
                                    "shorthand_property_identifier" => Some(entry),
                                    "pair" => entry
                                        .child_by_field_name("value")
                                        .filter(|value| value.kind() == "identifier"),
                                    _ => None,
                                })
                                .map(|entry| file.of(entry)),
                        ),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    names
}

/// `exports.name = value` and `module.exports = value`: the name (empty for all) and the value.
fn common_js<'t, 'n>(file: &File<'t>, statement: Node<'n>) -> Option<(&'t str, Node<'n>)> {
    let assignment = statement
        .named_child(0)
        .filter(|node| node.kind() == "assignment_expression")?;
    let left = file.field(assignment, "left")?;
    let value = assignment.child_by_field_name("right")?;
    let rest = left
        .strip_prefix("module.exports")
        .or_else(|| left.strip_prefix("exports"))?;
    match rest.strip_prefix('.') {
        Some(name) if !name.contains(['.', '[']) => Some((name, value)),
        None if rest.is_empty() => Some(("", value)),
        _ => None,
    }
}

struct Finder<'f, 't> {
    file: &'f File<'t>,
    exported: HashSet<&'t str>,
    gaps: Vec<Gap>,
}

/// What stands above a declaration.
struct Above<'n> {
    first: Node<'n>,
    documented: bool,
}

impl<'t> Finder<'_, 't> {
    /// `nested`: inside a namespace, where only what says `export` is exported.
    fn statements(&mut self, list: Node<'_>, inside: &str, nested: bool) {
        let nodes: Vec<Node<'_>> = named_children(list).collect();
        let mut overloads = "";
        for (index, &node) in nodes.iter().enumerate() {
            let declaration = match node.kind() {
                "comment" => continue,
                "export_statement" => node
                    .child_by_field_name("declaration")
                    .or_else(|| node.child_by_field_name("value")),
                "expression_statement" => {
                    self.assigned(node, &nodes[..index]);
                    None
                }
                _ => Some(node),
            };
            let previous = std::mem::take(&mut overloads);
            let Some(declaration) = declaration.map(without_declare) else {
                continue;
            };
            let name = self.name(declaration);
            let exported = node.kind() == "export_statement"
                || (!nested && !name.is_empty() && self.exported.contains(name));
            if declaration.kind() == "function_signature" {
                overloads = name;
            }
            if exported && (previous.is_empty() || previous != name) {
                let above = self.above(&nodes[..index], node);
                self.declaration(node, declaration, &above, inside);
            }
        }
    }

    fn name(&self, declaration: Node<'_>) -> &'t str {
        let named = match declaration.kind() {
            "lexical_declaration" | "variable_declaration" => {
                single_function(declaration).map(|(name, _)| name)
            }
            _ => declaration.child_by_field_name("name"),
        };
        named.map_or("", |name| self.file.of(name))
    }

    fn declaration(&mut self, whole: Node<'_>, node: Node<'_>, above: &Above<'_>, inside: &str) {
        let mut end = head_end(node);
        let mut name = self.name(node);
        let kind = match node.kind() {
            "function_declaration"
            | "generator_function_declaration"
            | "function_signature"
            | "function_expression"
            | "arrow_function" => "function",
            "class_declaration" | "abstract_class_declaration" | "class" => "class",
            "interface_declaration" => "interface",
            "type_alias_declaration" => "type",
            "enum_declaration" => "enum",
            "lexical_declaration" | "variable_declaration" => {
                let Some((_, value)) = single_function(node) else {
                    return;
                };
                end = head_end(value);
                "function"
            }
            "internal_module" | "module" => {
                if let Some(body) = node.child_by_field_name("body") {
                    let inside = join(inside, name);
                    self.statements(body, &inside, true);
                }
                return;
            }
            _ => return,
        };
        if name.is_empty() {
            name = "default";
        }
        let full = join(inside, name);
        if !above.documented {
            let gap = self
                .file
                .gap_above(above.first, whole, end, kind, full.clone());
            self.gaps.extend(gap.map(|mut gap| {
                gap.signature = without_arrow(&gap.signature);
                gap
            }));
        }
        if kind == "class"
            && let Some(body) = node.child_by_field_name("body")
        {
            self.methods(body, &full);
        }
    }

    /// `exports.name = function () {}`
    fn assigned(&mut self, statement: Node<'_>, before: &[Node<'_>]) {
        let Some((name, value)) = common_js(self.file, statement) else {
            return;
        };
        let kind = match value.kind() {
            "function_expression" | "generator_function" | "arrow_function" => "function",
            "class" => "class",
            _ => return,
        };
        let own = self.file.field(value, "name").unwrap_or("default");
        let name = if name.is_empty() { own } else { name };
        let above = self.above(before, statement);
        if !above.documented && !name.starts_with('_') {
            let gap =
                self.file
                    .gap_above(above.first, statement, head_end(value), kind, name.into());
            self.gaps.extend(gap);
        }
        if kind == "class"
            && let Some(body) = value.child_by_field_name("body")
        {
            self.methods(body, name);
        }
    }

    fn methods(&mut self, body: Node<'_>, class: &str) {
        let nodes: Vec<Node<'_>> = named_children(body).collect();
        let mut overloads = "";
        for (index, &node) in nodes.iter().enumerate() {
            let previous = overloads;
            let name = self.method_name(node);
            match node.kind() {
                "comment" | "decorator" => continue,
                "method_definition" | "public_field_definition" | "field_definition" => {
                    overloads = "";
                }
                "method_signature" | "abstract_method_signature" => overloads = name,
                _ => {
                    overloads = "";
                    continue;
                }
            }
            let end = match node.kind() {
                "public_field_definition" | "field_definition" => {
                    match node
                        .child_by_field_name("value")
                        .filter(|value| is_function(*value))
                    {
                        Some(value) => head_end(value),
                        None => continue,
                    }
                }
                _ => head_end(node),
            };
            if !self.is_public(node, name) || (!previous.is_empty() && previous == name) {
                continue;
            }
            let above = self.above(&nodes[..index], node);
            if !above.documented {
                let full = format!("{class}.{name}");
                let gap = self.file.gap_above(above.first, node, end, "method", full);
                self.gaps.extend(gap.map(|mut gap| {
                    gap.signature = without_arrow(&gap.signature);
                    gap
                }));
            }
        }
    }

    fn method_name(&self, node: Node<'_>) -> &'t str {
        let name = node
            .child_by_field_name("name")
            .or_else(|| node.child_by_field_name("property"));
        name.filter(|name| matches!(name.kind(), "property_identifier" | "identifier"))
            .map_or("", |name| self.file.of(name))
    }

    fn is_public(&self, node: Node<'_>, name: &str) -> bool {
        let hides = |child: Node<'_>| match child.kind() {
            "accessibility_modifier" => self.file.of(child) != "public",
            // Described where it comes from, or beside its getter.
            "override_modifier" | "set" => true,
            _ => false,
        };
        !name.is_empty()
            && !name.starts_with('_')
            && name != "constructor"
            && !children(node).any(hides)
    }

    /// Walks up over decorators, comments and directives that belong to the declaration.
    fn above<'n>(&self, before: &[Node<'n>], item: Node<'n>) -> Above<'n> {
        let mut above = Above {
            first: item,
            documented: false,
        };
        let mut touching = true;
        for &node in before.iter().rev() {
            let text = self.file.of(node);
            if node.kind() == "decorator" {
                above.first = node;
                continue;
            }
            if node.kind() != "comment" || self.file.line_start(node.start_byte()).is_none() {
                break;
            }
            touching &= node.end_position().row + 1 == above.first.start_position().row;
            if text.starts_with("/**") && text != "/**/" {
                above.documented |= !is_about_the_file(text);
                break;
            }
            // A directive works on the next line: it stays where it is, the comment goes above.
            if touching && self.file.language.works_on_next_line(text) {
                above.first = node;
            }
        }
        above
    }
}

fn without_arrow(signature: &str) -> String {
    signature
        .strip_suffix("=>")
        .unwrap_or(signature)
        .trim_end()
        .to_owned()
}

fn is_about_the_file(comment: &str) -> bool {
    [
        "@file",
        "@license",
        "@packageDocumentation",
        "@module",
        "@copyright",
    ]
    .iter()
    .any(|tag| comment.contains(tag))
}

fn is_function(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "arrow_function" | "function_expression" | "generator_function"
    )
}

fn without_declare(node: Node<'_>) -> Node<'_> {
    if node.kind() == "ambient_declaration" {
        return named_children(node)
            .find(|child| child.kind() != "comment")
            .unwrap_or(node);
    }
    // `namespace A {}` stands in an expression statement when it is not exported.
    node
}

/// The name and the function of `const name = () => …`.
fn single_function(declaration: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    let mut declarators =
        named_children(declaration).filter(|node| node.kind() == "variable_declarator");
    let declarator = declarators.next()?;
    if declarators.next().is_some() {
        return None;
    }
    let name = declarator
        .child_by_field_name("name")
        .filter(|name| name.kind() == "identifier")?;
    let value = declarator
        .child_by_field_name("value")
        .filter(|value| is_function(*value))?;
    Some((name, value))
}

fn join(inside: &str, name: &str) -> String {
    if inside.is_empty() {
        name.to_owned()
    } else {
        format!("{inside}.{name}")
    }
}
