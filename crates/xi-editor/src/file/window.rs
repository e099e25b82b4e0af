//! Files too large to hold: read by ranges, their lines counted beside.

use super::encoding::{DecodeError, UTF8_MARK};
use super::load::too_large;
use super::{FileError, Stamp, io_error};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use symphony_ipc_protocol::xi::{LineEnding, Span};

/// The lines of so many bytes are counted together.
pub const BLOCK: u64 = 1024 * 1024;
/// So much of the beginning tells whether it is text.
const SAMPLE: usize = 64 * 1024;
/// A character has at most so many bytes after its first.
const MAX_TAIL: u64 = 3;

/// A file that is read by ranges. Offsets count bytes of its text, which is
/// UTF-8, without the mark.
#[derive(Debug)]
pub struct Window {
    file: File,
    path: PathBuf,
    stamp: Stamp,
    /// Length of the mark.
    skip: u64,
    line_ending: LineEnding,
}

impl Window {
    /// Opens a file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`FileError`]; binary, or another encoding than UTF-8, as far as the beginning tells.
    pub fn open(path: &Path, limit: u64) -> Result<Self, FileError> {
        let meta = std::fs::metadata(path).map_err(|e| io_error("look at", path, e))?;
        if !meta.is_file() {
            return Err(FileError::NotAFile(path.to_owned()));
        }
        let file = File::open(path).map_err(|e| io_error("open", path, e))?;
        let meta = file.metadata().map_err(|e| io_error("look at", path, e))?;
        if meta.len() > limit {
            return Err(too_large(path, meta.len(), limit));
        }
        let mut window = Self {
            file,
            path: path.to_owned(),
            stamp: Stamp::of(&meta),
            skip: 0,
            line_ending: LineEnding::Lf,
        };
        let sample = window.bytes(0, (SAMPLE as u64).min(meta.len()))?;
        if sample.starts_with(UTF8_MARK) {
            window.skip = UTF8_MARK.len() as u64;
        }
        window.line_ending = line_ending(&sample);
        if let Some(at) = memchr::memchr(0, &sample) {
            return Err(window.no_text(DecodeError::Binary(at)));
        }
        match std::str::from_utf8(&sample) {
            Err(e) if e.error_len().is_some() => {
                Err(window.no_text(DecodeError::TooLargeForOthers(e.valid_up_to())))
            }
            _ => Ok(window),
        }
    }

    /// Length of the text in bytes.
    pub fn len(&self) -> u64 {
        self.stamp.len - self.skip
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the file begins with an encoding mark.
    pub fn is_marked(&self) -> bool {
        self.skip > 0
    }

    /// How the lines of its beginning end.
    pub fn line_ending(&self) -> LineEnding {
        self.line_ending
    }

    /// Whether the path still leads to the file that was opened, unchanged.
    pub fn is_current(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|meta| Stamp::of(&meta) == self.stamp)
    }

    /// The characters that the range meets, and their range. `None` when the
    /// file is not what was opened any more.
    ///
    /// # Errors
    /// [`FileError`]; not UTF-8 there.
    pub fn read(&self, range: Span) -> Result<Option<(String, Span)>, FileError> {
        let (from, to) = (range.start as u64, range.end as u64);
        let around = from.saturating_sub(MAX_TAIL);
        let beyond = (to + MAX_TAIL).min(self.len());
        let bytes = self.bytes(around + self.skip, beyond - around);
        if !self.is_current() {
            return Ok(None);
        }
        let bytes = bytes?;
        let tail = |at: u64| {
            let byte = usize::try_from(at - around)
                .ok()
                .and_then(|at| bytes.get(at));
            byte.is_some_and(|b| b & 0b1100_0000 == 0b1000_0000)
        };
        let start = (around..=from)
            .rev()
            .find(|at| !tail(*at))
            .unwrap_or(around);
        let end = (to..=beyond).find(|at| !tail(*at)).unwrap_or(beyond);
        let inner = |at: u64| usize::try_from(at - around).unwrap_or(usize::MAX);
        let part = bytes.get(inner(start)..inner(end)).unwrap_or_default();
        let outer = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        match std::str::from_utf8(part) {
            Ok(text) => Ok(Some((
                text.to_owned(),
                Span {
                    start: outer(start),
                    end: outer(end),
                },
            ))),
            Err(e) => {
                let at = outer(start + self.skip) + e.valid_up_to();
                Err(self.no_text(DecodeError::TooLargeForOthers(at)))
            }
        }
    }

    /// Bytes of the file, as far as they are there.
    fn bytes(&self, at: u64, len: u64) -> Result<Vec<u8>, FileError> {
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
        let read = read_at(&self.file, &mut bytes, at);
        bytes.truncate(read.map_err(|e| io_error("read", &self.path, e))?);
        Ok(bytes)
    }

    fn no_text(&self, why: DecodeError) -> FileError {
        FileError::NotText {
            path: self.path.clone(),
            why,
        }
    }
}

fn line_ending(bytes: &[u8]) -> LineEnding {
    let ends = memchr::memchr_iter(b'\n', bytes);
    let is_crlf = |at: usize| at > 0 && bytes[at - 1] == b'\r';
    let (crlf, lf): (Vec<_>, Vec<_>) = ends.partition(|at| is_crlf(*at));
    match (crlf.len(), lf.len()) {
        (0, _) => LineEnding::Lf,
        (_, 0) => LineEnding::Crlf,
        _ => LineEnding::Mixed,
    }
}

/// Fills the buffer as far as the file goes.
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], at + read as u64) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(read)
}

/// Where the lines of a [`Window`] begin: their number before each block.
#[derive(Debug, Default)]
pub struct Index {
    /// Line ends before each block that was read, and behind the last.
    before: Mutex<Vec<u64>>,
    indexed: AtomicU64,
    lines: AtomicU64,
    stopped: AtomicBool,
}

impl Index {
    fn before(&self) -> MutexGuard<'_, Vec<u64>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes of the text were read.
    pub fn indexed(&self) -> u64 {
        self.indexed.load(Ordering::Acquire)
    }

    /// How many lines begin in them.
    pub fn lines(&self) -> u64 {
        self.lines.load(Ordering::Acquire) + 1
    }

    /// Ends [`Index::build`] soon.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    /// Counts the lines of the whole file, telling after each block how far it
    /// is; false when stopped.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn build(&self, window: &Window, mut tell: impl FnMut()) -> Result<bool, FileError> {
        let mut lines = 0;
        let mut at = 0;
        self.before().push(0);
        while at < window.len() {
            if self.stopped.load(Ordering::Acquire) {
                return Ok(false);
            }
            let len = BLOCK.min(window.len() - at);
            let bytes = window.bytes(at + window.skip, len)?;
            lines += memchr::memchr_iter(b'\n', &bytes).count() as u64;
            at += len;
            self.before().push(lines);
            self.lines.store(lines, Ordering::Release);
            self.indexed.store(at, Ordering::Release);
            tell();
        }
        Ok(true)
    }

    /// Where a line (counted from 0) begins; `None` when it was not read yet.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn line_start(&self, window: &Window, line: u64) -> Result<Option<u64>, FileError> {
        if line == 0 {
            return Ok(Some(0));
        }
        let (block, skipped) = {
            let before = self.before();
            let block = before.partition_point(|ends| *ends < line);
            if block == 0 || block == before.len() {
                return Ok(None);
            }
            (block as u64 - 1, before[block - 1])
        };
        let at = block * BLOCK;
        let bytes = window.bytes(at + window.skip, BLOCK.min(window.len() - at))?;
        let which = usize::try_from(line - skipped - 1).unwrap_or(usize::MAX);
        let end = memchr::memchr_iter(b'\n', &bytes).nth(which);
        Ok(end.map(|end| at + end as u64 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// What is read is the text around the range, by whole characters.
        #[test]
        fn ranges_snap_to_characters(mark: bool, text in "[aé日😀\n]{1,40}", a in 0..120_usize, b in 0..120_usize) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("f");
            let mark = if mark { "\u{feff}" } else { "" };
            std::fs::write(&path, format!("{mark}{text}")).unwrap();
            let window = Window::open(&path, 1_000).unwrap();
            prop_assert_eq!(window.len(), text.len() as u64);
            let (a, b) = (a.min(text.len()), b.min(text.len()));
            let range = Span { start: a.min(b), end: a.max(b) };
            let (part, got) = window.read(range).unwrap().unwrap();
            prop_assert_eq!(text.get(got.start..got.end), Some(part.as_str()));
            prop_assert!(got.start <= range.start && range.end <= got.end);
            prop_assert!(range.start - got.start <= 3 && got.end - range.end <= 3);

            let index = Index::default();
            prop_assert!(index.build(&window, || ()).unwrap());
            let mut starts = vec![0];
            starts.extend(text.match_indices('\n').map(|(at, _)| at as u64 + 1));
            prop_assert_eq!(index.lines(), starts.len() as u64);
            for (line, start) in starts.iter().enumerate() {
                prop_assert_eq!(index.line_start(&window, line as u64).unwrap(), Some(*start));
            }
            prop_assert_eq!(index.line_start(&window, starts.len() as u64).unwrap(), None);
        }
    }

    #[test]
    fn lines_are_found_across_blocks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let text: String = (0..300_000).map(|i| format!("line {i}\n")).collect();
        std::fs::write(&path, &text).unwrap();
        let window = Window::open(&path, u64::MAX).unwrap();
        let index = Index::default();
        assert!(index.build(&window, || ()).unwrap());
        for line in [1, 70_000, 150_000, 299_999] {
            let start = index.line_start(&window, line).unwrap().unwrap();
            let start = usize::try_from(start).unwrap();
            assert!(text[start..].starts_with(&format!("line {line}\n")));
        }
    }

    #[test]
    fn a_file_that_changed_is_not_served() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "one").unwrap();
        let window = Window::open(&path, 10).unwrap();
        std::fs::write(&path, "one two").unwrap();
        assert!(window.read(Span { start: 0, end: 3 }).unwrap().is_none());
    }
}
