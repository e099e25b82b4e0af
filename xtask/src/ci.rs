//! `cargo xtask ci`: what must hold before a change is taken.

use std::time::{Duration, Instant};

use crate::error::{Result, XtaskError};
use crate::exec::Tool;
use crate::report::{Step, seconds, step};
use crate::workspace::Workspace;
use crate::{bench, lint, readme, setup, tests};

/// Where the sample of CI's performance goes, below this command's folder.
const PERFORMANCE_HOME: &str = "ci-home";

type Work = fn(&Workspace) -> Result<()>;

/// The steps, cheap ones first.
const STEPS: [(&str, Work); 11] = [
    ("setup", setup::all),
    ("commands in documents", documents),
    ("format", lint::format),
    ("layers", lint::layers),
    ("licences, bans", lint::deny),
    ("ruff", lint::ruff),
    ("clippy", lint::clippy),
    ("README: cargo xtask test", |w| tests::run(w, None)),
    ("README: cargo xtask run", performance),
    ("documentation", lint::doc),
    ("benchmarks build", bench::compile),
];

/// Runs every step, stops at the first that fails, and ends with a table of
/// what ran and how long it took.
///
/// # Errors
/// That of the step that failed.
pub fn run(workspace: &Workspace) -> Result<()> {
    let mut table: Vec<(&str, char, Duration)> = Vec::new();
    let mut failure = None;
    for (name, work) in STEPS {
        eprintln!("\n== {name}");
        let start = Instant::now();
        let result = work(workspace);
        let mark = if result.is_ok() { '✓' } else { '✗' };
        table.push((name, mark, start.elapsed()));
        if let Err(error) = result {
            failure = Some(error);
            break;
        }
    }
    let total: Duration = table.iter().map(|row| row.2).sum();
    eprintln!("\n== summary");
    for (name, mark, took) in &table {
        eprintln!("  {mark} {name:<28}{:>14}", seconds(*took));
    }
    for (name, _) in &STEPS[table.len()..] {
        eprintln!("  - {name:<28}{:>14}", "not run");
    }
    eprintln!("    {:<28}{:>14}", "total", seconds(total));
    failure.map_or(Ok(()), Err)
}

fn documents(workspace: &Workspace) -> Result<()> {
    let check = || readme::check(workspace);
    step(Step::quiet("commands"), check, |found| {
        format!("{} in the README", found.len())
    })?;
    Ok(())
}

/// Plays the sample as the README says, in a home of its own, as a process of
/// its own: the variable that names the home must not leak into other steps.
fn performance(workspace: &Workspace) -> Result<()> {
    let home = workspace.scratch().join(PERFORMANCE_HOME);
    match std::fs::remove_dir_all(&home) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(XtaskError::file("remove", &home, e));
        }
        _ => {}
    }
    // Through cargo, as the README says it: the tests have built this very
    // program anew meanwhile.
    Tool::cargo()
        .args(["xtask", "run", "--headless"])
        .dir(workspace.root())
        .env("SYMPHONY_HOME", &home)
        .show()
}
