//! Cutting a byte stream into lines of bounded length.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// How much of an over-long line is kept to tell what it was.
const SAMPLE_BYTES: usize = 120;
/// Capacity that is kept between lines; more is given back after a long line.
const KEEP_CAPACITY: usize = 1 << 20;
/// How many bytes one read asks for.
const READ_BYTES: usize = 32 * 1024;

/// A line, or what remains of one that was too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A line without its end (`\n` or `\r\n`).
    Whole(Vec<u8>),
    /// A line over the limit. Its bytes were skipped up to its end.
    TooLong {
        /// Its length without the line end.
        bytes: u64,
        /// Its first bytes.
        sample: Vec<u8>,
    },
}

/// Cuts pushed bytes into lines; no I/O. Holds at most one line of `limit` bytes
/// and what was pushed last.
#[derive(Debug)]
pub struct LineDecoder {
    limit: usize,
    buffer: Vec<u8>,
    /// Start of what has not been given out.
    start: usize,
    /// Up to where no line end was found.
    scanned: usize,
    skipping: Option<(u64, Vec<u8>)>,
}

impl LineDecoder {
    /// A decoder for lines of at most `limit` bytes, line end not counted.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            skipping: None,
        }
    }

    /// Takes bytes in. Call [`LineDecoder::next_line`] until it gives `None` after each push.
    pub fn push(&mut self, bytes: &[u8]) {
        self.make_room();
        self.buffer.extend_from_slice(bytes);
    }

    fn make_room(&mut self) {
        if self.start == 0 {
            return;
        }
        self.buffer.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        if self.buffer.capacity() > KEEP_CAPACITY && self.buffer.len() < KEEP_CAPACITY / 2 {
            self.buffer.shrink_to(KEEP_CAPACITY);
        }
    }

    /// The next line, if its end has been pushed (or it is known to be too long and has ended).
    pub fn next_line(&mut self) -> Option<Line> {
        let Some(at) = memchr::memchr(b'\n', &self.buffer[self.scanned..]) else {
            self.scanned = self.buffer.len();
            self.skip_if_too_long();
            return None;
        };
        let end = self.scanned + at;
        let begin = std::mem::replace(&mut self.start, end + 1);
        self.scanned = end + 1;
        Some(self.finish(begin, end))
    }

    /// What is left when the stream has ended: a last line without an end.
    pub fn last_line(&mut self) -> Option<Line> {
        let (begin, end) = (self.start, self.buffer.len());
        self.start = end;
        self.scanned = end;
        if begin == end && self.skipping.is_none() {
            return None;
        }
        Some(self.finish(begin, end))
    }

    fn finish(&mut self, begin: usize, end: usize) -> Line {
        let bytes = &self.buffer[begin..end];
        if let Some((skipped, sample)) = self.skipping.take() {
            return Line::TooLong {
                bytes: skipped + bytes.len() as u64,
                sample,
            };
        }
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.len() > self.limit {
            return Line::TooLong {
                bytes: bytes.len() as u64,
                sample: bytes[..bytes.len().min(SAMPLE_BYTES)].to_vec(),
            };
        }
        if begin == 0 && end + 1 >= self.buffer.len() {
            // The usual case, one line a read: hand the buffer out instead of copying it.
            let keep = bytes.len();
            let mut line = std::mem::take(&mut self.buffer);
            line.truncate(keep);
            self.start = 0;
            self.scanned = 0;
            return Line::Whole(line);
        }
        Line::Whole(bytes.to_vec())
    }

    fn skip_if_too_long(&mut self) {
        let pending = self.buffer.len() - self.start;
        match &mut self.skipping {
            Some((skipped, _)) => *skipped += pending as u64,
            // One byte more for the `\r` of a line end that is still to come.
            None if pending > self.limit + 1 => {
                let sample =
                    self.buffer[self.start..self.start + pending.min(SAMPLE_BYTES)].to_vec();
                self.skipping = Some((pending as u64, sample));
            }
            None => return,
        }
        self.buffer.clear();
        self.buffer.shrink_to(KEEP_CAPACITY);
        self.start = 0;
        self.scanned = 0;
    }
}

/// Reads lines of bounded length from a byte stream.
#[derive(Debug)]
pub struct LineReader<R> {
    stream: R,
    decoder: LineDecoder,
    chunk: Box<[u8]>,
    ended: bool,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    /// A reader for lines of at most `limit` bytes.
    pub fn new(stream: R, limit: usize) -> Self {
        Self {
            stream,
            decoder: LineDecoder::new(limit),
            chunk: vec![0; READ_BYTES].into_boxed_slice(),
            ended: false,
        }
    }

    /// The next line; `None` at the end of the stream. Safe to cancel.
    ///
    /// # Errors
    /// What reading the stream gives.
    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            if let Some(line) = self.decoder.next_line() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(self.decoder.last_line());
            }
            match self.stream.read(&mut self.chunk).await {
                Ok(0) => self.ended = true,
                Ok(count) => self.decoder.push(&self.chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    fn drain(decoder: &mut LineDecoder) -> Vec<Line> {
        std::iter::from_fn(|| decoder.next_line()).collect()
    }

    #[test]
    fn both_line_ends_and_a_last_line_without_one() {
        let mut decoder = LineDecoder::new(100);
        decoder.push(b"a\r\nb\n\nc");
        assert_eq!(drain(&mut decoder), [whole("a"), whole("b"), whole("")]);
        assert_eq!(decoder.last_line(), Some(whole("c")));
        assert_eq!(decoder.last_line(), None);
    }

    #[test]
    fn an_over_long_line_is_skipped_and_the_next_one_is_read() {
        let mut decoder = LineDecoder::new(10);
        let mut lines = Vec::new();
        for _ in 0..1000 {
            decoder.push(&[b'x'; 1000]);
            lines.extend(drain(&mut decoder));
            assert!(decoder.buffer.len() <= 1000, "the line is not collected");
        }
        decoder.push(b"\nnext\n");
        lines.extend(drain(&mut decoder));
        assert_eq!(lines.len(), 2);
        assert!(
            matches!(&lines[0], Line::TooLong { bytes: 1_000_000, sample } if sample.len() == 120)
        );
        assert_eq!(lines[1], whole("next"));
    }

    #[tokio::test]
    async fn the_reader_gives_every_line_then_the_end() {
        let mut reader = LineReader::new(&b"one\ntwo\nthree"[..], 4);
        assert_eq!(reader.next().await.unwrap(), Some(whole("one")));
        assert_eq!(reader.next().await.unwrap(), Some(whole("two")));
        assert!(matches!(
            reader.next().await.unwrap(),
            Some(Line::TooLong { bytes: 5, .. })
        ));
        assert_eq!(reader.next().await.unwrap(), None);
    }

    proptest! {
        /// However the stream is cut into reads, the lines are those of the text.
        #[test]
        fn cutting_does_not_matter(
            text in "[a-c\r\n]{0,200}",
            cuts in proptest::collection::vec(1_usize..20, 1..40),
            limit in 1_usize..12,
        ) {
            let bytes = text.as_bytes();
            let mut decoder = LineDecoder::new(limit);
            let mut got = Vec::new();
            let mut rest = bytes;
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                decoder.push(now);
                got.extend(drain(&mut decoder));
                rest = later;
            }
            got.extend(decoder.last_line());
            let mut parts: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
            if parts.last().is_some_and(|last| last.is_empty()) { parts.pop(); }
            prop_assert_eq!(got.len(), parts.len());
            for (line, part) in got.iter().zip(parts) {
                let bare = part.strip_suffix(b"\r").unwrap_or(part);
                match line {
                    Line::Whole(bytes) => prop_assert_eq!(bytes.as_slice(), bare),
                    Line::TooLong { .. } => prop_assert!(part.len() > limit),
                }
            }
        }
    }
}
