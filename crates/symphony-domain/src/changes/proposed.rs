//! What a run proposes, as untrusted input.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// Files a change set may touch.
pub const MAX_FILES: usize = 10_000;
/// Edits a change set may hold.
pub const MAX_EDITS: usize = 100_000;
/// Bytes a file's text may have, before and after.
pub const MAX_FILE_BYTES: usize = 16 << 20;
/// Bytes all texts and edits may have together.
pub const MAX_TOTAL_BYTES: usize = 256 << 20;
/// Bytes a title, path, item, reason or name may have.
const MAX_LABEL_BYTES: usize = 4_096;

/// Proposed edits grouped by file, as an extension wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProposedChanges {
    /// One line on what it is.
    pub title: String,
    /// One entry a file.
    pub files: Vec<ProposedFile>,
}

/// The edits of one file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProposedFile {
    /// The file, relative to the project.
    pub path: String,
    /// The text that the edits refer to; `None` for a new file.
    pub base_text: Option<String>,
    /// The edits.
    pub edits: Vec<ProposedEdit>,
}

/// Replaces the bytes `start..end` of the base by `text`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProposedEdit {
    /// The file once more; empty or equal to that of the [`ProposedFile`].
    #[serde(default)]
    pub path: String,
    /// BLAKE3 of the base; empty for a new file.
    #[serde(default)]
    pub base: String,
    /// First byte replaced.
    pub start: usize,
    /// One past the last byte replaced.
    pub end: usize,
    /// The new text.
    pub text: String,
    /// What is edited, for people.
    #[serde(default)]
    pub item: String,
    /// Why, for people.
    #[serde(default)]
    pub why: String,
    /// Who made it.
    #[serde(default)]
    pub by: String,
}

/// Why a proposal was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// It has another shape.
    #[error("it is no change set")]
    Shape(#[source] serde_json::Error),
    /// A path leads elsewhere, or is none.
    #[error("`{path}` is no path of the project: {why}")]
    Path {
        /// The path as given.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A file comes twice.
    #[error("`{path}` comes twice")]
    Twice {
        /// The file.
        path: String,
    },
    /// An edit was made for another file or another text.
    #[error("an edit of `{path}` at {start} was made for another {what}")]
    Elsewhere {
        /// The file.
        path: String,
        /// Where the edit starts.
        start: usize,
        /// `file` or `text`.
        what: &'static str,
    },
    /// An edit's place is none.
    #[error("an edit of `{path}` at bytes {start}..{end} {why}")]
    Place {
        /// The file.
        path: String,
        /// Where the edit starts.
        start: usize,
        /// Where it ends.
        end: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is too much of something.
    #[error("{what}: {found}, at most {limit} are taken")]
    TooMuch {
        /// Of what.
        what: String,
        /// How much there is.
        found: usize,
        /// How much may be.
        limit: usize,
    },
}

impl ProposedChanges {
    /// Takes a run's output as a proposal.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(value: &Value) -> Result<Self, ProposalError> {
        // The derived reader would take a list for a record, field by field.
        if !value.is_object() {
            let error = serde::de::Error::custom("expected an object");
            return Err(ProposalError::Shape(error));
        }
        let mut proposed = Self::deserialize(value).map_err(ProposalError::Shape)?;
        proposed.check()?;
        proposed.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(proposed)
    }

    fn check(&self) -> Result<(), ProposalError> {
        let edits = self.files.iter().map(|file| file.edits.len()).sum();
        limit("files", self.files.len(), MAX_FILES)?;
        limit("edits", edits, MAX_EDITS)?;
        limit("bytes of the title", self.title.len(), MAX_LABEL_BYTES)?;
        let mut seen = BTreeSet::new();
        let mut total = 0usize;
        for file in &self.files {
            check_path(&file.path)?;
            if !seen.insert(&file.path) {
                let path = file.path.clone();
                return Err(ProposalError::Twice { path });
            }
            total = total.saturating_add(file.check()?);
        }
        limit("bytes of all texts", total, MAX_TOTAL_BYTES)?;
        match self.files.iter().find(|file| file.is_below(&seen)) {
            Some(file) => Err(ProposalError::Path {
                path: file.path.clone(),
                why: "another file of the change set is one of its folders",
            }),
            None => Ok(()),
        }
    }
}

impl ProposedFile {
    /// Gives the bytes it holds.
    fn check(&self) -> Result<usize, ProposalError> {
        let base = self.base_text.as_deref().unwrap_or_default();
        let digest = self.base_text.as_deref().map(super::digest);
        let mut done = 0;
        let mut after = base.len();
        for (at, edit) in self.edits.iter().enumerate() {
            edit.check_target(&self.path, digest.as_deref().unwrap_or_default())?;
            let place = |why| ProposalError::Place {
                path: self.path.clone(),
                start: edit.start,
                end: edit.end,
                why,
            };
            if edit.start > edit.end {
                return Err(place("ends before it starts"));
            }
            if edit.end > base.len() {
                return Err(place("lies past the end of the text"));
            }
            if base.get(edit.start..edit.end).is_none() {
                return Err(place("begins or ends within a character"));
            }
            if edit.text.contains('\0') {
                return Err(place("holds a NUL, which makes a file binary"));
            }
            if edit.start == 0 && begins_with_mark(&edit.text, &base[edit.end..]) {
                return Err(place("puts an encoding mark at the beginning of the file"));
            }
            if at > 0 && edit.start < done {
                return Err(place("overlaps another or comes before it"));
            }
            done = edit.end;
            after = (after - (edit.end - edit.start)).saturating_add(edit.text.len());
            for label in [&edit.item, &edit.why, &edit.by] {
                let what = format!("bytes of a label of an edit of `{}`", self.path);
                limit(what, label.len(), MAX_LABEL_BYTES)?;
            }
        }
        for bytes in [base.len(), after] {
            limit(format!("bytes of `{}`", self.path), bytes, MAX_FILE_BYTES)?;
        }
        Ok(base.len().saturating_add(after))
    }

    /// Whether one of `files` is a folder of this one's path.
    fn is_below(&self, files: &BTreeSet<&String>) -> bool {
        let mut folders = self.path.match_indices('/').map(|(at, _)| &self.path[..at]);
        folders.any(|folder| files.contains(&folder.to_owned()))
    }
}

impl ProposedEdit {
    fn check_target(&self, path: &str, digest: &str) -> Result<(), ProposalError> {
        let elsewhere = |what| ProposalError::Elsewhere {
            path: path.to_owned(),
            start: self.start,
            what,
        };
        if !self.path.is_empty() && self.path != path {
            return Err(elsewhere("file"));
        }
        if self.base != digest {
            return Err(elsewhere("text"));
        }
        Ok(())
    }
}

/// Whether a file that begins so would lose its first character when it is read again.
pub(super) fn begins_with_mark(text: &str, rest: &str) -> bool {
    let first = text.chars().next().or_else(|| rest.chars().next());
    first == Some('\u{feff}')
}

fn limit(what: impl Into<String>, found: usize, limit: usize) -> Result<(), ProposalError> {
    if found <= limit {
        return Ok(());
    }
    let what = what.into();
    Err(ProposalError::TooMuch { what, found, limit })
}

/// Refuses what is not a plain path below the project, and what is git's own.
fn check_path(path: &str) -> Result<(), ProposalError> {
    let wrong = |why| {
        Err(ProposalError::Path {
            path: path.chars().take(200).collect(),
            why,
        })
    };
    if path.len() > MAX_LABEL_BYTES {
        return wrong("it is too long");
    }
    if path.contains(|c: char| c.is_control() || c == '\\') {
        return wrong("it holds a control character or a backslash");
    }
    // A drive letter or a stream on Windows.
    if cfg!(windows) && path.contains(':') {
        return wrong("it holds a colon");
    }
    if path.starts_with('/') {
        return wrong("it does not begin in the project");
    }
    for part in path.split('/') {
        match part {
            "" => return wrong("it has an empty part"),
            "." | ".." => return wrong("it has `.` or `..` in it"),
            _ if is_git(part) => return wrong("it belongs to git"),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a file system may take `part` for `.git`: case, trailing dots and spaces, short names.
fn is_git(part: &str) -> bool {
    let plain: String = part.chars().filter(|c| !is_ignorable(*c)).collect();
    let plain = plain.trim_end_matches(['.', ' ']);
    plain.eq_ignore_ascii_case(".git") || plain.eq_ignore_ascii_case("git~1")
}

/// Characters that HFS+ ignores in names.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}
