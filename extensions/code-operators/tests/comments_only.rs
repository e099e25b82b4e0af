//! `verify-comments-only`: code never passes for a comment.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use symphony_code_operators::languages::Language;
use symphony_code_operators::verify_comments_only::{Verdict, verify};
use symphony_extension_sdk::types::Edit;

const FIXTURES: [(Language, &str); 6] = [
    (Language::Rust, include_str!("fixtures/shop.rs")),
    (Language::Python, include_str!("fixtures/shop.py")),
    (Language::TypeScript, include_str!("fixtures/shop.ts")),
    (Language::Tsx, include_str!("fixtures/view.tsx")),
    (Language::JavaScript, include_str!("fixtures/shop.js")),
    (Language::Go, include_str!("fixtures/shop.go")),
];

fn edit(start: usize, end: usize, text: &str) -> Edit {
    Edit {
        path: "f".into(),
        base: String::new(),
        start,
        end,
        text: text.into(),
        item: "it".into(),
        why: String::new(),
        by: String::new(),
    }
}

fn one(language: Language, text: &str, edit: Edit) -> Verdict {
    verify(language, text, vec![edit])
}

fn reason(language: Language, text: &str, start: usize, end: usize, new: &str) -> String {
    let verdict = one(language, text, edit(start, end, new));
    assert_eq!(verdict.kept, [], "{new:?} was kept");
    verdict.refused[0].message.clone()
}

#[test]
fn refuses_what_is_no_comment() {
    let rust = "fn a() {\n    let s = \"x\n    y\";\n}\n";
    let python = "def a():\n    x = 1\n    return x\n";
    for (language, text, at, new, why) in [
        (Language::Rust, rust, 0, "fn b() {}\n", "changes code"),
        (Language::Rust, rust, 0, "// a\nfn b() {}\n", "changes code"),
        (Language::Rust, rust, 0, "#![allow(x)]\n", "changes code"),
        (Language::Rust, rust, 0, "\n\n", "no comment"),
        (Language::Rust, rust, 3, "/* a */\n", "whole new lines"),
        (Language::Rust, rust, 0, "/* a */", "whole new lines"),
        // Inside a string, a comment is text.
        (Language::Rust, rust, 24, "    // a\n", "changes code"),
        // A comment that does not end takes the code with it.
        (Language::Rust, rust, 0, "/* a\n", "changes code"),
        (Language::Python, python, 9, "    y = 1\n", "changes code"),
        (
            Language::Python,
            python,
            9,
            "    \"\"\"a\"\"\"; y = 1\n",
            "changes code",
        ),
        (
            Language::Python,
            python,
            9,
            "    f\"\"\"{b()}\"\"\"\n",
            "changes code",
        ),
        (Language::Python, python, 9, "    b'a'\n", "changes code"),
        // A string that is not the first statement is no docstring.
        (
            Language::Python,
            python,
            19,
            "    \"\"\"a\"\"\"\n",
            "changes code",
        ),
        (
            Language::Python,
            python,
            9,
            "  # type: ignore\n",
            "directive",
        ),
        (
            Language::Go,
            "package a\n\nfunc A() {}\n",
            11,
            "//go:embed x\n",
            "directive",
        ),
        (
            Language::TypeScript,
            "let a = 1;\n",
            0,
            "// @ts-nocheck\n",
            "directive",
        ),
        (
            Language::TypeScript,
            "// @ts-ignore\nlet a = b;\n",
            14,
            "/** c */\n",
            "between a directive",
        ),
        (
            Language::Rust,
            "m! {\n    a\n}\n",
            5,
            "    /// a\n",
            "macro",
        ),
        (
            Language::JavaScript,
            "/*\n a\n*/\nlet b;\n",
            3,
            " // c\n",
            "inside a comment",
        ),
    ] {
        let found = reason(language, text, at, at, new);
        assert!(found.contains(why), "{new:?}: {found}");
    }
    assert!(reason(Language::Rust, rust, 0, 3, "// a\n").contains("takes something away"));
    assert!(reason(Language::Rust, rust, 99, 99, "// a\n").contains("does not fit"));
}

#[test]
fn refuses_comments_that_compilers_see_otherwise() {
    for (language, text, at, new, why) in [
        (
            Language::Rust,
            "fn a() {\n    b();\n}\n",
            9,
            "    /// c\n",
            "belongs to no item",
        ),
        (
            Language::Rust,
            "fn a() {\n    b();\n}\n",
            18,
            "    /// c\n",
            "belongs to no item",
        ),
        (
            Language::Rust,
            "fn a() {}\n",
            10,
            "/// c\n",
            "belongs to no item",
        ),
        (
            Language::Rust,
            "fn a() {}\nfn b() {}\n",
            10,
            "//! c\n",
            "must open it",
        ),
        (
            Language::Go,
            "package a\n\nimport \"C\"\n",
            11,
            "// int x;\n",
            "C code",
        ),
        (
            Language::Python,
            "#!/bin/python\n# coding: latin1\nx = 1\n",
            0,
            "# c\n",
            "must stay first",
        ),
        (
            Language::Python,
            "#!/bin/python\n# coding: latin1\nx = 1\n",
            14,
            "# c\n",
            "must stay first",
        ),
    ] {
        let found = reason(language, text, at, at, new);
        assert!(found.contains(why), "{new:?}: {found}");
    }
}

#[test]
fn keeps_comments_in_every_place_for_one() {
    for (language, text, at, new) in [
        (
            Language::Rust,
            "struct A {\n    b: u8,\n}\n",
            11,
            "    /// B.\n",
        ),
        (Language::Rust, "enum A {\n    B,\n}\n", 9, "    /// B.\n"),
        (Language::Rust, "#[x]\nfn a() {}\n", 0, "/** A. */\n"),
        (Language::Rust, "#![x]\nfn a() {}\n", 0, "//! A.\n"),
        (Language::Rust, "#![x]\nfn a() {}\n", 6, "//! A.\n\n// B.\n"),
        (Language::Python, "x = 1\n", 0, "\"\"\"A module.\"\"\"\n"),
        (Language::Python, "#!/bin/python\nx = 1\n", 14, "# A.\n"),
        (Language::Go, "package a\n\nimport \"fmt\"\n", 11, "// A.\n"),
        (Language::Go, "", 0, "// A.\n"),
    ] {
        let verdict = one(language, text, edit(at, at, new));
        assert_eq!(verdict.refused, [], "{new:?}");
    }
}

#[test]
fn bad_edits_do_not_take_good_ones_with_them() {
    let text = "fn a() {}\nfn b() {}\nfn c() {}\nfn d() {}\n";
    let edits = vec![
        edit(0, 0, "/// A.\n"),
        edit(10, 10, "struct Sneaked;\n"),
        edit(20, 20, "/// C.\n"),
        edit(20, 20, "/// C again.\n"),
        edit(30, 30, "/// D\nfn e() {}\n"),
    ];
    let verdict = verify(Language::Rust, text, edits);
    let kept: Vec<usize> = verdict.kept.iter().map(|edit| edit.start).collect();
    assert_eq!(kept, [0, 20]);
    assert_eq!(verdict.refused.len(), 3);
}

#[test]
fn two_edits_may_not_make_code_together() {
    // Each is a comment of its own, but the first swallows the end of the second's.
    let text = "fn a() {}\nfn b() {}\n";
    let edits = vec![edit(0, 0, "/* a\n"), edit(10, 10, "*/\n")];
    assert_eq!(verify(Language::Rust, text, edits).kept, []);
}

fn line_starts(text: &str) -> Vec<usize> {
    let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0)
        .chain(newlines)
        .filter(|at| *at < text.len())
        .collect()
}

fn comment(language: Language, words: &str) -> String {
    match language {
        Language::Python => format!("# {words}\n"),
        _ => format!("// {words}\n"),
    }
}

/// Whether a line starts inside a string, text of JSX, or a comment: there no comment can go.
fn is_inside(language: Language, text: &str, at: usize) -> bool {
    let tree = language.parse(text).unwrap();
    let mut node = tree.root_node().descendant_for_byte_range(at, at);
    while let Some(inner) = node {
        let kind = inner.kind();
        let plain = kind.contains("comment")
            || kind.contains("string")
            || kind.contains("jsx")
            || matches!(kind, "token_tree" | "macro_definition");
        if plain && inner.start_byte() < at && at < inner.end_byte() {
            return true;
        }
        node = inner.parent();
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn comments_on_lines_of_their_own_are_kept(
        which in 0_usize..6, place in any::<proptest::sample::Index>(), words in "[a-z]{1,8}( [a-z]{1,8}){0,4}",
    ) {
        let (language, text) = FIXTURES[which];
        let starts = line_starts(text);
        let at = *place.get(&starts);
        prop_assume!(!is_inside(language, text, at));
        let parted = text[..at].lines().next_back().unwrap_or_default().contains("@ts-");
        prop_assume!(!parted);
        let rest = &text[at..];
        let indent = &rest[..rest.len() - rest.trim_start_matches([' ', '\t']).len()];
        let comment = format!("{indent}{}", comment(language, &words));
        let verdict = one(language, text, edit(at, at, &comment));
        prop_assert_eq!(verdict.kept.len(), 1, "{:?} at {}", verdict.refused, at);
    }

    // Whatever is inserted wherever: when it is kept, the text without it is the same, and
    // what was inserted is made of comment lines.
    #[test]
    fn what_is_kept_is_made_of_comment_lines(
        which in 0_usize..6,
        place in any::<proptest::sample::Index>(),
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("// a"), Just("# a"), Just("/* a */"), Just("/*"), Just("*/"), Just("\"\"\"a\"\"\""), Just("\"\"\""),
                Just("\n"), Just(" "), Just("x"), Just("x = 1"), Just(";"), Just("{"), Just("}"), Just("fn y() {}"),
                Just("'"), Just("`"), Just("///"), Just("/**"), Just("return"), Just("\\"), Just("pass"),
            ], 1..7),
    ) {
        let (language, text) = FIXTURES[which];
        let at = *place.get(&line_starts(text));
        let new = pieces.concat() + "\n";
        let verdict = one(language, text, edit(at, at, &new));
        if verdict.kept.is_empty() {
            return Ok(());
        }
        let mut open = "";
        for line in new.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let starts: &[&str] = match language {
                Language::Python => &["#", "\"\"\"", "'", "\""],
                _ => &["//", "/*"],
            };
            prop_assert!(!open.is_empty() || starts.iter().any(|start| line.starts_with(start)), "{new:?}");
            if open.is_empty() && line.starts_with("/*") && !line.ends_with("*/") {
                open = "*/";
            } else if open.is_empty() && line.starts_with("\"\"\"") && !line[3..].contains("\"\"\"") {
                open = "\"\"\"";
            } else if !open.is_empty() && line.contains(open) {
                open = "";
            }
        }
    }

    #[test]
    fn changed_code_is_refused(
        which in 0_usize..6,
        from in any::<proptest::sample::Index>(),
        length in 0_usize..12,
        new in "[a-z(){};=\"' \n]{0,6}",
    ) {
        let (language, text) = FIXTURES[which];
        let start = from.index(text.len());
        let end = (start + length).min(text.len());
        prop_assume!(text.is_char_boundary(start) && text.is_char_boundary(end));
        // No comment can be made of these characters.
        let verdict = one(language, text, edit(start, end, &new));
        let docstring = language == Language::Python && new.contains(['"', '\'']);
        prop_assert!(verdict.kept.is_empty() || docstring, "{start}..{end} {new:?}");
    }
}
