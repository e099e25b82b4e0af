//! What a developer command can fail with, told apart by what one does about it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The result of a developer command.
pub type Result<T> = std::result::Result<T, XtaskError>;

/// Why a developer command ended early.
#[derive(Debug, thiserror::Error)]
pub enum XtaskError {
    /// A program is not installed; `fix` is a line to type.
    #[error("{what} is missing\n  help: {fix}")]
    Missing {
        /// What was looked for.
        what: String,
        /// What to type or change.
        fix: String,
    },
    /// A program could not be started.
    #[error("{program} could not be started")]
    Start {
        /// The program.
        program: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A program ran and reported failure.
    #[error("`{command}` ended with {status}{}", .log.as_ref().map(|l| format!("\n{}", l.tail)).unwrap_or_default())]
    Failed {
        /// The command line.
        command: String,
        /// The status as words, such as `exit status: 1`.
        status: String,
        /// The exit code, where it has one.
        code: Option<i32>,
        /// The end of its output, where it was not shown already.
        log: Option<Log>,
    },
    /// A program ran longer than it may and was ended.
    #[error("`{command}` was ended after {} s", .limit.as_secs())]
    TimedOut {
        /// The command line.
        command: String,
        /// The limit.
        limit: Duration,
    },
    /// A file could not be read or written.
    #[error("{}: cannot {doing}", .path.display())]
    File {
        /// What was being done, as a verb: `read`, `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Something has a form that cannot be used.
    #[error("{what}: {problem}")]
    Unusable {
        /// The thing.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Checks ran and some did not hold.
    #[error("{what} failed:\n  {}", .findings.join("\n  "))]
    Check {
        /// The check.
        what: String,
        /// One line a finding.
        findings: Vec<String>,
    },
}

/// The end of a program's captured output.
#[derive(Debug)]
pub struct Log {
    /// Its last lines, and where the whole of it lies.
    pub tail: String,
}

impl XtaskError {
    /// An error about `path`; `doing` is a verb.
    pub fn file(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    /// The exit code to end with: the program's own where it had one, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed {
                code: Some(code), ..
            } => u8::try_from(*code).unwrap_or(1).max(1),
            _ => 1,
        }
    }
}
