//! `players`, `melodies` and `status`.

use crate::api::{CommandError, MelodySummary, PlayerSummary, XiPluginSummary};
use crate::{
    api::{Answer, Command, Status},
    cli::{
        args::MelodyVerb,
        context::Context,
        errors::{CliError, CliResult, input, unexpected},
        execute::{Execute, no_events},
        melody_set,
        perform::melody_name,
        style::Style,
        text::{count, one_line, table, visible_lines},
    },
};
use symphony_domain::melody::{format::MelodyFile, problem::nearest};

/// Lists who can play.
///
/// # Errors
/// When the host does not answer.
pub async fn players(host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let answer = host
        .execute(Command::Players, no_events(), &context.cancel)
        .await?;
    let Answer::Players {
        players,
        xi_plugins,
        problems,
        policy,
    } = &answer
    else {
        return Err(unexpected("the players"));
    };
    if context.ui.mode.json {
        return Ok(context.ui.result(&answer)?);
    }
    let style = context.ui.style;
    let rows: Vec<_> = players
        .iter()
        .map(|player| player_row(player, style))
        .chain(xi_plugins.iter().map(|plugin| plugin_row(plugin, style)))
        .collect();
    context.ui.lines(table(&rows))?;
    context.ui.line("")?;
    context.ui.line(&format!(
        "Chosen by {}: {}",
        style.bold(&one_line(&policy.name)),
        one_line(&policy.description)
    ))?;
    for problem in problems {
        context.ui.note(&format!(
            "{} {}",
            context.ui.err_style.yellow("!"),
            one_line(problem)
        ));
    }
    Ok(())
}

fn plugin_row(plugin: &XiPluginSummary, style: Style) -> Vec<String> {
    let mark = match plugin.state.as_str() {
        "running" => style.green("✓"),
        "crashed" | "disabled" => style.red("✗"),
        _ => style.dim("·"),
    };
    let mut about = format!("plugin of the text engine, {}", one_line(&plugin.state));
    let can = [&plugin.commands[..], &plugin.languages[..]].concat();
    if !can.is_empty() {
        about.push_str(&style.dim(&format!(" [{}]", one_line(&can.join(", ")))));
    }
    vec![
        format!("{mark} xi-plugin/{}", one_line(&plugin.name)),
        one_line(&plugin.version),
        about,
    ]
}

fn player_row(player: &PlayerSummary, style: Style) -> Vec<String> {
    let mut about = one_line(&player.description);
    if !player.capabilities.is_empty() {
        about.push_str(&style.dim(&format!(" [{}]", one_line(&player.capabilities.join(", ")))));
    }
    let mark = if player.missing.is_empty() {
        style.green("✓")
    } else {
        about = format!(
            "does not play: not granted {}",
            one_line(&player.missing.join(", "))
        );
        style.red("✗")
    };
    vec![
        format!("{mark} {}", one_line(&player.player)),
        one_line(&player.version),
        about,
    ]
}

/// Lists melodies, shows, checks or changes one.
///
/// # Errors
/// When there is none of this name, or it is not sound.
pub async fn melodies(
    verb: Option<MelodyVerb>,
    host: &dyn Execute,
    context: &mut Context<'_>,
) -> CliResult {
    match verb {
        Some(MelodyVerb::Check { name }) => check(name, host, context).await,
        Some(MelodyVerb::Show { name }) => show(&name, host, context).await,
        Some(MelodyVerb::Set(args)) => melody_set::set(args, host, context).await,
        Some(MelodyVerb::Schema) => schema(context),
        None => list(host, context).await,
    }
}

async fn check(name: String, host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let melody = melody_name(&name, &context.place.here);
    let answer = host
        .execute(Command::Check { melody }, no_events(), &context.cancel)
        .await?;
    let Answer::Checked { name, nodes } = &answer else {
        return Err(unexpected("how the melody is"));
    };
    if context.ui.mode.json {
        return Ok(context.ui.result(&answer)?);
    }
    let mark = context.ui.style.green("✓");
    Ok(context.ui.line(&format!(
        "{mark} {} is sound: {}",
        one_line(name),
        count(*nodes, "node")
    ))?)
}

async fn all(host: &dyn Execute, context: &Context<'_>) -> CliResult<Vec<MelodySummary>> {
    match host
        .execute(Command::Melodies, no_events(), &context.cancel)
        .await?
    {
        Answer::Melodies { melodies } => Ok(melodies),
        _ => Err(unexpected("the melodies")),
    }
}

async fn show(name: &str, host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let melodies = all(host, context).await?;
    let Some(melody) = melodies.iter().find(|melody| melody.name == name) else {
        let known: Vec<&str> = melodies.iter().map(|melody| melody.name.as_str()).collect();
        return Err(input(
            format!("there is no melody `{name}`"),
            nearest(name, &known),
        ));
    };
    let text = sy_commons::fs::read_text(&melody.path)
        .map_err(|e| CliError::Command(CommandError::from(e)))?;
    if context.ui.mode.json {
        let shown = serde_json::json!({ "name": melody.name, "path": melody.path, "text": text });
        return Ok(context.ui.result(&shown)?);
    }
    let text = if context.ui.mode.terminal {
        visible_lines(&text)
    } else {
        text
    };
    Ok(context.ui.raw(&text)?)
}

/// Prints the JSON Schema of melodies.
///
/// # Errors
/// When it cannot be written.
pub fn schema(context: &mut Context<'_>) -> CliResult {
    let schema = schemars::schema_for!(MelodyFile);
    if context.ui.mode.json {
        return Ok(context.ui.result(&schema)?);
    }
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    Ok(context.ui.line(&text)?)
}

async fn list(host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let melodies = all(host, context).await?;
    if context.ui.mode.json {
        return Ok(context.ui.result(&Answer::Melodies { melodies })?);
    }
    let style = context.ui.style;
    let mut lines = Vec::new();
    for melody in &melodies {
        let name = style.bold(&one_line(&melody.name));
        match &melody.problem {
            None => lines.push(format!("{name}  {}", one_line(&melody.description))),
            Some(problem) => {
                lines.push(format!("{name}  {}", style.red("is not sound:")));
                lines.extend(
                    visible_lines(problem)
                        .lines()
                        .map(|line| format!("  {line}")),
                );
            }
        }
        let inputs = melody
            .inputs
            .iter()
            .map(|(name, kind)| vec![format!("  {}", one_line(name)), one_line(kind)]);
        lines.extend(table(&inputs.collect::<Vec<_>>()));
        let place = if melody.replaces.is_some() {
            format!(
                "  {} (yours, in place of Symphony's)",
                one_line(&melody.path)
            )
        } else {
            format!("  {}", one_line(&melody.path))
        };
        lines.push(style.dim(&place));
    }
    if lines.is_empty() {
        lines.push("There are no melodies; `symphony doctor` tells why.".to_owned());
    }
    Ok(context.ui.lines(lines)?)
}

/// Tells who works on the project.
///
/// # Errors
/// When the host does not answer.
pub async fn status(host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let answer = host
        .execute(Command::Status, no_events(), &context.cancel)
        .await?;
    let Answer::Status(status) = &answer else {
        return Err(unexpected("its status"));
    };
    if context.ui.mode.json {
        return Ok(context.ui.result(&answer)?);
    }
    let lines = status_lines(status, context.ui.style);
    Ok(context.ui.lines(lines)?)
}

fn status_lines(status: &Status, style: Style) -> Vec<String> {
    let own = if status.pid == std::process::id() {
        " (this command)"
    } else {
        ""
    };
    let playing = status
        .playing
        .as_deref()
        .map_or_else(|| "nothing".to_owned(), one_line);
    let row = |name: &str, value: String| vec![style.bold(name), value];
    let mut lines = table(&[
        row("project", one_line(&status.project)),
        row("state", one_line(&status.state)),
        row("host", format!("process {}{own}", status.pid)),
        row("playing", playing),
        row(
            "chooses",
            format!(
                "{}: {}",
                one_line(&status.policy.name),
                one_line(&status.policy.description)
            ),
        ),
    ]);
    let process = |(name, pid, health): &(String, Option<u32>, String)| {
        let pid = pid.map_or_else(|| "not started".to_owned(), |pid| format!("process {pid}"));
        vec![format!("  {}", one_line(name)), pid, one_line(health)]
    };
    lines.extend(table(
        &status.processes.iter().map(process).collect::<Vec<_>>(),
    ));
    lines
}

#[cfg(test)]
#[path = "listings_tests.rs"]
mod tests;
