//! A server's texts: opened, changed, saved, closed.

use super::{Phase, Server, Sync};
use crate::languages::documents::{Document, uri_of};
use crate::languages::positions::{Source, rebase_span};
use crate::languages::sync;
use crate::languages::table::language_id;
use serde_json::{Value, json};
use std::path::Path;
use symphony_ipc_protocol::xi::{BufferKey, Replace};

impl Server {
    /// Serves a buffer from now on.
    pub fn attach(&mut self, document: &Document) {
        if self.buffers.insert(document.buffer) {
            self.open_text(document);
        }
    }

    /// Serves a buffer no more; `path` is the file that it had.
    pub fn detach(&mut self, buffer: BufferKey, path: Option<&Path>) {
        if !self.buffers.remove(&buffer) {
            return;
        }
        self.published.remove(&buffer);
        self.changed.remove(&buffer);
        if let Some(uri) = path.and_then(uri_of)
            && self.phase == Phase::Ready
        {
            let params = json!({"textDocument": {"uri": uri}});
            self.notify("textDocument/didClose", params);
        }
    }

    pub(super) fn open_text(&mut self, document: &Document) {
        let Some((path, uri)) = document.path.as_deref().and_then(|p| Some((p, uri_of(p)?))) else {
            return;
        };
        if self.phase == Phase::Ready {
            let text = json!({
                "uri": uri,
                "languageId": language_id(&self.spec, path),
                "version": version(document.revision),
                "text": String::from(document.source.text()),
            });
            self.notify("textDocument/didOpen", json!({"textDocument": text}));
        }
    }

    /// Tells of edits that led from `before` to the document's text.
    pub fn change(&mut self, document: &Document, before: &Source, edits: &[Replace]) {
        self.rebase_published(document, edits);
        let changes = match self.sync {
            Sync::Nothing => return,
            Sync::Full => sync::whole(&document.source),
            Sync::Incremental => {
                sync::content_changes(before, &document.source, edits, self.columns)
            }
        };
        self.send_change(document, changes);
    }

    /// Tells of a text whose edits are not known.
    pub fn replace(&mut self, document: &Document) {
        if self.published.remove(&document.buffer).is_some() {
            self.changed.insert(document.buffer);
        }
        if self.sync != Sync::Nothing {
            self.send_change(document, sync::whole(&document.source));
        }
    }

    fn send_change(&mut self, document: &Document, changes: Value) {
        if self.phase != Phase::Ready {
            return;
        }
        let Some(uri) = document.path.as_deref().and_then(uri_of) else {
            return;
        };
        let text = json!({"uri": uri, "version": version(document.revision)});
        let params = json!({"textDocument": text, "contentChanges": changes});
        self.notify("textDocument/didChange", params);
    }

    fn rebase_published(&mut self, document: &Document, edits: &[Replace]) {
        let Some(published) = self.published.get_mut(&document.buffer) else {
            return;
        };
        let together = std::mem::take(&mut published.diagnostics)
            .into_iter()
            .zip(std::mem::take(&mut published.raw));
        for (mut diagnostic, (span, raw)) in together {
            // What was found in text that is gone is gone.
            if let Some(now) = rebase_span(span, edits) {
                diagnostic.span = now;
                published.diagnostics.push(diagnostic);
                published.raw.push((now, raw));
            }
        }
    }

    /// Tells of a save.
    pub fn saved(&mut self, document: &Document) {
        let Some(uri) = document.path.as_deref().and_then(uri_of) else {
            return;
        };
        if let (Some(with_text), Phase::Ready) = (self.saves, self.phase) {
            let mut params = json!({"textDocument": {"uri": uri}});
            if with_text {
                params["text"] = json!(String::from(document.source.text()));
            }
            self.notify("textDocument/didSave", params);
        }
    }
}

/// A revision as a version, which has 31 bits.
fn version(revision: u64) -> i32 {
    i32::try_from(revision).unwrap_or(i32::MAX)
}
