//! Messages of the Language Server Protocol on a stream: headers, an empty line, JSON.

use serde_json::Value;
use std::io::{self, BufRead, Read};

/// A message has at most so many bytes.
pub const MAX_MESSAGE: usize = 64 * 1024 * 1024;
/// The headers of a message have at most so many bytes.
const MAX_HEADERS: usize = 4 * 1024;

/// Why no message can be read any more.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The stream ended between two messages.
    #[error("it closed its output")]
    Closed,
    /// The stream ended in a message.
    #[error("it closed its output within a message")]
    Cut,
    /// Reading failed.
    #[error("its output cannot be read")]
    Io(#[source] io::Error),
    /// What came is no header.
    #[error("it wrote something that is no message: {0:?}")]
    NoHeader(String),
    /// The headers do not end, or do not tell the length.
    #[error("the headers of its message are too long or tell no length")]
    Headers,
    /// The message is longer than accepted.
    #[error("its message of {0} bytes is longer than {MAX_MESSAGE}")]
    TooLong(u64),
    /// The message is no JSON.
    #[error("its message is no JSON")]
    Json(#[source] serde_json::Error),
}

/// Reads a message; also its size in bytes.
///
/// # Errors
/// [`WireError`]; the stream is of no use then.
pub fn read(input: &mut impl BufRead) -> Result<(Value, usize), WireError> {
    let len = read_headers(input)?;
    // The memory grows with what comes, not with what was announced.
    let mut body = Vec::with_capacity(len.min(64 * 1024));
    let read = input.take(len as u64).read_to_end(&mut body);
    read.map_err(WireError::Io)?;
    if body.len() < len {
        return Err(WireError::Cut);
    }
    let message = serde_json::from_slice(&body).map_err(WireError::Json)?;
    Ok((message, len))
}

/// Reads the headers; what is left is a body of so many bytes.
fn read_headers(input: &mut impl BufRead) -> Result<usize, WireError> {
    let mut left = MAX_HEADERS;
    let mut length = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.take(left as u64).read_until(b'\n', &mut line);
        left -= read.map_err(WireError::Io)?;
        let Some(header) = line.strip_suffix(b"\n") else {
            return Err(match (left, line.is_empty() && left == MAX_HEADERS) {
                (_, true) => WireError::Closed,
                (0, _) => WireError::Headers,
                _ => WireError::Cut,
            });
        };
        let header = header.strip_suffix(b"\r").unwrap_or(header);
        if header.is_empty() {
            return length.ok_or(WireError::Headers);
        }
        length = header_length(header)?.or(length);
    }
}

/// The length that a header tells, if it is the one that does.
fn header_length(header: &[u8]) -> Result<Option<usize>, WireError> {
    let no_header = || {
        let shown = &header[..header.len().min(80)];
        WireError::NoHeader(String::from_utf8_lossy(shown).into_owned())
    };
    let text = std::str::from_utf8(header).map_err(|_| no_header())?;
    let (name, value) = text.split_once(':').ok_or_else(no_header)?;
    if name.eq_ignore_ascii_case("content-type") {
        return Ok(None);
    }
    if !name.eq_ignore_ascii_case("content-length") {
        return Err(no_header());
    }
    let len: u64 = value.trim().parse().map_err(|_| no_header())?;
    match usize::try_from(len) {
        Ok(fits) if fits <= MAX_MESSAGE => Ok(Some(fits)),
        _ => Err(WireError::TooLong(len)),
    }
}

/// A message as bytes.
pub fn frame(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn fails(bytes: &[u8]) -> WireError {
        read(&mut &bytes[..]).unwrap_err()
    }

    #[test]
    fn faults_are_told_apart() {
        assert!(matches!(fails(b""), WireError::Closed));
        assert!(matches!(fails(b"Content-Length: 5\r\n"), WireError::Cut));
        assert!(matches!(
            fails(b"Content-Length: 5\r\n\r\n{}"),
            WireError::Cut
        ));
        assert!(matches!(fails(b"\r\n"), WireError::Headers));
        assert!(matches!(
            fails(b"Debugger listening\n"),
            WireError::NoHeader(_)
        ));
        assert!(matches!(
            fails(b"Content-Length: -1\r\n\r\n"),
            WireError::NoHeader(_)
        ));
        assert!(matches!(
            fails(b"Content-Length: 99999999999\r\n\r\n"),
            WireError::TooLong(_)
        ));
        assert!(matches!(
            fails(b"Content-Length: 2\r\n\r\n{]"),
            WireError::Json(_)
        ));
        let endless = b"Content-Type: x\r\n".repeat(1_000);
        assert!(matches!(fails(&endless), WireError::Headers));
        assert!(matches!(fails(&b"x".repeat(10_000)), WireError::Headers));
    }

    proptest! {
        #[test]
        fn what_is_framed_is_read(texts in prop::collection::vec(".{0,40}", 1..4)) {
            let messages: Vec<_> = texts.iter().map(|t| json!({"text": t})).collect();
            let bytes: Vec<u8> = messages.iter().flat_map(frame).collect();
            let mut input = &bytes[..];
            for message in &messages {
                prop_assert_eq!(&read(&mut input).unwrap().0, message);
            }
            prop_assert!(matches!(read(&mut input), Err(WireError::Closed)));
        }

        #[test]
        fn any_bytes_end_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut input = &bytes[..];
            while read(&mut input).is_ok() {}
        }
    }
}
