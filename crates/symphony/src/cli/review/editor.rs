//! Lines in someone's own editor.

use std::{
    io::{self, Read},
    path::Path,
    process::ExitStatus,
};
use symphony_domain::changes::MAX_FILE_BYTES;
use tokio_util::sync::CancellationToken;

/// What begins a line that is for the reader and not of the text.
const MARK: &str = "#symphony:";

/// What came of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// This text.
    Text(String),
    /// The text that was there.
    Same,
    /// Nothing: who edits thought better of it.
    Nothing,
    /// The command was stopped meanwhile.
    Stopped,
}

/// Why a text could not be edited. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// None is named.
    #[error("no editor is set: set VISUAL or EDITOR, as in EDITOR=nano symphony review")]
    NotSet,
    /// Its command is none.
    #[error(
        "the editor `{command}` is no command: a quotation mark is not closed, or there is nothing"
    )]
    Command {
        /// The command.
        command: String,
    },
    /// It did not start.
    #[error(
        "the editor `{command}` cannot be started ({source}): set VISUAL or EDITOR to one that can"
    )]
    Start {
        /// The command.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It said that it failed.
    #[error("the editor `{command}` failed ({status})")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The text could not be handed over or taken back.
    #[error("the text cannot be handed to the editor or taken back: {0}")]
    File(#[from] io::Error),
}

/// A text to be edited.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// The name of its file, whose ending tells an editor the language.
    pub name: &'a str,
    /// Lines for the reader, above it.
    pub head: &'a [String],
    /// The text.
    pub text: &'a str,
}

impl Sheet<'_> {
    /// Has an editor edit it: a command as `VISUAL` and `EDITOR` name it. It
    /// waits as long as someone edits.
    ///
    /// # Errors
    /// [`EditorError`].
    pub async fn edit(
        &self,
        editor: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<Saved, EditorError> {
        let command = editor.ok_or(EditorError::NotSet)?;
        let named = || command.to_owned();
        let words = shlex::split(command).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| EditorError::Command { command: named() })?;
        // A folder of its own: editors put backups beside the file, and some replace it.
        let folder = tempfile::Builder::new().prefix("symphony-").tempdir()?;
        let file = folder.path().join(self.name);
        let mark = self.mark();
        std::fs::write(&file, self.written(&mark))?;
        let status = tokio::process::Command::new(&words[0])
            .args(&words[1..])
            .arg(&file)
            .kill_on_drop(true)
            .status();
        let status = tokio::select! {
            status = status => status,
            () = cancel.cancelled() => return Ok(Saved::Stopped),
        };
        let status = status.map_err(|source| EditorError::Start {
            command: named(),
            source,
        })?;
        if !status.success() {
            let command = named();
            return Err(EditorError::Failed { command, status });
        }
        Ok(self.taken(&read(std::fs::File::open(&file)?)?, &mark))
    }

    /// A mark that no line of the text begins with.
    fn mark(&self) -> String {
        let mut mark = MARK.to_owned();
        while self.text.lines().any(|line| line.starts_with(&mark)) {
            mark.insert(0, '#');
        }
        mark
    }

    fn written(&self, mark: &str) -> String {
        let drop = format!(
            "Lines that begin with {mark} are dropped. With no other left, nothing changes."
        );
        let head = self.head.iter().chain(std::iter::once(&drop));
        let mut out: String = head.map(|line| format!("{mark} {line}\n")).collect();
        out.push_str(self.text);
        out
    }

    fn taken(&self, saved: &str, mark: &str) -> Saved {
        let lines = saved.split_inclusive('\n');
        let text: String = lines.filter(|line| !line.starts_with(mark)).collect();
        if text == self.text || text.strip_suffix('\n') == Some(self.text) {
            Saved::Same
        } else if text.trim().is_empty() {
            Saved::Nothing
        } else {
            Saved::Text(text)
        }
    }
}

/// All of a text, up to the size of a file.
///
/// # Errors
/// When it cannot be read, is longer or is not UTF-8.
pub fn read(source: impl Read) -> io::Result<String> {
    let limit = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is longer than 16 MiB",
        ));
    }
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// The ending of a path's name with its dot, if it is a plain one.
pub fn ending(path: &str) -> String {
    let ending = Path::new(path).extension().and_then(|e| e.to_str());
    let plain = |ending: &&str| {
        (1..=16).contains(&ending.len()) && ending.chars().all(|c| c.is_ascii_alphanumeric())
    };
    ending
        .filter(plain)
        .map(|ending| format!(".{ending}"))
        .unwrap_or_default()
}

#[cfg(test)]
#[path = "editor_tests.rs"]
mod tests;
