//! `runs` and `artifacts`: what was played, step by step.

use crate::{
    api::{Answer, Command, CommandError, ErrorKind, RunState, RunSummary},
    cli::{
        args::{ArtifactVerb, RunVerb},
        context::Context,
        errors::{CliResult, unexpected},
        execute::{Execute, no_events},
        style::Style,
        text::{
            bytes, count, duration, moment, one_line, player_name, table, usage, visible_lines,
        },
    },
};
use std::time::SystemTime;
use symphony_core_ports::{
    ArtifactSummary, NodeRecord, NodeState, ResultOrigin, RunOutcome, RunRecord,
};

/// Lists runs, or shows one.
///
/// # Errors
/// When there is no such run.
pub async fn runs(
    verb: Option<RunVerb>,
    host: &dyn Execute,
    context: &mut Context<'_>,
) -> CliResult {
    let command = match verb {
        None => Command::Runs,
        Some(RunVerb::Show { run }) => Command::Run {
            run: run.unwrap_or_default(),
        },
    };
    let answer = host.execute(command, no_events(), &context.cancel).await?;
    if context.ui.mode.json {
        return Ok(context.ui.result(&answer)?);
    }
    let lines = match &answer {
        Answer::Runs { runs } if runs.is_empty() => {
            vec![format!(
                "Nothing was played on this project yet; try {}",
                context.place.hint("perform document")
            )]
        }
        Answer::Runs { runs } => listing(runs, SystemTime::now(), context.ui.style),
        Answer::Run { state, record } => whole(*state, record, SystemTime::now(), context),
        _ => return Err(unexpected("runs")),
    };
    Ok(context.ui.lines(lines)?)
}

fn listing(runs: &[RunSummary], now: SystemTime, style: Style) -> Vec<String> {
    let row = |run: &RunSummary| {
        vec![
            one_line(&run.id),
            one_line(&run.melody),
            state_word(run.state, style),
            format!("{} done", count(run.done, "piece")),
            usage(&run.usage),
            moment(run.started, now),
            run.error.as_deref().map(one_line).unwrap_or_default(),
        ]
    };
    table(&runs.iter().map(row).collect::<Vec<_>>())
}

fn state_word(state: RunState, style: Style) -> String {
    match state {
        RunState::Playing => style.cyan("playing"),
        RunState::Succeeded => style.green("succeeded"),
        RunState::Failed => style.red("failed"),
        RunState::Cancelled => style.yellow("stopped"),
        RunState::Interrupted => style.yellow("interrupted"),
    }
}

fn whole(
    state: RunState,
    record: &RunRecord,
    now: SystemTime,
    context: &Context<'_>,
) -> Vec<String> {
    let style = context.ui.style;
    let run = one_line(record.run.id.as_str());
    let mut title = format!(
        "{} · run {run} · {} · {}",
        style.bold(&one_line(&record.run.melody)),
        state_word(state, style),
        moment(record.run.started, now)
    );
    let took = record
        .finished
        .and_then(|finished| finished.duration_since(record.run.started).ok());
    if let Some(took) = took {
        title.push_str(&format!(" · {}", duration(took)));
    }
    let cost = usage(&record.usage());
    if !cost.is_empty() {
        title.push_str(&format!(" · {cost}"));
    }
    let mut lines = vec![title];
    if let Some(RunOutcome::Failed { error }) = &record.outcome {
        lines.extend(
            error
                .lines()
                .map(|line| format!("  {}", style.red(&one_line(line)))),
        );
    }
    lines.push(String::new());
    let rows: Vec<_> = record
        .nodes
        .iter()
        .map(|node| node_row(node, style))
        .collect();
    lines.extend(table(&rows));
    lines.push(String::new());
    lines.push(format!("  plan {}", short(record.run.plan.as_str())));
    if let Some(RunOutcome::Succeeded { output }) = &record.outcome {
        lines.push(format!("  outputs {}", short(output.as_str())));
    }
    lines.push(format!(
        "  {} shows a step's output",
        context.place.hint("artifacts show ID")
    ));
    if matches!(
        state,
        RunState::Failed | RunState::Cancelled | RunState::Interrupted
    ) {
        lines.push(format!(
            "  {} plays on",
            context.place.hint(&format!("resume {run}"))
        ));
    }
    lines
}

fn node_row(node: &NodeRecord, style: Style) -> Vec<String> {
    let name = one_line(node.id.as_str());
    let label = one_line(&node.label);
    let (mark, what, output) = match &node.state {
        NodeState::Started => (style.yellow("…"), "not finished".to_owned(), String::new()),
        NodeState::Failed { error } => (style.red("✗"), one_line(error), String::new()),
        NodeState::Skipped { reason } => (
            style.dim("–"),
            format!("left out: {}", one_line(reason)),
            String::new(),
        ),
        NodeState::Completed { result } => {
            let mut parts = Vec::new();
            match result.origin {
                ResultOrigin::Executed => parts.push(duration(result.output.duration)),
                ResultOrigin::Cache => parts.push("from cache".to_owned()),
                ResultOrigin::Log => parts.push("kept from before".to_owned()),
            }
            if result.output.attempts > 1 {
                parts.push(format!("{} tries", result.output.attempts));
            }
            if result.origin == ResultOrigin::Executed {
                parts.push(usage(&result.output.usage));
            }
            parts.retain(|part| !part.is_empty());
            (
                style.green("✓"),
                parts.join(" · "),
                short(result.output.output.as_str()),
            )
        }
    };
    vec![
        format!("  {mark} {name}"),
        player_name(&node.player),
        label,
        output,
        what,
    ]
}

/// The first digits of an artifact's id.
fn short(id: &str) -> String {
    let digits = id.strip_prefix("b3:").unwrap_or(id);
    digits.chars().take(12).collect()
}

/// Shows an artifact.
///
/// # Errors
/// When there is none, or its text is asked for and it is none.
pub async fn artifacts(
    verb: ArtifactVerb,
    host: &dyn Execute,
    context: &mut Context<'_>,
) -> CliResult {
    let ArtifactVerb::Show { id, raw } = verb;
    let answer = host
        .execute(Command::Artifact { id }, no_events(), &context.cancel)
        .await?;
    let Answer::Artifact { summary, text } = &answer else {
        return Err(unexpected("an artifact"));
    };
    if context.ui.mode.json {
        return Ok(context.ui.result(&answer)?);
    }
    if !raw {
        context.ui.lines(about(summary))?;
        context.ui.line("")?;
    }
    match text {
        None if raw => {
            let message = format!(
                "{} is no text: it has {}",
                short(summary.id.as_str()),
                bytes(summary.size)
            );
            Err(CommandError::new(ErrorKind::Input, message).into())
        }
        None => Ok(context.ui.line("(no text)")?),
        // What goes to a program is left as it is; a terminal would obey it.
        Some(text) if raw && !context.ui.mode.terminal => Ok(context.ui.raw(text)?),
        Some(text) if raw => Ok(context.ui.line(&visible_lines(text))?),
        Some(text) => Ok(context.ui.line(&visible_lines(&readable(text)))?),
    }
}

fn about(summary: &ArtifactSummary) -> Vec<String> {
    let mut rows = vec![
        vec!["id".to_owned(), summary.id.to_string()],
        vec!["size".to_owned(), bytes(summary.size)],
        vec!["type".to_owned(), one_line(&summary.about.media_type)],
        vec!["title".to_owned(), one_line(&summary.about.title)],
    ];
    rows.extend(
        summary
            .about
            .labels
            .iter()
            .map(|(name, value)| vec![one_line(name), one_line(value)]),
    );
    table(&rows)
}

/// JSON on several lines; anything else as it is.
fn readable(text: &str) -> String {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(text);
    parsed
        .ok()
        .and_then(|value| serde_json::to_string_pretty(&value).ok())
        .unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
#[path = "runs_tests.rs"]
mod tests;
