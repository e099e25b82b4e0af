//! `edit`: the text engine driven by a file of operations.

use crate::{
    api::{Answer, Command, EditFile, EditOperation, Edited},
    cli::{
        args::EditArgs,
        context::Context,
        diff::unified,
        errors::{CliError, CliResult, input, unexpected},
        execute::{Execute, no_events},
        style::Style,
        text::{count, one_line},
    },
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{io::Read, path::Path};
use sy_commons::fs::read_text_limited;

/// Operations are at most so many bytes.
const MAX_OPS_BYTES: u64 = 16 * 1024 * 1024;

/// A line of the file of operations. A recorded request has more members, which say nothing here.
#[derive(Deserialize)]
struct Line {
    method: String,
    #[serde(default)]
    params: Map<String, Value>,
}

/// Has the text engine do operations on a file, and shows what changed.
///
/// # Errors
/// A line that is no operation; why an operation was not done. The file is as it was then.
pub async fn edit(args: EditArgs, host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let text = if args.ops == Path::new("-") {
        standard_input()?
    } else {
        read_text_limited(context.place.here.join(&args.ops), MAX_OPS_BYTES)
            .map_err(|error| input(error.to_string(), "--ops names a file of operations"))?
    };
    let command = Command::Edit(EditFile {
        path: context.place.here.join(&args.file),
        operations: operations(&text)?,
        dry_run: args.dry_run,
    });
    let answer = host.execute(command, no_events(), &context.cancel).await?;
    let Answer::Edited(done) = &answer else {
        return Err(unexpected("what was edited"));
    };
    if context.ui.mode.json {
        return Ok(context.ui.result(&answer)?);
    }
    let lines = lines(done, context.ui.style);
    Ok(context.ui.lines(lines)?)
}

fn standard_input() -> Result<String, CliError> {
    let mut text = String::new();
    let mut limited = std::io::stdin().lock().take(MAX_OPS_BYTES + 1);
    let read = limited.read_to_string(&mut text);
    read.map_err(|error| input(format!("standard input: {error}"), "operations are UTF-8"))?;
    if text.len() as u64 > MAX_OPS_BYTES {
        let message = format!("standard input holds more than {MAX_OPS_BYTES} bytes");
        return Err(input(message, "give the operations in several commands"));
    }
    Ok(text)
}

fn operations(text: &str) -> Result<Vec<EditOperation>, CliError> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            let line: Line = serde_json::from_str(line).map_err(|error| {
                let message = format!("line {} is no operation: {error}", index + 1);
                input(
                    message,
                    r#"one a line: {"method": "insert", "params": {"at": 0, "text": "x"}}"#,
                )
            })?;
            Ok(EditOperation {
                line: index + 1,
                method: line.method,
                params: line.params,
            })
        })
        .collect()
}

fn lines(done: &Edited, style: Style) -> Vec<String> {
    let path = style.bold(&one_line(&done.path));
    let operations = count(done.answers.len(), "operation");
    if done.diff.is_empty() {
        return vec![format!("{path}: {operations}, nothing changed")];
    }
    let mut lines = unified(&done.diff, style);
    lines.push(if done.saved {
        format!("{} {path}: {operations}, written", style.green("✓"))
    } else {
        format!("{path}: {operations}, nothing written")
    });
    lines
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
