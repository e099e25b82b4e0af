//! Where output goes, and how it should look.

use crate::cli::style::Style;
use serde::Serialize;
use std::io::{self, Write};

/// The process's output: results on one stream, progress and errors on the other.
pub struct Ui {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// Colours of results.
    pub style: Style,
    /// Colours of progress and errors.
    pub err_style: Style,
    /// How much is said, and to whom.
    pub mode: Mode,
}

/// How much is said, and to whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mode {
    /// JSON lines instead of text.
    pub json: bool,
    /// No progress.
    pub quiet: bool,
    /// The end of what models write.
    pub verbose: bool,
    /// Progress may be redrawn in place.
    pub live: bool,
    /// Someone is there to be asked.
    pub interactive: bool,
    /// Results go to a terminal.
    pub terminal: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Ui {
    /// Output on two streams.
    pub fn new(
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        style: Style,
        err_style: Style,
        mode: Mode,
    ) -> Self {
        Self {
            out,
            err,
            style,
            err_style,
            mode,
        }
    }

    /// A line of the result.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(b"\n")
    }

    /// The result exactly as it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn raw(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    /// Lines of the result.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn lines(&mut self, lines: impl IntoIterator<Item = impl AsRef<str>>) -> io::Result<()> {
        lines
            .into_iter()
            .try_for_each(|line| self.line(line.as_ref()))
    }

    /// The result as one line of JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn result(&mut self, result: &impl Serialize) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a, T> {
            result: &'a T,
        }
        let text = serde_json::to_string(&Line { result }).map_err(io::Error::other)?;
        self.line(&text)
    }

    /// A line for people beside the result. That it cannot be written stops nothing.
    pub fn note(&mut self, text: &str) {
        let _ = writeln!(self.err, "{text}");
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        let _ = self.err.flush();
        self.out.flush()
    }
}
