//! `cargo xtask kills`: xi-editor is killed at random moments of random
//! editing, again and again, and compared with a model each time.

use std::time::Duration;

use crate::cli::KillsArgs;
use crate::error::Result;
use crate::exec::Tool;
use crate::report::{Step, step};
use crate::workspace::Workspace;

/// The build, and what does not depend on how many rounds there are.
const BASE_LIMIT: Duration = Duration::from_secs(30 * 60);
/// A round ends by itself long before this.
const ROUND_LIMIT: Duration = Duration::from_secs(5);

/// Runs the rounds; the test prints its seed and the figures.
///
/// # Errors
/// When something that was acknowledged is lost; the test says what, and with which seed.
pub fn run(workspace: &Workspace, args: &KillsArgs) -> Result<()> {
    let tool = kills(args).dir(workspace.root()).envs(&workspace.env());
    step(
        Step::shown("rounds of kill -9"),
        || tool.show(),
        |()| format!("{} rounds, nothing lost", args.rounds),
    )
}

fn kills(args: &KillsArgs) -> Tool {
    let mut tool = Tool::cargo().args(["test", "--locked"]);
    if args.release {
        tool = tool.args(["--release"]);
    }
    tool = tool
        .args(["-p", "xi-editor", "--test", "kill", "--", "--nocapture"])
        .env("XI_KILL_ROUNDS", args.rounds.to_string())
        .limit(BASE_LIMIT + ROUND_LIMIT * args.rounds);
    match args.seed {
        Some(seed) => tool.env("XI_KILL_SEED", seed.to_string()),
        None => tool,
    }
}
