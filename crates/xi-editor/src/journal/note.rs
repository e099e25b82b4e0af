//! What stands beside a text, as a journal keeps it: views, conflicts, settings.

use crate::commands::{Caret, Carets};
use crate::engine::Text;
use serde::{Deserialize, Serialize};
use symphony_ipc_protocol::xi::{Span, ViewKey};

/// Something that stands beside a buffer's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Note {
    /// A view as it is now; edits after this move it.
    View(ViewNote),
    /// It was closed.
    ViewClosed(ViewKey),
    /// The newest edit was made in that view: undo brings its selections back.
    Marked(ViewKey),
    /// The same of an edit that came earlier.
    Place(PlaceNote),
    /// Where the buffer and its file disagree; edits after this move it.
    Conflicts(ConflictsNote),
    /// How the buffer is edited, in JSON.
    Chosen(String),
}

/// A view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ViewNote {
    pub key: ViewKey,
    pub carets: CaretsNote,
    /// How often its cursors were moved.
    pub moves: u64,
    pub wrap: Option<u64>,
    /// Widths that the client measured, in JSON as in the protocol.
    pub widths: Option<String>,
    /// First and last byte of what is folded away.
    pub folds: Vec<(u64, u64)>,
}

/// Selections.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CaretsNote {
    /// Anchor, head, the column that moving up and down aims at.
    list: Vec<(u64, u64, Option<u64>)>,
    primary: u64,
}

/// Selections of a view before and after an undo group, each with the state of the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlaceNote {
    pub node: u64,
    pub view: ViewKey,
    pub before: (CaretsNote, u64),
    pub after: (CaretsNote, u64),
}

/// Both sides of a conflict: in the buffer's text, in the file's.
pub(crate) type Sides = ((u64, u64), (u64, u64));

/// Conflicts with the file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ConflictsNote {
    pub list: Vec<Sides>,
    /// At states of the text that undo and redo lead to.
    pub remembered: Vec<(u64, Vec<Sides>)>,
}

/// An offset as it is kept.
pub(crate) fn number(offset: usize) -> u64 {
    offset as u64
}

/// A kept offset, in a text of that length.
pub(crate) fn offset(kept: u64, len: usize) -> usize {
    usize::try_from(kept).map_or(len, |offset| offset.min(len))
}

/// A span as it is kept.
pub(crate) fn ends(span: Span) -> (u64, u64) {
    (number(span.start), number(span.end))
}

/// A kept span, on borders of the text.
pub(crate) fn span(kept: (u64, u64), text: &Text) -> Span {
    let border = |kept| {
        let at = offset(kept, text.len());
        (0..=at).rev().find(|at| text.is_border(*at)).unwrap_or(0)
    };
    let start = border(kept.0);
    let end = border(kept.1).max(start);
    Span { start, end }
}

impl From<&Carets> for CaretsNote {
    fn from(carets: &Carets) -> Self {
        let caret = |c: &Caret| (number(c.anchor), number(c.head), c.goal.map(number));
        Self {
            list: carets.iter().map(caret).collect(),
            primary: number(carets.primary_index()),
        }
    }
}

impl CaretsNote {
    /// The selections, wherever the text may end by now.
    pub(crate) fn carets(&self) -> Carets {
        let list = self.list.iter().map(|(anchor, head, goal)| Caret {
            anchor: offset(*anchor, usize::MAX),
            head: offset(*head, usize::MAX),
            goal: goal.map(|goal| offset(goal, usize::MAX)),
        });
        Carets::new(list.collect(), offset(self.primary, usize::MAX))
    }

    /// The selections in that text.
    pub(crate) fn carets_in(&self, text: &Text) -> Carets {
        let within = self.carets().map(|caret| Caret {
            anchor: caret.anchor.min(text.len()),
            head: caret.head.min(text.len()),
            goal: caret.goal,
        });
        within.snapped(text)
    }
}
