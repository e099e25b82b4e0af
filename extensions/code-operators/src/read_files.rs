//! The Operator `read-files`: files of the project as text for a prompt.

use crate::languages::Language;
use crate::project::{Project, finding};
use std::collections::HashSet;
use std::fmt::Write;
use symphony_extension_sdk::types::SourceFile;
use symphony_extension_sdk::{Call, Failure, Outputs};

/// Bytes that count as one token: an estimate that is near enough for source code.
pub const BYTES_PER_TOKEN: usize = 4;

const DEFAULT_BUDGET: usize = 12_000;

/// Runs the Operator: `files` and `budget_tokens` in; `files`, `text`, `missing` out.
///
/// Files come whole or not at all; one that does not fit the budget is missing, and
/// smaller ones after it may still fit.
///
/// # Errors
/// [`Failure`] for wrong inputs, an unreadable project, a cancelled call.
pub fn run(call: &Call) -> Result<Outputs, Failure> {
    let paths: Vec<String> = call.input("files")?;
    let budget: usize = call.input_or("budget_tokens", DEFAULT_BUDGET)?;
    let project = Project::of(call)?;
    let mut files = Vec::new();
    let mut text = String::new();
    let mut missing = Vec::new();
    let mut seen = HashSet::new();
    for path in &paths {
        call.check()?;
        if !seen.insert(path) {
            continue;
        }
        let read = match project.read(path) {
            Ok(read) => read,
            Err(error) => {
                missing.push(error.finding(path));
                continue;
            }
        };
        let fenced = fenced(path, &read.text);
        let tokens = fenced.len().div_ceil(BYTES_PER_TOKEN);
        if (text.len() + fenced.len()).div_ceil(BYTES_PER_TOKEN) > budget {
            let why = format!("does not fit the budget of {budget} tokens (it has about {tokens})");
            missing.push(finding(path, "", why));
            continue;
        }
        text.push_str(&fenced);
        files.push(SourceFile {
            path: path.clone(),
            base: read.base,
            text: read.text,
        });
    }
    Outputs::new()
        .with("files", files)?
        .with("text", text)?
        .with("missing", missing)
}

/// A text under its path, in a fence that nothing in it can close.
fn fenced(path: &str, text: &str) -> String {
    let longest = text
        .lines()
        .map(|line| {
            line.trim_start()
                .bytes()
                .take_while(|&byte| byte == b'`')
                .count()
        })
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let language = Language::of_path(path).map_or("", Language::name);
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write!(out, "{path}\n{fence}{language}\n{text}{end}{fence}\n\n");
    out
}
