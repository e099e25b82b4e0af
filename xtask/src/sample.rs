//! The sample project's own copy, so that the one in the repository stays as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Result, XtaskError};
use crate::exec::{Tool, find};
use crate::workspace::Workspace;

/// The bundled project, below `samples/`.
const NAME: &str = "sample-shop";
/// What a build leaves in the original and a copy does not need.
const LEFT_OUT: [&str; 4] = ["target", "node_modules", "__pycache__", ".git"];
const GIT_LIMIT: Duration = Duration::from_secs(60);

/// How the copy came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was made now.
    Made,
    /// It was there, with whatever was done to it since.
    Reused,
}

/// The copy in the user's data folder; made when there is none, or when
/// `fresh`: then the last one is kept as `sample-shop.previous`.
///
/// # Errors
/// When the platform names no data folder, or a file cannot be copied.
pub fn copy(workspace: &Workspace, fresh: bool) -> Result<(PathBuf, Origin)> {
    let copy = data_dir()?.join(NAME);
    let origin = copy_to(&workspace.root().join("samples").join(NAME), &copy, fresh)?;
    Ok((copy, origin))
}

/// Symphony's data folder: below `SYMPHONY_HOME` when that is set, as Symphony
/// itself has it.
fn data_dir() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("SYMPHONY_HOME").filter(|home| !home.is_empty()) {
        let home = PathBuf::from(home);
        let home = std::path::absolute(&home).map_err(|e| XtaskError::file("find", &home, e))?;
        return Ok(home.join("data"));
    }
    directories::ProjectDirs::from("", "", "symphony")
        .map(|dirs| dirs.data_dir().to_owned())
        .ok_or_else(|| XtaskError::Missing {
            what: "a home folder".to_owned(),
            fix: "set HOME, or SYMPHONY_HOME to a folder of your choice".to_owned(),
        })
}

fn copy_to(source: &Path, copy: &Path, fresh: bool) -> Result<Origin> {
    if copy.exists() {
        if !fresh {
            return Ok(Origin::Reused);
        }
        let previous = copy.with_extension("previous");
        remove(&previous)?;
        fs::rename(copy, &previous).map_err(|e| XtaskError::file("move", copy, e))?;
    }
    // Made beside its place and moved there whole: a copy cut short is never used.
    let partial = copy.with_extension("partial");
    remove(&partial)?;
    copy_tree(source, &partial)?;
    if find("git").is_some() {
        init_repository(&partial)?;
    }
    fs::rename(&partial, copy).map_err(|e| XtaskError::file("move", &partial, e))?;
    Ok(Origin::Made)
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(XtaskError::file("remove", dir, e))
        }
        _ => Ok(()),
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|e| XtaskError::file("create", to, e))?;
    let entries = fs::read_dir(from).map_err(|e| XtaskError::file("read", from, e))?;
    for entry in entries {
        let entry = entry.map_err(|e| XtaskError::file("read", from, e))?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left| name == *left) {
            continue;
        }
        let (source, target) = (entry.path(), to.join(&name));
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(|e| XtaskError::file("copy", &source, e))?;
        }
    }
    Ok(())
}

/// A repository with one commit, untouched by the user's own git settings.
fn init_repository(dir: &Path) -> Result<()> {
    let git = |words: &[&str]| {
        Tool::new("git")
            .args([
                "-c",
                "user.name=Symphony sample",
                "-c",
                "user.email=sample@localhost",
            ])
            .args([
                "-c",
                "commit.gpgsign=false",
                "-c",
                "core.hooksPath=",
                "-c",
                "gc.auto=0",
            ])
            .args(words)
            .dir(dir)
            .limit(GIT_LIMIT)
            .read()
    };
    git(&["init", "--quiet", "--initial-branch=main"])?;
    git(&["add", "--all"])?;
    git(&["commit", "--quiet", "--message=The sample shop as it came"])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("source");
        fs::create_dir_all(source.join("inventory/target/debug")).unwrap();
        fs::write(source.join("inventory/lib.rs"), "pub fn a() {}\n").unwrap();
        fs::write(source.join("inventory/target/debug/big"), "x").unwrap();
        fs::write(source.join("README.md"), "shop\n").unwrap();
        dir
    }

    #[test]
    fn a_copy_has_the_sources_without_build_output_and_one_commit() {
        let dir = original();
        let copy = dir.path().join("data/sample-shop");
        assert_eq!(
            copy_to(&dir.path().join("source"), &copy, false).unwrap(),
            Origin::Made
        );
        assert_eq!(
            fs::read_to_string(copy.join("inventory/lib.rs")).unwrap(),
            "pub fn a() {}\n"
        );
        assert!(!copy.join("inventory/target").exists());
        assert!(!copy.with_extension("partial").exists());
        if find("git").is_some() {
            let git = |words: &[&str]| Tool::new("git").args(words).dir(&copy).read().unwrap();
            assert_eq!(git(&["status", "--porcelain"]), "");
            assert_eq!(git(&["rev-list", "--count", "HEAD"]), "1");
        }
    }

    #[test]
    fn a_copy_that_is_there_is_used_as_it_is() {
        let dir = original();
        let (source, copy) = (dir.path().join("source"), dir.path().join("sample-shop"));
        copy_to(&source, &copy, false).unwrap();
        fs::write(copy.join("README.md"), "changed by its user\n").unwrap();
        assert_eq!(copy_to(&source, &copy, false).unwrap(), Origin::Reused);
        assert_eq!(
            fs::read_to_string(copy.join("README.md")).unwrap(),
            "changed by its user\n"
        );
    }

    #[test]
    fn a_fresh_copy_keeps_the_last_one_beside_it() {
        let dir = original();
        let (source, copy) = (dir.path().join("source"), dir.path().join("sample-shop"));
        copy_to(&source, &copy, false).unwrap();
        fs::write(copy.join("README.md"), "changed by its user\n").unwrap();
        assert_eq!(copy_to(&source, &copy, true).unwrap(), Origin::Made);
        assert_eq!(
            fs::read_to_string(copy.join("README.md")).unwrap(),
            "shop\n"
        );
        let previous = copy.with_extension("previous").join("README.md");
        assert_eq!(
            fs::read_to_string(previous).unwrap(),
            "changed by its user\n"
        );
    }

    #[test]
    fn a_copy_cut_short_is_begun_again() {
        let dir = original();
        let (source, copy) = (dir.path().join("source"), dir.path().join("sample-shop"));
        let partial = copy.with_extension("partial");
        fs::create_dir_all(&partial).unwrap();
        fs::write(partial.join("half"), "x").unwrap();
        copy_to(&source, &copy, false).unwrap();
        assert!(!copy.join("half").exists());
        assert!(copy.join("README.md").exists());
    }

    #[test]
    fn a_missing_original_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = copy_to(&dir.path().join("nowhere"), &dir.path().join("copy"), false);
        assert!(error.unwrap_err().to_string().contains("nowhere"));
    }
}
