//! How a view shows its text: rows, widths, folds.

use super::{RevisionNumber, ViewKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sets how a view wraps and how wide its characters are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetMetrics {
    /// The view.
    pub view: ViewKey,
    /// Lines are broken into rows of this width; absent: a row is a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrap: Option<u32>,
    /// What the client measured; absent: widths are columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widths: Option<Widths>,
}

/// Widths of grapheme clusters, in units of the client's choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Widths {
    /// Of a cluster that is one column wide.
    pub narrow: u32,
    /// Of a cluster that is two columns wide.
    pub wide: u32,
    /// Of clusters that begin with certain characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chars: Vec<CharWidth>,
}

/// The width of clusters that begin with certain characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CharWidth {
    /// The first character.
    pub first: char,
    /// The last character.
    pub last: char,
    /// How wide.
    pub width: u32,
}

/// Asks for the rows of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lines {
    /// The view.
    pub view: ViewKey,
    /// The line whose first row is wanted first, from 1; one that is folded away counts as the next.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub first: usize,
    /// Instead of `first`: an offset in the first row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<usize>,
    /// How many rows, 1 to 10,000.
    pub count: usize,
}

fn one() -> usize {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_one(line: &usize) -> bool {
    *line == 1
}

/// Rows of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rows {
    /// The revision that the positions refer to.
    pub revision: RevisionNumber,
    /// How many lines the text has.
    pub lines: usize,
    /// The rows, from the first on.
    pub rows: Vec<Row>,
    /// Where the row after them begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}

/// What is shown beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Its line, from 1.
    pub line: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte, without the line end.
    pub end: usize,
    /// How wide it is.
    pub width: usize,
    /// How many lines after its line are folded away.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub folded: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Asks what can be folded, and what is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Folds {
    /// The view.
    pub view: ViewKey,
    /// From which line on, from 1.
    pub first: usize,
    /// Of how many lines, 1 to 10,000.
    pub count: usize,
}

/// Folds lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fold {
    /// The view.
    pub view: ViewKey,
    /// The line that stays, from 1.
    pub first: usize,
    /// The last line that is folded away.
    pub last: usize,
}

/// Unfolds lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unfold {
    /// The view.
    pub view: ViewKey,
    /// The folds that begin at this line or hide it; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// What can be folded, and what is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoldState {
    /// The revision that the lines refer to.
    pub revision: RevisionNumber,
    /// What can be folded in the lines asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foldable: Vec<Foldable>,
    /// All folds of the view.
    pub folded: Vec<FoldedLines>,
}

/// Lines that can be folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Foldable {
    /// The line that stays, from 1.
    pub first: usize,
    /// The last line that would be folded away.
    pub last: usize,
    /// What shows that they belong together.
    pub by: FoldKind,
}

/// What shows that lines belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FoldKind {
    /// They are indented deeper.
    Indentation,
    /// A bracket that is opened in the first line.
    Brackets,
}

/// Lines that are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoldedLines {
    /// The line that stays, from 1.
    pub first: usize,
    /// The last line that is folded away.
    pub last: usize,
}
