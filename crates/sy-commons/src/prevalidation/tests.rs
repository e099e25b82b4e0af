use super::*;
use crate::error::SymphonyError;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn broken<T: ?Sized>(rule: &impl PreValidationRule<T>, value: &T) -> Vec<String> {
    match rule.validate("v", value) {
        Ok(()) => Vec::new(),
        Err(error) => error.violations().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn non_empty_and_max_size_count_bytes_or_items() {
    assert_eq!(broken(&NonEmpty, ""), ["v must not be empty"]);
    assert!(broken(&NonEmpty, "a").is_empty());
    assert_eq!(
        broken(&NonEmpty, &Vec::<u8>::new()),
        ["v must not be empty"]
    );
    assert!(broken(&NonEmpty, &BTreeMap::from([(1, 2)])).is_empty());
    assert!(broken(&MaxSize(2), "ü").is_empty());
    assert_eq!(
        broken(&MaxSize(2), "üb"),
        ["v must have at most 2 bytes, but has 3"]
    );
    assert_eq!(
        broken(&MaxSize(1), &[1, 2][..]),
        ["v must have at most 1 items, but has 2"]
    );
}

#[test]
fn ranges_hold_their_ends_and_refuse_nan() {
    assert!(broken(&InRange(1..=3), &3).is_empty());
    assert_eq!(broken(&InRange(1..3), &3), ["v must lie in 1..3, but is 3"]);
    assert!(!broken(&InRange(0.0..), &f64::NAN).is_empty());
}

#[test]
fn one_of_names_the_choices() {
    let rule = OneOf(&["red", "green"]);
    assert!(broken(&rule, &"red".to_owned()).is_empty());
    assert_eq!(
        broken(&rule, &"blue".to_owned()),
        ["v must be one of red, green, but is `blue`"]
    );
}

#[test]
fn formats_tell_right_from_wrong() {
    let cases: &[(MatchesFormat, &[&str], &[&str])] = &[
        (
            MatchesFormat::IDENTIFIER,
            &["a", "local-model_2"],
            &["", "2a", "A", "a b", "ä"],
        ),
        (
            MatchesFormat::VARIABLE,
            &["A_KEY", "_x1"],
            &["", "1A", "A-B", "A="],
        ),
        (
            MatchesFormat::HTTP_URL,
            &["http://localhost:11434/v1", "https://x.y"],
            &[
                "",
                "ftp://x",
                "http://",
                "https:///v1",
                "http://a b",
                "x http://y",
            ],
        ),
        (
            MatchesFormat::RELATIVE_PATH,
            &["a/b"],
            &["", "/a", "a/../b"],
        ),
        (
            MatchesFormat::SINGLE_LINE,
            &["", "one line"],
            &["two\nlines", "bell\x07"],
        ),
    ];
    for (rule, good, bad) in cases {
        for text in *good {
            assert!(broken(rule, *text).is_empty(), "{text:?} {rule:?}");
        }
        for text in *bad {
            assert_eq!(broken(rule, *text).len(), 1, "{text:?} {rule:?}");
        }
    }
    let own = MatchesFormat::new("shouting", |text| text == text.to_uppercase());
    assert_eq!(broken(&own, "quiet"), ["v must be shouting"]);
}

#[test]
fn and_tells_both_or_needs_one_not_turns_round() {
    let both = NonEmpty.and(MatchesFormat::IDENTIFIER);
    assert_eq!(broken(&both, "").len(), 2);
    let either = InRange(0..=1).or(InRange(10..=11));
    assert!(broken(&either, &1).is_empty() && broken(&either, &10).is_empty());
    assert_eq!(
        broken(&either, &5),
        ["v must lie in 0..=1 or lie in 10..=11"]
    );
    assert_eq!(
        broken(&InRange(0..=1).not(), &1),
        ["v must not lie in 0..=1"]
    );
    assert!(broken(&InRange(0..=1).not(), &2).is_empty());
    assert_eq!(broken(&NonEmpty.not(), "x"), ["v must be empty"]);
}

#[test]
fn each_names_the_item() {
    let rule = NonEmpty.and(MaxSize(2)).each();
    let items = vec!["a".to_owned(), String::new(), "abc".to_owned()];
    assert_eq!(
        broken(&rule, &items),
        [
            "v[1] must not be empty",
            "v[2] must have at most 2 bytes, but has 3"
        ]
    );
    assert!(PreValidationRule::<Vec<String>>::requirement(&rule).contains("each item"));
}

struct Node {
    id: String,
    after: Vec<String>,
    retries: u32,
    note: Option<String>,
}

fn node_rule() -> Record<'static, Node> {
    Record::new()
        .field(
            "id",
            |n: &Node| &n.id,
            NonEmpty.and(MaxSize(32)).and(MatchesFormat::IDENTIFIER),
        )
        .field(
            "after",
            |n: &Node| &n.after,
            MaxSize(16).and(MatchesFormat::IDENTIFIER.each()),
        )
        .field("retries", |n: &Node| &n.retries, InRange(0..=10))
        .optional("note", |n: &Node| &n.note, MatchesFormat::SINGLE_LINE)
}

fn good_node() -> Node {
    Node {
        id: "scan".into(),
        after: vec!["map".into()],
        retries: 1,
        note: None,
    }
}

struct Graph {
    nodes: Vec<Node>,
}

#[test]
fn records_nest_and_collect_with_field_paths() {
    let rule = Record::new().field("nodes", |g: &Graph| &g.nodes, node_rule().each());
    let bad = Node {
        id: "Scan".into(),
        after: vec!["a b".into()],
        retries: 99,
        note: Some("\n".into()),
    };
    let graph = Graph {
        nodes: vec![good_node(), bad],
    };
    let error = rule.validate("", &graph).unwrap_err();
    let fields: Vec<&str> = error
        .violations()
        .iter()
        .map(|v| v.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "nodes[1].id",
            "nodes[1].after[0]",
            "nodes[1].retries",
            "nodes[1].note"
        ]
    );
    let text = SymphonyError::from(error).render();
    assert!(
        text.starts_with("error: 4 things are wrong:\n    nodes[1].id must be"),
        "{text}"
    );
    assert!(
        rule.validate(
            "",
            &Graph {
                nodes: vec![good_node()]
            }
        )
        .is_ok()
    );
}

#[test]
fn violations_are_bounded() {
    let items = vec![String::new(); 100_000];
    let error = NonEmpty.each().validate("v", &items).unwrap_err();
    assert_eq!(error.violations().len(), MAX_VIOLATIONS);
    assert!(
        error
            .to_string()
            .starts_with("64 or more things are wrong:")
    );
}

#[test]
fn a_single_violation_is_one_line_and_fixable_input() {
    let error = ValidationError::single("budget.max_usd", "must not be negative");
    assert_eq!(error.to_string(), "budget.max_usd must not be negative");
    assert_eq!(
        SymphonyError::from(error).category(),
        crate::error::ErrorCategory::FixInput
    );
    assert_eq!(ValidationError::single("", "empty").to_string(), "empty");
}

/// The documents ask for less than a millisecond a record; the median leaves
/// room for a busy machine.
#[test]
fn a_typical_record_takes_less_than_a_millisecond() {
    let rule = node_rule();
    let node = Node {
        id: "find-undocumented".into(),
        after: (0..16).map(|n| format!("node-{n}")).collect(),
        retries: 3,
        note: Some("a note of one line".into()),
    };
    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            let start = Instant::now();
            rule.validate("node", &node).unwrap();
            start.elapsed()
        })
        .collect();
    times.sort();
    assert!(times[50] < Duration::from_millis(1), "{:?}", times[50]);
}
