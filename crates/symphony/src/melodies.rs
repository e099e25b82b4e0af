//! Finds melodies by name or path, and changes them.

mod set;

pub use set::set;

use crate::{
    api::{CommandError, ErrorKind, MelodySummary},
    installation::Installation,
};
use std::{
    collections::{BTreeMap, btree_map::Entry},
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
    read(&locate(installation, name)?.path)
}

/// Where a melody is.
struct Found {
    path: PathBuf,
    /// It came with Symphony, and was asked for by its name.
    bundled: bool,
}

fn locate(installation: &Installation, name: &str) -> Result<Found, CommandError> {
    if name.contains(std::path::MAIN_SEPARATOR) || name.ends_with(".toml") {
        return Ok(Found {
            path: PathBuf::from(name),
            bundled: false,
        });
    }
    let files = files(installation);
    if let Some(file) = files.get(name) {
        let [own, _] = installation.melody_folders();
        return Ok(Found {
            path: file.path.clone(),
            bundled: file.path.parent() != Some(&own),
        });
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
    let summary = |(name, File { path, replaces }): (String, File)| {
        let shown = path.display().to_string();
        let replaces = replaces.map(|path| path.display().to_string());
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
                replaces,
                problem: None,
            },
            Err(error) => MelodySummary {
                name,
                description: String::new(),
                inputs: Vec::new(),
                path: shown,
                replaces,
                problem: Some(error.message),
            },
        }
    };
    files(installation).into_iter().map(summary).collect()
}

/// The file that a name stands for.
struct File {
    path: PathBuf,
    /// One of the same name that came with Symphony.
    replaces: Option<PathBuf>,
}

/// By name; the first folder that has it gives it.
fn files(installation: &Installation) -> BTreeMap<String, File> {
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    for folder in installation.melody_folders() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|e| e != "toml") {
                continue;
            }
            let Some(name) = path.file_stem().and_then(|s| s.to_str()) else {
                continue;
            };
            match files.entry(name.to_owned()) {
                Entry::Occupied(mut first) => first.get_mut().replaces = Some(path),
                Entry::Vacant(vacant) => {
                    let replaces = None;
                    vacant.insert(File { path, replaces });
                }
            }
        }
    }
    files
}
