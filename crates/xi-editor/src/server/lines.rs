//! Reading lines of bounded length.

use super::inbox::{Inbox, Incoming};
use std::io::{self, BufRead, BufReader, Read};
use symphony_ipc_protocol::jsonrpc::{MAX_LINE_BYTES, Message};

/// A line's buffer above this size is given back after use.
const KEPT_BYTES: usize = 1024 * 1024;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// A whole line, now in the buffer.
    Whole,
    /// A line above the limit, skipped.
    TooLong,
    /// Nothing more.
    End,
}

/// Reads lines into the inbox until the input ends or the inbox is closed.
pub(super) fn read_into(input: impl Read, inbox: &Inbox) {
    let mut input = BufReader::with_capacity(64 * 1024, input);
    let mut line = Vec::new();
    loop {
        let incoming = match read_line(&mut input, &mut line, MAX_LINE_BYTES) {
            Ok(Line::Whole) => match Message::parse(&line) {
                Ok(message) => Incoming::Message(message),
                Err(malformed) => Incoming::Malformed(malformed),
            },
            Ok(Line::TooLong) => Incoming::TooLong,
            Ok(Line::End) => break,
            Err(error) => {
                tracing::error!(%error, "the input cannot be read");
                break;
            }
        };
        if !inbox.put(incoming, line.len()) {
            break;
        }
        if line.capacity() > KEPT_BYTES {
            line = Vec::new();
        }
    }
    inbox.close();
}

/// Reads one line without its end into `line`; of a line above `limit` bytes nothing is kept.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<Line> {
    line.clear();
    let (mut too_long, mut any) = (false, false);
    loop {
        let available = match input.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if available.is_empty() {
            return Ok(match (any, too_long) {
                (false, _) => Line::End,
                (true, true) => Line::TooLong,
                (true, false) => Line::Whole,
            });
        }
        any = true;
        let end = memchr::memchr(b'\n', available);
        let part = &available[..end.unwrap_or(available.len())];
        if line.len() + part.len() > limit {
            too_long = true;
            *line = Vec::new();
        } else if !too_long {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { Line::Whole });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], chunk: usize, limit: usize) -> Vec<Result<String, ()>> {
        let mut input = BufReader::with_capacity(chunk, input);
        let (mut line, mut out) = (Vec::new(), Vec::new());
        loop {
            match read_line(&mut input, &mut line, limit).unwrap() {
                Line::Whole => out.push(Ok(String::from_utf8(line.clone()).unwrap())),
                Line::TooLong => {
                    assert!(line.capacity() <= limit);
                    out.push(Err(()));
                }
                Line::End => return out,
            }
        }
    }

    #[test]
    fn lines_are_found_however_the_input_is_cut() {
        for chunk in 1..12 {
            assert_eq!(
                lines(b"ab\n\nabcdefgh\ncd\nabcde\nx", chunk, 5),
                [
                    Ok("ab".to_owned()),
                    Ok(String::new()),
                    Err(()),
                    Ok("cd".to_owned()),
                    Ok("abcde".to_owned()),
                    Ok("x".to_owned()),
                ]
            );
        }
    }

    #[test]
    fn an_endless_line_is_not_held() {
        assert_eq!(lines(&vec![b'x'; 100_000], 64, 100), [Err(())]);
        assert_eq!(lines(b"", 64, 100), []);
    }
}
