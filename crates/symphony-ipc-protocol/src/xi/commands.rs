//! The editing commands of a view.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to do at all selections of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum Command {
    /// Moves the cursors.
    Move {
        /// How far.
        by: Unit,
        /// Where to; brackets lie in one direction only and do not need it.
        #[serde(default)]
        direction: Direction,
        /// How often: for `page`, how many lines a page has. At least 1.
        #[serde(default = "once")]
        count: u32,
        /// Whether the anchor stays.
        #[serde(default)]
        extend: bool,
    },
    /// Moves all cursors to a line and column, as one cursor.
    GotoLine {
        /// The line, from 1; the last one when there are fewer.
        line: usize,
        /// The column, from 1; the line's end when it is shorter.
        #[serde(default = "first")]
        column: usize,
        /// Whether the primary selection's anchor stays.
        #[serde(default)]
        extend: bool,
    },
    /// Adds a cursor on the line above or below the outermost one.
    AddCursor {
        /// Where.
        side: Side,
    },
    /// Selects the next place with the primary selection's text as well; with
    /// nothing selected, the word at each cursor.
    AddNextOccurrence,
    /// Selects all text.
    SelectAll,
    /// Selects whole lines; lines that are whole already grow by one.
    SelectLine,
    /// Selects the word at each cursor.
    SelectWord,
    /// Selects a rectangle, a line each.
    SelectColumns {
        /// The corner where it was begun.
        anchor: Corner,
        /// The corner where the cursor is.
        head: Corner,
    },
    /// Leaves the primary cursor only, with nothing selected.
    Collapse,
    /// Types text: replaces what is selected. One bracket or quote is closed,
    /// typed over or put around the selection where the buffer's pairs are on.
    Insert {
        /// The text.
        text: String,
    },
    /// Breaks the line and indents the new one; between brackets, twice.
    InsertNewline,
    /// Inserts to the next step of indentation, or indents the selected lines.
    Indent,
    /// Takes one step of indentation from the lines.
    Outdent,
    /// Makes the lines comments, or comments lines.
    ToggleComment,
    /// Exchanges the lines with the one above or below.
    MoveLines {
        /// Where to.
        side: Side,
    },
    /// Doubles the lines.
    DuplicateLines,
    /// Deletes what is selected, or else so far from the cursor.
    Delete {
        /// How far.
        by: Unit,
        /// Where to.
        #[serde(default)]
        direction: Direction,
    },
    /// Deletes the lines.
    DeleteLines,
    /// Exchanges the grapheme clusters before and after the cursor.
    Transpose,
    /// Changes the case of what is selected, or of the word at the cursor.
    Case {
        /// To which.
        to: LetterCase,
    },
    /// Joins the lines with a space between, or with the next one.
    JoinLines,
    /// Gives what is selected; whole lines where nothing is.
    Copy,
    /// Gives it, and deletes it.
    Cut,
    /// Replaces what is selected: by one text for each selection where there
    /// are as many, else by all of them, a line each.
    Paste {
        /// The texts.
        texts: Vec<String>,
    },
}

fn once() -> u32 {
    1
}

fn first() -> usize {
    1
}

/// How far a movement goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// To the next border of grapheme clusters; a line's end is one.
    Grapheme,
    /// Over a word, or over signs, with the spaces before it.
    Word,
    /// Over a part of a word in camel case or snake case.
    Subword,
    /// A line, in the same column. Where the view wraps, a row of it.
    Line,
    /// To the end of the line, or to its first letter and then its beginning.
    LineEdge,
    /// To the next empty line.
    Paragraph,
    /// So many lines as `count` says.
    Page,
    /// To the bracket that belongs to the one at the cursor, or to the one around it.
    Bracket,
    /// To the beginning or the end of the text.
    Document,
}

/// Towards which end of the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The end.
    #[default]
    Forward,
    /// The beginning.
    Backward,
}

/// Above or below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Towards the first line.
    Above,
    /// Towards the last line.
    Below,
}

/// A corner of a rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Corner {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1; lines may be shorter.
    pub column: usize,
}

/// A case of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterCase {
    /// All large.
    Upper,
    /// All small.
    Lower,
    /// The first of each word large, the others small.
    Title,
}
