//! Server-sent events, read from pieces of any size.

/// Longest event that is kept; a server that sends more is cut off.
const MAX_EVENT_BYTES: usize = 8 * 1024 * 1024;

/// An event that grew beyond all measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {MAX_EVENT_BYTES} bytes")]
pub struct TooLong;

/// Collects bytes and gives back the data of whole events.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    data: Option<String>,
    after_return: bool,
}

impl Events {
    /// Takes the next bytes; each event that they complete goes to `event`.
    ///
    /// # Errors
    /// [`TooLong`] when an event does not end.
    pub fn feed(&mut self, bytes: &[u8], mut event: impl FnMut(String)) -> Result<(), TooLong> {
        for &byte in bytes {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    self.end_line(&mut event);
                }
                _ => {
                    self.after_return = false;
                    self.line.push(byte);
                }
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > MAX_EVENT_BYTES {
                return Err(TooLong);
            }
        }
        Ok(())
    }

    /// The end of the stream: an event whose blank line never came is given back too.
    pub fn finish(mut self, mut event: impl FnMut(String)) {
        if !self.line.is_empty() {
            self.end_line(&mut event);
        }
        if let Some(data) = self.data.take() {
            event(data);
        }
    }

    fn end_line(&mut self, event: &mut impl FnMut(String)) {
        if self.line.is_empty() {
            if let Some(data) = self.data.take() {
                event(data);
            }
            return;
        }
        // Lines without a colon, comments (`: …`) and other fields say nothing to us.
        if let Some(value) = self.line.strip_prefix(b"data:") {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            let text = String::from_utf8_lossy(value);
            match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(&text);
                }
                None => self.data = Some(text.into_owned()),
            }
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(pieces: &[&[u8]]) -> Vec<String> {
        let mut seen = Vec::new();
        let mut events = Events::default();
        for piece in pieces {
            events.feed(piece, |data| seen.push(data)).unwrap();
        }
        events.finish(|data| seen.push(data));
        seen
    }

    #[test]
    fn comments_fields_and_line_ends() {
        let text = b": ping\n\ndata: a\r\n\r\nevent: x\rdata:b\rdata: c\r\rid: 1\n\ndata: last";
        assert_eq!(events(&[text]), ["a", "b\nc", "last"]);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut events = Events::default();
        let piece = vec![b'x'; 1 << 20];
        let outcome = (0..20).try_for_each(|_| events.feed(&piece, |_| {}));
        assert_eq!(outcome, Err(TooLong));
    }

    proptest! {
        #[test]
        fn the_cuts_between_pieces_do_not_matter(
            texts in proptest::collection::vec("[^\r\n]{1,20}", 1..8),
            size in 1_usize..9,
        ) {
            let stream: String = texts.iter().map(|t| format!("data: {t}\n\n")).collect();
            let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
            prop_assert_eq!(events(&pieces), texts);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = events(&[&bytes]);
        }
    }
}
