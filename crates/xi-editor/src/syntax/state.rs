//! What the parser knows between two lines.

use std::panic::{AssertUnwindSafe, catch_unwind};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

/// Longer lines are plain text, and are passed over.
pub(super) const MAX_LINE_BYTES: usize = 20_000;

/// What the parser knows at the beginning of a line.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct State {
    parse: ParseState,
    scopes: ScopeStack,
}

impl State {
    /// At the beginning of a text.
    pub(super) fn new(grammar: &SyntaxReference) -> Self {
        Self {
            parse: ParseState::new(grammar),
            scopes: ScopeStack::new(),
        }
    }

    /// Goes over one line, given with a `\n` at its end; gives its pieces, all
    /// of the line without that end, as (bytes, scopes). A line that the grammar
    /// fails on is one piece without scopes, and changes nothing.
    pub(super) fn step(
        &mut self,
        set: &SyntaxSet,
        line: &str,
        mut piece: impl FnMut(usize, &[Scope]),
    ) {
        let len = line.len().saturating_sub(1);
        let mut parse = self.parse.clone();
        // The regex engine panics when a line takes it too many steps.
        let parsed = catch_unwind(AssertUnwindSafe(|| parse.parse_line(line, set)));
        let ops = match parsed {
            Ok(Ok(ops)) => ops,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a line cannot be highlighted");
                return piece(len, &[]);
            }
            Err(_) => {
                tracing::warn!("a line cannot be highlighted: the grammar takes too long");
                return piece(len, &[]);
            }
        };
        self.parse = parse;
        let mut at = 0;
        for (position, op) in ops {
            let position = position.min(len);
            if position > at {
                piece(position - at, self.scopes.as_slice());
                at = position;
            }
            if let Err(error) = self.scopes.apply(&op) {
                tracing::debug!(%error, "the grammar pops what it did not push");
            }
        }
        if len > at {
            piece(len - at, self.scopes.as_slice());
        }
    }
}
