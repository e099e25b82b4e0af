//! Accepting, rejecting, and what stands against it.

use crate::world::*;
use proptest::prelude::*;
use serde_json::json;
use sy_commons::error::render;
use symphony_core_ports::{EpisodeId, OpenBuffer, PortError, TextEditingPort};
use symphony_domain::changes::{ChangeError, Decided, FileError, Verdict};
use symphony_testkit::generators::apply;

use Decided::{Accepted, Pending, Rejected};

#[test]
fn only_what_was_accepted_is_written() {
    block_on(async {
        let base = numbered(9);
        let world = World::new(&[("a.rs", &base), ("b.rs", &base)]);
        let files = json!([
            comments("a.rs", &base, &[0, 4]),
            comments("b.rs", &base, &[8])
        ]);
        world.stage("7f3a", files).await;
        let selection = vec![
            (2, Verdict::Accept),
            (3, Verdict::Reject),
            (1, Verdict::Postpone),
        ];
        let done = world.sets.review("7f3a", selection, false).await.unwrap();
        assert_eq!(
            (done.accepted, done.rejected, done.postponed, done.pending),
            (1, 1, 1, 1)
        );
        assert_eq!(done.files, ["a.rs"]);
        assert_eq!(world.verdicts("7f3a").await, [Pending, Accepted, Rejected]);
        let wanted = base.replace("fn f5", "/// Says so.\nfn f5");
        assert_eq!(world.tree(), tree([("a.rs", &wanted), ("b.rs", &base)]));
        assert_eq!(world.text.open_buffers(), [], "buffers are closed again");
        // Another session: the rest, and a rejection that is thought over.
        let done = world.accept("7f3a", &[1, 3]).await.unwrap();
        assert_eq!((done.accepted, done.pending), (2, 0));
        assert_eq!(done.files, ["a.rs", "b.rs"]);
        assert_eq!(
            world.file("b.rs"),
            base.replace("fn f9", "/// Says so.\nfn f9")
        );
    });
}

#[test]
fn a_rejection_touches_no_file() {
    block_on(async {
        let world = World::new(&[]);
        world
            .stage(
                "7f3a",
                json!([edits("gone.rs", Some("x\n"), &[(0, 0, "y\n")])]),
            )
            .await;
        let done = world
            .sets
            .review("7f3a", vec![(1, Verdict::Reject)], false)
            .await
            .unwrap();
        assert_eq!(
            (done.rejected, done.pending, done.application),
            (1, 0, None)
        );
        let done = world
            .sets
            .review("7f3a", vec![(1, Verdict::Postpone)], false)
            .await
            .unwrap();
        assert_eq!((done.postponed, done.pending), (1, 1));
        assert_eq!(world.text.calls(), [], "no file was looked at");
    });
}

#[test]
fn a_selection_that_makes_no_sense_is_refused() {
    block_on(async {
        let base = numbered(9);
        let world = World::new(&[("a.rs", &base)]);
        world
            .stage("7f3a", json!([comments("a.rs", &base, &[0, 4])]))
            .await;
        world.accept("7f3a", &[1]).await.unwrap();
        let before = world.tree();
        for selection in [
            vec![(0, Verdict::Accept)],
            vec![(3, Verdict::Accept)],
            vec![(2, Verdict::Accept), (2, Verdict::Reject)],
            vec![(1, Verdict::Reject)],
            vec![(1, Verdict::Postpone)],
        ] {
            let error = world
                .sets
                .review("7f3a", selection, false)
                .await
                .unwrap_err();
            assert!(matches!(error, ChangeError::Selection { .. }), "{error}");
        }
        assert_eq!(world.tree(), before);
        // What is accepted already is no work.
        let done = world.accept("7f3a", &[1]).await.unwrap();
        assert_eq!((done.accepted, done.application), (0, None));
    });
}

#[test]
fn an_edit_never_lands_on_the_wrong_text() {
    block_on(async {
        let base = numbered(9);
        let world = World::new(&[("a.rs", &base), ("b.rs", &base)]);
        let files = json!([comments("a.rs", &base, &[0]), comments("b.rs", &base, &[0])]);
        world.stage("7f3a", files).await;
        world.human_replaces("b.rs", "fn f4() {}\nfn f5() {}\n", "fn other() {}\n");
        let before = world.tree();
        let error = world.accept_all("7f3a").await.unwrap_err();
        assert_eq!(
            render(&error),
            "error: b.rs changed since the change set was made: line 4\n    nothing was written\n  \
             help: symphony review --rebase 7f3a"
        );
        assert_eq!(world.tree(), before);
        assert_eq!(world.verdicts("7f3a").await, [Pending, Pending]);
        assert_eq!(world.text.count("save"), 0);
    });
}

#[test]
fn rebasing_keeps_what_was_changed_meanwhile() {
    block_on(async {
        let base = numbered(9);
        let world = World::new(&[("a.rs", &base)]);
        world
            .stage("7f3a", json!([comments("a.rs", &base, &[0, 8])]))
            .await;
        world.human_replaces("a.rs", "fn f4() {}", "fn four() {}");
        let selection = vec![(1, Verdict::Accept)];
        let done = world.sets.review("7f3a", selection, true).await.unwrap();
        assert_eq!(done.merged, ["a.rs"]);
        let once = format!("/// Says so.\n{}", base.replace("f4", "four"));
        assert_eq!(world.file("a.rs"), once);
        // Nobody changed it since: the next review needs no word for that.
        world.accept("7f3a", &[2]).await.unwrap();
        assert_eq!(
            world.file("a.rs"),
            once.replace("fn f9", "/// Says so.\nfn f9")
        );
        world.sets.undo(None).await.unwrap();
        assert_eq!(world.file("a.rs"), once);
    });
}

#[test]
fn a_conflict_names_the_lines_and_writes_nothing() {
    block_on(async {
        let base = numbered(9);
        let world = World::new(&[("a.rs", &base), ("b.rs", &base)]);
        let change = |path| edits(path, Some(&base), &[(0, 2, "pub fn")]);
        world
            .stage("7f3a", json!([change("a.rs"), change("b.rs")]))
            .await;
        world.human_replaces("b.rs", "fn f1()", "async fn f1()");
        let before = world.tree();
        let all = vec![(1, Verdict::Accept), (2, Verdict::Accept)];
        let Err(ChangeError::Conflict { files, .. }) = world.sets.review("7f3a", all, true).await
        else {
            panic!("no conflict")
        };
        assert_eq!(
            (files[0].path.as_str(), &files[0].lines[..]),
            ("b.rs", &[1..=1][..])
        );
        assert_eq!(world.tree(), before);
    });
}

#[test]
fn a_file_that_came_or_went_is_outdated() {
    block_on(async {
        let world = World::new(&[("old.rs", "x\n")]);
        let files = json!([
            edits("new.rs", None, &[(0, 0, "mine\n")]),
            edits("old.rs", Some("x\n"), &[(0, 0, "y\n")])
        ]);
        world.stage("7f3a", files).await;
        world.text.delete_file(at("old.rs"));
        world.human("new.rs", "theirs\n");
        for rebase in [false, true] {
            let all = vec![(1, Verdict::Accept), (2, Verdict::Accept)];
            let error = world.sets.review("7f3a", all, rebase).await.unwrap_err();
            assert!(
                error.to_string().ends_with("nothing was written"),
                "{error}"
            );
            assert_eq!(world.tree(), tree([("new.rs", "theirs\n")]));
        }
    });
}

#[test]
fn what_is_not_saved_or_not_writable_is_told_first() {
    block_on(async {
        let world = World::new(&[("a", "x\n"), ("b", "x\n")]);
        let change = |path| edits(path, Some("x\n"), &[(0, 0, "y\n")]);
        world.stage("7f3a", json!([change("a"), change("b")])).await;
        let buffer = world.text.open(OpenBuffer::File(at("b"))).await.unwrap();
        world.text.insert(buffer.id, 0, "typing").await.unwrap();
        let error = world.accept_all("7f3a").await.unwrap_err();
        assert!(
            matches!(&error, ChangeError::Unsaved { paths } if paths == &["b"]),
            "{error}"
        );
        let slice = world.text.get_content(buffer.id, None).await.unwrap();
        assert_eq!(
            slice.text, "typingx\n",
            "the buffer and what was typed are there"
        );
        world.text.close(buffer.id, true).await.unwrap();
        world.text.set_read_only(at("b"), true);
        let error = world.accept_all("7f3a").await.unwrap_err();
        assert!(
            matches!(&error, ChangeError::ReadOnly { paths } if paths == &["b"]),
            "{error}"
        );
        assert_eq!(world.tree(), tree([("a", "x\n"), ("b", "x\n")]));
    });
}

#[test]
fn a_buffer_that_someone_works_in_stays_open() {
    block_on(async {
        let world = World::new(&[("a", "x\n")]);
        let buffer = world.text.open(OpenBuffer::File(at("a"))).await.unwrap();
        world.text.insert(buffer.id, 0, "new ").await.unwrap();
        world.text.save(buffer.id).await.unwrap();
        world
            .stage(
                "7f3a",
                json!([edits("a", Some("new x\n"), &[(0, 0, "y\n")])]),
            )
            .await;
        world.accept_all("7f3a").await.unwrap();
        let slice = world.text.get_content(buffer.id, None).await.unwrap();
        assert_eq!(slice.text, "y\nnew x\n");
    });
}

#[test]
fn a_file_that_cannot_be_edited_is_named() {
    block_on(async {
        let world = World::new(&[("a", "x\n")]);
        world
            .stage("7f3a", json!([edits("a", Some("x\n"), &[(0, 0, "y\n")])]))
            .await;
        world.text.write_file(at("a"), b"\0binary".to_vec());
        let error = world.accept_all("7f3a").await.unwrap_err();
        let ChangeError::File(FileError::Port { path, source }) = error else {
            panic!("{error}")
        };
        assert_eq!(path, "a");
        assert!(matches!(source, PortError::Unsupported { .. }));
    });
}

#[test]
fn decisions_are_rewarded_by_the_share_that_was_accepted() {
    block_on(async {
        let base = numbered(20);
        let world = World::new(&[("a.rs", &base)]);
        world
            .stage("7f3a", json!([comments("a.rs", &base, &[0, 4, 8, 12])]))
            .await;
        let selection = vec![
            (1, Verdict::Accept),
            (2, Verdict::Accept),
            (3, Verdict::Accept),
            (4, Verdict::Reject),
        ];
        world.sets.review("7f3a", selection, false).await.unwrap();
        world.sets.undo(None).await.unwrap();
        world.sets.redo(None).await.unwrap();
        let episode = EpisodeId::from("7f3a.describe");
        let rewards = [0.5, -1.0, 1.0].map(|reward| (episode.clone(), reward));
        assert_eq!(world.conductor.rewards(), rewards);
    });
}

#[test]
fn a_conductor_that_fails_stops_nothing() {
    block_on(async {
        let world = World::new(&[("a", "x\n")]);
        world
            .stage("7f3a", json!([edits("a", Some("x\n"), &[(0, 0, "y\n")])]))
            .await;
        world
            .conductor
            .fail_next("report_reward", PortError::failed("asleep"));
        world.accept_all("7f3a").await.unwrap();
        assert_eq!(world.file("a"), "y\nx\n");
    });
}

#[test]
fn reviews_at_once_take_turns() {
    block_on(async {
        let base = numbered(20);
        let world = World::new(&[("a.rs", &base)]);
        world
            .stage("7f3a", json!([comments("a.rs", &base, &[0, 4, 8, 12])]))
            .await;
        let reviews = (1..=4).map(|hunk| {
            let sets = world.sets.clone();
            async move {
                sets.review("7f3a", vec![(hunk, Verdict::Accept)], false)
                    .await
            }
        });
        for done in futures_util::future::join_all(reviews).await {
            done.unwrap();
        }
        assert_eq!(world.file("a.rs").matches("/// Says so.").count(), 4);
        let numbers: Vec<u64> = world
            .sets
            .history()
            .await
            .unwrap()
            .iter()
            .map(|a| a.id)
            .collect();
        assert_eq!(numbers, [1, 2, 3, 4]);
    });
}

#[test]
fn two_projects_know_nothing_of_each_other() {
    block_on(async {
        let world = World::new(&[("a", "x\n")]);
        world
            .stage("7f3a", json!([edits("a", Some("x\n"), &[(0, 0, "y\n")])]))
            .await;
        world.accept_all("7f3a").await.unwrap();
        let other = world.elsewhere("/other");
        assert_eq!(other.list().await.unwrap(), []);
        assert_eq!(other.history().await.unwrap(), []);
        assert!(matches!(
            other.undo(None).await,
            Err(ChangeError::NothingToUndo { .. })
        ));
        let error = other.stage(new("7f3a", json!([]))).await.unwrap_err();
        assert!(matches!(error, ChangeError::Exists { .. }));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn accepting_all_makes_all_edits((base, list) in text_and_edits()) {
        block_on(async {
            let world = World::new(&[("a", &base)]);
            world.stage("7f3a", json!([proposed("a", &base, &list)])).await;
            world.accept_all("7f3a").await.unwrap();
            prop_assert_eq!(world.file("a"), apply(&base, &list));
            Ok(())
        })?;
    }

    /// Any order, in any number of sessions, with rejections in between.
    #[test]
    fn the_order_of_acceptance_does_not_matter(
        (base, list) in text_and_edits(),
        order in Just((1..=5u32).collect::<Vec<_>>()).prop_shuffle(),
        rejected in 0..8u32,
    ) {
        block_on(async {
            let world = World::new(&[("a", &base)]);
            let set = world.stage("7f3a", json!([proposed("a", &base, &list)])).await;
            let kept = |id: u32| id != rejected;
            for id in order.into_iter().filter(|id| set.hunks().any(|h| h.id == *id)) {
                let verdict = if kept(id) { Verdict::Accept } else { Verdict::Reject };
                world.sets.review("7f3a", vec![(id, verdict)], false).await.unwrap();
            }
            let edits = set.hunks().filter(|h| kept(h.id)).flat_map(|h| h.edits.clone());
            let edits: Vec<_> = edits
                .map(|e| symphony_core_ports::TextEdit { range: e.start..e.end, text: e.text })
                .collect();
            prop_assert_eq!(world.file("a"), apply(&base, &edits));
            Ok(())
        })?;
    }
}
