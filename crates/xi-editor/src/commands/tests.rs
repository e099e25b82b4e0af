//! Commands against random texts, selections and other people's edits.

use super::tables::{apply, outcome};
use super::*;
use proptest::prelude::*;
use symphony_ipc_protocol::xi::{Corner, Direction, Indent, LetterCase, Side, Unit};

const PART: &str =
    "(a|B|_|0|é|e\u{301}|日|か|👩‍👩‍👧|🇩🇪|ש|\u{301}| |  |\t|\n|\r\n|\\(|\\)|\\{|\\}|\"|'|,|//|-){0,14}";

fn texts() -> impl Strategy<Value = String> {
    proptest::collection::vec(PART, 0..4).prop_map(|parts| parts.concat())
}

fn settings() -> impl Strategy<Value = Settings> {
    let indent = prop_oneof![
        Just(Indent::Tabs),
        (1..5_u32).prop_map(|width| Indent::Spaces { width })
    ];
    let language = prop_oneof![Just("rs"), Just("html"), Just("txt"), Just("js")];
    (indent, 1..9_usize, language, any::<bool>()).prop_map(
        |(indent, tab_width, name, auto_pairs)| Settings {
            indent,
            tab_width,
            language: language_of(name).unwrap(),
            auto_pairs,
        },
    )
}

fn units() -> impl Strategy<Value = Unit> {
    proptest::sample::select(vec![
        Unit::Grapheme,
        Unit::Word,
        Unit::Subword,
        Unit::Line,
        Unit::LineEdge,
        Unit::Paragraph,
        Unit::Page,
        Unit::Bracket,
        Unit::Document,
    ])
}

fn directions() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Forward), Just(Direction::Backward)]
}

fn commands() -> impl Strategy<Value = Command> {
    let side = || prop_oneof![Just(Side::Above), Just(Side::Below)];
    let corner = || (0..5_usize, 0..9_usize).prop_map(|(line, column)| Corner { line, column });
    let case = prop_oneof![
        Just(LetterCase::Upper),
        Just(LetterCase::Lower),
        Just(LetterCase::Title)
    ];
    prop_oneof![
        6 => (units(), directions(), 1..4_u32, any::<bool>()).prop_map(
            |(by, direction, count, extend)| Command::Move { by, direction, count, extend }),
        1 => (0..5_usize, 0..9_usize, any::<bool>())
            .prop_map(|(line, column, extend)| Command::GotoLine { line, column, extend }),
        2 => side().prop_map(|side| Command::AddCursor { side }),
        1 => (corner(), corner()).prop_map(|(anchor, head)| Command::SelectColumns { anchor, head }),
        3 => "(x|é|\\(|\\)|\"|\u{301}|\n|ab|🇩|🇪)".prop_map(|text| Command::Insert { text }),
        3 => (units(), directions()).prop_map(|(by, direction)| Command::Delete { by, direction }),
        2 => side().prop_map(|side| Command::MoveLines { side }),
        1 => case.prop_map(|to| Command::Case { to }),
        1 => proptest::collection::vec("(x|\n|é){0,2}", 0..3).prop_map(|texts| Command::Paste { texts }),
        8 => proptest::sample::select(vec![
            Command::AddNextOccurrence,
            Command::SelectAll,
            Command::SelectLine,
            Command::SelectWord,
            Command::Collapse,
            Command::InsertNewline,
            Command::Indent,
            Command::Outdent,
            Command::ToggleComment,
            Command::DuplicateLines,
            Command::DeleteLines,
            Command::Transpose,
            Command::JoinLines,
            Command::Copy,
            Command::Cut,
        ]),
    ]
}

/// Selections from raw numbers, as `select` makes them.
fn carets(text: &str, raw: &[(usize, usize)]) -> Carets {
    let text = Text::from(text);
    let at = |n: usize| text.border_before(n % (text.len() + 1));
    let list = raw
        .iter()
        .map(|(a, b)| Caret::new(at(*a), at(*b)))
        .collect();
    Carets::new(list, 0).snapped(&text)
}

fn raw_carets() -> impl Strategy<Value = Vec<(usize, usize)>> {
    let one = prop_oneof![
        (0..90_usize).prop_map(|at| (at, at)),
        (0..90_usize, 0..90_usize)
    ];
    proptest::collection::vec(one, 1..4)
}

fn valid(text: &str, carets: &Carets) -> Result<(), TestCaseError> {
    let rope = Text::from(text);
    prop_assert!(carets.count() > 0 && carets.primary_index() < carets.count());
    for caret in carets.iter() {
        prop_assert!(caret.end() <= text.len(), "{:?} of {:?}", caret, text);
        prop_assert!(
            rope.is_cluster_border(caret.anchor),
            "{:?} of {:?}",
            caret,
            text
        );
        prop_assert!(
            rope.is_cluster_border(caret.head),
            "{:?} of {:?}",
            caret,
            text
        );
    }
    let list: Vec<&Caret> = carets.iter().collect();
    for pair in list.windows(2) {
        let apart = pair[0].end() < pair[1].start()
            || (pair[0].end() == pair[1].start() && !pair[0].is_empty() && !pair[1].is_empty());
        prop_assert!(apart, "{:?}", list);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// After any commands and other people's edits the selections are as promised.
    #[test]
    fn selections_stay_sorted_apart_in_bounds_and_on_borders(
        text in texts(),
        raw in raw_carets(),
        settings in settings(),
        steps in proptest::collection::vec((commands(), proptest::option::of((0..90_usize, 0..9_usize, PART))), 1..12),
    ) {
        let mut carets = carets(&text, &raw);
        let mut text = text;
        valid(&text, &carets)?;
        for (command, foreign) in steps {
            let (after, moved, _) = outcome(&text, &carets, &settings, &command);
            valid(&after, &moved).map_err(|e| TestCaseError::fail(format!("{command:?} on {text:?} {carets:?}: {e}")))?;
            (text, carets) = (after, moved);
            if let Some((at, size, new)) = foreign {
                let rope = Text::from(text.as_str());
                let start = rope.border_before(at % (text.len() + 1));
                let end = rope.border_before(start + size).max(start);
                let edits = [Replace { start, end, text: new }];
                text = apply(&text, &edits);
                carets = carets.moved_by(&Changes::of_edits(&edits)).snapped(&Text::from(text.as_str()));
                valid(&text, &carets)?;
            }
        }
    }

    /// Moving selections one by one over one change is what all at once are.
    #[test]
    fn selections_move_as_single_positions_do(
        raw in raw_carets(),
        edits in proptest::collection::vec((0..30_usize, 0..4_usize, "[a-z]{0,3}"), 0..5),
    ) {
        let text = "abcdefghijklmnopqrstuvwxyz0123456789";
        let carets = carets(text, &raw);
        let mut end = 0;
        let mut list: Vec<Replace> = Vec::new();
        let mut raw_edits = edits;
        raw_edits.sort();
        for (start, size, text) in raw_edits {
            let start = start.max(end);
            end = start + size;
            list.push(Replace { start, end, text });
        }
        let changes = Changes::of_edits(&list);
        let single: Vec<Caret> = carets
            .iter()
            .map(|c| Caret::new(changes.moved(c.anchor, true), changes.moved(c.head, true)))
            .collect();
        let expected = Carets::new(single, carets.primary_index());
        prop_assert!(carets.moved_by(&changes).same_places(&expected));
    }

    /// Typing and deleting is what a string does.
    #[test]
    fn typing_and_deleting_equal_a_string(text in texts(), raw in raw_carets(), new in "(x|éy|\n){1,2}") {
        let settings = Settings { auto_pairs: false, ..Settings::default() };
        let carets = carets(&text, &raw);
        let mut expected = text.clone();
        for caret in carets.iter().collect::<Vec<_>>().into_iter().rev() {
            expected.replace_range(caret.start()..caret.end(), &new);
        }
        let (typed, after, _) = outcome(&text, &carets, &settings, &Command::Insert { text: new.clone() });
        prop_assert_eq!(&typed, &expected);
        prop_assert_eq!(after.count(), carets.count());
        prop_assert!(after.iter().all(|c| c.is_empty()));
        let all = Carets::one(Caret::new(0, text.len()));
        let (empty, ..) = outcome(&text, &all, &settings, &Command::Cut);
        prop_assert_eq!(empty, if text.is_empty() { text.clone() } else { String::new() });
    }

    /// Moving lines there and back changes nothing; a line that moves is exchanged with its neighbour.
    #[test]
    fn moved_lines_come_back(lines in proptest::collection::vec("[a-zé\t]{0,4}", 2..7), at in 0..6_usize) {
        let settings = Settings::default();
        let text = lines.join("\n");
        let at = at % lines.len();
        let start: usize = lines[..at].iter().map(|l| l.len() + 1).sum();
        let carets = Carets::one(Caret::at(start));
        let (below, moved, _) = outcome(&text, &carets, &settings, &Command::MoveLines { side: Side::Below });
        let mut expected = lines.clone();
        if at + 1 < lines.len() {
            expected.swap(at, at + 1);
        }
        prop_assert_eq!(&below, &expected.join("\n"));
        if at + 1 < lines.len() {
            let (back, again, _) = outcome(&below, &moved, &settings, &Command::MoveLines { side: Side::Above });
            prop_assert_eq!(&back, &text);
            prop_assert!(again.same_places(&carets));
        }
        let (doubled, ..) = outcome(&text, &carets, &settings, &Command::DuplicateLines);
        let mut expected = lines.clone();
        expected.insert(at, lines[at].clone());
        prop_assert_eq!(&doubled, &expected.join("\n"));
        let (deleted, ..) = outcome(&text, &carets, &settings, &Command::DeleteLines);
        let mut expected = lines.clone();
        expected.remove(at);
        prop_assert_eq!(&deleted, &expected.join("\n"));
    }

    /// Outdent takes back what indent did; blank lines, which are not indented, have a letter here.
    #[test]
    fn outdent_takes_indent_back(text in texts(), raw in raw_carets(), settings in settings()) {
        let filled = |line: &str| {
            let blank = line.trim_matches([' ', '\t', '\r']).is_empty();
            format!("{line}{}", if blank { "x" } else { "" })
        };
        let text = text.split('\n').map(filled).collect::<Vec<_>>().join("\n");
        let mut carets = carets(&text, &raw);
        if carets.iter().any(Caret::is_empty) {
            carets = Carets::one(Caret::new(0, text.len()));
        }
        let (more, moved, _) = outcome(&text, &carets, &settings, &Command::Indent);
        prop_assert!(more.len() > text.len());
        let (back, ..) = outcome(&more, &moved, &settings, &Command::Outdent);
        prop_assert_eq!(back, text);
    }

    /// Comments toggled twice are as before where there were none.
    #[test]
    fn comments_toggled_twice_are_as_before(text in texts(), raw in raw_carets(), settings in settings()) {
        let text = text.replace("//", "xx");
        let carets = carets(&text, &raw);
        let (commented, moved, _) = outcome(&text, &carets, &settings, &Command::ToggleComment);
        let (back, ..) = outcome(&commented, &moved, &settings, &Command::ToggleComment);
        prop_assert_eq!(back, text);
    }
}
