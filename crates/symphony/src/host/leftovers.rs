//! Temporary files of a text engine that was killed while it saved.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// How the names begin and end; between them are letters and digits.
const NAME: (&str, &str) = (".symphony-", ".tmp");

/// Removes them from the folders of these files. Only while nothing is being saved.
pub fn remove<'a>(root: &Path, files: impl Iterator<Item = &'a str>) {
    let folder = |file: &str| root.join(file).parent().map(Path::to_owned);
    let folders: BTreeSet<PathBuf> = files.filter_map(folder).collect();
    for folder in folders {
        // A folder that is gone has none.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && is_leftover(&entry.file_name().to_string_lossy()) {
                match std::fs::remove_file(entry.path()) {
                    Ok(()) => {
                        tracing::info!(path = %entry.path().display(), "an unfinished file was removed")
                    }
                    Err(error) => {
                        tracing::warn!(path = %entry.path().display(), %error, "an unfinished file was not removed");
                    }
                }
            }
        }
    }
}

fn is_leftover(name: &str) -> bool {
    let middle = name
        .strip_prefix(NAME.0)
        .and_then(|rest| rest.strip_suffix(NAME.1));
    middle.is_some_and(|middle| {
        middle.len() == 6 && middle.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unfinished_files_beside_the_named_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("other")).unwrap();
        for name in [
            "a.py",
            ".symphony-aB3xYz.tmp",
            ".symphony-notes.tmp",
            ".symphony-aB3xYz",
            "other/.symphony-aB3xYz.tmp",
        ] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        remove(dir.path(), ["a.py", "gone/b.py"].into_iter());
        assert!(!dir.path().join(".symphony-aB3xYz.tmp").exists());
        for name in [
            "a.py",
            ".symphony-notes.tmp",
            ".symphony-aB3xYz",
            "other/.symphony-aB3xYz.tmp",
        ] {
            assert!(dir.path().join(name).exists(), "{name}");
        }
    }
}
