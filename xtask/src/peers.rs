//! `cargo xtask peers`: our text engine beside others, in one run.
//!
//! The measuring is done by `benches/peers`, a package outside of the
//! workspace, so that the peers are in no other program's dependencies.

use std::path::Path;
use std::time::Duration;

use crate::cli::PeersArgs;
use crate::error::{Result, XtaskError};
use crate::exec::Tool;
use crate::report::{Step, step};
use crate::workspace::Workspace;

/// The package that measures, below the repository.
const PACKAGE: &str = "benches/peers/Cargo.toml";
/// Where the tables are recorded, below the repository.
const RECORD: &str = "BENCHMARKS.md";
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// Builds our `xi-editor` and the comparison, and runs it.
///
/// # Errors
/// When something does not build, a peer fails, or one ends with a wrong text.
pub fn run(workspace: &Workspace, args: &PeersArgs) -> Result<()> {
    let build = Tool::cargo()
        .args(["build", "--release", "--locked", "-p", "xi-editor"])
        .args(["--bin", "xi-editor"])
        .dir(workspace.root())
        .limit(LIMIT);
    step(
        Step::shown("xi-editor, release"),
        || build.show(),
        |()| "built".to_owned(),
    )?;
    let measure = comparison(workspace, args)?;
    step(
        Step::shown("peers"),
        || measure.show(),
        |()| "measured".to_owned(),
    )
}

/// `cargo run` of the comparison. Its lock file follows our own crates', so it
/// is not held to it.
fn comparison(workspace: &Workspace, args: &PeersArgs) -> Result<Tool> {
    let program = format!("xi-editor{}", std::env::consts::EXE_SUFFIX);
    let mut tool = Tool::cargo()
        .args(["run", "--release", "--manifest-path"])
        .args([workspace.root().join(PACKAGE)])
        .args(["--target-dir".as_ref(), workspace.target().as_os_str()])
        .args(["--", "--xi-editor"])
        .args([workspace.target().join("release").join(program)])
        .dir(workspace.root())
        .limit(LIMIT);
    if let Some(path) = &args.xi_core {
        let path = absolute(path)?;
        tool = tool.args(["--xi-core".as_ref(), path.as_os_str()]);
    }
    if args.record {
        let file = workspace.root().join(RECORD);
        tool = tool.args(["--record".as_ref(), file.as_os_str()]);
    }
    if args.short {
        tool = tool.args(["--short"]);
    }
    Ok(tool)
}

fn absolute(path: &Path) -> Result<std::path::PathBuf> {
    if !path.is_file() {
        return Err(XtaskError::Missing {
            what: path.display().to_string(),
            fix: "give the path of an `xi-core` binary by --xi-core or XI_UPSTREAM_CORE".to_owned(),
        });
    }
    std::path::absolute(path).map_err(|e| XtaskError::file("find", path, e))
}
