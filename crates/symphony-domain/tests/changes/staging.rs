//! What a run proposes becomes hunks, or is refused.

use crate::world::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use symphony_domain::changes::{ChangeError, Decided, DiffKind, Hunk, Note, ProposalError};
use symphony_testkit::generators::apply;

fn refused(files: Value) -> ProposalError {
    let world = World::new(&[]);
    match block_on(world.sets.stage(new("7f3a", files))) {
        Err(ChangeError::Refused { source, .. }) => source,
        other => panic!("taken: {other:?}"),
    }
}

fn shown(hunk: &Hunk) -> String {
    let line = |line: &symphony_domain::changes::DiffLine| {
        let sign = match line.kind {
            DiffKind::Context => ' ',
            DiffKind::Removed => '-',
            DiffKind::Added => '+',
        };
        let end = if line.newline { "" } else { " (no end)" };
        format!("{sign}{}{end}\n", line.text)
    };
    hunk.lines.iter().map(line).collect()
}

#[test]
fn a_hunk_is_shown_with_three_lines_of_context() {
    let base = numbered(9);
    let world = World::new(&[("a.rs", &base)]);
    let set = block_on(world.stage("7f3a", json!([comments("a.rs", &base, &[0, 5])])));
    let [first, second] = &set.files[0].hunks[..] else {
        panic!("{set:?}")
    };
    assert_eq!(
        shown(first),
        "+/// Says so.\n fn f1() {}\n fn f2() {}\n fn f3() {}\n"
    );
    assert_eq!((first.old_start_line, first.new_start_line), (1, 1));
    assert_eq!(
        shown(second),
        " fn f3() {}\n fn f4() {}\n fn f5() {}\n+/// Says so.\n fn f6() {}\n fn f7() {}\n fn f8() {}\n"
    );
    assert_eq!((second.old_start_line, second.new_start_line), (3, 4));
    assert_eq!(second.by, "instrument/local-model");
    assert_eq!(
        world.tree(),
        tree([("a.rs", &base)]),
        "staging writes nothing"
    );
}

#[test]
fn edits_of_the_same_or_neighbouring_lines_are_one_hunk() {
    let base = "let a = 1;\nlet b = 2;\nlet c = 3;\n\nlet d = 4;\n";
    let list = [(8, 9, "10"), (19, 20, "20"), (41, 42, "40")];
    let world = World::new(&[("a.rs", base)]);
    let set = block_on(world.stage("7f3a", json!([edits("a.rs", Some(base), &list)])));
    let ids: Vec<_> = set.hunks().map(|h| (h.id, h.edits.len())).collect();
    assert_eq!(ids, [(1, 2), (2, 1)]);
    assert_eq!(
        shown(&set.files[0].hunks[0]),
        "-let a = 1;\n-let b = 2;\n+let a = 10;\n+let b = 20;\n let c = 3;\n \n let d = 4;\n"
    );
}

#[test]
fn the_end_of_a_file_is_shown_as_it_is() {
    let world = World::new(&[]);
    let set = block_on(world.stage(
        "7f3a",
        json!([edits("a", Some("a\nb"), &[(3, 3, "\nc\n")])]),
    ));
    let hunk = set.hunks().next().unwrap();
    assert_eq!(shown(hunk), " a\n-b (no end)\n+b\n+c\n");
}

#[test]
fn a_new_file_is_one_hunk_even_when_empty() {
    let world = World::new(&[]);
    let files = json!([
        edits("b", None, &[]),
        edits("a", None, &[(0, 0, "x\n"), (0, 0, "y\n")])
    ]);
    let set = block_on(world.stage("7f3a", files));
    let paths: Vec<_> = set
        .files
        .iter()
        .map(|f| (f.path.as_str(), f.hunks.len()))
        .collect();
    assert_eq!(paths, [("a", 1), ("b", 1)], "sorted by path");
    block_on(world.accept_all("7f3a")).unwrap();
    assert_eq!(world.tree(), tree([("a", "x\ny\n"), ("b", "")]));
}

#[test]
fn edits_that_change_nothing_make_no_hunk() {
    let world = World::new(&[]);
    let set = block_on(world.stage("7f3a", json!([edits("a", Some("ab"), &[(0, 1, "a")])])));
    assert!(set.files.is_empty());
}

#[test]
fn a_very_long_line_is_cut_where_it_is_shown_and_nowhere_else() {
    let long = "é".repeat(100_000);
    let world = World::new(&[("a", "x\n")]);
    let set = block_on(world.stage("7f3a", json!([edits("a", Some("x\n"), &[(0, 1, &long)])])));
    let line = &set.hunks().next().unwrap().lines[1];
    assert!(line.text.len() <= 4_096);
    assert_eq!(line.text.len() + line.cut, 200_000);
    block_on(world.accept_all("7f3a")).unwrap();
    assert_eq!(world.file("a"), format!("{long}\n"));
}

#[test]
fn findings_go_to_their_hunk_or_to_the_change_set() {
    let base = numbered(5);
    let world = World::new(&[]);
    let note = |item: &str, message: &str| Note {
        path: "a.rs".into(),
        item: item.into(),
        message: message.into(),
    };
    let mut set = new("7f3a", json!([comments("a.rs", &base, &[0, 4])]));
    set.findings = vec![note("item at 0", "too short"), note("gone", "refused")];
    let set = block_on(world.sets.stage(set)).unwrap();
    assert_eq!(set.hunks().next().unwrap().findings, ["too short"]);
    assert_eq!(set.findings, [note("gone", "refused")]);
}

#[test]
fn staging_the_same_again_changes_nothing_and_another_is_refused() {
    block_on(async {
        let base = numbered(5);
        let world = World::new(&[("a.rs", &base)]);
        let files = || json!([comments("a.rs", &base, &[0, 4])]);
        let first = world.stage("7f3a", files()).await;
        world.accept("7f3a", &[1]).await.unwrap();
        let again = world.stage("7f3a", files()).await;
        assert_eq!(again.created_ms, first.created_ms);
        assert_eq!(
            world.verdicts("7f3a").await,
            [Decided::Accepted, Decided::Pending]
        );
        let other = new("7f3a", json!([comments("a.rs", &base, &[0])]));
        let error = world.sets.stage(other).await.unwrap_err();
        assert!(matches!(error, ChangeError::Exists { .. }), "{error}");
    });
}

#[test]
fn change_sets_are_found_by_the_beginning_of_their_name() {
    block_on(async {
        let world = World::new(&[("a", "x\n")]);
        assert!(matches!(world.sets.get(None).await, Err(ChangeError::None)));
        for id in ["7f3a", "7f4b", "81"] {
            world
                .stage(id, json!([edits("a", Some("x\n"), &[(0, 0, "y\n")])]))
                .await;
        }
        assert_eq!(world.sets.get(None).await.unwrap().id, "81");
        assert_eq!(world.sets.get(Some("7f4")).await.unwrap().id, "7f4b");
        let Err(ChangeError::Ambiguous { matches, .. }) = world.sets.get(Some("7")).await else {
            panic!("found one")
        };
        assert_eq!(matches, ["7f4b", "7f3a"]);
        let error = world.sets.get(Some("9")).await.unwrap_err();
        assert!(matches!(error, ChangeError::NotFound { .. }));
        // The newest with something to decide comes before newer ones without.
        world.accept("81", &[1]).await.unwrap();
        assert_eq!(world.sets.get(None).await.unwrap().id, "7f4b");
        let listed = world.sets.list().await.unwrap();
        let shown: Vec<_> = listed
            .iter()
            .map(|set| (set.id.as_str(), set.pending, set.accepted, set.in_place))
            .collect();
        assert_eq!(
            shown,
            [
                ("81", 0, 1, true),
                ("7f4b", 1, 0, false),
                ("7f3a", 1, 0, false)
            ]
        );
    });
}

#[test]
fn an_agent_never_writes_outside_of_the_project() {
    let long = "x".repeat(5_000);
    for path in [
        "",
        "/etc/passwd",
        "../a",
        "a/../../b",
        "a/./b",
        "a//b",
        "a/",
        "./a",
        "..",
        ".git/hooks/pre-commit",
        "a/.GIT/config",
        ".git./config",
        "git~1/config",
        ".g\u{200c}it/config",
        "a\\..\\b",
        "a\nb",
        "a\0b",
        &long,
    ] {
        let error = refused(json!([edits(path, None, &[(0, 0, "x")])]));
        assert!(
            matches!(error, ProposalError::Path { .. }),
            "{path:?}: {error}"
        );
    }
}

#[test]
fn edits_of_no_place_in_the_text_are_refused() {
    let base = "aé漢\n";
    for list in [
        vec![(0, 8, "")],
        vec![(3, 1, "")],
        vec![(2, 2, "x")],
        vec![(0, 2, "x")],
        vec![(usize::MAX, usize::MAX, "x")],
        vec![(0, 3, "x"), (1, 3, "y")],
        vec![(3, 6, "x"), (0, 1, "y")],
        vec![(0, 0, "a\0b")],
        vec![(0, 0, "\u{feff}")],
    ] {
        let error = refused(json!([edits("a", Some(base), &list)]));
        assert!(
            matches!(error, ProposalError::Place { .. }),
            "{list:?}: {error}"
        );
    }
    let error = refused(json!([edits("a", None, &[(0, 1, "x")])]));
    assert!(matches!(error, ProposalError::Place { .. }), "{error}");
}

#[test]
fn other_shapes_are_refused() {
    assert!(matches!(refused(json!("x")), ProposalError::Shape(_)));
    assert!(matches!(
        refused(json!([{ "path": "a" }])),
        ProposalError::Shape(_)
    ));
    let negative = json!([{ "path": "a", "base_text": null, "edits":
        [{ "path": "a", "base": "", "start": -1, "end": 0, "text": "" }] }]);
    assert!(matches!(refused(negative), ProposalError::Shape(_)));
    let twice = json!([edits("a", None, &[]), edits("a", None, &[])]);
    assert!(matches!(refused(twice), ProposalError::Twice { .. }));
    let below = json!([edits("a", None, &[]), edits("a/b", None, &[])]);
    assert!(matches!(refused(below), ProposalError::Path { .. }));
    let large = "x".repeat((16 << 20) + 1);
    let large = json!([edits("a", None, &[(0, 0, &large)])]);
    assert!(matches!(refused(large), ProposalError::TooMuch { .. }));
}

#[test]
fn an_edit_made_for_another_text_or_file_is_refused() {
    let mut file = edits("a", Some("old\n"), &[(0, 1, "x")]);
    file["base_text"] = json!("new\n");
    assert!(matches!(
        refused(json!([file])),
        ProposalError::Elsewhere { what: "text", .. }
    ));
    let mut file = edits("a", Some("old\n"), &[(0, 1, "x")]);
    file["path"] = json!("b");
    assert!(matches!(
        refused(json!([file])),
        ProposalError::Elsewhere { what: "file", .. }
    ));
}

#[test]
fn names_that_no_record_can_have_are_refused() {
    let world = World::new(&[]);
    for id in ["", ".hidden", "a/b", "a b", "é"] {
        let error = block_on(world.sets.stage(new(id, json!([])))).unwrap_err();
        assert!(matches!(error, ChangeError::Name { .. }), "{id:?}");
    }
}

/// What 10,000 hunks cost would otherwise be found by the user: a second is plenty.
#[test]
fn ten_thousand_edits_are_staged_reviewed_and_undone() {
    let base = numbered(20_000);
    let world = World::new(&[("a.rs", &base)]);
    let every_second: Vec<usize> = (0..10_000).map(|n| n * 2).collect();
    let set = block_on(world.stage("7f3a", json!([comments("a.rs", &base, &every_second)])));
    assert_eq!(set.hunks().count(), 10_000);
    let written = block_on(world.accept_all("7f3a")).unwrap();
    assert_eq!((written.accepted, written.pending), (10_000, 0));
    assert_eq!(world.file("a.rs").lines().count(), 30_000);
    block_on(world.sets.undo(None)).unwrap();
    assert_eq!(world.file("a.rs"), base);
}

#[test]
fn a_list_in_the_place_of_a_record_is_refused() {
    let world = World::new(&[]);
    let mut new = new("7f3a", json!([]));
    new.proposed = json!(["title", []]);
    assert!(block_on(world.sets.stage(new)).is_err());
}

proptest! {
    #[test]
    fn hunks_hold_every_edit_once_and_in_order((base, list) in text_and_edits()) {
        let world = World::new(&[("a", &base)]);
        let set = block_on(world.stage("7f3a", json!([proposed("a", &base, &list)])));
        let wanted: Vec<_> = list
            .iter()
            .filter(|edit| base[edit.range.clone()] != edit.text)
            .map(|edit| (edit.range.start, edit.range.end, edit.text.clone()))
            .collect();
        let held: Vec<_> = set
            .hunks()
            .flat_map(|hunk| hunk.edits.iter().map(|e| (e.start, e.end, e.text.clone())))
            .collect();
        prop_assert_eq!(held, wanted);
        let ids: Vec<u32> = set.hunks().map(|hunk| hunk.id).collect();
        prop_assert_eq!(ids, (1..=set.hunks().count() as u32).collect::<Vec<_>>());
    }

    /// The lines shown are those of the texts: without `+` those of the base,
    /// without `-` those of the text with all hunks.
    #[test]
    fn what_is_shown_is_what_is_written((base, list) in text_and_edits()) {
        let world = World::new(&[("a", &base)]);
        let set = block_on(world.stage("7f3a", json!([proposed("a", &base, &list)])));
        for hunk in set.hunks() {
            let side = |left_out: DiffKind| -> String {
                let lines = hunk.lines.iter().filter(|line| line.kind != left_out);
                lines.map(|l| format!("{}{}", l.text, if l.newline { "\n" } else { "" })).collect()
            };
            let from_line: String =
                base.split_inclusive('\n').skip(hunk.old_start_line - 1).collect();
            let old = side(DiffKind::Added);
            prop_assert!(from_line.starts_with(&old), "{:?} in {:?}", old, from_line);
            let alone: Vec<_> = hunk.edits.iter().map(|e| symphony_core_ports::TextEdit {
                range: e.start..e.end, text: e.text.clone(),
            }).collect();
            let new = side(DiffKind::Removed);
            prop_assert!(apply(&base, &alone).contains(&new));
        }
    }

    #[test]
    fn garbage_is_refused_not_panicked_at(value in symphony_testkit::generators::json()) {
        let world = World::new(&[]);
        let mut new = new("7f3a", json!([]));
        new.proposed = value;
        prop_assert!(block_on(world.sets.stage(new)).is_err());
    }
}
