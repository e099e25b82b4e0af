//! Why a comparison ended early.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a comparison ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: cannot {doing}", .path.display())]
    File {
        /// A verb: `read`, `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A recorded session has another form than expected.
    #[error("{}: not a recorded session: {problem}", .path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A peer refused an edit.
    #[error("{peer} refused an edit: {problem}")]
    Refused {
        /// The peer.
        peer: &'static str,
        /// In its words.
        problem: String,
    },
    /// A peer does not hold the text that the edits make.
    #[error("{peer} does not hold the right text after {what}")]
    WrongText {
        /// The peer.
        peer: &'static str,
        /// After what.
        what: String,
    },
    /// A program could not be started, written to or read from.
    #[error("{program}: cannot {doing}")]
    Process {
        /// The program.
        program: String,
        /// A verb: `start`, `write to`, `read from`.
        doing: &'static str,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A program ended, or was ended because it took too long.
    #[error("{program} ended, or was ended after {} s", .limit.as_secs())]
    Ended {
        /// The program.
        program: String,
        /// How long it may take.
        limit: Duration,
    },
    /// A program said something unexpected.
    #[error("{program} said: {line}")]
    Said {
        /// The program.
        program: String,
        /// What it said.
        line: String,
    },
}

impl Error {
    /// An error about a file; `doing` is a verb.
    pub fn file(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::File {
            doing,
            path,
            source,
        }
    }
}
