//! `cargo xtask fuzz`: bytes that nobody would send, guided by what they reach.
//!
//! Inputs that reach something new are kept in `fuzz/corpus`, and so is what
//! broke something; tests of xi-editor replay them all.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::FuzzArgs;
use crate::error::{Result, XtaskError};
use crate::exec::Tool;
use crate::report::{Step, step};
use crate::workspace::Workspace;

/// The targets and the length of their inputs.
const TARGETS: [(&str, u32); 5] = [
    ("protocol", 2_048),
    ("requests", 700),
    ("edits", 700),
    ("search", 600),
    ("dialect", 2_048),
];
/// What the compiler adds for libFuzzer; all of it is known to the stable one.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";
const PROGRAM: &str = "xi-editor-fuzz";
/// Building and merging take no longer.
const LIMIT: Duration = Duration::from_secs(60 * 60);
/// So many inputs are kept for a target, of so many bytes together.
const KEPT: usize = 100;
const KEPT_BYTES: u64 = 150 * 1024;

/// Fuzzes the targets asked for, one after the other.
///
/// # Errors
/// When the targets do not build, or something was found.
pub fn run(workspace: &Workspace, args: &FuzzArgs) -> Result<()> {
    let named = |name: &str| args.target.as_deref().is_none_or(|t| t == name);
    let targets: Vec<_> = TARGETS
        .into_iter()
        .filter(|(name, _)| named(name))
        .collect();
    if targets.is_empty() {
        return Err(XtaskError::Unusable {
            what: "the target".to_owned(),
            problem: format!("there are {}", TARGETS.map(|(name, _)| name).join(", ")),
        });
    }
    let place = Place::build(workspace)?;
    let mut findings = Vec::new();
    for (name, len) in targets {
        findings.extend(place.fuzz(name, len, args.minutes)?);
    }
    if findings.is_empty() {
        return Ok(());
    }
    let what = "fuzzing".to_owned();
    Err(XtaskError::Check { what, findings })
}

/// Where it is built, and where inputs lie.
struct Place {
    program: PathBuf,
    /// Committed inputs, a folder a target.
    corpus: PathBuf,
    dictionaries: PathBuf,
    /// What was found in any run on this machine, and empty folders.
    scratch: PathBuf,
}

impl Place {
    fn build(workspace: &Workspace) -> Result<Self> {
        let fuzz = workspace.root().join("fuzz");
        let scratch = workspace.target().join("fuzzing");
        // With a target named, build scripts are built without the flags.
        let host = Tool::new("rustc").args(["--print", "host-tuple"]).read()?;
        let build = Tool::cargo()
            .args(["build", "--release", "--locked", "--target", &host])
            .dir(&fuzz)
            .env("RUSTFLAGS", FLAGS)
            .env("CARGO_TARGET_DIR", &scratch)
            .limit(LIMIT);
        step(
            Step::shown("build for fuzzing"),
            || build.show(),
            |()| "instrumented".to_owned(),
        )?;
        let folder = scratch.join(&host).join("release");
        Ok(Self {
            program: folder.join(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX)),
            corpus: fuzz.join("corpus"),
            dictionaries: fuzz.join("dictionaries"),
            scratch,
        })
    }

    /// Fuzzes one target; what was found, in words.
    fn fuzz(&self, name: &str, len: u32, minutes: u32) -> Result<Option<String>> {
        let corpus = self.corpus.join(name);
        let found = folder(self.scratch.join("inputs").join(name))?;
        folder(corpus.clone())?;
        let log = self.scratch.join("logs").join(format!("{name}.log"));
        let seconds = u64::from(minutes) * 60;
        let mut tool = self
            .tool(name, len)?
            .args([
                format!("-max_total_time={seconds}"),
                format!("-artifact_prefix={}/", corpus.display()),
                "-timeout=25".to_owned(),
                "-rss_limit_mb=2048".to_owned(),
                "-print_final_stats=1".to_owned(),
            ])
            .limit(Duration::from_secs(seconds) + LIMIT);
        let dictionary = self.dictionaries.join(name);
        if dictionary.is_file() {
            tool = tool.args([format!("-dict={}", dictionary.display())]);
        }
        tool = tool.args([&found, &corpus]);
        let name_of_step = format!("fuzz {name}");
        let ended = step(
            Step::quiet(&name_of_step),
            || tool.keep(&log),
            |()| reached(&log),
        );
        self.minimise(name, len)?;
        match ended {
            Ok(()) => Ok(None),
            Err(XtaskError::Failed { .. }) => Ok(Some(format!(
                "{name}: an input that breaks it is in {}; what it broke: {}",
                corpus.display(),
                log.display()
            ))),
            Err(error) => Err(error),
        }
    }

    /// The program, with nothing within its reach.
    fn tool(&self, name: &str, len: u32) -> Result<Tool> {
        Ok(Tool::new(&self.program)
            .env("FUZZ_TARGET", name)
            .env("PATH", folder(self.scratch.join("empty"))?)
            .env("TMPDIR", folder(self.scratch.join("temporary"))?)
            .args([format!("-max_len={len}")]))
    }

    /// Keeps a few inputs that reach what is reached.
    fn minimise(&self, name: &str, len: u32) -> Result<()> {
        let corpus = self.corpus.join(name);
        let least = self.scratch.join("least").join(name);
        let _ = fs::remove_dir_all(&least);
        let least = folder(least)?;
        let log = self.scratch.join("logs").join(format!("{name}-least.log"));
        self.tool(name, len)?
            .args([
                "-set_cover_merge=1",
                "-use_counters=0",
                "-rss_limit_mb=2048",
            ])
            .args([&least, &corpus, &self.scratch.join("inputs").join(name)])
            .limit(LIMIT)
            .keep(&log)?;
        for old in files(&corpus)?.iter().filter(|path| !is_finding(path)) {
            fs::remove_file(old).map_err(|e| XtaskError::file("remove", old, e))?;
        }
        let mut left = KEPT_BYTES;
        let mut inputs = Vec::new();
        for path in files(&least)?.into_iter().filter(|path| !is_finding(path)) {
            let len = fs::metadata(&path).map_err(|e| XtaskError::file("read", &path, e))?;
            inputs.push((len.len(), path));
        }
        // The longest reach most.
        inputs.sort_unstable_by(|a, b| b.cmp(a));
        for (len, path) in inputs.into_iter().take(KEPT) {
            let Some(rest) = left.checked_sub(len) else {
                break;
            };
            left = rest;
            let to = corpus.join(path.file_name().unwrap_or_default());
            fs::copy(&path, &to).map_err(|e| XtaskError::file("write", &to, e))?;
        }
        Ok(())
    }
}

fn folder(path: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&path).map_err(|e| XtaskError::file("create", &path, e))?;
    Ok(path)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = |e| XtaskError::file("read", folder, e);
    let entries = fs::read_dir(folder).map_err(read)?;
    entries
        .map(|entry| entry.map(|e| e.path()).map_err(read))
        .collect()
}

/// Whether it is an input that broke something: those stay.
fn is_finding(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    ["crash-", "timeout-", "oom-"]
        .iter()
        .any(|kind| name.starts_with(kind))
}

/// How much was run and reached, from libFuzzer's own words.
fn reached(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    summary(&String::from_utf8_lossy(&text))
}

fn summary(log: &str) -> String {
    let after = |line: &str, mark: &str| {
        let (_, rest) = line.split_once(mark)?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    let last = |mark: &str| log.lines().rev().find_map(|line| after(line, mark));
    let executed = last("number_of_executed_units:").unwrap_or_else(|| "?".to_owned());
    let edges = last(" cov:").unwrap_or_else(|| "?".to_owned());
    format!("{executed} runs, {edges} edges, no finding")
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn what_was_reached_is_read_from_the_log() {
        let log = "#2\tINITED cov: 7 ft: 9\n#9\tDONE   cov: 12 ft: 12 corp: 5/17b\n\
                   stat::number_of_executed_units: 9\n";
        assert_eq!(summary(log), "9 runs, 12 edges, no finding");
        assert_eq!(summary(""), "? runs, ? edges, no finding");
    }

    #[test]
    fn findings_stay_in_the_corpus() {
        assert!(is_finding(Path::new("corpus/edits/crash-93af54c0")));
        assert!(!is_finding(Path::new("corpus/edits/93af54c0")));
    }
}
