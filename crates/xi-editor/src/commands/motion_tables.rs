//! Movement and selecting by example, marked as in the other tables.

use super::tables::{check, code};
use serde_json::json;

fn moves(by: &str, direction: &str, cases: &[(&str, &str)]) {
    let command = json!({"name": "move", "by": by, "direction": direction});
    check(&code(), command, cases);
}

#[test]
fn movement_by_grapheme_takes_clusters_whole() {
    moves(
        "grapheme",
        "forward",
        &[
            ("|e\u{301}x", "e\u{301}|x"),
            ("|👩‍👩‍👧x", "👩‍👩‍👧|x"),
            ("|🇩🇪🇫🇷", "🇩🇪|🇫🇷"),
            ("|\r\nx", "\r\n|x"),
            ("|שלום", "ש|לום"),
            ("|한글", "한|글"),
            ("x|", "x|"),
            ("a«bc»d", "abc|d"),
        ],
    );
    moves(
        "grapheme",
        "backward",
        &[
            ("e\u{301}|x", "|e\u{301}x"),
            ("👩‍👩‍👧|x", "|👩‍👩‍👧x"),
            ("🇩🇪🇫🇷|", "🇩🇪|🇫🇷"),
            ("\r\n|x", "|\r\nx"),
            ("|x", "|x"),
            ("a«bc»d", "a|bcd"),
        ],
    );
}

#[test]
fn movement_by_words_and_their_parts() {
    moves(
        "word",
        "forward",
        &[
            ("|foo_bar + x", "foo_bar| + x"),
            ("foo| += x", "foo +=| x"),
            ("foo|\n  x", "foo\n|  x"),
            ("foo|  \nx", "foo  |\nx"),
            ("|漢字かなカナabc", "漢字|かなカナabc"),
            ("|שלום עולם", "שלום| עולם"),
            ("|éte\u{301} x", "éte\u{301}| x"),
        ],
    );
    moves(
        "word",
        "backward",
        &[
            ("foo_bar| x", "|foo_bar x"),
            ("foo  |", "|foo  "),
            ("x\n|foo", "x|\nfoo"),
            ("a +=|", "a |+="),
        ],
    );
    moves(
        "subword",
        "forward",
        &[
            ("|camelCaseWord", "camel|CaseWord"),
            ("|HTTPServer", "HTTP|Server"),
            ("|snake_case", "snake_|case"),
        ],
    );
    moves(
        "subword",
        "backward",
        &[
            ("camelCase|", "camel|Case"),
            ("HTTPServer|", "HTTP|Server"),
            ("snake_case|", "snake_|case"),
        ],
    );
}

#[test]
fn movement_by_lines_keeps_the_column() {
    moves(
        "line",
        "forward",
        &[
            ("abc|d\nx\nabcd", "abcd\nx|\nabcd"),
            ("日|本\nabcd", "日本\nab|cd"),
            ("\t|x\nabcdef", "\tx\nabcd|ef"),
            ("last|", "last|"),
        ],
    );
    moves("line_edge", "forward", &[("a|b\r\nc", "ab|\r\nc")]);
    moves(
        "line_edge",
        "backward",
        &[("  a|b", "  |ab"), ("  |ab", "|  ab"), ("|  ab", "  |ab")],
    );
    moves(
        "paragraph",
        "forward",
        &[("|a\nb\n\nc", "a\nb\n|\nc"), ("a\n|\n\nc", "a\n\n\nc|")],
    );
    moves(
        "paragraph",
        "backward",
        &[("a\n\nb\nc|", "a\n|\nb\nc"), ("a\n|\nb", "|a\n\nb")],
    );
    moves("document", "forward", &[("|a\nb", "a\nb|")]);
    let page = json!({"name": "move", "by": "page", "count": 2, "extend": true});
    check(&code(), page, &[("a|a\nb\nccc", "a«a\nb\nc»cc")]);
}

#[test]
fn movement_by_brackets() {
    moves(
        "bracket",
        "forward",
        &[
            ("|(a [b] c)", "(a [b] c|)"),
            ("(a [b] c|)", "|(a [b] c)"),
            ("(a [b]| c)", "(a |[b] c)"),
            ("f(a, x|x)", "f|(a, xx)"),
            ("no|ne", "no|ne"),
            ("|(open", "|(open"),
        ],
    );
}

#[test]
fn lines_and_columns_can_be_gone_to() {
    let at =
        |line: usize, column: usize| json!({"name": "goto_line", "line": line, "column": column});
    check(
        &code(),
        at(2, 2),
        &[("|a\nbcd\ne", "a\nb|cd\ne"), ("|a|", "a|")],
    );
    check(&code(), at(9, 9), &[("|a\nbc", "a\nbc|")]);
    check(
        &code(),
        json!({"name": "goto_line", "line": 2}),
        &[("|a\nb", "a\n|b")],
    );
}

#[test]
fn selections_are_added_and_grow() {
    check(
        &code(),
        json!({"name": "add_cursor", "side": "below"}),
        &[("ab|c\nx\nabc", "ab|c\nx|\nabc"), ("a|b", "a|b")],
    );
    check(
        &code(),
        json!({"name": "add_cursor", "side": "above"}),
        &[("abc\nab|c", "ab|c\nab|c")],
    );
    check(
        &code(),
        json!({"name": "add_next_occurrence"}),
        &[
            ("f|oo foo", "«foo» foo"),
            ("«foo» bar foo", "«foo» bar «foo»"),
            ("foo «foo»", "«foo» «foo»"),
            ("»foo« foo", "»foo« »foo«"),
            ("«x» y", "«x» y"),
        ],
    );
    check(
        &code(),
        json!({"name": "select_line"}),
        &[
            ("a|b\nc\nd", "«ab\n»c\nd"),
            ("«ab\n»c\nd", "«ab\nc\n»d"),
            ("a\nb|", "a\n«b»"),
        ],
    );
    check(
        &code(),
        json!({"name": "select_word"}),
        &[
            ("foo| bar", "«foo» bar"),
            ("f|oo, x", "«foo», x"),
            ("a |  b", "a«   »b"),
            ("|", "|"),
        ],
    );
    check(&code(), json!({"name": "select_all"}), &[("a|b", "«ab»")]);
    check(&code(), json!({"name": "collapse"}), &[("a«b»c|", "ab|c")]);
}

#[test]
fn columns_are_selected_as_a_rectangle() {
    let corners = |a: (usize, usize), b: (usize, usize)| {
        json!({"name": "select_columns",
            "anchor": {"line": a.0, "column": a.1}, "head": {"line": b.0, "column": b.1}})
    };
    check(
        &code(),
        corners((1, 2), (3, 4)),
        &[("|abcd\n\nabcd", "a«bc»d\n\na«bc»d")],
    );
    check(
        &code(),
        corners((2, 3), (1, 1)),
        &[("|日本\nabcd", "»日«本\n»ab«cd")],
    );
}
