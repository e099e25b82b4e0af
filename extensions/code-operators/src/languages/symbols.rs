//! What a file declares, public or not, for an outline.

use super::{File, Language, head_end, named_children};
use tree_sitter::{Node, Tree};

/// Something a file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its own name.
    pub name: String,
    /// The declaration without its body, on one line.
    pub signature: String,
    /// Line of the declaration, from 1.
    pub line: usize,
    /// How many declarations enclose it.
    pub depth: usize,
}

const MAX_DEPTH: usize = 6;

/// What a node is in an outline.
enum Role {
    /// A declaration without others of interest inside.
    Leaf,
    /// A declaration with members.
    Container,
    /// Not a declaration, but there may be some inside.
    Open,
    /// Nothing of interest.
    Closed,
}

fn role(kind: &str) -> Role {
    match kind {
        "function_item"
        | "function_signature_item"
        | "struct_item"
        | "enum_item"
        | "union_item"
        | "type_item"
        | "const_item"
        | "static_item"
        | "macro_definition"
        | "function_definition"
        | "function_declaration"
        | "generator_function_declaration"
        | "function_signature"
        | "interface_declaration"
        | "type_alias_declaration"
        | "enum_declaration"
        | "method_definition"
        | "method_signature"
        | "abstract_method_signature"
        | "method_declaration"
        | "type_spec"
        | "type_alias"
        | "variable_declarator" => Role::Leaf,
        "trait_item"
        | "impl_item"
        | "mod_item"
        | "class_definition"
        | "class_declaration"
        | "abstract_class_declaration"
        | "internal_module" => Role::Container,
        "source_file"
        | "module"
        | "program"
        | "declaration_list"
        | "foreign_mod_item"
        | "block"
        | "decorated_definition"
        | "if_statement"
        | "try_statement"
        | "export_statement"
        | "ambient_declaration"
        | "lexical_declaration"
        | "variable_declaration"
        | "class_body"
        | "statement_block"
        | "type_declaration"
        | "expression_statement" => Role::Open,
        _ => Role::Closed,
    }
}

/// The declarations of a file in their order.
#[must_use]
pub fn symbols(language: Language, text: &str, tree: &Tree) -> Vec<Symbol> {
    let file = File { text, language };
    let mut found = Vec::new();
    collect(&file, tree.root_node(), 0, 0, &mut found);
    found
}

fn collect(file: &File<'_>, list: Node<'_>, depth: usize, level: usize, found: &mut Vec<Symbol>) {
    if level > 2 * MAX_DEPTH {
        return;
    }
    for node in named_children(list) {
        match role(node.kind()) {
            Role::Closed => {}
            Role::Open => collect(file, node, depth, level + 1, found),
            Role::Leaf => found.extend(symbol(file, node, depth)),
            Role::Container => {
                found.extend(symbol(file, node, depth));
                if let Some(body) = node.child_by_field_name("body") {
                    collect(file, body, depth + 1, level + 1, found);
                }
            }
        }
    }
}

fn symbol(file: &File<'_>, node: Node<'_>, depth: usize) -> Option<Symbol> {
    let name = file
        .field(node, "name")
        .or_else(|| file.field(node, "type"))?;
    // A pattern is no name.
    if name.starts_with(['{', '[']) {
        return None;
    }
    let mut end = head_end(node);
    if node.kind() == "variable_declarator" {
        // A function's head, else only the name: values are not for an outline.
        let value = node.child_by_field_name("value");
        let body = value.and_then(|value| value.child_by_field_name("body"));
        let name_end = node
            .child_by_field_name("name")
            .map_or(end, |name| name.end_byte());
        end = body.map_or(name_end, |body| body.start_byte());
    }
    if node.kind() == "type_spec" {
        let text = file.of(node);
        end = node.start_byte() + text.find('{').unwrap_or(text.len());
    }
    let signature = file.signature(node.start_byte(), end);
    let keyword = match node.kind() {
        "type_spec" | "type_alias" => "type ",
        _ => "",
    };
    Some(Symbol {
        name: name.to_owned(),
        signature: format!("{keyword}{}", signature.trim_end_matches([':', ' '])),
        line: node.start_position().row + 1,
        depth,
    })
}
