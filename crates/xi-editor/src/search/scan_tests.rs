use super::*;
use proptest::prelude::*;
use symphony_ipc_protocol::xi::Query;

const TIME: Duration = Duration::from_secs(20);

fn query(text: &str, regex: bool) -> Query {
    Query {
        query: text.to_owned(),
        regex,
        ..Query::default()
    }
}

fn all(text: &str) -> Vec<Span> {
    vec![Span {
        start: 0,
        end: text.len(),
    }]
}

fn spans(text: &str, query: &Query) -> Vec<(usize, usize)> {
    let pattern = Pattern::new(query).unwrap();
    let rope = Text::from(text);
    let scan = Scan::new(&pattern, &rope, all(text), TIME, &|| false);
    let found = scan.first(usize::MAX).unwrap();
    assert_eq!(scan.count().unwrap(), found.len());
    found.iter().map(|s| (s.start, s.end)).collect()
}

/// What the `regex` crate finds in the whole string.
fn expected(text: &str, query: &Query) -> Vec<(usize, usize)> {
    let source = if query.regex {
        query.query.clone()
    } else {
        regex::escape(&query.query)
    };
    let source = if query.whole_word {
        format!(r"\b{{start-half}}(?:{source})\b{{end-half}}")
    } else {
        source
    };
    let regex = regex::RegexBuilder::new(&source)
        .multi_line(true)
        .crlf(true)
        .case_insensitive(query.ignore_case)
        .build()
        .unwrap();
    regex
        .find_iter(text)
        .map(|m| (m.start(), m.end()))
        .collect()
}

/// Patterns of every kind: literals, classes, borders, empty matches, several lines.
fn patterns() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        Just("a"),
        Just("b"),
        Just("é"),
        Just("日"),
        Just("."),
        Just(r"\w"),
        Just(r"\s"),
        Just(r"\n"),
        Just("[^a]"),
        Just("^"),
        Just("$"),
        Just(r"\b"),
        Just(r"\B"),
        Just(r"\A"),
        Just(r"\z"),
        Just("(?s:.)"),
        Just("x*"),
        Just(r"\r"),
    ];
    let suffix = prop_oneof![4 => Just(""), 1 => Just("*"), 1 => Just("+?"), 1 => Just("?"), 1 => Just("{1,2}")];
    let part = (atom, suffix).prop_map(|(atom, suffix)| format!("(?:{atom}){suffix}"));
    proptest::collection::vec(part, 1..5).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What is found is what `regex` finds in the whole string.
    #[test]
    fn found_is_what_regex_finds(
        text in "[ab é日x\n\r]{0,40}",
        pattern in patterns(),
        ignore_case: bool,
        whole_word: bool,
    ) {
        let query = Query { query: pattern, regex: true, ignore_case, whole_word };
        prop_assert_eq!(spans(&text, &query), expected(&text, &query));
    }

    #[test]
    fn literals_too(
        text in "[aAbé.\\*日\n ]{0,40}",
        literal in "[aAbé.\\*日\n ]{1,3}",
        ignore_case: bool,
        whole_word: bool,
    ) {
        let query = Query { query: literal, regex: false, ignore_case, whole_word };
        prop_assert_eq!(spans(&text, &query), expected(&text, &query));
    }

    /// Forwards and backwards from everywhere, around the end.
    #[test]
    fn from_a_place_the_nearest_comes_first(text in "[ab\n]{0,30}", from in 0..31_usize, limit in 1..6_usize) {
        let from = from.min(text.len());
        let pattern = Pattern::new(&query("a", false)).unwrap();
        let rope = Text::from(text.as_str());
        let scan = Scan::new(&pattern, &rope, all(&text), TIME, &|| false);
        let every = scan.first(usize::MAX).unwrap();
        let (before, after): (Vec<Span>, Vec<Span>) = every.iter().partition(|s| s.start < from);
        let mut forward = [after.clone(), before.clone()].concat();
        forward.truncate(limit);
        prop_assert_eq!(scan.after(from, limit).unwrap(), forward);
        let mut backward: Vec<Span> = before.into_iter().rev().chain(after.into_iter().rev()).collect();
        backward.truncate(limit);
        prop_assert_eq!(scan.before(from, limit).unwrap(), backward);
    }

    /// A match lies in a range, and sees what stands beside it.
    #[test]
    fn ranges_bound_matches(text in "[ab\n ]{0,30}", a in 0..31_usize, b in 0..31_usize, pattern in patterns()) {
        let (a, b) = (a.min(text.len()), b.min(text.len()));
        let range = Span { start: a.min(b), end: a.max(b) };
        let compiled = Pattern::new(&query(&pattern, true)).unwrap();
        let rope = Text::from(text.as_str());
        let scan = Scan::new(&compiled, &rope, vec![range], TIME, &|| false);
        let found: Vec<_> = scan.first(usize::MAX).unwrap().iter().map(|s| s.start..s.end).collect();
        let input = Input::new(text.as_str()).span(range.start..range.end);
        let whole: Vec<_> = compiled.regex.find_iter(input).map(|m| m.range()).collect();
        prop_assert_eq!(found, whole);
    }
}

/// Several windows, whose borders do not show.
#[test]
fn windows_do_not_show() {
    let line = "some words é and 日 more\r\n\r\nx\n";
    let text = line.repeat(4 * WINDOW / line.len());
    let rope = Text::from(text.as_str());
    for (pattern, is_regex) in [
        ("words", false),
        ("^", true),
        ("$", true),
        (r"^$", true),
        (r"\b\w+$", true),
        (r"\A.|.\z", true),
        (r"x\n", true),
        ("x*", true),
    ] {
        let query = query(pattern, is_regex);
        let expected = expected(&text, &query);
        assert_eq!(spans(&text, &query), expected, "{pattern}");
        let compiled = Pattern::new(&query).unwrap();
        let scan = Scan::new(&compiled, &rope, all(&text), TIME, &|| false);
        let mut back = scan.before(text.len(), usize::MAX).unwrap();
        back.reverse();
        let back: Vec<_> = back.iter().map(|s| (s.start, s.end)).collect();
        assert_eq!(back, expected, "{pattern} backwards");
    }
}

#[test]
fn a_line_of_megabytes_is_one_window() {
    let text = format!("{}needle{}", "é ".repeat(WINDOW), "x".repeat(WINDOW));
    let at = text.find("needle").unwrap();
    let needle = query("needle", false);
    assert_eq!(spans(&text, &needle), [(at, at + 6)]);
}

#[test]
fn a_scan_that_takes_too_long_or_is_not_wanted_stops() {
    // Each search looks to the end for a letter that never comes.
    let text = "a".repeat(400_000);
    let rope = Text::from(text.as_str());
    let pattern = Pattern::new(&query("(?s).*[^a]|a", true)).unwrap();
    let start = Instant::now();
    let scan = Scan::new(
        &pattern,
        &rope,
        all(&text),
        Duration::from_millis(50),
        &|| false,
    );
    assert_eq!(scan.count(), Err(Stopped::Late));
    assert!(start.elapsed() < Duration::from_secs(10));
    let scan = Scan::new(&pattern, &rope, all(&text), TIME, &|| true);
    assert_eq!(scan.count(), Err(Stopped::Cancelled));
}
