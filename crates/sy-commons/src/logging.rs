//! Logging on `tracing`: console (stderr), rotating file, text or JSON lines.
//!
//! Every writer removes registered secrets (see [`redact`](mod@crate::redact))
//! before anything leaves the process. Writing to a file happens on a thread of
//! its own behind a bounded queue: a slow or full disk never stops the work,
//! and lines dropped because of it are counted.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::{Dispatch, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::RollingFileAppender;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use crate::error::{Categorized, ErrorCategory};
use crate::fs::{FsError, ensure_private_dir};
use crate::redact::redact_bytes;

pub use tracing::{
    debug, debug_span, error, error_span, event, info, info_span, instrument, trace, trace_span,
    warn, warn_span,
};

/// The most lines that wait to be written to a file.
const QUEUED_LINES: usize = 16_384;

/// What to log, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggingConfig {
    /// A level (`info`) or directives (`info,symphony_actors=debug`).
    pub filter: String,
    /// Lines on stderr; `None` for none.
    pub console: Option<LineFormat>,
    /// Lines in a rotating file; `None` for none.
    pub file: Option<FileLog>,
}

impl Default for LoggingConfig {
    /// `info` as text on stderr.
    fn default() -> Self {
        Self {
            filter: "info".to_owned(),
            console: Some(LineFormat::Text),
            file: None,
        }
    }
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// A log file that a new one replaces after a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLog {
    /// The folder; made, and closed to others, when missing.
    pub dir: PathBuf,
    /// The beginning of each file's name: `symphony` gives
    /// `symphony.2026-01-31.log`.
    pub name: String,
    /// When a new file begins.
    pub rotation: Rotation,
    /// How many files stay; older ones are deleted. 0 keeps all.
    pub keep_files: usize,
    /// How its lines look.
    pub format: LineFormat,
}

impl FileLog {
    /// Text lines in `dir`, a new file each day, seven kept.
    #[must_use]
    pub fn daily(dir: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        Self {
            dir: dir.into(),
            name: name.into(),
            rotation: Rotation::Daily,
            keep_files: 7,
            format: LineFormat::Text,
        }
    }
}

/// When a new log file begins. Times are UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// At the full hour.
    Hourly,
    /// At midnight.
    Daily,
    /// Never.
    Never,
}

impl From<Rotation> for tracing_appender::rolling::Rotation {
    fn from(rotation: Rotation) -> Self {
        match rotation {
            Rotation::Hourly => Self::HOURLY,
            Rotation::Daily => Self::DAILY,
            Rotation::Never => Self::NEVER,
        }
    }
}

/// Why logging could not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoggingError {
    /// The filter is not a level or list of directives.
    #[error("`{filter}` is not a log filter")]
    BadFilter {
        /// The filter as given.
        filter: String,
        /// Where it stops making sense.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// The folder for log files cannot be used.
    #[error("no folder for log files")]
    Folder(#[source] FsError),
    /// The log file cannot be opened.
    #[error("cannot open a log file in {}", .dir.display())]
    Open {
        /// The folder.
        dir: PathBuf,
        /// The system's word.
        #[source]
        source: tracing_appender::rolling::InitError,
    },
    /// Something in this process logs already.
    #[error("logging was started before in this process")]
    AlreadyStarted(#[source] tracing::dispatcher::SetGlobalDefaultError),
}

impl Categorized for LoggingError {
    fn category(&self) -> ErrorCategory {
        match self {
            Self::BadFilter { .. } => ErrorCategory::FixConfiguration,
            Self::Folder(_) | Self::Open { .. } => ErrorCategory::FixEnvironment,
            Self::AlreadyStarted(_) => ErrorCategory::Bug,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::BadFilter { .. } => Some(
                "use error, warn, info, debug or trace, or a list such as `info,symphony=debug`"
                    .to_owned(),
            ),
            Self::Folder(error) => error.help(),
            _ => None,
        }
    }
}

/// Keeps logging alive; dropping it writes out what is queued. Hold it until
/// the end of `main`.
#[must_use = "dropping the guard ends logging to files"]
#[derive(Debug)]
pub struct LoggingGuard {
    dropped: Option<ErrorCounter>,
    _worker: Option<WorkerGuard>,
}

impl LoggingGuard {
    /// How many lines were dropped because the file could not keep up.
    #[must_use]
    pub fn dropped_lines(&self) -> usize {
        self.dropped.as_ref().map_or(0, ErrorCounter::dropped_lines)
    }
}

/// Starts logging for the whole process.
///
/// # Errors
/// [`LoggingError`]; [`LoggingError::AlreadyStarted`] on a second call.
///
/// ```no_run
/// use sy_commons::logging::{init_logging, LoggingConfig, info};
/// # fn main() -> Result<(), sy_commons::SymphonyError> {
/// let _guard = init_logging(&LoggingConfig::default())?;
/// info!(nodes = 12, "run started");
/// # Ok(()) }
/// ```
pub fn init_logging(config: &LoggingConfig) -> Result<LoggingGuard, LoggingError> {
    let (dispatch, guard) = build_logging(config)?;
    tracing::dispatcher::set_global_default(dispatch).map_err(LoggingError::AlreadyStarted)?;
    Ok(guard)
}

/// What [`init_logging`] starts, without starting it: for a thread
/// (`tracing::dispatcher::with_default`) or a test.
///
/// # Errors
/// [`LoggingError`], but not `AlreadyStarted`.
pub fn build_logging(config: &LoggingConfig) -> Result<(Dispatch, LoggingGuard), LoggingError> {
    let filter = parse_filter(&config.filter)?;
    let console = config.console.map(|format| line_layer(format, io::stderr));
    let mut guard = LoggingGuard {
        dropped: None,
        _worker: None,
    };
    let file = match &config.file {
        None => None,
        Some(file) => {
            let (writer, worker) = open_file(file)?;
            guard.dropped = Some(writer.error_counter());
            guard._worker = Some(worker);
            Some(line_layer(file.format, writer))
        }
    };
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(console)
        .with(file);
    Ok((Dispatch::new(subscriber), guard))
}

/// Whether `filter` is one, before logging starts with it.
///
/// # Errors
/// [`LoggingError::BadFilter`].
pub fn check_filter(filter: &str) -> Result<(), LoggingError> {
    parse_filter(filter).map(drop)
}

fn parse_filter(filter: &str) -> Result<EnvFilter, LoggingError> {
    EnvFilter::try_new(filter).map_err(|source| LoggingError::BadFilter {
        filter: filter.to_owned(),
        source,
    })
}

fn open_file(file: &FileLog) -> Result<(NonBlocking, WorkerGuard), LoggingError> {
    ensure_private_dir(&file.dir).map_err(LoggingError::Folder)?;
    let mut builder = RollingFileAppender::builder()
        .rotation(file.rotation.into())
        .filename_prefix(&file.name)
        .filename_suffix("log");
    if file.keep_files > 0 {
        builder = builder.max_log_files(file.keep_files);
    }
    let appender = builder
        .build(&file.dir)
        .map_err(|source| LoggingError::Open {
            dir: file.dir.clone(),
            source,
        })?;
    Ok(NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUED_LINES)
        .thread_name("symphony-log")
        .finish(appender))
}

/// A layer that writes redacted lines of `format` to `writer`.
fn line_layer<S, W>(format: LineFormat, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(Redacting(writer));
    match format {
        LineFormat::Text => layer.boxed(),
        LineFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

/// Makes writers that remove secrets from each line. The layers above hand over
/// a whole line at a time, so no secret is cut in two.
struct Redacting<W>(W);

impl<'writer, W: MakeWriter<'writer>> MakeWriter<'writer> for Redacting<W> {
    type Writer = RedactingWriter<W::Writer>;

    fn make_writer(&'writer self) -> Self::Writer {
        RedactingWriter(self.0.make_writer())
    }

    fn make_writer_for(&'writer self, meta: &tracing::Metadata<'_>) -> Self::Writer {
        RedactingWriter(self.0.make_writer_for(meta))
    }
}

struct RedactingWriter<W>(W);

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(&redact_bytes(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
#[path = "logging/tests.rs"]
mod tests;
