//! Rewriting melodies: what was asked changes, every other byte stays.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::{Value, json};
use symphony_domain::melody::{
    Melody,
    edit::{Change, RewriteError, diff, rewrite},
};

/// As people write: comments everywhere, columns, blank lines, each kind of table.
const MELODY: &str = r#"# top
schema = "symphony.melody/1"
name   = "mine" # a name

[nodes.find] # where it begins
  player = "operator/find"   # finds
  # a comment on its own line
  with   = { limit = 3, paths = [ "a", # first
    "b" ] } # limits

[nodes.join]
player = "operator/join"
timeout = "60s"	# a tab
[nodes.join.with] # a table of its own
edits = "{find.edits}"

# before the next
title = """
two
lines""" # ends here
[nodes.join.retry]
# nothing in it

[nodes]
dotted.player = "operator/join" # dotted
dotted.with.edits = "{find.edits}"
bare = { player = "operator/join", with = {} }

# the end"#;

fn set(node: &str, change: Change) -> String {
    rewritten(MELODY, node, change)
}

fn rewritten(text: &str, node: &str, change: Change) -> String {
    rewrite(text, "m.toml", node, &[change]).unwrap().text
}

fn with(port: &str, value: Value) -> Change {
    let port = port.to_owned();
    Change::With { port, value }
}

#[test]
fn a_value_takes_the_place_of_another() {
    let cases = [
        (
            "find",
            Change::Player("operator/look".into()),
            "\"operator/find\"   #",
            "\"operator/look\"   #",
        ),
        (
            "find",
            with("limit", json!(40)),
            "limit = 3,",
            "limit = 40,",
        ),
        (
            "find",
            with("paths", json!([])),
            "[ \"a\", # first\n    \"b\" ]",
            "[]",
        ),
        (
            "join",
            with("title", json!("one")),
            "\"\"\"\ntwo\nlines\"\"\"",
            "\"one\"",
        ),
        (
            "join",
            Change::Timeout("5m".into()),
            "\"60s\"\t#",
            "\"5m\"\t#",
        ),
        (
            "dotted",
            with("edits", json!("{join.edits}")),
            "with.edits = \"{find.edits}\"",
            "with.edits = \"{join.edits}\"",
        ),
    ];
    for (node, change, old, new) in cases {
        assert_eq!(MELODY.matches(old).count(), 1, "{old}");
        assert_eq!(set(node, change), MELODY.replace(old, new));
    }
}

#[test]
fn a_new_key_stands_behind_the_last_of_its_table() {
    let cases = [
        (
            "find",
            Change::Timeout("5s".into()),
            "} # limits\n",
            "  timeout = \"5s\"\n",
        ),
        (
            "find",
            Change::Retries(7),
            "} # limits\n",
            "  retry = { times = 7 }\n",
        ),
        (
            "find",
            with("odd port", json!({"a": 1.5})),
            "\"b\" ]",
            ", \"odd port\" = { a = 1.5 }",
        ),
        (
            "join",
            with("more", json!(true)),
            "# ends here\n",
            "more = true\n",
        ),
        (
            "join",
            Change::Backoff("1s".into()),
            "[nodes.join.retry]\n",
            "backoff = \"1s\"\n",
        ),
        (
            "dotted",
            Change::Timeout("5s".into()),
            "# dotted\n",
            "dotted.timeout = \"5s\"\n",
        ),
        (
            "dotted",
            with("title", json!("x")),
            "dotted.with.edits = \"{find.edits}\"\n",
            "dotted.with.title = \"x\"\n",
        ),
        (
            "bare",
            Change::Retries(1),
            "with = {}",
            ", retry = { times = 1 }",
        ),
    ];
    for (node, change, behind, new) in cases {
        assert_eq!(MELODY.matches(behind).count(), 1, "{behind}");
        assert_eq!(
            set(node, change),
            MELODY.replace(behind, &format!("{behind}{new}"))
        );
    }
    let into_nothing = set("bare", with("edits", json!("{find.edits}")));
    let filled = "with = { edits = \"{find.edits}\" }";
    assert_eq!(into_nothing, MELODY.replace("with = {}", filled));
}

#[test]
fn line_endings_and_a_missing_last_one_are_as_they_were() {
    let text = "schema = \"symphony.melody/1\"\r\nname = \"a\"\r\n[nodes.a]\r\nplayer = \"operator/x\" # x\r\n[nodes.b]\r\nplayer = \"operator/y\"";
    let changed = rewritten(text, "a", Change::Retries(1));
    assert_eq!(
        changed,
        text.replace("# x\r\n", "# x\r\nretry = { times = 1 }\r\n")
    );
    let at_the_end = rewritten(text, "b", Change::Timeout("1s".into()));
    assert_eq!(at_the_end, format!("{text}\r\ntimeout = \"1s\"\r\n"));
}

#[test]
fn what_cannot_be_is_refused_and_says_why() {
    let refused = |node: &str, change| rewrite(MELODY, "m.toml", node, &[change]).unwrap_err();
    let told = refused("fnid", Change::Retries(1)).to_string();
    assert_eq!(told, "there is no node `fnid`; did you mean `find`?");
    let null = refused("find", with("limit", Value::Null));
    assert!(matches!(null, RewriteError::NoSuchValue { .. }), "{null}");
    let huge = refused("find", with("limit", json!(u64::MAX)));
    assert!(matches!(huge, RewriteError::NoSuchValue { .. }), "{huge}");
    for (change, word) in [
        (Change::Timeout("soon".into()), "`soon` is no duration"),
        (Change::Player("nobody".into()), "`nobody`"),
        (with("limit", json!("{nowhere.at_all}")), "nowhere"),
        (with("limit", json!("{join.edits}")), "cycle"),
    ] {
        let unsound = refused("find", change);
        assert!(matches!(unsound, RewriteError::Unsound(_)), "{unsound}");
        assert!(unsound.to_string().contains(word), "{unsound}");
    }
    let table = MELODY.replace(
        "[nodes.join.with]",
        "[nodes.join.with.deep]\nx = 1\n[nodes.join.with]",
    );
    let by_hand = rewrite(&table, "m.toml", "join", &[with("deep", json!(1))]).unwrap_err();
    assert!(matches!(by_hand, RewriteError::Layout { .. }), "{by_hand}");
    assert!(rewrite("a = ", "m.toml", "a", &[]).is_err());
}

#[test]
fn several_changes_are_checked_together() {
    // Each alone would leave the melody unsound: `join` and `find` feed each other.
    let changes = [
        with("edits", json!("{bare.edits}")),
        with("title", json!("{bare.edits}")),
    ];
    let melody = rewrite(MELODY, "m.toml", "join", &changes).unwrap();
    assert_eq!(melody.node("join").unwrap().needs.len(), 1);
    assert_eq!(diff(MELODY, &melody.text).matches("\n+").count(), 2);
    assert_eq!(diff(MELODY, MELODY), "");
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1.0e9..1.0e9f64).prop_map(Value::from),
        // Braces are references, which must resolve.
        "(?s)[^{}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[^{}]{0,6}", inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A melody's text in some layout, with the changed node in the middle.
fn layout() -> impl Strategy<Value = String> {
    let comment = prop_oneof![Just(String::new()), "[ \t]*#[ a-z\"'={}\\[\\]]{0,12}"];
    let space = "[ \t]{0,3}";
    let body = prop_oneof![
        Just("[nodes.mid]C\nSplayerS=S\"operator/x\"C\nSwithS=S{Sport = 1S}C\nC\n"),
        Just("[nodes.mid]C\nSplayer = \"operator/x\"SC\nC\n"),
        Just("[nodes.mid]\nC\nplayer = \"operator/x\"C\n[nodes.mid.with]C\nC\n"),
        Just("[nodes.mid.with]C\nother = [1,C\n2SC\n]C\n[nodes.mid]\nplayer = \"operator/x\"C\n"),
        Just("[nodes]C\nmid.playerS=S\"operator/x\"C\nmid.with.port = '''\nx'''C\n"),
        Just("[nodes]C\nmid = {Splayer = \"operator/x\"S}C\n"),
    ];
    let fill = proptest::collection::vec((comment, space), 24);
    (body, fill, any::<bool>(), any::<bool>()).prop_map(|(body, fill, crlf, mark)| {
        let mut fill = fill.into_iter().cycle();
        let mut text = String::from(if mark { "\u{feff}" } else { "" });
        text.push_str("schema = \"symphony.melody/1\"\nname = \"m\"\n");
        for c in body.chars() {
            match c {
                'C' => text.push_str(&fill.next().unwrap().0),
                'S' => text.push_str(&fill.next().unwrap().1),
                c => text.push(c),
            }
        }
        text.push_str("[nodes.last]\nplayer = \"operator/y\" # stays\n");
        if crlf {
            text.replace('\n', "\r\n")
        } else {
            text
        }
    })
}

proptest! {
    #[test]
    fn the_value_is_read_back_and_the_rest_stays_byte_for_byte(text in layout(), value in json_value()) {
        prop_assume!(Melody::parse(&text, "m").is_ok());
        let melody = rewrite(&text, "m", "mid", &[with("port", value.clone())]).unwrap();
        prop_assert_eq!(&melody.file.nodes["mid"].with["port"], &value);

        // One piece was replaced: the new text begins and ends as the old one, and
        // the old one loses nothing but a former value.
        let new = melody.text.as_bytes();
        let old = text.as_bytes();
        let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let rest = old.len().min(new.len()) - head;
        let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
        let lost = &text.as_bytes()[head..old.len() - tail];
        prop_assert!(
            !lost.contains(&b'#') && lost.iter().filter(|b| **b == b'\n').count() <= 1,
            "{:?}", String::from_utf8_lossy(lost)
        );

        // Everything else says what it said, and doing it again changes nothing.
        let mut expected = Melody::parse(&text, "m").unwrap().file;
        expected.nodes["mid"].with.insert("port".to_owned(), value.clone());
        prop_assert_eq!(&melody.file, &expected);
        let again = rewrite(&melody.text, "m", "mid", &[with("port", value)]).unwrap();
        prop_assert_eq!(again.text, melody.text);
    }

    #[test]
    fn no_text_and_no_change_panics(text in "(?s).{0,200}", node in ".{0,8}", port in ".{0,8}") {
        let _ = rewrite(&text, "m", &node, &[with(&port, json!(1))]);
        let whole = format!("{MELODY}\n{text}");
        let _ = rewrite(&whole, "m", "find", &[with(&port, json!(text))]);
    }
}
