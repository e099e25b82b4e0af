//! Our `xi-editor` beside upstream's `xi-core`: typing, opening, saving, memory.

mod files;
mod typing;

use crate::error::Error;
use crate::noise::Noise;
use crate::table::Section;
use std::path::{Path, PathBuf};

/// The two programs.
pub struct Programs {
    /// Our `xi-editor`.
    pub ours: PathBuf,
    /// Upstream's `xi-core`.
    pub upstream: PathBuf,
}

/// Every line of the texts.
const LINE: &str = "the quick brown fox jumps over the lazy dog, and once more 0123456789\n";

/// Measures typing, then files.
///
/// # Errors
/// When a program fails or holds a wrong text, or a file cannot be written.
pub fn measure(programs: &Programs, short: bool, noise: &mut Noise) -> Result<Vec<Section>, Error> {
    let folder = tempfile::tempdir()
        .map_err(|e| Error::file("make a folder in", &std::env::temp_dir(), e))?;
    let typing = typing::measure(programs, folder.path(), short, noise)?;
    let files = files::measure(programs, folder.path(), short, noise)?;
    Ok(vec![typing, files])
}

/// A text of about so many bytes; as many lines as are returned beside it.
fn text(bytes: usize) -> (String, usize) {
    let lines = bytes / LINE.len();
    (LINE.repeat(lines), lines)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|e| Error::file("write", path, e))
}

/// Checks what a program saved.
fn check(path: &Path, expected: &str, peer: &'static str, what: &str) -> Result<(), Error> {
    let saved = std::fs::read(path).map_err(|e| Error::file("read", path, e))?;
    if saved == expected.as_bytes() {
        return Ok(());
    }
    Err(Error::WrongText {
        peer,
        what: what.to_owned(),
    })
}
