//! What edits, requests and the background leave equals what a fresh look sees.

use super::document::{Document, Lines};
use super::grammars::Grammars;
use super::paint::Painter;
use crate::companion::Snapshot;
use crate::engine::Text;
use proptest::prelude::*;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::xi::{BufferKey, Highlighted, Replace};

static GRAMMARS: LazyLock<Grammars> = LazyLock::new(Grammars::load);

/// What a line looks like: start, length, scopes.
type Look = Vec<(usize, usize, String)>;

/// A document with a client that believes what it is told.
struct Pair {
    document: Document,
    text: String,
    revision: u64,
    /// What the client holds of each line.
    held: Vec<Option<Look>>,
}

impl Pair {
    fn new(name: &str, text: &str) -> Self {
        Self {
            document: Document::new(snapshot(name, text, 0), &GRAMMARS),
            text: text.to_owned(),
            revision: 0,
            held: vec![None; text.split('\n').count()],
        }
    }

    fn ask(&mut self, first: usize, count: usize) -> bool {
        let end = (first + count).min(self.held.len());
        let first = first.min(end);
        let (looks, certain) = looks(&mut self.document, &self.text, first, end, self.revision);
        for (line, look) in (first..).zip(looks) {
            self.held[line] = Some(look);
        }
        certain
    }

    fn edit(&mut self, start: usize, end: usize, new: &str) {
        self.told();
        self.revision += 1;
        let lines = |text: &str| text.matches('\n').count();
        let first = lines(&self.text[..start]);
        let last = lines(&self.text[..end]);
        let come = vec![None; lines(new) + 1];
        self.held.splice(first..=last, come);
        self.text.replace_range(start..end, new);
        let edit = Replace {
            start,
            end,
            text: new.to_owned(),
        };
        let path = self.document.snapshot().path.clone();
        let mut now = snapshot("", &self.text, self.revision);
        now.path = path;
        self.document.change(now, &[edit], &GRAMMARS, self.revision);
    }

    /// Works a little, at least one line.
    fn work(&mut self, time: Duration) {
        if self.document.waiting().is_some() {
            self.document.work(&GRAMMARS, Instant::now() + time);
        }
        self.told();
    }

    /// Forgets what the client is told to be stale.
    fn told(&mut self) {
        if let Some((first, last)) = self.document.take_stale() {
            self.held[first..=last].fill(None);
        }
    }

    fn finish(&mut self) {
        while self.document.waiting().is_some() {
            self.work(Duration::from_millis(100));
        }
    }

    /// Whether everything held is what a fresh look sees; and so is an answer now.
    fn check(&mut self) {
        self.finish();
        let fresh = scratch(self.document.language(), &self.text);
        for (line, (held, fresh)) in self.held.iter().zip(&fresh).enumerate() {
            if let Some(held) = held {
                assert_eq!(held, fresh, "line {line}, held by the client");
            }
        }
        let all = self.held.len();
        let (now, certain) = looks(&mut self.document, &self.text, 0, all, self.revision);
        assert!(certain);
        for (line, (now, fresh)) in now.iter().zip(&fresh).enumerate() {
            assert_eq!(now, fresh, "line {line}, answered now");
        }
    }
}

fn snapshot(name: &str, text: &str, revision: u64) -> Snapshot {
    Snapshot {
        buffer: BufferKey::from_u128(1),
        path: (!name.is_empty()).then(|| Arc::from(Path::new(name))),
        revision,
        text: Text::from(text),
    }
}

fn scratch(language: &str, text: &str) -> Vec<Look> {
    let mut document = Document::new(snapshot("", text, 0), &GRAMMARS);
    document.choose(Some(language), &GRAMMARS);
    let all = text.split('\n').count();
    looks(&mut document, text, 0, all, 1).0
}

/// What lines look like, decoded from an answer.
fn looks(
    document: &mut Document,
    text: &str,
    first: usize,
    end: usize,
    age: u64,
) -> (Vec<Look>, bool) {
    let mut painter = Painter::new(None);
    let lines = Lines { first, end };
    let certain = document
        .answer(&GRAMMARS, lines, &mut painter, age, || false)
        .expect("nobody gives up");
    let mut answer = Highlighted {
        revision: 0,
        language: String::new(),
        first_line: first,
        end_line: end,
        start: 0,
        provisional: false,
        scopes: Vec::new(),
        styles: Vec::new(),
        default_style: None,
        spans: Vec::new(),
    };
    painter.finish(&mut answer);
    let mut starts = vec![0];
    starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let mut looks = vec![Look::new(); end - first];
    let mut at = starts.get(first).copied().unwrap_or(text.len());
    for span in answer.spans.chunks(3) {
        let (start, len) = (at + span[0], span[1]);
        at = start + len;
        let line = starts.partition_point(|&s| s <= start) - 1;
        let part = &text[start..at];
        assert!(
            len > 0 && !part.contains('\n'),
            "a span of one line: {part:?}"
        );
        let name = answer.scopes[span[2]].clone();
        looks[line - first].push((start - starts[line], len, name));
    }
    (looks, certain)
}

/// Lines that open, close and nest things.
const LANGUAGES: [(&str, &[&str]); 5] = [
    (
        "a.rs",
        &[
            "fn main() { let x = \"a\"; }",
            "/* open",
            "close */ let y = 1;",
            "\"a string",
            "over lines\";",
            "r#\"raw",
            "\"# // after",
            "    // a remark é",
            "",
            "mod m {",
            "}",
        ],
    ),
    (
        "a.py",
        &[
            "def f(a):",
            "    \"\"\"doc",
            "    end\"\"\"",
            "    return 'x' # é",
            "",
            "class C:",
            "    x = [1,",
            "    2]",
        ],
    ),
    (
        "a.ts",
        &[
            "const a = `open ${1 + 1}",
            "close`;",
            "/** doc",
            " */",
            "interface I { a: string }",
            "",
            "function f() {",
            "}",
        ],
    ),
    (
        "a.html",
        &[
            "<script>",
            "let a = 1; // x",
            "</script>",
            "<p class=\"a\">text",
            "</p>",
            "<!-- open",
            "-->",
            "<style>",
            "p { color: red }",
            "</style>",
        ],
    ),
    (
        "a.sh",
        &[
            "cat <<END",
            "$HOME text",
            "END",
            "if [ -f x ]; then",
            "fi",
            "echo \"open",
            "close\"",
            "",
            "# remark",
        ],
    ),
];

#[derive(Debug, Clone)]
enum Step {
    /// Replaces so many characters at a place (in thousandths) by lines.
    Edit(usize, usize, Vec<usize>, bool),
    /// Asks for lines from a place (in thousandths) on.
    Ask(usize, usize),
    /// The background works for microseconds.
    Work(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..1_000_usize, 0..60_usize, prop::collection::vec(0..100_usize, 0..3), any::<bool>())
            .prop_map(|(at, len, lines, ends)| Step::Edit(at, len, lines, ends)),
        3 => (0..1_000_usize, 1..60_usize).prop_map(|(at, count)| Step::Ask(at, count)),
        3 => (0..4_000_u64).prop_map(Step::Work),
    ]
}

fn border(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_the_client_holds_is_what_a_fresh_look_sees(
        language in 0..LANGUAGES.len(),
        lines in prop::collection::vec(0..100_usize, 1..40),
        times in 1..30_usize,
        steps in prop::collection::vec(step(), 1..25),
    ) {
        let (name, fragments) = LANGUAGES[language];
        let fragment = |i: &usize| fragments[i % fragments.len()];
        let block = lines.iter().map(fragment).collect::<Vec<_>>().join("\n") + "\n";
        let mut pair = Pair::new(name, &block.repeat(times));
        for step in steps {
            match step {
                Step::Edit(at, len, lines, ends) => {
                    let start = border(&pair.text, pair.text.len() * at / 1_000);
                    let end = border(&pair.text, (start + len).min(pair.text.len())).max(start);
                    let mut new = lines.iter().map(fragment).collect::<Vec<_>>().join("\n");
                    if ends {
                        new.push('\n');
                    }
                    pair.edit(start, end, &new);
                }
                Step::Ask(at, count) => {
                    pair.ask(pair.held.len() * at / 1_000, count);
                }
                Step::Work(micros) => pair.work(Duration::from_micros(micros)),
            }
        }
        pair.check();
    }
}

#[test]
fn an_opened_comment_ripples_to_its_end_and_back() {
    let mut text = "fn f() { 1 }\n".repeat(300);
    text.push_str("x */\n");
    text.push_str(&"fn g() { 2 }\n".repeat(300));
    let mut pair = Pair::new("a.rs", &text);
    pair.ask(100, 20);
    pair.ask(400, 20);
    pair.finish();
    pair.edit(0, 0, "/* ");
    pair.finish();
    assert!(pair.held[100..120].iter().all(Option::is_none), "told");
    assert!(
        pair.held[400..420].iter().all(Option::is_some),
        "not told of what is the same"
    );
    pair.ask(100, 1);
    let name = &pair.held[100].as_ref().expect("held")[0].2;
    assert!(name.starts_with("comment.block"), "{name}");
    pair.edit(0, 3, "");
    pair.finish();
    assert_eq!(pair.held[100], None, "told again");
    pair.check();
}

#[test]
fn an_edit_inside_a_line_tells_nothing_and_reads_little() {
    let mut pair = Pair::new("a.rs", &"fn f() { 1 }\n".repeat(3_000));
    pair.ask(1_500, 50);
    pair.finish();
    let at = "fn f() { 1 }\n".len() * 1_510 + 9;
    pair.edit(at, at + 1, "22");
    // One slice is enough, however short a time it has for each line.
    pair.document
        .work(&GRAMMARS, Instant::now() + Duration::from_secs(5));
    assert_eq!(pair.document.waiting(), None);
    assert_eq!(pair.document.take_stale(), None);
}

#[test]
fn far_below_a_guess_answers_and_is_corrected() {
    let open = format!("/* open\n{}", "fn f() { 1 }\n\n".repeat(2_000));
    let mut pair = Pair::new("a.rs", &open);
    assert!(!pair.ask(3_000, 40), "a guess");
    assert!(pair.ask(10, 10), "close to what is known");
    pair.finish();
    assert!(
        pair.held[3_001..3_040]
            .iter()
            .step_by(2)
            .all(Option::is_none),
        "told"
    );
    assert!(pair.ask(3_000, 40));
    // Where the guess was right, nothing is told.
    let mut right = Pair::new("a.rs", &open["/* open\n".len()..]);
    assert!(!right.ask(3_000, 40));
    right.finish();
    assert!(right.held[3_000..3_040].iter().all(Option::is_some));
    assert!(right.ask(3_000, 40));
}

#[test]
fn unknown_languages_and_long_lines_are_plain() {
    let mut pair = Pair::new("a.unknown", "fn main() {}\n");
    assert_eq!(pair.document.language(), "Plain Text");
    assert!(pair.ask(0, 2));
    assert_eq!(pair.held[0], Some(Look::new()));
    assert_eq!(pair.document.waiting(), None);

    let long = format!("let a = 1;\n\"{}\nlet b = 2;\r\n", "x".repeat(20_000));
    let mut pair = Pair::new("a.rs", &long);
    pair.ask(0, 4);
    let held = |line: usize| pair.held[line].clone().expect("held");
    assert!(!held(0).is_empty());
    assert!(held(1).is_empty());
    assert_eq!(
        held(0).len(),
        held(2).len(),
        "the long line opens no string"
    );
    assert!(
        held(2)
            .iter()
            .all(|(start, len, _)| start + len <= "let b = 2;".len())
    );
}

#[test]
fn languages_go_by_name_then_first_line_then_what_is_said() {
    let language = |name: &str, text: &str| {
        let document = Document::new(snapshot(name, text, 0), &GRAMMARS);
        document.language().to_owned()
    };
    for (name, expected) in [
        ("src/main.rs", "Rust"),
        ("Makefile", "Makefile"),
        ("Dockerfile", "Dockerfile"),
        ("Cargo.lock", "TOML"),
        ("a.tsx", "TypeScriptReact"),
        ("a.mts", "TypeScript"),
        ("a.js", "JavaScript (Babel)"),
        ("a.cjs", "JavaScript (Babel)"),
        ("a.mjs", "JavaScript (Babel)"),
        ("a.JSON", "JSON"),
        ("a.jsonc", "JSON"),
        ("a.md", "Markdown"),
        ("a.go", "Go"),
        ("a.yaml", "YAML"),
        ("b", "Plain Text"),
    ] {
        assert_eq!(language(name, ""), expected, "{name}");
    }
    assert_eq!(language("b", "#!/usr/bin/env python3\n"), "Python");
    assert_eq!(language("b", "#!/bin/sh"), "Bourne Again Shell (bash)");

    let mut pair = Pair::new("b", "x = 1\n");
    pair.edit(0, 0, "#!/usr/bin/python3\n");
    assert_eq!(pair.document.language(), "Python");
    pair.document.choose(GRAMMARS.named("rs"), &GRAMMARS);
    assert_eq!(pair.document.language(), "Rust");
    pair.edit(0, 0, "\n");
    assert_eq!(pair.document.language(), "Rust");
}

#[test]
fn what_is_known_stays_small_however_large_the_text() {
    let mut pair = Pair::new("a.ini", &"a=1\n".repeat(200_000));
    pair.ask(0, 10);
    pair.finish();
    for line in (0..200_000).step_by(1_000) {
        pair.ask(line, 3);
    }
    let known = pair.document.known();
    assert!((1_000..16_384).contains(&known), "{known}");
}
