//! A buffer: the newest text, its recent revisions, edits against any of them.

use super::changes::Changes;
use super::history::{GroupKey, History, Limits, Run, State};
use super::ops::{EditOp, GoOp, Op, Root, Standing};
use super::text::{Summary, Text};
use std::collections::VecDeque;
use symphony_ipc_protocol::xi::{
    Applied, EditOrigin, OnOverlap, Replace, RevisionNumber, Span, UndoNode,
};

/// Edits may be made against so many revisions before the newest.
pub const HELD_REVISIONS: usize = 1_000;
/// Held revisions keep at most so many bytes of replaced and new text alive.
const HELD_BYTES: usize = 256 * 1024 * 1024;

/// Why an edit was not made. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The base is no longer held: read the text again and make the edit anew.
    #[error("revision {base} is too old, the oldest held is {oldest}: reload the text")]
    BaseTooOld {
        /// The revision asked for.
        base: RevisionNumber,
        /// The oldest that edits may be made against.
        oldest: RevisionNumber,
    },
    /// The base does not exist yet.
    #[error("revision {base} does not exist, the newest is {newest}")]
    NoSuchRevision {
        /// The revision asked for.
        base: RevisionNumber,
        /// The newest revision.
        newest: RevisionNumber,
    },
    /// The range ends before it begins, or past the text.
    #[error("range {start}..{end} is not in the text of {len} bytes")]
    OutOfRange {
        /// First byte.
        start: usize,
        /// One past the last byte.
        end: usize,
        /// Length of the text in bytes.
        len: usize,
    },
    /// The offset lies inside a character.
    #[error("offset {offset} is not on a character border")]
    NotABorder {
        /// The offset.
        offset: usize,
    },
    /// Edits are not sorted, or overlap each other.
    #[error("edit {index} begins at {start}, before the end {previous_end} of the edit before it")]
    NotSorted {
        /// Which edit, counted from 0.
        index: usize,
        /// Where it begins.
        start: usize,
        /// Where the one before ends.
        previous_end: usize,
    },
    /// Concurrent changes met the edits, and the policy is to refuse.
    #[error("text that the edits replace or adjoin changed since revision {base}")]
    Overlap {
        /// The revision that the edits were made against.
        base: RevisionNumber,
        /// The newest revision.
        newest: RevisionNumber,
        /// What changed, in positions of the newest revision.
        overlaps: Vec<Span>,
    },
    /// The base is not the newest revision, and the policy is to refuse.
    #[error("revision {base} is not the newest, {newest} is")]
    Stale {
        /// The revision that the edits were made against.
        base: RevisionNumber,
        /// The newest revision.
        newest: RevisionNumber,
    },
    /// No such undo group is held.
    #[error("undo group {0} is not held")]
    NoSuchNode(u64),
    /// The engine refused the edit; a defect of the engine.
    #[error("the engine refused the edit: {0}")]
    Engine(String),
}

/// A revision before the newest, and what changed after it.
struct Past {
    text: Text,
    changes: Changes,
    bytes: usize,
}

/// A text with revisions and undo. Revision 0 is the initial text.
pub struct Buffer {
    history: History,
    revision: RevisionNumber,
    text: Text,
    /// The revisions before the newest, oldest first, without a gap.
    past: VecDeque<Past>,
    past_bytes: usize,
    summary: Option<(State, Summary)>,
}

impl Buffer {
    /// A buffer with an initial text.
    pub fn new(text: Text) -> Self {
        Self::with_limits(text, Limits::default())
    }

    /// A buffer with an initial text whose summary is known.
    pub fn with_summary(text: Text, summary: Summary) -> Self {
        let mut buffer = Self::new(text);
        buffer.summary = Some((buffer.state(), summary));
        buffer
    }

    fn with_limits(text: Text, limits: Limits) -> Self {
        Self::of(History::new(&text, limits), text)
    }

    fn of(history: History, text: Text) -> Self {
        Self {
            history,
            revision: 0,
            text,
            past: VecDeque::new(),
            past_bytes: 0,
            summary: None,
        }
    }

    /// A buffer whose later changes are about to be made again, with
    /// [`Buffer::again`]. Nothing is forgotten by itself until [`Buffer::resumed`].
    pub fn resume(text: Text, revision: RevisionNumber, root: &Root) -> Self {
        Self::resume_within(text, revision, root, Limits::default())
    }

    fn resume_within(text: Text, revision: RevisionNumber, root: &Root, limits: Limits) -> Self {
        let mut buffer = Self::of(History::rooted(&text, limits, root), text);
        buffer.history.resume();
        buffer.revision = revision;
        buffer
    }

    /// All changes were made again.
    pub fn resumed(&mut self) {
        self.history.resumed();
    }

    /// Makes a change again that was recorded. A step to an undo group that is
    /// not held makes that group the root: the text and the revisions are right
    /// in any case.
    ///
    /// # Errors
    /// [`EditError`] when it does not fit the text; nothing changed then.
    pub fn again(&mut self, op: &Op) -> Result<Applied, EditError> {
        match op {
            Op::Edit(edit) => self.edit_again(edit),
            Op::Go(step) => self.go_again(step),
            Op::Collected => {
                self.history.collect();
                Ok(self.unchanged(Vec::new()))
            }
        }
    }

    fn edit_again(&mut self, op: &EditOp) -> Result<Applied, EditError> {
        check(&self.text, &op.edits)?;
        if !self.history.takes(op.node) {
            return Err(EditError::NoSuchNode(op.node));
        }
        self.history
            .edit_again(op)
            .map_err(|e| EditError::Engine(format!("{e:?}")))?;
        let changes = Changes::of_edits(&op.edits);
        Ok(self.advance(op.edits.clone(), changes, Vec::new()))
    }

    fn go_again(&mut self, op: &GoOp) -> Result<Applied, EditError> {
        let led = self.history.jump(op.node);
        if led.as_ref() == Some(&op.edits) {
            return Ok(self.stepped(led));
        }
        let text = self.text.edited(&op.edits)?;
        tracing::debug!(node = op.node, "an undo group from before the record");
        let root = Root {
            node: op.node,
            state: op.state,
            ..Root::default()
        };
        self.history.root_at(&text, &root);
        Ok(self.stepped(Some(op.edits.clone())))
    }

    /// Shows an undo group while the groups of a buffer are made again, see [`Buffer::stand`].
    ///
    /// # Errors
    /// [`EditError::NoSuchNode`].
    pub fn show(&mut self, node: u64) -> Result<(), EditError> {
        self.history.jump(node).ok_or(EditError::NoSuchNode(node))?;
        self.text = self.history.text();
        Ok(())
    }

    /// How the buffer stands, besides its texts.
    pub fn standing(&self) -> Standing {
        self.history.standing(self.revision)
    }

    /// After the groups of a buffer were made again: shows the one that was
    /// shown, at the revision that it had.
    ///
    /// # Errors
    /// [`EditError::NoSuchNode`].
    pub fn stand(&mut self, at: &Standing) -> Result<(), EditError> {
        let led = self.history.stand(at);
        led.ok_or(EditError::NoSuchNode(at.current))?;
        self.text = self.history.text();
        self.revision = at.revision;
        self.past.clear();
        self.past_bytes = 0;
        Ok(())
    }

    /// Keeps a record of what is done from now on, for [`Buffer::take_ops`].
    pub fn keep_ops(&mut self) {
        self.history.keep_ops();
    }

    /// What was done since the last call, oldest first.
    pub fn take_ops(&mut self) -> Vec<Op> {
        self.history.take_ops()
    }

    /// The newest revision.
    pub fn revision(&self) -> RevisionNumber {
        self.revision
    }

    /// The newest text; free.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Identifies the newest text's state; equal when undo or redo brought a state back.
    pub fn state(&self) -> u64 {
        self.history.state()
    }

    /// Digest and line ends of the newest text; computed once a state.
    pub fn summary(&mut self) -> Summary {
        let state = self.state();
        match &self.summary {
            Some((of, summary)) if *of == state => summary.clone(),
            _ => {
                let summary = self.text.summary();
                self.summary = Some((state, summary.clone()));
                summary
            }
        }
    }

    /// The oldest revision that edits may be made against.
    pub fn oldest(&self) -> RevisionNumber {
        self.revision - self.past.len() as u64
    }

    /// The text at a held revision; the newest when absent.
    ///
    /// # Errors
    /// [`EditError::BaseTooOld`] or [`EditError::NoSuchRevision`].
    pub fn at(&self, revision: Option<RevisionNumber>) -> Result<&Text, EditError> {
        self.text_at(revision.unwrap_or(self.revision))
    }

    /// Makes edits against revision `base` (the newest when absent), rebased onto the newest.
    ///
    /// # Errors
    /// [`EditError`]; nothing changed then.
    pub fn edit(
        &mut self,
        base: Option<RevisionNumber>,
        edits: Vec<Replace>,
        on_overlap: OnOverlap,
        origin: &EditOrigin,
    ) -> Result<Applied, EditError> {
        let key = origin.group.map(|group| GroupKey::Client {
            author: origin.author.clone(),
            group,
        });
        self.edit_in(key, base, edits, on_overlap, origin)
    }

    /// Makes edits of the newest text; without a group of the client's they join their run of typing.
    ///
    /// # Errors
    /// [`EditError`]; nothing changed then.
    pub fn edit_in_run(
        &mut self,
        edits: Vec<Replace>,
        run: Run,
        origin: &EditOrigin,
    ) -> Result<Applied, EditError> {
        if origin.group.is_some() {
            return self.edit(None, edits, OnOverlap::Merge, origin);
        }
        let author = origin.author.clone();
        let key = Some(GroupKey::Run { author, run });
        self.edit_in(key, None, edits, OnOverlap::Merge, origin)
    }

    /// Makes edits that are undone together with the newest group, unless it was just brought back by undo.
    ///
    /// # Errors
    /// [`EditError`]; nothing changed then.
    pub fn edit_joining(
        &mut self,
        base: Option<RevisionNumber>,
        edits: Vec<Replace>,
        on_overlap: OnOverlap,
        origin: &EditOrigin,
    ) -> Result<Applied, EditError> {
        self.edit_in(Some(GroupKey::Newest), base, edits, on_overlap, origin)
    }

    fn edit_in(
        &mut self,
        key: Option<GroupKey>,
        base: Option<RevisionNumber>,
        edits: Vec<Replace>,
        on_overlap: OnOverlap,
        origin: &EditOrigin,
    ) -> Result<Applied, EditError> {
        let base = base.unwrap_or(self.revision);
        check(self.text_at(base)?, &edits)?;
        if on_overlap == OnOverlap::RefuseStale && base != self.revision {
            return Err(EditError::Stale {
                base,
                newest: self.revision,
            });
        }
        let rebased = self.changes_since(base).rebase(edits);
        if on_overlap == OnOverlap::Refuse && !rebased.overlaps.is_empty() {
            return Err(EditError::Overlap {
                base,
                newest: self.revision,
                overlaps: rebased.overlaps,
            });
        }
        let mut edits = rebased.edits;
        edits.retain(|e| !self.text.holds(e.start, e.end, &e.text));
        if edits.is_empty() {
            return Ok(self.unchanged(rebased.overlaps));
        }
        self.history
            .edit(&edits, key, origin)
            .map_err(|e| EditError::Engine(format!("{e:?}")))?;
        let changes = Changes::of_edits(&edits);
        let overlaps = rebased
            .overlaps
            .iter()
            .map(|span| changes.cover(*span))
            .collect();
        Ok(self.advance(edits, changes, overlaps))
    }

    /// Takes back the newest undo group.
    pub fn undo(&mut self) -> Applied {
        let edits = self.history.undo();
        self.stepped(edits)
    }

    /// Brings back the group undone last.
    pub fn redo(&mut self) -> Applied {
        let edits = self.history.redo();
        self.stepped(edits)
    }

    /// The undo group whose text is the newest text.
    pub fn node(&self) -> u64 {
        self.history.node()
    }

    /// The held undo groups, oldest first.
    pub fn undo_tree(&self) -> Vec<UndoNode> {
        self.history.nodes()
    }

    /// Brings back the text as it was after a held undo group.
    ///
    /// # Errors
    /// [`EditError::NoSuchNode`].
    pub fn undo_to(&mut self, node: u64) -> Result<Applied, EditError> {
        match self.history.jump(node) {
            Some(edits) => Ok(self.stepped(Some(edits))),
            None => Err(EditError::NoSuchNode(node)),
        }
    }

    /// What changed from a held revision to the newest.
    ///
    /// # Errors
    /// [`EditError::BaseTooOld`] or [`EditError::NoSuchRevision`].
    pub fn changes_from(&self, base: RevisionNumber) -> Result<(&Text, Changes), EditError> {
        let text = self.text_at(base)?;
        Ok((text, self.changes_since(base)))
    }

    /// Frees history beyond its limits; for idle moments. Changes nothing that is seen.
    pub fn tidy(&mut self) {
        self.history.tidy();
    }

    fn text_at(&self, base: RevisionNumber) -> Result<&Text, EditError> {
        if base == self.revision {
            return Ok(&self.text);
        }
        if base > self.revision {
            return Err(EditError::NoSuchRevision {
                base,
                newest: self.revision,
            });
        }
        let too_old = EditError::BaseTooOld {
            base,
            oldest: self.oldest(),
        };
        let index = base.checked_sub(self.oldest()).ok_or(too_old)?;
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        self.past
            .get(index)
            .map(|past| &past.text)
            .ok_or(EditError::NoSuchRevision {
                base,
                newest: self.revision,
            })
    }

    /// What changed from a held revision to the newest; text that came back is no change.
    fn changes_since(&self, base: RevisionNumber) -> Changes {
        let index = usize::try_from(base - self.oldest()).unwrap_or(usize::MAX);
        let mut since = Changes::default();
        for past in self.past.iter().skip(index) {
            since = since.then(&past.changes);
        }
        if let Some(past) = self.past.get(index) {
            since.retain_real(|old, new| past.text.same_range(old, &self.text, new));
        }
        since
    }

    fn stepped(&mut self, edits: Option<Vec<Replace>>) -> Applied {
        match edits {
            Some(edits) if !edits.is_empty() => {
                let changes = Changes::of_edits(&edits);
                self.advance(edits, changes, Vec::new())
            }
            _ => self.unchanged(Vec::new()),
        }
    }

    fn unchanged(&self, overlaps: Vec<Span>) -> Applied {
        Applied {
            revision: self.revision,
            changed: false,
            edits: Vec::new(),
            overlaps,
        }
    }

    /// Counts the history's new text as the next revision.
    fn advance(&mut self, edits: Vec<Replace>, changes: Changes, overlaps: Vec<Span>) -> Applied {
        let bytes = changes.iter().map(|c| c.old + c.new).sum();
        let text = std::mem::replace(&mut self.text, self.history.text());
        self.past.push_back(Past {
            text,
            changes,
            bytes,
        });
        self.past_bytes += bytes;
        while self.past.len() > HELD_REVISIONS
            || (self.past_bytes > HELD_BYTES && self.past.len() > 1)
        {
            let Some(past) = self.past.pop_front() else {
                break;
            };
            self.past_bytes -= past.bytes;
        }
        self.revision += 1;
        Applied {
            revision: self.revision,
            changed: true,
            edits,
            overlaps,
        }
    }
}

impl Text {
    /// Checks that a range lies in the text, on character borders.
    ///
    /// # Errors
    /// [`EditError::OutOfRange`] or [`EditError::NotABorder`].
    pub fn check(&self, start: usize, end: usize) -> Result<(), EditError> {
        let len = self.len();
        if end < start || end > len {
            return Err(EditError::OutOfRange { start, end, len });
        }
        match [start, end].into_iter().find(|o| !self.is_border(*o)) {
            Some(offset) => Err(EditError::NotABorder { offset }),
            None => Ok(()),
        }
    }
}

/// Checks that edits are sorted, apart, in the text and on character borders.
fn check(text: &Text, edits: &[Replace]) -> Result<(), EditError> {
    let mut previous_end = 0;
    for (index, edit) in edits.iter().enumerate() {
        let (start, end) = (edit.start, edit.end);
        text.check(start, end)?;
        if start < previous_end {
            return Err(EditError::NotSorted {
                index,
                start,
                previous_end,
            });
        }
        previous_end = end;
    }
    Ok(())
}

#[cfg(test)]
#[path = "buffer_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "undo_tests.rs"]
mod undo_tests;

#[cfg(test)]
#[path = "again_tests.rs"]
mod again_tests;
