//! Rows against what a reader sees, and folds.

use super::*;
use crate::engine::Changes;
use proptest::prelude::*;
use symphony_ipc_protocol::xi::{CharWidth, FoldKind, Replace, Widths};

fn layout(wrap: Option<usize>, metrics: &Metrics) -> Layout<'_> {
    Layout {
        wrap,
        metrics,
        tab_width: 4,
        hidden: Hidden::default(),
    }
}

fn rows(text: &str, layout: &Layout<'_>) -> Vec<String> {
    let text = Text::from(text);
    let mut next = Some(layout.row_at(&text, 0));
    let mut out = Vec::new();
    while let Some(row) = next {
        out.push(text.slice(row.start, row.end).into_owned());
        next = layout.next_row(&text, &row);
    }
    out
}

#[test]
fn rows_break_where_unicode_allows_it() {
    let metrics = Metrics::Columns;
    let cases: [(&str, usize, &[&str]); 9] = [
        ("one two three", 8, &["one two ", "three"]),
        ("one two three", 7, &["one two ", "three"]),
        ("one two   three", 7, &["one two   ", "three"]),
        ("unbreakable", 4, &["unbr", "eaka", "ble"]),
        ("a-bc (d)\nnext", 4, &["a-bc ", "(d)", "next"]),
        ("日本語です", 4, &["日本", "語で", "す"]),
        (
            "e\u{301}e\u{301}e\u{301}",
            2,
            &["e\u{301}e\u{301}", "e\u{301}"],
        ),
        ("👩‍👩‍👧👩‍👩‍👧", 2, &["👩‍👩‍👧", "👩‍👩‍👧"]),
        ("\tab\r\n", 5, &["\t", "ab", ""]),
    ];
    for (text, width, expected) in cases {
        assert_eq!(
            rows(text, &layout(Some(width), &metrics)),
            expected,
            "{text:?}"
        );
    }
    assert_eq!(
        rows("one two\r\n\nthree", &layout(None, &metrics)),
        ["one two", "", "three"]
    );
}

#[test]
fn measured_widths_decide_where_given() {
    let widths = |first, last, width| CharWidth { first, last, width };
    let metrics = Metrics::measured(Widths {
        narrow: 10,
        wide: 19,
        chars: vec![widths('m', 'm', 15), widths('i', 'l', 5)],
    })
    .unwrap();
    assert_eq!(rows("mmm", &layout(Some(30), &metrics)), ["mm", "m"]);
    assert_eq!(rows("iiijjj", &layout(Some(30), &metrics)), ["iiijjj"]);
    assert_eq!(rows("日本", &layout(Some(30), &metrics)), ["日", "本"]);
    let overlapping = Widths {
        narrow: 1,
        wide: 2,
        chars: vec![widths('a', 'f', 1), widths('c', 'd', 2)],
    };
    assert_eq!(Metrics::measured(overlapping), None);
}

#[test]
fn going_up_and_down_keeps_the_goal() {
    let metrics = Metrics::Columns;
    let text = Text::from("aaaa bbbb\n\nccccc");
    let plain = layout(None, &metrics);
    assert_eq!(plain.moved(&text, 7, 1, None), (10, 7));
    assert_eq!(plain.moved(&text, 10, 1, Some(7)), (16, 7));
    assert_eq!(plain.moved(&text, 16, -9, Some(3)), (3, 3));
    let wrapped = layout(Some(5), &metrics);
    // From the second row of the first line to its first one.
    assert_eq!(wrapped.moved(&text, 7, -1, None), (2, 2));
    assert_eq!(wrapped.moved(&text, 2, 1, None), (7, 2));
    assert_eq!(wrapped.moved(&text, 9, -1, None), (4, 4));
}

#[test]
fn folded_lines_are_left_out_and_follow_edits() {
    let metrics = Metrics::Columns;
    let text = Text::from("a {\n  b\n  c\n}\nd");
    let fold = Folded::new(&text, 0, 2).unwrap();
    let mut folded = layout(None, &metrics);
    folded.hidden = Hidden::new(&text, &[fold]);
    assert_eq!(rows("a {\n  b\n  c\n}\nd", &folded), ["a {", "}", "d"]);
    assert_eq!(folded.moved(&text, 0, 1, None), (12, 0));
    assert_eq!(folded.moved(&text, 12, -1, None), (0, 0));
    assert_eq!(folded.hidden.after(0), 2);
    let change = |start, end, new: &str| {
        Changes::of_edits(&[Replace {
            start,
            end,
            text: new.to_owned(),
        }])
    };
    // A line before it, and typing at the end of the line that stays.
    let later = Text::from("0\na {x\n  b\n  c\n}\nd");
    let moved = fold.moved_by(&change(0, 0, "0\n"), &Text::from("0\na {\n  b\n  c\n}\nd"));
    let moved = moved.unwrap().moved_by(&change(5, 5, "x"), &later).unwrap();
    assert_eq!(moved.lines(&later), (1, 3));
    // Without its lines it is gone.
    let gone = fold.moved_by(&change(3, 11, ""), &Text::from("a {\n}\nd"));
    assert_eq!(gone, None);
}

#[test]
fn a_fold_to_the_end_of_the_text_shows_the_line_that_stays() {
    let metrics = Metrics::Columns;
    let text = Text::from("a\nb\nc");
    let mut folded = layout(None, &metrics);
    folded.hidden = Hidden::new(&text, &[Folded::new(&text, 0, 9).unwrap()]);
    assert_eq!(folded.moved(&text, 0, 5, None), (0, 0));
    assert_eq!(folded.row_at(&text, 4).line, 0);
}

#[test]
fn what_can_be_folded_is_found_by_brackets_and_indentation() {
    let text =
        Text::from("fn a() {\n  if (x\n    && y) {\n    z\n  }\n}\nlist:\n  one\n\n  two\nend\n");
    let found: Vec<_> = foldable(&text, 4, 0, 100)
        .into_iter()
        .map(|f| (f.first, f.last, f.by))
        .collect();
    assert_eq!(
        found,
        [
            (1, 5, FoldKind::Brackets),
            (2, 3, FoldKind::Brackets),
            (3, 4, FoldKind::Brackets),
            (7, 10, FoldKind::Indentation),
        ]
    );
    // Only of the lines asked for, though their ends lie outside.
    let some: Vec<_> = foldable(&text, 4, 1, 1)
        .iter()
        .map(|f| (f.first, f.last))
        .collect();
    assert_eq!(some, [(2, 3)]);
}

#[test]
fn what_ends_too_far_away_is_not_offered_and_costs_little() {
    let far = Text::from(format!("{{\n{}}}\n", " x\n".repeat(30_000)).as_str());
    assert_eq!(foldable(&far, 4, 0, 1), []);
    let open = Text::from("(".repeat(200_000).as_str());
    assert_eq!(foldable(&open, 4, 0, 1), []);
}

#[test]
fn a_row_of_a_huge_line_is_found_without_reading_the_line() {
    let text = Text::from("word ".repeat(2_000_000).as_str());
    let metrics = Metrics::Columns;
    let wrapped = layout(Some(80), &metrics);
    let start = std::time::Instant::now();
    let row = wrapped.row_at(&text, 9_000_000);
    assert!(row.start <= 9_000_000 && 9_000_000 < row.end);
    assert!(wrapped.next_row(&text, &row).is_some());
    assert!(start.elapsed().as_millis() < 500);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Rows lose nothing, are no wider than they may, and are the same from wherever one looks.
    #[test]
    fn rows_hold_the_text_and_are_found_from_anywhere(
        parts in proptest::collection::vec("(a|bc|é|e\u{301}|日|👩‍👩‍👧| |  |\n|\r\n|-|\t|ש){0,12}", 0..5),
        width in 1..12_usize,
    ) {
        let string = parts.concat();
        let text = Text::from(string.as_str());
        let metrics = Metrics::Columns;
        let wrapped = layout(Some(width), &metrics);
        let mut row = wrapped.row_at(&text, 0);
        let mut seen = text.slice(row.start, row.end).into_owned();
        loop {
            let shown = text.slice(row.start, row.end);
            let clusters = (row.start..row.end).filter(|at| text.is_cluster_border(*at)).count();
            let trimmed = row.start + shown.trim_end_matches(' ').len();
            prop_assert!(clusters <= 1 || wrapped.width_to(&text, &row, text.snap(trimmed)) <= width.max(4));
            for at in (row.start..row.end).filter(|at| text.is_border(*at)) {
                prop_assert_eq!(wrapped.row_at(&text, at), row);
            }
            let Some(next) = wrapped.next_row(&text, &row) else { break };
            prop_assert_eq!(wrapped.previous_row(&text, &next), Some(row));
            seen.push_str(&text.slice(row.end, next.start));
            seen.push_str(&text.slice(next.start, next.end));
            row = next;
        }
        prop_assert_eq!(seen, string);
    }
}
