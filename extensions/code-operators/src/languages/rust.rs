//! Rust: `pub` items, `pub` methods and the methods of `pub` traits.

use super::{File, Gap, children, head_end, named_children};
use std::collections::HashMap;
use tree_sitter::Node;

pub(super) fn undocumented(file: &File<'_>, root: Node<'_>) -> Vec<Gap> {
    let mut types = HashMap::new();
    collect_types(file, root, &mut types);
    let mut finder = Finder {
        file,
        types,
        gaps: Vec::new(),
    };
    finder.items(root, "");
    finder.gaps
}

/// Types declared in this file, and whether each is public.
fn collect_types<'t>(file: &File<'t>, list: Node<'_>, types: &mut HashMap<&'t str, bool>) {
    for node in named_children(list) {
        match node.kind() {
            "struct_item" | "enum_item" | "union_item" | "trait_item" | "type_item" => {
                if let Some(name) = file.field(node, "name") {
                    *types.entry(name).or_default() |= is_pub(file, node);
                }
            }
            "mod_item" => {
                if let Some(body) = node.child_by_field_name("body") {
                    collect_types(file, body, types);
                }
            }
            _ => {}
        }
    }
}

fn is_pub(file: &File<'_>, node: Node<'_>) -> bool {
    children(node).any(|child| child.kind() == "visibility_modifier" && file.of(child) == "pub")
}

struct Finder<'f, 't> {
    file: &'f File<'t>,
    types: HashMap<&'t str, bool>,
    gaps: Vec<Gap>,
}

/// What stands above an item: its attributes and comments.
struct Above<'n> {
    first: Node<'n>,
    documented: bool,
    hidden: bool,
    exported: bool,
}

impl<'t> Finder<'_, 't> {
    fn items(&mut self, list: Node<'_>, inside: &str) {
        let mut prefix = Vec::new();
        for node in named_children(list) {
            match node.kind() {
                "attribute_item" | "line_comment" | "block_comment" => prefix.push(node),
                "inner_attribute_item" => prefix.clear(),
                _ => {
                    let above = self.above(&prefix, node);
                    prefix.clear();
                    if !above.hidden {
                        self.item(node, &above, inside);
                    }
                }
            }
        }
    }

    fn above<'n>(&self, prefix: &[Node<'n>], item: Node<'n>) -> Above<'n> {
        let mut above = Above {
            first: item,
            documented: false,
            hidden: false,
            exported: false,
        };
        for &node in prefix.iter().rev() {
            let text = self.file.of(node);
            if node.kind() == "attribute_item" {
                above.first = node;
                let text: String = text.split_whitespace().collect();
                above.documented |= text.starts_with("#[doc")
                    || (text.starts_with("#[cfg_attr(") && text.contains(",doc"));
                above.hidden |= text.contains("doc(hidden)")
                    || text.starts_with("#[cfg(test")
                    || text.starts_with("#[cfg(all(test");
                above.exported |= text.starts_with("#[macro_export");
            } else {
                let doc = |node: Node<'_>| node.kind() == "outer_doc_comment_marker";
                above.documented |= children(node).any(doc);
            }
        }
        above
    }

    fn item(&mut self, node: Node<'_>, above: &Above<'_>, inside: &str) {
        let file = self.file;
        let name = file.field(node, "name").unwrap_or_default();
        let public = is_pub(file, node);
        let kind = match node.kind() {
            "function_item" | "function_signature_item" => "function",
            "struct_item" => "struct",
            "enum_item" => "enum",
            "union_item" => "union",
            "type_item" => "type",
            "const_item" => "constant",
            "static_item" => "static",
            "trait_item" => {
                self.body(node, public, |this, body| this.members(body, name, true));
                "trait"
            }
            "impl_item" => return self.implementation(node),
            "foreign_mod_item" => {
                return self.body(node, true, |this, body| this.items(body, inside));
            }
            "mod_item" => return self.module(node, above, inside, name, public),
            "macro_definition" if above.exported => "macro",
            _ => return,
        };
        if (public || above.exported) && !above.documented && name != "_" {
            self.report(node, above, kind, join(inside, name));
        }
    }

    fn body(&mut self, node: Node<'_>, go: bool, then: impl FnOnce(&mut Self, Node<'_>)) {
        if let Some(body) = node.child_by_field_name("body").filter(|_| go) {
            then(self, body);
        }
    }

    fn module(
        &mut self,
        node: Node<'_>,
        above: &Above<'_>,
        inside: &str,
        name: &str,
        public: bool,
    ) {
        // A module in a file of its own is described in that file.
        let Some(body) = node.child_by_field_name("body") else {
            return;
        };
        if matches!(name, "tests" | "test") {
            return;
        }
        let inner = |node: Node<'_>| {
            self.file.is_comment(node)
                && children(node).any(|child| child.kind() == "inner_doc_comment_marker")
        };
        if public && !above.documented && !named_children(body).any(inner) {
            self.report(node, above, "module", join(inside, name));
        }
        self.items(body, &join(inside, name));
    }

    fn implementation(&mut self, node: Node<'_>) {
        if node.child_by_field_name("trait").is_some() {
            return;
        }
        let Some(of) = node.child_by_field_name("type") else {
            return;
        };
        let of = match of.child_by_field_name("type") {
            Some(inner) if of.kind() == "generic_type" => inner,
            _ => of,
        };
        let name = self.file.of(of).rsplit("::").next().unwrap_or_default();
        if self.types.get(name) == Some(&false) {
            return;
        }
        self.body(node, true, |this, body| this.members(body, name, false));
    }

    fn members(&mut self, list: Node<'_>, of: &str, all_public: bool) {
        let mut prefix = Vec::new();
        for node in named_children(list) {
            let kind = match node.kind() {
                "attribute_item" | "line_comment" | "block_comment" => {
                    prefix.push(node);
                    continue;
                }
                "function_item" | "function_signature_item" => "method",
                "const_item" => "constant",
                _ => {
                    prefix.clear();
                    continue;
                }
            };
            let above = self.above(&prefix, node);
            prefix.clear();
            let public = all_public || is_pub(self.file, node);
            let name = self.file.field(node, "name").unwrap_or_default();
            if public && !above.documented && !above.hidden {
                self.report(node, &above, kind, format!("{of}::{name}"));
            }
        }
    }

    fn report(&mut self, node: Node<'_>, above: &Above<'_>, kind: &'static str, name: String) {
        let end = match (kind, node.child_by_field_name("name")) {
            ("macro", Some(name)) => name.end_byte(),
            _ => head_end(node),
        };
        self.gaps
            .extend(self.file.gap_above(above.first, node, end, kind, name));
    }
}

fn join(inside: &str, name: &str) -> String {
    if inside.is_empty() {
        name.to_owned()
    } else {
        format!("{inside}::{name}")
    }
}
