//! The open texts as the language servers' thread knows them.

use super::positions::{self, Columns, Source};
use crate::companion::Snapshot;
use crate::file;
use ls_types::Uri;
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{BufferKey, Replace, RevisionNumber, Span};

/// Texts above so many bytes have no language server.
pub const MAX_TEXT: usize = 16 * 1024 * 1024;
/// So many revisions before the newest can be named in requests.
const MAX_PAST: usize = 256;

/// One open buffer.
pub struct Document {
    /// The buffer.
    pub buffer: BufferKey,
    /// Its file.
    pub path: Option<Arc<Path>>,
    /// Its newest revision here.
    pub revision: RevisionNumber,
    /// The newest text.
    pub source: Source,
    /// Whether it has its server without being asked for something.
    pub features: bool,
    past: VecDeque<Past>,
}

/// A revision before the newest, and the edits that it was followed by.
struct Past {
    source: Source,
    edits: Arc<[Replace]>,
}

impl Document {
    /// A buffer as it is now.
    pub fn new(now: Snapshot, features: bool) -> Self {
        Self {
            buffer: now.buffer,
            path: now.path,
            revision: now.revision,
            source: Source::new(now.text),
            features,
            past: VecDeque::new(),
        }
    }

    /// Goes on to the next revision; what was the newest text comes back.
    pub fn change(&mut self, now: Snapshot, edits: Arc<[Replace]>) -> Source {
        let source = self.source.after(now.text, &edits);
        let before = std::mem::replace(&mut self.source, source);
        if now.revision == self.revision + 1 {
            let source = before.clone();
            self.past.push_back(Past { source, edits });
            if self.past.len() > MAX_PAST {
                self.past.pop_front();
            }
        } else {
            self.past.clear();
        }
        self.path = now.path;
        self.revision = now.revision;
        before
    }

    /// Takes a text without knowing what led to it.
    pub fn replace(&mut self, now: Snapshot) {
        self.past.clear();
        self.path = now.path;
        self.revision = now.revision;
        self.source = Source::new(now.text);
    }

    /// The text at a revision, if it is held.
    pub fn at(&self, revision: RevisionNumber) -> Option<&Source> {
        match self.revision.checked_sub(revision)? {
            0 => Some(&self.source),
            back => self.past_at(back).map(|past| &past.source),
        }
    }

    fn past_at(&self, back: u64) -> Option<&Past> {
        let back = usize::try_from(back).ok()?;
        self.past.get(self.past.len().checked_sub(back)?)
    }

    /// The edits since a revision, oldest first; `None` when it is not held.
    pub fn since(&self, revision: RevisionNumber) -> Option<impl Iterator<Item = &[Replace]>> {
        let back = usize::try_from(self.revision.checked_sub(revision)?).ok()?;
        let first = self.past.len().checked_sub(back)?;
        Some(self.past.iter().skip(first).map(|past| &*past.edits))
    }

    /// Where a place of a revision is now.
    ///
    /// # Errors
    /// When the revision or the place does not exist, or not any more.
    pub fn rebase(&self, at: usize, revision: Option<RevisionNumber>) -> Result<usize, RpcError> {
        let revision = revision.unwrap_or(self.revision);
        let (then, mut since) = self.held(revision)?;
        then.text()
            .check(at, at)
            .map_err(|e| RpcError::new(code::INVALID_PARAMS, e.to_string()))?;
        let now = since.try_fold(at, positions::rebase);
        now.ok_or_else(|| self.replaced(at, revision))
    }

    /// Where a place of a revision was at a later one.
    ///
    /// # Errors
    /// As [`Document::rebase`].
    pub fn rebase_until(
        &self,
        at: usize,
        revision: RevisionNumber,
        until: RevisionNumber,
    ) -> Result<usize, RpcError> {
        let (_, mut since) = self.held(revision)?;
        let steps = usize::try_from(until.saturating_sub(revision)).unwrap_or(usize::MAX);
        let then = since.by_ref().take(steps).try_fold(at, positions::rebase);
        then.ok_or_else(|| self.replaced(at, revision))
    }

    fn replaced(&self, at: usize, revision: RevisionNumber) -> RpcError {
        let why = format!("the text at {at} was replaced since revision {revision}");
        let data = json!({"reason": "text_changed", "revision": self.revision});
        RpcError::new(code::CONFLICT, why).with_data(data)
    }

    /// Where a span of a revision is now, all of the text when absent.
    ///
    /// # Errors
    /// As [`Document::rebase`].
    pub fn rebase_range(
        &self,
        range: Option<Span>,
        revision: Option<RevisionNumber>,
    ) -> Result<Span, RpcError> {
        let Some(range) = range else {
            let end = self.source.text().len();
            return Ok(Span { start: 0, end });
        };
        if range.end < range.start {
            let why = format!("range {}..{} is backwards", range.start, range.end);
            return Err(RpcError::new(code::INVALID_PARAMS, why));
        }
        let start = self.rebase(range.start, revision)?;
        let end = self.rebase(range.end, revision)?.max(start);
        Ok(Span { start, end })
    }

    fn held(
        &self,
        revision: RevisionNumber,
    ) -> Result<(&Source, impl Iterator<Item = &[Replace]>), RpcError> {
        let newest = self.revision;
        if revision > newest {
            let why = format!("revision {revision} does not exist, the newest is {newest}");
            let data = json!({"revision": newest});
            return Err(RpcError::new(code::INVALID_PARAMS, why).with_data(data));
        }
        self.at(revision).zip(self.since(revision)).ok_or_else(|| {
            let oldest = newest - self.past.len() as u64;
            let why = format!("revision {revision} is too old, the oldest held is {oldest}");
            let data = json!({"reason": "base_too_old", "oldest": oldest});
            RpcError::new(code::CONFLICT, why).with_data(data)
        })
    }
}

/// All open buffers.
#[derive(Default)]
pub struct Documents {
    open: BTreeMap<BufferKey, Document>,
}

/// A file's text, of a buffer or read from disk.
#[derive(Clone)]
pub struct FileText {
    /// The file.
    pub path: PathBuf,
    /// The buffer and its revision, if it is open.
    pub buffer: Option<(BufferKey, RevisionNumber)>,
    /// The text.
    pub source: Source,
}

impl Documents {
    /// A buffer.
    pub fn get(&self, buffer: BufferKey) -> Option<&Document> {
        self.open.get(&buffer)
    }

    /// A buffer, to be changed.
    pub fn get_mut(&mut self, buffer: BufferKey) -> Option<&mut Document> {
        self.open.get_mut(&buffer)
    }

    /// Adds a buffer.
    pub fn insert(&mut self, document: Document) {
        self.open.insert(document.buffer, document);
    }

    /// Removes a buffer.
    pub fn remove(&mut self, buffer: BufferKey) -> Option<Document> {
        self.open.remove(&buffer)
    }

    /// The buffers.
    pub fn keys(&self) -> Vec<BufferKey> {
        self.open.keys().copied().collect()
    }

    /// The revisions of all buffers.
    pub fn revisions(&self) -> BTreeMap<BufferKey, RevisionNumber> {
        let revisions = self.open.iter();
        revisions.map(|(key, d)| (*key, d.revision)).collect()
    }

    /// The buffer of a file.
    pub fn of_path(&self, path: &Path) -> Option<&Document> {
        self.open
            .values()
            .find(|d| d.path.as_deref().is_some_and(|p| p == path))
    }

    /// The text of a file that a server names; `None` when it cannot be read.
    pub fn text_of(&self, uri: &str) -> Option<FileText> {
        let path = path_of(uri)?;
        // A server may know the file by another way to it.
        let path = path.canonicalize().unwrap_or(path);
        if let Some(document) = self.of_path(&path) {
            return Some(FileText {
                path,
                buffer: Some((document.buffer, document.revision)),
                source: document.source.clone(),
            });
        }
        let loaded = file::read(&path, MAX_TEXT as u64, None).ok()?;
        Some(FileText {
            path,
            buffer: None,
            source: Source::new(loaded.text),
        })
    }
}

/// The name of a file for servers.
pub fn uri_of(path: &Path) -> Option<String> {
    Uri::from_file_path(path).map(|uri| uri.as_str().to_owned())
}

/// The file that a server names.
pub fn path_of(uri: &str) -> Option<PathBuf> {
    let uri: Uri = uri.parse().ok()?;
    if !uri.scheme().as_str().eq_ignore_ascii_case("file") {
        return None;
    }
    uri.to_file_path().map(|path| path.into_owned())
}

/// What a conversion needs to know of the one who speaks.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The buffer.
    pub buffer: BufferKey,
    /// Its name for the server.
    pub uri: String,
    /// Its revision when the server was asked.
    pub revision: RevisionNumber,
    /// Its text at that revision.
    pub source: Source,
    /// How the server counts columns.
    pub columns: Columns,
    /// The revisions of all buffers when the server was asked.
    pub revisions: Arc<BTreeMap<BufferKey, RevisionNumber>>,
}

impl Asked {
    /// A range of the text asked about, as a span.
    pub fn span(&self, range: ls_types::Range) -> Span {
        self.source.span(range, self.columns)
    }

    /// The parameters that name a place.
    pub fn place(&self, at: usize) -> serde_json::Value {
        let position = self.source.position(at, self.columns);
        json!({"textDocument": {"uri": self.uri}, "position": position})
    }
}
