//! The two editing processes, driven alike.

mod ours;
mod upstream;

pub use ours::Ours;
pub use upstream::Upstream;

use crate::error::Error;
use crate::process::Memory;
use std::path::Path;

/// So many lines are shown at once.
pub const SHOWN: usize = 50;

/// Where in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before the first letter.
    Start,
    /// At the beginning of this line, counted from 0.
    Line(usize),
    /// After the last letter, which ends this line, counted from 0.
    End(usize),
}

impl Place {
    /// The first of the lines that are shown around it.
    pub fn first_shown(self) -> usize {
        match self {
            Self::Start => 0,
            Self::Line(line) => line.saturating_sub(SHOWN / 2),
            Self::End(line) => (line + 1).saturating_sub(SHOWN),
        }
    }
}

/// A text in an editing process, with a cursor in it.
pub trait Core {
    /// Opens a file, or an empty text, up to where its first lines can be shown.
    ///
    /// # Errors
    /// When the process refuses or ends.
    fn open(&mut self, path: Option<&Path>) -> Result<(), Error>;

    /// Puts the cursor somewhere, shows the lines around it, and waits until all is quiet.
    ///
    /// # Errors
    /// As [`Core::open`].
    fn go(&mut self, place: Place) -> Result<(), Error>;

    /// Types an `x` and waits until all is known that it changed.
    ///
    /// # Errors
    /// As [`Core::open`].
    fn insert(&mut self) -> Result<(), Error>;

    /// Begins a new line at the cursor, shows the lines from `first` on, and
    /// waits until all is quiet.
    ///
    /// # Errors
    /// As [`Core::open`].
    fn next_line(&mut self, first: usize) -> Result<(), Error>;

    /// Saves, and waits until that is done.
    ///
    /// # Errors
    /// As [`Core::open`].
    fn save(&mut self, path: &Path) -> Result<(), Error>;

    /// Waits until all is quiet, and checks that nothing more was told than was waited for.
    ///
    /// # Errors
    /// As [`Core::open`].
    fn settle(&mut self) -> Result<(), Error>;

    /// The process's memory.
    ///
    /// # Errors
    /// When the system does not tell.
    fn memory(&self) -> Result<Memory, Error>;
}
