//! What was recorded of a buffer leads to the same buffer.

use super::*;
use proptest::prelude::*;
use std::time::Duration;

#[derive(Debug, Clone)]
enum Act {
    Edit(usize, usize, String, Option<u64>),
    Typed(usize, String, u64),
    Joining(usize, String),
    Undo,
    Redo,
    To(prop::sample::Index),
    Tidy,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let place = 0..40_usize;
    let act = prop_oneof![
        6 => (place.clone(), 0..6_usize, "[aé\n]{0,4}", proptest::option::of(0..3_u64))
            .prop_map(|(at, len, text, group)| Act::Edit(at, len, text, group)),
        3 => (place.clone(), "[xy]{1,2}", 0..2_u64).prop_map(|(at, text, run)| Act::Typed(at, text, run)),
        1 => (place, "[j]{1,2}").prop_map(|(at, text)| Act::Joining(at, text)),
        4 => Just(Act::Undo),
        2 => Just(Act::Redo),
        2 => any::<prop::sample::Index>().prop_map(Act::To),
        1 => Just(Act::Tidy),
    ];
    proptest::collection::vec(act, 0..60)
}

fn few() -> Limits {
    Limits {
        groups: 6,
        steps: 12,
        group_steps: 4,
        pause: Duration::from_secs(60),
        ..Limits::default()
    }
}

fn replace(buffer: &Buffer, at: usize, len: usize, text: &str) -> Replace {
    let start = buffer.text.border_before(at.min(buffer.text.len()) + 1);
    let start = start.min(buffer.text.len());
    let end = (start + len).min(buffer.text.len());
    let end = (start..=end).rev().find(|at| buffer.text.is_border(*at));
    Replace {
        start,
        end: end.unwrap_or(start),
        text: text.to_owned(),
    }
}

fn act(buffer: &mut Buffer, act: &Act) {
    let origin = |group| EditOrigin {
        author: "ada".to_owned(),
        group,
    };
    match act {
        Act::Edit(at, len, text, group) => {
            let edit = replace(buffer, *at, *len, text);
            let origin = origin(*group);
            buffer
                .edit(None, vec![edit], OnOverlap::Merge, &origin)
                .unwrap();
        }
        Act::Typed(at, text, moves) => {
            let run = Run {
                view: 7,
                moves: *moves,
                deletes: false,
            };
            let edit = replace(buffer, *at, 0, text);
            buffer.edit_in_run(vec![edit], run, &origin(None)).unwrap();
        }
        Act::Joining(at, text) => {
            let edit = replace(buffer, *at, 0, text);
            let origin = origin(None);
            buffer
                .edit_joining(None, vec![edit], OnOverlap::Merge, &origin)
                .unwrap();
        }
        Act::Undo => drop(buffer.undo()),
        Act::Redo => drop(buffer.redo()),
        Act::To(index) => {
            let nodes = buffer.undo_tree();
            buffer.undo_to(index.get(&nodes).node).unwrap();
        }
        Act::Tidy => buffer.tidy(),
    }
}

fn assert_same(one: &Buffer, other: &Buffer) {
    assert_eq!(String::from(&one.text), String::from(&other.text));
    assert_eq!(one.standing(), other.standing());
    assert_eq!(one.undo_tree(), other.undo_tree());
}

fn live(start: &str) -> (Buffer, Root) {
    let mut live = Buffer::with_limits(Text::from(start), few());
    live.keep_ops();
    let root = live.standing().root;
    (live, root)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// After any number of changes, and whatever is done next.
    #[test]
    fn what_was_recorded_leads_to_the_same_buffer(before in acts(), after in acts()) {
        let (mut live, root) = live("start é\n");
        before.iter().for_each(|a| act(&mut live, a));
        let ops = live.take_ops();
        let mut again = Buffer::resume_within(Text::from("start é\n"), 0, &root, few());
        for op in &ops {
            again.again(op).unwrap();
        }
        again.resumed();
        assert_same(&live, &again);
        prop_assert_eq!(live.oldest(), again.oldest());
        for base in live.oldest()..live.revision() {
            prop_assert_eq!(
                String::from(live.at(Some(base)).unwrap()),
                String::from(again.at(Some(base)).unwrap())
            );
        }
        // Times differ from here on, so the trees are compared without them.
        for a in &after {
            act(&mut live, a);
            act(&mut again, a);
            prop_assert_eq!(String::from(&live.text), String::from(&again.text));
            prop_assert_eq!(live.node(), again.node());
            prop_assert_eq!(live.state(), again.state());
        }
    }

    /// A record that begins amid an undo tree has the right texts and revisions.
    #[test]
    fn a_record_from_the_middle_leads_to_the_same_text(before in acts(), after in acts()) {
        let (mut live, _) = live("start\n");
        before.iter().for_each(|a| act(&mut live, a));
        live.take_ops();
        let root = Root { node: live.node(), state: live.state(), ..Root::default() };
        let mut again = Buffer::resume_within(live.text.clone(), live.revision, &root, few());
        after.iter().for_each(|a| act(&mut live, a));
        for op in live.take_ops() {
            again.again(&op).unwrap();
        }
        prop_assert_eq!(String::from(&live.text), String::from(&again.text));
        prop_assert_eq!(live.revision, again.revision);
        prop_assert_eq!((live.node(), live.state()), (again.node(), again.state()));
    }
}

#[test]
fn an_edit_that_does_not_fit_is_refused() {
    let mut buffer = Buffer::resume(Text::from("é"), 3, &Root::default());
    let edit = |start, end, node| {
        Op::Edit(EditOp {
            edits: vec![Replace {
                start,
                end,
                text: "x".to_owned(),
            }],
            author: String::new(),
            node,
            key: None,
            state: 1,
            time: 0,
        })
    };
    assert!(buffer.again(&edit(0, 9, 1)).is_err());
    assert!(buffer.again(&edit(1, 2, 1)).is_err());
    assert!(buffer.again(&edit(0, 2, 1)).is_ok());
    assert!(
        buffer.again(&edit(0, 0, 0)).is_err(),
        "not the current group"
    );
    assert_eq!(String::from(buffer.text()), "x");
    assert_eq!(buffer.revision(), 4);
}
