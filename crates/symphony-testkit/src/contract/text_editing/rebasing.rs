//! Edits against an older revision.

use super::{
    super::{expect_error, good},
    Fixture, assert_at, edit,
    editing::draw,
    open_text,
};
use crate::generators::{apply, text};
use proptest::{collection::vec, prelude::any, test_runner::TestRunner};
use symphony_core_ports::{PortError, Revision, TextDelta, TextEdit};

fn delta(base: u64, edits: Vec<TextEdit>) -> TextDelta {
    TextDelta {
        base: Revision(base),
        edits,
        author: "operator/test".into(),
    }
}

const LINES: &str = "first line\nsecond line\nthird line\nfourth line\n";

pub(super) async fn applies_a_delta(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", LINES).await.id;
    let edits = vec![edit(0..5, "1st"), edit(11..11, "> "), edit(22..33, "")];
    let expected = apply(LINES, &edits);
    let applied = good(port.apply(id, delta(0, edits)).await);
    assert_eq!((applied.revision, applied.changed), (Revision(1), true));
    assert_at(&*port, id, &expected, Revision(1)).await;
}

pub(super) async fn rebases_over_what_happened_since(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", LINES).await.id;
    good(port.insert(id, 0, "/// Ä\n").await);
    good(port.delete(id, 41..47).await);
    let content = good(port.get_content(id, None).await);
    assert_eq!(
        content.text,
        "/// Ä\nfirst line\nsecond line\nthird line\n line\n"
    );
    // `second` and `third` of the text as it was opened.
    let edits = vec![edit(11..17, "2nd"), edit(23..28, "3rd")];
    let applied = good(port.apply(id, delta(0, edits)).await);
    assert_eq!(applied.revision, Revision(3));
    let expected = "/// Ä\nfirst line\n2nd line\n3rd line\n line\n";
    assert_at(&*port, id, expected, Revision(3)).await;
}

pub(super) async fn a_changed_place_conflicts(fixture: &impl Fixture) {
    let port = fixture.port();
    // Each: what happened, and an edit of the text before that meets it.
    let meetings = [
        ("replaced", edit(11..17, "2nd"), edit(11..17, "zweite")),
        ("deleted around", edit(5..30, ""), edit(11..17, "zweite")),
        ("changed within", edit(13..15, "--"), edit(11..17, "zweite")),
        ("overlaps the start", edit(8..14, ""), edit(11..17, "")),
        ("overlaps the end", edit(14..20, ""), edit(11..17, "")),
        (
            "deleted around an insertion",
            edit(5..30, ""),
            edit(14..14, "x"),
        ),
    ];
    for (name, happened, late) in meetings {
        let id = open_text(fixture, name, LINES).await.id;
        good(port.apply(id, delta(0, vec![happened])).await);
        let before = good(port.get_content(id, None).await);
        match port.apply(id, delta(0, vec![late])).await {
            Err(PortError::Conflict { ranges, .. }) => {
                assert!(!ranges.is_empty(), "{name}: where it is");
                for range in ranges {
                    let slice = before.text.get(range.clone());
                    assert!(
                        slice.is_some(),
                        "{name}: {range:?} is not in the newest text"
                    );
                }
            }
            other => panic!("{name}: expected a conflict, got {other:?}"),
        }
        assert_at(&*port, id, &before.text, Revision(1)).await;
    }
}

pub(super) async fn a_delta_is_all_or_nothing(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", LINES).await.id;
    good(port.apply(id, delta(0, vec![edit(23..28, "3rd")])).await);
    let before = good(port.get_content(id, None).await).text;
    let edits = vec![
        edit(0..5, "1st"),
        edit(23..28, "dritte"),
        edit(34..40, "4th"),
    ];
    expect_error!(
        port.apply(id, delta(0, edits)).await,
        PortError::Conflict { .. }
    );
    assert_at(&*port, id, &before, Revision(1)).await;
    let edits = vec![edit(0..5, "1st"), edit(9_999..9_999, "x")];
    expect_error!(
        port.apply(id, delta(1, edits)).await,
        PortError::InvalidInput { .. }
    );
    assert_at(&*port, id, &before, Revision(1)).await;
}

pub(super) async fn refuses_bad_deltas(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", LINES).await.id;
    for edits in [
        vec![edit(11..17, "b"), edit(0..5, "a")],
        vec![edit(0..5, "a"), edit(3..8, "b")],
        vec![edit(0..5, "a"), edit(0..5, "b")],
    ] {
        expect_error!(
            port.apply(id, delta(0, edits)).await,
            PortError::InvalidInput { .. }
        );
    }
    assert_at(&*port, id, LINES, Revision(0)).await;
}

pub(super) async fn refuses_a_base_from_the_future(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", LINES).await.id;
    for base in [1, 2, 1_000_000, u64::MAX] {
        let outcome = port.apply(id, delta(base, vec![edit(0..5, "1st")])).await;
        assert!(outcome.is_err(), "base {base}: {outcome:?}");
    }
    assert_at(&*port, id, LINES, Revision(0)).await;
}

pub(super) async fn an_empty_delta_changes_nothing(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", LINES).await.id;
    let applied = good(port.apply(id, delta(0, Vec::new())).await);
    assert_eq!((applied.revision, applied.changed), (Revision(0), false));
    assert_at(&*port, id, LINES, Revision(0)).await;
}

/// Edits of separate lines, dealt to several deltas against one base, equal all of them at once.
pub(super) async fn random_rebases_equal_a_model(fixture: &impl Fixture) {
    const ROWS: usize = 12;
    let port = fixture.port();
    let mut runner = TestRunner::deterministic();
    let plan = vec((0..5_usize, text(), any::<bool>()), ROWS);
    for file in 0..12 {
        let mut base = String::new();
        let mut edits = Vec::new();
        for (row, (turn, new, replace)) in draw(&plan, &mut runner).into_iter().enumerate() {
            base.push_str(&format!("row {row}: ["));
            let start = base.len();
            base.push_str("äußerst 漢字");
            let end = if replace { base.len() } else { start };
            base.push_str("] end\n");
            let new = if new.is_empty() { "x".into() } else { new };
            edits.push((turn, edit(start..end, &new)));
        }
        let all: Vec<TextEdit> = edits.iter().map(|(_, edit)| edit.clone()).collect();
        let expected = apply(&base, &all);
        let id = open_text(fixture, &format!("rebase-{file}"), &base)
            .await
            .id;
        let mut revision = Revision(0);
        for turn in 0..5 {
            let own: Vec<TextEdit> = edits
                .iter()
                .filter(|(t, _)| *t == turn)
                .map(|(_, edit)| edit.clone())
                .collect();
            revision = good(port.apply(id, delta(0, own)).await).revision;
        }
        assert_at(&*port, id, &expected, revision).await;
    }
}
