//! Editing commands: text and selections in, edits and selections out.
//!
//! Nothing here does I/O or remembers anything. [`run`] looks at a [`Scene`]
//! and says what is to be edited and where the selections are then;
//! [`crate::editor`] joins it to the buffers.

mod brackets;
mod cases;
mod columns;
mod comments;
mod insert;
mod language;
mod lines;
mod motion;
mod newline;
mod occurrences;
mod pairs;
mod remove;
mod selection;
mod settings;
mod words;

pub(crate) use columns::cluster_width;
pub use columns::{column_of, offset_at};
pub use language::{Language, PLAIN, language_of};
pub use selection::{Caret, Carets};
pub use settings::{Settings, detect_indent};

use crate::engine::{Changes, Text};
use symphony_ipc_protocol::xi::{Command, Replace};

/// A view has so many selections at most.
pub const MAX_CARETS: usize = 10_000;

/// What a command sees.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The newest text.
    pub text: &'a Text,
    /// The view's selections.
    pub carets: &'a Carets,
    /// How the buffer is edited.
    pub settings: &'a Settings,
    /// How the view shows it.
    pub rows: &'a dyn Rows,
}

/// Where cursors go up and down: the view's rows.
pub trait Rows {
    /// The place `count` rows below an offset (above where negative), nearest to
    /// the goal; with the goal, which is the column of the offset when absent.
    fn moved(&self, text: &Text, offset: usize, count: i64, goal: Option<usize>) -> (usize, usize);
}

impl Scene<'_> {
    /// How many characters may be read for one cursor, so that many of them do
    /// not make a command late.
    fn reach(&self) -> usize {
        ((1 << 23) / self.carets.count()).clamp(1 << 10, 1 << 20)
    }
}

/// What a command leads to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Sorted, apart from each other, in positions of the text before.
    pub edits: Vec<Replace>,
    /// The selections, in positions of the text after.
    pub carets: Carets,
    /// What was copied, one text a selection.
    pub clipboard: Vec<String>,
}

impl Outcome {
    /// Only the selections change.
    fn select(carets: Carets) -> Self {
        Self {
            carets,
            ..Self::default()
        }
    }

    /// Edits are made, and the selections keep their text.
    fn edit(scene: &Scene<'_>, mut edits: Vec<Replace>) -> Self {
        edits.sort_by_key(|e| (e.start, e.end));
        let changes = Changes::of_edits(&edits);
        Self {
            carets: scene.carets.moved_by(&changes),
            edits,
            clipboard: Vec::new(),
        }
    }
}

/// What a command does to a scene.
pub fn run(scene: &Scene<'_>, command: &Command) -> Outcome {
    match command {
        Command::Move {
            by,
            direction,
            count,
            extend,
        } => motion::run(scene, *by, *direction, *count, *extend),
        Command::GotoLine {
            line,
            column,
            extend,
        } => motion::goto_line(scene, *line, *column, *extend),
        Command::AddCursor { side } => occurrences::add_cursor(scene, *side),
        Command::AddNextOccurrence => occurrences::add_next(scene),
        Command::SelectAll => occurrences::select_all(scene),
        Command::SelectLine => occurrences::select_lines(scene),
        Command::SelectWord => occurrences::select_words(scene),
        Command::SelectColumns { anchor, head } => columns::select(scene, *anchor, *head),
        Command::Collapse => occurrences::collapse(scene),
        Command::Insert { text } => insert::run(scene, text),
        Command::InsertNewline => newline::run(scene),
        Command::Indent => lines::indent(scene),
        Command::Outdent => lines::outdent(scene),
        Command::ToggleComment => comments::toggle(scene),
        Command::MoveLines { side } => lines::shift(scene, *side),
        Command::DuplicateLines => lines::duplicate(scene),
        Command::Delete { by, direction } => remove::run(scene, *by, *direction),
        Command::DeleteLines => lines::delete(scene),
        Command::Transpose => cases::transpose(scene),
        Command::Case { to } => cases::change(scene, *to),
        Command::JoinLines => lines::join(scene),
        Command::Copy => insert::copy(scene),
        Command::Cut => insert::cut(scene),
        Command::Paste { texts } => insert::paste(scene, texts),
    }
}

#[cfg(test)]
#[path = "commands/motion_tables.rs"]
mod motion_tables;
#[cfg(test)]
#[path = "commands/tables.rs"]
mod tables;
#[cfg(test)]
#[path = "commands/tests.rs"]
mod tests;
