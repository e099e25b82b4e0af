use super::*;
use crate::companion::Snapshot;
use crate::plugins::dialect::{self, Incoming};
use proptest::prelude::*;
use symphony_ipc_protocol::xi::BufferKey;

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// Reads on to the end, as a plugin does.
fn read_from(text: &Text, mut at: usize, max_size: usize) -> String {
    let mut out = String::new();
    while at < text.len() {
        let chunk = data(text, at, Unit::Utf8, max_size).unwrap();
        assert_eq!(number(&chunk["offset"]), at);
        let line_start = text.line_start(number(&chunk["first_line"]));
        assert_eq!(line_start + number(&chunk["first_line_offset"]), at);
        let piece = chunk["chunk"].as_str().unwrap();
        assert!(!piece.is_empty(), "whoever reads on gets somewhere");
        at += piece.len();
        out += piece;
    }
    out
}

proptest! {
    #[test]
    fn chunks_of_any_size_make_the_whole_text(text in "[aé日😀\n]{0,40}", max in 0_usize..20) {
        let rope = Text::from(text.as_str());
        prop_assert_eq!(&read_from(&rope, 0, max), &text);
        for line in 0..=rope.lines() {
            let chunk = data(&rope, line, Unit::Line, max).unwrap();
            let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
            prop_assert_eq!(number(&chunk["offset"]), start);
            let rest = &text[start..];
            prop_assert!(rest.starts_with(chunk["chunk"].as_str().unwrap()));
        }
    }

    #[test]
    fn any_place_is_answered_or_refused(
        text in "[aé日\n]{0,10}",
        start in prop_oneof![0_usize..40, Just(usize::MAX)],
        max in prop_oneof![0_usize..40, Just(usize::MAX)],
        by_line in any::<bool>(),
    ) {
        let rope = Text::from(text.as_str());
        let unit = if by_line { Unit::Line } else { Unit::Utf8 };
        let limit = if by_line { rope.lines() } else { rope.len() };
        prop_assert_eq!(data(&rope, start, unit, max).is_some(), start <= limit);
    }

    #[test]
    fn any_spans_are_refused_or_lie_in_the_text(
        text in "[aé日\n]{0,10}",
        place in (0_usize..20, prop_oneof![0_usize..20, Just(usize::MAX)]),
        spans in prop::collection::vec((0_usize..20, prop_oneof![0_usize..20, Just(usize::MAX)], 0_usize..4), 0..5),
    ) {
        let snapshot = Snapshot {
            buffer: BufferKey::from_u128(1),
            path: None,
            revision: 0,
            text: Text::from(text.as_str()),
        };
        let mut view = View::new(&snapshot);
        prop_assert!(view.add_scopes(vec![vec!["source.x".to_owned(), "a".to_owned()], vec!["b".to_owned()], vec![]]));
        let spans: Vec<_> = spans
            .into_iter()
            .map(|(start, end, scope_id)| ScopeSpan { start, end, scope_id })
            .collect();
        if let Some((range, scopes, spans)) = compact(&view, &snapshot.text, place, &spans) {
            prop_assert!(text.get(range.start..range.end).is_some());
            for (start, end, scope) in spans {
                prop_assert!(range.start <= start && start < end && end <= range.end);
                prop_assert!(text.get(start..end).is_some());
                prop_assert!(scope < scopes.len());
            }
        }
    }

    #[test]
    fn any_line_is_read_or_refused(line in prop::collection::vec(any::<u8>(), 0..200)) {
        // The outcome is of no interest: it must come.
        let _ = dialect::parse(&line);
    }

    #[test]
    fn lines_that_are_nearly_right_are_read_or_refused(
        method in prop::sample::select(vec!["get_data", "line_count", "edit", "update_spans", "add_scopes",
            "alert", "show_hover", "update_annotations", "add_status_item", "nonsense"]),
        id in prop::option::of(any::<i32>()),
        view in "(view-id-)?[0-9]{0,25}",
        rest in r#"("start":-?[0-9]{1,25},)?("rev":[0-9]{1,3},)?("msg":"[a-z]*",)?("scopes":\[(\["a"\])?\],)?"#,
    ) {
        let id = id.map(|id| format!(r#""id":{id},"#)).unwrap_or_default();
        let line = format!(r#"{{{id}"method":"{method}","params":{{{rest}"view_id":"{view}"}}}}"#);
        if let Ok(Incoming::Notification { .. }) = dialect::parse(line.as_bytes()) {
            prop_assert!(id.is_empty());
        }
    }
}

#[test]
fn neighbours_of_one_scope_are_joined() {
    let snapshot = Snapshot {
        buffer: BufferKey::from_u128(1),
        path: None,
        revision: 0,
        text: Text::from("fn main() {}"),
    };
    let mut view = View::new(&snapshot);
    let stack = |s: &str| vec!["source.rust".to_owned(), s.to_owned()];
    assert!(view.add_scopes(vec![stack("keyword"), stack("function")]));
    let spans =
        [(0, 1, 0), (1, 2, 0), (2, 2, 0), (3, 7, 1)].map(|(start, end, scope_id)| ScopeSpan {
            start,
            end,
            scope_id,
        });
    let (range, scopes, spans) = compact(&view, &snapshot.text, (0, 12), &spans).unwrap();
    assert_eq!((range.start, range.end), (0, 12));
    assert_eq!(scopes, ["source.rust keyword", "source.rust function"]);
    assert_eq!(spans, [(0, 2, 0), (3, 7, 1)]);
}

#[test]
fn texts_to_show_are_cut_on_borders() {
    assert_eq!(cut("aé".to_owned(), 2), "a");
    assert_eq!(cut("aé".to_owned(), 3), "aé");
    assert_eq!(cut(String::new(), 3), "");
}
