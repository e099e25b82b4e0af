//! Known vulnerabilities: `cargo deny check advisories` with a database that
//! may lie in a folder, come over the network, or not be had at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Result, XtaskError};
use crate::exec::Tool;
use crate::report::{self, Step, step};
use crate::workspace::Workspace;

/// Names a folder with the RustSec database, for machines that cannot fetch it.
pub const VARIABLE: &str = "SYMPHONY_ADVISORY_DB";
/// Where cargo-deny looks for the database of the default address, below its
/// `db-path`.
const DEFAULT_FOLDER: &str = "advisory-db-3157b0e258782691";
const FETCH_LIMIT: Duration = Duration::from_secs(60);

/// Checks the tree against the database that [`VARIABLE`] names, else against
/// one fetched now; without either it says so loudly and goes on.
///
/// # Errors
/// When an advisory reaches the tree, or the named database cannot be read.
pub fn check(workspace: &Workspace) -> Result<()> {
    let deny = || {
        Tool::new("cargo-deny")
            .args(["--log-level", "error"])
            .dir(workspace.root())
    };
    let named = std::env::var_os(VARIABLE)
        .filter(|v| !v.is_empty())
        .map(PathBuf::from);
    let config = match &named {
        Some(folder) => seed(workspace, folder)?,
        None if deny().args(["fetch", "db"]).limit(FETCH_LIMIT).succeeds() => {
            workspace.root().join("deny.toml")
        }
        None => {
            report::skipped(
                "advisories",
                "the database cannot be fetched (SYMPHONY_ADVISORY_DB names a local one)",
            );
            return Ok(());
        }
    };
    let tool = deny()
        .args(["--offline", "--config"])
        .args([&config])
        .args(["check", "advisories"]);
    step(
        Step::shown("advisories"),
        || tool.show(),
        |()| "none reaches us".to_owned(),
    )
}

/// Lays the database out as cargo-deny wants it, and returns a configuration
/// that points there.
fn seed(workspace: &Workspace, database: &Path) -> Result<PathBuf> {
    let place = workspace.scratch().join("advisories");
    let folder = place.join(DEFAULT_FOLDER);
    if !database.join("crates").is_dir() {
        return Err(XtaskError::Unusable {
            what: format!("{VARIABLE}={}", database.display()),
            problem: "has no `crates` folder, so it is no RustSec database".to_owned(),
        });
    }
    match fs::remove_dir_all(&place) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(XtaskError::file("remove", &place, e));
        }
        _ => {}
    }
    copy(&database.join("crates"), &folder.join("crates"))?;
    // cargo-deny reads the age of the database from its repository.
    Tool::new("git")
        .args(["init", "--quiet"])
        .args([&folder])
        .read()?;
    write(&folder.join(".git").join("FETCH_HEAD"), "")?;

    let path = workspace.root().join("deny.toml");
    let text = fs::read_to_string(&path).map_err(|e| XtaskError::file("read", &path, e))?;
    let config = place.join("deny.toml");
    write(&config, &with_database(&text, &place)?)?;
    Ok(config)
}

fn with_database(deny: &str, place: &Path) -> Result<String> {
    let unusable = |problem: String| XtaskError::Unusable {
        what: "deny.toml".to_owned(),
        problem,
    };
    let mut table: toml::Table = toml::from_str(deny).map_err(|e| unusable(e.to_string()))?;
    table
        .get_mut("advisories")
        .and_then(toml::Value::as_table_mut)
        .ok_or_else(|| unusable("has no [advisories]".to_owned()))?
        .insert("db-path".to_owned(), place.display().to_string().into());
    toml::to_string(&table).map_err(|e| unusable(e.to_string()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|e| XtaskError::file("write", path, e))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|e| XtaskError::file("create", to, e))?;
    for entry in fs::read_dir(from)
        .map_err(|e| XtaskError::file("read", from, e))?
        .flatten()
    {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(|e| XtaskError::file("copy", &source, e))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn the_configuration_keeps_its_rules_and_gains_the_place() {
        let text = "[advisories]\nignore = []\nyanked = \"deny\"\n[bans]\nwildcards = \"deny\"\n";
        let with = with_database(text, Path::new("/db")).unwrap();
        let table: toml::Table = toml::from_str(&with).unwrap();
        assert_eq!(table["advisories"]["db-path"].as_str(), Some("/db"));
        assert_eq!(table["advisories"]["yanked"].as_str(), Some("deny"));
        assert_eq!(table["bans"]["wildcards"].as_str(), Some("deny"));
    }

    #[test]
    fn a_configuration_without_advisories_is_refused() {
        assert!(with_database("[bans]\n", Path::new("/db")).is_err());
    }
}
