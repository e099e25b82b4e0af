//! Views and settings as a journal keeps them.

use super::marks::Mark;
use super::settings::Chosen;
use super::{View, Views};
use crate::commands::Carets;
use crate::engine::{Buffer, Changes, Text};
use crate::journal::{CaretsNote, Note, PlaceNote, ViewNote, number, offset};
use crate::layout::{Folded, Metrics};
use symphony_ipc_protocol::xi::{BufferKey, Replace, ViewKey};

/// What happened to views otherwise than by edits, and is not in a journal yet.
#[derive(Default)]
pub(super) struct News(Vec<(BufferKey, Happened)>);

enum Happened {
    /// A view was opened, or is not where edits moved it.
    Placed(ViewKey),
    Closed(ViewKey),
    /// An edit was made in the view: its selections before and after are known.
    Marked(ViewKey, u64),
    /// How the buffer is edited.
    Chosen,
}

impl News {
    pub(super) fn placed(&mut self, buffer: BufferKey, view: ViewKey) {
        let is_it = |(_, h): &(_, Happened)| matches!(h, Happened::Placed(v) if *v == view);
        if !self.0.iter().any(is_it) {
            self.0.push((buffer, Happened::Placed(view)));
        }
    }

    pub(super) fn closed(&mut self, buffer: BufferKey, view: ViewKey) {
        self.0.push((buffer, Happened::Closed(view)));
    }

    pub(super) fn marked(&mut self, buffer: BufferKey, view: ViewKey, node: u64) {
        self.0.push((buffer, Happened::Marked(view, node)));
    }

    pub(super) fn chosen(&mut self, buffer: BufferKey) {
        self.0.push((buffer, Happened::Chosen));
    }
}

impl Views {
    /// What happened to the views of a buffer; `edits` is how often it was edited meanwhile.
    pub(in crate::editor) fn take_notes(&mut self, buffer: BufferKey, edits: usize) -> Vec<Note> {
        if !self.news.0.iter().any(|(of, _)| *of == buffer) {
            return Vec::new();
        }
        let (ours, others) = std::mem::take(&mut self.news.0)
            .into_iter()
            .partition(|(of, _)| *of == buffer);
        self.news.0 = others;
        let ours: Vec<(BufferKey, Happened)> = ours;
        let mut notes = Vec::with_capacity(ours.len());
        let mut marks = Vec::new();
        for (_, happened) in &ours {
            match happened {
                Happened::Placed(key) => {
                    let view = self.list.iter().find(|view| view.key == *key);
                    notes.extend(view.map(|view| Note::View(view.note())));
                }
                Happened::Closed(key) => notes.push(Note::ViewClosed(*key)),
                // With its selections as they are after all of this.
                Happened::Marked(key, node) => marks.push((*key, *node)),
                Happened::Chosen => {
                    let chosen = self.chosen.get(&buffer);
                    notes.extend(chosen.and_then(Chosen::note).map(Note::Chosen));
                }
            }
        }
        for (view, node) in marks {
            if edits == 1 {
                notes.push(Note::Marked(view));
            } else if let Some(marks) = self.marks.get(&buffer) {
                notes.extend(marks.get(node).map(|mark| place_note(node, mark)));
            }
        }
        notes
    }

    /// Forgets what happened: nobody keeps it.
    pub(in crate::editor) fn forget_notes(&mut self) {
        self.news.0.clear();
    }

    /// All of a buffer's views and settings.
    pub(in crate::editor) fn all_notes(&self, buffer: BufferKey) -> Vec<Note> {
        let views = self.list.iter().filter(|view| view.buffer == buffer);
        let views = views.map(|view| Note::View(view.note()));
        let chosen = self.chosen.get(&buffer).and_then(Chosen::note);
        let marks = self.marks.get(&buffer);
        let places = marks.into_iter().flat_map(|marks| marks.iter());
        let places = places.map(|(node, mark)| place_note(node, mark));
        views
            .chain(chosen.map(Note::Chosen))
            .chain(places)
            .collect()
    }

    /// Takes the views of a buffer that is back.
    pub(in crate::editor) fn adopt(&mut self, buffer: BufferKey, shown: Shown) -> Vec<ViewKey> {
        let keys = shown.views.iter().map(|view| view.key).collect();
        let known = |view: &View| self.list.iter().any(|other| other.key == view.key);
        let views: Vec<View> = shown.views.into_iter().filter(|v| !known(v)).collect();
        self.list.extend(views.into_iter().map(|view| View {
            buffer,
            told: view.carets.clone(),
            ..view
        }));
        self.marks.insert(buffer, shown.marks);
        self.chosen.insert(buffer, shown.chosen);
        keys
    }
}

fn place_note(node: u64, mark: &Mark) -> Note {
    let place = |place: &(Carets, u64)| (CaretsNote::from(&place.0), place.1);
    Note::Place(PlaceNote {
        node,
        view: mark.view,
        before: place(&mark.before),
        after: place(&mark.after),
    })
}

impl View {
    fn note(&self) -> ViewNote {
        let fold = |fold: &Folded| {
            let (start, end) = fold.range();
            (number(start), number(end))
        };
        ViewNote {
            key: self.key,
            carets: CaretsNote::from(&self.carets),
            moves: self.moves,
            wrap: self.wrap.map(number),
            widths: match &self.metrics {
                Metrics::Columns => None,
                Metrics::Measured(widths) => serde_json::to_string(widths).ok(),
            },
            folds: self.folds.iter().map(fold).collect(),
        }
    }

    /// The view of a note, in that text; of no buffer yet.
    fn of(note: &ViewNote, text: &Text) -> Self {
        let widths = note.widths.as_deref();
        let widths = widths.and_then(|json| serde_json::from_str(json).ok());
        let fold = |(start, end): &(u64, u64)| {
            let (start, end) = (offset(*start, text.len()), offset(*end, text.len()));
            Folded::new(text, text.line_of(start), text.line_of(end))
        };
        let carets = note.carets.carets_in(text);
        Self {
            key: note.key,
            buffer: BufferKey::nil(),
            told: carets.clone(),
            carets,
            moves: note.moves,
            wrap: note.wrap.map(|wrap| offset(wrap, usize::MAX)),
            metrics: widths.and_then(Metrics::measured).unwrap_or_default(),
            folds: note.folds.iter().filter_map(fold).collect(),
        }
    }
}

/// The views of a buffer whose changes are made again.
#[derive(Default)]
pub(in crate::editor) struct Shown {
    views: Vec<View>,
    marks: super::Marks,
    chosen: Chosen,
    /// State of the text and selections before the newest change.
    before: (u64, Vec<(ViewKey, Carets)>),
}

impl Shown {
    pub(in crate::editor) fn before(&mut self, now: &Buffer) {
        let carets = self
            .views
            .iter()
            .map(|view| (view.key, view.carets.clone()));
        self.before = (now.state(), carets.collect());
    }

    pub(in crate::editor) fn changed(&mut self, edits: &[Replace], now: &Buffer) {
        if !self.views.is_empty() {
            let changes = Changes::of_edits(edits);
            for view in &mut self.views {
                view.follow(&changes, now.text());
            }
        }
    }

    pub(in crate::editor) fn note(&mut self, note: Note, now: &Buffer) {
        match note {
            Note::View(note) => {
                let view = View::of(&note, now.text());
                match self.views.iter_mut().find(|known| known.key == view.key) {
                    Some(known) => *known = view,
                    None => self.views.push(view),
                }
            }
            Note::ViewClosed(key) => self.views.retain(|view| view.key != key),
            Note::Marked(key) => self.mark(key, now),
            Note::Place(place) => {
                let at = |(carets, state): &(CaretsNote, u64)| (carets.carets(), *state);
                let (before, after) = (at(&place.before), at(&place.after));
                self.marks.add(place.node, place.view, before, after);
            }
            Note::Chosen(json) => {
                if let Some(chosen) = Chosen::of(&json) {
                    self.chosen = chosen;
                }
            }
            Note::Conflicts(_) => {}
        }
    }

    fn mark(&mut self, key: ViewKey, now: &Buffer) {
        let before = self.before.1.iter().find(|(of, _)| *of == key);
        let after = self.views.iter().find(|view| view.key == key);
        if let (Some((_, before)), Some(after)) = (before, after) {
            let before = (before.clone(), self.before.0);
            let after = (after.carets.clone(), now.state());
            if self.marks.add(now.node(), key, before, after) {
                let held = now.undo_tree();
                self.marks
                    .keep(&held.iter().map(|node| node.node).collect());
            }
        }
    }
}
