//! Files too large to hold: their text is read from disk by ranges.

use super::{Editor, EditorError};
use crate::companion::Desk;
use crate::file::{FileError, Index, Window};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::MAX_LINE_BYTES;
use symphony_ipc_protocol::xi::{
    BufferInfo, BufferKey, Encoding, ExternalChange, ExternalOutcome, LineStart, RevisionNumber,
    Span, Text, XiEvent,
};

/// How far the index is, is told so often at most.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// An open file that is not held.
pub(super) struct OpenWindow {
    pub(super) key: BufferKey,
    pub(super) path: Arc<Path>,
    revision: RevisionNumber,
    window: Arc<Window>,
    index: Arc<Index>,
}

impl Drop for OpenWindow {
    fn drop(&mut self) {
        self.index.stop();
    }
}

impl OpenWindow {
    fn open(path: PathBuf, limit: u64) -> Result<Self, FileError> {
        Ok(Self {
            key: BufferKey::new_v4(),
            window: Arc::new(Window::open(&path, limit)?),
            path: Arc::from(path),
            revision: 0,
            index: Arc::default(),
        })
    }

    fn len(&self) -> usize {
        usize::try_from(self.window.len()).unwrap_or(usize::MAX)
    }

    fn is_indexed(&self) -> bool {
        self.index.indexed() == self.window.len()
    }

    pub(super) fn info(&self) -> BufferInfo {
        BufferInfo {
            buffer: self.key,
            path: Some(self.path.to_path_buf()),
            revision: self.revision,
            saved_revision: Some(self.revision),
            len: self.len(),
            lines: if self.is_indexed() {
                usize::try_from(self.index.lines()).unwrap_or(usize::MAX)
            } else {
                0
            },
            line_ending: self.window.line_ending(),
            encoding: if self.window.is_marked() {
                Encoding::Utf8Bom
            } else {
                Encoding::Utf8
            },
            dirty: false,
            read_only: true,
            digest: String::new(),
            windowed: true,
            conflicts: 0,
        }
    }

    pub(super) fn content(&self, range: Option<Span>) -> Result<Text, EditorError> {
        let len = self.len();
        let range = range.unwrap_or(Span { start: 0, end: len });
        let (start, end) = (range.start, range.end);
        if end < start || end > len {
            return Err(crate::engine::EditError::OutOfRange { start, end, len }.into());
        }
        let len = end - start;
        if len > MAX_LINE_BYTES {
            return Err(EditorError::TooMuch { len });
        }
        let read = self.window.read(range)?;
        let (text, range) =
            read.ok_or_else(|| EditorError::ChangedOnDisk(self.path.to_path_buf()))?;
        Ok(Text {
            text,
            range,
            revision: self.revision,
        })
    }

    pub(super) fn locate_line(&self, line: usize) -> Result<LineStart, EditorError> {
        let not_indexed = || EditorError::NotIndexed {
            indexed: self.index.indexed(),
            len: self.window.len(),
        };
        let mut line = line as u64;
        if self.is_indexed() {
            line = line.min(self.index.lines() - 1);
        }
        let start = self.index.line_start(&self.window, line)?;
        let start = start.ok_or_else(not_indexed)?;
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Ok(LineStart {
            line: number(line),
            offset: number(start),
            revision: self.revision,
        })
    }

    /// Counts the lines on a thread of its own.
    fn start_index(&self, desk: Desk) {
        let (key, revision) = (self.key, self.revision);
        let (window, index) = (Arc::clone(&self.window), Arc::clone(&self.index));
        let run = move || {
            let mut told = Instant::now();
            let outcome = index.build(&window, || {
                let indexed = index.indexed();
                if indexed == window.len() || told.elapsed() >= TELL_EVERY {
                    told = Instant::now();
                    desk.tell(&XiEvent::WindowIndexed {
                        buffer: key,
                        revision,
                        indexed,
                        len: window.len(),
                        lines: index.lines(),
                    });
                }
            });
            if let Err(error) = outcome {
                tracing::warn!(%error, "the lines of a windowed file are not counted");
            }
        };
        let started = std::thread::Builder::new()
            .name("index".to_owned())
            .spawn(run);
        if let Err(error) = started {
            tracing::warn!(%error, "the lines of a windowed file are not counted");
        }
    }
}

impl Editor {
    pub(super) fn window(&self, key: BufferKey) -> Option<&OpenWindow> {
        self.windows.iter().find(|window| window.key == key)
    }

    pub(super) fn open_window(&mut self, path: PathBuf) -> Result<BufferInfo, EditorError> {
        let window = OpenWindow::open(path, self.max_file_bytes)?;
        if let Some(desk) = &self.desk {
            window.start_index(desk.clone());
        }
        let info = window.info();
        self.windows.push(window);
        Ok(info)
    }

    /// Looks at the file of a window; one that changed is opened anew.
    pub(super) fn window_changed(&mut self, key: BufferKey) -> Result<ExternalChange, EditorError> {
        let limit = self.max_file_bytes;
        let desk = self.desk.clone();
        let found = self.windows.iter_mut().find(|window| window.key == key);
        let open = found.ok_or(EditorError::NoBuffer(key))?;
        let outcome = if open.window.is_current() {
            ExternalOutcome::Unchanged
        } else {
            match OpenWindow::open(open.path.to_path_buf(), limit) {
                Ok(mut again) => {
                    (again.key, again.revision) = (key, open.revision + 1);
                    if let Some(desk) = desk {
                        again.start_index(desk);
                    }
                    *open = again;
                    ExternalOutcome::Reloaded
                }
                Err(FileError::Missing(_)) => ExternalOutcome::Deleted,
                Err(error) => return Err(error.into()),
            }
        };
        let revision = open.revision;
        if outcome != ExternalOutcome::Unchanged {
            self.events.push(XiEvent::FileModified {
                buffer: key,
                outcome: outcome.clone(),
            });
        }
        Ok(ExternalChange { outcome, revision })
    }
}
