//! Reading whole files: straight into a text where they are UTF-8, in one pass.

use super::encoding::{UTF8_MARK, recode};
use super::{FileError, Fingerprint, Stamp, io_error};
use crate::engine::{Summary, Text, TextBuilder};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;
use symphony_ipc_protocol::xi::Encoding;

/// So many bytes are read at once.
const BLOCK: usize = 256 * 1024;
/// A file that changes while it is read is read again, so many times at most.
const READS: usize = 5;
/// And so long after the time before.
const PAUSE: Duration = Duration::from_millis(4);

/// A file that was read.
#[derive(Debug)]
pub struct Loaded {
    /// Its text.
    pub text: Text,
    /// What the text says of itself.
    pub summary: Summary,
    /// Its encoding and mark.
    pub encoding: Encoding,
    /// What it held.
    pub fingerprint: Fingerprint,
}

/// Reads a file of at most `limit` bytes as text. `hint` is the encoding that
/// it had, where that is known.
///
/// One that changes meanwhile is read again until it holds still, or some
/// times: what was read last counts then.
///
/// # Errors
/// [`FileError`].
pub fn read(path: &Path, limit: u64, hint: Option<Encoding>) -> Result<Loaded, FileError> {
    held_still(path, limit, |file, meta| {
        if may_be_plain(hint)
            && let Some(loaded) = read_plain(file, meta, path, limit)?
        {
            return Ok(loaded);
        }
        io::Seek::rewind(&mut &*file).map_err(|e| io_error("read", path, e))?;
        let bytes = read_bytes(file, meta, path, limit)?;
        let fingerprint = Fingerprint::new(meta, blake3::hash(&bytes));
        let decoded = recode(bytes, hint).map_err(|why| FileError::NotText {
            path: path.to_owned(),
            why,
        })?;
        let mut builder = TextBuilder::default();
        builder.push(&decoded.text);
        let (text, summary) = builder.finish();
        Ok(Loaded {
            text,
            summary,
            encoding: decoded.encoding,
            fingerprint,
        })
    })
}

/// What a file of at most `limit` bytes holds.
///
/// # Errors
/// [`FileError`].
pub(super) fn fingerprint(path: &Path, limit: u64) -> Result<Fingerprint, FileError> {
    held_still(path, limit, |file, meta| {
        let mut hasher = blake3::Hasher::new();
        each_block(file, path, limit, |bytes| {
            hasher.update(bytes);
            true
        })?;
        Ok(Fingerprint::new(meta, hasher.finalize()))
    })
}

fn may_be_plain(hint: Option<Encoding>) -> bool {
    matches!(hint, None | Some(Encoding::Utf8 | Encoding::Utf8Bom))
}

/// Opens a regular file and reads it until it is the same before and after.
fn held_still<T>(
    path: &Path,
    limit: u64,
    run: impl Fn(&File, &Metadata) -> Result<T, FileError>,
) -> Result<T, FileError> {
    let mut left = READS;
    loop {
        // Opening a pipe would wait for its writer: look first.
        let meta = std::fs::metadata(path).map_err(|e| io_error("look at", path, e))?;
        if !meta.is_file() {
            return Err(FileError::NotAFile(path.to_owned()));
        }
        let file = File::open(path).map_err(|e| io_error("open", path, e))?;
        let meta = file.metadata().map_err(|e| io_error("look at", path, e))?;
        if meta.len() > limit {
            return Err(too_large(path, meta.len(), limit));
        }
        let outcome = run(&file, &meta);
        let now = file.metadata().map_err(|e| io_error("look at", path, e))?;
        left -= 1;
        if left == 0 || Stamp::of(&now) == Stamp::of(&meta) {
            return outcome;
        }
        tracing::debug!(path = %path.display(), "changed while it was read: once more");
        std::thread::sleep(PAUSE);
    }
}

/// Reads UTF-8 in blocks; `None` when it is something else.
fn read_plain(
    file: &File,
    meta: &Metadata,
    path: &Path,
    limit: u64,
) -> Result<Option<Loaded>, FileError> {
    let mut builder = TextBuilder::default();
    let mut encoding = Encoding::Utf8;
    // The bytes of a character that a block cuts.
    let mut cut = Vec::new();
    let mut first = true;
    let read = each_block(file, path, limit, |bytes| {
        let mut bytes = bytes;
        if std::mem::take(&mut first)
            && let Some(rest) = bytes.strip_prefix(UTF8_MARK)
        {
            encoding = Encoding::Utf8Bom;
            bytes = rest;
        }
        memchr::memchr(0, bytes).is_none() && push_valid(&mut builder, &mut cut, bytes)
    })?;
    if !read || !cut.is_empty() {
        return Ok(None);
    }
    let (text, summary) = builder.finish();
    let digest = match encoding {
        Encoding::Utf8Bom => {
            let mut hasher = blake3::Hasher::new();
            hasher.update(UTF8_MARK);
            text.chunks().for_each(|chunk| {
                hasher.update(chunk.as_bytes());
            });
            hasher.finalize()
        }
        _ => summary.digest,
    };
    Ok(Some(Loaded {
        text,
        summary,
        encoding,
        fingerprint: Fingerprint::new(meta, digest),
    }))
}

/// Adds the valid part and keeps a character that is cut; false when it is no UTF-8.
fn push_valid(builder: &mut TextBuilder, cut: &mut Vec<u8>, mut bytes: &[u8]) -> bool {
    while !cut.is_empty() && !bytes.is_empty() {
        cut.push(bytes[0]);
        bytes = &bytes[1..];
        match std::str::from_utf8(cut) {
            Ok(character) => {
                builder.push(character);
                cut.clear();
            }
            Err(error) if error.error_len().is_some() => return false,
            Err(_) => {}
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => builder.push(text),
        Err(error) if error.error_len().is_some() => return false,
        Err(error) => {
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            match std::str::from_utf8(valid) {
                Ok(text) => builder.push(text),
                Err(_) => return false,
            }
            cut.extend_from_slice(rest);
        }
    }
    true
}

/// Gives the file's bytes block by block until the end or until `take` says
/// no; whether it came to the end.
fn each_block(
    mut file: &File,
    path: &Path,
    limit: u64,
    mut take: impl FnMut(&[u8]) -> bool,
) -> Result<bool, FileError> {
    let mut block = vec![0; BLOCK];
    let mut total = 0_u64;
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(true),
            Ok(n) => {
                // It may grow while it is read.
                total += n as u64;
                if total > limit {
                    return Err(too_large(path, total, limit));
                }
                if !take(&block[..n]) {
                    return Ok(false);
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(io_error("read", path, e)),
        }
    }
}

fn read_bytes(file: &File, meta: &Metadata, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1);
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| io_error("read", path, e))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(path, bytes.len() as u64, limit));
    }
    Ok(bytes)
}

pub(super) fn too_large(path: &Path, len: u64, limit: u64) -> FileError {
    FileError::TooLarge {
        path: path.to_owned(),
        len,
        limit,
    }
}
