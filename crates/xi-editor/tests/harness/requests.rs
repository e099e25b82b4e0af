//! Valid and nearly valid requests to an editor, beside a model that replays its events.

mod choose;
mod follow;

use super::replaced;
use super::source::{Source, fit};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use symphony_ipc_protocol::xi::{
    Apply, BufferKey, Close, CloseView, Conflicts, Content, Delete, FileChanged, Folds, Insert,
    LocateLine, OnOverlap, Open, OpenView, Redo, Resolve, RunCommand, Save, Select, Selections,
    SetEncoding, SetLineEnding, Span, Undo, UndoTo, UndoTree, ViewKey,
};
use xi_editor::editor::{Editor, EditorError};
use xi_editor::search::{Pattern, Scan, SubstituteError, substitute};

/// So many operations at most.
const OPERATIONS: usize = 120;
/// So many of them with files: they are slow.
const FILE_OPERATIONS: usize = 4;
/// Texts grow no longer.
const MAX_LEN: usize = 4 * 1024;
const MAX_BUFFERS: usize = 2;
const MAX_VIEWS: usize = 4;

struct Model {
    key: BufferKey,
    /// The text of every revision.
    texts: Vec<String>,
}

impl Model {
    fn text(&self) -> &str {
        self.texts.last().unwrap()
    }

    fn revision(&self) -> u64 {
        self.texts.len() as u64 - 1
    }
}

struct Play {
    editor: Editor,
    /// In the order they were opened, as the views: keys are random.
    buffers: Vec<Model>,
    views: Vec<(ViewKey, BufferKey)>,
    folder: Option<tempfile::TempDir>,
    file_operations: usize,
}

pub fn run(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let mut play = Play {
        editor: Editor::default(),
        buffers: Vec::new(),
        views: Vec::new(),
        folder: None,
        file_operations: 0,
    };
    for _ in 0..OPERATIONS {
        if source.is_empty() {
            break;
        }
        play.step(&mut source);
        play.replay();
        play.compare();
    }
}

impl Play {
    fn step(&mut self, source: &mut Source<'_>) {
        let keys: Vec<_> = self.buffers.iter().map(|model| model.key).collect();
        if keys.is_empty() || (keys.len() < MAX_BUFFERS && source.byte().is_multiple_of(16)) {
            self.open(source);
            return;
        }
        let buffer = keys[source.below(keys.len())];
        let views: Vec<_> = self.views.iter().map(|(view, _)| *view).collect();
        if views.is_empty() || (views.len() < MAX_VIEWS && source.byte().is_multiple_of(16)) {
            let state = self.editor.open_view(&OpenView { buffer }).unwrap();
            self.views.push((state.view, buffer));
            return;
        }
        let view = views[source.below(views.len())];
        if self.model(buffer).text().len() > MAX_LEN {
            let changed = self.editor.undo(&Undo { buffer }).unwrap().changed;
            if !changed {
                self.close(buffer);
            }
            return;
        }
        match source.byte() % 20 {
            0..=4 => self.command(view, source),
            5 => self.select(view, source),
            6 => self.layout(view, source),
            7 | 8 => self.apply(buffer, source),
            9 => self.undo_to(buffer, source),
            10 => {
                let _ = self.editor.undo(&Undo { buffer }).unwrap();
            }
            11 => {
                let _ = self.editor.redo(&Redo { buffer }).unwrap();
            }
            12 => self.search(buffer, source),
            13 => self.form(buffer, source),
            14 => self.read(buffer, source),
            15 | 16 => self.file(buffer, source),
            17 => self.conflicts(buffer, source),
            18 => {
                let request = choose::configure(buffer, source);
                let _ = self.editor.configure(&request);
            }
            _ => self.leave(buffer, view, source),
        }
    }

    fn open(&mut self, source: &mut Source<'_>) {
        let text = source.text(24);
        let mut request = Open {
            path: None,
            text: Some(text.clone()),
        };
        if source.byte().is_multiple_of(4) && self.may_use_files() {
            let path = self.path("file.rs");
            let is_open = self.editor.list().buffers.iter().any(|b| b.path.is_some());
            if !is_open {
                fs::write(&path, &text).unwrap();
                request = Open {
                    path: Some(path),
                    text: None,
                };
            }
        }
        match self.editor.open(request) {
            Ok(info) => {
                let text = self.editor.content(&whole(info.buffer)).unwrap().text;
                assert_eq!((info.revision, info.len), (0, text.len()));
                self.buffers.push(Model {
                    key: info.buffer,
                    texts: vec![text],
                });
            }
            // What looks like no text is refused.
            Err(EditorError::File(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn may_use_files(&mut self) -> bool {
        self.file_operations += 1;
        self.file_operations <= FILE_OPERATIONS
    }

    fn path(&mut self, name: &str) -> PathBuf {
        let folder = self
            .folder
            .get_or_insert_with(|| tempfile::tempdir().unwrap());
        folder.path().join(name)
    }

    fn command(&mut self, view: ViewKey, source: &mut Source<'_>) {
        let request = RunCommand {
            view,
            command: choose::command(source),
            origin: source.origin(),
        };
        let buffer = self.buffer_of(view);
        let before = self.model(buffer).text().to_owned();
        let done = self.editor.command(&request).unwrap();
        assert_eq!(done.changed, !done.edits.is_empty());
        if done.changed {
            self.replay();
            let after = self.model(buffer).text().to_owned();
            assert_eq!(after, replaced(&before, &done.edits));
            let state = self.editor.selections(&Selections { view }).unwrap();
            let undone = self.editor.undo(&Undo { buffer }).unwrap();
            self.replay();
            if !undone.changed {
                // Its group takes back what it did itself.
                let (_, before) = self.model(buffer).texts.split_last().unwrap();
                assert!(before.contains(&after));
            }
            let redone = self.editor.redo(&Redo { buffer }).unwrap();
            self.replay();
            assert_eq!(redone.changed, undone.changed);
            assert_eq!(self.model(buffer).text(), after);
            let again = self.editor.selections(&Selections { view }).unwrap();
            assert_eq!(again.selections, state.selections, "redo of {request:?}");
        }
    }

    fn select(&mut self, view: ViewKey, source: &mut Source<'_>) {
        let model = self.shown(view);
        let base = model.revision() - source.below(model.texts.len()) as u64;
        let text = model.texts[usize::try_from(base).unwrap()].clone();
        let request = Select {
            view,
            selections: choose::selections(&text, source),
            primary: source.below(5),
            base: Some(base),
        };
        let fits = |at: usize| text.is_char_boundary(at);
        let good = request
            .selections
            .iter()
            .all(|s| fits(s.anchor) && fits(s.head));
        let outcome = self.editor.select(&request);
        let expected = good && !request.selections.is_empty();
        assert_eq!(outcome.is_ok(), expected, "{outcome:?}");
    }

    fn layout(&mut self, view: ViewKey, source: &mut Source<'_>) {
        let lines = 2 + self.shown(view).text().matches('\n').count();
        match source.byte() % 5 {
            0 => {
                let _ = self.editor.set_metrics(choose::metrics(view, source));
            }
            1 => {
                let _ = self.editor.fold(&choose::fold(view, lines, source));
            }
            2 => {
                let _ = self.editor.unfold(&choose::unfold(view, lines, source));
            }
            3 => {
                let (first, count) = (source.below(lines + 1), source.below(lines + 1));
                let folds = self.editor.folds(&Folds { view, first, count });
                for fold in folds.map_or(Vec::new(), |state| state.folded) {
                    assert!(1 <= fold.first && fold.first < fold.last && fold.last < lines);
                }
            }
            _ => self.rows(view, lines, source),
        }
    }

    /// Rows follow each other to the end.
    fn rows(&mut self, view: ViewKey, lines: usize, source: &mut Source<'_>) {
        let text = self.shown(view).text().to_owned();
        let request = choose::lines(view, lines, &text, source);
        let Ok(rows) = self.editor.rows(&request) else {
            return;
        };
        assert_eq!(rows.lines, lines - 1);
        assert!(rows.rows.len() <= request.count);
        let mut end = 0;
        for row in &rows.rows {
            assert!(end <= row.start && text.get(row.start..row.end).is_some());
            assert!(!text[row.start..row.end].contains('\n'), "{row:?}");
            end = row.end;
        }
        if let Some(next) = rows.next {
            assert!(end <= next && text.is_char_boundary(next));
        }
    }

    fn apply(&mut self, buffer: BufferKey, source: &mut Source<'_>) {
        let model = self.model(buffer);
        let base = model.revision() - source.below(model.texts.len()) as u64;
        let text = model.texts[usize::try_from(base).unwrap()].clone();
        let edits = source.edits(&text);
        let (origin, on_overlap) = (source.origin(), source.policy());
        let outcome = match source.byte() % 3 {
            0 => self.editor.insert(Insert {
                buffer,
                at: source.offset(&text),
                text: source.text(3),
                base: Some(base),
                origin,
            }),
            1 => self.editor.delete(&Delete {
                buffer,
                range: Span {
                    start: source.offset(&text),
                    end: source.offset(&text),
                },
                base: Some(base),
                origin,
            }),
            _ => {
                let fits = fit(&text, &edits);
                let request = Apply {
                    buffer,
                    base,
                    edits,
                    on_overlap,
                    origin,
                };
                let outcome = self.editor.apply(request);
                assert!(fits || outcome.is_err());
                assert!(!fits || on_overlap != OnOverlap::Merge || outcome.is_ok());
                outcome
            }
        };
        if let Ok(applied) = outcome {
            self.took(buffer, &applied);
        }
    }

    fn undo_to(&mut self, buffer: BufferKey, source: &mut Source<'_>) {
        let nodes = self.editor.undo_tree(&UndoTree { buffer }).unwrap().nodes;
        let node = match source.byte() % 16 {
            15 => u64::MAX,
            n => nodes[usize::from(n) % nodes.len()].node,
        };
        let outcome = self.editor.undo_to(&UndoTo { buffer, node });
        assert_eq!(outcome.is_ok(), node != u64::MAX);
        if let Ok(applied) = outcome {
            self.took(buffer, &applied);
        }
    }

    /// Finds, and replaces what was found, as the companion does.
    fn search(&mut self, buffer: BufferKey, source: &mut Source<'_>) {
        let request = choose::replace(buffer, source);
        let Ok(pattern) = Pattern::new(&request.query) else {
            return;
        };
        let snapshot = self.editor.snapshot(buffer, None).unwrap();
        let all = Span {
            start: 0,
            end: snapshot.text.len(),
        };
        let never = || false;
        let time = Duration::from_secs(5);
        let scan = Scan::new(&pattern, &snapshot.text, vec![all], time, &never);
        let count = scan.count().unwrap();
        let edits = match substitute(&scan, &request, 1_000) {
            Ok(edits) => edits,
            Err(SubstituteError::TooMany { .. }) => return,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(edits.len(), count);
        let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
        if added > MAX_LEN {
            return;
        }
        let apply = Apply {
            buffer,
            base: snapshot.revision,
            edits,
            on_overlap: OnOverlap::Refuse,
            origin: request.origin,
        };
        let applied = self.editor.apply(apply).unwrap();
        self.took(buffer, &applied);
    }

    fn form(&mut self, buffer: BufferKey, source: &mut Source<'_>) {
        if source.flag() {
            let encoding = choose::encoding(source);
            let info = self.editor.set_encoding(&SetEncoding { buffer, encoding });
            assert_eq!(info.unwrap().encoding, encoding);
            return;
        }
        let request = SetLineEnding {
            buffer,
            line_ending: choose::line_ending(source),
            origin: source.origin(),
        };
        if let Ok(applied) = self.editor.set_line_ending(&request) {
            self.took(buffer, &applied);
        }
    }

    fn read(&mut self, buffer: BufferKey, source: &mut Source<'_>) {
        let text = self.model(buffer).text().to_owned();
        let range = Span {
            start: source.offset(&text),
            end: source.offset(&text),
        };
        let range_text = text.get(range.start..range.end);
        let request = Content {
            buffer,
            range: Some(range),
        };
        let answer = self.editor.content(&request);
        assert_eq!(answer.ok().map(|a| a.text).as_deref(), range_text);
        let line = source.below(8);
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        let starts: Vec<_> = starts.collect();
        let found = self.editor.locate_line(&LocateLine { buffer, line });
        assert_eq!(found.unwrap().offset, starts[line.min(starts.len() - 1)]);
    }

    fn file(&mut self, buffer: BufferKey, source: &mut Source<'_>) {
        if !self.may_use_files() {
            return;
        }
        let path = self.path("file.rs");
        match source.byte() % 4 {
            0 => {
                let other = self.path("new/other.txt");
                let request = choose::save(buffer, other, source);
                let _ = self.editor.save(&request);
            }
            1 => {
                let request = Save {
                    path: None,
                    ..choose::save(buffer, path, source)
                };
                let _ = self.editor.save(&request);
            }
            2 if source.byte().is_multiple_of(8) => {
                let _ = fs::remove_file(path);
                let _ = self.editor.file_changed(&FileChanged { buffer });
            }
            _ => {
                // Another program changes the file a little, or writes anything.
                let was = fs::read_to_string(&path).unwrap_or_default();
                let edits = source.edits(&was);
                let now = match fit(&was, &edits) {
                    true => replaced(&was, &edits),
                    false => source.text(24),
                };
                fs::write(path, now).unwrap();
                let _ = self.editor.file_changed(&FileChanged { buffer });
            }
        }
    }

    fn conflicts(&mut self, buffer: BufferKey, source: &mut Source<'_>) {
        let list = self.editor.conflicts(&Conflicts { buffer }).unwrap();
        let known = list.conflicts.len();
        let index = source.below(known + 1);
        let request = Resolve {
            buffer,
            index,
            take: choose::take(source),
            revision: None,
            origin: source.origin(),
        };
        let outcome = self.editor.resolve(&request);
        assert_eq!(outcome.is_ok(), index < known, "{outcome:?}");
        if let Ok(resolved) = outcome {
            assert_eq!(resolved.remaining.len(), known - 1);
        }
    }

    fn leave(&mut self, buffer: BufferKey, view: ViewKey, source: &mut Source<'_>) {
        match source.byte() % 8 {
            0 => self.close(buffer),
            1 => {
                self.editor.close_view(&CloseView { view }).unwrap();
            }
            _ => self.editor.tidy(),
        }
    }

    fn close(&mut self, buffer: BufferKey) {
        let discard = true;
        self.editor.close(&Close { buffer, discard }).unwrap();
    }
}

fn whole(buffer: BufferKey) -> Content {
    Content {
        buffer,
        range: None,
    }
}
