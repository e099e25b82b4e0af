//! The Operator `verify-parses`: edits that leave the syntax sound.

use crate::compare::errors;
use crate::languages::{Language, cut};
use crate::patch::{apply, by_file, check_range, overlap, sound};
use crate::project::{Project, Unreadable, finding, line_of};
use crate::walk::in_parallel;
use symphony_extension_sdk::types::Edit;
use symphony_extension_sdk::{Call, Failure, Outputs};

use crate::verify_comments_only::Verdict;

const NEAR_CHARS: usize = 80;

/// Runs the Operator: `edits` in; `kept` and `refused` out.
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
    for verdict in verdicts {
        kept.extend(verdict.kept);
        refused.extend(verdict.refused);
    }
    Outputs::new().with("kept", kept)?.with("refused", refused)
}

fn file(project: &Project, path: &str, edits: &[Edit]) -> Verdict {
    let (text, base) = match project.read(path) {
        Ok(read) => (read.text, read.base),
        Err(Unreadable::Missing) => (String::new(), String::new()),
        Err(error) => {
            return Verdict {
                kept: Vec::new(),
                refused: edits
                    .iter()
                    .map(|edit| finding(path, &edit.item, &error))
                    .collect(),
            };
        }
    };
    let (current, stale): (Vec<Edit>, Vec<Edit>) =
        edits.iter().cloned().partition(|edit| edit.base == base);
    let mut verdict = verify(path, &text, current);
    verdict.refused.extend(stale.iter().map(|edit| {
        finding(
            path,
            &edit.item,
            "the file has changed since the edit was made",
        )
    }));
    verdict
}

/// Keeps the edits of a text after which it has no more syntax errors than before.
///
/// Source code of the known languages and JSON are checked; any other text passes.
#[must_use]
pub fn verify(path: &str, text: &str, edits: Vec<Edit>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut candidates: Vec<Edit> = Vec::new();
    for edit in edits {
        if let Err(error) = check_range(text, &edit) {
            verdict.refused.push(finding(path, &edit.item, error));
        } else if candidates.iter().any(|other| overlap(other, &edit)) {
            let why = "another edit wants the same place";
            verdict.refused.push(finding(path, &edit.item, why));
        } else {
            candidates.push(edit);
        }
    }
    let before = faults(path, text);
    let (kept, refused) = sound(candidates, &|edits| fault(path, text, before.len(), edits));
    verdict.kept = kept;
    let refused = refused
        .iter()
        .map(|(edit, why)| finding(path, &edit.item, why));
    verdict.refused.extend(refused);
    verdict
}

fn fault(path: &str, text: &str, before: usize, edits: &[Edit]) -> Option<String> {
    let (after, ranges) = match apply(text, edits) {
        Ok(applied) => applied,
        Err(error) => return Some(error.to_string()),
    };
    let after_faults = faults(path, &after);
    if after_faults.len() <= before {
        return None;
    }
    // An error often shows behind the edit that made it, never far before it.
    let start = ranges.first().map_or(0, |range| range.start);
    let at = after_faults
        .iter()
        .find(|&&at| at >= start)
        .or(after_faults.first())
        .copied()
        .unwrap_or(start);
    let line = line_of(&after, at);
    let near = after.lines().nth(line - 1).unwrap_or_default().trim();
    Some(format!(
        "a syntax error in line {line}, near `{}`",
        cut(near, NEAR_CHARS)
    ))
}

/// Where a text has syntax errors.
fn faults(path: &str, text: &str) -> Vec<usize> {
    if let Some(language) = Language::of_path(path) {
        return language
            .parse(text)
            .map_or_else(Vec::new, |tree| errors(&tree));
    }
    if path.ends_with(".json") && !text.trim().is_empty() {
        return match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => Vec::new(),
            Err(error) => {
                let line = error.line().saturating_sub(1);
                let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
                vec![start]
            }
        };
    }
    Vec::new()
}
