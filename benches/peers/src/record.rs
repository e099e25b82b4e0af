//! Puts the tables of a run into a document, in place of those of the last run.

use crate::error::Error;
use std::path::Path;

const BEGIN: &str = "<!-- cargo xtask peers: begin -->\n";
const END: &str = "<!-- cargo xtask peers: end -->\n";

/// Replaces what is between the marks, or appends marks and text where there are none.
///
/// # Errors
/// When the file cannot be read or written.
pub fn put(file: &Path, text: &str) -> Result<(), Error> {
    let old = std::fs::read_to_string(file).map_err(|e| Error::file("read", file, e))?;
    std::fs::write(file, replaced(&old, text)).map_err(|e| Error::file("write", file, e))
}

fn replaced(old: &str, text: &str) -> String {
    let text = text.trim_end();
    let parts = old
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    match parts {
        Some((before, after)) => format!("{before}{BEGIN}{text}\n{END}{after}"),
        None => format!("{old}\n{BEGIN}{text}\n{END}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_run_is_replaced_and_the_rest_stays() {
        let first = replaced("# Figures\n", "one\n\n");
        assert_eq!(first, format!("# Figures\n\n{BEGIN}one\n{END}"));
        let second = replaced(&format!("{first}More.\n"), "two");
        assert_eq!(second, format!("# Figures\n\n{BEGIN}two\n{END}More.\n"));
    }
}
