//! Files: their bytes, the text in them, and whether they changed on disk.

mod encoding;
mod load;
mod window;

pub use encoding::{DecodeError, Decoded, EncodeError, decode, encode, recode};
pub use load::{Loaded, read};
pub use window::{BLOCK, Index, Window};

use crate::engine::Text;
use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};
use std::fs::Metadata;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use symphony_ipc_protocol::xi::Encoding;

/// Files above this many bytes are refused unless the client sets another limit.
pub const DEFAULT_MAX_BYTES: u64 = 64 * 1024 * 1024 * 1024;

/// Files above this many bytes are windowed unless the client sets another limit.
pub const DEFAULT_WINDOW_ABOVE: u64 = 256 * 1024 * 1024;

/// A file changed so shortly before it was looked at may change again without
/// its time stamp showing it: clocks of file systems tick coarsely.
const STAMP_IS_SURE_AFTER: Duration = Duration::from_millis(100);

/// Why a file was not read or written. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing is there.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// It is a directory, a pipe, a device.
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// It is larger than the limit.
    #[error("{} has {len} bytes, more than the limit of {limit}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        len: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Its bytes are no text that the editor reads.
    #[error("{} is not text: {why}", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What does not fit, and where.
        #[source]
        why: DecodeError,
    },
    /// The operating system refused.
    #[error("cannot {what} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The file could not be written; it holds its old bytes.
    #[error(transparent)]
    Write(sy_commons::fs::FsError),
}

/// What tells whether a file still holds the bytes that were read or written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    stamp: Stamp,
    /// Whether an equal stamp means equal bytes.
    sure: bool,
    #[serde(with = "digest_bytes")]
    digest: blake3::Hash,
}

/// A digest as its 32 bytes.
mod digest_bytes {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(hash: &blake3::Hash, to: S) -> Result<S::Ok, S::Error> {
        hash.as_bytes().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<blake3::Hash, D::Error> {
        <[u8; 32]>::deserialize(from).map(blake3::Hash::from_bytes)
    }
}

/// What the file system says of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    len: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            len: meta.len(),
            inode: meta.ino(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// Whether the last change is long enough ago for a later one to show.
    fn is_sure(&self) -> bool {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let newest = self.modified.max(self.changed);
        let nanos = i128::from(newest.0) * 1_000_000_000 + i128::from(newest.1);
        let age = i128::try_from(now.as_nanos()).unwrap_or(i128::MAX) - nanos;
        age > i128::try_from(STAMP_IS_SURE_AFTER.as_nanos()).unwrap_or(i128::MAX)
    }
}

impl Fingerprint {
    /// Whether the file holds nothing.
    pub fn is_empty(&self) -> bool {
        self.stamp.len == 0
    }

    /// Whether both are of the same bytes.
    pub fn same_bytes(&self, other: &Self) -> bool {
        self.stamp.len == other.stamp.len && self.digest == other.digest
    }

    fn new(meta: &Metadata, digest: blake3::Hash) -> Self {
        let stamp = Stamp::of(meta);
        Self {
            stamp,
            sure: stamp.is_sure(),
            digest,
        }
    }
}

/// How a file compares with a fingerprint.
#[derive(Debug)]
pub enum Compared {
    /// The same bytes; the fingerprint is renewed.
    Same(Fingerprint),
    /// Other bytes, or no fingerprint to compare with.
    Changed,
    /// No file.
    Gone,
}

/// What lies at a path now.
#[derive(Debug)]
pub enum Look {
    /// The same bytes; the fingerprint is renewed.
    Same(Fingerprint),
    /// Other bytes.
    Changed(Box<Loaded>),
    /// No file.
    Gone,
}

/// Compares a file with what it held; reads it only if needed.
///
/// # Errors
/// [`FileError`] when what is there now cannot be looked at.
pub fn compare(path: &Path, known: Option<&Fingerprint>) -> Result<Compared, FileError> {
    let stamp = match std::fs::metadata(path) {
        Ok(meta) => Stamp::of(&meta),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Compared::Gone),
        Err(e) => return Err(io_error("look at", path, e)),
    };
    let Some(known) = known.filter(|known| known.stamp.len == stamp.len) else {
        return Ok(Compared::Changed);
    };
    if known.sure && known.stamp == stamp {
        return Ok(Compared::Same(known.clone()));
    }
    match load::fingerprint(path, stamp.len) {
        Ok(now) if now.digest == known.digest => Ok(Compared::Same(now)),
        Ok(_) | Err(FileError::TooLarge { .. }) => Ok(Compared::Changed),
        Err(FileError::Missing(_)) => Ok(Compared::Gone),
        Err(e) => Err(e),
    }
}

/// [`compare`], and the text where the bytes are others. `hint` is the encoding
/// that the file had.
///
/// # Errors
/// [`FileError`] when what is there now cannot be read, or is above `limit` bytes.
pub fn look(
    path: &Path,
    known: Option<&Fingerprint>,
    limit: u64,
    hint: Encoding,
) -> Result<Look, FileError> {
    match compare(path, known)? {
        Compared::Same(now) => Ok(Look::Same(now)),
        Compared::Gone => Ok(Look::Gone),
        Compared::Changed => match read(path, limit, Some(hint)) {
            Ok(loaded) => Ok(Look::Changed(Box::new(loaded))),
            Err(FileError::Missing(_)) => Ok(Look::Gone),
            Err(e) => Err(e),
        },
    }
}

/// What is to be written to a file.
pub enum Content<'a> {
    /// A text as it is, with its digest.
    Utf8(&'a Text, blake3::Hash),
    /// Bytes.
    Bytes(Vec<u8>, blake3::Hash),
}

impl<'a> Content<'a> {
    /// The bytes of a text in an encoding. `digest` is that of the text.
    ///
    /// # Errors
    /// [`EncodeError`] when the encoding lacks a character.
    pub fn new(
        text: &'a Text,
        encoding: Encoding,
        digest: blake3::Hash,
    ) -> Result<Self, EncodeError> {
        if encoding == Encoding::Utf8 {
            return Ok(Self::Utf8(text, digest));
        }
        let bytes = encode(text.chunks(), text.len(), encoding)?;
        let digest = blake3::hash(&bytes);
        Ok(Self::Bytes(bytes, digest))
    }

    /// How many bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Utf8(text, _) => text.len() as u64,
            Self::Bytes(bytes, _) => bytes.len() as u64,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn digest(&self) -> blake3::Hash {
        match self {
            Self::Utf8(_, digest) | Self::Bytes(_, digest) => *digest,
        }
    }

    /// The fingerprint of a file that holds this, wherever and whenever it was written.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint {
            stamp: Stamp {
                len: self.len(),
                inode: 0,
                modified: (0, 0),
                changed: (0, 0),
            },
            sure: false,
            digest: self.digest(),
        }
    }
}

/// A text is written in blocks of so many bytes: each write of a file in a
/// watched folder wakes whoever watches.
const WRITE_BLOCK: usize = 256 * 1024;

/// Writes a file atomically and tells what it holds now.
///
/// # Errors
/// [`FileError::Write`]; the file holds its old bytes then.
pub fn write(path: &Path, content: &Content<'_>) -> Result<Fingerprint, FileError> {
    let written = match content {
        Content::Bytes(bytes, _) => sy_commons::fs::write_atomic(path, bytes),
        Content::Utf8(text, _) => sy_commons::fs::write_atomic_with(path, |out| {
            let mut out = io::BufWriter::with_capacity(WRITE_BLOCK.min(text.len()), out);
            text.chunks()
                .try_for_each(|chunk| out.write_all(chunk.as_bytes()))?;
            out.flush()
        }),
    };
    written.map_err(FileError::Write)?;
    let meta = std::fs::metadata(path).map_err(|e| io_error("look at", path, e))?;
    Ok(Fingerprint::new(&meta, content.digest()))
}

/// Length of a file in bytes.
///
/// # Errors
/// [`FileError::Missing`] or the system's error.
pub fn len(path: &Path) -> Result<u64, FileError> {
    std::fs::metadata(path)
        .map(|meta| meta.len())
        .map_err(|e| io_error("look at", path, e))
}

/// The permission bits of a file; 0 where none is.
pub fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).map_or(0, |meta| meta.mode() & 0o7777)
}

/// Makes the folders that a file stands in.
///
/// # Errors
/// [`FileError::Write`].
pub fn make_folders(path: &Path) -> Result<(), FileError> {
    match path.parent() {
        Some(dir) => sy_commons::fs::ensure_dir(dir).map_err(FileError::Write),
        None => Ok(()),
    }
}

/// Deletes a file durably.
///
/// # Errors
/// [`FileError::Io`] or [`FileError::Write`].
pub fn remove(path: &Path) -> Result<(), FileError> {
    std::fs::remove_file(path).map_err(|e| io_error("delete", path, e))?;
    match path.parent() {
        Some(dir) => sy_commons::fs::sync_dir(dir).map_err(FileError::Write),
        None => Ok(()),
    }
}

/// Whether an existing file may not be written, by its mode or by who we are.
pub fn is_read_only(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|meta| meta.permissions().readonly() || access(path, Access::WRITE_OK).is_err())
}

/// Resolves a path that exists.
///
/// # Errors
/// [`FileError::Missing`] or the system's error.
pub fn resolve(path: &Path) -> Result<PathBuf, FileError> {
    std::fs::canonicalize(path).map_err(|e| io_error("resolve", path, e))
}

/// Resolves a path whose last parts need not exist yet.
///
/// # Errors
/// [`FileError::NotAFile`] when there is nothing to name a file by, or the system's error.
pub fn resolve_new(path: &Path) -> Result<PathBuf, FileError> {
    match resolve(path) {
        Err(FileError::Missing(_)) => {}
        other => return other,
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok(resolve_new(parent)?.join(name)),
        _ => Err(FileError::NotAFile(path.to_owned())),
    }
}

fn io_error(what: &'static str, path: &Path, source: io::Error) -> FileError {
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            FileError::Missing(path.to_owned())
        }
        _ => FileError::Io {
            what,
            path: path.to_owned(),
            source,
        },
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
