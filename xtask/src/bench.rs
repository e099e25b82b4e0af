//! `cargo xtask bench`: the criterion benchmarks of the workspace.

use std::time::Duration;

use crate::cli::BenchArgs;
use crate::error::Result;
use crate::exec::Tool;
use crate::report::{Step, step};
use crate::workspace::Workspace;

const BENCH_LIMIT: Duration = Duration::from_secs(2 * 60 * 60);

/// Runs the benchmarks, of one package or of all.
///
/// # Errors
/// When one does not build or fails.
pub fn run(workspace: &Workspace, args: &BenchArgs) -> Result<()> {
    // Only bench targets: the harness of a library knows no criterion options.
    let mut tool = Tool::cargo().args(["bench", "--locked", "--bench", "*"]);
    tool = match &args.package {
        Some(package) => tool.args(["-p", package]),
        None => tool.args(["--workspace"]),
    };
    if args.short {
        let short = [
            "--",
            "--warm-up-time",
            "0.3",
            "--measurement-time",
            "1",
            "--sample-size",
            "10",
        ];
        tool = tool.args(short);
    }
    let tool = tool
        .dir(workspace.root())
        .envs(&workspace.env())
        .limit(BENCH_LIMIT);
    step(
        Step::shown("benchmarks"),
        || tool.show(),
        |()| "measured".to_owned(),
    )
}

/// Builds the benchmarks of the ports, so that they are known to compile.
///
/// # Errors
/// When they do not build.
pub fn compile(workspace: &Workspace) -> Result<()> {
    let tool = Tool::cargo()
        .args(["bench", "--locked", "--no-run", "-p", "symphony-core-ports"])
        .dir(workspace.root());
    step(
        Step::shown("benchmarks"),
        || tool.show(),
        |()| "they build".to_owned(),
    )
}
