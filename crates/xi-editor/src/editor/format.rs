//! The form of a buffer's file: its encoding and how its lines end.

use super::{Editor, EditorError, OpenBuffer, USER};
use crate::engine::Text;
use symphony_ipc_protocol::xi::{
    Applied, BufferInfo, LineEnding, LineStart, LocateLine, OnOverlap, Replace, SetEncoding,
    SetLineEnding,
};

/// So many line ends are changed as one edit at most.
const MAX_LINE_ENDS: usize = 500_000;

impl Editor {
    /// Changes the encoding that the next save writes.
    ///
    /// # Errors
    /// [`EditorError::NoBuffer`].
    pub fn set_encoding(&mut self, request: &SetEncoding) -> Result<BufferInfo, EditorError> {
        let open = self.find(request.buffer)?;
        open.encoding = request.encoding;
        Ok(open.info())
    }

    /// Makes all lines end alike.
    ///
    /// # Errors
    /// [`EditorError::LineEnding`], [`EditorError::TooManyLines`].
    pub fn set_line_ending(&mut self, request: &SetLineEnding) -> Result<Applied, EditorError> {
        let open = self.find(request.buffer)?;
        let edits = open.line_end_edits(request.line_ending)?;
        let policy = OnOverlap::Refuse;
        let applied = open.buffer.edit(None, edits, policy, &request.origin)?;
        let author = match request.origin.author.as_str() {
            "" => USER,
            author => author,
        };
        self.tell_change(request.buffer, &applied, author);
        Ok(applied)
    }

    /// Finds where a line begins.
    ///
    /// # Errors
    /// [`EditorError::NotIndexed`] for a windowed file.
    pub fn locate_line(&mut self, request: &LocateLine) -> Result<LineStart, EditorError> {
        if let Some(window) = self.window(request.buffer) {
            return window.locate_line(request.line);
        }
        let open = self.find(request.buffer)?;
        let text = open.buffer.text();
        let line = request.line.min(text.lines() - 1);
        Ok(LineStart {
            line,
            offset: text.line_start(line),
            revision: open.buffer.revision(),
        })
    }
}

impl OpenBuffer {
    /// The edits that make all lines end so.
    pub(super) fn line_end_edits(
        &mut self,
        line_ending: LineEnding,
    ) -> Result<Vec<Replace>, EditorError> {
        if line_ending == LineEnding::Mixed {
            return Err(EditorError::LineEnding);
        }
        let text = self.buffer.text();
        let lines = text.lines();
        if lines > MAX_LINE_ENDS {
            return Err(EditorError::TooManyLines {
                lines,
                limit: MAX_LINE_ENDS,
            });
        }
        Ok(line_end_edits(text, line_ending))
    }
}

fn line_end_edits(text: &Text, line_ending: LineEnding) -> Vec<Replace> {
    let mut edits = Vec::new();
    let (mut at, mut last) = (0, 0);
    for chunk in text.chunks() {
        let bytes = chunk.as_bytes();
        for within in memchr::memchr_iter(b'\n', bytes) {
            let before = if within == 0 { last } else { bytes[within - 1] };
            let end = at + within;
            match (before == b'\r', line_ending) {
                (true, LineEnding::Lf) => edits.push(Replace {
                    start: end - 1,
                    end,
                    text: String::new(),
                }),
                (false, LineEnding::Crlf) => edits.push(Replace {
                    start: end,
                    end,
                    text: "\r".to_owned(),
                }),
                _ => {}
            }
        }
        at += bytes.len();
        last = bytes.last().copied().unwrap_or(last);
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_lines_end_alike(text in "[a\r\n]{0,30}") {
            let apply = |line_ending| {
                let mut out = text.clone();
                for edit in line_end_edits(&Text::from(text.as_str()), line_ending).iter().rev() {
                    out.replace_range(edit.start..edit.end, &edit.text);
                }
                out
            };
            prop_assert_eq!(apply(LineEnding::Lf), text.replace("\r\n", "\n"));
            let crlf = text.replace("\r\n", "\n").replace('\n', "\r\n");
            prop_assert_eq!(apply(LineEnding::Crlf).replace("\r\r\n", "\r\n"), crlf.replace("\r\r\n", "\r\n"));
        }
    }
}
