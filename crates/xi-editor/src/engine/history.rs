//! Undo by group over the CRDT, with its garbage collection closed.
//!
//! The CRDT panics when asked to collect groups that are neither undone nor a
//! prefix of the visible ones, the initial text (group 0) first. Nobody else
//! names a group here, and [`History`] keeps undo linear, so the sets that
//! [`History::collect`] builds keep that rule by construction.

use super::text::Text;
use lapce_xi_rope::engine::{Engine, Error};
use lapce_xi_rope::{Delta, DeltaBuilder, DeltaElement, Interval, Rope, RopeInfo};
use std::collections::{BTreeSet, VecDeque};
use symphony_ipc_protocol::xi::Replace;

/// Identifies a state of the text: undo brings an earlier one back.
pub(super) type State = u64;

/// How much undo is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Groups that can be undone at least, unless another limit is met first.
    pub groups: usize,
    /// Steps (edits) held for undo.
    pub steps: usize,
    /// Bytes inserted and deleted by held steps.
    pub bytes: usize,
    /// After so many edits an undo group is full, and the next one begins.
    pub group_steps: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            groups: 1_000,
            steps: 4_000,
            bytes: 256 * 1024 * 1024,
            group_steps: 1_000,
        }
    }
}

/// Edits that are undone together.
#[derive(Debug)]
struct Group {
    id: usize,
    /// The author and the client's group; `None` takes no further edits.
    key: Option<(String, u64)>,
    steps: usize,
    bytes: usize,
    before: State,
    after: State,
}

/// The newest text and what it takes to undo.
pub(super) struct History {
    engine: Engine,
    limits: Limits,
    /// Visible groups, oldest first.
    done: VecDeque<Group>,
    /// Undone groups that redo brings back, the one undone last at the end.
    undone: Vec<Group>,
    /// Undone groups that nothing brings back: an edit followed the undo.
    dead: Vec<Group>,
    next_group: usize,
    state: State,
    next_state: State,
    /// Steps that the CRDT holds, undo steps included.
    steps: usize,
    /// Steps that were left by its last collection.
    kept_steps: usize,
    /// Bytes that all groups hold.
    bytes: usize,
}

impl History {
    pub(super) fn new(text: &Text, limits: Limits) -> Self {
        Self {
            engine: Engine::new(text.0.clone()),
            limits,
            done: VecDeque::new(),
            undone: Vec::new(),
            dead: Vec::new(),
            next_group: 1,
            state: 0,
            next_state: 1,
            steps: 0,
            kept_steps: 0,
            bytes: 0,
        }
    }

    /// The newest text.
    pub(super) fn text(&self) -> Text {
        Text(self.engine.get_head().clone())
    }

    /// The state of the newest text.
    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Makes sorted, non-overlapping edits of the newest text, in the group of
    /// `key` if that is the newest, else in a new one.
    pub(super) fn edit(
        &mut self,
        edits: &[Replace],
        key: Option<(String, u64)>,
    ) -> Result<(), Error> {
        let len = self.engine.get_head().len();
        let mut builder = DeltaBuilder::new(len);
        let mut bytes = 0;
        for edit in edits {
            bytes += edit.end - edit.start + edit.text.len();
            let place = Interval::new(edit.start, edit.end);
            if edit.text.is_empty() {
                builder.delete(place);
            } else {
                builder.replace(place, Rope::from(edit.text.as_str()));
            }
        }
        let joins = key.is_some()
            && self.undone.is_empty()
            && self
                .done
                .back()
                .is_some_and(|g| g.key == key && g.steps < self.limits.group_steps);
        let id = match self.done.back() {
            Some(group) if joins => group.id,
            _ => self.next_group,
        };
        let head = self.engine.get_head_rev_id().token();
        self.engine.try_edit_rev(0, id, head, builder.build())?;
        self.dead.append(&mut self.undone);
        self.bytes += bytes;
        let before = self.state;
        self.state = self.new_state();
        if joins && let Some(group) = self.done.back_mut() {
            group.steps += 1;
            group.bytes += bytes;
            group.after = self.state;
        } else {
            self.next_group += 1;
            self.done.push_back(Group {
                id,
                key,
                steps: 1,
                bytes,
                before,
                after: self.state,
            });
        }
        self.steps += 1;
        self.collect_if(self.limits.steps / 4);
        Ok(())
    }

    /// Ends the newest group: the next edit begins another.
    pub(super) fn seal(&mut self) {
        if let Some(group) = self.done.back_mut() {
            group.key = None;
        }
    }

    /// Takes back the newest group; the change as edits of the text before, `None` with nothing to undo.
    pub(super) fn undo(&mut self) -> Option<Vec<Replace>> {
        let mut group = self.done.pop_back()?;
        group.key = None;
        self.state = group.before;
        self.undone.push(group);
        self.seal();
        Some(self.show())
    }

    /// Brings back the group undone last; `None` with nothing to redo.
    pub(super) fn redo(&mut self) -> Option<Vec<Replace>> {
        let group = self.undone.pop()?;
        self.state = group.after;
        self.done.push_back(group);
        Some(self.show())
    }

    /// Makes the CRDT show what `undone` and `dead` say; the change as edits.
    fn show(&mut self) -> Vec<Replace> {
        let before = self.engine.get_head_rev_id().token();
        let hidden = self.undone.iter().chain(&self.dead).map(|g| g.id).collect();
        self.engine.undo(hidden);
        self.steps += 1;
        // The revision before is there: collection happens after this.
        let edits = self
            .engine
            .try_delta_rev_head(before)
            .map(|delta| edits_of(&delta))
            .unwrap_or_default();
        self.collect_if(self.limits.steps / 4);
        edits
    }

    /// Frees what is beyond the limits. Cheap when nothing is; for idle moments.
    pub(super) fn tidy(&mut self) {
        self.collect_if(self.limits.steps / 16);
    }

    /// Collects when a limit is passed, after at least `pause` steps since the
    /// last time, so that its cost is spread over them.
    fn collect_if(&mut self, pause: usize) {
        let beyond = |held: usize, limit: usize| held > limit + limit / 4;
        let crowded = beyond(self.done.len() + self.dead.len(), self.limits.groups)
            || beyond(self.steps, self.limits.steps);
        let heavy =
            self.bytes > self.limits.bytes && (self.done.len() > 1 || !self.dead.is_empty());
        if heavy || (crowded && self.steps - self.kept_steps >= pause) {
            self.collect();
        }
    }

    /// Lets the CRDT forget all dead groups and the oldest visible ones beyond the limits.
    fn collect(&mut self) {
        let mut gone = BTreeSet::new();
        for group in std::mem::take(&mut self.dead) {
            self.bytes -= group.bytes;
            gone.insert(group.id);
        }
        // The initial text heads every prefix of the visible groups.
        gone.insert(0);
        let groups = self.done.iter().chain(&self.undone);
        let mut steps: usize = groups.map(|g| g.steps).sum();
        // The newest group stays, so the newest step is never collected.
        while self.done.len() > 1
            && (self.done.len() > self.limits.groups
                || steps > self.limits.steps
                || self.bytes > self.limits.bytes)
            && let Some(group) = self.done.pop_front()
        {
            steps -= group.steps;
            self.bytes -= group.bytes;
            gone.insert(group.id);
        }
        self.engine.gc(&gone);
        self.steps = steps;
        self.kept_steps = steps;
    }

    fn new_state(&mut self) -> State {
        let state = self.next_state;
        self.next_state += 1;
        state
    }
}

/// A delta as sorted edits of the text before it.
fn edits_of(delta: &Delta<RopeInfo>) -> Vec<Replace> {
    let mut edits: Vec<Replace> = Vec::new();
    let mut at = 0;
    let mut inserted = String::new();
    let flush = |at: usize, until: usize, inserted: &mut String, edits: &mut Vec<Replace>| {
        if until > at || !inserted.is_empty() {
            edits.push(Replace {
                start: at,
                end: until,
                text: std::mem::take(inserted),
            });
        }
    };
    for element in &delta.els {
        match element {
            DeltaElement::Copy(start, end) => {
                flush(at, *start, &mut inserted, &mut edits);
                at = *end;
            }
            DeltaElement::Insert(text) => inserted.push_str(&String::from(text)),
        }
    }
    flush(at, delta.base_len, &mut inserted, &mut edits);
    edits
}
