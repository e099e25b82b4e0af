//! What an extension's program consists of, hashed: a part of every cache key.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// More files than this are no source of one extension.
const MAX_FILES: usize = 2_000;

/// Hashes the files of an extension's folder, and its program where that lies elsewhere.
///
/// Caches of interpreters and build outputs do not count. What cannot be read
/// counts by name alone, so that a digest can always be had.
pub fn code_digest(folder: &Path, program: Option<&Path>) -> String {
    let mut files = BTreeSet::new();
    collect(folder, &mut files);
    files.extend(program.map(Path::to_owned));
    let mut hasher = blake3::Hasher::new();
    for path in files {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        hasher.update(name.as_os_str().as_encoded_bytes());
        hasher.update(&[0]);
        if let Ok(hash) = hash_file(&path) {
            hasher.update(hash.as_bytes());
        }
    }
    format!("b3:{}", hasher.finalize().to_hex())
}

fn collect(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if files.len() >= MAX_FILES {
            return;
        }
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let skipped =
            name.starts_with('.') || matches!(&*name, "__pycache__" | "target" | "build" | "tests");
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if skipped || name.ends_with(".egg-info") || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            collect(&entry.path(), files);
        } else {
            files.insert(entry.path());
        }
    }
}

fn hash_file(path: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(fs::File::open(path)?)?;
    Ok(hasher.finalize())
}
