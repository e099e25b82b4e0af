//! `undo` and `history`: what was written to the project, and taking it back.

use crate::{
    api::{Answer, Command},
    cli::{
        args::UndoArgs,
        context::Context,
        errors::{CliResult, unexpected},
        execute::{Execute, no_events},
        text::{count, moment_ms, one_line, table},
    },
};
use std::time::SystemTime;
use symphony_domain::changes::{Application, ApplicationKind, ApplicationState, UndoOutcome};

/// Takes back what was written, or an undo.
///
/// # Errors
/// When there is nothing to take back, or it cannot be written.
pub async fn undo(args: UndoArgs, host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let (redo, what) = (args.redo, args.what);
    let command = if redo {
        Command::Redo { what }
    } else {
        Command::Undo { what }
    };
    let answer = host.execute(command, no_events(), &context.cancel).await?;
    let Answer::Undone { outcome } = answer else {
        return Err(unexpected("what was taken back"));
    };
    if context.ui.mode.json {
        return Ok(context.ui.result(&Answer::Undone { outcome })?);
    }
    let line = told(&outcome, redo, context);
    Ok(context.ui.line(&line)?)
}

/// `took back 19 hunks of change set 7f3a from 11 files; bring back with symphony undo --redo`.
fn told(outcome: &UndoOutcome, redo: bool, context: &Context<'_>) -> String {
    let hunks = count(outcome.hunks.len(), "hunk");
    let files = count(outcome.files.len(), "file");
    let set = one_line(&outcome.change_set);
    let merged = match outcome.merged.len() {
        0 => String::new(),
        n => format!(" ({n} with changes made since, which were kept)"),
    };
    if redo {
        let next = context.place.hint("undo");
        format!("wrote {hunks} of change set {set} again to {files}{merged}; undo with {next}")
    } else {
        let next = context.place.hint("undo --redo");
        format!(
            "took back {hunks} of change set {set} from {files}{merged}; bring back with {next}"
        )
    }
}

/// Lists what was written.
///
/// # Errors
/// When the host does not answer.
pub async fn history(host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let answer = host
        .execute(Command::History, no_events(), &context.cancel)
        .await?;
    let Answer::History { applications } = answer else {
        return Err(unexpected("what was written"));
    };
    if context.ui.mode.json {
        return Ok(context.ui.result(&Answer::History { applications })?);
    }
    if applications.is_empty() {
        return Ok(context
            .ui
            .line("Nothing was written to this project yet.")?);
    }
    let now = SystemTime::now();
    let rows: Vec<_> = applications
        .iter()
        .map(|application| row(application, now))
        .collect();
    Ok(context.ui.lines(table(&rows))?)
}

fn row(application: &Application, now: SystemTime) -> Vec<String> {
    let of = application
        .of
        .map(|of| format!(" of {of}"))
        .unwrap_or_default();
    let kind = match application.kind {
        ApplicationKind::Apply => "accept",
        ApplicationKind::Undo => "undo",
        ApplicationKind::Redo => "redo",
    };
    let state = match application.state {
        ApplicationState::Done => "",
        ApplicationState::Writing => "not finished",
        ApplicationState::TakingBack => "is being taken back",
        ApplicationState::TakenBack => "failed, taken back",
    };
    vec![
        application.id.to_string(),
        format!("{kind}{of}"),
        one_line(&application.change_set),
        hunks(application),
        count(application.files.len(), "file"),
        moment_ms(application.at_ms, now),
        state.to_owned(),
    ]
}

/// `3 hunks, 1 edited`.
fn hunks(application: &Application) -> String {
    let decisions = &application.decisions;
    let all = count(decisions.len(), "hunk");
    match decisions
        .iter()
        .filter(|decision| decision.is_edited())
        .count()
    {
        0 => all,
        edited => format!("{all}, {edited} edited"),
    }
}

#[cfg(test)]
#[path = "undo_tests.rs"]
mod tests;
