//! What a plugin says and asks, and what comes of it.

use super::place::{annotations, compact, cut, data};
use super::{Fault, Peer, Session};
use crate::plugins::dialect::{
    self, AnnotationType, DataSpan, Edit, Incoming, Notification, Request, ScopeSpan,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{
    Apply, BufferKey, EditOrigin, OnOverlap, PluginHoverAnswer, RevisionNumber, Span, XiEvent,
};

/// A text to show is cut to so many bytes.
const MAX_SHOWN: usize = 4_096;
/// A key of a status item, or a kind of annotation, is cut to so many bytes.
const MAX_KEY: usize = 256;

impl<P: Peer> Session<P> {
    /// Deals with a line that it wrote.
    ///
    /// # Errors
    /// [`Fault::Garbage`] or [`Fault::Stuck`]: it is to be ended.
    pub fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.process.done_with(line.len());
        match dialect::parse(line) {
            Ok(Incoming::Response { id, error }) => {
                if let Some(error) = error {
                    tracing::debug!(plugin = %self.name, %error, "it refused an update");
                }
                let view = self
                    .views
                    .iter_mut()
                    .find_map(|(view, v)| v.answered(id).then_some(*view));
                match view {
                    Some(view) => self.send_update(view),
                    // The view may have been closed since.
                    None if id < self.next_request => Ok(()),
                    None => self.bad("an answer to a request that was not made".to_owned()),
                }
            }
            Ok(Incoming::Request { id, view, request }) => {
                let answer = match self.answer(view, request) {
                    Ok(result) => dialect::result(id, &result),
                    Err(why) => dialect::error(id, 404, why),
                };
                Ok(self.process.send(answer)?)
            }
            Ok(Incoming::BadRequest { id, why }) => {
                let answer = dialect::error(id, code::INVALID_REQUEST, &why);
                self.process.send(answer)?;
                self.bad(why)
            }
            Ok(Incoming::Notification { view, notification }) => self.note(view, *notification),
            Err(why) => self.bad(why),
        }
    }

    fn bad(&mut self, why: String) -> Result<(), Fault> {
        tracing::debug!(plugin = %self.name, why, "a bad message");
        self.drop_one();
        if self.bad.is_too_much(Instant::now()) {
            return Err(Fault::Garbage(cut(why, MAX_KEY)));
        }
        Ok(())
    }

    fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    fn answer(&self, view: u64, request: Request) -> Result<Value, &'static str> {
        let view = self.views.get(&view).ok_or("no such view")?;
        match request {
            Request::GetData {
                start,
                unit,
                max_size,
                rev,
            } => {
                let text = view.text_at(rev).ok_or("that revision is gone")?;
                data(text, start, unit, max_size).ok_or("that place is not in the text")
            }
            Request::LineCount {} => {
                let (_, text) = view.told().ok_or("no such view")?;
                Ok(json!(text.lines()))
            }
            Request::GetSelections {} => Err("selections are not told to plugins"),
        }
    }

    fn note(&mut self, view: u64, notification: Notification) -> Result<(), Fault> {
        if let Notification::ShowHover { request_id, result } = notification {
            self.show_hover(request_id, result);
            return Ok(());
        }
        let Some(known) = self.views.get_mut(&view) else {
            // Closed while this was on its way.
            return Ok(());
        };
        let buffer = known.buffer;
        match notification {
            Notification::AddScopes { scopes } => {
                if !known.add_scopes(scopes) {
                    return self.bad("too many scopes".to_owned());
                }
                Ok(())
            }
            Notification::UpdateSpans {
                start,
                len,
                spans,
                rev,
            } => self.spans(view, rev, (start, len), &spans),
            Notification::UpdateAnnotations {
                start,
                len,
                spans,
                annotation_type,
                rev,
            } => self.annotations(view, rev, (start, len), (spans, annotation_type)),
            Notification::Edit { edit } => self.edit(view, edit),
            Notification::Alert { msg } => {
                self.talk(|plugin| XiEvent::PluginAlert {
                    plugin,
                    buffer,
                    message: cut(msg, MAX_SHOWN),
                });
                Ok(())
            }
            Notification::AddStatusItem {
                key,
                value,
                alignment,
            } => {
                let alignment = match alignment.as_str() {
                    "left" | "right" => alignment,
                    _ => return self.bad("a status item is left or right".to_owned()),
                };
                self.status_item(buffer, key, Some(value), Some(alignment));
                Ok(())
            }
            Notification::UpdateStatusItem { key, value } => {
                self.status_item(buffer, key, Some(value), None);
                Ok(())
            }
            Notification::RemoveStatusItem { key } => {
                self.status_item(buffer, key, None, None);
                Ok(())
            }
            Notification::ShowHover { .. } => Ok(()),
        }
    }

    /// Shows something, unless it talks too much.
    fn talk(&mut self, event: impl FnOnce(String) -> XiEvent) {
        if self.talk.allows(Instant::now()) {
            self.desk.tell(&event(self.name.to_string()));
        } else {
            self.drop_one();
        }
    }

    fn status_item(
        &mut self,
        buffer: BufferKey,
        key: String,
        value: Option<String>,
        alignment: Option<String>,
    ) {
        self.talk(|plugin| XiEvent::PluginStatusItem {
            plugin,
            buffer,
            key: cut(key, MAX_KEY),
            value: value.map(|value| cut(value, MAX_SHOWN)),
            alignment,
        });
    }

    fn spans(
        &mut self,
        view: u64,
        revision: RevisionNumber,
        place: (usize, usize),
        spans: &[ScopeSpan],
    ) -> Result<(), Fault> {
        let Some(known) = self.views.get(&view) else {
            return Ok(());
        };
        let Some(text) = known.text_at(revision) else {
            // It will compute them anew for the update that is on its way.
            self.drop_one();
            return Ok(());
        };
        match compact(known, text, place, spans) {
            Some((range, scopes, spans)) => {
                self.desk.tell(&XiEvent::PluginSpans {
                    plugin: self.name.to_string(),
                    buffer: known.buffer,
                    revision,
                    range,
                    scopes,
                    spans,
                });
                Ok(())
            }
            None => self.bad("spans that do not lie in the text, or of no scope".to_owned()),
        }
    }

    fn annotations(
        &mut self,
        view: u64,
        revision: RevisionNumber,
        place: (usize, usize),
        (spans, kind): (Vec<DataSpan>, AnnotationType),
    ) -> Result<(), Fault> {
        let Some(known) = self.views.get(&view) else {
            return Ok(());
        };
        let Some(text) = known.text_at(revision) else {
            self.drop_one();
            return Ok(());
        };
        let annotation = match kind {
            AnnotationType::Selection => "selection".to_owned(),
            AnnotationType::Find => "find".to_owned(),
            AnnotationType::Other(name) => cut(name, MAX_KEY),
        };
        let Some((range, annotations)) = annotations(text, place, spans) else {
            return self.bad("annotations that do not lie in the text".to_owned());
        };
        self.desk.tell(&XiEvent::PluginAnnotations {
            plugin: self.name.to_string(),
            buffer: known.buffer,
            revision,
            range,
            annotation,
            annotations,
        });
        Ok(())
    }

    fn edit(&mut self, view: u64, edit: Edit) -> Result<(), Fault> {
        let Some(known) = self.views.get(&view) else {
            return Ok(());
        };
        let Some(text) = known.text_at(edit.rev) else {
            self.drop_one();
            return Ok(());
        };
        let edits = match edit.delta.into_edits(text.len()) {
            Ok(edits) => edits,
            Err(error) => return self.bad(error.to_string()),
        };
        let buffer = known.buffer;
        if !self.edits.allows(Instant::now()) {
            return self.bad("too many edits".to_owned());
        }
        let name = self.name.to_string();
        let request = Apply {
            buffer,
            base: edit.rev,
            edits,
            on_overlap: OnOverlap::Merge,
            origin: EditOrigin {
                author: name,
                group: edit.undo_group,
            },
        };
        let group = edit.undo_group;
        let (plugin, dropped) = (Arc::clone(&self.name), Arc::clone(&self.dropped));
        self.desk.post(move |editor| {
            if let Err(error) = editor.apply_joining(request, group) {
                tracing::warn!(%plugin, %error, "an edit of a plugin was not made");
                dropped.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(())
    }

    fn show_hover(&mut self, id: u64, result: Result<dialect::Hover, Value>) {
        let Some(waiting) = self.hovers.remove(&id) else {
            // Too late, or cancelled.
            return;
        };
        let answer = result
            .map(|hover| PluginHoverAnswer {
                content: hover.content,
                range: hover
                    .range
                    .filter(|range| waiting.text.check(range.start, range.end).is_ok())
                    .map(|range| Span {
                        start: range.start,
                        end: range.end,
                    }),
                revision: waiting.revision,
            })
            .map_err(|error| {
                let why = error["message"].as_str().unwrap_or("no reason given");
                RpcError::new(code::UPSTREAM, cut(why.to_owned(), MAX_SHOWN))
            });
        waiting.reply.give(answer);
    }
}
