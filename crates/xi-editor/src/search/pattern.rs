//! What is searched for, compiled with limits.

use regex_automata::meta::{BuildError, Regex};
use regex_automata::util::syntax;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use symphony_ipc_protocol::xi::Query;

/// A compiled pattern has at most so many bytes: repetitions of repetitions meet this.
const MAX_COMPILED: usize = 10 * 1024 * 1024;
/// And its cache while searching.
const MAX_CACHE: usize = 4 * 1024 * 1024;
/// A query has at most so many bytes.
const MAX_QUERY: usize = 64 * 1024;

/// Why a query cannot be searched for.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// There is nothing to find.
    #[error("the query is empty")]
    Empty,
    /// It is too long.
    #[error("the query has {len} bytes, more than {MAX_QUERY}")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// It is no regular expression.
    #[error("no regular expression: {0}")]
    Syntax(#[source] Box<regex_syntax::Error>),
    /// It grows too large when it is compiled.
    #[error("the pattern is too large: {0}")]
    TooLarge(#[source] Box<BuildError>),
}

/// A compiled query. `^` and `$` are borders of lines, which `\n`, `\r\n` and `\r` end.
pub struct Pattern {
    pub(super) regex: Regex,
    /// A match may hold a line end.
    pub(super) crosses_lines: bool,
}

impl Pattern {
    /// Compiles a query.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn new(query: &Query) -> Result<Self, PatternError> {
        let text = &query.query;
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > MAX_QUERY {
            return Err(PatternError::TooLong { len: text.len() });
        }
        let config = syntax::Config::new()
            .multi_line(true)
            .crlf(true)
            .case_insensitive(query.ignore_case);
        let escaped;
        let source = if query.regex {
            text
        } else {
            escaped = regex_syntax::escape(text);
            &escaped
        };
        let mut hir = syntax::parse_with(source, &config)
            .map_err(|error| PatternError::Syntax(Box::new(error)))?;
        if query.whole_word {
            hir = Hir::concat(vec![
                Hir::look(Look::WordStartHalfUnicode),
                hir,
                Hir::look(Look::WordEndHalfUnicode),
            ]);
        }
        let limits = Regex::config()
            .nfa_size_limit(Some(MAX_COMPILED))
            .hybrid_cache_capacity(MAX_CACHE);
        let regex = Regex::builder()
            .configure(limits)
            .build_from_hir(&hir)
            .map_err(|error| PatternError::TooLarge(Box::new(error)))?;
        Ok(Self {
            regex,
            crosses_lines: may_hold_line_end(&hir),
        })
    }
}

/// Whether a match may hold `\n`.
fn may_hold_line_end(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => {
            class.iter().any(|r| (r.start()..=r.end()).contains(&'\n'))
        }
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().any(|r| (r.start()..=r.end()).contains(&b'\n'))
        }
        HirKind::Repetition(repetition) => may_hold_line_end(&repetition.sub),
        HirKind::Capture(capture) => may_hold_line_end(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(may_hold_line_end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regex(query: &str) -> Query {
        Query {
            query: query.to_owned(),
            regex: true,
            ..Query::default()
        }
    }

    #[test]
    fn patterns_that_grow_without_bound_are_refused() {
        let large = r"(?:(?:\pL{1,1000}){1,1000}){1,1000}";
        assert!(matches!(
            Pattern::new(&regex(large)),
            Err(PatternError::TooLarge(_))
        ));
        let deep = "(".repeat(2_000) + &")".repeat(2_000);
        assert!(matches!(
            Pattern::new(&regex(&deep)),
            Err(PatternError::Syntax(_))
        ));
        let long = "a".repeat(MAX_QUERY + 1);
        assert!(matches!(
            Pattern::new(&regex(&long)),
            Err(PatternError::TooLong { .. })
        ));
        assert!(matches!(Pattern::new(&regex("")), Err(PatternError::Empty)));
        assert!(matches!(
            Pattern::new(&regex("a(")),
            Err(PatternError::Syntax(_))
        ));
    }

    #[test]
    fn it_is_known_which_matches_stay_in_a_line() {
        let cases = [
            ("a.b$", false),
            (r"^\w+[a-z]*?", false),
            (r"a\nb", true),
            (r"\s", true),
            ("[^a]", true),
            ("(?s:.)", true),
            (r"(x|y\W)+", true),
        ];
        for (query, crosses) in cases {
            assert_eq!(
                Pattern::new(&regex(query)).unwrap().crosses_lines,
                crosses,
                "{query}"
            );
        }
    }
}
