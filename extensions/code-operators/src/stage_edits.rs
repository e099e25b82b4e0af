//! The Operator `stage-edits`: edits become a change set.

use crate::patch::{by_file, check_range, overlap};
use crate::project::{Project, Text, Unreadable, digest, finding};
use symphony_extension_sdk::types::{Edit, Finding, StagedChanges, StagedFile};
use symphony_extension_sdk::{Call, Failure, Outputs};

/// Runs the Operator: `edits` and `title` in; `change_set` and `refused` out.
///
/// # Errors
/// [`Failure`] for wrong inputs, an unreadable project, a cancelled call.
pub fn run(call: &Call) -> Result<Outputs, Failure> {
    let edits: Vec<Edit> = call.input("edits")?;
    let title: String = call.input("title")?;
    let project = Project::of(call)?;
    let mut files = Vec::new();
    let mut refused = Vec::new();
    for (path, edits) in by_file(edits) {
        call.check()?;
        files.extend(stage(&project, path, edits, &mut refused));
    }
    let change_set = StagedChanges {
        title: title.split_whitespace().collect::<Vec<_>>().join(" "),
        files,
    };
    Outputs::new()
        .with("change_set", change_set)?
        .with("refused", refused)
}

fn stage(
    project: &Project,
    path: String,
    edits: Vec<Edit>,
    refused: &mut Vec<Finding>,
) -> Option<StagedFile> {
    let base = match project.read(&path) {
        Ok(text) => Some(text),
        Err(Unreadable::Missing) => None,
        Err(error) => {
            refused.extend(edits.iter().map(|edit| finding(&path, &edit.item, &error)));
            return None;
        }
    };
    let mut staged: Vec<Edit> = Vec::new();
    for edit in edits {
        if staged.iter().any(|other| same_change(other, &edit)) {
            continue;
        }
        match fault(base.as_ref(), &staged, &edit) {
            None => staged.push(edit),
            Some(why) => refused.push(finding(&path, &edit.item, why)),
        }
    }
    staged.sort_by_key(|edit| (edit.start, edit.end));
    (!staged.is_empty()).then(|| StagedFile {
        path,
        base_text: base.map(|base| base.text),
        edits: staged,
    })
}

/// The same new text in the same place, whoever made it.
fn same_change(a: &Edit, b: &Edit) -> bool {
    (a.start, a.end, &a.text, &a.base) == (b.start, b.end, &b.text, &b.base)
}

fn fault(base: Option<&Text>, staged: &[Edit], edit: &Edit) -> Option<String> {
    match base {
        None if !edit.base.is_empty() && edit.base != digest("") => {
            return Some("the file is gone".to_owned());
        }
        None if (edit.start, edit.end) != (0, 0) => {
            return Some("the range of a new file's text must be empty".to_owned());
        }
        None => {}
        Some(_) if edit.base.is_empty() => return Some("the file exists already".to_owned()),
        Some(base) if edit.base != base.base => {
            return Some("the file has changed since the edit was made".to_owned());
        }
        Some(base) => {
            if let Err(error) = check_range(&base.text, edit) {
                return Some(error.to_string());
            }
            if base.text[edit.start..edit.end] == edit.text {
                return Some("the edit changes nothing".to_owned());
            }
        }
    }
    staged
        .iter()
        .find(|other| overlap(other, edit))
        .map(|other| {
            format!(
                "overlaps the edit of `{}` at byte {}",
                other.item, other.start
            )
        })
}
