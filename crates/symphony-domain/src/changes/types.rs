//! What callers of [`ChangeSets`](super::ChangeSets) see.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use symphony_core_ports::{ArtifactId, EpisodeId, PlayerRef};

/// A hunk's number: 1 and up over the whole change set.
pub type HunkId = u32;

/// What becomes a change set.
#[derive(Debug, Clone, PartialEq)]
pub struct NewChangeSet {
    /// Its name: that of the run; letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// The melody that made it.
    pub melody: String,
    /// The run's output of type `change-set`, not trusted.
    pub proposed: Value,
    /// The Conductor's decisions that led to it.
    pub episodes: Vec<EpisodeRef>,
    /// What verifiers said.
    pub findings: Vec<Note>,
}

/// A decision of the Conductor that a review rewards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpisodeRef {
    /// Who was chosen. Its reward counts the hunks it made, or all when it made none itself.
    pub player: PlayerRef,
    /// The decision.
    pub episode: EpisodeId,
}

/// Something a verifier said of an item or a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// The file, relative to the project.
    pub path: String,
    /// The item; empty when it is about the file.
    #[serde(default)]
    pub item: String,
    /// What was found.
    pub message: String,
}

/// A proposed change of a project, to be reviewed hunk by hunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeSet {
    /// Its name: that of its run.
    pub id: String,
    /// One line on what it is.
    pub title: String,
    /// The melody that made it.
    pub melody: String,
    /// When it was staged, in milliseconds since 1970.
    pub created_ms: u64,
    /// By path.
    pub files: Vec<FileChange>,
    /// What verifiers said that belongs to no hunk.
    pub findings: Vec<Note>,
}

impl ChangeSet {
    /// All hunks, by number.
    pub fn hunks(&self) -> impl Iterator<Item = &Hunk> {
        self.files.iter().flat_map(|file| &file.hunks)
    }

    /// How many hunks have this verdict.
    pub fn count(&self, verdict: Decided) -> usize {
        self.hunks().filter(|hunk| hunk.verdict == verdict).count()
    }
}

/// What a change set does to a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange {
    /// The file, relative to the project, `/` between folders.
    pub path: String,
    /// The text that the hunks refer to; `None` for a new file.
    pub base: Option<ArtifactId>,
    /// By place.
    pub hunks: Vec<Hunk>,
}

/// A change that is accepted or rejected as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hunk {
    /// Its number.
    pub id: HunkId,
    /// What it replaces, in bytes of the base; sorted, without overlap.
    pub edits: Vec<HunkEdit>,
    /// Line of the base, from 1, of the first of `lines`.
    pub old_start_line: usize,
    /// The same line once all hunks before this one are accepted.
    pub new_start_line: usize,
    /// The change with up to three lines of context on each side.
    pub lines: Vec<DiffLine>,
    /// What is edited, for people.
    pub item: String,
    /// Why, for people.
    pub why: String,
    /// Who made it.
    pub by: String,
    /// What verifiers said of it.
    pub findings: Vec<String>,
    /// What was decided.
    pub verdict: Decided,
    /// Whether `edits` and `lines` are the reviewer's own, in place of those proposed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub edited: bool,
}

impl Hunk {
    /// Lines that it adds, less those that it removes.
    pub(super) fn grows(&self) -> isize {
        self.lines.iter().fold(0, |sum, line| match line.kind {
            DiffKind::Context => sum,
            DiffKind::Removed => sum - 1,
            DiffKind::Added => sum + 1,
        })
    }
}

/// Replaces the bytes `start..end` of the base by `text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HunkEdit {
    /// First byte replaced.
    pub start: usize,
    /// One past the last byte replaced.
    pub end: usize,
    /// The new text.
    pub text: String,
}

/// A line of a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiffLine {
    /// On which side it is.
    pub kind: DiffKind,
    /// The line without its `\n`; a `\r` before that stays.
    pub text: String,
    /// Whether it ends with `\n`; only a file's last line may not.
    pub newline: bool,
    /// Bytes of the line that `text` leaves out at its end; 0 but for very long lines.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cut: usize,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

/// On which side of a diff a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DiffKind {
    /// Both.
    Context,
    /// Old.
    Removed,
    /// New.
    Added,
}

/// What was decided about a hunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decided {
    /// Nothing yet.
    #[default]
    Pending,
    /// It is in the project.
    Accepted,
    /// It is not wanted.
    Rejected,
}

/// What a review says of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Write it.
    Accept,
    /// Write this in its place; see [`Draft`] for what that means.
    Edit {
        /// The reviewer's own text for the lines that the hunk replaces.
        text: String,
    },
    /// Do not write it.
    Reject,
    /// Decide later; takes a rejection back.
    Postpone,
}

/// A hunk as it would be with a reviewer's own text; nothing is decided by it.
///
/// The text stands for whole lines. Line ends are made those of the file where
/// that has one kind; whether the file's last line ends with one is as proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Draft {
    /// The hunk with that text.
    pub hunk: Hunk,
    /// What would be written for the lines that the hunk replaces.
    pub text: String,
    /// What accepting it comes to.
    pub meaning: DraftMeaning,
}

/// What accepting a [`Draft`] comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DraftMeaning {
    /// Accepting the hunk as it was proposed.
    Proposed,
    /// Accepting it with an edit.
    Edited,
    /// Rejecting it: the file stays as it is.
    Unchanged,
}

/// A change set in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeSetSummary {
    /// Its name.
    pub id: String,
    /// One line on what it is.
    pub title: String,
    /// The melody that made it.
    pub melody: String,
    /// When it was staged, in milliseconds since 1970.
    pub created_ms: u64,
    /// Files it changes.
    pub files: usize,
    /// Hunks not decided yet.
    pub pending: usize,
    /// Hunks that are in the project.
    pub accepted: usize,
    /// Hunks not wanted.
    pub rejected: usize,
    /// Whether some of it is in the project, so that there is something to undo.
    pub in_place: bool,
}

/// What a review did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewOutcome {
    /// The change set.
    pub change_set: String,
    /// Hunks accepted now.
    pub accepted: usize,
    /// Those of them that hold the reviewer's own text.
    #[serde(default)]
    pub edited: usize,
    /// Hunks rejected now.
    pub rejected: usize,
    /// Hunks put off now.
    pub postponed: usize,
    /// Hunks of the change set that are still to be decided.
    pub pending: usize,
    /// The files written.
    pub files: Vec<String>,
    /// Those of them where the change was merged with other changes made meanwhile.
    pub merged: Vec<String>,
    /// What undo takes back; `None` when nothing was accepted.
    pub application: Option<u64>,
}

/// What undo or redo did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UndoOutcome {
    /// The change set.
    pub change_set: String,
    /// What was done now.
    pub application: u64,
    /// What was taken back by it.
    pub of: u64,
    /// The hunks that it moved.
    pub hunks: Vec<HunkId>,
    /// The files written or removed.
    pub files: Vec<String>,
    /// Those of them where changes made meanwhile were kept.
    pub merged: Vec<String>,
}

/// An application that was found interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recovered {
    /// Which.
    pub application: u64,
    /// Of which change set.
    pub change_set: String,
    /// What it was.
    pub kind: ApplicationKind,
    /// How it ended.
    pub outcome: RecoveredAs,
    /// The files that hold its result.
    pub files: Vec<String>,
    /// The files it did not touch since they hold other text by now.
    pub left: Vec<LeftAlone>,
}

/// How an interrupted application ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecoveredAs {
    /// It was finished.
    Finished,
    /// It was taken back.
    TakenBack,
}

/// A file that was not touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftAlone {
    /// The file, relative to the project.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// A write of several files that is done whole or not at all: the journal's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Application {
    /// Its number; later ones are higher.
    pub id: u64,
    /// What it is.
    pub kind: ApplicationKind,
    /// What it takes back, for undo and redo.
    pub of: Option<u64>,
    /// The change set.
    pub change_set: String,
    /// When it began, in milliseconds since 1970.
    pub at_ms: u64,
    /// What it decides.
    pub decisions: Vec<HunkDecision>,
    /// What it writes.
    pub files: Vec<AppliedFile>,
    /// How far it is.
    pub state: ApplicationState,
}

/// What an application is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationKind {
    /// Accepted hunks are written.
    Apply,
    /// An application is taken back.
    Undo,
    /// An undo is taken back.
    Redo,
}

/// How far an application is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationState {
    /// Files may hold either text; found so, it is finished.
    Writing,
    /// All files hold its result.
    Done,
    /// It failed and is taken back; found so, taking back goes on.
    TakingBack,
    /// All files hold what they held before.
    TakenBack,
}

/// What an application decides about a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HunkDecision {
    /// The hunk.
    pub hunk: HunkId,
    /// What was decided before.
    pub from: Decided,
    /// What is decided now.
    pub to: Decided,
    /// The reviewer's own text that is accepted in place of the hunk's, or was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<ArtifactId>,
}

impl HunkDecision {
    /// Whether it accepts the reviewer's own text.
    pub fn is_edited(&self) -> bool {
        self.to == Decided::Accepted && self.edited.is_some()
    }
}

/// What an application does to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppliedFile {
    /// The file, relative to the project.
    pub path: String,
    /// Its text before; `None` when there was no file.
    pub before: Option<ArtifactId>,
    /// Its text after; `None` when the file is removed.
    pub after: Option<ArtifactId>,
    /// Whether changes made meanwhile were merged.
    pub merged: bool,
    /// The hunks it is about.
    pub hunks: Vec<HunkId>,
    /// Why it was left as it was found, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}
