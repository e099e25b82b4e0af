//! A tree of undo groups over the CRDT, with its garbage collection closed.
//!
//! An edit after an undo begins a branch; nothing is buried. The CRDT shows the
//! groups on the path from the base to the current node and hides all others.
//!
//! The CRDT panics when asked to collect groups that are neither undone nor a
//! prefix of the visible ones, the initial text (group 0) first. Nobody else
//! names a group here. [`History::collect`] only cuts leaves off the hidden
//! branches, or moves the base up the visible path and drops every branch that
//! does not grow from the new base. So what is held always has its ancestors
//! held, and no held node can need text that a collected one deleted.

use super::ops::{EditOp, GoOp, Op, Root, Standing};
use super::text::Text;
use super::tree::{Node, Tree, millis};
use lapce_xi_rope::engine::{Engine, Error};
use lapce_xi_rope::{Delta, DeltaBuilder, DeltaElement, Interval, Rope, RopeInfo};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use symphony_ipc_protocol::xi::{ChangeKind, EditOrigin, Replace, UndoNode};

/// Identifies a state of the text: undo brings an earlier one back.
pub(super) type State = u64;

/// Which edits join one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupKey {
    /// Those that the client names alike.
    Client {
        /// Who edits.
        author: String,
        /// The client's group.
        group: u64,
    },
    /// Those of one kind that follow each other fast.
    Run {
        /// Who edits.
        author: String,
        /// The run of typing; another one begins where the cursor was moved.
        run: Run,
    },
    /// Those that join what was done last, whoever did it.
    Newest,
}

/// Typing without a break: edits of one run join one group while they follow each other fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Where it is typed.
    pub view: u128,
    /// How often cursors were moved there before: each time another run begins.
    pub moves: u64,
    /// Whether the edits delete.
    pub deletes: bool,
}

/// How much undo is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Groups that can be undone at least, unless another limit is met first.
    /// Side branches hold as many again.
    pub groups: usize,
    /// Steps (edits) held for undo.
    pub steps: usize,
    /// Bytes inserted and deleted by held steps.
    pub bytes: usize,
    /// After so many edits an undo group is full, and the next one begins.
    pub group_steps: usize,
    /// A run of typing ends when nothing was typed for so long.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            groups: 1_000,
            steps: 4_000,
            bytes: 256 * 1024 * 1024,
            group_steps: 1_000,
            pause: Duration::from_secs(1),
        }
    }
}

/// The newest text and what it takes to undo.
pub(super) struct History {
    engine: Engine,
    limits: Limits,
    tree: Tree,
    next_group: usize,
    next_state: State,
    /// Steps that the CRDT holds, undo steps included.
    steps: usize,
    /// Steps that were left by its last collection.
    kept_steps: usize,
    /// What was done is done again: nothing is forgotten by itself meanwhile.
    again: bool,
    /// What was done and not taken yet; `None`: nobody keeps a record.
    ops: Option<Vec<Op>>,
}

impl History {
    pub(super) fn new(text: &Text, limits: Limits) -> Self {
        let root = Root {
            time: millis(SystemTime::now()),
            ..Root::default()
        };
        Self::rooted(text, limits, &root)
    }

    /// A history that begins with an undo group of an earlier one.
    pub(super) fn rooted(text: &Text, limits: Limits, root: &Root) -> Self {
        let tree = Tree::new(root);
        Self {
            engine: Engine::new(text.0.clone()),
            limits,
            next_group: tree.current().id + 1,
            next_state: root.state + 1,
            tree,
            steps: 0,
            kept_steps: 0,
            again: false,
            ops: None,
        }
    }

    /// What was done is about to be done again: nothing is forgotten until
    /// [`History::resumed`], but where it was.
    pub(super) fn resume(&mut self) {
        self.again = true;
    }

    /// Begins anew with a group of an earlier history.
    pub(super) fn root_at(&mut self, text: &Text, root: &Root) {
        let begun = Self::rooted(text, self.limits, root);
        *self = Self {
            next_group: begun.next_group.max(self.next_group),
            next_state: begun.next_state.max(self.next_state),
            again: self.again,
            ops: self.ops.take(),
            ..begun
        };
    }

    /// All of it was done again.
    pub(super) fn resumed(&mut self) {
        self.again = false;
    }

    /// Keeps a record from now on.
    pub(super) fn keep_ops(&mut self) {
        self.ops.get_or_insert_default();
    }

    /// What was done since the last call, oldest first.
    pub(super) fn take_ops(&mut self) -> Vec<Op> {
        self.ops.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// How the groups stand, at a revision.
    pub(super) fn standing(&self, revision: u64) -> Standing {
        let (root, root_next, branches) = self.tree.branches();
        Standing {
            revision,
            root,
            root_next,
            branches,
            current: self.node(),
            key: self.tree.current().key.clone(),
            next_node: self.next_group as u64,
            next_state: self.next_state,
        }
    }

    /// Shows the group that was shown then, and lets redo lead where it led;
    /// the change, `None` when that group is not held.
    pub(super) fn stand(&mut self, at: &Standing) -> Option<Vec<Replace>> {
        let edits = self.jump(at.current)?;
        self.tree.stand(at);
        self.next_group = self.next_group.max(usize::try_from(at.next_node).ok()?);
        self.next_state = self.next_state.max(at.next_state);
        Some(edits)
    }

    /// The newest text.
    pub(super) fn text(&self) -> Text {
        Text(self.engine.get_head().clone())
    }

    /// The state of the newest text.
    pub(super) fn state(&self) -> State {
        self.tree.current().after
    }

    /// The group whose text is shown.
    pub(super) fn node(&self) -> u64 {
        self.tree.current().id as u64
    }

    /// All held groups, oldest first.
    pub(super) fn nodes(&self) -> Vec<UndoNode> {
        self.tree.list()
    }

    /// Makes sorted, non-overlapping edits of the newest text, in the group of
    /// `key` if that is the newest, else in a new one.
    pub(super) fn edit(
        &mut self,
        edits: &[Replace],
        key: Option<GroupKey>,
        origin: &EditOrigin,
    ) -> Result<(), Error> {
        let now = SystemTime::now();
        let joins = self.joins(key.as_ref(), now);
        let id = if joins {
            self.tree.current().id
        } else {
            self.next_group
        };
        let after = self.next_state;
        let made = Node::new(id, key, &origin.author, now);
        let key = made.key.clone().filter(|_| !joins);
        self.put(edits, made, after)?;
        if let Some(ops) = &mut self.ops {
            ops.push(Op::Edit(EditOp {
                edits: edits.to_vec(),
                author: origin.author.clone(),
                node: id as u64,
                key,
                state: after,
                time: millis(now),
            }));
        }
        self.collect_if(self.limits.steps / 4);
        Ok(())
    }

    /// Whether edits may be made in that group: it is the current one, or new.
    pub(super) fn takes(&self, node: u64) -> bool {
        let current = self.tree.current().id;
        usize::try_from(node).is_ok_and(|id| id == current || !self.tree.holds(id))
    }

    /// Makes edits that were made before again.
    pub(super) fn edit_again(&mut self, op: &EditOp) -> Result<(), Error> {
        let id = usize::try_from(op.node).unwrap_or(usize::MAX);
        let time = UNIX_EPOCH + Duration::from_millis(op.time);
        let made = Node::new(id, op.key.clone(), &op.author, time);
        self.put(&op.edits, made, op.state)
    }

    /// Makes edits, in the current group or in a new one below it.
    fn put(&mut self, edits: &[Replace], group: Node, after: State) -> Result<(), Error> {
        let mut builder = DeltaBuilder::new(self.engine.get_head().len());
        for edit in edits {
            let place = Interval::new(edit.start, edit.end);
            if edit.text.is_empty() {
                builder.delete(place);
            } else {
                builder.replace(place, Rope::from(edit.text.as_str()));
            }
        }
        let (id, time) = (group.id, group.edited);
        let before = self.text();
        let head = self.engine.get_head_rev_id().token();
        self.engine.try_edit_rev(0, id, head, builder.build())?;
        if id != self.tree.current().id {
            self.tree.grow(group);
        }
        self.next_group = self.next_group.max(id + 1);
        self.next_state = self.next_state.max(after + 1);
        self.tree.count(edits, &before, after, time);
        self.steps += 1;
        Ok(())
    }

    fn joins(&self, key: Option<&GroupKey>, now: SystemTime) -> bool {
        let newest = self.tree.current();
        // A clock that was set back says nothing about a pause.
        let pause = now.duration_since(newest.edited).unwrap_or_default();
        newest.steps < self.limits.group_steps
            && match key {
                Some(GroupKey::Newest) => newest.parent.is_some() && newest.next.is_none(),
                Some(GroupKey::Client { .. }) => newest.key.as_ref() == key,
                Some(GroupKey::Run { .. }) => {
                    newest.key.as_ref() == key && pause < self.limits.pause
                }
                None => false,
            }
    }

    /// Takes back the newest group; the change as edits of the text before, `None` with nothing to undo.
    pub(super) fn undo(&mut self) -> Option<Vec<Replace>> {
        let parent = self.tree.current().parent?;
        self.go(parent, ChangeKind::Undo)
    }

    /// Brings back the group undone last; `None` with nothing to redo.
    pub(super) fn redo(&mut self) -> Option<Vec<Replace>> {
        let child = self.tree.current().next?;
        self.go(child, ChangeKind::Redo)
    }

    /// Shows the text as it was after a held group; `None` when that is not held.
    pub(super) fn jump(&mut self, node: u64) -> Option<Vec<Replace>> {
        let id = usize::try_from(node).ok()?;
        if id == self.tree.current().id {
            return Some(Vec::new());
        }
        self.go(id, ChangeKind::UndoTo)
    }

    fn go(&mut self, id: usize, kind: ChangeKind) -> Option<Vec<Replace>> {
        self.tree.go(id)?;
        let before = self.engine.get_head_rev_id().token();
        self.engine.undo(self.tree.hidden());
        self.steps += 1;
        // The revision before is there: collection happens after this.
        let edits = self
            .engine
            .try_delta_rev_head(before)
            .map(|delta| edits_of(&delta))
            .unwrap_or_default();
        if let Some(ops) = &mut self.ops {
            ops.push(Op::Go(GoOp {
                edits: edits.clone(),
                node: id as u64,
                state: self.tree.current().after,
                kind,
            }));
        }
        self.collect_if(self.limits.steps / 4);
        Some(edits)
    }

    /// Frees what is beyond the limits. Cheap when nothing is; for idle moments.
    pub(super) fn tidy(&mut self) {
        self.collect_if(self.limits.steps / 16);
    }

    /// Collects when a limit is passed, after at least `pause` steps since the
    /// last time, so that its cost is spread over them.
    fn collect_if(&mut self, pause: usize) {
        let beyond = |held: usize, limit: usize| held > limit + limit / 4;
        let crowded = beyond(self.tree.depth(), self.limits.groups)
            || beyond(self.tree.len(), 2 * self.limits.groups)
            || beyond(self.steps, self.limits.steps);
        let heavy = self.tree.bytes() > self.limits.bytes && self.tree.can_shrink();
        if !self.again && (heavy || (crowded && self.steps - self.kept_steps >= pause)) {
            self.collect();
            if let Some(ops) = &mut self.ops {
                ops.push(Op::Collected);
            }
        }
    }

    /// Lets the CRDT forget what is beyond the limits: side branches from their
    /// oldest leaves, then the oldest groups of the path.
    pub(super) fn collect(&mut self) {
        let limits = self.limits;
        let held = |tree: &Tree| tree.steps() > limits.steps || tree.bytes() > limits.bytes;
        // The initial text heads every prefix of the visible groups.
        let mut gone = BTreeSet::from([0]);
        self.tree.prune(&mut gone, |tree| {
            tree.len() > 2 * limits.groups || held(tree)
        });
        self.tree
            .rebase(&mut gone, |tree| tree.depth() > limits.groups || held(tree));
        self.engine.gc(&gone);
        self.steps = self.tree.steps();
        self.kept_steps = self.steps;
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
