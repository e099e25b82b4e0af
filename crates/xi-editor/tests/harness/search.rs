//! Any query in any text: what is found is what the `regex` crate finds, from either end.

use super::source::Source;
use std::time::Duration;
use symphony_ipc_protocol::xi::{Query, Span};
use xi_editor::engine::Text;
use xi_editor::search::{Pattern, Scan};

/// Longer queries and texts tell no more, only slower.
const MAX_QUERY: usize = 64;
const MAX_TEXT: usize = 512;
const TIME: Duration = Duration::from_secs(5);

pub fn run(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let flags = source.byte();
    let query = Query {
        query: source.plain(),
        regex: flags & 1 != 0,
        ignore_case: flags & 2 != 0,
        whole_word: flags & 4 != 0,
    };
    let from = source.byte();
    let string = source.plain();
    if query.query.len() > MAX_QUERY || string.len() > MAX_TEXT {
        return;
    }
    let Ok(pattern) = Pattern::new(&query) else {
        return;
    };
    let text = Text::from(string.as_str());
    let all = Span {
        start: 0,
        end: string.len(),
    };
    let never = || false;
    let scan = Scan::new(&pattern, &text, vec![all], TIME, &never);
    let found = scan.first(usize::MAX).unwrap();
    if let Some(expected) = expected(&query, &string) {
        assert_eq!(found, expected, "{query:?} in {string:?}");
    }
    assert_eq!(scan.count().unwrap(), found.len());
    let mut backward = scan.before(string.len(), usize::MAX).unwrap();
    backward.reverse();
    assert_eq!(found, backward, "{query:?} in {string:?}");
    let from = (0..=usize::from(from).min(string.len()))
        .rev()
        .find(|at| string.is_char_boundary(*at))
        .unwrap();
    within(&scan.after(from, 5).unwrap(), &string);
    within(&scan.before(from, 5).unwrap(), &string);
    let half = Span {
        start: from,
        end: string.len(),
    };
    let scan = Scan::new(&pattern, &text, vec![half], TIME, &never);
    let inside = scan.first(usize::MAX).unwrap();
    within(&inside, &string);
    assert!(inside.iter().all(|span| span.start >= from));
}

fn within(found: &[Span], text: &str) {
    for span in found {
        assert!(text.get(span.start..span.end).is_some(), "{span:?}");
    }
}

fn expected(query: &Query, text: &str) -> Option<Vec<Span>> {
    let escaped = regex::escape(&query.query);
    let source = if query.regex { &query.query } else { &escaped };
    let source = match query.whole_word {
        true => format!(r"\b{{start-half}}(?:{source})\b{{end-half}}"),
        false => source.clone(),
    };
    let regex = regex::RegexBuilder::new(&source)
        .multi_line(true)
        .crlf(true)
        .case_insensitive(query.ignore_case)
        .build()
        .ok()?;
    let found = regex.find_iter(text).map(|found| Span {
        start: found.start(),
        end: found.end(),
    });
    Some(found.collect())
}
