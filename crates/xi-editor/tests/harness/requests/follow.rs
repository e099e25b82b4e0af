//! What the editor tells is replayed, and what it holds is compared with that.

use super::{Model, Play};
use crate::harness::replaced;
use crate::harness::source::fit;
use std::collections::BTreeMap;
use symphony_ipc_protocol::xi::{
    Applied, BufferKey, Conflicts, Selections, ViewKey, ViewState, XiEvent,
};
use xi_editor::companion::Notice;

impl Play {
    pub(super) fn model(&self, buffer: BufferKey) -> &Model {
        let mut models = self.buffers.iter();
        models.find(|model| model.key == buffer).unwrap()
    }

    pub(super) fn buffer_of(&self, view: ViewKey) -> BufferKey {
        self.views.iter().find(|(key, _)| *key == view).unwrap().1
    }

    pub(super) fn shown(&self, view: ViewKey) -> &Model {
        self.model(self.buffer_of(view))
    }

    /// The answer says what the event says.
    pub(super) fn took(&mut self, buffer: BufferKey, applied: &Applied) {
        let model = self.model(buffer);
        let expected = match applied.changed {
            true => replaced(model.text(), &applied.edits),
            false => model.text().to_owned(),
        };
        self.replay();
        let model = self.model(buffer);
        assert_eq!(model.revision(), applied.revision);
        assert_eq!(model.text(), expected);
        for span in &applied.overlaps {
            assert!(model.text().get(span.start..span.end).is_some());
        }
    }

    /// Takes the events in.
    pub(super) fn replay(&mut self) {
        for event in self.editor.take_events() {
            match event {
                XiEvent::BufferChanged {
                    buffer,
                    revision,
                    edits,
                    len,
                    ..
                } => {
                    let mut models = self.buffers.iter_mut();
                    let model = models.find(|model| model.key == buffer).unwrap();
                    assert_eq!(revision, model.revision() + 1);
                    assert!(fit(model.text(), &edits) && !edits.is_empty());
                    model.texts.push(replaced(model.text(), &edits));
                    assert_eq!(len, model.text().len());
                }
                XiEvent::SelectionChanged {
                    buffer,
                    view,
                    revision,
                    selections,
                    primary,
                } => self.selected(&ViewState {
                    view,
                    buffer,
                    revision,
                    selections,
                    primary,
                }),
                XiEvent::BufferClosed { buffer } => {
                    self.buffers.retain(|model| model.key != buffer);
                }
                XiEvent::ViewClosed { view, .. } => {
                    self.views.retain(|(key, _)| *key != view);
                }
                _ => {}
            }
        }
        let mut lens = BTreeMap::new();
        for notice in self.editor.take_notices() {
            if let Notice::Changed { now, .. } = notice {
                lens.insert(now.buffer, now.text.len());
            }
        }
        for (buffer, len) in lens {
            if let Some(model) = self.buffers.iter().find(|m| m.key == buffer) {
                assert_eq!(model.text().len(), len, "companions know it too");
            }
        }
    }

    /// The texts are those of the events; selections and conflicts lie in them.
    pub(super) fn compare(&mut self) {
        for model in &self.buffers {
            let buffer = model.key;
            let snapshot = self.editor.snapshot(buffer, None).unwrap();
            assert_eq!(snapshot.revision, model.revision());
            assert_eq!(String::from(&snapshot.text), model.text());
            let request = Conflicts { buffer };
            for conflict in self.editor.conflicts(&request).unwrap().conflicts {
                let ours = model.text().get(conflict.range.start..conflict.range.end);
                assert_eq!(ours, Some(conflict.ours.as_str()));
            }
        }
        let views: Vec<_> = self.views.iter().map(|(view, _)| *view).collect();
        for view in views {
            let state = self.editor.selections(&Selections { view }).unwrap();
            self.selected(&state);
        }
    }

    fn selected(&self, state: &ViewState) {
        assert_eq!(self.buffer_of(state.view), state.buffer);
        let model = self.model(state.buffer);
        assert_eq!(state.revision, model.revision());
        assert!(state.primary < state.selections.len());
        let mut before = None;
        for selection in &state.selections {
            let start = selection.anchor.min(selection.head);
            let end = selection.anchor.max(selection.head);
            assert!(model.text().get(start..end).is_some(), "{selection:?}");
            assert!(
                before.is_none_or(|(s, e)| e <= start && s < end),
                "{state:?}"
            );
            before = Some((start, end));
        }
    }
}
