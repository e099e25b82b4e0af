//! What an operation may fail with, and its form on the wire.

use crate::engine::EditError;
use crate::file::{EncodeError, FileError};
use serde_json::{Value, json};
use std::path::PathBuf;
use sy_commons::fs::FsReason;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{BufferKey, RevisionNumber, Span, ViewKey};

/// Why an operation was not done. Nothing changed then.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// The edit does not fit the buffer.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The text has a character that the file's encoding does not have.
    #[error(transparent)]
    Unencodable(#[from] EncodeError),
    /// The buffer and its file disagree in places that nobody decided on.
    #[error("{} places where the buffer and its file disagree are not resolved", .ranges.len())]
    Unresolved {
        /// The newest revision.
        revision: RevisionNumber,
        /// The places, in positions of that revision.
        ranges: Vec<Span>,
    },
    /// There is no such conflict.
    #[error("there is no such conflict, there are {known}")]
    NoConflict {
        /// How many there are.
        known: usize,
    },
    /// Lines can be made to end in one way only.
    #[error("lines end with `lf` or `crlf`")]
    LineEnding,
    /// Too many lines to change as one edit.
    #[error("{lines} lines are more than the {limit} that one edit changes")]
    TooManyLines {
        /// How many there are.
        lines: usize,
        /// How many may be.
        limit: usize,
    },
    /// The file is too large to be held: it is read by ranges only.
    #[error("{} is too large to be edited: it is read by ranges only", .0.display())]
    Windowed(PathBuf),
    /// The line was not counted yet.
    #[error("the lines of the first {indexed} of {len} bytes are counted so far")]
    NotIndexed {
        /// Bytes that are counted.
        indexed: u64,
        /// Bytes that there are.
        len: u64,
    },
    /// No such buffer is open.
    #[error("no buffer {0} is open")]
    NoBuffer(BufferKey),
    /// The path is not absolute.
    #[error("{} is not an absolute path", .0.display())]
    RelativePath(PathBuf),
    /// Neither a path nor a text was given.
    #[error("`open` needs `path`, `text` or both")]
    NothingToOpen,
    /// The buffer belongs to no file.
    #[error("buffer {0} has no file: give a path")]
    NoFile(BufferKey),
    /// A file or another buffer is there already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The file may not be written.
    #[error("{} is read-only", .0.display())]
    ReadOnly(PathBuf),
    /// The file on disk is not what was read or written last.
    #[error("{} changed on disk", .0.display())]
    ChangedOnDisk(PathBuf),
    /// The caller did not know the newest revision.
    #[error("revision {asked} is not the newest, {newest} is")]
    NotNewest {
        /// What the caller named.
        asked: RevisionNumber,
        /// The newest.
        newest: RevisionNumber,
    },
    /// Closing would lose unsaved changes.
    #[error("the buffer has unsaved changes")]
    Unsaved,
    /// No such view is open.
    #[error("no view {0} is open")]
    NoView(ViewKey),
    /// A view has at least one selection.
    #[error("no selection was given: a view has at least one")]
    NoSelection,
    /// More of something than is allowed.
    #[error("{count} {what} are too many: {limit} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many were asked for.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// A setting is not what it may be.
    #[error("{0}")]
    BadSetting(String),
    /// Another process uses the session's folder.
    #[error("the session is in use: {0}")]
    SessionInUse(String),
    /// `initialize` named no session.
    #[error("there is no session: name one with `initialize`")]
    NoSession,
    /// The folders of sessions cannot be used.
    #[error("the session's folder cannot be used: {0}")]
    Session(#[from] std::io::Error),
    /// No such unsaved text is there.
    #[error("there is no unsaved text {0}")]
    NothingToRecover(String),
    /// It cannot be a buffer again. It is still where it was.
    #[error("{id} cannot be restored: {why}")]
    NotRecoverable {
        /// Which.
        id: String,
        /// Why.
        why: String,
    },
    /// So much text does not fit one message.
    #[error("{len} bytes do not fit one message: read by ranges")]
    TooMuch {
        /// What was asked for, in bytes.
        len: usize,
    },
}

impl EditorError {
    fn code(&self) -> i64 {
        match self {
            Self::Edit(error) => match error {
                EditError::BaseTooOld { .. }
                | EditError::Overlap { .. }
                | EditError::Stale { .. } => code::CONFLICT,
                EditError::NoSuchRevision { .. }
                | EditError::OutOfRange { .. }
                | EditError::NotABorder { .. }
                | EditError::NotSorted { .. } => code::INVALID_PARAMS,
                EditError::NoSuchNode(_) => code::NOT_FOUND,
                EditError::Engine(_) => code::INTERNAL_ERROR,
            },
            Self::File(error) => match error {
                FileError::Missing(_) => code::NOT_FOUND,
                FileError::NotAFile(_) | FileError::TooLarge { .. } | FileError::NotText { .. } => {
                    code::UNSUPPORTED
                }
                FileError::Write(error) if error.is_not_found() => code::NOT_FOUND,
                FileError::Io { .. } | FileError::Write(_) => code::IO,
            },
            Self::NoBuffer(_) | Self::NoView(_) | Self::NothingToRecover(_) => code::NOT_FOUND,
            Self::NoSelection
            | Self::TooMany { .. }
            | Self::BadSetting(_)
            | Self::RelativePath(_)
            | Self::NothingToOpen
            | Self::NoFile(_) => code::INVALID_PARAMS,
            Self::Exists(_)
            | Self::ChangedOnDisk(_)
            | Self::NotNewest { .. }
            | Self::Unsaved
            | Self::Unresolved { .. }
            | Self::SessionInUse(_) => code::CONFLICT,
            Self::NoConflict { .. } | Self::LineEnding => code::INVALID_PARAMS,
            Self::NoSession => code::INVALID_REQUEST,
            Self::Session(_) => code::IO,
            Self::NotIndexed { .. } => code::BUSY,
            Self::ReadOnly(_) | Self::Windowed(_) => code::REFUSED,
            Self::Unencodable(_)
            | Self::TooManyLines { .. }
            | Self::TooMuch { .. }
            | Self::NotRecoverable { .. } => code::UNSUPPORTED,
        }
    }

    /// What programs need to act on the error.
    fn data(&self) -> Option<Value> {
        Some(match self {
            Self::Edit(EditError::BaseTooOld { oldest, .. }) => {
                json!({"reason": "base_too_old", "oldest": oldest})
            }
            Self::Edit(EditError::Overlap {
                newest, overlaps, ..
            }) => json!({"reason": "overlap", "revision": newest, "overlaps": overlaps}),
            Self::Edit(EditError::OutOfRange { len, .. }) => json!({"len": len}),
            Self::Edit(EditError::NotABorder { offset }) => json!({"offset": offset}),
            Self::Edit(EditError::NoSuchRevision { newest, .. }) => json!({"revision": newest}),
            Self::File(FileError::TooLarge { len, limit, .. }) => {
                json!({"reason": "too_large", "len": len, "limit": limit})
            }
            Self::File(FileError::NotText { why, .. }) => {
                json!({"reason": "not_text", "why": why.to_string(), "offset": why.offset()})
            }
            Self::File(FileError::Io { source, .. }) => os_error(source)?,
            Self::File(FileError::Write(error)) => match error.reason() {
                FsReason::Io(source) => os_error(source)?,
                _ => return None,
            },
            Self::Exists(_) => json!({"reason": "exists"}),
            Self::ChangedOnDisk(_) => json!({"reason": "changed_on_disk"}),
            Self::NotNewest { newest, .. } | Self::Edit(EditError::Stale { newest, .. }) => {
                json!({"reason": "not_newest", "revision": newest})
            }
            Self::Unencodable(error) => json!({
                "reason": "unencodable",
                "offset": error.at,
                "character": error.character,
            }),
            Self::Unresolved { revision, ranges } => {
                json!({"reason": "unresolved", "revision": revision, "ranges": ranges})
            }
            Self::NoConflict { known } => json!({"known": known}),
            Self::TooManyLines { lines, limit } => {
                json!({"reason": "too_many_lines", "lines": lines, "limit": limit})
            }
            Self::Windowed(_) => json!({"reason": "windowed"}),
            Self::NotIndexed { indexed, len } => {
                json!({"reason": "not_indexed", "indexed": indexed, "len": len})
            }
            Self::Unsaved => json!({"reason": "unsaved"}),
            Self::TooMany { limit, .. } => json!({"limit": limit}),
            Self::SessionInUse(_) => json!({"reason": "session_in_use"}),
            Self::Session(error) => os_error(error)?,
            _ => return None,
        })
    }
}

fn os_error(error: &std::io::Error) -> Option<Value> {
    error
        .raw_os_error()
        .map(|number| json!({"os_error": number}))
}

/// The message with those of its causes that it does not quote already.
fn with_causes(error: &EditorError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}

impl From<EditorError> for RpcError {
    fn from(error: EditorError) -> Self {
        let rpc = Self::new(error.code(), with_causes(&error));
        match error.data() {
            Some(data) => rpc.with_data(data),
            None => rpc,
        }
    }
}
