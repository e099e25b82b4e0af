//! A reviewer's own text for a hunk: from an editor, or from a file.

use super::{
    editor::{self, EditorError, Saved, Sheet},
    interactive::{Edited, Walk},
};
use crate::{
    api::{Answer, Command, CommandError, ErrorKind},
    cli::{
        context::Context,
        errors::{CliError, CliResult, input, unexpected},
        execute::{Execute, no_events},
        text::{one_line, visible},
    },
};
use std::{io, path::Path};
use symphony_domain::changes::{ChangeSet, Draft, DraftMeaning, HunkId};

/// What is to be said after an edit.
pub enum Told {
    /// The hunk is another now: show it, then say this.
    Hunk(Option<&'static str>),
    /// Nothing changed, and why.
    Nothing(String),
    /// The review was stopped.
    Stopped,
}

/// Has the hunk that is asked about edited.
///
/// # Errors
/// When the host does not answer.
pub async fn edit(
    walk: &mut Walk<'_>,
    set: &ChangeSet,
    host: &dyn Execute,
    context: &mut Context<'_>,
) -> CliResult<Told> {
    let Some((file, hunk)) = walk.hunk() else {
        return Ok(Told::Nothing("There is no hunk to edit.".to_owned()));
    };
    let id = hunk.id;
    let text = match walk.edited() {
        Some(edited) => edited.text.clone(),
        None => plain_ends(draft(&set.id, id, None, host, context).await?.text),
    };
    let item = match one_line(&hunk.item) {
        item if item.is_empty() => item,
        item => format!(": {item}"),
    };
    let head = [
        format!("hunk {id} of {}{item}", one_line(&file.path)),
        "What you save below takes the place of the hunk's new lines, and is shown to you again."
            .to_owned(),
    ];
    let sheet = Sheet {
        name: &format!("hunk-{id}{}", editor::ending(&file.path)),
        head: &head,
        text: &text,
    };
    context.ui.flush()?;
    let text = match sheet.edit(context.editor.as_deref(), &context.cancel).await {
        Ok(Saved::Text(text)) => text,
        Ok(Saved::Same) => return Ok(Told::Nothing("Nothing was changed.".to_owned())),
        Ok(Saved::Nothing) => {
            let told = "The text was emptied, so the hunk stays as it was; n rejects it.";
            return Ok(Told::Nothing(told.to_owned()));
        }
        Ok(Saved::Stopped) => return Ok(Told::Stopped),
        Err(error) => return Ok(Told::Nothing(failed(&error))),
    };
    match draft(&set.id, id, Some(&text), host, context).await {
        Ok(draft) => Ok(put(walk, text, draft)),
        Err(CliError::Command(error)) if error.kind == ErrorKind::Input => Ok(Told::Nothing(
            format!("{}. The hunk stays as it was.", visible(&error.message)),
        )),
        Err(error) => Err(error),
    }
}

fn failed(error: &EditorError) -> String {
    format!("{}. The hunk stays as it was.", visible(&error.to_string()))
}

fn put(walk: &mut Walk<'_>, text: String, draft: Draft) -> Told {
    let (edited, told) = match draft.meaning {
        DraftMeaning::Proposed => (None, Some("This is the hunk as it was proposed.")),
        DraftMeaning::Edited => (Some(draft), None),
        DraftMeaning::Unchanged => (
            Some(draft),
            Some("With this text the file stays as it is: y rejects the hunk."),
        ),
    };
    walk.put(edited.map(|draft| Edited {
        text,
        hunk: draft.hunk,
    }));
    Told::Hunk(told)
}

async fn draft(
    id: &str,
    hunk: HunkId,
    text: Option<&str>,
    host: &dyn Execute,
    context: &Context<'_>,
) -> CliResult<Draft> {
    let command = Command::Draft {
        id: id.to_owned(),
        hunk,
        text: text.map(str::to_owned),
    };
    match host.execute(command, no_events(), &context.cancel).await? {
        Answer::Draft { draft } => Ok(draft),
        _ => Err(unexpected("a hunk with another text")),
    }
}

/// Where every line ends as on Windows, plain ones: editors differ in what they
/// make of the others, and the host gives the file's own back.
fn plain_ends(text: String) -> String {
    match text.matches('\n').count() == text.matches("\r\n").count() {
        true => text.replace("\r\n", "\n"),
        false => text,
    }
}

/// The text of `--with`: a file's, or that of standard input for `-`.
///
/// # Errors
/// When it cannot be read, is no text or is empty.
pub async fn given(from: &Path, context: &Context<'_>) -> CliResult<String> {
    let is_input = from == Path::new("-");
    let path = context.place.here.join(from);
    let reading = tokio::task::spawn_blocking(move || match is_input {
        true => editor::read(io::stdin().lock()),
        false => std::fs::File::open(path).and_then(editor::read),
    });
    let read = tokio::select! {
        read = reading => read.map_err(io::Error::other)?,
        () = context.cancel.cancelled() => {
            return Err(CommandError::new(ErrorKind::Cancelled, "stopped; nothing was decided").into());
        }
    };
    let name = match is_input {
        true => "standard input".to_owned(),
        false => format!("`{}`", visible(&from.display().to_string())),
    };
    let text = read.map_err(|error| {
        let message = format!("{name} cannot be read: {error}");
        input(message, "--with takes a text file, or - for standard input")
    })?;
    if text.is_empty() {
        let help =
            "--reject leaves the lines as they are; a line break alone leaves one empty line";
        return Err(input(format!("{name} is empty; nothing was decided"), help));
    }
    Ok(text)
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
