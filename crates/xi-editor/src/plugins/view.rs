//! What a plugin knows of a buffer: which revisions it was told and has answered.

use super::delta::Delta;
use crate::companion::Snapshot;
use crate::engine::{Changes, Text};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use symphony_ipc_protocol::xi::{BufferKey, Replace, RevisionNumber};

/// So many updates may be unanswered before changes are held back.
const MAX_IN_FLIGHT: usize = 8;
/// Deltas above about so many bytes are left out: the plugin reads the text anew.
const MAX_DELTA: usize = 1024 * 1024;
/// Texts of so many revisions before the last answered one stay readable.
const GRACE: usize = 4;
/// So many scopes a plugin may name in a view, of so many bytes together.
const MAX_SCOPES: usize = 50_000;
const MAX_SCOPE_BYTES: usize = 8 * 1024 * 1024;

/// A change on its way to a plugin.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// What it led to.
    pub now: Snapshot,
    /// What changed; `None` when that is not known.
    pub changes: Option<Changes>,
    /// As the dialect names it.
    pub edit_type: &'static str,
    /// As the dialect names it: the user is `core`.
    pub author: Arc<str>,
}

impl Change {
    /// A change by edits.
    pub fn of_edits(now: &Snapshot, edits: &[Replace], author: &Arc<str>, step: bool) -> Self {
        let author = match author.as_ref() {
            "user" => Arc::from("core"),
            _ => Arc::clone(author),
        };
        Self {
            now: now.clone(),
            changes: Some(Changes::of_edits(edits)),
            edit_type: if step { "undo" } else { edit_type(edits) },
            author,
        }
    }

    /// A text that came from nobody knows where.
    pub fn anew(now: &Snapshot) -> Self {
        Self {
            now: now.clone(),
            changes: None,
            edit_type: "other",
            author: Arc::from("core"),
        }
    }

    /// This change, then another, as one.
    fn then(self, next: Self) -> Self {
        let changes = match (self.changes, &next.changes) {
            (Some(first), Some(second)) => Some(first.then(second)),
            _ => None,
        };
        Self {
            changes,
            edit_type: if self.edit_type == next.edit_type {
                next.edit_type
            } else {
                "other"
            },
            author: next.author,
            now: next.now,
        }
    }
}

/// The dialect's name for what edits do.
fn edit_type(edits: &[Replace]) -> &'static str {
    let one = |edit: &Replace| {
        if edit.text.is_empty() {
            "delete"
        } else if edit.start < edit.end {
            "other"
        } else if edit.text.starts_with(['\n', '\r']) && edit.text.trim().is_empty() {
            "newline"
        } else if edit.text.chars().count() == 1 {
            "insert"
        } else {
            "other"
        }
    };
    let first = edits.first().map_or("other", one);
    match edits.iter().all(|edit| one(edit) == first) {
        true => first,
        false => "other",
    }
}

/// An update to be sent.
pub(super) struct Update {
    pub delta: Option<Delta>,
    pub change: Change,
}

/// A buffer as one plugin knows it.
pub(super) struct View {
    pub buffer: BufferKey,
    /// Revisions that the plugin may name, oldest first; the last is the newest told.
    known: VecDeque<(RevisionNumber, Text)>,
    in_flight: VecDeque<(u64, RevisionNumber, Instant)>,
    pending: Option<Change>,
    scopes: Vec<String>,
    scope_bytes: usize,
}

impl View {
    pub fn new(told: &Snapshot) -> Self {
        Self {
            buffer: told.buffer,
            known: VecDeque::from([(told.revision, told.text.clone())]),
            in_flight: VecDeque::new(),
            pending: None,
            scopes: Vec::new(),
            scope_bytes: 0,
        }
    }

    /// The text of a revision that the plugin may name.
    pub fn text_at(&self, revision: RevisionNumber) -> Option<&Text> {
        let found = self.known.iter().rev().find(|(r, _)| *r == revision);
        found.map(|(_, text)| text)
    }

    /// The newest revision told.
    pub fn told(&self) -> Option<&(RevisionNumber, Text)> {
        self.known.back()
    }

    /// Since when the oldest unanswered update waits.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.in_flight.front().map(|(_, _, at)| *at)
    }

    /// Whether a change waits to be sent.
    pub fn has_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Takes a change in; it goes out with [`View::next`].
    pub fn changed(&mut self, change: Change) {
        self.pending = Some(match self.pending.take() {
            Some(pending) => pending.then(change),
            None => change,
        });
    }

    /// The update to send next as `request`, if one may be sent now.
    pub fn next(&mut self, request: u64, now: Instant) -> Option<Update> {
        if self.in_flight.len() >= MAX_IN_FLIGHT {
            return None;
        }
        let change = self.pending.take()?;
        let base_len = self.told().map_or(0, |(_, text)| text.len());
        let delta = change
            .changes
            .as_ref()
            .and_then(|changes| Delta::of_changes(base_len, changes, &change.now.text, MAX_DELTA));
        self.in_flight
            .push_back((request, change.now.revision, now));
        self.known
            .push_back((change.now.revision, change.now.text.clone()));
        Some(Update { delta, change })
    }

    /// Takes the answer to an update; false when it is none of this view's.
    pub fn answered(&mut self, request: u64) -> bool {
        let Some(at) = self.in_flight.iter().position(|(id, ..)| *id == request) else {
            return false;
        };
        let Some((_, revision, _)) = self.in_flight.remove(at) else {
            return false;
        };
        let oldest = self.in_flight.front().map_or(revision, |(_, r, _)| *r);
        let unused = self.known.iter().filter(|(r, _)| *r < oldest).count();
        self.known.drain(..unused.saturating_sub(GRACE));
        true
    }

    /// Adds scopes; false when they are too many.
    pub fn add_scopes(&mut self, scopes: Vec<Vec<String>>) -> bool {
        for stack in scopes {
            let scope = stack.join(" ");
            self.scope_bytes += scope.len();
            if self.scopes.len() >= MAX_SCOPES || self.scope_bytes > MAX_SCOPE_BYTES {
                return false;
            }
            self.scopes.push(scope);
        }
        true
    }

    /// A scope by its id.
    pub fn scope(&self, id: usize) -> Option<&str> {
        self.scopes.get(id).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(revision: RevisionNumber, text: &str) -> Snapshot {
        Snapshot {
            buffer: BufferKey::from_u128(1),
            path: None,
            revision,
            text: Text::from(text),
        }
    }

    fn insert(at: usize, text: &str) -> Vec<Replace> {
        vec![Replace {
            start: at,
            end: at,
            text: text.to_owned(),
        }]
    }

    #[test]
    fn what_is_not_answered_is_bounded_and_what_is_held_back_is_sent_as_one() {
        let user = Arc::from("user");
        let mut view = View::new(&snapshot(0, ""));
        let now = Instant::now();
        let mut text = String::new();
        let mut sent = 0;
        for revision in 1..=1_000 {
            let edits = insert(text.len(), "x");
            text.push('x');
            view.changed(Change::of_edits(
                &snapshot(revision, &text),
                &edits,
                &user,
                false,
            ));
            sent += usize::from(view.next(revision, now).is_some());
        }
        assert_eq!(sent, MAX_IN_FLIGHT);
        assert_eq!(view.known.len(), MAX_IN_FLIGHT + 1);
        assert!(view.answered(1));
        assert!(!view.answered(1), "once only");
        let update = view.next(2_000, now).unwrap();
        assert_eq!(update.change.now.revision, 1_000);
        assert_eq!(update.change.edit_type, "insert");
        let delta = serde_json::to_value(update.delta).unwrap();
        let rest = "x".repeat(1_000 - MAX_IN_FLIGHT);
        let expected = serde_json::json!(
            {"base_len": 8, "els": [{"copy": [0, 8]}, {"insert": rest}]});
        assert_eq!(delta, expected);
    }

    #[test]
    fn revisions_in_use_stay_readable_and_older_ones_go() {
        let user = Arc::from("user");
        let mut view = View::new(&snapshot(0, ""));
        for revision in 1..=100 {
            let change = Change::of_edits(&snapshot(revision, "x"), &[], &user, false);
            view.changed(change);
            assert!(view.next(revision, Instant::now()).is_some());
            assert!(
                view.text_at(revision - 1).is_some(),
                "it may be asked for yet"
            );
            assert!(view.answered(revision));
            assert!(view.text_at(revision).is_some());
        }
        assert!(view.text_at(50).is_none());
        assert!(view.known.len() <= GRACE + 1);
    }

    #[test]
    fn edits_are_named_as_upstream_names_them() {
        let delete = [Replace {
            start: 0,
            end: 1,
            text: String::new(),
        }];
        let replace = [Replace {
            start: 0,
            end: 1,
            text: "x".to_owned(),
        }];
        assert_eq!(edit_type(&insert(0, "é")), "insert");
        assert_eq!(edit_type(&insert(0, "\n    ")), "newline");
        assert_eq!(edit_type(&insert(0, "pasted")), "other");
        assert_eq!(edit_type(&delete), "delete");
        assert_eq!(edit_type(&replace), "other");
        assert_eq!(
            edit_type(&[insert(0, "a"), insert(2, "\n")].concat()),
            "other"
        );
        let change = Change::of_edits(&snapshot(1, ""), &delete, &Arc::from("user"), true);
        assert_eq!((change.edit_type, change.author.as_ref()), ("undo", "core"));
    }
}
