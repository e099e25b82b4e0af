//! Each command by example. `|` is a cursor, `«x»` a selection with its cursor
//! at the end, `»x«` one with its cursor at the beginning.

use super::*;
use crate::layout::{Hidden, Layout, Metrics};
use serde_json::{Value, json};
use symphony_ipc_protocol::xi::Indent;

/// Makes edits of a string.
pub(super) fn apply(text: &str, edits: &[Replace]) -> String {
    let mut out = text.to_owned();
    for edit in edits.iter().rev() {
        out.replace_range(edit.start..edit.end, &edit.text);
    }
    out
}

/// Runs a command; the text and the selections afterwards.
pub(super) fn outcome(
    text: &str,
    carets: &Carets,
    settings: &Settings,
    command: &Command,
) -> (String, Carets, Vec<String>) {
    let rope = Text::from(text);
    let metrics = Metrics::Columns;
    let rows = Layout {
        wrap: None,
        metrics: &metrics,
        tab_width: settings.tab_width,
        hidden: Hidden::default(),
    };
    let scene = Scene {
        text: &rope,
        carets,
        settings,
        rows: &rows,
    };
    let outcome = run(&scene, command);
    let sorted = outcome.edits.windows(2).all(|w| w[0].end <= w[1].start);
    assert!(sorted, "{command:?} {:?}", outcome.edits);
    let after = apply(text, &outcome.edits);
    let carets = outcome.carets.snapped(&Text::from(after.as_str()));
    (after, carets, outcome.clipboard)
}

/// Takes the marks out of a text.
fn parse(marked: &str) -> (String, Carets) {
    let mut text = String::new();
    let mut list = Vec::new();
    let mut open: Option<(char, usize)> = None;
    for c in marked.chars() {
        match (c, open) {
            ('|', _) => list.push(Caret::at(text.len())),
            ('«', Some(('»', end))) => {
                list.push(Caret::new(text.len(), end));
                open = None;
            }
            ('»', Some(('«', start))) => {
                list.push(Caret::new(start, text.len()));
                open = None;
            }
            ('«' | '»', None) => open = Some((c, text.len())),
            _ => text.push(c),
        }
    }
    (text, Carets::new(list, 0))
}

fn show(text: &str, carets: &Carets) -> String {
    let mut out = text.to_owned();
    let mut marks: Vec<(usize, char)> = Vec::new();
    for caret in carets.iter() {
        if caret.is_empty() {
            marks.push((caret.head, '|'));
        } else {
            marks.push((caret.anchor, '«'));
            marks.push((caret.head, '»'));
        }
    }
    marks.sort_by_key(|m| m.0);
    for (at, mark) in marks.iter().rev() {
        out.insert(*at, *mark);
    }
    out
}

pub(super) fn code() -> Settings {
    Settings {
        indent: Indent::Spaces { width: 2 },
        language: language_of("js").unwrap(),
        ..Settings::default()
    }
}

pub(super) fn check(settings: &Settings, command: Value, cases: &[(&str, &str)]) {
    let parsed: Command = serde_json::from_value(command.clone()).unwrap();
    for (before, after) in cases {
        let (text, carets) = parse(before);
        let (text, carets, _) = outcome(&text, &carets, settings, &parsed);
        assert_eq!(show(&text, &carets), *after, "{command} on {before:?}");
    }
}

#[test]
fn typing_replaces_and_pairs() {
    let insert = |text: &str| json!({"name": "insert", "text": text});
    check(
        &code(),
        insert("x"),
        &[("a|b|", "ax|bx|"), ("«ab» c|", "x| cx|")],
    );
    check(
        &code(),
        insert("("),
        &[
            ("f|", "f(|)"),
            ("|x", "(|x"),
            ("«a» «b»", "(«a») («b»)"),
            ("»a«", "(»a«)"),
        ],
    );
    check(&code(), insert(")"), &[("f(|)", "f()|"), ("f|", "f)|")]);
    check(
        &code(),
        insert("\""),
        &[
            ("|", "\"|\""),
            ("\"a|\"", "\"a\"|"),
            ("don|", "don\"|"),
            ("= |;", "= \"|\";"),
        ],
    );
    let plain = Settings {
        auto_pairs: false,
        ..code()
    };
    check(&plain, insert("("), &[("f|", "f(|"), ("«a»", "(|")]);
}

#[test]
fn breaking_lines_indents() {
    check(
        &code(),
        json!({"name": "insert_newline"}),
        &[
            ("  a|b", "  a\n  |b"),
            ("f() {|}", "f() {\n  |\n}"),
            ("  [ |", "  [ \n    |"),
            ("a\r\nb|", "a\r\nb\r\n|"),
            (" | x", " \n | x"),
            ("«ab»|", "\n|"),
        ],
    );
}

#[test]
fn indentation_grows_and_shrinks() {
    check(
        &code(),
        json!({"name": "indent"}),
        &[
            ("|a", "  |a"),
            ("a|b", "a |b"),
            ("«a\n\n  b»", "  «a\n\n    b»"),
            ("«a\n»b", "  «a\n»b"),
        ],
    );
    check(
        &code(),
        json!({"name": "outdent"}),
        &[
            ("    a|", "  a|"),
            (" a|", "a|"),
            ("\ta|", "a|"),
            ("«  a\n b»\n  c", "«a\nb»\n  c"),
            ("|", "|"),
        ],
    );
    let tabs = Settings {
        indent: Indent::Tabs,
        ..code()
    };
    check(
        &tabs,
        json!({"name": "indent"}),
        &[("a|", "a\t|"), ("«ab»", "\t«ab»")],
    );
    check(
        &tabs,
        json!({"name": "outdent"}),
        &[("\t\ta|", "\ta|"), ("    a|", "a|"), ("  \ta|", "a|")],
    );
}

#[test]
fn comments_are_toggled() {
    let toggle = json!({"name": "toggle_comment"});
    check(
        &code(),
        toggle.clone(),
        &[
            ("  a|", "  // a|"),
            ("  // a|", "  a|"),
            ("//a|", "a|"),
            ("«  a\n\n    b»", "«  // a\n\n  //   b»"),
            ("«// a\nb»", "// «// a\n// b»"),
        ],
    );
    let blocks = Settings {
        language: language_of("html").unwrap(),
        ..code()
    };
    check(
        &blocks,
        toggle.clone(),
        &[
            ("  <p>|", "  <!-- <p> -->|"),
            ("<!-- <p>| -->", "<p>|"),
            ("|", "|"),
        ],
    );
    check(&Settings::default(), toggle, &[("a|", "a|")]);
}

#[test]
fn lines_are_moved_doubled_deleted_and_joined() {
    check(
        &code(),
        json!({"name": "move_lines", "side": "above"}),
        &[
            ("a\nb|\nc", "b|\na\nc"),
            ("a\nb|", "b|\na"),
            ("a|\nb", "a|\nb"),
            ("a\n«b\nc\n»d", "«b\nc\n»a\nd"),
            ("a\nb|\nc\nd|", "b|\na\nd|\nc"),
            ("a\r\nb|", "b|\r\na"),
        ],
    );
    check(
        &code(),
        json!({"name": "move_lines", "side": "below"}),
        &[
            ("a|\nb", "b\na|"),
            ("a\nb|", "a\nb|"),
            ("«a\nb»c\nd", "d\n«a\nb»c"),
            ("«a\n»b", "b\n«a»"),
        ],
    );
    check(
        &code(),
        json!({"name": "duplicate_lines"}),
        &[
            ("a|b", "ab\na|b"),
            ("«a\nb»\nc", "a\nb\n«a\nb»\nc"),
            ("a|\r\nb", "a\r\na|\r\nb"),
            ("a|\nx\nb|", "a\na|\nx\nb\nb|"),
        ],
    );
    check(
        &code(),
        json!({"name": "delete_lines"}),
        &[
            ("a\nb|\nc", "a\n|c"),
            ("a\nb|", "a|"),
            ("a|", "|"),
            ("«a\nb»\nc|\nd", "|d"),
        ],
    );
    check(
        &code(),
        json!({"name": "join_lines"}),
        &[
            ("a|\n  b", "a| b"),
            ("«a\nb\nc»", "«a b c»"),
            ("a|\n\nb", "a|\nb"),
            ("a |\nb", "a |b"),
            ("a|", "a|"),
            ("a|\nb|\nc", "a| b|\nc"),
        ],
    );
}

#[test]
fn deleting_follows_movement() {
    let delete =
        |by: &str, direction: &str| json!({"name": "delete", "by": by, "direction": direction});
    check(
        &code(),
        delete("grapheme", "backward"),
        &[
            ("ae\u{301}|", "a|"),
            ("a\r\n|b", "a|b"),
            ("(|)", "|"),
            ("«ab»c", "|c"),
            ("a|b|c|", "|"),
            ("|", "|"),
        ],
    );
    check(
        &code(),
        delete("grapheme", "forward"),
        &[("|👩‍👩‍👧x", "|x"), ("a|", "a|")],
    );
    check(
        &code(),
        delete("word", "backward"),
        &[("foo bar|", "foo |"), ("foo b|a|r", "foo |r")],
    );
    check(&code(), delete("word", "forward"), &[("|foo bar", "| bar")]);
    check(
        &code(),
        delete("line_edge", "forward"),
        &[("a|bc\nd", "a|\nd"), ("a|\nd", "a|d")],
    );
}

#[test]
fn characters_change_places_and_case() {
    check(
        &code(),
        json!({"name": "transpose"}),
        &[
            ("a|b", "ba|"),
            ("ab|", "ba|"),
            ("ab|\nc", "ba|\nc"),
            ("xe\u{301}|👩‍👩‍👧", "x👩‍👩‍👧e\u{301}|"),
            ("|ab", "|ab"),
        ],
    );
    let case = |to: &str| json!({"name": "case", "to": to});
    check(
        &code(),
        case("upper"),
        &[
            ("f|oo bar", "F|OO bar"),
            ("«straße» x", "«STRASSE» x"),
            ("»ab«", "»AB«"),
        ],
    );
    check(&code(), case("lower"), &[("«ÀB C»", "«àb c»")]);
    check(
        &code(),
        case("title"),
        &[("«hello wORLD don't»", "«Hello World Don't»")],
    );
}

#[test]
fn the_clipboard_has_one_text_a_selection() {
    let took = |marked: &str, name: &str| {
        let (text, carets) = parse(marked);
        let command = serde_json::from_value(json!({"name": name})).unwrap();
        let (text, carets, clipboard) = outcome(&text, &carets, &code(), &command);
        (show(&text, &carets), clipboard)
    };
    assert_eq!(
        took("«ab» «c»", "copy"),
        ("«ab» «c»".into(), vec!["ab".into(), "c".into()])
    );
    assert_eq!(
        took("a\nb|\nc", "cut"),
        ("a\n|c".into(), vec!["b\n".into()])
    );
    assert_eq!(
        took("a|b|\nc", "cut"),
        ("|c".into(), vec!["ab\n".into(), String::new()])
    );
    let paste = |texts: &[&str]| json!({"name": "paste", "texts": texts});
    check(
        &code(),
        paste(&["1", "2"]),
        &[("a|b|", "a1|b2|"), ("|", "1\n2|"), ("«a»", "1\n2|")],
    );
    check(&code(), paste(&["("]), &[("|", "(|")]);
}

#[test]
fn indentation_is_found_in_the_text() {
    let found = |text: &str| detect_indent(&Text::from(text));
    assert_eq!(found("a\n\tb\n\t\tc\n  d"), Some(Indent::Tabs));
    assert_eq!(found("a\n  b\n    c\n"), Some(Indent::Spaces { width: 2 }));
    assert_eq!(
        found("a\n    b\n\n    c\n        d"),
        Some(Indent::Spaces { width: 4 })
    );
    assert_eq!(found("a\nb\n"), None);
}

#[test]
fn languages_are_known_by_name_file_and_extension() {
    for (name, language) in [
        ("Rust", "rust"),
        ("main.rs", "rust"),
        ("py", "python"),
        ("Makefile", "make"),
        ("a.b.tsx", "typescript"),
    ] {
        assert_eq!(language_of(name).map(|l| l.name), Some(language), "{name}");
    }
    assert_eq!(language_of("unheard.of"), None);
}
