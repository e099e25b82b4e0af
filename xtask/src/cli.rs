//! What can be typed after `cargo xtask`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::error::Result;
use crate::workspace::Workspace;
use crate::{bench, ci, coverage, fuzz, kills, lint, peers, run, setup, tests};

/// Set up, run, test and check Symphony from its repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One developer command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set up what is missing and play `document` on the bundled sample project
    Run(RunArgs),
    /// Set up what is missing and run every test, Rust and Python
    Test(TestArgs),
    /// Set up what is missing: system packages, the Python environment
    Setup,
    /// Formatting, clippy, layers, licences and bans, ruff
    Lint,
    /// Build the documentation of every crate, without a warning
    Doc,
    /// Run the benchmarks
    Bench(BenchArgs),
    /// Kill xi-editor at random moments of random editing and look for what is lost
    Kills(KillsArgs),
    /// Measure xi-editor beside other text engines and upstream's core, in one run
    Peers(PeersArgs),
    /// Send xi-editor what nobody would send, guided by what it reaches
    Fuzz(FuzzArgs),
    /// Run the tests and report which lines they reach
    Coverage,
    /// Everything CI checks, in CI's order
    Ci,
}

/// Arguments of `cargo xtask run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Ask nothing and read no input, as in CI
    #[arg(long)]
    pub headless: bool,
    /// Begin with a new copy of the sample project; the last one is kept beside it
    #[arg(long)]
    pub fresh: bool,
    /// A symphony command to run on the copy instead (`-- review`), or further
    /// options for `perform document` (`-- --json`)
    #[arg(last = true)]
    pub args: Vec<String>,
}

/// Arguments of `cargo xtask test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
}

/// Arguments of `cargo xtask bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Fewer and shorter samples: shows that they run, not what they measure
    #[arg(long)]
    pub short: bool,
    /// Only the benchmarks of this package
    #[arg(long, short, value_name = "PACKAGE")]
    pub package: Option<String>,
}

/// Arguments of `cargo xtask kills`.
#[derive(Debug, Args)]
pub struct KillsArgs {
    /// How often it is killed
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Repeats a run: the number that it printed
    #[arg(long)]
    pub seed: Option<u64>,
    /// Builds with optimisation
    #[arg(long)]
    pub release: bool,
}

/// Arguments of `cargo xtask peers`.
#[derive(Debug, Args)]
pub struct PeersArgs {
    /// Upstream's core, the `xi-core` binary of the xi-editor project, built in
    /// release (default: that of XI_UPSTREAM_CORE; without either this part is skipped)
    #[arg(long, value_name = "PATH")]
    pub xi_core: Option<PathBuf>,
    /// Put the tables into BENCHMARKS.md, in place of those of the last run
    #[arg(long)]
    pub record: bool,
    /// Fewer repetitions: shows that it runs, not what it measures
    #[arg(long)]
    pub short: bool,
}

/// Arguments of `cargo xtask fuzz`.
#[derive(Debug, Args)]
pub struct FuzzArgs {
    /// How long, for each target
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub minutes: u32,
    /// Only this target; without one, all
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
}

/// Does what was asked.
///
/// # Errors
/// Those of the command; each names what to do about it.
pub fn perform(command: &Command) -> Result<()> {
    let workspace = Workspace::locate()?;
    match command {
        Command::Run(args) => run::run(&workspace, args),
        Command::Test(args) => tests::run(&workspace, args.filter.as_deref()),
        Command::Setup => setup::all(&workspace),
        Command::Lint => lint::all(&workspace),
        Command::Doc => lint::doc(&workspace),
        Command::Bench(args) => bench::run(&workspace, args),
        Command::Kills(args) => kills::run(&workspace, args),
        Command::Peers(args) => peers::run(&workspace, args),
        Command::Fuzz(args) => fuzz::run(&workspace, args),
        Command::Coverage => coverage::run(&workspace),
        Command::Ci => ci::run(&workspace),
    }
}

#[cfg(test)]
mod unit {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn there_are_many_rounds_unless_said_otherwise() {
        let parse =
            |args: &[&str]| match Cli::try_parse_from([&["cargo xtask", "kills"], args].concat()) {
                Ok(Cli {
                    command: Command::Kills(args),
                }) => Some((args.rounds, args.seed, args.release)),
                _ => None,
            };
        assert_eq!(parse(&[]), Some((1_000, None, false)));
        let some = parse(&["--rounds", "20", "--seed", "7", "--release"]);
        assert_eq!(some, Some((20, Some(7), true)));
        assert_eq!(parse(&["--rounds", "0"]), None);
    }

    #[test]
    fn words_after_the_dashes_are_left_alone() {
        let cli = Cli::try_parse_from(["cargo xtask", "run", "--fresh", "--", "--json", "-v"]);
        let Ok(Cli {
            command: Command::Run(args),
        }) = cli
        else {
            panic!("not a run: {cli:?}")
        };
        assert!(args.fresh && !args.headless);
        assert_eq!(args.args, ["--json", "-v"]);
    }
}
