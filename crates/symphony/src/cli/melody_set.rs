//! `melodies set`.

use crate::{
    api::{Answer, Command, MelodySet, SetMelody},
    cli::{
        args::SetMelodyArgs,
        context::Context,
        diff::unified,
        errors::{CliResult, input, unexpected},
        execute::{Execute, no_events},
        perform::{json_or_text, melody_name, twice},
        style::Style,
        text::one_line,
    },
    models,
};
use std::collections::BTreeMap;

/// Changes a node of a melody and shows what changed.
///
/// # Errors
/// Why nothing was written.
pub async fn set(args: SetMelodyArgs, host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let mut with = BTreeMap::new();
    for (port, value) in args.with {
        if with.insert(port.clone(), json_or_text(&value)).is_some() {
            return Err(twice("port", &port));
        }
    }
    let player = args.player.as_deref().map(models::instrument).transpose();
    let player = player.map_err(|e| input(e.to_string(), "nothing was written"))?;
    let command = Command::SetMelody(SetMelody {
        melody: melody_name(&args.melody, &context.place.here),
        node: args.node,
        player: player.map(|player| player.to_string()),
        with,
        retries: args.retries,
        backoff: args.backoff,
        timeout: args.timeout,
    });
    let answer = host.execute(command, no_events(), &context.cancel).await?;
    let Answer::MelodySet(done) = &answer else {
        return Err(unexpected("what was changed"));
    };
    if context.ui.mode.json {
        return Ok(context.ui.result(&answer)?);
    }
    if let Some(from) = &done.copied_from {
        context.ui.note(&format!(
            "{} came with Symphony and stays as it is; yours is played in its place from now on",
            one_line(from)
        ));
    }
    let lines = lines(done, context.ui.style);
    Ok(context.ui.lines(lines)?)
}

fn lines(done: &MelodySet, style: Style) -> Vec<String> {
    let (name, path) = (one_line(&done.name), one_line(&done.path));
    if done.diff.is_empty() {
        return vec![format!("{name} is so already: {path}")];
    }
    let mut lines = unified(&done.diff, style);
    lines.push(format!(
        "{} {} is changed and sound: {path}",
        style.green("✓"),
        style.bold(&name)
    ));
    lines
}

#[cfg(test)]
#[path = "melody_set_tests.rs"]
mod tests;
