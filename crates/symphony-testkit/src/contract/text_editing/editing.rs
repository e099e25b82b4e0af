//! Changes of the newest revision, and taking them back.

use super::{
    super::{expect_error, good},
    Fixture, assert_at, edit, open_text, text_of,
};
use crate::generators::{apply, edits_for, text};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use std::ops::Range;
use symphony_core_ports::{PortError, Revision, TextDelta, TextEditingPort};

pub(super) async fn inserts_and_deletes(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "äöü").await.id;
    assert_eq!(good(port.insert(id, 2, "漢").await), Revision(1));
    assert_at(&*port, id, "ä漢öü", Revision(1)).await;
    assert_eq!(good(port.insert(id, 9, "\n").await), Revision(2));
    assert_at(&*port, id, "ä漢öü\n", Revision(2)).await;
    assert_eq!(good(port.delete(id, 0..5).await), Revision(3));
    assert_at(&*port, id, "öü\n", Revision(3)).await;
    assert_eq!(good(port.delete(id, 0..5).await), Revision(4));
    assert_at(&*port, id, "", Revision(4)).await;
    let info = good(port.info(id).await);
    assert!(info.dirty);
    assert_eq!((info.len, info.revision), (0, Revision(4)));
    assert_eq!(fixture.read("a").as_deref(), Some("äöü".as_bytes()));
}

pub(super) async fn reads_ranges(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "aä漢🎼z").await.id;
    for (range, expected) in [
        (0..1, "a"),
        (1..3, "ä"),
        (3..10, "漢🎼"),
        (11..11, ""),
        (0..11, "aä漢🎼z"),
    ] {
        let slice = good(port.get_content(id, Some(range.clone())).await);
        assert_eq!((slice.text.as_str(), slice.range), (expected, range));
        assert_eq!(slice.revision, Revision(0));
    }
    let all = good(port.get_content(id, None).await);
    assert_eq!(all.range, 0..11);
}

pub(super) async fn refuses_bad_positions(fixture: &impl Fixture) {
    let port = fixture.port();
    let text = "aä漢";
    let id = open_text(fixture, "a", text).await.id;
    for at in [2, 4, 5, 7, usize::MAX] {
        expect_error!(
            port.insert(id, at, "x").await,
            PortError::InvalidInput { .. }
        );
    }
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "a reversed range is refused too"
    )]
    let bad: [Range<usize>; 6] = [0..2, 2..3, 0..7, 3..1, 7..8, 0..usize::MAX];
    for range in bad {
        expect_error!(
            port.delete(id, range.clone()).await,
            PortError::InvalidInput { .. }
        );
        expect_error!(
            port.get_content(id, Some(range.clone())).await,
            PortError::InvalidInput { .. }
        );
        let delta = TextDelta {
            base: Revision(0),
            edits: vec![edit(range, "x")],
            author: "test".into(),
        };
        expect_error!(port.apply(id, delta).await, PortError::InvalidInput { .. });
    }
    assert_at(&*port, id, text, Revision(0)).await;
    assert!(!good(port.info(id).await).dirty);
}

pub(super) async fn each_change_is_one_revision(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "0123456789").await.id;
    good(port.insert(id, 0, "several\nlines\nat once\n").await);
    good(port.delete(id, 0..3).await);
    let delta = TextDelta {
        base: Revision(2),
        edits: vec![edit(0..1, "x"), edit(3..4, "y"), edit(6..6, "z")],
        author: "test".into(),
    };
    let applied = good(port.apply(id, delta).await);
    assert_eq!((applied.revision, applied.changed), (Revision(3), true));
    assert_eq!(good(port.undo(id).await), Revision(4));
    assert_eq!(good(port.redo(id).await), Revision(5));
    assert_eq!(good(port.info(id).await).revision, Revision(5));
}

pub(super) async fn random_edits_equal_a_model(fixture: &impl Fixture) {
    let port = fixture.port();
    let mut runner = TestRunner::deterministic();
    for file in 0..8 {
        let mut model = draw(&text(), &mut runner);
        let name = format!("random-{file}");
        let mut info = open_text(fixture, &name, &model).await;
        for _ in 0..25 {
            let edits = draw(&edits_for(&model), &mut runner);
            let after = apply(&model, &edits);
            let delta = TextDelta {
                base: info.revision,
                edits,
                author: "test".into(),
            };
            let applied = good(port.apply(info.id, delta).await);
            if after == model {
                // Replacing text by the same text may count as a change.
                assert!(applied.revision.0 - info.revision.0 <= 1);
            } else {
                assert!(applied.changed);
                assert_eq!(applied.revision.0, info.revision.0 + 1);
            }
            model = after;
            assert_at(&*port, info.id, &model, applied.revision).await;
            info = good(port.info(info.id).await);
            assert_eq!(info.len, model.len());
            assert_eq!(info.digest, super::digest(&model));
        }
        good(port.save(info.id).await);
        assert_eq!(fixture.read(&name).as_deref(), Some(model.as_bytes()));
    }
}

/// One value of a strategy.
pub(super) fn draw<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    match strategy.new_tree(runner) {
        Ok(tree) => tree.current(),
        Err(reason) => panic!("no value was generated: {reason}"),
    }
}

pub(super) async fn many_edit_at_once(fixture: &impl Fixture) {
    const EDITORS: usize = 8;
    const EDITS: usize = 25;
    let id = open_text(fixture, "a", "start\n").await.id;
    let tasks: Vec<_> = (0..EDITORS)
        .map(|editor| {
            let port = fixture.port();
            tokio::spawn(async move {
                for n in 0..EDITS {
                    good(port.insert(id, 0, &format!("<{editor}:{n}>\n")).await);
                }
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.is_ok());
    }
    let port = fixture.port();
    let content = good(port.get_content(id, None).await);
    assert_eq!(content.revision, Revision((EDITORS * EDITS) as u64));
    let lines: Vec<&str> = content.text.lines().collect();
    assert_eq!(lines.len(), EDITORS * EDITS + 1);
    for editor in 0..EDITORS {
        let own: Vec<&str> = lines
            .iter()
            .copied()
            .filter(|line| line.starts_with(&format!("<{editor}:")))
            .collect();
        let expected: Vec<String> = (0..EDITS)
            .rev()
            .map(|n| format!("<{editor}:{n}>"))
            .collect();
        assert_eq!(own, expected, "an editor's own edits keep their order");
    }
}

pub(super) async fn undo_and_redo_step_back_and_forth(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "one\n").await.id;
    good(port.insert(id, 4, "two\n").await);
    good(port.undo(id).await);
    assert_at(&*port, id, "one\n", Revision(2)).await;
    assert!(!good(port.info(id).await).dirty, "it is as in the file");
    good(port.redo(id).await);
    assert_at(&*port, id, "one\ntwo\n", Revision(3)).await;
    good(port.undo(id).await);
    assert_at(&*port, id, "one\n", Revision(4)).await;
}

pub(super) async fn undo_takes_a_delta_back_as_one(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "a b c d").await.id;
    let delta = TextDelta {
        base: Revision(0),
        edits: vec![edit(0..1, "A"), edit(2..3, "BB"), edit(4..6, "")],
        author: "document".into(),
    };
    good(port.apply(id, delta).await);
    assert_at(&*port, id, "A BB d", Revision(1)).await;
    good(port.undo(id).await);
    assert_at(&*port, id, "a b c d", Revision(2)).await;
    good(port.redo(id).await);
    assert_at(&*port, id, "A BB d", Revision(3)).await;
}

pub(super) async fn undoing_everything_gives_the_first_text(fixture: &impl Fixture) {
    let port = fixture.port();
    let mut runner = TestRunner::deterministic();
    let first = "the first text, 漢字\r\n";
    let id = open_text(fixture, "a", first).await.id;
    for _ in 0..20 {
        let content = good(port.get_content(id, None).await);
        let delta = TextDelta {
            base: content.revision,
            edits: draw(&edits_for(&content.text), &mut runner),
            author: "test".into(),
        };
        good(port.apply(id, delta).await);
    }
    let last = text_of(&*port, id).await;
    while_it_moves(&*port, id, true).await;
    assert_eq!(text_of(&*port, id).await, first);
    while_it_moves(&*port, id, false).await;
    assert_eq!(text_of(&*port, id).await, last);
}

/// Undoes or redoes until the revision stays.
async fn while_it_moves(port: &dyn TextEditingPort, id: symphony_core_ports::BufferId, back: bool) {
    let mut revision = good(port.info(id).await).revision;
    for _ in 0..1_000 {
        let next = match back {
            true => good(port.undo(id).await),
            false => good(port.redo(id).await),
        };
        if next == revision {
            return;
        }
        assert_eq!(next.0, revision.0 + 1);
        revision = next;
    }
    panic!("there is always more to take back");
}

pub(super) async fn an_edit_ends_redo(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "text").await.id;
    good(port.insert(id, 0, "1 ").await);
    good(port.undo(id).await);
    let newest = good(port.insert(id, 4, "!").await);
    assert_eq!(good(port.redo(id).await), newest);
    assert_at(&*port, id, "text!", newest).await;
}

pub(super) async fn nothing_to_undo_changes_nothing(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "text").await.id;
    let mut events = port.subscribe(id);
    assert_eq!(good(port.undo(id).await), Revision(0));
    assert_eq!(good(port.redo(id).await), Revision(0));
    assert_at(&*port, id, "text", Revision(0)).await;
    // The first event there is must be that of the insertion.
    good(port.insert(id, 0, "a").await);
    let event = super::watching::next(&mut events).await;
    assert!(
        matches!(
            event,
            symphony_core_ports::BufferEvent::Changed {
                revision: Revision(1),
                ..
            }
        ),
        "{event:?}"
    );
}
