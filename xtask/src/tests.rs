//! `cargo xtask test`: every test of the repository, with or without nextest.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Result, XtaskError};
use crate::exec::Tool;
use crate::report::{self, Step};
use crate::setup;
use crate::workspace::Workspace;

/// Longer than this and something hangs that its own time-out did not catch.
const SUITE_LIMIT: Duration = Duration::from_secs(25 * 60);
/// What pytest answers when no test matched.
const PYTEST_NOTHING: i32 = 5;

/// What came of one suite.
struct Outcome {
    name: &'static str,
    /// How many tests ran, where the runner tells.
    count: Option<u64>,
    error: Option<XtaskError>,
}

/// Sets up, builds every program and test, and runs every suite, also after
/// one has failed.
///
/// # Errors
/// When the set-up or the build fails, or any suite does; the error names them.
pub fn run(workspace: &Workspace, filter: Option<&str>) -> Result<()> {
    let start = Instant::now();
    setup::all(workspace)?;
    let build = || build(workspace).show();
    report::step(Step::shown("programs and tests"), build, |()| {
        "built".to_owned()
    })?;

    let mut outcomes = vec![rust(workspace, filter)];
    if filter.is_none() {
        outcomes.push(documentation(workspace));
    }
    outcomes.extend(python(workspace, filter));
    conclude(&outcomes, start.elapsed())
}

/// One build for all: the tests start programs of other packages than their own.
fn build(workspace: &Workspace) -> Tool {
    let what = ["--workspace", "--lib", "--bins", "--tests", "--locked"];
    Tool::cargo()
        .args(["build"])
        .args(what)
        .dir(workspace.root())
}

fn rust(workspace: &Workspace, filter: Option<&str>) -> Outcome {
    if has_nextest() {
        let tool = Tool::cargo()
            .args([
                "nextest",
                "run",
                "--workspace",
                "--locked",
                "--no-fail-fast",
            ])
            .args(["--no-tests=pass"])
            .args(profile())
            .args(filter);
        let junit = workspace
            .target()
            .join("nextest")
            .join(profile_name())
            .join("junit.xml");
        return suite(workspace, "Rust tests", tool, Some(&junit));
    }
    let tool = Tool::cargo()
        .args([
            "test",
            "--workspace",
            "--locked",
            "--lib",
            "--bins",
            "--tests",
            "--no-fail-fast",
        ])
        .args(filter);
    suite(workspace, "Rust tests", tool, None)
}

fn documentation(workspace: &Workspace) -> Outcome {
    let tool = Tool::cargo().args(["test", "--workspace", "--locked", "--doc", "--no-fail-fast"]);
    suite(workspace, "documentation tests", tool, None)
}

fn python(workspace: &Workspace, filter: Option<&str>) -> Option<Outcome> {
    let folders = ["python", "extensions"].map(|name| workspace.root().join(name));
    let folders: Vec<_> = folders.iter().filter(|folder| folder.is_dir()).collect();
    if folders.is_empty() {
        return None;
    }
    let junit = workspace.scratch().join("pytest.xml");
    let mut tool = Tool::new(workspace.python())
        .args(["-m", "pytest", "--junit-xml"])
        .args([&junit])
        .args(folders);
    if let Some(filter) = filter {
        tool = tool.args(["-k", filter]);
    }
    let mut outcome = suite(workspace, "Python tests", tool, Some(&junit));
    let nothing = |e: &XtaskError| {
        matches!(
            e,
            XtaskError::Failed {
                code: Some(PYTEST_NOTHING),
                ..
            }
        )
    };
    if filter.is_some() && outcome.error.as_ref().is_some_and(nothing) {
        outcome.error = None;
    }
    Some(outcome)
}

fn suite(workspace: &Workspace, name: &'static str, tool: Tool, junit: Option<&Path>) -> Outcome {
    let step = Step::shown(name);
    let tool = tool
        .dir(workspace.root())
        .envs(&workspace.env())
        .limit(SUITE_LIMIT);
    if let Some(old) = junit {
        // A report of an earlier run must not be counted; there may be none.
        let _ = fs::remove_file(old);
    }
    let error = tool.show().err();
    let count = junit
        .and_then(|path| fs::read_to_string(path).ok())
        .and_then(|t| count(&t));
    let detail = count.map(|n| format!("{n} ran")).unwrap_or_default();
    match &error {
        None => step.done(&detail),
        Some(_) => step.failed(&detail),
    };
    Outcome { name, count, error }
}

/// One line that says how it went, or an error with one line a failed suite.
fn conclude(outcomes: &[Outcome], took: Duration) -> Result<()> {
    let findings: Vec<String> = outcomes
        .iter()
        .filter_map(|o| o.error.as_ref().map(|e| format!("{}: {e}", o.name)))
        .collect();
    if !findings.is_empty() {
        return Err(XtaskError::Check {
            what: "tests".to_owned(),
            findings,
        });
    }
    let parts: Vec<String> = outcomes
        .iter()
        .map(|o| {
            o.count
                .map_or_else(|| o.name.to_owned(), |n| format!("{n} {}", o.name))
        })
        .collect();
    eprintln!(
        "\n  ✓ all green: {} · {}",
        parts.join(", "),
        report::seconds(took)
    );
    Ok(())
}

/// Whether cargo nextest can be used.
#[must_use]
pub fn has_nextest() -> bool {
    Tool::cargo().args(["nextest", "--version"]).succeeds()
}

fn profile_name() -> &'static str {
    if std::env::var_os("CI").is_some_and(|v| !v.is_empty()) {
        "ci"
    } else {
        "default"
    }
}

fn profile() -> [&'static str; 2] {
    ["--profile", profile_name()]
}

/// The sum of the `tests` attributes of a JUnit report's suites.
fn count(junit: &str) -> Option<u64> {
    let mut total = None;
    for element in junit.split("<testsuite ").skip(1) {
        let attributes = element.split('>').next()?;
        let value = attributes.split("tests=\"").nth(1)?.split('"').next()?;
        total = Some(total.unwrap_or(0) + value.parse::<u64>().ok()?);
    }
    total
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_report_is_counted_over_its_suites() {
        let text = r#"<testsuites name="run" tests="7"><testsuite name="a" tests="3" failures="0">
            <testcase name="x"/></testsuite><testsuite name="b" tests="4"/></testsuites>"#;
        assert_eq!(count(text), Some(7));
    }

    #[test]
    fn a_report_cut_short_counts_as_unknown() {
        assert_eq!(count("<testsuites"), None);
        assert_eq!(count("<testsuite name=\"a\" tests=\"many\">"), None);
    }

    #[test]
    fn one_failed_suite_fails_the_whole_and_is_named() {
        let outcome = |name, error| Outcome {
            name,
            count: Some(1),
            error,
        };
        let broken = XtaskError::Missing {
            what: "x".into(),
            fix: "y".into(),
        };
        let all = [
            outcome("Rust tests", None),
            outcome("Python tests", Some(broken)),
        ];
        let message = conclude(&all, Duration::ZERO).unwrap_err().to_string();
        assert!(message.contains("Python tests: x is missing"), "{message}");
        assert!(!message.contains("Rust tests"), "{message}");
        assert!(conclude(&[outcome("Rust tests", None)], Duration::ZERO).is_ok());
    }
}
