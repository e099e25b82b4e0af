//! Recorded editing sessions (josephg/editing-traces).

use crate::error::Error;
use serde::Deserialize;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A recorded session of one writer.
#[derive(Debug)]
pub struct Trace {
    /// The text before.
    pub start: String,
    /// The text after.
    pub end: String,
    /// In the order they were made.
    pub patches: Vec<Patch>,
}

/// One edit: a range is replaced by text.
#[derive(Debug)]
pub struct Patch {
    /// What is replaced, in bytes.
    pub bytes: Range<usize>,
    /// What is replaced, in characters.
    pub chars: Range<usize>,
    /// What is inserted.
    pub text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    start_content: String,
    end_content: String,
    txns: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    /// Position and number of deleted characters, text inserted.
    patches: Vec<(usize, usize, String)>,
}

/// Where the sessions lie: below `data`, or beside the repository; `None` when there are none.
pub fn folder(data: Option<&Path>) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = data.unwrap_or(&beside).join("editing-traces");
    folder.is_dir().then_some(folder)
}

/// Reads a session.
///
/// # Errors
/// When the file cannot be read or is no recorded session.
pub fn read(path: &Path) -> Result<Trace, Error> {
    let file = std::fs::File::open(path).map_err(|e| Error::file("read", path, e))?;
    let not_a_trace = |problem: String| Error::Trace {
        path: path.to_owned(),
        problem,
    };
    let input = std::io::BufReader::new(flate2::read::GzDecoder::new(file));
    let recorded: Recorded =
        serde_json::from_reader(input).map_err(|e| not_a_trace(e.to_string()))?;
    let patches = recorded.txns.into_iter().flat_map(|t| t.patches).collect();
    let patches =
        located(&recorded.start_content, patches).ok_or_else(|| not_a_trace(past_the_end()))?;
    Ok(Trace {
        start: recorded.start_content,
        end: recorded.end_content,
        patches,
    })
}

fn past_the_end() -> String {
    "an edit is past the end of the text".to_owned()
}

/// Patches with their places in bytes: positions in the file count characters,
/// so the text as it was tells the bytes.
fn located(start: &str, patches: Vec<(usize, usize, String)>) -> Option<Vec<Patch>> {
    let mut text = crop::Rope::from(start);
    let mut ascii = start.is_ascii();
    let mut chars: Vec<char> = if ascii {
        Vec::new()
    } else {
        start.chars().collect()
    };
    let mut located = Vec::with_capacity(patches.len());
    for (at, deleted, inserted) in patches {
        let range = at..at + deleted;
        if ascii && !inserted.is_ascii() {
            ascii = false;
            chars = text.chars().collect();
        }
        let bytes = if ascii {
            if range.end > text.byte_len() {
                return None;
            }
            text.replace(range.clone(), &inserted);
            range.clone()
        } else {
            let width = |part: &[char]| part.iter().map(|c| c.len_utf8()).sum::<usize>();
            let first = width(chars.get(..range.start)?);
            let bytes = first..first + width(chars.get(range.clone())?);
            chars.splice(range.clone(), inserted.chars());
            bytes
        };
        located.push(Patch {
            bytes,
            chars: range,
            text: inserted,
        });
    }
    Some(located)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(at: usize, deleted: usize, text: &str) -> (usize, usize, String) {
        (at, deleted, text.to_owned())
    }

    #[test]
    fn places_are_counted_in_bytes_after_the_first_wide_letter() {
        let patches = vec![patch(0, 1, "é"), patch(1, 1, "x"), patch(2, 0, "y")];
        let patches = located("abc", patches).unwrap_or_default();
        let bytes: Vec<_> = patches.into_iter().map(|p| p.bytes).collect();
        assert_eq!(bytes, [0..1, 2..3, 3..3]);
    }

    #[test]
    fn an_edit_past_the_end_is_no_trace() {
        assert!(located("abc", vec![patch(2, 2, "")]).is_none());
        assert!(located("äbc", vec![patch(2, 2, "")]).is_none());
    }
}
