use super::*;
use proptest::prelude::*;
use std::time::Duration;

fn replace(start: usize, end: usize, text: &str) -> Replace {
    Replace {
        start,
        end,
        text: text.to_owned(),
    }
}

fn apply(text: &str, edits: &[Replace]) -> String {
    let mut out = text.to_owned();
    for edit in edits.iter().rev() {
        out.replace_range(edit.start..edit.end, &edit.text);
    }
    out
}

fn content(buffer: &Buffer) -> String {
    String::from(buffer.text())
}

fn user(group: Option<u64>) -> EditOrigin {
    EditOrigin {
        author: String::new(),
        group,
    }
}

fn type_at(buffer: &mut Buffer, at: usize, text: &str, group: Option<u64>) -> Applied {
    buffer
        .edit(
            None,
            vec![replace(at, at, text)],
            OnOverlap::Merge,
            &user(group),
        )
        .unwrap()
}

#[test]
fn edits_of_one_group_are_undone_together() {
    let mut buffer = Buffer::new(Text::from("x"));
    type_at(&mut buffer, 1, "a", Some(1));
    type_at(&mut buffer, 2, "b", Some(1));
    type_at(&mut buffer, 3, "c", Some(2));
    type_at(&mut buffer, 4, "d", None);
    type_at(&mut buffer, 5, "e", None);
    let mut seen = vec![content(&buffer)];
    while buffer.undo().changed {
        seen.push(content(&buffer));
    }
    assert_eq!(seen, ["xabcde", "xabcd", "xabc", "xab", "x"]);
    while buffer.redo().changed {}
    assert_eq!(content(&buffer), "xabcde");
}

#[test]
fn an_edit_after_undo_ends_redo_and_begins_a_group() {
    let mut buffer = Buffer::new(Text::default());
    type_at(&mut buffer, 0, "a", Some(1));
    type_at(&mut buffer, 1, "b", Some(2));
    buffer.undo();
    type_at(&mut buffer, 1, "c", Some(1));
    assert!(!buffer.redo().changed);
    buffer.undo();
    assert_eq!(content(&buffer), "a");
}

#[test]
fn an_overlap_is_refused_or_merged_as_asked() {
    let mut buffer = Buffer::new(Text::from("one two three"));
    let edit = |buffer: &mut Buffer, base, start, end, text: &str, policy| {
        buffer.edit(base, vec![replace(start, end, text)], policy, &user(None))
    };
    edit(&mut buffer, Some(0), 4, 7, "TWO", OnOverlap::Refuse).unwrap();
    let error = edit(&mut buffer, Some(0), 6, 9, "x", OnOverlap::Refuse).unwrap_err();
    assert_eq!(
        error,
        EditError::Overlap {
            base: 0,
            newest: 1,
            overlaps: vec![Span { start: 4, end: 7 }]
        }
    );
    assert_eq!(content(&buffer), "one TWO three");
    edit(&mut buffer, Some(0), 8, 13, "THREE", OnOverlap::Refuse).unwrap();
    let merged = edit(&mut buffer, Some(0), 6, 8, "x", OnOverlap::Merge).unwrap();
    assert_eq!(content(&buffer), "one TWOxTHREE");
    assert_eq!(merged.overlaps, [Span { start: 4, end: 8 }]);
}

#[test]
fn text_that_came_back_is_no_overlap() {
    let mut buffer = Buffer::new(Text::from("one two"));
    let change = vec![replace(0, 3, "1"), replace(4, 7, "2")];
    buffer
        .edit(Some(0), change.clone(), OnOverlap::Refuse, &user(None))
        .unwrap();
    buffer.undo();
    buffer
        .edit(Some(0), change, OnOverlap::Refuse, &user(None))
        .unwrap();
    assert_eq!(content(&buffer), "1 2");
}

#[test]
fn bad_ranges_are_refused_and_change_nothing() {
    let mut buffer = Buffer::new(Text::from("aé"));
    let mut error = |base, edits| {
        buffer
            .edit(base, edits, OnOverlap::Merge, &user(None))
            .unwrap_err()
    };
    assert_eq!(
        error(None, vec![replace(2, 2, "x")]),
        EditError::NotABorder { offset: 2 }
    );
    assert!(matches!(
        error(None, vec![replace(0, 4, "x")]),
        EditError::OutOfRange { len: 3, .. }
    ));
    assert!(matches!(
        error(None, vec![replace(1, 0, "x")]),
        EditError::OutOfRange { .. }
    ));
    assert!(matches!(
        error(None, vec![replace(1, 3, "x"), replace(0, 1, "y")]),
        EditError::NotSorted { index: 1, .. }
    ));
    assert!(matches!(
        error(Some(1), vec![replace(0, 0, "x")]),
        EditError::NoSuchRevision { newest: 0, .. }
    ));
    assert_eq!((buffer.revision(), content(&buffer)), (0, "aé".to_owned()));
}

#[test]
fn a_base_beyond_the_window_is_too_old() {
    let mut buffer = Buffer::new(Text::default());
    for _ in 0..=HELD_REVISIONS {
        type_at(&mut buffer, 0, "x", None);
    }
    let edits = vec![replace(0, 0, "y")];
    let error = buffer
        .edit(Some(0), edits.clone(), OnOverlap::Merge, &user(None))
        .unwrap_err();
    assert_eq!(error, EditError::BaseTooOld { base: 0, oldest: 1 });
    buffer
        .edit(Some(1), edits, OnOverlap::Merge, &user(None))
        .unwrap();
}

#[test]
fn an_edit_that_changes_nothing_is_no_revision() {
    let mut buffer = Buffer::new(Text::from("same"));
    let applied = buffer
        .edit(
            Some(0),
            vec![replace(1, 3, "am")],
            OnOverlap::Refuse,
            &user(None),
        )
        .unwrap();
    assert!(!applied.changed);
    assert_eq!(buffer.revision(), 0);
    assert!(!buffer.undo().changed);
}

#[test]
fn a_state_comes_back_with_its_digest() {
    let mut buffer = Buffer::new(Text::from("a\r\nb\n"));
    let (state, summary) = (buffer.state(), buffer.summary());
    type_at(&mut buffer, 0, "x", None);
    assert_ne!(buffer.state(), state);
    assert_ne!(buffer.summary(), summary);
    buffer.undo();
    assert_eq!((buffer.state(), buffer.summary()), (state, summary));
}

/// What a random session does next; numbers are reduced to what is there.
#[derive(Debug, Clone)]
enum Step {
    Edit {
        back: usize,
        raw: Vec<(usize, usize, String)>,
        group: Option<u64>,
    },
    Undo,
    Redo,
    Tidy,
}

fn step() -> impl Strategy<Value = Step> {
    let place = (0..60_usize, 0..6_usize, "[aé日\n]{0,3}");
    prop_oneof![
        6 => (0..8_usize, proptest::collection::vec(place, 1..4), proptest::option::of(0..3_u64))
            .prop_map(|(back, raw, group)| Step::Edit { back, raw, group }),
        2 => Just(Step::Undo),
        1 => Just(Step::Redo),
        1 => Just(Step::Tidy),
    ]
}

/// Turns raw numbers into sorted edits on character borders of `text`.
fn valid_edits(text: &str, raw: &[(usize, usize, String)]) -> Vec<Replace> {
    let borders: Vec<usize> = text
        .char_indices()
        .map(|(i, _)| i)
        .chain([text.len()])
        .collect();
    let mut raw: Vec<_> = raw
        .iter()
        .map(|(at, size, text)| (at % borders.len(), *size, text))
        .collect();
    raw.sort_by_key(|r| r.0);
    let mut out: Vec<Replace> = Vec::new();
    for (at, size, text) in raw {
        let start = borders[at].max(out.last().map_or(0, |e| e.end));
        let end = borders[(at + size).min(borders.len() - 1)].max(start);
        out.push(replace(start, end, text));
    }
    out
}

/// One group as the model sees it: the text before and after.
struct ModelGroup {
    key: Option<u64>,
    before: String,
    after: String,
}

/// What the model makes of an edit: it joins the newest group or begins one.
fn count_edit(
    done: &mut Vec<ModelGroup>,
    joins: bool,
    key: Option<u64>,
    before: String,
    after: String,
) {
    match done.last_mut() {
        Some(group) if joins && group.key.is_some() && group.key == key => group.after = after,
        _ => done.push(ModelGroup { key, before, after }),
    }
}

/// Runs steps against a buffer and a model of plain strings.
fn run(initial: &str, steps: &[Step], limits: Limits, deep: bool) -> Result<(), TestCaseError> {
    let mut buffer = Buffer::with_limits(Text::from(initial), limits);
    let mut texts = vec![initial.to_owned()];
    let (mut done, mut undone): (Vec<ModelGroup>, Vec<ModelGroup>) = (Vec::new(), Vec::new());
    for step in steps {
        let before = texts.last().unwrap().clone();
        let applied = match step {
            Step::Edit { back, raw, group } => {
                let base = texts.len() - 1 - back.min(&(texts.len() - 1));
                let edits = valid_edits(&texts[base], raw);
                let applied = buffer
                    .edit(
                        Some(base as u64),
                        edits.clone(),
                        OnOverlap::Merge,
                        &user(*group),
                    )
                    .unwrap();
                let after = apply(&before, &applied.edits);
                if *back == 0 {
                    prop_assert_eq!(&after, &apply(&before, &edits));
                }
                if applied.changed {
                    let joins = undone.is_empty();
                    count_edit(&mut done, joins, *group, before.clone(), after);
                    undone.clear();
                }
                applied
            }
            Step::Undo => {
                let applied = buffer.undo();
                if deep {
                    if let Some(mut group) = done.pop() {
                        prop_assert_eq!(content(&buffer), group.before.as_str());
                        group.key = None;
                        undone.push(group);
                        done.iter_mut().for_each(|g| g.key = None);
                    } else {
                        prop_assert!(!applied.changed);
                    }
                }
                applied
            }
            Step::Redo => {
                let applied = buffer.redo();
                if deep {
                    if let Some(group) = undone.pop() {
                        prop_assert_eq!(content(&buffer), group.after.as_str());
                        done.push(group);
                    } else {
                        prop_assert!(!applied.changed);
                    }
                }
                applied
            }
            Step::Tidy => {
                buffer.tidy();
                buffer.unchanged(Vec::new())
            }
        };
        // The reported edits lead from the text before to the text now.
        let now = apply(&before, &applied.edits);
        prop_assert_eq!(content(&buffer), now.as_str());
        if applied.changed {
            texts.push(now);
        }
        prop_assert_eq!(buffer.revision() as usize + 1, texts.len());
        prop_assert!(
            applied
                .overlaps
                .iter()
                .all(|o| buffer.text().is_border(o.start) && buffer.text().is_border(o.end))
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Edits against random held bases equal the model; undo and redo restore exactly.
    #[test]
    fn random_sessions_equal_the_model(steps in proptest::collection::vec(step(), 0..40)) {
        run("héllo wörld\nsecond 日本 line", &steps, Limits::default(), true)?;
    }

    /// Collecting at every step neither panics nor changes text (undo depth shrinks, so it is not modelled).
    #[test]
    fn collection_changes_nothing(
        steps in proptest::collection::vec(step(), 0..60),
        groups in 1..4_usize,
        bytes in prop_oneof![Just(20_usize), Just(usize::MAX)],
    ) {
        let limits = Limits { groups, steps: 4, bytes, group_steps: 3, pause: Duration::ZERO };
        run("héllo wörld\nsecond 日本 line", &steps, limits, false)?;
        run("", &steps, limits, false)?;
    }

    /// Within its depth, undo after collection restores exactly.
    #[test]
    fn undo_after_collection_restores(places in proptest::collection::vec((0..1000_usize, 0..4_usize), 30..60)) {
        let limits = Limits { groups: 5, steps: 12, bytes: usize::MAX, group_steps: 3, pause: Duration::ZERO };
        let mut buffer = Buffer::with_limits(Text::from("0123456789"), limits);
        let mut texts = vec![content(&buffer)];
        for (at, size) in places {
            let text = content(&buffer);
            let at = at % (text.len() + 1);
            let end = (at + size).min(text.len());
            buffer.edit(None, vec![replace(at, end, "xy")], OnOverlap::Refuse, &user(None)).unwrap();
            if content(&buffer) != *texts.last().unwrap() {
                texts.push(content(&buffer));
            }
        }
        let newest = texts.pop().unwrap();
        let mut depth = 0;
        while let (true, Some(text)) = (buffer.undo().changed, texts.pop()) {
            prop_assert_eq!(content(&buffer), text);
            depth += 1;
        }
        prop_assert!(depth >= 5);
        while buffer.redo().changed {}
        prop_assert_eq!(content(&buffer), newest);
    }
}
