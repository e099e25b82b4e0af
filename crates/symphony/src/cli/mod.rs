//! The terminal's frontend: reads the command line, asks a host through
//! [`api`](crate::api), shows progress, results and errors.

pub mod args;
mod config;
mod context;
mod diff;
mod doctor;
mod edit;
mod errors;
mod execute;
mod interrupt;
mod keys;
mod listings;
mod melody_set;
pub mod models;
mod perform;
mod progress;
mod review;
mod runs;
mod startup;
mod style;
mod text;
mod ui;
mod undo;

#[cfg(test)]
mod testing;

use crate::{
    api::{CommandError, ErrorKind},
    installation::Installation,
    project::Project,
    session::Session,
};
use args::{Cli, Global, Verb};
use clap::{ColorChoice, CommandFactory, FromArgMatches};
use context::{Context, Place};
use errors::{CliError, CliResult};
use execute::Execute;
use keys::TerminalKeys;
use std::{
    ffi::OsString,
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};
use style::Style;
use sy_commons::config::{Config, Loaded, Sources, load_from};
use tokio_util::sync::CancellationToken;
use ui::{Mode, Ui};

/// Columns where the terminal does not tell.
const USUAL_WIDTH: u16 = 80;

/// Runs the command line that this process was started with.
pub fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    match parse(&words) {
        Ok(cli) => run(cli),
        Err(code) => code,
    }
}

fn parse(words: &[OsString]) -> Result<Cli, ExitCode> {
    let has = |word: &str| words.iter().any(|w| w == word);
    let follows = |value: &str| {
        has(&format!("--color={value}"))
            || words
                .windows(2)
                .any(|pair| pair[0] == "--color" && pair[1] == value)
    };
    let color = match (follows("always"), follows("never")) {
        (true, _) => ColorChoice::Always,
        (_, true) => ColorChoice::Never,
        _ => ColorChoice::Auto,
    };
    let parsed = Cli::command().color(color).try_get_matches_from(words);
    let error = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    let code =
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(ErrorKind::Usage.exit_code()));
    if has("--json") && error.use_stderr() {
        let text = error.render().to_string();
        let text = text.trim().trim_start_matches("error: ");
        let usage = CommandError::new(ErrorKind::Usage, text);
        // Whoever reads it may have gone.
        let _ = writeln!(io::stdout(), "{}", errors::json_line(&usage));
    } else {
        let _ = error.print();
    }
    Err(code)
}

fn run(cli: Cli) -> ExitCode {
    let mut ui = terminal_ui(&cli.global);
    let result = prepared(cli, &mut ui);
    let result = result.and_then(|()| ui.flush().map_err(CliError::Output));
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if let Some(told) = error.to_tell() {
        if ui.mode.json {
            // Whoever reads it may have gone.
            let _ = ui.line(&errors::json_line(&told));
        } else {
            let text = errors::render(&told, ui.err_style);
            ui.note(&text);
        }
    }
    let _ = ui.flush();
    ExitCode::from(error.exit_code())
}

fn terminal_ui(global: &Global) -> Ui {
    let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
    let variable = |name: &str| std::env::var(name).ok();
    let style = |is_terminal| Style::choose(global.color, is_terminal, variable);
    let is_dumb = variable("TERM").is_some_and(|term| term == "dumb");
    let width = console::Term::stderr()
        .size_checked()
        .map_or(USUAL_WIDTH, |(_, columns)| columns);
    let mode = Mode {
        json: global.json,
        quiet: global.quiet,
        verbose: global.verbose > 0,
        live: err && !is_dumb && global.verbose == 0,
        interactive: out && io::stdin().is_terminal() && !global.json,
        terminal: out,
        width: width.into(),
    };
    Ui::new(
        Box::new(io::stdout()),
        Box::new(io::stderr()),
        style(out),
        style(err),
        mode,
    )
}

/// The parts that every command needs, then the command.
fn prepared(cli: Cli, ui: &mut Ui) -> CliResult {
    if let Verb::Completions { shell } = cli.command {
        return completions(shell, ui);
    }
    let installation = Installation::discover().map_err(CommandError::from)?;
    startup::panic_message(&installation, ui.err_style);
    let loaded = load_from(&Sources::of_process(&installation.dirs));
    // Without a sound configuration there is no log; the commands that mend it still work.
    let _log = match &loaded {
        Ok(loaded) => Some(startup::logging(&loaded.value, &installation, &cli.global)?),
        Err(_) => None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(command(cli, &installation, loaded, ui));
    // A thread that waits for a key must not keep the process.
    runtime.shutdown_background();
    result
}

/// Prints a completion script.
fn completions(shell: clap_complete::Shell, ui: &mut Ui) -> CliResult {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "symphony", &mut script);
    Ok(ui.raw(&String::from_utf8_lossy(&script))?)
}

async fn command(
    cli: Cli,
    installation: &Installation,
    loaded: Result<Loaded<Config>, sy_commons::config::ConfigError>,
    ui: &mut Ui,
) -> CliResult {
    let here = std::env::current_dir()?;
    let folder = match &cli.global.project {
        Some(folder) => folder.clone(),
        None => Project::discover(&here),
    };
    let cancel = CancellationToken::new();
    let place = Place {
        project: folder.canonicalize().unwrap_or_else(|_| here.join(&folder)),
        given: to_repeat(&cli.global, &here),
        here,
    };
    let mut context = Context {
        ui,
        place,
        cancel,
        keys: Context::asking(TerminalKeys::new()),
        editor: preferred_editor(|name| std::env::var(name).ok()),
    };
    let verb = match cli.command {
        Verb::Config(args) => return config::config(&args, &installation.dirs, context.ui),
        Verb::Models { verb } => {
            return models::models(verb, &installation.dirs, &mut context).await;
        }
        Verb::Doctor => {
            return doctor::doctor(installation, &context.place.project, context.ui).await;
        }
        Verb::Melodies {
            verb: Some(args::MelodyVerb::Schema),
        } => return listings::schema(&mut context),
        verb => verb,
    };
    let loaded = loaded.map_err(CommandError::from)?;
    let project = Project::open(
        &folder,
        &installation.dirs,
        loaded.value.host.socket_dir.as_deref(),
    )?;
    let plays = matches!(verb, Verb::Perform(_) | Verb::Ask(_) | Verb::Resume(_));
    interrupt::watch(context.cancel.clone(), plays && !context.ui.mode.json)?;
    let opening = Session::open(installation, &project, &loaded);
    let session = tokio::select! {
        session = opening => session?,
        () = context.cancel.cancelled() => {
            return Err(CommandError::new(ErrorKind::Cancelled, "stopped before anything was done").into());
        }
    };
    let result = with_host(verb, &session, &mut context).await;
    session.close().await;
    result
}

/// `VISUAL`, else `EDITOR`; one that is empty is none.
fn preferred_editor(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = |name| variable(name).filter(|value| !value.trim().is_empty());
    set("VISUAL").or_else(|| set("EDITOR"))
}

/// `--project`, where commands that are told to the user must repeat it.
fn to_repeat(global: &Global, here: &Path) -> Option<String> {
    let given = global.project.as_deref()?;
    let same = given.canonicalize().ok() == Project::discover(here).canonicalize().ok();
    (!same).then(|| given.display().to_string())
}

/// The commands that a host does.
async fn with_host(verb: Verb, host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    match verb {
        Verb::Perform(args) => perform::perform(args, host, context).await,
        Verb::Ask(args) => perform::ask(args, host, context).await,
        Verb::Resume(args) => perform::resume(args, host, context).await,
        Verb::Review(args) => review::review(args, host, context).await,
        Verb::Undo(args) => undo::undo(args, host, context).await,
        Verb::History => undo::history(host, context).await,
        Verb::Edit(args) => edit::edit(args, host, context).await,
        Verb::Runs(args) => runs::runs(args.verb, host, context).await,
        Verb::Artifacts { verb } => runs::artifacts(verb, host, context).await,
        Verb::Melodies { verb } => listings::melodies(verb, host, context).await,
        Verb::Players => listings::players(host, context).await,
        Verb::Status => listings::status(host, context).await,
        Verb::Models { .. } | Verb::Config(_) | Verb::Doctor | Verb::Completions { .. } => {
            Err(errors::unexpected("a command for it"))
        }
    }
}

#[cfg(test)]
#[path = "main_tests.rs"]
mod tests;
