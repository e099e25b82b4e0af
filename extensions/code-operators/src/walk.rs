//! Which files of a project are its own source.

use crate::languages::Language;
use crate::project::{Project, RelPath, Unreadable};
use ignore::{DirEntry, WalkBuilder};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use symphony_extension_sdk::types::Finding;
use symphony_extension_sdk::{Call, Failure};

const VENDORED: [&str; 9] = [
    "node_modules",
    "vendor",
    "third_party",
    "bower_components",
    "dist",
    "site-packages",
    "__pycache__",
    "venv",
    "__pypackages__",
];
const GENERATED: [&str; 7] = [
    ".min.js",
    ".bundle.js",
    "_pb2.py",
    "_pb2_grpc.py",
    ".pb.go",
    "_generated.go",
    ".pyi",
];

/// A source file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it is.
    pub path: RelPath,
    /// What it is written in.
    pub language: Language,
}

/// Source files under `paths` (all of the project when empty), sorted by path.
///
/// Honours `.gitignore`; leaves out hidden, vendored and generated files. A path
/// that is named itself is taken as it is, but a folder's contents are not.
///
/// # Errors
/// [`Failure::Input`] for a path outside of the project or one that does not exist,
/// [`Failure::Cancelled`].
pub fn sources(
    call: &Call,
    project: &Project,
    paths: &[String],
) -> Result<(Vec<Source>, Vec<Finding>), Failure> {
    let mut found = Vec::new();
    let mut skipped = Vec::new();
    let roots = roots(project, paths)?;
    let Some((first, rest)) = roots.split_first() else {
        return Ok((found, skipped));
    };
    let mut walk = WalkBuilder::new(first);
    for root in rest {
        walk.add(root);
    }
    // The user's own git settings would make the result depend on the machine.
    walk.require_git(false)
        .git_global(false)
        .follow_links(false)
        .filter_entry(|entry| entry.depth() == 0 || !is_vendored(entry));
    for entry in walk.build() {
        call.check()?;
        match entry {
            Ok(entry) => found.extend(source(project, &entry)),
            Err(error) => skipped.push(crate::project::finding("", "", error)),
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup();
    Ok((found, skipped))
}

fn roots(project: &Project, paths: &[String]) -> Result<Vec<std::path::PathBuf>, Failure> {
    if paths.is_empty() {
        return Ok(vec![project.root().to_owned()]);
    }
    let mut roots = Vec::new();
    for path in paths {
        let plain = path.trim_end_matches('/');
        if plain == "." {
            roots.push(project.root().to_owned());
            continue;
        }
        let inside = project
            .path(plain)
            .map_err(|e| Failure::input("paths", format!("`{path}`: {e}")))?;
        let full = project.root().join(inside.as_str());
        if !full.exists() {
            return Err(Failure::input(
                "paths",
                format!("`{path}`: {}", Unreadable::Missing),
            ));
        }
        roots.push(full);
    }
    Ok(roots)
}

fn source(project: &Project, entry: &DirEntry) -> Option<Source> {
    if !entry.file_type()?.is_file() {
        return None;
    }
    let path = relative(project.root(), entry.path())?;
    let name = path.rsplit('/').next()?;
    if GENERATED.iter().any(|end| name.ends_with(end)) {
        return None;
    }
    let language = Language::of_path(&path)?;
    // What the walk finds without following links is inside.
    let path = project.path(&path).ok()?;
    Some(Source { path, language })
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    let mut text = String::new();
    for part in path.strip_prefix(root).ok()?.components() {
        if !text.is_empty() {
            text.push('/');
        }
        text.push_str(part.as_os_str().to_str()?);
    }
    Some(text)
}

fn is_vendored(entry: &DirEntry) -> bool {
    if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return false;
    }
    let name = entry.file_name().to_str().unwrap_or_default();
    let path = entry.path();
    VENDORED.contains(&name)
        || (name == "target" && path.with_file_name("Cargo.toml").exists())
        || path.join("CACHEDIR.TAG").exists()
        || path.join("pyvenv.cfg").exists()
}

/// Whether a path is a test, by its language's habits.
#[must_use]
pub fn is_test(path: &str, language: Language) -> bool {
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let folder = |part: &&str| {
        matches!(
            *part,
            "tests"
                | "test"
                | "__tests__"
                | "__mocks__"
                | "testdata"
                | "fixtures"
                | "spec"
                | "benches"
        )
    };
    if parts.iter().any(folder) {
        return true;
    }
    let stem = name.split('.').next().unwrap_or_default();
    match language {
        Language::Rust => matches!(stem, "tests" | "test"),
        Language::Python => {
            stem.starts_with("test_")
                || stem.ends_with("_test")
                || stem == "conftest"
                || stem == "tests"
        }
        Language::Go => stem.ends_with("_test"),
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            [".test.", ".spec.", ".stories.", ".bench."]
                .iter()
                .any(|mark| name.contains(mark))
        }
    }
}

/// Whether a file says of itself that a program wrote it, or looks like it.
#[must_use]
pub fn is_generated(text: &str) -> bool {
    let head: String = text
        .lines()
        .take(20)
        .flat_map(|line| [line, "\n"])
        .collect();
    let says = head.contains("@generated")
        || head.contains("DO NOT EDIT")
        || head.contains("Code generated ")
        || head
            .to_ascii_lowercase()
            .contains("automatically generated");
    // Packed code has lines that nobody wrote by hand.
    says || text.lines().any(|line| line.len() > 20_000)
}

/// Does `work` for each entry on all processors; the answers keep the order.
///
/// # Errors
/// [`Failure::Cancelled`] or [`Failure::Timeout`] when the host gave up meanwhile.
pub fn in_parallel<T: Sync, R: Send>(
    call: &Call,
    entries: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Result<Vec<R>, Failure> {
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(entries.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(entries.len()) {
            scope.spawn(|| {
                let mut own = Vec::new();
                while !call.is_cancelled() {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(entry) = entries.get(index) else {
                        break;
                    };
                    own.push((index, work(entry)));
                }
                done.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(own);
            });
        }
    });
    call.check()?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, answer)| answer).collect())
}
