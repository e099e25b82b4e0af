//! What can go wrong with change sets, told apart by what the user can do.

use super::{
    merge::Lines,
    proposed::ProposalError,
    types::{HunkId, LeftAlone},
};
use std::fmt::Write as _;
use sy_commons::error::{Categorized, ErrorCategory};
use symphony_core_ports::PortError;

/// Why a file could not be written or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// xi-editor could not do it.
    #[error("xi-editor failed on {path}")]
    Port {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: PortError,
    },
    /// It holds another text than a moment ago.
    #[error("{path} changed meanwhile")]
    Changed {
        /// The file.
        path: String,
    },
    /// It leads to a place outside of the project, or where another file of the change set leads.
    #[error("{path} leads to {to}, which is not its own place in the project")]
    Elsewhere {
        /// The file.
        path: String,
        /// Where it leads.
        to: String,
    },
}

/// A file that changed since the change set was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutdatedFile {
    /// The file.
    pub path: String,
    /// The lines of its present text that changed; empty when it is gone.
    pub lines: Vec<Lines>,
    /// Whether there is no such file any more.
    pub gone: bool,
}

/// Why something about change sets failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// A run proposed something that cannot be taken.
    #[error("the change set of run {id} was refused")]
    Refused {
        /// The run.
        id: String,
        /// Why.
        #[source]
        source: ProposalError,
    },
    /// A name that no record can have.
    #[error(
        "`{id}` cannot name a change set: letters, digits, `-`, `_` and `.` can, not a dot first"
    )]
    Name {
        /// The name.
        id: String,
    },
    /// There is another change set of that name.
    #[error("there is a change set {id} already, and it is another one")]
    Exists {
        /// The name.
        id: String,
    },
    /// There is none at all.
    #[error("this project has no change set")]
    None,
    /// There is none of that name.
    #[error("this project has no change set `{id}`")]
    NotFound {
        /// The name or its beginning.
        id: String,
    },
    /// Several begin like that.
    #[error("`{prefix}` can be {}", matches.join(", "))]
    Ambiguous {
        /// The beginning.
        prefix: String,
        /// Their names.
        matches: Vec<String>,
    },
    /// A hunk cannot be decided so.
    #[error("hunk {hunk} of {id} {why}")]
    Selection {
        /// The change set.
        id: String,
        /// The hunk.
        hunk: HunkId,
        /// Why not.
        why: String,
    },
    /// Files changed since the change set was made. Nothing was written.
    #[error("{}", outdated(files))]
    Outdated {
        /// The change set.
        id: String,
        /// Which and where.
        files: Vec<OutdatedFile>,
    },
    /// Both sides changed the same lines. Nothing was written.
    #[error("{}", conflicts(what, files))]
    Conflict {
        /// What was to be done, e.g. `undo of 7f3a`.
        what: String,
        /// Which and where.
        files: Vec<OutdatedFile>,
    },
    /// Files have changes that are not saved. Nothing was written.
    #[error("{} has changes that are not saved\nnothing was written", paths.join(", "))]
    Unsaved {
        /// The files.
        paths: Vec<String>,
    },
    /// Files may not be written. Nothing was written.
    #[error("{} is read-only\nnothing was written", paths.join(", "))]
    ReadOnly {
        /// The files.
        paths: Vec<String>,
    },
    /// There is nothing to take back.
    #[error("{}", nothing_to("undo", id.as_deref()))]
    NothingToUndo {
        /// Of which change set, if one was named.
        id: Option<String>,
    },
    /// There is no undo to take back.
    #[error("{}", nothing_to("redo", id.as_deref()))]
    NothingToRedo {
        /// Of which change set, if one was named.
        id: Option<String>,
    },
    /// A file could not be read or written; where it was one of several, see
    /// [`TakenBack`](Self::TakenBack).
    #[error(transparent)]
    File(#[from] FileError),
    /// Writing failed and was taken back.
    #[error("{what} failed\n{}", taken_back(left))]
    TakenBack {
        /// What was to be done.
        what: String,
        /// The files that others changed meanwhile, which keep that and what was written.
        left: Vec<LeftAlone>,
        /// Why.
        #[source]
        source: Box<ChangeError>,
    },
    /// Writing failed half-way and could not be taken back yet.
    #[error(
        "{what} was interrupted\nsome files may be written, some not; the journal has both texts of each"
    )]
    Interrupted {
        /// What was to be done.
        what: String,
        /// Why.
        #[source]
        source: Box<ChangeError>,
    },
    /// A stored record makes no sense.
    #[error("the record of {what} is damaged")]
    Damaged {
        /// Of what.
        what: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Records or artifacts could not be read or written.
    #[error("{what}")]
    Store {
        /// What was being done.
        what: String,
        /// Why.
        #[source]
        source: PortError,
    },
}

impl ChangeError {
    pub(super) fn store(what: impl Into<String>) -> impl FnOnce(PortError) -> Self {
        let what = what.into();
        move |source| Self::Store { what, source }
    }
}

impl Categorized for FileError {
    fn category(&self) -> ErrorCategory {
        match self {
            Self::Port { source, .. } => source.category(),
            Self::Changed { .. } => ErrorCategory::Retry,
            Self::Elsewhere { .. } => ErrorCategory::Denied,
        }
    }
}

impl Categorized for ChangeError {
    fn category(&self) -> ErrorCategory {
        match self {
            Self::Refused { .. }
            | Self::Name { .. }
            | Self::Exists { .. }
            | Self::None
            | Self::NotFound { .. }
            | Self::Ambiguous { .. }
            | Self::Selection { .. }
            | Self::NothingToUndo { .. }
            | Self::NothingToRedo { .. }
            | Self::Outdated { .. }
            | Self::Conflict { .. }
            | Self::Unsaved { .. } => ErrorCategory::FixInput,
            Self::ReadOnly { .. } => ErrorCategory::FixEnvironment,
            Self::File(error) => error.category(),
            Self::TakenBack { source, .. } | Self::Interrupted { source, .. } => source.category(),
            Self::Damaged { .. } => ErrorCategory::Bug,
            Self::Store { source, .. } => source.category(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::None | Self::NotFound { .. } => {
                "symphony review --list shows what is there; symphony perform document makes one".into()
            }
            Self::Ambiguous { .. } => "give a few more characters of it".into(),
            Self::Selection { id, .. } => format!("symphony review {id} --show lists its hunks"),
            Self::Outdated { id, .. } => format!("symphony review --rebase {id}"),
            Self::Conflict { .. } => {
                "make the lines as they were and try again, or make the change by hand".into()
            }
            Self::Unsaved { .. } => "save or close it, then try again".into(),
            Self::ReadOnly { .. } => "make it writable, then try again".into(),
            Self::NothingToRedo { .. } => "symphony review shows what can be accepted".into(),
            Self::TakenBack { source, .. } => return source.help(),
            Self::Interrupted { .. } => {
                "put right what is named above, then run any symphony command here: it goes on where this one stopped".into()
            }
            Self::File(FileError::Port { source, .. }) | Self::Store { source, .. } => {
                return source.help();
            }
            Self::File(FileError::Changed { .. }) => "try again".into(),
            _ => return None,
        })
    }
}

fn nothing_to(what: &str, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("nothing of change set {id} to {what}"),
        None => format!("nothing to {what}"),
    }
}

fn taken_back(left: &[LeftAlone]) -> String {
    if left.is_empty() {
        return "all files are as they were".into();
    }
    let named: Vec<String> = left
        .iter()
        .map(|left| format!("{}: {}", left.path, left.reason))
        .collect();
    format!("all files are as they were but {}", named.join("; "))
}

fn outdated(files: &[OutdatedFile]) -> String {
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "{}", since(file));
    }
    text + "nothing was written"
}

fn since(file: &OutdatedFile) -> String {
    if file.gone {
        return format!("{} is gone since the change set was made", file.path);
    }
    let path = &file.path;
    let lines = numbers(&file.lines);
    format!("{path} changed since the change set was made: {lines}")
}

fn conflicts(what: &str, files: &[OutdatedFile]) -> String {
    let mut text = format!("{what} conflicts with later changes:\n");
    for file in files {
        let lines = match file.gone {
            true => "the file is gone".into(),
            false => numbers(&file.lines),
        };
        let _ = writeln!(text, "  {}: {lines}", file.path);
    }
    text + "nothing was written"
}

/// Names at most this many places.
const MAX_PLACES: usize = 8;

fn numbers(lines: &[Lines]) -> String {
    let mut text = String::from(match lines {
        [only] if only.start() == only.end() => "line ",
        _ => "lines ",
    });
    for (at, range) in lines.iter().take(MAX_PLACES).enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let (start, end) = (range.start(), range.end());
        let _ = match start == end {
            true => write!(text, "{comma}{start}"),
            false => write!(text, "{comma}{start}-{end}"),
        };
    }
    if lines.len() > MAX_PLACES {
        let _ = write!(text, " and {} more places", lines.len() - MAX_PLACES);
    }
    text
}
