//! Checks that read the sources and run nothing of ours.

use crate::advisories;
use crate::error::{Result, XtaskError};
use crate::exec::{Tool, find};
use crate::layers::{self, Layers};
use crate::report::{self, Step, step};
use crate::workspace::Workspace;

/// Every check of this module but the documentation, also after one has failed.
///
/// # Errors
/// One line a check that does not hold.
pub fn all(workspace: &Workspace) -> Result<()> {
    let checks = [format, layers, deny, ruff, clippy];
    let failed = checks.iter().filter_map(|check| check(workspace).err());
    let findings: Vec<String> = failed.map(|error| error.to_string()).collect();
    if findings.is_empty() {
        return Ok(());
    }
    Err(XtaskError::Check {
        what: "lint".to_owned(),
        findings,
    })
}

/// `cargo fmt --check`.
///
/// # Errors
/// When a file is formatted otherwise.
pub fn format(workspace: &Workspace) -> Result<()> {
    shown(
        "format",
        Tool::cargo()
            .args(["fmt", "--all", "--check"])
            .dir(workspace.root()),
    )
}

/// Clippy over every target, warnings refused.
///
/// # Errors
/// When there is a warning.
pub fn clippy(workspace: &Workspace) -> Result<()> {
    let tool = Tool::cargo()
        .args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])
        .dir(workspace.root());
    shown("clippy", tool)
}

/// `layers.toml` against the workspace.
///
/// # Errors
/// One line a breach.
pub fn layers(workspace: &Workspace) -> Result<()> {
    let work = || {
        let path = workspace.root().join("layers.toml");
        let text =
            std::fs::read_to_string(&path).map_err(|e| XtaskError::file("read", &path, e))?;
        let table: Layers = toml::from_str(&text).map_err(|e| XtaskError::Unusable {
            what: path.display().to_string(),
            problem: e.to_string(),
        })?;
        let breaches = layers::check(&table, workspace.metadata());
        if breaches.is_empty() {
            return Ok(table.crates.len());
        }
        let findings = breaches.iter().map(ToString::to_string).collect();
        Err(XtaskError::Check {
            what: "layers".to_owned(),
            findings,
        })
    };
    step(Step::quiet("layers"), work, |crates| {
        format!("{crates} crates")
    })?;
    Ok(())
}

/// Bans, licences and sources; advisories where a database can be had.
///
/// # Errors
/// When a check does not hold.
pub fn deny(workspace: &Workspace) -> Result<()> {
    if find("cargo-deny").is_none() {
        report::skipped(
            "licences and bans",
            "no cargo-deny (cargo install --locked cargo-deny --version 0.20.2)",
        );
        return Ok(());
    }
    let tool = Tool::new("cargo-deny")
        .args(["--log-level", "error", "check"])
        .args(["bans", "licenses", "sources"])
        .dir(workspace.root());
    shown("licences and bans", tool)?;
    advisories::check(workspace)
}

/// Ruff over our Python, when the environment has it.
///
/// # Errors
/// When ruff finds something.
pub fn ruff(workspace: &Workspace) -> Result<()> {
    let ruff = workspace.venv_program("ruff");
    if !ruff.exists() {
        report::skipped("ruff", "no Python environment yet (cargo xtask setup)");
        return Ok(());
    }
    let folders = ["python", "extensions"];
    let folders = folders
        .iter()
        .filter(|name| workspace.root().join(name).is_dir());
    let tool = |words: &[&str]| Tool::new(&ruff).args(words).dir(workspace.root());
    shown(
        "ruff check",
        tool(&["check", "--quiet"]).args(folders.clone()),
    )?;
    shown(
        "ruff format",
        tool(&["format", "--quiet", "--check"]).args(folders),
    )
}

/// The documentation of every crate, warnings refused.
///
/// # Errors
/// When rustdoc warns, as of a link that leads nowhere.
pub fn doc(workspace: &Workspace) -> Result<()> {
    let tool = Tool::cargo()
        .args(["doc", "--workspace", "--no-deps", "--locked"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .dir(workspace.root());
    shown("documentation", tool)
}

fn shown(name: &str, tool: Tool) -> Result<()> {
    step(Step::shown(name), || tool.show(), |()| "clean".to_owned())
}
