//! The process: `xi-editor` speaks its protocol over standard input and output.

use rustix::process::{Signal, set_parent_process_death_signal};
use std::io::Write;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use xi_editor::server;

const HELP: &str = "\
The text engine of Symphony: every buffer lives here.

Usage: xi-editor [--version | --help | --acknowledgements]

Without an option it serves the protocol `xi-editor/1` (JSON-RPC 2.0, one
message a line) on standard input and output, until the input ends, a client
sends `shutdown`, or the process that started it ends. `--acknowledgements`
prints the licences of the grammars and themes built in, as Markdown.

Environment:
  XI_LOG   what is logged to standard error, for instance `info` or
           `xi_editor=debug`; `warn` when not set
";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => serve(),
        [one] if one == "--version" || one == "-V" => {
            println!("xi-editor {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        [one] if one == "--acknowledgements" => {
            let text = xi_editor::acknowledgements();
            // A reader may have seen enough before the end.
            let written = std::io::stdout().write_all(text.as_bytes());
            written.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        [one] if one == "--help" || one == "-h" => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        [other, ..] => {
            eprintln!("xi-editor: unknown argument {}", other.display());
            eprintln!("{HELP}");
            ExitCode::from(2)
        }
    }
}

fn serve() -> ExitCode {
    // Before anything else: whoever started us may end at any moment.
    let bound = set_parent_process_death_signal(Some(Signal::KILL));
    let filter = EnvFilter::try_from_env("XI_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    if let Err(error) = bound {
        tracing::warn!(%error, "the end of the parent will be seen by the end of the input only");
    }
    match server::serve(std::io::stdin(), std::io::stdout()) {
        Ok(end) => {
            tracing::info!(?end, "ended");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("xi-editor: cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}
