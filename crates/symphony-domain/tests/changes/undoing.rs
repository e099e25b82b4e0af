//! Taking back, and taking that back.

use crate::world::*;
use proptest::prelude::*;
use serde_json::json;
use symphony_core_ports::{OpenBuffer, TextEditingPort};
use symphony_domain::changes::{ApplicationKind, ChangeError, Decided, Verdict};
use symphony_testkit::generators::apply;

use Decided::{Accepted, Pending, Rejected};

#[test]
fn undo_takes_back_and_redo_brings_back() {
    block_on(async {
        let base = numbered(9);
        let world = World::new(&[("a.rs", &base)]);
        let before = world.tree();
        let files = json!([
            comments("a.rs", &base, &[0, 4]),
            edits("new.rs", None, &[(0, 0, "x\n")])
        ]);
        world.stage("7f3a", files).await;
        let selection = vec![
            (1, Verdict::Accept),
            (2, Verdict::Reject),
            (3, Verdict::Accept),
        ];
        let applied = world.sets.review("7f3a", selection, false).await.unwrap();
        let after = world.tree();
        for _ in 0..2 {
            let undone = world.sets.undo(None).await.unwrap();
            assert_eq!((undone.hunks, undone.files.len()), (vec![1, 3], 2));
            assert_eq!(world.tree(), before);
            assert_eq!(world.verdicts("7f3a").await, [Pending, Rejected, Pending]);
            let redone = world.sets.redo(Some("7f3a")).await.unwrap();
            assert_eq!(redone.of, undone.application);
            assert_eq!(world.tree(), after);
            assert_eq!(world.verdicts("7f3a").await, [Accepted, Rejected, Accepted]);
        }
        let history = world.sets.history().await.unwrap();
        use ApplicationKind::{Apply, Redo, Undo};
        let kinds: Vec<_> = history.iter().map(|a| (a.kind, a.of)).collect();
        let first = applied.application;
        assert_eq!(
            kinds,
            [
                (Apply, None),
                (Undo, first),
                (Redo, Some(2)),
                (Undo, Some(3)),
                (Redo, Some(4))
            ]
        );
        assert_eq!(world.text.open_buffers(), []);
    });
}

#[test]
fn undo_goes_back_one_review_at_a_time() {
    block_on(async {
        let base = numbered(9);
        let world = World::new(&[("a.rs", &base)]);
        world
            .stage("7f3a", json!([comments("a.rs", &base, &[0, 4])]))
            .await;
        world.accept("7f3a", &[2]).await.unwrap();
        let between = world.tree();
        world.accept("7f3a", &[1]).await.unwrap();
        world.sets.undo(None).await.unwrap();
        assert_eq!(world.tree(), between);
        world.sets.undo(None).await.unwrap();
        assert_eq!(world.file("a.rs"), base);
        let error = world.sets.undo(None).await.unwrap_err();
        assert!(matches!(error, ChangeError::NothingToUndo { id: None }));
        // And forth again, newest undo first.
        world.sets.redo(None).await.unwrap();
        assert_eq!(world.tree(), between);
        world.sets.redo(None).await.unwrap();
        assert!(matches!(
            world.sets.redo(None).await,
            Err(ChangeError::NothingToRedo { .. })
        ));
    });
}

#[test]
fn an_earlier_change_set_can_be_taken_back_from_under_a_later_one() {
    block_on(async {
        let base = numbered(20);
        let world = World::new(&[("a.rs", &base)]);
        world
            .stage("one", json!([comments("a.rs", &base, &[0])]))
            .await;
        world.accept_all("one").await.unwrap();
        let base = world.file("a.rs");
        world
            .stage("two", json!([comments("a.rs", &base, &[15])]))
            .await;
        world.accept_all("two").await.unwrap();
        let undone = world.sets.undo(Some("one")).await.unwrap();
        assert_eq!(undone.merged, ["a.rs"]);
        assert_eq!(
            world.file("a.rs"),
            numbered(20).replace("fn f15", "/// Says so.\nfn f15")
        );
        world.sets.redo(Some("one")).await.unwrap();
        assert_eq!(world.file("a.rs").matches("/// Says so.").count(), 2);
        let error = world.sets.redo(Some("two")).await.unwrap_err();
        assert!(matches!(error, ChangeError::NothingToRedo { .. }));
    });
}

#[test]
fn a_restore_never_destroys_work() {
    block_on(async {
        let base = numbered(9);
        let world = World::new(&[("a.rs", &base)]);
        world
            .stage("7f3a", json!([comments("a.rs", &base, &[0, 4])]))
            .await;
        world.accept_all("7f3a").await.unwrap();
        world.human_replaces("a.rs", "fn f9() {}\n", "fn nine() {}\nfn ten() {}\n");
        // Right below a comment, too.
        world.human_replaces("a.rs", "fn f5()", "pub fn f5()");
        let touched = world.tree();
        let undone = world.sets.undo(None).await.unwrap();
        assert_eq!(undone.merged, ["a.rs"]);
        let kept = base
            .replace("fn f9() {}\n", "fn nine() {}\nfn ten() {}\n")
            .replace("fn f5()", "pub fn f5()");
        assert_eq!(world.file("a.rs"), kept);
        // The snapshot of what was there before the restore brings it all back.
        world.sets.redo(None).await.unwrap();
        assert_eq!(world.tree(), touched);
    });
}

#[test]
fn a_restore_that_meets_work_on_the_same_lines_writes_nothing() {
    block_on(async {
        let base = numbered(9);
        let world = World::new(&[("a.rs", &base), ("b.rs", &base)]);
        let files = json!([comments("a.rs", &base, &[0]), comments("b.rs", &base, &[4])]);
        world.stage("7f3a", files).await;
        world.accept_all("7f3a").await.unwrap();
        world.human_replaces("b.rs", "/// Says so.", "/// Says so, and I say more.");
        let touched = world.tree();
        let error = world.sets.undo(None).await.unwrap_err();
        let ChangeError::Conflict { files, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(
            (files[0].path.as_str(), &files[0].lines[..]),
            ("b.rs", &[5..=5][..])
        );
        assert_eq!(world.tree(), touched);
        assert_eq!(world.verdicts("7f3a").await, [Accepted, Accepted]);
    });
}

#[test]
fn a_new_file_is_removed_only_as_it_was_written() {
    block_on(async {
        let world = World::new(&[]);
        world
            .stage("7f3a", json!([edits("new.rs", None, &[(0, 0, "x\n")])]))
            .await;
        world.accept_all("7f3a").await.unwrap();
        world.human("new.rs", "x\nmine\n");
        let error = world.sets.undo(None).await.unwrap_err();
        assert!(matches!(error, ChangeError::Conflict { .. }), "{error}");
        assert_eq!(world.file("new.rs"), "x\nmine\n");
        // Someone who removed it has done what undo would do.
        world.text.delete_file(at("new.rs"));
        world.sets.undo(None).await.unwrap();
        assert_eq!(world.tree(), tree([]));
        assert_eq!(world.verdicts("7f3a").await, [Pending]);
    });
}

#[test]
fn a_file_that_was_removed_is_not_brought_back_by_undo() {
    block_on(async {
        let world = World::new(&[("a", "x\n")]);
        world
            .stage("7f3a", json!([edits("a", Some("x\n"), &[(0, 0, "y\n")])]))
            .await;
        world.accept_all("7f3a").await.unwrap();
        world.text.delete_file(at("a"));
        let error = world.sets.undo(None).await.unwrap_err();
        assert!(error.to_string().contains("the file is gone"), "{error}");
    });
}

#[test]
fn what_is_typed_and_not_saved_stops_an_undo() {
    block_on(async {
        let world = World::new(&[("a", "x\n")]);
        world
            .stage("7f3a", json!([edits("a", Some("x\n"), &[(0, 0, "y\n")])]))
            .await;
        world.accept_all("7f3a").await.unwrap();
        let buffer = world.text.open(OpenBuffer::File(at("a"))).await.unwrap();
        world.text.insert(buffer.id, 4, "typing").await.unwrap();
        let error = world.sets.undo(None).await.unwrap_err();
        assert!(matches!(error, ChangeError::Unsaved { .. }), "{error}");
        assert_eq!(world.file("a"), "y\nx\n");
    });
}

#[test]
fn an_undo_whose_hunks_were_decided_anew_is_no_longer_redone() {
    block_on(async {
        let world = World::new(&[("a", "x\n")]);
        world
            .stage("7f3a", json!([edits("a", Some("x\n"), &[(0, 0, "y\n")])]))
            .await;
        world.accept_all("7f3a").await.unwrap();
        world.sets.undo(None).await.unwrap();
        world.accept_all("7f3a").await.unwrap();
        let error = world.sets.redo(None).await.unwrap_err();
        assert!(
            matches!(error, ChangeError::NothingToRedo { .. }),
            "{error}"
        );
        assert_eq!(world.file("a"), "y\nx\n");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn accept_and_undo_restore_every_byte((base, list) in text_and_edits(), count in 0..6usize) {
        block_on(async {
            let world = World::new(&[("a", &base)]);
            world.stage("7f3a", json!([proposed("a", &base, &list)])).await;
            let mut hunks = world.hunk_ids("7f3a").await;
            hunks.truncate(count);
            if world.accept("7f3a", &hunks).await.unwrap().application.is_some() {
                let after = world.tree();
                world.sets.undo(None).await.unwrap();
                prop_assert_eq!(world.file("a"), base);
                world.sets.redo(None).await.unwrap();
                prop_assert_eq!(world.tree(), after);
            }
            Ok(())
        })?;
    }

    /// A file of both: what a person changes below a line that stays is there after any undo.
    #[test]
    fn human_edits_elsewhere_survive_undo((base, list) in text_and_edits(), mine in "[a-z]{1,9}") {
        let wall = "\n=== 1 ===\n=== 2 ===\n=== 3 ===\n";
        block_on(async {
            let whole = format!("{base}{wall}");
            let world = World::new(&[("a", &whole)]);
            world.stage("7f3a", json!([proposed("a", &whole, &list)])).await;
            if world.accept_all("7f3a").await.unwrap().application.is_none() {
                return Ok(());
            }
            world.human("a", &format!("{}{mine}", world.file("a")));
            let touched = world.tree();
            world.sets.undo(None).await.unwrap();
            prop_assert_eq!(world.file("a"), format!("{whole}{mine}"));
            world.sets.redo(None).await.unwrap();
            prop_assert_eq!(world.tree(), touched);
            Ok(())
        })?;
    }

    /// Whatever a person does: an undo keeps it or writes nothing.
    #[test]
    fn an_undo_that_fails_writes_nothing(
        (base, list) in text_and_edits(), (_, other) in text_and_edits(), seed in 0..8usize,
    ) {
        block_on(async {
            let world = World::new(&[("a", &base)]);
            world.stage("7f3a", json!([proposed("a", &base, &list)])).await;
            if world.accept_all("7f3a").await.unwrap().application.is_none() {
                return Ok(());
            }
            let text = world.file("a");
            let fits = |e: &&symphony_core_ports::TextEdit| text.get(e.range.clone()).is_some();
            let own: Vec<_> = other.iter().filter(fits).take(seed).cloned().collect();
            world.human("a", apply(&text, &own).trim_start_matches('\u{feff}'));
            let touched = world.tree();
            match world.sets.undo(None).await {
                Err(error) => {
                    prop_assert!(matches!(error, ChangeError::Conflict { .. }), "{}", error);
                    prop_assert_eq!(world.tree(), touched);
                }
                Ok(_) => {
                    world.sets.redo(None).await.unwrap();
                    prop_assert_eq!(world.tree(), touched);
                }
            }
            Ok(())
        })?;
    }
}
