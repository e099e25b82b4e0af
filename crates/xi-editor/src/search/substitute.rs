//! What comes in the place of matches.

use super::scan::{Hay, Scan, Stopped};
use regex_automata::util::captures::Captures;
use regex_automata::util::interpolate;
use regex_automata::{Anchored, Input};
use symphony_ipc_protocol::xi::{Replace, ReplaceMatches, Span};

/// Why nothing was replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubstituteError {
    /// There are too many matches.
    #[error("there are more than {limit} matches")]
    TooMany {
        /// So many may be.
        limit: usize,
    },
    /// A span that was to be replaced is no match.
    #[error("{}..{} is no match", .span.start, .span.end)]
    NoMatch {
        /// The span.
        span: Span,
    },
    /// The scan was given up.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The edits that replace all matches, or those that the request names.
///
/// # Errors
/// [`SubstituteError`].
pub fn substitute(
    scan: &Scan<'_>,
    request: &ReplaceMatches,
    limit: usize,
) -> Result<Vec<Replace>, SubstituteError> {
    let mut writer = Writer {
        scan,
        request,
        groups: scan.pattern.regex.create_captures(),
        has_groups: request.query.regex && request.replacement.contains('$'),
    };
    let mut edits: Vec<Replace> = Vec::new();
    match &request.matches {
        Some(spans) => {
            let mut spans = spans.clone();
            spans.sort_by_key(|span| (span.start, span.end));
            spans.dedup();
            for span in spans {
                let hay = scan.hay_around(span);
                let is_apart = edits.last().is_none_or(|last| last.end <= span.start);
                if !is_apart || !scan.matches_at(&hay, span) {
                    return Err(SubstituteError::NoMatch { span });
                }
                edits.push(writer.edit(&hay, span));
            }
        }
        None => scan.each_in_hay(|hay, span| {
            edits.push(writer.edit(hay, span));
            edits.len() <= limit
        })?,
    }
    if edits.len() > limit {
        return Err(SubstituteError::TooMany { limit });
    }
    Ok(edits)
}

struct Writer<'a> {
    scan: &'a Scan<'a>,
    request: &'a ReplaceMatches,
    groups: Captures,
    has_groups: bool,
}

impl Writer<'_> {
    fn edit(&mut self, hay: &Hay, span: Span) -> Replace {
        let (start, end) = (span.start - hay.offset, span.end - hay.offset);
        let mut text = if self.has_groups {
            self.expanded(hay, start, end)
        } else {
            self.request.replacement.clone()
        };
        if self.request.keep_case {
            text = like(hay.text.get(start..end).unwrap_or_default(), text);
        }
        Replace {
            start: span.start,
            end: span.end,
            text,
        }
    }

    /// The replacement with what its groups matched.
    fn expanded(&mut self, hay: &Hay, start: usize, end: usize) -> String {
        let regex = &self.scan.pattern.regex;
        let input = Input::new(hay.text.as_str())
            .span(start..end)
            .anchored(Anchored::Yes);
        regex.search_captures(&input, &mut self.groups);
        let mut text = String::new();
        let groups = &self.groups;
        interpolate::string(
            &self.request.replacement,
            |index, out| {
                let group = groups.get_group(index);
                let part = group.and_then(|group| hay.text.get(group.range()));
                out.push_str(part.unwrap_or_default());
            },
            |name| groups.group_info().to_index(groups.pattern()?, name),
            &mut text,
        );
        text
    }
}

/// The replacement in the case of what it replaces.
fn like(matched: &str, text: String) -> String {
    let cased = || {
        matched
            .chars()
            .filter(|c| c.is_uppercase() || c.is_lowercase())
    };
    let Some(first) = cased().next() else {
        return text;
    };
    if !first.is_uppercase() {
        return text;
    }
    if cased().count() > 1 && cased().all(char::is_uppercase) {
        return text.to_uppercase();
    }
    let mut chars = text.chars();
    match chars.next() {
        Some(c) => c.to_uppercase().chain(chars).collect(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Text;
    use crate::search::Pattern;
    use std::time::Duration;
    use symphony_ipc_protocol::xi::{BufferKey, EditOrigin, Query};

    fn request(query: &str, replacement: &str) -> ReplaceMatches {
        ReplaceMatches {
            buffer: BufferKey::nil(),
            query: Query {
                query: query.to_owned(),
                regex: true,
                ..Query::default()
            },
            replacement: replacement.to_owned(),
            keep_case: false,
            base: None,
            ranges: None,
            matches: None,
            origin: EditOrigin::default(),
        }
    }

    fn replaced(text: &str, request: &ReplaceMatches) -> Result<String, SubstituteError> {
        let pattern = Pattern::new(&request.query).unwrap();
        let rope = Text::from(text);
        let all = vec![Span {
            start: 0,
            end: text.len(),
        }];
        let scan = Scan::new(&pattern, &rope, all, Duration::from_secs(9), &|| false);
        let mut out = text.to_owned();
        for edit in substitute(&scan, request, 100)?.iter().rev() {
            out.replace_range(edit.start..edit.end, &edit.text);
        }
        Ok(out)
    }

    #[test]
    fn groups_lines_and_empty_matches() {
        let cases = [
            (r"(\w+) (\w+)", "$2 $1", "ab cd\n", "cd ab\n"),
            (r"(?<key>\w+)=", "${key}: $$1", "a=1", "a: $11"),
            ("^", "> ", "a\n\nb", "> a\n> \n> b"),
            ("$", ";", "a\r\nb\n", "a;\r\nb;\n;"),
            ("x*", "-", "axb", "-a-b-"),
            (r"\n+", "\n", "a\n\n\nb\n", "a\nb\n"),
            (r"(a)|(b)", "[$1$2]", "ab", "[a][b]"),
            (r"\bfoo\b", "bar", "foo foobar foo", "bar foobar bar"),
        ];
        for (query, replacement, text, expected) in cases {
            let got = replaced(text, &request(query, replacement)).unwrap();
            assert_eq!(got, expected, "{query}");
        }
        // The same as the crate does on the whole.
        let whole = regex::RegexBuilder::new(r"(\w)(\w)\b").build().unwrap();
        let text = "één twee drie\nvier";
        let got = replaced(text, &request(r"(\w)(\w)\b", "$2$1")).unwrap();
        assert_eq!(got, whole.replace_all(text, "$2$1"));
    }

    #[test]
    fn a_literal_replacement_has_no_groups_and_case_is_kept() {
        let mut literal = request("a.b", "$1");
        literal.query.regex = false;
        assert_eq!(replaced("a.b axb", &literal).unwrap(), "$1 axb");
        let mut kept = request("foo", "bar");
        (kept.query.ignore_case, kept.keep_case) = (true, true);
        let got = replaced("foo Foo FOO fOO", &kept).unwrap();
        assert_eq!(got, "bar Bar BAR bar");
    }

    #[test]
    fn only_named_matches_are_replaced_and_must_be_some() {
        let span = |start, end| Span { start, end };
        let mut some = request("a+", "x");
        some.matches = Some(vec![span(5, 7), span(0, 1)]);
        assert_eq!(replaced("a aa aa", &some).unwrap(), "x aa x");
        some.matches = Some(vec![span(2, 3)]);
        let error = SubstituteError::NoMatch { span: span(2, 3) };
        assert_eq!(replaced("a aa aa", &some), Err(error));
        let many = request("a", "b");
        let error = SubstituteError::TooMany { limit: 100 };
        assert_eq!(replaced(&"a".repeat(101), &many), Err(error));
    }
}
