//! The commands that our documents tell people to type.

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::error::{Result, XtaskError};
use crate::workspace::Workspace;

/// The documents whose commands are checked.
const DOCUMENTS: [&str; 2] = ["README.md", "CONTRIBUTING.md"];

/// Checks that every `cargo xtask` line of the documents is one this program
/// takes, and returns the commands of the README.
///
/// # Errors
/// One line a command that would be refused, or that the README must have and
/// has not.
pub fn check(workspace: &Workspace) -> Result<Vec<Command>> {
    let mut commands = Vec::new();
    let mut findings = Vec::new();
    for document in DOCUMENTS {
        let path = workspace.root().join(document);
        let text =
            std::fs::read_to_string(&path).map_err(|e| XtaskError::file("read", &path, e))?;
        for line in typed(&text) {
            match Cli::try_parse_from(words(line)) {
                Ok(cli) if document == "README.md" => commands.push(cli.command),
                Ok(_) => {}
                Err(error) => {
                    let why = error.to_string();
                    let why = why.lines().next().unwrap_or_default().to_owned();
                    findings.push(format!("{document}: `{line}`: {why}"));
                }
            }
        }
    }
    if !commands.iter().any(|c| matches!(c, Command::Run(_))) {
        findings.push("README.md: does not say how to run (`cargo xtask run`)".to_owned());
    }
    if !commands.iter().any(|c| matches!(c, Command::Test(_))) {
        findings.push("README.md: does not say how to test (`cargo xtask test`)".to_owned());
    }
    if findings.is_empty() {
        return Ok(commands);
    }
    Err(XtaskError::Check {
        what: "commands in the documents".to_owned(),
        findings,
    })
}

/// The `cargo xtask` lines within fenced blocks.
fn typed(markdown: &str) -> Vec<&str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in markdown.lines() {
        let line = line.trim();
        if line.starts_with("```") {
            inside = !inside;
            continue;
        }
        let command = line.strip_prefix("$ ").unwrap_or(line);
        if inside && command.starts_with("cargo xtask") {
            lines.push(command.split(" #").next().unwrap_or(command).trim());
        }
    }
    lines
}

fn words(line: &str) -> Vec<&str> {
    let rest = line.strip_prefix("cargo xtask").unwrap_or_default();
    std::iter::once("cargo xtask")
        .chain(rest.split_whitespace())
        .collect()
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn commands_are_read_from_fenced_blocks_only() {
        let text = "`cargo xtask in-prose`\n```sh\n$ cargo xtask run    # plays\ncargo build\n\
                    cargo xtask test\n```\ncargo xtask after\n";
        assert_eq!(typed(text), ["cargo xtask run", "cargo xtask test"]);
    }

    #[test]
    fn a_command_of_ours_parses_and_another_does_not() {
        assert!(Cli::try_parse_from(words("cargo xtask run --headless -- review")).is_ok());
        assert!(Cli::try_parse_from(words("cargo xtask bench --short")).is_ok());
        assert!(Cli::try_parse_from(words("cargo xtask fly")).is_err());
    }
}
