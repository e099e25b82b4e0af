//! Views of the buffers: selections that follow every edit, and commands on them.

mod layout;
mod marks;
mod notes;
mod settings;

use super::{By, Editor, EditorError, OpenBuffer, USER};
use crate::commands::{self, Caret, Carets, MAX_CARETS, Scene};
use crate::engine::{Buffer, Changes, EditError, Run, Text};
use crate::layout::{Folded, Hidden, Layout, Metrics};
use marks::Marks;
use notes::News;
pub(super) use notes::Shown;
use settings::Chosen;
use std::collections::HashMap;
use symphony_ipc_protocol::jsonrpc::MAX_LINE_BYTES;
use symphony_ipc_protocol::xi::{
    Applied, BufferKey, CloseView, Command, Commanded, Empty, OnOverlap, OpenView, Replace,
    RunCommand, Select, Selection, Selections, UndoNodes, UndoTo, UndoTree, ViewKey, ViewState,
    XiEvent,
};
use uuid::Uuid;

/// So many views are open at most.
const MAX_VIEWS: usize = 1_000;
/// One command inserts and copies so many bytes at most: its answer and its event hold them.
const MAX_COMMAND_BYTES: usize = MAX_LINE_BYTES / 4;

/// The views and what goes with them.
#[derive(Default)]
pub(super) struct Views {
    list: Vec<View>,
    chosen: HashMap<BufferKey, Chosen>,
    marks: HashMap<BufferKey, Marks>,
    /// For the journals.
    news: News,
}

/// One view.
struct View {
    key: ViewKey,
    buffer: BufferKey,
    /// At the newest revision, always.
    carets: Carets,
    /// What the client was told last.
    told: Carets,
    /// How often its cursors were moved: typing after that is another run.
    moves: u64,
    wrap: Option<usize>,
    metrics: Metrics,
    folds: Vec<Folded>,
}

impl View {
    fn layout(&self, text: &Text, tab_width: usize) -> Layout<'_> {
        Layout {
            wrap: self.wrap,
            metrics: &self.metrics,
            tab_width,
            hidden: Hidden::new(text, &self.folds),
        }
    }

    /// Sets the selections; folds that would hide a cursor are opened. Whether
    /// anything is other than it was.
    fn place(&mut self, carets: &Carets, text: &Text) -> bool {
        let (carets, folds) = (carets.snapped(text), self.folds.len());
        let is_other = self.carets != carets;
        self.carets = carets;
        if !self.folds.is_empty() {
            let heads: Vec<usize> = self.carets.iter().map(|c| text.line_of(c.head)).collect();
            self.folds.retain(|fold| {
                let (first, last) = fold.lines(text);
                !heads.iter().any(|line| first < *line && *line <= last)
            });
        }
        is_other || self.folds.len() != folds
    }

    /// Moves selections and folds over changes that led to `text`.
    fn follow(&mut self, changes: &Changes, text: &Text) {
        self.carets = self.carets.moved_by(changes).snapped(text);
        let folds = self.folds.iter();
        self.folds = folds.filter_map(|f| f.moved_by(changes, text)).collect();
    }
}

impl Views {
    fn find(&mut self, key: ViewKey) -> Result<&mut View, EditorError> {
        let mut list = self.list.iter_mut();
        list.find(|view| view.key == key)
            .ok_or(EditorError::NoView(key))
    }

    /// Moves the selections of a buffer's views over edits that led to `text`.
    pub(super) fn follow(&mut self, buffer: BufferKey, text: &Text, edits: &[Replace]) {
        let changes = Changes::of_edits(edits);
        for view in self.list.iter_mut().filter(|view| view.buffer == buffer) {
            view.follow(&changes, text);
        }
    }
}

impl Editor {
    /// Opens a view of a buffer.
    ///
    /// # Errors
    /// [`EditorError::NoBuffer`]; [`EditorError::TooMany`] views.
    pub fn open_view(&mut self, request: &OpenView) -> Result<ViewState, EditorError> {
        self.find(request.buffer)?;
        let count = self.views.list.len() + 1;
        if count > MAX_VIEWS {
            return Err(EditorError::TooMany {
                what: "views",
                count,
                limit: MAX_VIEWS,
            });
        }
        let key = Uuid::new_v4();
        self.views.list.push(View {
            key,
            buffer: request.buffer,
            carets: Carets::default(),
            told: Carets::default(),
            moves: 0,
            wrap: None,
            metrics: Metrics::default(),
            folds: Vec::new(),
        });
        self.views.news.placed(request.buffer, key);
        self.state_of(key)
    }

    /// Closes a view.
    ///
    /// # Errors
    /// [`EditorError::NoView`].
    pub fn close_view(&mut self, request: &CloseView) -> Result<Empty, EditorError> {
        let view = request.view;
        let buffer = self.views.find(view)?.buffer;
        self.views.list.retain(|v| v.key != view);
        self.views.news.closed(buffer, view);
        self.events.push(XiEvent::ViewClosed { buffer, view });
        Ok(Empty {})
    }

    /// Forgets a buffer's views.
    pub(super) fn close_views(&mut self, buffer: BufferKey) {
        let closed = self.views.list.iter().filter(|v| v.buffer == buffer);
        self.events.extend(closed.map(|v| XiEvent::ViewClosed {
            buffer,
            view: v.key,
        }));
        self.views.list.retain(|v| v.buffer != buffer);
        self.views.chosen.remove(&buffer);
        self.views.marks.remove(&buffer);
    }

    /// A view's selections.
    ///
    /// # Errors
    /// [`EditorError::NoView`].
    pub fn selections(&mut self, request: &Selections) -> Result<ViewState, EditorError> {
        self.state_of(request.view)
    }

    /// Sets a view's selections.
    ///
    /// # Errors
    /// A position outside of the text, an old revision, no selection or too many.
    pub fn select(&mut self, request: &Select) -> Result<ViewState, EditorError> {
        let count = request.selections.len();
        if count == 0 {
            return Err(EditorError::NoSelection);
        }
        if count > MAX_CARETS {
            return Err(EditorError::TooMany {
                what: "selections",
                count,
                limit: MAX_CARETS,
            });
        }
        let (open, view) = self.scene_of(request.view)?;
        let base = request.base.unwrap_or(open.buffer.revision());
        let (text, changes) = open.buffer.changes_from(base)?;
        for selection in &request.selections {
            let caret = Caret::from(*selection);
            text.check(caret.start(), caret.end())?;
        }
        let list = request.selections.iter().map(|s| Caret::from(*s)).collect();
        let carets = Carets::new(list, request.primary).moved_by(&changes);
        view.place(&carets, open.buffer.text());
        view.moves += 1;
        let buffer = view.buffer;
        self.views.news.placed(buffer, request.view);
        self.tell_selections(buffer);
        self.state_of(request.view)
    }

    /// Does a command at all selections of a view.
    ///
    /// # Errors
    /// [`EditorError::NoView`]; [`EditorError::TooMuch`] text.
    pub fn command(&mut self, request: &RunCommand) -> Result<Commanded, EditorError> {
        let settings = self.settings_of(request.view)?;
        let (open, view) = self.scene_of(request.view)?;
        limit_input(&request.command, view.carets.count())?;
        let rows = view.layout(open.buffer.text(), settings.tab_width);
        let scene = Scene {
            text: open.buffer.text(),
            carets: &view.carets,
            settings: &settings,
            rows: &rows,
        };
        let outcome = commands::run(&scene, &request.command);
        let texts = outcome.edits.iter().map(|e| &e.text);
        let bytes: usize = texts.chain(&outcome.clipboard).map(String::len).sum();
        if bytes > MAX_COMMAND_BYTES {
            return Err(EditorError::TooMuch { len: bytes });
        }
        let buffer = view.buffer;
        let (before, state) = (view.carets.clone(), open.buffer.state());
        let moves = view.moves;
        let applied = match typed(view, &request.command) {
            Some(run) => open
                .buffer
                .edit_in_run(outcome.edits, run, &request.origin)?,
            None => {
                let merge = OnOverlap::Merge;
                open.buffer
                    .edit(None, outcome.edits, merge, &request.origin)?
            }
        };
        let author = match request.origin.author.as_str() {
            "" => USER,
            author => author,
        };
        self.follow_change(buffer, &applied, author);
        let (open, view) = self.scene_of(request.view)?;
        let placed = view.place(&outcome.carets, open.buffer.text()) || view.moves != moves;
        let commanded = Commanded {
            revision: applied.revision,
            changed: applied.changed,
            edits: applied.edits,
            selections: view.carets.iter().map(Selection::from).collect(),
            primary: view.carets.primary_index(),
            clipboard: outcome.clipboard,
        };
        if placed {
            self.views.news.placed(buffer, request.view);
        }
        if applied.changed {
            self.mark(request.view, (before, state))?;
        }
        self.tell_selections(buffer);
        Ok(commanded)
    }

    /// The held undo groups of a buffer.
    ///
    /// # Errors
    /// [`EditorError::NoBuffer`].
    pub fn undo_tree(&mut self, request: &UndoTree) -> Result<UndoNodes, EditorError> {
        let nodes = self.find(request.buffer)?.buffer.undo_tree();
        Ok(UndoNodes { nodes })
    }

    /// Brings back the text after an undo group.
    ///
    /// # Errors
    /// [`EditorError::NoBuffer`]; the group is not held.
    pub fn undo_to(&mut self, request: &UndoTo) -> Result<Applied, EditorError> {
        self.step(request.buffer, |buffer| buffer.undo_to(request.node))
    }

    /// Goes to another undo group, with the selections that were there.
    pub(super) fn step(
        &mut self,
        key: BufferKey,
        how: impl FnOnce(&mut Buffer) -> Result<Applied, EditError>,
    ) -> Result<Applied, EditorError> {
        let buffer = &mut self.find(key)?.buffer;
        let from = buffer.node();
        let applied = how(buffer)?;
        let (to, state) = (buffer.node(), buffer.state());
        let (author, undone) = (USER, true);
        self.follow_change(key, &applied, By { author, undone });
        let marks = self.views.marks.get(&key);
        if let Some((view, carets)) = marks.and_then(|m| m.at(from, to, state))
            && let Ok(view) = self.views.find(view)
        {
            let open = self.buffers.iter().find(|open| open.key == key);
            if let Some(open) = open {
                view.place(&carets, open.buffer.text());
                let view = view.key;
                self.views.news.placed(key, view);
            }
        }
        self.tell_selections(key);
        Ok(applied)
    }

    /// Remembers where a view's selections were and are, for undo and redo.
    fn mark(&mut self, key: ViewKey, before: (Carets, u64)) -> Result<(), EditorError> {
        let (open, view) = self.scene_of(key)?;
        let buffer = &open.buffer;
        let after = (view.carets.clone(), buffer.state());
        let (node, of) = (buffer.node(), view.buffer);
        self.views.news.marked(of, key, node);
        let marks = self.views.marks.entry(of).or_default();
        if marks.add(node, key, before, after) {
            let held = self.find(of)?.buffer.undo_tree();
            let marks = self.views.marks.entry(of).or_default();
            marks.keep(&held.iter().map(|node| node.node).collect());
        }
        Ok(())
    }

    /// Tells where selections of a buffer's views are, where that changed.
    pub(super) fn tell_selections(&mut self, key: BufferKey) {
        let Some(open) = self.buffers.iter().find(|open| open.key == key) else {
            return;
        };
        let revision = open.buffer.revision();
        for view in self.views.list.iter_mut().filter(|v| v.buffer == key) {
            if !view.carets.same_places(&view.told) {
                view.told = view.carets.clone();
                self.events.push(XiEvent::SelectionChanged {
                    buffer: key,
                    view: view.key,
                    revision,
                    selections: view.carets.iter().map(Selection::from).collect(),
                    primary: view.carets.primary_index(),
                });
            }
        }
    }

    /// A view with its buffer.
    fn scene_of(&mut self, key: ViewKey) -> Result<(&mut OpenBuffer, &mut View), EditorError> {
        let view = self.views.find(key)?;
        let mut buffers = self.buffers.iter_mut();
        let open = buffers
            .find(|open| open.key == view.buffer)
            .ok_or(EditorError::NoBuffer(view.buffer))?;
        Ok((open, view))
    }

    pub(super) fn state_of(&mut self, key: ViewKey) -> Result<ViewState, EditorError> {
        let (open, view) = self.scene_of(key)?;
        Ok(ViewState {
            view: key,
            buffer: open.key,
            revision: open.buffer.revision(),
            selections: view.carets.iter().map(Selection::from).collect(),
            primary: view.carets.primary_index(),
        })
    }
}

/// The run of typing that a command belongs to; other commands begin another.
fn typed(view: &mut View, command: &Command) -> Option<Run> {
    let deletes = match command {
        Command::Insert { .. } | Command::InsertNewline => false,
        Command::Delete { .. } => true,
        Command::Copy => return None,
        _ => {
            view.moves += 1;
            return None;
        }
    };
    Some(Run {
        view: view.key.as_u128(),
        moves: view.moves,
        deletes,
    })
}

/// Refuses a text that becomes too much at so many cursors.
fn limit_input(command: &Command, cursors: usize) -> Result<(), EditorError> {
    let len = match command {
        Command::Insert { text } => text.len(),
        Command::Paste { texts } if texts.len() == cursors => return Ok(()),
        Command::Paste { texts } => texts.iter().map(|text| text.len() + 2).sum(),
        _ => return Ok(()),
    };
    let len = len.saturating_mul(cursors);
    if len > MAX_COMMAND_BYTES {
        return Err(EditorError::TooMuch { len });
    }
    Ok(())
}
