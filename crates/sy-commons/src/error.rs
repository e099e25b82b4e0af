//! [`SymphonyError`], the error every crate's own errors can become.
//!
//! An error answers three questions: what failed (`Display`, one line, without
//! its cause), why (`source()`), and what the caller can do about it
//! ([`ErrorCategory`], [`SymphonyError::help`]). Crates keep their own typed
//! enums and join by implementing [`Categorized`].

use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::time::Duration;

use thiserror::Error;

use crate::config::ConfigError;
use crate::fs::FsError;
use crate::logging::LoggingError;
use crate::prevalidation::ValidationError;
use crate::redact::redact;

/// A boxed cause.
pub type Cause = Box<dyn StdError + Send + Sync + 'static>;

/// A result whose error is a [`SymphonyError`] unless said otherwise.
pub type Result<T, E = SymphonyError> = std::result::Result<T, E>;

/// What the one who gets the error can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCategory {
    /// Give other input: the request itself is wrong.
    FixInput,
    /// Change the configuration.
    FixConfiguration,
    /// Repair the surroundings: permissions, a full disk, a missing program.
    FixEnvironment,
    /// Try the same again later: the cause may pass.
    Retry,
    /// Ask for the right: the action was refused by a rule, not by a fault.
    Denied,
    /// Nothing: someone asked for the work to stop.
    Cancelled,
    /// Report it: this cannot be repaired from outside.
    Bug,
}

impl ErrorCategory {
    /// Whether trying the same again can succeed without changing anything.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Retry)
    }

    /// The category in a few words, as shown to a person.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::FixInput => "correct the input",
            Self::FixConfiguration => "correct the configuration",
            Self::FixEnvironment => "repair the environment",
            Self::Retry => "try again",
            Self::Denied => "grant the permission",
            Self::Cancelled => "nothing to do",
            Self::Bug => "report this as a bug",
        }
    }
}

impl fmt::Display for ErrorCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.advice())
    }
}

/// Implemented by the typed errors of every crate, so that they become a
/// [`SymphonyError`] without losing what the caller can do.
pub trait Categorized: StdError {
    /// What the caller can do.
    fn category(&self) -> ErrorCategory;

    /// A sentence for the user: the fix, if one is known.
    fn help(&self) -> Option<String> {
        None
    }
}

/// The base error of Symphony.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SymphonyError {
    /// Input broke one or more rules; each violation names its field.
    #[error(transparent)]
    Validation(#[from] ValidationError),

    /// A file or folder could not be read, written or found.
    #[error(transparent)]
    File(#[from] FsError),

    /// Input or output failed where no path is known: a pipe, a socket.
    #[error("input or output failed")]
    Io(#[source] std::io::Error),

    /// Data could not be turned into text or bytes, or back.
    #[error("not valid {format}")]
    Serialization {
        /// The format: `JSON`, `TOML`, …
        format: &'static str,
        /// The parser's word, with its position.
        #[source]
        source: Cause,
    },

    /// The configuration is wrong.
    #[error(transparent)]
    Configuration(#[from] ConfigError),

    /// Logging could not be started.
    #[error(transparent)]
    Logging(#[from] LoggingError),

    /// Something took longer than it may.
    #[error("{what} took longer than {}", human_duration(*.limit))]
    Timeout {
        /// What was waited for.
        what: String,
        /// The limit that was passed.
        limit: Duration,
    },

    /// Someone asked for the work to stop.
    #[error("{what} was cancelled")]
    Cancelled {
        /// What was stopped.
        what: String,
    },

    /// A typed error of another crate, which says itself what to do.
    #[error(transparent)]
    Typed(TypedError),

    /// An error known by its message only.
    #[error(transparent)]
    Generic(Box<GenericError>),

    /// Another error, with what was being done when it happened.
    #[error("{context}")]
    Context {
        /// What was being done: "cannot open the project".
        context: String,
        /// What went wrong.
        #[source]
        source: Box<SymphonyError>,
    },
}

/// Any crate's [`Categorized`] error, kept whole inside
/// [`SymphonyError::Typed`].
#[derive(Debug)]
pub struct TypedError(Box<dyn Categorized + Send + Sync + 'static>);

impl TypedError {
    /// The error itself.
    #[must_use]
    pub fn get(&self) -> &(dyn Categorized + Send + Sync + 'static) {
        self.0.as_ref()
    }
}

impl fmt::Display for TypedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for TypedError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// The parts of [`SymphonyError::Generic`].
#[derive(Debug, Error)]
#[error("{message}")]
pub struct GenericError {
    message: String,
    category: ErrorCategory,
    help: Option<String>,
    #[source]
    source: Option<Cause>,
}

impl SymphonyError {
    /// An error of `category` known by its message only.
    pub fn new(category: ErrorCategory, message: impl Into<String>) -> Self {
        Self::Generic(Box::new(GenericError {
            message: message.into(),
            category,
            help: None,
            source: None,
        }))
    }

    /// An error of `category` with a message and the error that caused it.
    pub fn caused(
        category: ErrorCategory,
        message: impl Into<String>,
        source: impl Into<Cause>,
    ) -> Self {
        Self::Generic(Box::new(GenericError {
            message: message.into(),
            category,
            help: None,
            source: Some(source.into()),
        }))
    }

    /// Takes in a typed error of another crate; category and help stay its own.
    pub fn typed(error: impl Categorized + Send + Sync + 'static) -> Self {
        Self::Typed(TypedError(Box::new(error)))
    }

    /// The same error with a sentence telling the user what to do. Replaces an
    /// earlier one.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        let help = Some(help.into());
        match self {
            Self::Generic(mut inner) => {
                inner.help = help;
                Self::Generic(inner)
            }
            other => Self::Generic(Box::new(GenericError {
                message: other.to_string(),
                category: other.category(),
                help,
                // The message is the error's own, so its cause comes next.
                source: other.into_cause(),
            })),
        }
    }

    /// The error one step down the chain, boxed; for [`Self::with_help`].
    fn into_cause(self) -> Option<Cause> {
        match self {
            Self::Io(source) => Some(Box::new(source)),
            Self::Serialization { source, .. } => Some(source),
            Self::Context { source, .. } => Some(source),
            other => StdError::source(&other).map(|cause| flatten(cause).into()),
        }
    }

    /// The same error, with what was being done when it happened.
    #[must_use]
    pub fn context(self, context: impl Into<String>) -> Self {
        Self::Context {
            context: context.into(),
            source: Box::new(self),
        }
    }

    /// What the caller can do. Context does not change it.
    #[must_use]
    pub fn category(&self) -> ErrorCategory {
        match self {
            Self::Validation(_) | Self::Serialization { .. } => ErrorCategory::FixInput,
            Self::File(error) => error.category(),
            Self::Io(error) => io_category(error),
            Self::Configuration(error) => error.category(),
            Self::Logging(error) => error.category(),
            Self::Timeout { .. } => ErrorCategory::Retry,
            Self::Cancelled { .. } => ErrorCategory::Cancelled,
            Self::Typed(error) => error.get().category(),
            Self::Generic(inner) => inner.category,
            Self::Context { source, .. } => source.category(),
        }
    }

    /// What the user should do, in a sentence, where that is known.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::File(error) => error.help(),
            Self::Io(error) => io_help(error).map(str::to_owned),
            Self::Configuration(error) => error.help(),
            Self::Logging(error) => error.help(),
            Self::Typed(error) => error.get().help(),
            Self::Generic(inner) => inner.help.clone(),
            Self::Context { source, .. } => source.help(),
            Self::Validation(_)
            | Self::Serialization { .. }
            | Self::Timeout { .. }
            | Self::Cancelled { .. } => None,
        }
    }

    /// The error under all context.
    #[must_use]
    pub fn root(&self) -> &Self {
        match self {
            Self::Context { source, .. } => source.root(),
            other => other,
        }
    }

    /// The whole error for a terminal: `error: …`, one `  caused by: …` for
    /// each cause, and `  help: …` where help is known. No line break at the
    /// end; registered secrets are removed.
    #[must_use]
    pub fn render(&self) -> String {
        render_parts(self, self.help().as_deref())
    }
}

/// [`SymphonyError::render`] for any [`Categorized`] error.
#[must_use]
pub fn render(error: &dyn Categorized) -> String {
    render_parts(&Shown(error), error.help().as_deref())
}

/// Lends a `dyn Categorized` out as a plain error.
#[derive(Debug)]
struct Shown<'a>(&'a dyn Categorized);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for Shown<'_> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

fn render_parts(error: &dyn StdError, help: Option<&str>) -> String {
    let mut out = format!("error: {}", indent(&error.to_string()));
    let mut last = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let text = current.to_string();
        // Foreign errors often repeat their cause in their own message.
        if !text.is_empty() && !last.ends_with(&text) {
            let _ = write!(out, "\n  caused by: {}", indent(&text));
            last = text;
        }
        cause = current.source();
    }
    if let Some(help) = help {
        let _ = write!(out, "\n  help: {}", indent(help));
    }
    redact(&out).into_owned()
}

/// Keeps the further lines of a message under its first one.
fn indent(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}

/// A chain of borrowed causes as one owned text.
fn flatten(error: &dyn StdError) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let _ = write!(out, ": {current}");
        cause = current.source();
    }
    out
}

/// `1500 ms`, `3 s`: a limit as people write it.
fn human_duration(limit: Duration) -> String {
    if limit.subsec_millis() == 0 {
        format!("{} s", limit.as_secs())
    } else {
        format!("{} ms", limit.as_millis())
    }
}

/// What can be done about an operating system error.
#[must_use]
pub fn io_category(error: &std::io::Error) -> ErrorCategory {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::NotFound
        | K::AlreadyExists
        | K::InvalidInput
        | K::InvalidData
        | K::IsADirectory
        | K::NotADirectory
        | K::InvalidFilename
        | K::UnexpectedEof => ErrorCategory::FixInput,
        K::Interrupted
        | K::WouldBlock
        | K::TimedOut
        | K::ResourceBusy
        | K::ConnectionReset
        | K::ConnectionAborted
        | K::ConnectionRefused
        | K::BrokenPipe => ErrorCategory::Retry,
        _ => ErrorCategory::FixEnvironment,
    }
}

/// The fix for the operating system errors users meet most.
#[must_use]
pub fn io_help(error: &std::io::Error) -> Option<&'static str> {
    use std::io::ErrorKind as K;
    Some(match error.kind() {
        K::StorageFull => "the disk is full: free some space and try again",
        K::QuotaExceeded => "your disk quota is used up: free some space and try again",
        K::PermissionDenied => "check the owner and the permissions",
        K::ReadOnlyFilesystem => "the file system is mounted read-only",
        K::NotFound => "check the spelling of the path",
        _ => return None,
    })
}

impl From<std::io::Error> for SymphonyError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<serde_json::Error> for SymphonyError {
    fn from(error: serde_json::Error) -> Self {
        Self::Serialization {
            format: "JSON",
            source: Box::new(error),
        }
    }
}

impl From<toml::de::Error> for SymphonyError {
    fn from(error: toml::de::Error) -> Self {
        Self::Serialization {
            format: "TOML",
            source: Box::new(error),
        }
    }
}

impl From<toml::ser::Error> for SymphonyError {
    fn from(error: toml::ser::Error) -> Self {
        Self::Serialization {
            format: "TOML",
            source: Box::new(error),
        }
    }
}

impl From<std::str::Utf8Error> for SymphonyError {
    fn from(error: std::str::Utf8Error) -> Self {
        Self::Serialization {
            format: "UTF-8",
            source: Box::new(error),
        }
    }
}

impl From<figment::Error> for SymphonyError {
    fn from(error: figment::Error) -> Self {
        Self::Configuration(ConfigError::from(error))
    }
}

/// Adds to an error what was being done when it happened.
///
/// ```
/// use sy_commons::error::{ResultContext, SymphonyError};
/// fn port(text: &str) -> Result<serde_json::Value, SymphonyError> {
///     serde_json::from_str(text).with_context(|| format!("cannot read `{text}`"))
/// }
/// let error = port("{").unwrap_err();
/// assert_eq!(error.to_string(), "cannot read `{`");
/// ```
pub trait ResultContext<T> {
    /// Adds a context that is cheap to make.
    ///
    /// # Errors
    /// The error of `self`, with the context around it.
    fn context(self, context: impl Into<String>) -> Result<T>;

    /// Adds a context made only when there is an error.
    ///
    /// # Errors
    /// The error of `self`, with the context around it.
    fn with_context<C: Into<String>>(self, context: impl FnOnce() -> C) -> Result<T>;
}

impl<T, E: Into<SymphonyError>> ResultContext<T> for std::result::Result<T, E> {
    fn context(self, context: impl Into<String>) -> Result<T> {
        self.map_err(|error| error.into().context(context))
    }

    fn with_context<C: Into<String>>(self, context: impl FnOnce() -> C) -> Result<T> {
        self.map_err(|error| error.into().context(context()))
    }
}

#[cfg(test)]
#[path = "error/tests.rs"]
mod tests;
