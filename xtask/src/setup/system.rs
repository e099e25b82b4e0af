//! Programs that come from the system: a C compiler, git, Python with `venv`.

use std::path::Path;
use std::time::Duration;

use crate::error::{Result, XtaskError};
use crate::exec::{Tool, find};
use crate::report::{Step, step};

/// A mirror under load takes minutes; longer than this it is not coming.
const APT_LIMIT: Duration = Duration::from_secs(900);

/// One thing the system has to bring, and Debian's packages for it.
struct Need {
    what: &'static str,
    packages: &'static [&'static str],
    is_there: fn() -> bool,
}

const NEEDS: [Need; 4] = [
    Need {
        what: "a C compiler",
        packages: &["gcc", "libc6-dev"],
        is_there: has_cc,
    },
    Need {
        what: "git",
        packages: &["git"],
        is_there: || find("git").is_some(),
    },
    Need {
        what: "Python 3",
        packages: &["python3"],
        is_there: || super::python::base().is_some(),
    },
    Need {
        what: "Python's venv module",
        packages: &["python3-venv"],
        is_there: has_venv,
    },
];

fn has_cc() -> bool {
    cfg!(windows)
        || ["cc", "gcc", "clang"]
            .iter()
            .any(|name| find(name).is_some())
}

fn has_venv() -> bool {
    super::python::base().is_some_and(|python| {
        Tool::new(python)
            .args(["-c", "import venv, ensurepip"])
            .succeeds()
    })
}

/// Makes sure that what the system has to bring is there: as root on Debian it
/// is installed, elsewhere the error holds the line to type.
///
/// # Errors
/// When something is missing and was not installed.
pub fn ensure() -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let what = missing
        .iter()
        .map(|n| n.what)
        .collect::<Vec<_>>()
        .join(", ");
    let packages: Vec<&str> = missing.iter().flat_map(|n| n.packages).copied().collect();
    install(&what, &packages)?;
    match missing.iter().find(|need| !(need.is_there)()) {
        None => Ok(()),
        Some(need) => Err(XtaskError::Unusable {
            what: need.what.to_owned(),
            problem: format!(
                "still not found after installing {}",
                need.packages.join(" ")
            ),
        }),
    }
}

/// Installs Debian packages when this is Debian and we are root.
///
/// # Errors
/// [`XtaskError::Missing`] with the line to type when it is not ours to do.
pub fn install(what: &str, packages: &[&str]) -> Result<()> {
    if !may_install() {
        return Err(XtaskError::Missing {
            what: what.to_owned(),
            fix: advice(packages),
        });
    }
    let apt = |words: &[&str]| {
        Tool::new("apt-get")
            .args(["-o", "DPkg::Lock::Timeout=300", "-qq"])
            .args(words)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .limit(APT_LIMIT)
    };
    let work = || {
        let mut install = vec!["install", "-y", "--no-install-recommends"];
        install.extend(packages);
        if apt(&install).succeeds() {
            return Ok(());
        }
        // A fresh image has no package lists.
        apt(&["update"]).show()?;
        apt(&install).show()
    };
    step(Step::shown("system packages"), work, |()| {
        packages.join(" ")
    })
}

fn may_install() -> bool {
    Path::new("/etc/debian_version").exists()
        && find("apt-get").is_some()
        && Tool::new("id")
            .args(["-u"])
            .read()
            .is_ok_and(|id| id == "0")
}

/// The line that brings `packages` on this system.
fn advice(packages: &[&str]) -> String {
    if cfg!(target_os = "macos") {
        return "xcode-select --install; brew install python git".to_owned();
    }
    if cfg!(windows) {
        return "winget install Python.Python.3.12 Git.Git".to_owned();
    }
    format!(
        "sudo apt-get install {} (or your system's packages of that kind)",
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_advice_is_a_line_to_type() {
        assert!(advice(&["gcc", "git"]).starts_with("sudo apt-get install gcc git"));
    }

    #[test]
    fn what_every_test_machine_has_is_found() {
        assert!(has_cc(), "this crate was linked by something");
    }
}
