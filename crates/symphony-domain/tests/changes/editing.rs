//! A reviewer's own text in the place of a hunk's.

use crate::world::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use symphony_core_ports::{Collection, DataPort, EpisodeId, Expected, RecordKey, TextEdit};
use symphony_domain::changes::{
    ChangeError, Decided, Draft, DraftMeaning, Hunk, HunkId, MAX_FILE_BYTES, ReviewOutcome, Verdict,
};
use symphony_testkit::generators::apply;

use Decided::{Accepted, Pending, Rejected};

fn edit(hunk: HunkId, text: &str) -> (HunkId, Verdict) {
    (hunk, Verdict::Edit { text: text.into() })
}

async fn reviewed(
    world: &World,
    selection: Vec<(HunkId, Verdict)>,
) -> Result<ReviewOutcome, ChangeError> {
    world.sets.review("7f3a", selection, false).await
}

async fn drafted(world: &World, hunk: HunkId, text: &str) -> Draft {
    let draft = world.sets.draft("7f3a", hunk, Some(text)).await;
    draft.unwrap()
}

/// A project of nine lines with hunks before the first, the fifth and the ninth.
async fn staged() -> (World, String) {
    let base = numbered(9);
    let world = World::new(&[("a.rs", &base)]);
    let files = json!([comments("a.rs", &base, &[0, 4, 8])]);
    world.stage("7f3a", files).await;
    (world, base)
}

/// One file with one edit.
async fn one_edit(base: Option<&str>, change: (usize, usize, &str)) -> World {
    let files: Vec<(&str, &str)> = base.iter().map(|text| ("a", *text)).collect();
    let world = World::new(&files);
    world
        .stage("7f3a", json!([edits("a", base, &[change])]))
        .await;
    world
}

async fn hunk(world: &World, id: HunkId) -> Hunk {
    let set = world.sets.get(Some("7f3a")).await.unwrap();
    set.hunks().find(|hunk| hunk.id == id).unwrap().clone()
}

#[test]
fn an_edited_hunk_is_written_as_edited_and_undo_takes_it_back() {
    block_on(async {
        let (world, base) = staged().await;
        let before = world.tree();
        let proposed = world.sets.get(None).await.unwrap();
        let own = "/// Mine.\n/// Two lines.\n";
        let done = reviewed(&world, vec![(1, Verdict::Accept), edit(2, own)]).await;
        let done = done.unwrap();
        assert_eq!((done.accepted, done.edited, done.pending), (2, 1, 1));
        let written = base
            .replace("fn f1(", "/// Says so.\nfn f1(")
            .replace("fn f5", &format!("{own}fn f5"));
        assert_eq!(world.file("a.rs"), written);

        // It shows what is in the file, also to the next host.
        let world = world.restarted(false);
        let shown = hunk(&world, 2).await;
        assert!(shown.edited);
        assert_eq!(shown.edits[0].text, own);
        let next = hunk(&world, 3).await;
        assert_eq!(next.new_start_line, next.old_start_line + 3);
        assert_eq!(world.verdicts("7f3a").await, [Accepted, Accepted, Pending]);
        let history = world.sets.history().await.unwrap();
        let is_edited: Vec<bool> = history[0]
            .decisions
            .iter()
            .map(|decision| decision.is_edited())
            .collect();
        assert_eq!(is_edited, [false, true]);

        // A later review finds the file as it left it.
        world.accept("7f3a", &[3]).await.unwrap();
        let all = written.replace("fn f9", "/// Says so.\nfn f9");
        assert_eq!(world.file("a.rs"), all);
        world.sets.undo(None).await.unwrap();
        world.sets.undo(None).await.unwrap();
        assert_eq!(world.tree(), before);
        assert_eq!(
            world.sets.get(None).await.unwrap(),
            proposed,
            "what was proposed is to be decided again"
        );

        world.sets.redo(None).await.unwrap();
        assert_eq!(world.file("a.rs"), written);
        assert_eq!(hunk(&world, 2).await, shown);
        world.sets.undo(None).await.unwrap();
        world.accept("7f3a", &[2]).await.unwrap();
        assert!(!hunk(&world, 2).await.edited);
    });
}

#[test]
fn an_edit_that_leaves_the_file_as_it_is_rejects() {
    block_on(async {
        let base = numbered(9);
        let world = World::new(&[("a.rs", &base)]);
        let change = edits("a.rs", Some(&base), &[(0, 2, "pub fn")]);
        world.stage("7f3a", json!([change])).await;
        let line = "fn f1() {}\n";
        assert_eq!(
            drafted(&world, 1, line).await.meaning,
            DraftMeaning::Unchanged
        );
        let done = reviewed(&world, vec![edit(1, line)]).await.unwrap();
        assert_eq!((done.accepted, done.edited, done.rejected), (0, 0, 1));
        assert_eq!(world.verdicts("7f3a").await, [Rejected]);
        assert_eq!(world.text.calls(), [], "no file was looked at");
        // Again it decides nothing; another text is taken.
        let done = reviewed(&world, vec![edit(1, line)]).await.unwrap();
        assert_eq!((done.rejected, done.pending), (0, 0));
        reviewed(&world, vec![edit(1, "const F: () = ();\n")])
            .await
            .unwrap();
        assert!(world.file("a.rs").starts_with("const F: () = ();\nfn f2()"));
    });
}

#[test]
fn an_edit_to_what_was_proposed_accepts() {
    block_on(async {
        let (world, _) = staged().await;
        let draft = drafted(&world, 2, "/// Says so.\n").await;
        assert_eq!(draft.meaning, DraftMeaning::Proposed);
        assert_eq!(draft.hunk, hunk(&world, 2).await);
        let done = reviewed(&world, vec![edit(2, "/// Says so.\n")]).await;
        assert_eq!(
            (done.as_ref().unwrap().accepted, done.unwrap().edited),
            (1, 0)
        );
        assert!(!hunk(&world, 2).await.edited);
    });
}

#[test]
fn an_edit_is_a_weaker_reward_than_an_acceptance() {
    block_on(async {
        let (world, _) = staged().await;
        reviewed(&world, vec![edit(1, "/// Mine.\n")])
            .await
            .unwrap();
        reviewed(&world, vec![(2, Verdict::Accept)]).await.unwrap();
        reviewed(&world, vec![edit(3, "")]).await.unwrap();
        let episode = EpisodeId::from("7f3a.describe");
        let rewards = [0.5, 1.0, -1.0].map(|reward| (episode.clone(), reward));
        assert_eq!(world.conductor.rewards(), rewards);
    });
}

#[test]
fn a_draft_decides_nothing() {
    block_on(async {
        let (world, base) = staged().await;
        let before = world.sets.get(None).await.unwrap();
        let as_is = world.sets.draft("7f3a", 2, None).await.unwrap();
        assert_eq!(
            (as_is.text.as_str(), as_is.meaning),
            ("/// Says so.\n", DraftMeaning::Proposed)
        );
        let draft = drafted(&world, 2, "/// Mine.\n").await;
        assert_eq!(draft.meaning, DraftMeaning::Edited);
        let added: Vec<_> = draft.hunk.lines.iter().map(|line| &line.text).collect();
        assert!(added.contains(&&"/// Mine.".to_owned()), "{added:?}");
        assert_eq!(world.sets.get(None).await.unwrap(), before);
        assert_eq!(world.file("a.rs"), base);
        assert_eq!(world.sets.history().await.unwrap(), []);
    });
}

#[test]
fn texts_that_cannot_be_taken_are_refused() {
    block_on(async {
        let (world, base) = staged().await;
        world.accept("7f3a", &[3]).await.unwrap();
        let before = world.tree();
        let long = "x".repeat(MAX_FILE_BYTES);
        for (hunk, text, why) in [
            (0, "x\n", "does not exist: there are 1 to 3"),
            (4, "x\n", "does not exist"),
            (3, "x\n", "is written already"),
            (1, "\u{feff}x\n", "encoding mark"),
            (2, "a\0b\n", "NUL"),
            (2, long.as_str(), "16 MiB"),
        ] {
            let drafted = world.sets.draft("7f3a", hunk, Some(text)).await;
            let reviewed = reviewed(&world, vec![(1, Verdict::Accept), edit(hunk, text)]);
            let errors = [drafted.unwrap_err(), reviewed.await.unwrap_err()];
            for error in errors {
                assert!(matches!(error, ChangeError::Selection { .. }), "{error}");
                assert!(hunk == 1 || error.to_string().contains(why), "{error}");
            }
        }
        assert_eq!(world.tree(), before);
        let twice = vec![edit(1, "a\n"), edit(1, "b\n")];
        assert!(reviewed(&world, twice).await.is_err());
        assert_ne!(world.file("a.rs"), base, "hunk 3 is there");
        assert_eq!(world.verdicts("7f3a").await, [Pending, Pending, Accepted]);
    });
}

/// `(base, edit, given, written)`
#[test]
fn line_ends_are_those_of_the_file() {
    type Case<'a> = (Option<&'a str>, (usize, usize, &'a str), &'a str, &'a str);
    let cases: [Case<'_>; 13] = [
        // An editor that writes one kind only, in a file of the other.
        (
            Some("a\r\nb\r\n"),
            (0, 0, "x\r\n"),
            "y\nz\n",
            "y\r\nz\r\na\r\nb\r\n",
        ),
        (Some("a\nb\n"), (0, 0, "x\n"), "y\r\nz\r\n", "y\nz\na\nb\n"),
        (
            Some("a\r\nb\r\n"),
            (0, 0, "x\n"),
            "y\r\nz\n",
            "y\r\nz\r\na\r\nb\r\n",
        ),
        // A file of both kinds: those of the hunk, else as given.
        (Some("a\nb\r\n"), (0, 0, "x\r\n"), "y\n", "y\r\na\nb\r\n"),
        (
            Some("a\nb\r\n"),
            (0, 0, "x\nx\r\n"),
            "y\nz\r\n",
            "y\nz\r\na\nb\r\n",
        ),
        (None, (0, 0, "x\r\nx\r\n"), "y\n", "y\r\n"),
        // The lines that follow stay lines of their own.
        (Some("a\nb\n"), (0, 0, "x\n"), "y", "y\na\nb\n"),
        (Some("a\r\nb\r\n"), (0, 1, "x"), "y", "y\r\nb\r\n"),
        // A last line without an end stays so, and one with an end, too.
        (Some("a\nb"), (2, 3, "x"), "y\n", "a\ny"),
        (Some("a\r\nb"), (3, 4, "x"), "y\n", "a\r\ny"),
        (Some("a\nb\n"), (2, 3, "x"), "y", "a\ny\n"),
        (Some("a\nb"), (3, 3, "\n"), "b\nc", "a\nb\nc\n"),
        (Some("a\nb\n"), (2, 4, ""), "y", "a\ny\n"),
    ];
    for (base, change, given, written) in cases {
        block_on(async {
            let world = one_edit(base, change).await;
            let done = reviewed(&world, vec![edit(1, given)]).await.unwrap();
            assert_eq!((done.accepted, done.edited), (1, 1), "{base:?} {given:?}");
            assert_eq!(world.file("a"), written, "{base:?} {change:?} {given:?}");
            world.sets.undo(None).await.unwrap();
            let left = world.tree();
            assert_eq!(left.get("a").map(String::as_str), base);
        });
    }
}

#[test]
fn lines_may_go_and_a_new_file_may_hold_anything() {
    block_on(async {
        let world = one_edit(Some("a\nb\nc\n"), (2, 3, "x")).await;
        reviewed(&world, vec![edit(1, "")]).await.unwrap();
        assert_eq!(world.file("a"), "a\nc\n");
        let world = one_edit(None, (0, 0, "x\n")).await;
        let done = reviewed(&world, vec![edit(1, "")]).await.unwrap();
        assert_eq!(
            (done.accepted, done.edited),
            (1, 1),
            "a file is there or it is not"
        );
        assert_eq!(world.file("a"), "");
        world.sets.undo(None).await.unwrap();
        assert_eq!(world.tree(), tree([]));
    });
}

#[test]
fn an_edit_is_merged_with_what_changed_meanwhile() {
    block_on(async {
        let (world, base) = staged().await;
        world.human_replaces("a.rs", "fn f7", "fn seven");
        let error = reviewed(&world, vec![edit(2, "/// Mine.\n")]).await;
        assert!(matches!(error, Err(ChangeError::Outdated { .. })));
        let selection = vec![edit(2, "/// Mine.\n")];
        world.sets.review("7f3a", selection, true).await.unwrap();
        let wanted = base
            .replace("fn f7", "fn seven")
            .replace("fn f5", "/// Mine.\nfn f5");
        assert_eq!(world.file("a.rs"), wanted);
        world.sets.undo(None).await.unwrap();
        assert_eq!(world.file("a.rs"), base.replace("fn f7", "fn seven"));
    });
}

#[test]
fn an_edit_survives_a_crash_in_the_middle_of_writing() {
    block_on(async {
        let (world, base) = staged().await;
        let selection = vec![edit(2, "/// Mine.\n"), (1, Verdict::Reject)];
        reviewed(&world, selection).await.unwrap();
        // As if the host had died before it could say that it was done.
        let writing = |journal: &mut Value| journal["state"] = json!("writing");
        world.patch("applications", writing).await;
        world
            .patch("change-sets", |set| {
                set["decided"] = json!({});
                set["edited"] = json!({});
            })
            .await;
        world.human("a.rs", &base);
        let world = world.restarted(false);
        world.sets.recover().await.unwrap();
        assert_eq!(
            world.file("a.rs"),
            base.replace("fn f5", "/// Mine.\nfn f5")
        );
        assert!(hunk(&world, 2).await.edited);
        assert_eq!(world.verdicts("7f3a").await, [Rejected, Accepted, Pending]);
    });
}

#[test]
fn records_of_the_form_before_are_read_and_later_forms_refused() {
    block_on(async {
        let (world, base) = staged().await;
        world.accept("7f3a", &[1]).await.unwrap();
        let to_form_1 = |record: &mut Value| {
            assert_eq!(record["form"], 2);
            record["form"] = json!(1);
            record.as_object_mut().unwrap().remove("edited");
        };
        world.patch("change-sets", to_form_1).await;
        world.patch("applications", to_form_1).await;
        let world = world.restarted(false);
        assert_eq!(world.verdicts("7f3a").await, [Accepted, Pending, Pending]);
        reviewed(&world, vec![edit(2, "/// Mine.\n")])
            .await
            .unwrap();
        assert!(hunk(&world, 2).await.edited);
        world.sets.undo(None).await.unwrap();
        world.sets.undo(None).await.unwrap();
        assert_eq!(world.file("a.rs"), base);
        world
            .patch("change-sets", |record| {
                assert_eq!(record["form"], 2, "what is written is of the new form");
                record["form"] = json!(3);
            })
            .await;
        let error = world.sets.list().await.unwrap_err();
        assert!(matches!(error, ChangeError::Damaged { .. }), "{error}");
    });
}

impl World {
    async fn put(&self, collection: &str, key: &RecordKey, value: Value) {
        let collection = Collection::from(collection);
        let put = self.data.put(&collection, key, value, Expected::Any).await;
        put.unwrap();
    }

    /// Changes every record of a collection.
    async fn patch(&self, collection: &str, change: impl Fn(&mut Value)) {
        let records = self.data.list(&Collection::from(collection)).await.unwrap();
        for mut record in records {
            change(&mut record.value);
            self.put(collection, &record.key, record.value).await;
        }
    }
}

/// Text of few lines with any kind of end.
fn own_text() -> impl Strategy<Value = String> {
    let line = (
        "[a-zé ]{0,4}",
        prop_oneof![4 => Just("\n"), 1 => Just("\r\n")],
    );
    let lines = proptest::collection::vec(line, 0..4);
    (lines, any::<bool>()).prop_map(|(lines, cut)| {
        let text: String = lines
            .iter()
            .map(|(text, end)| format!("{text}{end}"))
            .collect();
        match cut {
            true => text.trim_end_matches(['\r', '\n']).to_owned(),
            false => text,
        }
    })
}

#[tokio::test]
async fn a_hunk_that_changes_how_a_line_ends_can_be_given_back() {
    let base = "\r\nsecond\r\nthird";
    let list = [TextEdit {
        range: 0..1,
        text: String::new(),
    }];
    let world = World::new(&[("a", base)]);
    let set = world
        .stage("7f3a", json!([proposed("a", base, &list)]))
        .await;
    let hunk = set.hunks().next().unwrap().id;
    let text = world.sets.draft("7f3a", hunk, None).await.unwrap().text;
    assert_eq!(text, "\n");
    let again = world.sets.draft("7f3a", hunk, Some(&text)).await.unwrap();
    assert_eq!((again.meaning, again.text), (DraftMeaning::Proposed, text));
    let old = world.sets.draft("7f3a", hunk, Some("\r\n")).await.unwrap();
    assert_eq!(old.meaning, DraftMeaning::Unchanged);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whole lines around the hunk's edits hold the text, all others what they held.
    #[test]
    fn an_edited_hunk_lands_exactly_and_leaves_the_rest(
        (base, list) in text_and_edits(),
        nth in any::<prop::sample::Index>(),
        own in own_text(),
    ) {
        block_on(async {
            let world = World::new(&[("a", &base)]);
            let set = world.stage("7f3a", json!([proposed("a", &base, &list)])).await;
            let hunks: Vec<Hunk> = set.hunks().cloned().collect();
            if hunks.is_empty() {
                return Ok(());
            }
            let target = nth.get(&hunks);
            let others = hunks.iter().filter(|hunk| hunk.id != target.id);
            let mut selection: Vec<_> =
                others.clone().map(|hunk| (hunk.id, Verdict::Accept)).collect();
            selection.push(edit(target.id, &own));
            let draft = match world.sets.draft("7f3a", target.id, Some(&own)).await {
                Ok(draft) => draft,
                // The text moves a mark of encoding to the beginning.
                Err(error) => {
                    prop_assert!(error.to_string().contains("encoding mark"), "{}", error);
                    prop_assert!(reviewed(&world, selection).await.is_err());
                    return Ok(());
                }
            };
            let done = reviewed(&world, selection).await.unwrap();
            let is_edited = draft.meaning == DraftMeaning::Edited;
            let is_taken = draft.meaning != DraftMeaning::Unchanged;
            prop_assert_eq!(done.edited, usize::from(is_edited));
            prop_assert_eq!(done.rejected, usize::from(!is_taken));
            let shown = world.sets.get(None).await.unwrap();
            let after = shown.hunks().find(|hunk| hunk.id == target.id).unwrap();
            prop_assert_eq!(&after.edits, if is_edited { &draft.hunk.edits } else { &target.edits });

            let mut all: Vec<TextEdit> = Vec::new();
            for hunk in others.chain(is_taken.then_some(&draft.hunk)) {
                all.extend(hunk.edits.iter().map(|edit| TextEdit {
                    range: edit.start..edit.end,
                    text: edit.text.clone(),
                }));
            }
            all.sort_by_key(|edit| edit.range.start);
            prop_assert_eq!(world.file("a"), apply(&base, &all));
            if is_edited {
                whole_lines(&base, target, &draft)?;
            }
            if done.application.is_some() {
                world.sets.undo(None).await.unwrap();
            }
            prop_assert_eq!(world.file("a"), base);
            Ok(())
        })?;
    }

    /// What the draft tells of a hunk as it is can be given back, by any editor.
    #[test]
    fn the_text_of_a_draft_comes_to_what_was_proposed((base, list) in text_and_edits()) {
        block_on(async {
            let world = World::new(&[("a", &base)]);
            let set = world.stage("7f3a", json!([proposed("a", &base, &list)])).await;
            for hunk in set.hunks() {
                let text = world.sets.draft("7f3a", hunk.id, None).await.unwrap().text;
                let again = world.sets.draft("7f3a", hunk.id, Some(&text)).await.unwrap();
                prop_assert_ne!(again.meaning, DraftMeaning::Edited);
                prop_assert_eq!(again.text, text);
            }
            Ok(())
        })?;
    }
}

/// The edit of a draft replaces exactly the lines that the hunk's own edits touch.
fn whole_lines(base: &str, hunk: &Hunk, draft: &Draft) -> Result<(), TestCaseError> {
    let [edit] = &draft.hunk.edits[..] else {
        panic!("one edit is wanted: {:?}", draft.hunk.edits)
    };
    let begins_line = |at: usize| at == 0 || base.as_bytes()[at - 1] == b'\n';
    prop_assert_eq!(&edit.text, &draft.text);
    prop_assert!(begins_line(edit.start));
    prop_assert!(begins_line(edit.end) || edit.end == base.len());
    let (first, last) = (&hunk.edits[0], hunk.edits.last().unwrap());
    prop_assert!(edit.start <= first.start && last.end <= edit.end);
    prop_assert!(!base[edit.start..first.start].contains('\n'));
    let rest = base[last.end..edit.end].strip_suffix('\n');
    prop_assert!(!rest.unwrap_or(&base[last.end..edit.end]).contains('\n'));
    if edit.end < base.len() && !edit.text.is_empty() {
        prop_assert!(edit.text.ends_with('\n'));
    }
    Ok(())
}
