//! Reading whole files, within a limit.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::{FsError, FsOp, FsReason};

/// The most bytes [`read_text`] accepts: 100 MiB.
pub const DEFAULT_TEXT_LIMIT: u64 = 100 * 1024 * 1024;

/// The most bytes [`read_bytes`] accepts: 1 GiB.
pub const DEFAULT_BYTES_LIMIT: u64 = 1024 * 1024 * 1024;

/// A file with a NUL among its first so many bytes is called binary (the rule
/// git uses).
const BINARY_PROBE_BYTES: usize = 8000;

/// Reads a text file of at most [`DEFAULT_TEXT_LIMIT`] bytes.
///
/// # Errors
/// [`FsReason::TooLarge`], [`FsReason::Binary`], [`FsReason::NotUtf8`] with the
/// offset, [`FsReason::NotAFile`], or the system's own error.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sy_commons::fs::{read_text, write_atomic};
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("notes.txt");
/// write_atomic(&file, b"hello")?;
/// assert_eq!(read_text(&file)?, "hello");
/// # Ok(()) }
/// ```
pub fn read_text(path: impl AsRef<Path>) -> Result<String, FsError> {
    read_text_limited(path, DEFAULT_TEXT_LIMIT)
}

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// As [`read_text`].
pub fn read_text_limited(path: impl AsRef<Path>, limit: u64) -> Result<String, FsError> {
    let path = path.as_ref();
    let bytes = read_bytes_limited(path, limit)?;
    let probe = &bytes[..bytes.len().min(BINARY_PROBE_BYTES)];
    if probe.contains(&0) {
        return Err(FsError::new(FsOp::Read, path, FsReason::Binary));
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        FsError::new(FsOp::Read, path, FsReason::NotUtf8 { offset })
    })
}

/// Reads a file of at most [`DEFAULT_BYTES_LIMIT`] bytes.
///
/// # Errors
/// [`FsReason::TooLarge`], [`FsReason::NotAFile`], or the system's own error.
pub fn read_bytes(path: impl AsRef<Path>) -> Result<Vec<u8>, FsError> {
    read_bytes_limited(path, DEFAULT_BYTES_LIMIT)
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// As [`read_bytes`].
pub fn read_bytes_limited(path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, FsError> {
    let path = path.as_ref();
    let fail = |reason: FsReason| FsError::new(FsOp::Read, path, reason);
    // Before opening: opening a pipe without a writer would wait for ever.
    let meta = std::fs::metadata(path).map_err(|e| fail(e.into()))?;
    if !meta.is_file() {
        return Err(fail(FsReason::NotAFile));
    }
    if meta.len() > limit {
        return Err(fail(FsReason::TooLarge { limit }));
    }
    let file = File::open(path).map_err(|e| fail(e.into()))?;
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default() + 1);
    // One byte more than allowed tells a file that grew while it was read.
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| fail(e.into()))?;
    if bytes.len() as u64 > limit {
        return Err(fail(FsReason::TooLarge { limit }));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, content).unwrap();
        (dir, path)
    }

    #[test]
    fn reads_text_and_bytes() {
        let (_dir, path) = file("Grüße\r\n".as_bytes());
        assert_eq!(read_text(&path).unwrap(), "Grüße\r\n");
        assert_eq!(read_bytes(&path).unwrap(), "Grüße\r\n".as_bytes());
        let (_dir, path) = file(b"");
        assert_eq!(read_text(&path).unwrap(), "");
    }

    #[test]
    fn tells_where_utf8_breaks() {
        let (_dir, path) = file(b"abc\xff\xfe");
        let error = read_text(&path).unwrap_err();
        assert!(
            matches!(error.reason(), FsReason::NotUtf8 { offset: 3 }),
            "{error:?}"
        );
        assert_eq!(read_bytes(&path).unwrap(), b"abc\xff\xfe");
    }

    #[test]
    fn tells_binary_from_text() {
        let (_dir, path) = file(b"\x7fELF\x00\x01\xff");
        assert!(matches!(
            read_text(&path).unwrap_err().reason(),
            FsReason::Binary
        ));
    }

    #[test]
    fn the_limit_is_inclusive() {
        let (_dir, path) = file(b"12345");
        assert_eq!(read_text_limited(&path, 5).unwrap(), "12345");
        let error = read_text_limited(&path, 4).unwrap_err();
        assert!(matches!(error.reason(), FsReason::TooLarge { limit: 4 }));
    }

    #[test]
    fn a_file_of_unknown_size_is_limited_too() {
        let source = Path::new("/proc/self/status");
        if !source.exists() {
            eprintln!("skipped: no /proc here");
            return;
        }
        assert!(read_text(source).unwrap().contains("Name:"));
        let error = read_bytes_limited(source, 3).unwrap_err();
        assert!(matches!(error.reason(), FsReason::TooLarge { limit: 3 }));
    }

    #[test]
    fn folders_and_missing_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(
            read_text(dir.path()).unwrap_err().reason(),
            FsReason::NotAFile
        ));
        assert!(
            read_text(dir.path().join("none"))
                .unwrap_err()
                .is_not_found()
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if !made.is_ok_and(|status| status.success()) {
            eprintln!("skipped: no mkfifo here");
            return;
        }
        assert!(matches!(
            read_bytes(&pipe).unwrap_err().reason(),
            FsReason::NotAFile
        ));
    }
}
