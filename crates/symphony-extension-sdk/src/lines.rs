//! Lines of bounded length.

use std::io::{self, BufRead};

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line without its end.
    Whole(Vec<u8>),
    /// A line longer than the limit; it was passed over.
    TooLong,
}

/// Reads the next line of at most `limit` bytes; `None` at the end of the input.
pub(crate) fn next_line(input: &mut impl BufRead, limit: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = false;
    let mut seen = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            return Ok(seen.then(|| finish(line, too_long)));
        }
        seen = true;
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        if line.len() + part.len() > limit {
            too_long = true;
            line = Vec::new();
        } else if !too_long {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Some(finish(line, too_long)));
        }
    }
}

fn finish(mut line: Vec<u8>, too_long: bool) -> Line {
    if too_long {
        return Line::TooLong;
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Line::Whole(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    #[test]
    fn a_long_line_is_passed_over_and_the_next_one_read() {
        let mut input = BufReader::with_capacity(3, &b"abcdefghij\r\nok\r\nend"[..]);
        assert_eq!(next_line(&mut input, 5).unwrap(), Some(Line::TooLong));
        let mut next = || next_line(&mut input, 5).unwrap();
        assert_eq!(next(), Some(Line::Whole(b"ok".to_vec())));
        assert_eq!(next(), Some(Line::Whole(b"end".to_vec())));
        assert_eq!(next(), None);
    }

    proptest! {
        #[test]
        fn lines_come_back_whatever_the_buffer(
            lines in proptest::collection::vec("[a-z]{0,20}", 0..8),
            capacity in 1_usize..9,
        ) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let mut input = BufReader::with_capacity(capacity, text.as_bytes());
            for line in &lines {
                let read = next_line(&mut input, 20).unwrap();
                prop_assert_eq!(read, Some(Line::Whole(line.clone().into_bytes())));
            }
            prop_assert_eq!(next_line(&mut input, 20).unwrap(), None);
        }
    }
}
