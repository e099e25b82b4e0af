//! The Python environment: `.venv`, made from `uv.lock` and nothing else.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::error::{Result, XtaskError};
use crate::exec::{Tool, find};
use crate::report::{Step, step};
use crate::workspace::Workspace;

/// The uv that is fetched where none is installed.
const UV_VERSION: &str = "0.13.8";
/// The oldest Python that `pyproject.toml` accepts.
const OLDEST: (u32, u32) = (3, 10);
/// The wheels weigh some hundred megabytes.
const SYNC_LIMIT: Duration = Duration::from_secs(900);
/// Folders whose packages are copied into the environment.
const MEMBER_FOLDERS: [&str; 2] = ["python", "extensions"];

/// A program of a virtual environment.
#[must_use]
pub fn program_in(venv: &Path, name: &str) -> PathBuf {
    if cfg!(windows) {
        venv.join("Scripts").join(format!("{name}.exe"))
    } else {
        venv.join("bin").join(name)
    }
}

/// The system's Python: `python3`, or `python` where that is one.
#[must_use]
pub fn base() -> Option<PathBuf> {
    ["python3", "python"].iter().find_map(|name| find(name))
}

/// Makes `.venv` what `uv.lock` says. Nothing is done, and nothing printed,
/// when it already is.
///
/// # Errors
/// When Python is absent or older than 3.10, or the wheels cannot be fetched.
pub fn ensure(workspace: &Workspace) -> Result<()> {
    let root = workspace.root();
    let wanted = fingerprint(root)?;
    let stamp = root.join(".venv").join(".symphony-stamp");
    let made = fs::read_to_string(&stamp).is_ok_and(|text| text == wanted);
    if made && workspace.python().exists() {
        return Ok(());
    }
    let work = || {
        let python = usable_python()?;
        let uv = uv(workspace, &python)?;
        sync(workspace, &uv, &python)?;
        fs::write(&stamp, &wanted).map_err(|e| XtaskError::file("write", &stamp, e))?;
        Ok(installed(&root.join(".venv")))
    };
    step(Step::quiet("Python environment"), work, |count| {
        format!("locked, {count} packages")
    })?;
    Ok(())
}

fn usable_python() -> Result<PathBuf> {
    let python = base().ok_or_else(|| XtaskError::Missing {
        what: "Python 3".to_owned(),
        fix: "install Python 3.10 or newer".to_owned(),
    })?;
    let print = "import sys; print('%d.%d' % sys.version_info[:2])";
    let version = Tool::new(&python).args(["-c", print]).read()?;
    if parse_version(&version).is_some_and(|found| found >= OLDEST) {
        return Ok(python);
    }
    Err(XtaskError::Unusable {
        what: format!("{} (Python {version})", python.display()),
        problem: "Symphony needs Python 3.10 or newer; put a newer python3 first on your PATH"
            .to_owned(),
    })
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The uv on the path, else one of our own beside cargo's output.
fn uv(workspace: &Workspace, python: &Path) -> Result<PathBuf> {
    if let Some(uv) = find("uv") {
        return Ok(uv);
    }
    let venv = workspace.scratch().join(format!("uv-{UV_VERSION}"));
    let uv = program_in(&venv, "uv");
    if uv.exists() && Tool::new(&uv).args(["--version"]).succeeds() {
        return Ok(uv);
    }
    let log = workspace.scratch().join("logs").join("uv.log");
    Tool::new(python)
        .args(["-m", "venv", "--clear"])
        .args([&venv])
        .keep(&log)?;
    Tool::new(program_in(&venv, "python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args([format!("uv=={UV_VERSION}")])
        .limit(SYNC_LIMIT)
        .keep(&log)?;
    Ok(uv)
}

fn sync(workspace: &Workspace, uv: &Path, python: &Path) -> Result<()> {
    let root = workspace.root();
    // Our own packages are copied in, and uv does not see that a source file
    // of theirs has changed.
    let reinstall = members(root)?
        .into_iter()
        .flat_map(|name| ["--reinstall-package".into(), name]);
    Tool::new(uv)
        .args(["sync", "--locked", "--no-progress", "--python"])
        .args([python])
        .args(reinstall)
        .dir(root)
        .env("UV_PROJECT_ENVIRONMENT", root.join(".venv"))
        .env("UV_PYTHON_DOWNLOADS", "never")
        .env("UV_SYSTEM_CERTS", "true")
        .limit(SYNC_LIMIT)
        .keep(&workspace.scratch().join("logs").join("uv.log"))
}

/// The part of `uv.lock` that names our own packages.
#[derive(Debug, Default, Deserialize)]
struct Lock {
    #[serde(default)]
    manifest: Manifest,
}

#[derive(Debug, Default, Deserialize)]
struct Manifest {
    #[serde(default)]
    members: Vec<String>,
}

fn members(root: &Path) -> Result<Vec<String>> {
    let path = root.join("uv.lock");
    let text = fs::read_to_string(&path).map_err(|e| XtaskError::file("read", &path, e))?;
    let lock: Lock = toml::from_str(&text).map_err(|e| XtaskError::Unusable {
        what: path.display().to_string(),
        problem: e.to_string(),
    })?;
    Ok(lock.manifest.members)
}

/// Changes when the environment has to be made anew: with the lock, the
/// manifest, the Python, or a source file of one of our packages.
fn fingerprint(root: &Path) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    base().hash(&mut hasher);
    UV_VERSION.hash(&mut hasher);
    for name in ["uv.lock", "pyproject.toml"] {
        let path = root.join(name);
        fs::read(&path)
            .map_err(|e| XtaskError::file("read", &path, e))?
            .hash(&mut hasher);
    }
    for folder in MEMBER_FOLDERS {
        let Ok(packages) = fs::read_dir(root.join(folder)) else {
            continue;
        };
        let mut packages: Vec<PathBuf> = packages.flatten().map(|entry| entry.path()).collect();
        packages.retain(|package| package.join("pyproject.toml").is_file());
        packages.sort();
        for package in packages {
            hash_file(&package.join("pyproject.toml"), &mut hasher)?;
            hash_tree(&package.join("src"), &mut hasher)?;
        }
    }
    Ok(format!("1:{:016x}\n", hasher.finish()))
}

fn hash_tree(dir: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Ok(());
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name == "__pycache__" || name.ends_with(".egg-info") {
            continue;
        }
        if path.is_dir() {
            hash_tree(&path, hasher)?;
        } else {
            hash_file(&path, hasher)?;
        }
    }
    Ok(())
}

fn hash_file(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    path.hash(hasher);
    fs::read(path)
        .map_err(|e| XtaskError::file("read", path, e))?
        .hash(hasher);
    Ok(())
}

/// How many packages a virtual environment holds.
fn installed(venv: &Path) -> usize {
    let lib = if cfg!(windows) {
        venv.join("Lib")
    } else {
        venv.join("lib")
    };
    let folders = |dir: &Path| -> Vec<PathBuf> {
        fs::read_dir(dir)
            .map(|d| d.flatten().map(|e| e.path()).collect())
            .unwrap_or_default()
    };
    let mut places = folders(&lib);
    places.push(lib);
    places
        .iter()
        .flat_map(|place| folders(&place.join("site-packages")))
        .filter(|path| path.extension().is_some_and(|e| e == "dist-info"))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let src = dir.path().join("python/pkg/src/pkg");
        fs::create_dir_all(&src).unwrap();
        fs::write(src.join("__init__.py"), "x = 1\n").unwrap();
        fs::write(dir.path().join("python/pkg/pyproject.toml"), "[project]\n").unwrap();
        fs::write(dir.path().join("pyproject.toml"), "[project]\n").unwrap();
        fs::write(
            dir.path().join("uv.lock"),
            "[manifest]\nmembers = [\"a\", \"b\"]\n",
        )
        .unwrap();
        dir
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parse_version("3.9").unwrap() < OLDEST);
        assert!(parse_version("3.10\n").unwrap() >= OLDEST);
        assert!(parse_version("nonsense").is_none());
    }

    #[test]
    fn the_fingerprint_follows_the_lock_and_our_sources() {
        let dir = project();
        let first = fingerprint(dir.path()).unwrap();
        assert_eq!(first, fingerprint(dir.path()).unwrap());

        fs::write(dir.path().join("python/pkg/src/pkg/__init__.py"), "x = 2\n").unwrap();
        let source_changed = fingerprint(dir.path()).unwrap();
        assert_ne!(first, source_changed);

        fs::write(dir.path().join("uv.lock"), "[manifest]\nmembers = []\n").unwrap();
        assert_ne!(source_changed, fingerprint(dir.path()).unwrap());
    }

    #[test]
    fn bytecode_and_tests_leave_the_fingerprint_alone() {
        let dir = project();
        let first = fingerprint(dir.path()).unwrap();
        let cache = dir.path().join("python/pkg/src/pkg/__pycache__");
        fs::create_dir_all(&cache).unwrap();
        fs::write(cache.join("a.pyc"), "x").unwrap();
        fs::create_dir_all(dir.path().join("python/pkg/tests")).unwrap();
        fs::write(dir.path().join("python/pkg/tests/test_a.py"), "x").unwrap();
        assert_eq!(first, fingerprint(dir.path()).unwrap());
    }

    #[test]
    fn our_packages_are_read_from_the_lock() {
        assert_eq!(members(project().path()).unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_lock_that_is_none_is_named() {
        let dir = project();
        fs::write(dir.path().join("uv.lock"), "not toml").unwrap();
        assert!(
            members(dir.path())
                .unwrap_err()
                .to_string()
                .contains("uv.lock")
        );
        fs::remove_file(dir.path().join("uv.lock")).unwrap();
        assert!(
            fingerprint(dir.path())
                .unwrap_err()
                .to_string()
                .contains("uv.lock")
        );
    }
}
