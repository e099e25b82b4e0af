//! Changes a node of a melody's file.

use super::{Found, MAX_MELODY_BYTES, locate, unsound};
use crate::{
    api::{CommandError, ErrorKind, MelodySet, SetMelody},
    installation::Installation,
};
use std::path::PathBuf;
use sy_commons::fs::{ensure_dir, read_text_limited, write_atomic};
use symphony_domain::melody::{
    check::Players,
    edit::{Change, RewriteError, diff, rewrite},
};

/// Makes changes and writes them, if the melody is sound with them. A melody that came
/// with Symphony stays as it is: the user gets one of their own, which goes before it.
///
/// # Errors
/// When there is no such melody or node, or the changed melody is not sound (nothing is
/// written then), or the file cannot be written.
pub fn set(
    installation: &Installation,
    players: &Players,
    what: &SetMelody,
) -> Result<MelodySet, CommandError> {
    let Found { path, bundled } = locate(installation, &what.melody)?;
    let old = read_text_limited(&path, MAX_MELODY_BYTES)?;
    let shown = path.display().to_string();
    let melody = rewrite(&old, &shown, &what.node, &changes(what)).map_err(refused)?;
    melody
        .check(players)
        .map_err(|problems| unsound(problems).help(NOTHING))?;
    let mut done = MelodySet {
        name: melody.file.name.clone(),
        diff: diff(&old, &melody.text),
        path: shown.clone(),
        copied_from: None,
    };
    if done.diff.is_empty() {
        return Ok(done);
    }
    let target = if bundled {
        let target = own(installation, &path)?;
        done.copied_from = Some(shown);
        done.path = target.display().to_string();
        target
    } else {
        path
    };
    write_atomic(target, melody.text.as_bytes())?;
    Ok(done)
}

/// After errors that come before writing.
const NOTHING: &str = "nothing was written";

/// Where the user's own melody of the same file name goes.
fn own(installation: &Installation, path: &std::path::Path) -> Result<PathBuf, CommandError> {
    let [folder, _] = installation.melody_folders();
    ensure_dir(&folder)?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

fn changes(what: &SetMelody) -> Vec<Change> {
    let mut changes = Vec::new();
    changes.extend(what.player.clone().map(Change::Player));
    changes.extend(what.with.iter().map(|(port, value)| Change::With {
        port: port.clone(),
        value: value.clone(),
    }));
    changes.extend(what.retries.map(Change::Retries));
    changes.extend(what.backoff.clone().map(Change::Backoff));
    changes.extend(what.timeout.clone().map(Change::Timeout));
    changes
}

fn refused(error: RewriteError) -> CommandError {
    match error {
        RewriteError::Unsound(problems) => unsound(problems).help(NOTHING),
        error => {
            let mut told = CommandError::new(ErrorKind::Input, error.to_string()).help(NOTHING);
            let cause = std::error::Error::source(&error);
            told.causes.extend(cause.map(ToString::to_string));
            told
        }
    }
}
