//! How errors are shown.

use crate::{
    api::{CommandError, ErrorKind},
    cli::{style::Style, text::visible},
};
use serde_json::json;
use std::io;

/// Why a command of the command line ended early.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// It was not done.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Its output could not be written.
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
    /// It was done and told, and what it told is no success.
    #[error("exit code {0}")]
    Told(u8),
}

/// What a command of the command line comes to.
pub type CliResult<T = ()> = Result<T, CliError>;

impl CliError {
    /// The error for people; `None` when there is nothing more to tell: whoever
    /// read the output has gone, or it was told before.
    pub fn to_tell(&self) -> Option<CommandError> {
        match self {
            Self::Command(error) => Some(error.clone()),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Self::Output(error) => {
                let mut told = CommandError::new(ErrorKind::Environment, self.to_string());
                told.causes.push(error.to_string());
                Some(told)
            }
            Self::Told(_) => None,
        }
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Command(error) => error.kind.exit_code(),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Output(_) => ErrorKind::Environment.exit_code(),
            Self::Told(code) => *code,
        }
    }
}

/// An error of input: exit code 3.
pub fn input(message: impl Into<String>, help: impl Into<String>) -> CliError {
    CliError::Command(CommandError::new(ErrorKind::Input, message).help(help))
}

/// An answer that does not belong to the command.
pub fn unexpected(what: &str) -> CliError {
    let message = format!("the host gave another answer than {what}");
    let error = CommandError::new(ErrorKind::Failed, message);
    CliError::Command(
        error.help(
            "are two versions of Symphony in use? `symphony status` names the host's process",
        ),
    )
}

/// The lines of an error for a terminal.
pub fn render(error: &CommandError, style: Style) -> String {
    let mut out = Vec::new();
    // A list of problems is a list of errors: each begins unindented, its details are indented.
    let is_list = error
        .message
        .lines()
        .skip(1)
        .any(|line| line.starts_with("  "));
    for (index, line) in error.message.lines().enumerate() {
        let line = visible(line);
        let detail = index > 0 && (line.starts_with(' ') || !is_list);
        match line.trim_start() {
            text if !detail => out.push(format!("{} {text}", style.alarm("error:"))),
            text if text.starts_with("help: ") => out.push(help(&text["help: ".len()..], style)),
            text => out.push(format!("  {text}")),
        }
    }
    if error.message.is_empty() {
        out.push(style.alarm("error:"));
    }
    for cause in &error.causes {
        let mut lines = cause.lines().map(visible);
        let first = lines.next().unwrap_or_default();
        out.push(format!("  {} {first}", style.dim("caused by:")));
        out.extend(lines.map(|line| format!("    {}", line.trim())));
    }
    if let Some(text) = &error.help {
        let mut lines = text.lines().map(visible);
        out.push(help(&lines.next().unwrap_or_default(), style));
        out.extend(lines.map(|line| format!("        {}", line.trim())));
    }
    out.join("\n")
}

fn help(text: &str, style: Style) -> String {
    format!("  {} {text}", style.cyan("help:"))
}

/// An error as one line of JSON.
pub fn json_line(error: &CommandError) -> String {
    json!({ "error": {
        "kind": error.kind,
        "exit_code": error.kind.exit_code(),
        "message": error.message,
        "causes": error.causes,
        "help": error.help,
    }})
    .to_string()
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;
