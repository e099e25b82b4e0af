//! The undo tree against a model that remembers the text of every group.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use symphony_ipc_protocol::xi::UndoKind;

fn edit(buffer: &mut Buffer, start: usize, end: usize, text: &str, group: Option<u64>) -> Applied {
    let text = text.to_owned();
    let edits = vec![Replace { start, end, text }];
    let author = String::new();
    let origin = EditOrigin { author, group };
    buffer.edit(None, edits, OnOverlap::Merge, &origin).unwrap()
}

fn typed(buffer: &mut Buffer, at: usize, text: &str, run: Run) {
    let (start, end, text) = (at, at, text.to_owned());
    let edits = vec![Replace { start, end, text }];
    let origin = EditOrigin::default();
    buffer.edit_in_run(edits, run, &origin).unwrap();
}

fn content(buffer: &Buffer) -> String {
    String::from(buffer.text())
}

fn run(moves: u64, deletes: bool) -> Run {
    Run {
        view: 1,
        moves,
        deletes,
    }
}

#[test]
fn an_edit_after_an_undo_is_a_branch_and_both_come_back() {
    let mut buffer = Buffer::new(Text::from("x"));
    edit(&mut buffer, 1, 1, "a", None);
    let first = buffer.node();
    buffer.undo();
    edit(&mut buffer, 1, 1, "b", None);
    let second = buffer.node();
    assert!(buffer.undo_to(first).unwrap().changed);
    assert_eq!(content(&buffer), "xa");
    // Going there made it the branch that redo follows.
    buffer.undo();
    buffer.redo();
    assert_eq!(content(&buffer), "xa");
    buffer.undo_to(second).unwrap();
    assert_eq!(content(&buffer), "xb");
    assert!(!buffer.undo_to(second).unwrap().changed);
    let unknown = buffer.undo_to(99).unwrap_err();
    assert_eq!(unknown, EditError::NoSuchNode(99));
}

#[test]
fn the_tree_tells_of_each_group() {
    let mut buffer = Buffer::new(Text::from("one two"));
    edit(&mut buffer, 0, 3, "", Some(1));
    edit(&mut buffer, 0, 0, "1", Some(1));
    buffer.undo();
    edit(&mut buffer, 3, 3, "\nand a half", None);
    let tree = buffer.undo_tree();
    let told: Vec<_> = tree
        .iter()
        .map(|n| (n.parent, n.kind, n.edits, n.size, n.label.as_str()))
        .collect();
    let root = tree[0].node;
    assert_eq!(
        told,
        [
            (None, UndoKind::Base, 0, 0, ""),
            (Some(root), UndoKind::Replace, 2, 4, "one1"),
            (Some(root), UndoKind::Insert, 1, 11, "\nand a half"),
        ]
    );
    let current: Vec<_> = tree.iter().map(|n| n.current).collect();
    assert_eq!(current, [false, false, true]);
    assert!(tree[2].time > 1_600_000_000_000);
}

#[test]
fn typing_is_one_group_until_the_cursor_moves_the_kind_changes_or_time_passes() {
    let mut buffer = Buffer::new(Text::default());
    typed(&mut buffer, 0, "a", run(0, false));
    typed(&mut buffer, 1, "b", run(0, false));
    typed(&mut buffer, 2, "c", run(1, false));
    typed(&mut buffer, 3, "d", run(1, true));
    let mut seen = vec![content(&buffer)];
    while buffer.undo().changed {
        seen.push(content(&buffer));
    }
    assert_eq!(seen, ["abcd", "abc", "ab", ""]);
    let limits = Limits {
        pause: Duration::ZERO,
        ..Limits::default()
    };
    let mut buffer = Buffer::with_limits(Text::default(), limits);
    typed(&mut buffer, 0, "a", run(0, false));
    typed(&mut buffer, 1, "b", run(0, false));
    buffer.undo();
    assert_eq!(content(&buffer), "a");
}

#[test]
fn what_is_undone_or_redone_takes_no_further_typing() {
    let mut buffer = Buffer::new(Text::default());
    typed(&mut buffer, 0, "a", run(0, false));
    buffer.undo();
    buffer.redo();
    typed(&mut buffer, 1, "b", run(0, false));
    buffer.undo();
    assert_eq!(content(&buffer), "a");
}

/// What a random session does next; numbers are reduced to what is there.
#[derive(Debug, Clone)]
enum Step {
    Edit(usize, usize, String, Option<u64>),
    Undo,
    Redo,
    Jump(usize),
    Tidy,
}

fn step() -> impl Strategy<Value = Step> {
    let group = proptest::option::of(0..2_u64);
    prop_oneof![
        5 => (0..60_usize, 0..5_usize, "[aé日\n]{0,3}", group)
            .prop_map(|(at, size, text, group)| Step::Edit(at, size, text, group)),
        2 => Just(Step::Undo),
        1 => Just(Step::Redo),
        3 => (0..100_usize).prop_map(Step::Jump),
        1 => Just(Step::Tidy),
    ]
}

/// Every held group but one has its parent held, and one is the current one.
fn closed(tree: &[UndoNode]) -> bool {
    let held: BTreeSet<u64> = tree.iter().map(|n| n.node).collect();
    tree.iter().filter(|n| n.parent.is_none()).count() == 1
        && tree.iter().filter(|n| n.current).count() == 1
        && tree
            .iter()
            .filter_map(|n| n.parent)
            .all(|p| held.contains(&p))
}

fn take(buffer: &mut Buffer, step: &Step) {
    match step {
        Step::Edit(at, size, text, group) => {
            let all = content(buffer);
            let borders: Vec<usize> = (0..=all.len())
                .filter(|i| all.is_char_boundary(*i))
                .collect();
            let at = at % borders.len();
            let end = (at + size).min(borders.len() - 1);
            edit(buffer, borders[at], borders[end], text, *group);
        }
        Step::Undo => drop(buffer.undo()),
        Step::Redo => drop(buffer.redo()),
        Step::Jump(to) => {
            let tree = buffer.undo_tree();
            buffer.undo_to(tree[to % tree.len()].node).unwrap();
        }
        Step::Tidy => buffer.tidy(),
    }
}

fn session(steps: &[Step], limits: Limits) -> Result<(), TestCaseError> {
    let start = "héllo wörld\n日本";
    let mut buffer = Buffer::with_limits(Text::from(start), limits);
    let mut model = BTreeMap::from([(buffer.node(), start.to_owned())]);
    let mut states = BTreeMap::from([(buffer.node(), buffer.state())]);
    for step in steps {
        let before = content(&buffer);
        take(&mut buffer, step);
        let (node, text) = (buffer.node(), content(&buffer));
        match step {
            Step::Edit(..) => {
                model.insert(node, text);
                states.insert(node, buffer.state());
            }
            Step::Tidy => prop_assert_eq!(&text, &before),
            _ => {
                prop_assert_eq!(&text, &model[&node], "{:?}", step);
                prop_assert_eq!(buffer.state(), states[&node]);
            }
        }
        prop_assert!(closed(&buffer.undo_tree()));
    }
    // Whatever is held comes back exactly, in any order.
    for node in buffer.undo_tree().into_iter().rev() {
        if buffer.undo_to(node.node).is_ok() {
            prop_assert_eq!(content(&buffer), model[&node.node].as_str());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Any held group's text comes back exactly, wherever one comes from.
    #[test]
    fn every_jump_restores_the_text(steps in proptest::collection::vec(step(), 0..50)) {
        session(&steps, Limits::default())?;
    }

    /// The same while nearly every step collects.
    #[test]
    fn collection_keeps_the_tree_closed_and_changes_nothing(
        steps in proptest::collection::vec(step(), 0..70),
        groups in 1..5_usize,
        held in 2..12_usize,
        bytes in prop_oneof![Just(15_usize), Just(usize::MAX)],
    ) {
        let limits = Limits { groups, steps: held, bytes, group_steps: 3, pause: Duration::ZERO };
        session(&steps, limits)?;
    }
}
