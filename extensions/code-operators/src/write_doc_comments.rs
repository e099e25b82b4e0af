//! The Operator `write-doc-comments`: sentences become doc comments.

use crate::comment::doc_comment;
use crate::find_undocumented::about;
use crate::languages::Language;
use crate::project::{Project, Text, Unreadable, line_ending};
use crate::sentence::clean;
use serde_json::Value;
use std::collections::HashMap;
use symphony_extension_sdk::types::{Edit, Finding, Item};
use symphony_extension_sdk::{Call, Failure, Outputs};

/// Runs the Operator: `items`, `replies` (one for each item, null or with `summary`) and `by` in;
/// `edits` and `skipped` out.
///
/// # Errors
/// [`Failure`] for wrong inputs, an unreadable project, a cancelled call.
pub fn run(call: &Call) -> Result<Outputs, Failure> {
    let items: Vec<Item> = call.input("items")?;
    let replies: Vec<Value> = call.input("replies")?;
    let by: String = call.input_or("by", String::new())?;
    if items.len() != replies.len() {
        let why = format!("{} replies for {} items", replies.len(), items.len());
        return Err(Failure::input("replies", why));
    }
    let project = Project::of(call)?;
    let mut files = Files::new(&project);
    let mut edits = Vec::new();
    let mut skipped = Vec::new();
    for (item, reply) in items.iter().zip(&replies) {
        call.check()?;
        match edit(&mut files, item, reply, &by) {
            Ok(edit) => edits.push(edit),
            Err(finding) => skipped.push(finding),
        }
    }
    Outputs::new()
        .with("edits", edits)?
        .with("skipped", skipped)
}

fn edit(files: &mut Files<'_>, item: &Item, reply: &Value, by: &str) -> Result<Edit, Finding> {
    let language = Language::of_name(&item.language)
        .ok_or_else(|| about(item, format!("unknown language `{}`", item.language)))?;
    let summary = match reply {
        Value::Null => return Err(about(item, "no sentence was written")),
        reply => reply
            .get("summary")
            .and_then(Value::as_str)
            .ok_or_else(|| about(item, "the reply has no `summary`"))?,
    };
    let text = files.read(&item.path).map_err(|e| about(item, e))?;
    if text.base != item.base {
        return Err(about(item, "the file has changed since it was read"));
    }
    if !is_line_start(&text.text, item.insert_at) {
        return Err(about(
            item,
            "the place for the comment is not the start of a line",
        ));
    }
    if item
        .indent
        .bytes()
        .any(|byte| !matches!(byte, b' ' | b'\t'))
    {
        return Err(about(item, "the indentation is not white space"));
    }
    let sentence = clean(summary, item, language).map_err(|e| about(item, e))?;
    let ending = line_ending(&text.text);
    Ok(Edit {
        path: item.path.clone(),
        base: item.base.clone(),
        start: item.insert_at,
        end: item.insert_at,
        text: doc_comment(language, &item.indent, &sentence, ending),
        item: item.name.clone(),
        why: format!("describes the {} `{}`", item.kind, item.name),
        by: by.to_owned(),
    })
}

/// Whether a byte offset is where a line starts.
pub(crate) fn is_line_start(text: &str, at: usize) -> bool {
    at == 0 || (at <= text.len() && text.as_bytes()[at - 1] == b'\n')
}

/// Files that were read already.
pub(crate) struct Files<'p> {
    project: &'p Project,
    read: HashMap<String, Text>,
}

impl<'p> Files<'p> {
    pub(crate) fn new(project: &'p Project) -> Self {
        Self {
            project,
            read: HashMap::new(),
        }
    }

    pub(crate) fn read(&mut self, path: &str) -> Result<&Text, Unreadable> {
        if !self.read.contains_key(path) {
            let text = self.project.read(path)?;
            self.read.insert(path.to_owned(), text);
        }
        self.read.get(path).ok_or(Unreadable::Missing)
    }
}
