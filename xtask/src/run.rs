//! `cargo xtask run`: from a fresh clone to a change set on the sample project.

use std::path::Path;
use std::time::Duration;

use crate::cli::RunArgs;
use crate::error::Result;
use crate::exec::Tool;
use crate::report::{Step, step};
use crate::sample::{self, Origin};
use crate::setup;
use crate::workspace::Workspace;

/// An interactive review may take a day.
const PLAY_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
/// Without anyone to wait for, the sample is played in minutes.
const HEADLESS_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Sets up, builds, copies the sample project and plays `document` on it, or
/// runs the symphony command that was asked for.
///
/// # Errors
/// Those of the set-up, and Symphony's own failure with its exit code.
pub fn run(workspace: &Workspace, args: &RunArgs) -> Result<()> {
    setup::all(workspace)?;
    let build = || workspace.build_binaries().show();
    step(Step::shown("symphony, xi-editor"), build, |()| {
        "built".to_owned()
    })?;
    let making = || sample::copy(workspace, args.fresh);
    let (copy, _) = step(Step::quiet("sample project"), making, |(_, origin)| {
        match origin {
            Origin::Made => "its own copy, the original stays",
            Origin::Reused => "the copy of last time (--fresh: anew)",
        }
        .to_owned()
    })?;
    eprintln!();

    let words = words(&args.args, &copy);
    let plays = words.first().is_some_and(|word| word == "perform");
    let mut symphony = Tool::new(workspace.binary("symphony"))
        .args(&words)
        .dir(&copy)
        .envs(&workspace.env())
        .limit(if args.headless {
            HEADLESS_LIMIT
        } else {
            PLAY_LIMIT
        });
    if !args.headless {
        symphony = symphony.with_stdin();
    }
    symphony.show()?;
    if plays {
        say_next(&copy);
    }
    Ok(())
}

/// What to call symphony with: the given command, or `perform document` with
/// the given options.
fn words(args: &[String], copy: &Path) -> Vec<String> {
    let is_command = args.first().is_some_and(|word| !word.starts_with('-'));
    if is_command {
        return args.to_vec();
    }
    let project = copy.display().to_string();
    let mut words = ["perform", "document", "--project", &project]
        .map(str::to_owned)
        .to_vec();
    words.extend_from_slice(args);
    words
}

/// How to call what was just built: `symphony` alone is not on the path yet.
fn say_next(copy: &Path) {
    eprintln!("\n  The project is {}", copy.display());
    eprintln!("  From this repository, every symphony command for it goes through cargo:");
    eprintln!("    cargo xtask run -- review             look at each hunk, accept or reject");
    eprintln!("    cargo xtask run -- review --accept    take all of it");
    eprintln!("    cargo xtask run -- undo               take it back");
    eprintln!("    cargo xtask run                       again: answered from the cache");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(args: &[&str]) -> String {
        let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        words(&args, Path::new("/copy")).join(" ")
    }

    #[test]
    fn without_words_the_default_melody_is_played_on_the_copy() {
        assert_eq!(called(&[]), "perform document --project /copy");
    }

    #[test]
    fn options_go_to_the_default_melody() {
        assert_eq!(
            called(&["--json"]),
            "perform document --project /copy --json"
        );
    }

    #[test]
    fn a_command_is_run_as_it_stands() {
        assert_eq!(called(&["review", "--accept"]), "review --accept");
    }
}
