//! The tree of undo groups: who grew from whom, which one is shown.

use super::history::{GroupKey, State};
use super::ops::{Branch, Root, Standing};
use super::text::Text;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use symphony_ipc_protocol::xi::{Replace, UndoKind, UndoNode};

/// A label shows so many characters of an edit's text.
const LABEL_CHARS: usize = 40;

/// Edits that are undone together.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: usize,
    /// `None` for the base, whose text needs no group any more.
    pub(super) parent: Option<usize>,
    /// `None` takes no further edits.
    pub(super) key: Option<GroupKey>,
    pub(super) steps: usize,
    pub(super) after: State,
    /// The child that redo shows.
    pub(super) next: Option<usize>,
    pub(super) edited: SystemTime,
    depth: usize,
    inserted: usize,
    deleted: usize,
    author: String,
    label: String,
}

impl Node {
    pub(super) fn new(id: usize, key: Option<GroupKey>, author: &str, edited: SystemTime) -> Self {
        Self {
            id,
            parent: None,
            key,
            steps: 0,
            after: 0,
            next: None,
            edited,
            depth: 0,
            inserted: 0,
            deleted: 0,
            author: author.to_owned(),
            label: String::new(),
        }
    }

    fn bytes(&self) -> usize {
        self.inserted + self.deleted
    }
}

/// The held groups. Every held node but the base has its parent held.
pub(super) struct Tree {
    nodes: BTreeMap<usize, Node>,
    base: usize,
    current: usize,
    steps: usize,
    bytes: usize,
}

impl Tree {
    pub(super) fn new(root: &Root) -> Self {
        let id = usize::try_from(root.node).unwrap_or(0);
        let time = UNIX_EPOCH + Duration::from_millis(root.time);
        let base = Node {
            after: root.state,
            label: root.label.clone(),
            ..Node::new(id, None, &root.author, time)
        };
        Self {
            nodes: BTreeMap::from([(id, base)]),
            base: id,
            current: id,
            steps: 0,
            bytes: 0,
        }
    }

    /// The base, where redo leads from it, and all other groups.
    pub(super) fn branches(&self) -> (Root, Option<u64>, Vec<Branch>) {
        let number = |id: usize| id as u64;
        let base = &self.nodes[&self.base];
        let root = Root {
            node: number(base.id),
            state: base.after,
            author: base.author.clone(),
            label: base.label.clone(),
            time: millis(base.edited),
        };
        let branch = |node: &Node| {
            Some(Branch {
                node: number(node.id),
                parent: number(node.parent?),
                next: node.next.map(number),
            })
        };
        let branches = self.nodes.values().filter_map(branch).collect();
        (root, base.next.map(number), branches)
    }

    /// Lets redo lead where it led, and the current group take the edits that it took.
    pub(super) fn stand(&mut self, at: &Standing) {
        let nexts = at.branches.iter().map(|branch| (branch.node, branch.next));
        for (node, next) in nexts.chain([(at.root.node, at.root_next)]) {
            let id = |node: u64| usize::try_from(node).ok();
            let next = next.and_then(id).filter(|id| self.nodes.contains_key(id));
            if let Some(id) = id(node) {
                self.change(id, |node| node.next = next);
            }
        }
        let key = at.key.clone();
        self.change(self.current, |node| node.key = key);
    }

    /// The group whose text is shown.
    pub(super) fn current(&self) -> &Node {
        &self.nodes[&self.current]
    }

    /// Whether a group is held.
    pub(super) fn holds(&self, id: usize) -> bool {
        self.nodes.contains_key(&id)
    }

    /// How many groups are held, the base among them.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How many groups can be undone.
    pub(super) fn depth(&self) -> usize {
        self.current().depth - self.nodes[&self.base].depth
    }

    /// Edits of all held groups.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// Bytes that held groups inserted and deleted.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a group below the current one and shows it.
    pub(super) fn grow(&mut self, mut node: Node) {
        let parent = self.current();
        node.parent = Some(parent.id);
        node.depth = parent.depth + 1;
        let id = node.id;
        self.change(self.current, |parent| parent.next = Some(id));
        self.nodes.insert(id, node);
        self.current = id;
    }

    /// Counts edits of the text `before` as a step of the current group.
    pub(super) fn count(
        &mut self,
        edits: &[Replace],
        before: &Text,
        after: State,
        now: SystemTime,
    ) {
        let inserted: usize = edits.iter().map(|e| e.text.len()).sum();
        let deleted: usize = edits.iter().map(|e| e.end - e.start).sum();
        self.steps += 1;
        self.bytes += inserted + deleted;
        self.change(self.current, |node| {
            if node.label.chars().count() < LABEL_CHARS {
                node.label.push_str(&preview(edits, before));
                node.label = node.label.chars().take(LABEL_CHARS).collect();
            }
            node.steps += 1;
            node.inserted += inserted;
            node.deleted += deleted;
            node.after = after;
            node.edited = now;
        });
    }

    /// The current group takes no further edits.
    pub(super) fn seal(&mut self) {
        self.change(self.current, |node| node.key = None);
    }

    /// Makes a held group the current one, and redo lead to where we were or to it; `None` when it is not held.
    pub(super) fn go(&mut self, id: usize) -> Option<()> {
        self.nodes.get(&id)?;
        self.seal();
        let mut child = id;
        while let Some(parent) = self.nodes[&child].parent {
            self.change(parent, |node| node.next = Some(child));
            child = parent;
        }
        self.current = id;
        self.seal();
        Some(())
    }

    /// The groups that are not on the path to the current one.
    pub(super) fn hidden(&self) -> BTreeSet<usize> {
        let path = self.path();
        let ids = self.nodes.keys().filter(|id| !path.contains(id));
        ids.copied().collect()
    }

    /// Whether [`Self::prune`] or [`Self::rebase`] could drop a group.
    pub(super) fn can_shrink(&self) -> bool {
        self.depth() > 1 || self.len() > self.kept().len()
    }

    /// Drops the leaves of side branches, oldest first, while `too_much`.
    pub(super) fn prune(&mut self, gone: &mut BTreeSet<usize>, too_much: impl Fn(&Self) -> bool) {
        let kept = self.kept();
        let mut children = self.children();
        let is_leaf = |id: &usize| !kept.contains(id);
        let mut leaves: BTreeSet<usize> = self
            .nodes
            .keys()
            .copied()
            .filter(|id| is_leaf(id) && !children.contains_key(id))
            .collect();
        while too_much(self)
            && let Some(leaf) = leaves.pop_first()
            && let Some(parent) = self.drop_node(leaf, gone)
        {
            let siblings = children.entry(parent).or_default();
            siblings.retain(|id| *id != leaf);
            let newest = siblings.last().copied();
            self.change(parent, |node| {
                if node.next == Some(leaf) {
                    node.next = newest;
                }
            });
            if newest.is_none() && !kept.contains(&parent) {
                leaves.insert(parent);
            }
        }
    }

    /// Moves the base up the path while `too_much`, with what does not grow from
    /// it dropped. The current group stays above the base, so that the CRDT's
    /// newest step is never collected.
    pub(super) fn rebase(&mut self, gone: &mut BTreeSet<usize>, too_much: impl Fn(&Self) -> bool) {
        let mut children = self.children();
        // The path from the current group down: its end is the child of the base.
        let mut path = self.path_list();
        path.pop();
        while too_much(self)
            && path.len() > 1
            && let Some(next) = path.pop()
        {
            let mut branches = children.remove(&self.base).unwrap_or_default();
            branches.retain(|id| *id != next);
            while let Some(id) = branches.pop() {
                branches.extend(children.remove(&id).unwrap_or_default());
                self.drop_node(id, gone);
            }
            self.drop_node(self.base, gone);
            self.base = next;
            gone.insert(next);
            if let Some(node) = self.nodes.get_mut(&next) {
                self.steps -= std::mem::take(&mut node.steps);
                self.bytes -= node.bytes();
                (node.inserted, node.deleted) = (0, 0);
                node.parent = None;
                node.key = None;
            }
        }
    }

    /// All groups as the protocol lists them, oldest first.
    pub(super) fn list(&self) -> Vec<UndoNode> {
        let nodes = self.nodes.values();
        nodes
            .map(|node| UndoNode {
                node: node.id as u64,
                parent: node.parent.map(|id| id as u64),
                time: millis(node.edited),
                author: node.author.clone(),
                kind: match (node.parent, node.inserted, node.deleted) {
                    (None, ..) => UndoKind::Base,
                    (_, _, 0) => UndoKind::Insert,
                    (_, 0, _) => UndoKind::Delete,
                    _ => UndoKind::Replace,
                },
                current: node.id == self.current,
                edits: node.steps,
                size: node.bytes(),
                label: node.label.clone(),
            })
            .collect()
    }

    fn change(&mut self, id: usize, how: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(&id) {
            how(node);
        }
    }

    /// Forgets a node; its parent.
    fn drop_node(&mut self, id: usize, gone: &mut BTreeSet<usize>) -> Option<usize> {
        let node = self.nodes.remove(&id)?;
        gone.insert(id);
        self.steps -= node.steps;
        self.bytes -= node.bytes();
        node.parent
    }

    /// From the current group to the base, both included.
    fn path_list(&self) -> Vec<usize> {
        let up = |id: &usize| self.nodes[id].parent;
        std::iter::successors(Some(self.current), up).collect()
    }

    fn path(&self) -> BTreeSet<usize> {
        self.path_list().into_iter().collect()
    }

    /// What is undone and redone step by step from here: never a side branch.
    fn kept(&self) -> BTreeSet<usize> {
        let mut kept = self.path();
        let on = |id: &usize| self.nodes[id].next;
        kept.extend(std::iter::successors(Some(self.current), on));
        kept
    }

    /// The children of each node that has some, oldest first.
    fn children(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for node in self.nodes.values() {
            if let Some(parent) = node.parent {
                children.entry(parent).or_default().push(node.id);
            }
        }
        children
    }
}

/// Milliseconds since 1970.
pub(super) fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// The beginning of what edits insert, or of what they delete.
fn preview(edits: &[Replace], before: &Text) -> String {
    if let Some(edit) = edits.iter().find(|e| !e.text.is_empty()) {
        return edit.text.chars().take(LABEL_CHARS).collect();
    }
    edits.first().map_or_else(String::new, |edit| {
        // A character has at most 4 bytes.
        let mut end = edit.end.min(edit.start + LABEL_CHARS * 4);
        while !before.is_border(end) {
            end -= 1;
        }
        before
            .slice(edit.start, end)
            .chars()
            .take(LABEL_CHARS)
            .collect()
    })
}
