//! The Operator `verify-comments-only`: edits that add comments and nothing else.

use crate::compare::comments_if_same_code;
use crate::languages::Language;
use crate::patch::{apply, by_file, check_range, overlap, sound};
use crate::project::{Project, finding};
use crate::walk::in_parallel;
use crate::write_doc_comments::is_line_start;
use std::ops::Range;
use symphony_extension_sdk::types::{Edit, Finding};
use symphony_extension_sdk::{Call, Failure, Outputs};
use tree_sitter::{Node, Tree};

/// Runs the Operator: `edits` in; `kept`, `refused` and `files` (with kept edits) out.
///
/// # Errors
/// [`Failure`] for wrong inputs, an unreadable project, a cancelled call.
pub fn run(call: &Call) -> Result<Outputs, Failure> {
    let edits: Vec<Edit> = call.input("edits")?;
    let project = Project::of(call)?;
    let files: Vec<(String, Vec<Edit>)> = by_file(edits).into_iter().collect();
    let verdicts = in_parallel(call, &files, |(path, edits)| file(&project, path, edits))?;
    let mut kept = Vec::new();
    let mut refused = Vec::new();
    let mut with_edits = 0;
    for verdict in verdicts {
        with_edits += usize::from(!verdict.kept.is_empty());
        kept.extend(verdict.kept);
        refused.extend(verdict.refused);
    }
    Outputs::new()
        .with("kept", kept)?
        .with("refused", refused)?
        .with("files", with_edits)
}

/// What became of one file's edits.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Edits that add comments only, by position.
    pub kept: Vec<Edit>,
    /// What is wrong with the others.
    pub refused: Vec<Finding>,
}

fn file(project: &Project, path: &str, edits: &[Edit]) -> Verdict {
    let all = |message: String| Verdict {
        kept: Vec::new(),
        refused: edits
            .iter()
            .map(|edit| finding(path, &edit.item, &message))
            .collect(),
    };
    let Some(language) = Language::of_path(path) else {
        return all("comments cannot be told from code in this kind of file".to_owned());
    };
    let text = match project.read(path) {
        Ok(text) => text,
        Err(error) => return all(error.to_string()),
    };
    let (current, stale): (Vec<Edit>, Vec<Edit>) = edits
        .iter()
        .cloned()
        .partition(|edit| edit.base == text.base);
    let mut verdict = verify(language, &text.text, current);
    verdict.refused.extend(stale.iter().map(|edit| {
        finding(
            path,
            &edit.item,
            "the file has changed since the edit was made",
        )
    }));
    verdict
}

/// Keeps the edits of a text that add comments only.
///
/// An edit is kept when it is whole new lines, each of them in a comment (or,
/// in Python, a docstring), and the syntax tree without comments stays the same.
#[must_use]
pub fn verify(language: Language, text: &str, edits: Vec<Edit>) -> Verdict {
    let mut verdict = Verdict::default();
    let Some(tree) = language.parse(text) else {
        return refuse_all(edits, "the file cannot be parsed");
    };
    let checker = Checker {
        language,
        text,
        tree,
    };
    let mut candidates: Vec<Edit> = Vec::new();
    for edit in edits {
        let why = checker.plain_fault(&edit).or_else(|| {
            candidates
                .iter()
                .any(|other| overlap(other, &edit))
                .then_some("another edit wants the same place")
        });
        match why {
            Some(why) => verdict.refused.push(finding(&edit.path, &edit.item, why)),
            None => candidates.push(edit),
        }
    }
    let (kept, refused) = sound(candidates, &|edits| checker.fault(edits));
    verdict.kept = kept;
    verdict.refused.extend(
        refused
            .iter()
            .map(|(edit, why)| finding(&edit.path, &edit.item, why)),
    );
    verdict
}

fn refuse_all(edits: Vec<Edit>, why: &str) -> Verdict {
    Verdict {
        kept: Vec::new(),
        refused: edits
            .iter()
            .map(|edit| finding(&edit.path, &edit.item, why))
            .collect(),
    }
}

struct Checker<'t> {
    language: Language,
    text: &'t str,
    tree: Tree,
}

impl Checker<'_> {
    /// What can be seen without parsing.
    fn plain_fault(&self, edit: &Edit) -> Option<&'static str> {
        if check_range(self.text, edit).is_err() {
            return Some("the edit's range does not fit the file");
        }
        if edit.start != edit.end {
            return Some("the edit takes something away");
        }
        if edit.text.trim().is_empty() {
            return Some("the edit adds no comment");
        }
        if !is_line_start(self.text, edit.start) || !edit.text.ends_with('\n') {
            return Some("the edit is not whole new lines");
        }
        if edit.text.replace("\r\n", "").contains('\r') {
            return Some("the edit has stray line endings");
        }
        if self.moves_first_lines(edit.start) {
            return Some("the edit moves a line that must stay first");
        }
        if self.parts_a_directive(edit.start) {
            return Some("the edit stands between a directive and its line");
        }
        None
    }

    /// Whether an interpreter's line or an encoding would leave the lines where it counts.
    fn moves_first_lines(&self, at: usize) -> bool {
        let starts = self.text.starts_with("#!") && !self.text.starts_with("#![");
        let coding = |line: &str| line.starts_with('#') && line.contains("coding");
        let mut line_start = 0;
        for line in self.text.split_inclusive('\n').take(2) {
            if self.language == Language::Python && at <= line_start && coding(line) {
                return true;
            }
            line_start += line.len();
        }
        at == 0 && starts
    }

    /// Whether the line before is a comment that works on the next line.
    fn parts_a_directive(&self, at: usize) -> bool {
        let line = self.text[..at]
            .lines()
            .next_back()
            .unwrap_or_default()
            .trim();
        (line.starts_with("//") || line.starts_with("/*")) && self.language.works_on_next_line(line)
    }

    fn fault(&self, edits: &[Edit]) -> Option<&'static str> {
        let Ok((after, added)) = apply(self.text, edits) else {
            return Some("the edits overlap");
        };
        let Some(tree) = self.language.parse(&after) else {
            return Some("the file cannot be parsed after the edit");
        };
        let (before, now) = ((self.text, &self.tree), (after.as_str(), &tree));
        let Some(comments) = comments_if_same_code(self.language, before, now) else {
            return Some("the edit changes code, not only comments");
        };
        added
            .into_iter()
            .find_map(|range| self.fault_of_added(&after, &tree, &comments, range))
    }

    fn fault_of_added(
        &self,
        after: &str,
        tree: &Tree,
        comments: &[Range<usize>],
        added: Range<usize>,
    ) -> Option<&'static str> {
        let mut at = added.start;
        while at < added.end {
            let rest = &after[at..added.end];
            let blank = rest.len() - rest.trim_start().len();
            at += blank;
            if at >= added.end {
                break;
            }
            let index = comments.partition_point(|range| range.end <= at);
            let Some(comment) = comments.get(index).filter(|range| range.contains(&at)) else {
                return Some("the edit adds something that is no comment");
            };
            if comment.start < added.start {
                return Some("the edit is inside a comment that was there");
            }
            if self.language.is_directive(&after[comment.clone()]) {
                return Some("the comment is a directive to a tool");
            }
            if let Some(why) = self.fault_of_place(after, tree, comment) {
                return Some(why);
            }
            at = comment.end;
        }
        None
    }

    /// Where compilers see more in a comment than the syntax tree does.
    fn fault_of_place(&self, after: &str, tree: &Tree, at: &Range<usize>) -> Option<&'static str> {
        let comment = &after[at.clone()];
        let node = tree
            .root_node()
            .descendant_for_byte_range(at.start, at.end.saturating_sub(1).max(at.start))
            .map(|node| comment_node(self.language, node))?;
        match self.language {
            Language::Rust => fault_in_rust(node, comment),
            Language::Go => {
                let next = next_code(self.language, node)?;
                let import = next.kind() == "import_declaration";
                let c = import && after[next.byte_range()].contains("\"C\"");
                c.then_some("the comment would be C code")
            }
            _ => None,
        }
    }
}

fn comment_node(language: Language, node: Node<'_>) -> Node<'_> {
    let mut at = node;
    while !language.is_comment(at.kind()) {
        match at.parent() {
            Some(parent) => at = parent,
            None => return node,
        }
    }
    at
}

fn next_code(language: Language, node: Node<'_>) -> Option<Node<'_>> {
    let mut next = node.next_named_sibling();
    while let Some(sibling) = next.filter(|next| language.is_comment(next.kind())) {
        next = sibling.next_named_sibling();
    }
    next
}

fn fault_in_rust(node: Node<'_>, comment: &str) -> Option<&'static str> {
    let mut around = node.parent();
    while let Some(outer) = around {
        if matches!(outer.kind(), "token_tree" | "macro_definition") {
            return Some("the comment is inside a macro, where it may be code");
        }
        around = outer.parent();
    }
    let inner = comment.starts_with("//!") || comment.starts_with("/*!");
    let outer = (comment.starts_with("///") && !comment.starts_with("////"))
        || (comment.starts_with("/**")
            && !comment.starts_with("/***")
            && !comment.starts_with("/**/"));
    if outer {
        // A doc comment is an attribute: it needs something to belong to.
        let documentable = |kind: &str| {
            kind.ends_with("_item")
                || matches!(
                    kind,
                    "field_declaration" | "enum_variant" | "macro_definition" | "associated_type"
                )
        };
        let next = next_code(Language::Rust, node);
        if !next.is_some_and(|next| documentable(next.kind())) {
            return Some("the doc comment belongs to no item");
        }
    }
    if inner {
        let mut before = node.prev_named_sibling();
        while let Some(sibling) = before {
            if !Language::Rust.is_comment(sibling.kind())
                && sibling.kind() != "inner_attribute_item"
            {
                return Some("the doc comment of a module must open it");
            }
            before = sibling.prev_named_sibling();
        }
    }
    None
}
