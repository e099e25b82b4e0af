//! The last lines of a child's standard error.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};
use symphony_ipc_transport::line::{Line, LineReader};
use tokio::io::AsyncRead;

/// How many lines are kept.
const LINES: usize = 64;
/// How long a kept line may be, in bytes.
const LINE_BYTES: usize = 4096;

/// The last lines, bounded.
#[derive(Debug, Default)]
pub(crate) struct LastWords(Mutex<VecDeque<String>>);

impl LastWords {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    pub(crate) fn get(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }

    /// Reads `stream` to its end, however much comes; `tell` gets each line.
    pub(crate) async fn collect(
        &self,
        stream: impl AsyncRead + Unpin,
        tell: impl Fn(String) + Send,
    ) {
        let mut lines = LineReader::new(stream, LINE_BYTES);
        // A read error ends the words like the end of the stream.
        while let Ok(Some(line)) = lines.next().await {
            let text = match line {
                Line::Whole(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Line::TooLong { bytes, sample } => {
                    let sample = String::from_utf8_lossy(&sample);
                    format!("{sample}… ({bytes} bytes)")
                }
            };
            if !text.trim().is_empty() {
                self.push(text.clone());
                tell(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_lines_are_kept_and_long_ones_cut() {
        let mut input: Vec<u8> = (0..100)
            .flat_map(|n| format!("line {n}\n").into_bytes())
            .collect();
        input.extend(vec![b'x'; 1_000_000]);
        input.extend(b"\n\n\xff bad\nend");
        let words = LastWords::default();
        let told = Mutex::new(0);
        words
            .collect(&input[..], |_| *told.lock().unwrap() += 1)
            .await;
        let kept = words.get();
        assert_eq!(kept.len(), 64);
        assert_eq!(kept[0], "line 39");
        assert!(kept[61].ends_with("… (1000000 bytes)") && kept[61].len() < 200);
        assert_eq!(kept[62..], ["\u{fffd} bad", "end"]);
        assert_eq!(*told.lock().unwrap(), 103);
    }
}
