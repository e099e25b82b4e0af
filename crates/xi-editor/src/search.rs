//! Find and replace: over a snapshot, on threads of their own, so that a search
//! of a large text delays no edit; cancellable, and bounded in time and answer.

mod pattern;
mod scan;
mod substitute;

pub use pattern::{Pattern, PatternError};
pub use scan::{Scan, Stopped};
pub use substitute::{SubstituteError, substitute};

use crate::companion::{Call, Companion, Desk, DeskError, Notice, Reply, Snapshot};
use crate::editor::EditorError;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{
    Apply, BufferKey, Find, Matches, OnOverlap, ReplaceMatches, Replaced, RevisionNumber, Span,
    XiRequest,
};

/// So many matches are given when the client names no limit.
const DEFAULT_LIMIT: usize = 1_000;
/// And so many at most.
const MAX_LIMIT: usize = 100_000;
/// So many matches are replaced at most.
const MAX_REPLACED: usize = 200_000;
/// So many searches run at once.
const MAX_RUNNING: usize = 8;
/// A search that takes longer is given up.
const TIME: Duration = Duration::from_secs(60);
/// The editing loop takes no longer.
const ANSWER: Duration = Duration::from_secs(30);

/// The companion that answers `find` and `replace`.
pub struct Searcher {
    desk: Desk,
    running: Arc<AtomicUsize>,
}

/// One of [`Searcher::running`].
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Searcher {
    pub(crate) fn new(desk: Desk) -> Self {
        Self {
            desk,
            running: Arc::default(),
        }
    }

    fn start(&self) -> Option<Running> {
        let counted = Running(Arc::clone(&self.running));
        (self.running.fetch_add(1, Ordering::AcqRel) < MAX_RUNNING).then_some(counted)
    }
}

impl Companion for Searcher {
    fn methods(&self) -> &'static [&'static str] {
        &[Find::METHOD, ReplaceMatches::METHOD]
    }

    fn told(&mut self, _: &Notice) {}

    fn call(&mut self, call: Call) {
        let Some(running) = self.start() else {
            call.refuse(RpcError::new(code::BUSY, "too many searches run"));
            return;
        };
        let desk = self.desk.clone();
        // A thread that does not start drops the call, which answers it.
        let started = std::thread::Builder::new()
            .name("search".to_owned())
            .spawn(move || {
                let _running = running;
                if call.method() == Find::METHOD {
                    answer(call, |request, reply| find(&desk, request, reply));
                } else {
                    answer(call, |request, reply| replace(&desk, request, reply));
                }
            });
        if let Err(error) = started {
            tracing::warn!(%error, "no thread to search on");
        }
    }
}

fn answer<R: XiRequest>(
    call: Call,
    run: impl FnOnce(&R, &Reply<R>) -> Result<R::Answer, SearchError>,
) {
    if let Some((request, reply)) = call.read::<R>() {
        let outcome = run(&request, &reply);
        reply.give(outcome.map_err(RpcError::from));
    }
}

/// Why nothing was found or replaced.
#[derive(Debug, thiserror::Error)]
enum SearchError {
    #[error(transparent)]
    Pattern(#[from] PatternError),
    #[error(transparent)]
    Editor(#[from] EditorError),
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error("the search was given up")]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    Substitute(#[from] SubstituteError),
}

impl From<SearchError> for RpcError {
    fn from(error: SearchError) -> Self {
        let message = error.to_string();
        match error {
            SearchError::Pattern(_) => {
                Self::new(code::INVALID_PARAMS, message).with_data(json!({"reason": "pattern"}))
            }
            SearchError::Editor(error) => error.into(),
            SearchError::Desk(_) => Self::new(code::BUSY, message),
            SearchError::Stopped(Stopped::Late) => Self::new(
                code::TIMEOUT,
                format!("the search took longer than {} s", TIME.as_secs()),
            ),
            SearchError::Stopped(Stopped::Cancelled) => Self::new(code::CANCELLED, message),
            SearchError::Substitute(error) => match error {
                SubstituteError::TooMany { limit } => Self::new(code::UNSUPPORTED, message)
                    .with_data(json!({"reason": "too_many", "limit": limit})),
                SubstituteError::NoMatch { span } => Self::new(code::CONFLICT, message)
                    .with_data(json!({"reason": "no_match", "range": span})),
                SubstituteError::Stopped(stopped) => SearchError::Stopped(stopped).into(),
            },
        }
    }
}

fn snapshot(
    desk: &Desk,
    buffer: BufferKey,
    base: Option<RevisionNumber>,
) -> Result<Snapshot, SearchError> {
    let snapshot = desk.ask(ANSWER, move |editor| editor.snapshot(buffer, base))??;
    Ok(snapshot)
}

/// The parts of the text to search, checked.
fn ranges(snapshot: &Snapshot, ranges: Option<&[Span]>) -> Result<Vec<Span>, SearchError> {
    let text = &snapshot.text;
    let Some(ranges) = ranges else {
        return Ok(vec![Span {
            start: 0,
            end: text.len(),
        }]);
    };
    let check = |span: &Span| text.check(span.start, span.end);
    ranges
        .iter()
        .try_for_each(check)
        .map_err(EditorError::from)?;
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|span| (span.start, span.end));
    Ok(sorted)
}

fn find(desk: &Desk, request: &Find, reply: &Reply<Find>) -> Result<Matches, SearchError> {
    let pattern = Pattern::new(&request.query)?;
    let snapshot = snapshot(desk, request.buffer, request.base)?;
    let ranges = ranges(&snapshot, request.ranges.as_deref())?;
    if let Some(from) = request.from {
        snapshot.text.check(from, from).map_err(EditorError::from)?;
    }
    let cancelled = || reply.is_cancelled();
    let scan = Scan::new(&pattern, &snapshot.text, ranges, TIME, &cancelled);
    let limit = request.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
    // One more than wanted tells whether there are more.
    let mut matches = match (request.from, request.backward) {
        (None, _) => scan.first(limit + 1)?,
        (Some(from), false) => scan.after(from, limit + 1)?,
        (Some(from), true) => scan.before(from, limit + 1)?,
    };
    let more = matches.len() > limit;
    let total = if request.count && more {
        Some(scan.count()?)
    } else {
        (!more).then_some(matches.len())
    };
    matches.truncate(limit);
    Ok(Matches {
        revision: snapshot.revision,
        matches,
        more,
        total,
    })
}

fn replace(
    desk: &Desk,
    request: &ReplaceMatches,
    reply: &Reply<ReplaceMatches>,
) -> Result<Replaced, SearchError> {
    let pattern = Pattern::new(&request.query)?;
    let snapshot = snapshot(desk, request.buffer, request.base)?;
    let ranges = ranges(&snapshot, request.ranges.as_deref())?;
    if let Some(matches) = &request.matches {
        self::ranges(&snapshot, Some(matches))?;
    }
    let cancelled = || reply.is_cancelled();
    let scan = Scan::new(&pattern, &snapshot.text, ranges, TIME, &cancelled);
    let edits = substitute(&scan, request, MAX_REPLACED)?;
    let replaced = edits.len();
    let apply = Apply {
        buffer: request.buffer,
        base: snapshot.revision,
        edits,
        on_overlap: OnOverlap::Refuse,
        origin: request.origin.clone(),
    };
    if reply.is_cancelled() {
        return Err(Stopped::Cancelled.into());
    }
    let applied = desk.ask(ANSWER, move |editor| editor.apply(apply))??;
    Ok(Replaced {
        revision: applied.revision,
        replaced,
    })
}
