//! `perform`, `ask` and `resume`: play, show progress, say what to try next.

use crate::{
    api::{Answer, Command, CommandError, ErrorKind, Perform, Performed},
    cli::{
        args::{AskArgs, PerformArgs, PlayerArgs, ResumeArgs},
        context::Context,
        errors::{CliError, CliResult, input, unexpected},
        execute::Execute,
        progress::{Progress, Setting},
        text::{count, one_line, visible_lines},
    },
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{MAIN_SEPARATOR, Path},
};

/// Findings that are shown; the others stand in `runs show`.
const SHOWN_FINDINGS: usize = 5;

/// Plays a melody.
///
/// # Errors
/// Why it was not played to its end.
pub async fn perform(
    args: PerformArgs,
    host: &dyn Execute,
    context: &mut Context<'_>,
) -> CliResult {
    let mut inputs = BTreeMap::new();
    for (name, value) in &args.input {
        if inputs.insert(name.clone(), json_or_text(value)).is_some() {
            return Err(twice("input", name));
        }
    }
    if let Some(limit) = args.limit
        && inputs.insert("limit".to_owned(), json!(limit)).is_some()
    {
        return Err(twice("input", "limit"));
    }
    let melody = melody_name(&args.melody, &context.place.here);
    let command = performing(melody, inputs, args.players, args.fresh)?;
    play(command, host, context).await
}

/// Plays the melody `ask`.
///
/// # Errors
/// Why it was not played to its end.
pub async fn ask(args: AskArgs, host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    if args.prompt.trim().is_empty() {
        return Err(input(
            "there is nothing in what you ask",
            "say in words what should change",
        ));
    }
    let files: Vec<String> = args
        .files
        .iter()
        .map(|file| context.place.in_project(file))
        .collect::<Result<_, _>>()?;
    let inputs = BTreeMap::from([
        ("prompt".to_owned(), json!(args.prompt)),
        ("files".to_owned(), json!(files)),
    ]);
    let command = performing("ask".to_owned(), inputs, args.players, args.fresh)?;
    play(command, host, context).await
}

/// Plays a run on.
///
/// # Errors
/// Why it was not played to its end.
pub async fn resume(args: ResumeArgs, host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let players = once_each(args.players)?;
    play(
        Command::Resume {
            run: args.run,
            players,
        },
        host,
        context,
    )
    .await
}

fn performing(
    melody: String,
    inputs: BTreeMap<String, Value>,
    players: PlayerArgs,
    fresh: bool,
) -> CliResult<Command> {
    let model = players.model;
    let players = once_each(players.players)?;
    Ok(Command::Perform(Perform {
        melody,
        inputs,
        players,
        model,
        fresh,
    }))
}

fn once_each(pairs: Vec<(String, String)>) -> CliResult<BTreeMap<String, String>> {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        if map.insert(name.clone(), value).is_some() {
            return Err(twice("player", &name));
        }
    }
    Ok(map)
}

pub(super) fn twice(what: &str, name: &str) -> CliError {
    let message = format!("the {what} of `{name}` is given twice");
    CommandError::new(ErrorKind::Usage, message)
        .help("give it once")
        .into()
}

/// A value of an input: JSON where it is JSON, else the text itself.
pub(super) fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// A path of a melody's file becomes absolute: the host may have another working directory.
pub(super) fn melody_name(melody: &str, here: &Path) -> String {
    let is_path =
        melody.contains('/') || melody.contains(MAIN_SEPARATOR) || melody.ends_with(".toml");
    if is_path {
        here.join(melody).display().to_string()
    } else {
        melody.to_owned()
    }
}

async fn play(command: Command, host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let setting = Setting {
        mode: context.ui.mode,
        style: context.ui.err_style,
        project: context.place.name(),
    };
    let progress = Progress::start(setting).map_err(CliError::Output)?;
    let answer = host
        .execute(command, progress.sink(), &context.cancel)
        .await;
    let seen = progress.end();
    match answer {
        Ok(Answer::Performed(performed)) => told(&performed, context),
        Ok(_) => Err(unexpected("how the melody ended")),
        Err(mut error) => {
            if error.help.is_none()
                && matches!(error.kind, ErrorKind::RunFailed | ErrorKind::Cancelled)
                && let Some(run) = seen.run
            {
                error.help = Some(format!(
                    "play on with {}",
                    context.place.hint(&format!("resume {run}"))
                ));
            }
            Err(error.into())
        }
    }
}

fn told(performed: &Performed, context: &mut Context<'_>) -> CliResult {
    if context.ui.mode.json {
        return Ok(context.ui.result(&Answer::Performed(performed.clone()))?);
    }
    if !context.ui.mode.quiet {
        context.ui.note("");
    }
    let lines = ending(performed, context);
    Ok(context.ui.lines(lines)?)
}

/// What is said at the end: what there is now, and what to try next.
fn ending(performed: &Performed, context: &Context<'_>) -> Vec<String> {
    let style = context.ui.style;
    let mut lines = Vec::new();
    for (name, value) in &performed.outputs {
        let value = match value {
            Value::String(text) => visible_lines(text),
            other => visible_lines(&serde_json::to_string_pretty(other).unwrap_or_default()),
        };
        let value = value.replace('\n', "\n    ");
        lines.push(format!("  {}: {value}", style.bold(&one_line(name))));
    }
    let findings = &performed.findings;
    if !findings.is_empty() {
        lines.push(format!(
            "  {}:",
            style.yellow(&count(findings.len(), "finding"))
        ));
        let shown = findings.iter().take(SHOWN_FINDINGS);
        lines.extend(shown.map(|finding| format!("    {}", one_line(finding))));
        if findings.len() > SHOWN_FINDINGS {
            lines.push(style.dim(&format!("    and {} more", findings.len() - SHOWN_FINDINGS)));
        }
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let show_run = (
        format!("runs show {}", performed.run),
        "every step, its inputs, outputs and cost",
    );
    match &performed.change_set {
        Some(set) => {
            let id = one_line(&set.id);
            lines.push(format!(
                "  Change set {} is ready. Nothing in the project has been touched.",
                style.bold(&id)
            ));
            let review = ("review".to_owned(), "look at each hunk, accept or reject");
            let accept = (
                "review --accept".to_owned(),
                "take all of it; `symphony undo` takes it back",
            );
            lines.extend(hints(&[review, accept, show_run], context));
        }
        None => {
            let changed = "The melody was played. It left no change set; nothing in the project has been touched.";
            lines.push(format!("  {changed}"));
            lines.extend(hints(&[show_run], context));
        }
    }
    let is_local = |name: &String| name == "local-model" || name == "instrument/local-model";
    if performed.instruments.iter().any(is_local) {
        lines.extend([
            String::new(),
            "  local-model is small (135 million parameters): its sentences are a start. To play your own:".to_owned(),
        ]);
        lines.extend(hints(
            &[(
                "models add ollama".to_owned(),
                "or openai, openrouter, vllm, llamacpp; symphony models --help",
            )],
            context,
        ));
    }
    lines
}

/// Commands to try, and what each does, in two columns.
fn hints(hints: &[(String, &str)], context: &Context<'_>) -> Vec<String> {
    let rows: Vec<Vec<String>> = hints
        .iter()
        .map(|(command, what)| {
            vec![
                format!(
                    "    {}",
                    context.ui.style.cyan(&context.place.hint(command))
                ),
                (*what).to_owned(),
            ]
        })
        .collect();
    crate::cli::text::table(&rows)
}

#[cfg(test)]
#[path = "perform_tests.rs"]
mod tests;
