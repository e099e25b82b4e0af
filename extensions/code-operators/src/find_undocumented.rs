//! The Operator `find-undocumented`: public items without a doc comment.

use crate::languages::{self, Gap, Language, cut};
use crate::project::{Project, finding, line_of};
use crate::walk::{Source, in_parallel, is_generated, is_test, sources};
use symphony_extension_sdk::types::{Finding, Item};
use symphony_extension_sdk::{Call, Failure, Outputs};

const CODE_CHARS: usize = 1_200;
const DEFAULT_LIMIT: usize = 40;

/// Runs the Operator: `limit` (0 for all) and `paths` in; `items`, `found`, `files`, `skipped` out.
///
/// # Errors
/// [`Failure`] for wrong inputs, an unreadable project, a cancelled call.
pub fn run(call: &Call) -> Result<Outputs, Failure> {
    let limit: usize = call.input_or("limit", DEFAULT_LIMIT)?;
    let paths: Vec<String> = call.input_or("paths", Vec::new())?;
    let project = Project::of(call)?;
    let (all, mut skipped) = sources(call, &project, &paths)?;
    let own: Vec<Source> = all
        .into_iter()
        .filter(|source| !is_test(source.path.as_str(), source.language))
        .collect();
    call.progress(0, Some(own.len() as u64), "reading source files");
    let mut items = Vec::new();
    let mut found = 0;
    let mut files = 0;
    for result in in_parallel(call, &own, |source| in_file(&project, source))? {
        match result {
            Ok(of_file) => {
                found += of_file.len();
                files += usize::from(!of_file.is_empty());
                let room = if limit == 0 {
                    usize::MAX
                } else {
                    limit - items.len()
                };
                items.extend(of_file.into_iter().take(room));
            }
            Err(finding) => skipped.push(finding),
        }
    }
    call.progress(
        own.len() as u64,
        Some(own.len() as u64),
        format!("{found} items found"),
    );
    Outputs::new()
        .with("items", items)?
        .with("found", found)?
        .with("files", files)?
        .with("skipped", skipped)
}

fn in_file(project: &Project, source: &Source) -> Result<Vec<Item>, Finding> {
    let path = source.path.as_str();
    let text = project.read_checked(path).map_err(|e| e.finding(path))?;
    if is_generated(&text.text) {
        return Ok(Vec::new());
    }
    Ok(items(path, source.language, &text.text, &text.base).unwrap_or_default())
}

/// The undocumented items of a text. `None` when the text cannot be parsed at all.
#[must_use]
pub fn items(path: &str, language: Language, text: &str, base: &str) -> Option<Vec<Item>> {
    let tree = language.parse(text)?;
    let gaps = languages::undocumented(language, text, &tree);
    let item = |gap: Gap| Item {
        path: path.to_owned(),
        base: base.to_owned(),
        language: language.name().to_owned(),
        kind: gap.kind.to_owned(),
        line: line_of(text, gap.declared),
        code: excerpt(text, &gap),
        name: gap.name,
        signature: gap.signature,
        insert_at: gap.insert_at,
        indent: gap.indent,
    };
    Some(gaps.into_iter().map(item).collect())
}

/// The item's code, without the indentation of its first line, cut at a line's end.
fn excerpt(text: &str, gap: &Gap) -> String {
    let line_start = text[..gap.start].rfind('\n').map_or(0, |at| at + 1);
    let indent = &text[line_start..gap.start];
    let mut code = String::new();
    let mut chars = 0;
    for line in text[gap.start..gap.end].lines() {
        let line = line.strip_prefix(indent).unwrap_or(line).trim_end();
        let length = line.chars().count() + 1;
        if chars + length > CODE_CHARS {
            if code.is_empty() {
                return cut(line, CODE_CHARS);
            }
            code.push('…');
            return code;
        }
        code.push_str(line);
        code.push('\n');
        chars += length;
    }
    code.truncate(code.trim_end().len());
    code
}

/// A finding for an item.
pub(crate) fn about(item: &Item, message: impl std::fmt::Display) -> Finding {
    finding(&item.path, &item.name, message)
}
