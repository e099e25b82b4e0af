//! Files: their bytes, the text in them, and whether they changed on disk.

use rustix::fs::{Access, access};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use symphony_ipc_protocol::xi::Encoding;

/// Files above this many bytes are refused unless the client sets another limit.
pub const DEFAULT_MAX_BYTES: u64 = 1024 * 1024 * 1024;

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

/// Why bytes are no text. Offsets count bytes of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A NUL byte or character: the file is binary.
    #[error("binary (NUL at byte {0})")]
    Binary(usize),
    /// The bytes are not UTF-8, and no mark says that they are anything else.
    #[error("not UTF-8 (byte {0}); other encodings need a byte order mark")]
    NotUtf8(usize),
    /// The mark says UTF-16, and this is none.
    #[error("not UTF-16, which its mark announces (byte {0})")]
    NotUtf16(usize),
    /// The mark says UTF-32, which is not supported.
    #[error("UTF-32, which is not supported (mark at byte 0)")]
    Utf32,
}

impl DecodeError {
    /// The first byte of the file that does not fit.
    pub fn offset(&self) -> usize {
        match self {
            Self::Binary(at) | Self::NotUtf8(at) | Self::NotUtf16(at) => *at,
            Self::Utf32 => 0,
        }
    }
}

/// A file's text and how its bytes encode it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text without mark.
    pub text: String,
    /// The encoding and mark.
    pub encoding: Encoding,
}

/// Reads bytes as text.
///
/// # Errors
/// [`DecodeError`] with the reason and the offset.
pub fn decode(bytes: Vec<u8>) -> Result<Decoded, DecodeError> {
    let utf32 = bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0, 0, 0xfe, 0xff]);
    if utf32 {
        return Err(DecodeError::Utf32);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        return decode_utf16(rest, Encoding::Utf16Le, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xfe, 0xff]) {
        return decode_utf16(rest, Encoding::Utf16Be, u16::from_be_bytes);
    }
    if let Some(at) = memchr::memchr(0, &bytes) {
        return Err(DecodeError::Binary(at));
    }
    let marked = bytes.starts_with(UTF8_MARK);
    let mut text =
        String::from_utf8(bytes).map_err(|e| DecodeError::NotUtf8(e.utf8_error().valid_up_to()))?;
    if marked {
        text.drain(..UTF8_MARK.len());
    }
    let encoding = if marked {
        Encoding::Utf8Bom
    } else {
        Encoding::Utf8
    };
    Ok(Decoded { text, encoding })
}

const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

fn decode_utf16(
    bytes: &[u8],
    encoding: Encoding,
    unit: fn([u8; 2]) -> u16,
) -> Result<Decoded, DecodeError> {
    const MARK: usize = 2;
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut at = MARK;
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match decoded {
            Ok('\0') => return Err(DecodeError::Binary(at)),
            Ok(c) => {
                text.push(c);
                at += 2 * c.len_utf16();
            }
            Err(_) => return Err(DecodeError::NotUtf16(at)),
        }
    }
    if rest.is_empty() {
        Ok(Decoded { text, encoding })
    } else {
        Err(DecodeError::NotUtf16(at))
    }
}

/// The bytes of a text given in pieces, with the mark of its encoding.
pub fn encode<'a>(
    chunks: impl Iterator<Item = &'a str>,
    len: usize,
    encoding: Encoding,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len + UTF8_MARK.len());
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => {
            if encoding == Encoding::Utf8Bom {
                bytes.extend_from_slice(UTF8_MARK);
            }
            chunks.for_each(|chunk| bytes.extend_from_slice(chunk.as_bytes()));
        }
        Encoding::Utf16Le => {
            bytes.extend_from_slice(&[0xff, 0xfe]);
            chunks.for_each(|c| bytes.extend(c.encode_utf16().flat_map(u16::to_le_bytes)));
        }
        Encoding::Utf16Be => {
            bytes.extend_from_slice(&[0xfe, 0xff]);
            chunks.for_each(|c| bytes.extend(c.encode_utf16().flat_map(u16::to_be_bytes)));
        }
    }
    bytes
}

/// What tells whether a file still holds the bytes that were read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    stamp: Stamp,
    /// Whether an equal stamp means equal bytes.
    sure: bool,
    digest: blake3::Hash,
}

/// What the file system says of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    fn new(meta: &Metadata, bytes: &[u8]) -> Self {
        let stamp = Stamp::of(meta);
        Self {
            stamp,
            sure: stamp.is_sure(),
            digest: blake3::hash(bytes),
        }
    }

    /// The fingerprint of a file that holds `bytes`, wherever and whenever it was written.
    pub fn expected(bytes: &[u8]) -> Self {
        Self {
            stamp: Stamp {
                len: bytes.len() as u64,
                inode: 0,
                modified: (0, 0),
                changed: (0, 0),
            },
            sure: false,
            digest: blake3::hash(bytes),
        }
    }
}

/// A file that was read.
#[derive(Debug)]
pub struct Loaded {
    /// Its text.
    pub decoded: Decoded,
    /// What it held.
    pub fingerprint: Fingerprint,
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
    Changed(Vec<u8>, Fingerprint),
    /// No file.
    Gone,
}

/// Reads a file of at most `limit` bytes as text.
///
/// # Errors
/// [`FileError`].
pub fn read(path: &Path, limit: u64) -> Result<Loaded, FileError> {
    let (bytes, fingerprint) = read_bytes(path, limit)?;
    let decoded = decode_file(path, bytes)?;
    Ok(Loaded {
        decoded,
        fingerprint,
    })
}

/// Decodes bytes read from `path`.
///
/// # Errors
/// [`FileError::NotText`].
pub fn decode_file(path: &Path, bytes: Vec<u8>) -> Result<Decoded, FileError> {
    decode(bytes).map_err(|why| FileError::NotText {
        path: path.to_owned(),
        why,
    })
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
    match read_bytes(path, stamp.len) {
        Ok((_, now)) if now.digest == known.digest => Ok(Compared::Same(now)),
        Ok(_) | Err(FileError::TooLarge { .. }) => Ok(Compared::Changed),
        Err(FileError::Missing(_)) => Ok(Compared::Gone),
        Err(e) => Err(e),
    }
}

/// [`compare`], and the bytes where they are others.
///
/// # Errors
/// [`FileError`] when what is there now cannot be read, or is above `limit` bytes.
pub fn look(path: &Path, known: Option<&Fingerprint>, limit: u64) -> Result<Look, FileError> {
    match compare(path, known)? {
        Compared::Same(now) => Ok(Look::Same(now)),
        Compared::Gone => Ok(Look::Gone),
        Compared::Changed => match read_bytes(path, limit) {
            Ok((bytes, now)) => Ok(Look::Changed(bytes, now)),
            Err(FileError::Missing(_)) => Ok(Look::Gone),
            Err(e) => Err(e),
        },
    }
}

/// Writes a file atomically and tells what it holds now.
///
/// # Errors
/// [`FileError::Write`]; the file holds its old bytes then.
pub fn write(path: &Path, bytes: &[u8]) -> Result<Fingerprint, FileError> {
    sy_commons::fs::write_atomic(path, bytes).map_err(FileError::Write)?;
    let meta = std::fs::metadata(path).map_err(|e| io_error("look at", path, e))?;
    Ok(Fingerprint::new(&meta, bytes))
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

fn read_bytes(path: &Path, limit: u64) -> Result<(Vec<u8>, Fingerprint), FileError> {
    // Opening a pipe would wait for its writer: look first.
    let meta = std::fs::metadata(path).map_err(|e| io_error("look at", path, e))?;
    if !meta.is_file() {
        return Err(FileError::NotAFile(path.to_owned()));
    }
    let file = File::open(path).map_err(|e| io_error("open", path, e))?;
    let meta = file.metadata().map_err(|e| io_error("look at", path, e))?;
    let too_large = |len| FileError::TooLarge {
        path: path.to_owned(),
        len,
        limit,
    };
    if meta.len() > limit {
        return Err(too_large(meta.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1);
    // It may grow while it is read.
    (&file)
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| io_error("read", path, e))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64));
    }
    let fingerprint = Fingerprint::new(&meta, &bytes);
    Ok((bytes, fingerprint))
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
