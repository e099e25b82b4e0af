//! Finds melodies by name or path.

use crate::{
    api::{CommandError, ErrorKind, MelodySummary},
    installation::Installation,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use symphony_domain::melody::{Melody, problem::nearest};

/// A melody is a page, not a book.
const MAX_MELODY_BYTES: u64 = 1024 * 1024;

/// Reads and checks a melody by name, or by the path of its file.
///
/// # Errors
/// When there is none, or its text is not sound: all problems with their lines.
pub fn find(installation: &Installation, name: &str) -> Result<Melody, CommandError> {
    let is_path = name.contains(std::path::MAIN_SEPARATOR) || name.ends_with(".toml");
    let path = if is_path {
        PathBuf::from(name)
    } else {
        by_name(installation, name)?
    };
    read(&path)
}

fn by_name(installation: &Installation, name: &str) -> Result<PathBuf, CommandError> {
    let files = files(installation);
    if let Some(path) = files.get(name) {
        return Ok(path.clone());
    }
    let known: Vec<&str> = files.keys().map(String::as_str).collect();
    let message = format!("there is no melody `{name}`");
    Err(CommandError::new(ErrorKind::Input, message).help(nearest(name, &known)))
}

fn read(path: &Path) -> Result<Melody, CommandError> {
    let text = sy_commons::fs::read_text_limited(path, MAX_MELODY_BYTES)?;
    Melody::parse(&text, &path.display().to_string()).map_err(unsound)
}

/// A melody with problems, as an error for people.
pub fn unsound(problems: symphony_domain::melody::problem::Problems) -> CommandError {
    CommandError::new(ErrorKind::Input, problems.to_string())
}

/// The melodies there are; where the user's has the name of one of Symphony's, the user's.
pub fn list(installation: &Installation) -> Vec<MelodySummary> {
    let summary = |(name, path): (String, PathBuf)| {
        let shown = path.display().to_string();
        match read(&path) {
            Ok(melody) => MelodySummary {
                name,
                description: melody.file.description.clone(),
                inputs: melody
                    .inputs
                    .iter()
                    .map(|(n, t)| (n.clone(), t.to_string()))
                    .collect(),
                path: shown,
                problem: None,
            },
            Err(error) => MelodySummary {
                name,
                description: String::new(),
                inputs: Vec::new(),
                path: shown,
                problem: Some(error.message),
            },
        }
    };
    files(installation).into_iter().map(summary).collect()
}

fn files(installation: &Installation) -> BTreeMap<String, PathBuf> {
    let mut files = BTreeMap::new();
    for folder in installation.melody_folders() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "toml")
                && let Some(name) = path.file_stem().and_then(|s| s.to_str())
            {
                files.entry(name.to_owned()).or_insert_with(|| path.clone());
            }
        }
    }
    files
}
