//! The command line's grammar and its help.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// After every `--help`.
const EXIT_CODES: &str = "Exit codes:
  0    done
  1    it did not work out
  2    the command line is wrong
  3    a project, melody, file, configuration or value is wrong
  4    something else happened meanwhile: files changed, another run plays
  5    something is missing or refused by the machine: a program, a model, disk space, a permission
  6    a run failed and can be resumed
  130  it was stopped";

/// Plays workflows of AI models and tools over a project, and has every change reviewed.
#[derive(Debug, Parser)]
#[command(
    name = "symphony",
    version,
    about = "Plays workflows of AI models and tools over a project, and has every change reviewed",
    long_about = "Symphony plays a melody (a workflow of models and tools) over a project and leaves a \
change set. Nothing in the project is touched before you accept it, hunk by hunk or as a whole, and \
what was accepted can be taken back.

  symphony perform document     have undocumented items documented
  symphony review               look at each hunk, accept or reject
  symphony undo                 take back what was accepted last
  symphony ask \"…\" --file F     have a change made that you describe in words

State lives in your data folder, never in the project. `symphony doctor` tells what is missing.",
    after_help = EXIT_CODES,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = false
)]
pub struct Cli {
    /// What holds for every command
    #[command(flatten)]
    pub global: Global,
    /// What to do
    #[command(subcommand)]
    pub command: Verb,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The project's folder [default: the nearest folder above with a .git, else this one]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help_heading = "Options of every command"
    )]
    pub project: Option<PathBuf>,
    /// Print JSON, one object a line; the last one is the result or the error
    #[arg(long, global = true, help_heading = "Options of every command")]
    pub json: bool,
    /// When to use colours; auto also honours NO_COLOR
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Options of every command"
    )]
    pub color: ColorWhen,
    /// Print the result only, no progress
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Options of every command"
    )]
    pub quiet: bool,
    /// Print log lines and the end of what models write; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Options of every command")]
    pub verbose: u8,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Play a melody over the project
    #[command(
        long_about = "Plays a melody over the project and leaves a change set for review. Nothing in the \
project is touched.

Pieces of work that were done before with the same inputs are answered from the cache. A run that fails \
or is stopped keeps what it has done; `symphony resume` plays on.",
        after_help = "Examples:
  symphony perform document
  symphony perform document --limit 5
  symphony perform document --model ollama
  symphony perform document --player describe=ollama
  symphony perform ./melodies/mine.toml --input depth=3 --input 'names=[\"a\", \"b\"]'"
    )]
    Perform(PerformArgs),
    /// Have a change made that you describe in words
    #[command(
        long_about = "Plays the melody `ask`: what you ask for becomes a change set over one or several files, \
checked and ready for review. The better the model, the better the change: see `symphony models`.",
        after_help = "Examples:
  symphony ask \"Cart.total should round to cents\" --file src/cart.py
  symphony ask \"rename Basket to Cart everywhere\" --model ollama"
    )]
    Ask(AskArgs),
    /// Look at a change set, accept or reject its hunks
    #[command(
        long_about = "Shows the hunks of a change set one at a time and asks what to do with each, as \
`git add -p` does. Every choice is also a flag. Accepted hunks are written to the project together, all or \
none; `symphony undo` takes them back.

Without CHANGE_SET: the newest that has hunks to decide.",
        after_help = "Keys: y accept, n reject, a/d accept/reject the rest of the file, u step back, q decide the \
rest later, ? help.

Examples:
  symphony review                         one hunk at a time
  symphony review --list                  the change sets
  symphony review --show                  the whole diff
  symphony review --accept                take all that is not decided
  symphony review --accept --hunk 1,4-7   take some
  symphony review --reject --file src/cart.py
  symphony review --edit 3 --with my.py   hunk 3 with the text of a file
  symphony review --rebase 7f3a90c2       files changed meanwhile: merge"
    )]
    Review(ReviewArgs),
    /// Take back what was accepted last
    #[command(
        long_about = "Takes back what was written last. Changes made to the files since are kept. An undo can \
itself be taken back with --redo.",
        after_help = "Examples:
  symphony undo              what was written last
  symphony undo 7f3a90c2     this change set
  symphony undo --redo       take the last undo back"
    )]
    Undo(UndoArgs),
    /// List what was written to the project
    History,
    /// Drive the text engine over a file, for scripts
    #[command(
        long_about = "Has the text engine do the operations of a file, one JSON object a line: \
`{\"method\": …, \"params\": {…}}`, as in the protocol of xi-editor; `buffer` and `view` are filled in. All of \
them are done and the file is written, or none is. What changed is shown as a diff; with --json, what was \
answered to each.",
        after_help = "Examples:
  echo '{\"method\": \"replace\", \"params\": {\"query\": \"Basket\", \"replacement\": \"Cart\"}}' > ops.jsonl
  symphony edit src/cart.py --ops ops.jsonl --dry-run"
    )]
    Edit(EditArgs),
    /// List runs, or show one
    #[command(after_help = "Examples:
  symphony runs
  symphony runs show             the newest
  symphony runs show 7f3a90c2")]
    Runs(RunsArgs),
    /// Play on a run that failed or was stopped
    #[command(
        long_about = "Plays on a run that failed, was stopped or was interrupted. What was done is not done \
again.",
        after_help = "Examples:
  symphony resume 7f3a90c2
  symphony resume 7f3a90c2 --player describe=ollama"
    )]
    Resume(ResumeArgs),
    /// Show what a step of a run took or gave
    Artifacts {
        /// What to do with artifacts
        #[command(subcommand)]
        verb: ArtifactVerb,
    },
    /// List melodies, show, check or change one
    #[command(
        after_help = "Your own melodies lie in `melodies/` of your configuration folder. One that has the \
name of one of Symphony's is played in its place.

Examples:
  symphony melodies
  symphony melodies show document
  symphony melodies set document describe --player ollama
  symphony melodies check ./mine.toml
  symphony melodies schema > symphony-melody.json"
    )]
    Melodies {
        /// What to do with melodies
        #[command(subcommand)]
        verb: Option<MelodyVerb>,
    },
    /// List who can play: models and tools
    Players,
    /// List, connect and choose models
    #[command(
        long_about = "Connects models by name. Any server that speaks OpenAI's chat protocol will do. Keys come \
from an environment variable or the platform's keyring, never from a file.",
        after_help = "Examples:
  symphony models add ollama --model qwen3-coder
  symphony models add openai --model gpt-5-mini
  symphony models add openrouter fast --model qwen/qwen3-coder --keyring
  symphony models add openai-compatible lab --base-url http://gpu.lab:8000/v1 --model llama-3.3
  symphony models default ollama
  symphony models remove ollama"
    )]
    Models {
        /// What to do with models
        #[command(subcommand)]
        verb: Option<ModelVerb>,
    },
    /// Show the configuration in force and where each value was set
    Config(ConfigArgs),
    /// Tell what is missing on this machine, and the fix
    Doctor,
    /// Tell who works on this project
    Status,
    /// Print a completion script for a shell
    #[command(after_help = "Examples:
  symphony completions bash > ~/.local/share/bash-completion/completions/symphony
  symphony completions zsh > ~/.zfunc/_symphony
  symphony completions fish > ~/.config/fish/completions/symphony.fish")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// Options of `perform`.
#[derive(Debug, Args)]
pub struct PerformArgs {
    /// A melody's name, or the path of its file
    pub melody: String,
    /// An input; the value is read as JSON where it is JSON, else as text
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub input: Vec<(String, String)>,
    /// Short for --input limit=N
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Who plays
    #[command(flatten)]
    pub players: PlayerArgs,
    /// Leave results of earlier runs unused
    #[arg(long)]
    pub fresh: bool,
}

/// Who plays.
#[derive(Debug, Args)]
pub struct PlayerArgs {
    /// Another player for one node
    #[arg(long = "player", value_name = "NODE=NAME", value_parser = assignment)]
    pub players: Vec<(String, String)>,
    /// The model for every node that names none
    #[arg(short, long, value_name = "NAME")]
    pub model: Option<String>,
}

/// Options of `ask`.
#[derive(Debug, Args)]
pub struct AskArgs {
    /// What you want changed
    pub prompt: String,
    /// A file to look at first; repeatable
    #[arg(short, long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Who plays
    #[command(flatten)]
    pub players: PlayerArgs,
    /// Leave results of earlier runs unused
    #[arg(long)]
    pub fresh: bool,
}

/// Options of `review`.
#[derive(Debug, Default, Args)]
pub struct ReviewArgs {
    /// Its id or the beginning of it
    pub change_set: Option<String>,
    /// List change sets
    #[arg(long, conflicts_with_all = ["show", "accept", "reject", "change_set", "hunk", "file", "rebase"])]
    pub list: bool,
    /// Print the diff and decide nothing
    #[arg(long, conflicts_with_all = ["accept", "reject"])]
    pub show: bool,
    /// Accept the hunks chosen, or all that are not decided
    #[arg(long, conflicts_with = "reject")]
    pub accept: bool,
    /// Reject the hunks chosen, or all that are not decided
    #[arg(long)]
    pub reject: bool,
    /// Choose hunks by number
    #[arg(long, value_name = "N[,N-M]")]
    pub hunk: Vec<String>,
    /// Choose the hunks of a file or a folder
    #[arg(long, value_name = "PATH")]
    pub file: Vec<String>,
    /// Accept this hunk with the text that --with names in the place of its own
    #[arg(long, value_name = "N", requires = "with",
          conflicts_with_all = ["list", "show", "accept", "reject", "hunk", "file", "all"])]
    pub edit: Option<u32>,
    /// The text for --edit: a file, or - for standard input
    #[arg(long, value_name = "FILE", requires = "edit")]
    pub with: Option<PathBuf>,
    /// Merge with what changed in the files since
    #[arg(long)]
    pub rebase: bool,
    /// Also hunks that were rejected, and change sets that are decided
    #[arg(long)]
    pub all: bool,
}

/// Options of `undo`.
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// A change set, or a number of `symphony history`
    pub what: Option<String>,
    /// Take an undo back
    #[arg(long)]
    pub redo: bool,
}

/// Options of `runs`.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// What to do with runs
    #[command(subcommand)]
    pub verb: Option<RunVerb>,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub enum RunVerb {
    /// Show every step of a run, its outputs and cost
    Show {
        /// Its id or the beginning of it [default: the newest]
        run: Option<String>,
    },
}

/// Options of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Its id or the beginning of it
    pub run: String,
    /// Another player for one node
    #[arg(long = "player", value_name = "NODE=NAME", value_parser = assignment)]
    pub players: Vec<(String, String)>,
}

/// What to do with artifacts.
#[derive(Debug, Subcommand)]
pub enum ArtifactVerb {
    /// Show an artifact
    #[command(after_help = "Example:
  symphony artifacts show 5c1f9a20 --raw | jq .")]
    Show {
        /// Its id or the beginning of it
        id: String,
        /// Its text alone, as it is
        #[arg(long)]
        raw: bool,
    },
}

/// What to do with melodies.
#[derive(Debug, Subcommand)]
pub enum MelodyVerb {
    /// Check a melody without playing it
    Check {
        /// Its name, or the path of its file
        name: String,
    },
    /// Print a melody's text
    Show {
        /// Its name
        name: String,
    },
    /// Change a node of a melody
    #[command(
        long_about = "Changes a node of a melody: who plays it, values of its ports, retries and time-outs. \
Everything else in the file stays as it is, comments too. What changes is shown as a diff.

The changed melody is checked first; if it is not sound, nothing is written. A melody that came with \
Symphony is copied to your own melodies, and yours is played in its place from then on. A melody given by \
the path of its file is changed there.",
        after_help = "Examples:
  symphony melodies set document describe --player ollama --timeout 5m --retries 4
  symphony melodies set document find --with limit=10 --with 'paths=[\"src\"]'
  symphony melodies set ./mine.toml describe --player 'instrument/*' --backoff 1s"
    )]
    Set(SetMelodyArgs),
    /// Print the JSON Schema of melodies
    Schema,
}

/// Options of `edit`.
#[derive(Debug, Args)]
pub struct EditArgs {
    /// The file
    pub file: PathBuf,
    /// The file with the operations; `-` for standard input
    #[arg(long, value_name = "OPS.jsonl")]
    pub ops: PathBuf,
    /// Show what would change, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of `melodies set`.
#[derive(Debug, Args)]
#[command(group(
    clap::ArgGroup::new("change")
        .args(["player", "with", "retries", "backoff", "timeout"])
        .required(true)
        .multiple(true)
))]
pub struct SetMelodyArgs {
    /// Its name, or the path of its file
    pub melody: String,
    /// The node
    pub node: String,
    /// Who plays it: `operator/NAME`, `instrument/NAME` or just its NAME, `instrument/*`
    #[arg(long, value_name = "NAME")]
    pub player: Option<String>,
    /// The value of an input port; it is read as JSON where it is JSON, else as text
    #[arg(long, value_name = "PORT=VALUE", value_parser = assignment)]
    pub with: Vec<(String, String)>,
    /// Tries after the first one
    #[arg(long, value_name = "N")]
    pub retries: Option<u32>,
    /// The wait before the second try, e.g. 200ms; doubles with each
    #[arg(long, value_name = "DURATION")]
    pub backoff: Option<String>,
    /// How long a try may take, e.g. 60s
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
}

/// What to do with models.
#[derive(Debug, Subcommand)]
pub enum ModelVerb {
    /// List the models
    List,
    /// Connect a model
    Add(AddModelArgs),
    /// Forget a model
    Remove {
        /// Its name
        name: String,
    },
    /// Use a model wherever none is named
    Default {
        /// Its name
        name: String,
    },
}

/// Options of `models add`.
#[derive(Debug, Args)]
pub struct AddModelArgs {
    /// Where the model runs
    #[arg(value_enum)]
    pub kind: crate::cli::models::Preset,
    /// What to call it [default: KIND]
    pub name: Option<String>,
    /// The server's address, up to /v1
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// The model's name at the server [default: the only one it has]
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// The environment variable that holds the key
    #[arg(long, value_name = "VAR", conflicts_with = "keyring")]
    pub key_env: Option<String>,
    /// Ask for the key and put it into the platform's keyring
    #[arg(long)]
    pub keyring: bool,
    /// Tokens that the model's context holds
    #[arg(long, value_name = "N")]
    pub context_tokens: Option<u32>,
    /// What a million tokens read cost
    #[arg(long, value_name = "USD")]
    pub usd_per_1m_input: Option<f64>,
    /// What a million tokens written cost
    #[arg(long, value_name = "USD")]
    pub usd_per_1m_output: Option<f64>,
    /// Use it wherever none is named
    #[arg(long)]
    pub default: bool,
}

/// Options of `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Show every value in force and where it was set (what happens without it, too)
    #[arg(long)]
    pub show: bool,
    /// What to do with the configuration
    #[command(subcommand)]
    pub verb: Option<ConfigVerb>,
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Print the path of your configuration file
    Path,
}

/// `NAME=VALUE`.
fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
