//! Where selections were before and after the undo groups of a buffer.

use crate::commands::Carets;
use std::collections::{BTreeMap, BTreeSet};
use symphony_ipc_protocol::xi::ViewKey;

/// Of views with more selections nothing is remembered: they move with the text.
const MOST: usize = 1_000;
/// So many groups are remembered before those that are not held any more are forgotten.
const MANY: usize = 4_096;

/// Selections and the state of the text that they are in.
type Place = (Carets, u64);

/// What is remembered of the undo groups.
#[derive(Default)]
pub(super) struct Marks(BTreeMap<u64, Mark>);

pub(super) struct Mark {
    /// The view that made the group's first edit.
    pub(super) view: ViewKey,
    pub(super) before: Place,
    pub(super) after: Place,
}

impl Marks {
    /// Remembers an edit of a group; whether there are many by now.
    pub(super) fn add(&mut self, node: u64, view: ViewKey, before: Place, after: Place) -> bool {
        if before.0.count() > MOST || after.0.count() > MOST {
            self.0.remove(&node);
            return false;
        }
        match self.0.get_mut(&node) {
            Some(mark) if mark.view == view => mark.after = after,
            Some(_) => {}
            None => {
                let mark = Mark {
                    view,
                    before,
                    after,
                };
                self.0.insert(node, mark);
            }
        }
        self.0.len() > MANY
    }

    /// What is remembered of a group.
    pub(super) fn get(&self, node: u64) -> Option<&Mark> {
        self.0.get(&node)
    }

    /// All that is remembered, by group.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Mark)> {
        self.0.iter().map(|(node, mark)| (*node, mark))
    }

    /// Forgets all but the groups that are held.
    pub(super) fn keep(&mut self, held: &BTreeSet<u64>) {
        self.0.retain(|node, _| held.contains(node));
    }

    /// Which view was where when the text was in this state, coming from one group to another.
    pub(super) fn at(&self, from: u64, to: u64, state: u64) -> Option<(ViewKey, Carets)> {
        let before = self.0.get(&from).map(|mark| (mark.view, &mark.before));
        let after = self.0.get(&to).map(|mark| (mark.view, &mark.after));
        let mut places = before.into_iter().chain(after);
        let (view, place) = places.find(|(_, place)| place.1 == state)?;
        Some((view, place.0.clone()))
    }
}
