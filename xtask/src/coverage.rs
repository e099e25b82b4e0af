//! `cargo xtask coverage`: which lines the tests reach, with the compiler's own
//! instrumentation and LLVM's tools of the same version.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Result, XtaskError};
use crate::exec::{Tool, find};
use crate::report::{Step, step};
use crate::setup::{self, system};
use crate::workspace::Workspace;

const TEST_LIMIT: Duration = Duration::from_secs(60 * 60);
/// Not ours, or not shipped.
const LEFT_OUT: &str = r"(\.cargo/registry|/rustc/|/xtask/|/symphony-testkit/|/tests/|/benches/)";

/// LLVM's two coverage programs.
struct Llvm {
    profdata: PathBuf,
    cov: PathBuf,
}

/// Runs every Rust test instrumented and prints the lines reached by file; an
/// LCOV file for editors lies below cargo's output folder.
///
/// # Errors
/// When LLVM's tools are missing and cannot be installed, or a test fails.
pub fn run(workspace: &Workspace) -> Result<()> {
    setup::all(workspace)?;
    let llvm = llvm()?;
    let target = workspace.target().join("coverage");
    let profiles = target.join("profiles");
    clear(&profiles)?;

    let cargo = |words: &[&str]| {
        Tool::cargo()
            .args(words)
            .dir(workspace.root())
            .envs(&workspace.env())
            .env("CARGO_TARGET_DIR", &target)
            .env("RUSTFLAGS", "-C instrument-coverage")
            .env("LLVM_PROFILE_FILE", profiles.join("%p-%8m.profraw"))
            .limit(TEST_LIMIT)
    };
    let tests = [
        "test",
        "--workspace",
        "--locked",
        "--lib",
        "--bins",
        "--tests",
    ];
    let work = || {
        cargo(&["build", "--workspace", "--locked", "--bins"]).show()?;
        cargo(&tests).show()
    };
    step(Step::shown("instrumented tests"), work, |()| {
        "passed".to_owned()
    })?;

    let merged = target.join("merged.profdata");
    let raw = files(&profiles, "profraw");
    Tool::new(&llvm.profdata)
        .args(["merge", "-sparse", "-o"])
        .args([&merged])
        .args(raw)
        .read()?;
    let objects = objects(&target);
    let report = |words: &[&str]| {
        Tool::new(&llvm.cov)
            .args(words)
            .args([format!("--instr-profile={}", merged.display())])
            .args([format!("--ignore-filename-regex={LEFT_OUT}")])
            .args(
                objects
                    .iter()
                    .map(|object| format!("--object={}", object.display())),
            )
    };
    let lcov = target.join("lcov.info");
    let text = report(&["export", "--format=lcov"]).read()?;
    fs::write(&lcov, text).map_err(|e| XtaskError::file("write", &lcov, e))?;
    report(&[
        "report",
        "--show-region-summary=false",
        "--show-branch-summary=false",
    ])
    .show()?;
    eprintln!("\n  for editors: {}", lcov.display());
    Ok(())
}

fn clear(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(XtaskError::file("remove", dir, e));
        }
        _ => {}
    }
    fs::create_dir_all(dir).map_err(|e| XtaskError::file("create", dir, e))
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).map(|d| d.flatten().map(|e| e.path()).collect::<Vec<_>>());
    let mut paths = entries.unwrap_or_default();
    paths.retain(|p| p.is_file() && p.extension().unwrap_or_default() == OsStr::new(extension));
    paths
}

/// Our programs and test programs: those without an extension, of `debug` and
/// `debug/deps`.
fn objects(target: &Path) -> BTreeSet<PathBuf> {
    let debug = target.join("debug");
    let extension = std::env::consts::EXE_EXTENSION;
    [debug.clone(), debug.join("deps")]
        .iter()
        .flat_map(|dir| files(dir, extension))
        .collect()
}

/// LLVM's tools of the version that rustc was built with: from the toolchain,
/// from the system, or installed now.
fn llvm() -> Result<Llvm> {
    let sysroot = Tool::new("rustc").args(["--print", "sysroot"]).read()?;
    let version = Tool::new("rustc").args(["-vV"]).read()?;
    let (host, major) = parse_version(&version).ok_or_else(|| XtaskError::Unusable {
        what: "rustc -vV".to_owned(),
        problem: "names no host or no LLVM version".to_owned(),
    })?;
    let bundled = Path::new(&sysroot)
        .join("lib/rustlib")
        .join(host)
        .join("bin");
    let system = PathBuf::from(format!("/usr/lib/llvm-{major}/bin"));
    let look = || {
        let in_path = (
            find(&format!("llvm-profdata-{major}")),
            find(&format!("llvm-cov-{major}")),
        );
        if let (Some(profdata), Some(cov)) = in_path {
            return Some(Llvm { profdata, cov });
        }
        [&bundled, &system].into_iter().find_map(|dir| {
            let (profdata, cov) = (dir.join("llvm-profdata"), dir.join("llvm-cov"));
            (profdata.is_file() && cov.is_file()).then_some(Llvm { profdata, cov })
        })
    };
    if let Some(llvm) = look() {
        return Ok(llvm);
    }
    let rustup = Tool::new("rustup").args(["component", "add", "llvm-tools"]);
    if !rustup.limit(Duration::from_secs(120)).succeeds() {
        system::install("LLVM's coverage tools", &[&format!("llvm-{major}")])?;
    }
    look().ok_or_else(|| XtaskError::Missing {
        what: format!("llvm-profdata {major}"),
        fix: "rustup component add llvm-tools".to_owned(),
    })
}

/// The host and LLVM's major version, from `rustc -vV`.
fn parse_version(text: &str) -> Option<(&str, &str)> {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let major = value("LLVM version: ")?.split('.').next()?;
    Some((value("host: ")?, major))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn the_version_is_read_from_rustc() {
        let text =
            "rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\nLLVM version: 22.1.2";
        assert_eq!(
            parse_version(text),
            Some(("x86_64-unknown-linux-gnu", "22"))
        );
        assert_eq!(parse_version("rustc 1.95.0"), None);
    }
}
