//! Matches in a text, in either direction.
//!
//! A pattern whose matches stay in a line is searched for in windows of whole
//! lines; any other in the whole text as one string. What stands beside a
//! window or a range is seen by `\b`, `^` and `$`, so both find the same.

use super::pattern::Pattern;
use crate::engine::Text;
use regex_automata::{Anchored, Input};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::xi::Span;

/// A window has so many bytes, and then up to the end of the line.
const WINDOW: usize = 512 * 1024;
/// Enough to see the character beside a window.
const BESIDE: usize = 4;
/// So many matches are taken between looks at the clock.
const LOOK_EVERY: usize = 64;

/// Why a scan did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Nobody wants it any more.
    #[error("cancelled")]
    Cancelled,
    /// It took too long.
    #[error("it took too long")]
    Late,
}

/// A search of one text.
pub struct Scan<'a> {
    pub(super) pattern: &'a Pattern,
    pub(super) text: &'a Text,
    /// Sorted; a match lies in one of them.
    ranges: Vec<Span>,
    deadline: Instant,
    cancelled: &'a dyn Fn() -> bool,
}

/// A part of the text as one string, with what stands beside it.
pub(super) struct Hay {
    pub(super) text: String,
    /// Where the string begins in the text.
    pub(super) offset: usize,
}

/// Whether a scan goes on.
enum Next {
    More,
    Enough,
}

impl<'a> Scan<'a> {
    /// A search for `pattern` in `ranges` of the text, which are sorted.
    pub fn new(
        pattern: &'a Pattern,
        text: &'a Text,
        ranges: Vec<Span>,
        time: Duration,
        cancelled: &'a dyn Fn() -> bool,
    ) -> Self {
        Self {
            pattern,
            text,
            ranges,
            deadline: Instant::now() + time,
            cancelled,
        }
    }

    /// The first matches, at most `limit`.
    ///
    /// # Errors
    /// [`Stopped`], as for all scans.
    pub fn first(&self, limit: usize) -> Result<Vec<Span>, Stopped> {
        let mut found = Vec::new();
        if limit > 0 {
            self.each(|_, span| {
                found.push(span);
                enough(found.len() >= limit)
            })?;
        }
        Ok(found)
    }

    /// How many matches there are.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn count(&self) -> Result<usize, Stopped> {
        let mut count = 0;
        self.each(|_, _| {
            count += 1;
            Next::More
        })?;
        Ok(count)
    }

    /// The next matches that begin at `from` or behind, then, from the
    /// beginning on, those before it.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn after(&self, from: usize, limit: usize) -> Result<Vec<Span>, Stopped> {
        let mut found = Vec::new();
        for range in &self.ranges {
            let start = range.start.max(from);
            if start > range.end || found.len() >= limit {
                continue;
            }
            let part = Span {
                start,
                end: range.end,
            };
            self.forward(part, &mut |_, span| {
                found.push(span);
                enough(found.len() >= limit)
            })?;
        }
        let nearest = found.first().copied();
        if found.len() < limit {
            self.each(|_, span| {
                let meets = |n: Span| span.end > n.start;
                if span.start >= from || nearest.is_some_and(meets) {
                    return Next::Enough;
                }
                found.push(span);
                enough(found.len() >= limit)
            })?;
        }
        Ok(found)
    }

    /// The matches that end at `from` or before, the nearest first, then, from
    /// the end on, those behind it.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn before(&self, from: usize, limit: usize) -> Result<Vec<Span>, Stopped> {
        let mut found = Vec::new();
        self.backward(limit, &mut found, &|span| span.end <= from)?;
        if found.len() < limit {
            self.backward(limit, &mut found, &|span| span.end > from)?;
        }
        Ok(found)
    }

    /// Gives every match with the string that it was found in.
    pub(super) fn each_in_hay(
        &self,
        mut take: impl FnMut(&Hay, Span) -> bool,
    ) -> Result<(), Stopped> {
        self.each(|hay, span| enough(!take(hay, span)))
    }

    fn each(&self, mut take: impl FnMut(&Hay, Span) -> Next) -> Result<(), Stopped> {
        for range in &self.ranges {
            if matches!(self.forward(*range, &mut take)?, Next::Enough) {
                break;
            }
        }
        Ok(())
    }

    /// Adds wanted matches from the end on.
    fn backward(
        &self,
        limit: usize,
        found: &mut Vec<Span>,
        wanted: &dyn Fn(&Span) -> bool,
    ) -> Result<(), Stopped> {
        for range in self.ranges.iter().rev() {
            let mut end = range.end;
            let mut is_last = true;
            while found.len() < limit {
                let start = self.window_before(*range, end);
                // Behind a window's last line end the next window begins.
                let part = Span {
                    start,
                    end: if is_last { end } else { end - 1 },
                };
                if wanted(&Span { start, end: start }) || wanted(&Span { start: end, end }) {
                    let mut inside = Vec::new();
                    let hay = self.hay(part);
                    self.in_hay(&hay, part, &mut |_, span| {
                        inside.push(span);
                        Next::More
                    })?;
                    let left = limit - found.len();
                    found.extend(inside.into_iter().rev().filter(wanted).take(left));
                }
                if start == range.start {
                    break;
                }
                (end, is_last) = (start, false);
            }
        }
        Ok(())
    }

    /// Gives the matches in a part of the text, which is a range or its end.
    fn forward(
        &self,
        part: Span,
        take: &mut dyn FnMut(&Hay, Span) -> Next,
    ) -> Result<Next, Stopped> {
        let mut start = part.start;
        loop {
            let end = self.window_after(part, start);
            let is_last = end == part.end;
            let window = Span {
                start,
                // Behind a window's last line end the next window begins.
                end: if is_last { end } else { end - 1 },
            };
            let hay = self.hay(window);
            if matches!(self.in_hay(&hay, window, take)?, Next::Enough) {
                return Ok(Next::Enough);
            }
            if is_last {
                return Ok(Next::More);
            }
            start = end;
        }
    }

    /// Gives the matches in a window.
    fn in_hay(
        &self,
        hay: &Hay,
        window: Span,
        take: &mut dyn FnMut(&Hay, Span) -> Next,
    ) -> Result<Next, Stopped> {
        self.check()?;
        let end = window.end - hay.offset;
        let mut at = window.start - hay.offset;
        let mut last = None;
        let mut taken = 0;
        while at <= end {
            let input = Input::new(hay.text.as_str()).span(at..end);
            let Some(found) = self.pattern.regex.search(&input) else {
                break;
            };
            // An empty match does not follow a match.
            if found.is_empty() && last == Some(found.end()) {
                at += 1;
                continue;
            }
            (at, last) = (found.end(), Some(found.end()));
            let span = Span {
                start: found.start() + hay.offset,
                end: found.end() + hay.offset,
            };
            if matches!(take(hay, span), Next::Enough) {
                return Ok(Next::Enough);
            }
            taken += 1;
            if taken % LOOK_EVERY == 0 {
                self.check()?;
            }
        }
        Ok(Next::More)
    }

    /// Whether a match of exactly this span is there, in a string that holds it.
    pub(super) fn matches_at(&self, hay: &Hay, span: Span) -> bool {
        let Some(range) = self
            .ranges
            .iter()
            .find(|range| range.start <= span.start && span.end <= range.end)
        else {
            return false;
        };
        let end = (range.end - hay.offset).min(hay.text.len());
        let input = Input::new(hay.text.as_str())
            .span(span.start - hay.offset..end)
            .anchored(Anchored::Yes);
        let found = self.pattern.regex.search(&input);
        found.is_some_and(|found| found.end() == span.end - hay.offset)
    }

    /// The string to look for one match in.
    pub(super) fn hay_around(&self, span: Span) -> Hay {
        let all = Span {
            start: 0,
            end: self.text.len(),
        };
        if self.pattern.crosses_lines {
            return self.hay(all);
        }
        let start = self.text.line_start(self.text.line_of(span.start));
        self.hay(Span {
            start,
            end: self.line_end(span.end),
        })
    }

    fn check(&self) -> Result<(), Stopped> {
        if (self.cancelled)() {
            Err(Stopped::Cancelled)
        } else if Instant::now() >= self.deadline {
            Err(Stopped::Late)
        } else {
            Ok(())
        }
    }

    /// Where the window that begins at `start` ends: behind a line end, or with the part.
    fn window_after(&self, part: Span, start: usize) -> usize {
        if self.pattern.crosses_lines || part.end - start <= WINDOW {
            return part.end;
        }
        let at = self.text.border_before(start + WINDOW);
        self.line_end(at).min(part.end)
    }

    /// Where the window that ends at `end` begins.
    fn window_before(&self, part: Span, end: usize) -> usize {
        if self.pattern.crosses_lines || end - part.start <= WINDOW {
            return part.start;
        }
        let at = self.text.border_before(end - WINDOW);
        let start = self.text.line_start(self.text.line_of(at));
        start.max(part.start)
    }

    /// The beginning of the next line, or the end of the text.
    fn line_end(&self, at: usize) -> usize {
        self.text.line_start(self.text.line_of(at) + 1)
    }

    fn hay(&self, part: Span) -> Hay {
        let offset = self.text.border_before(part.start.saturating_sub(BESIDE));
        let end = self.text.border_before(part.end + BESIDE);
        let mut text = String::with_capacity(end - offset);
        self.text.append_to(offset, end, &mut text);
        Hay { text, offset }
    }
}

fn enough(is_enough: bool) -> Next {
    if is_enough { Next::Enough } else { Next::More }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
