//! Rows, widths and folds of a view.

use super::super::{Editor, EditorError};
use crate::layout::{Folded, Metrics, Row as Laid, foldable};
use symphony_ipc_protocol::xi::{
    Empty, Fold, FoldState, FoldedLines, Folds, Lines, Row, Rows, SetMetrics, Unfold, ViewKey,
};

/// So many rows, or lines with folds, are told at once.
const MAX_ROWS: usize = 10_000;
/// A view has so many folds at most.
const MAX_FOLDS: usize = 10_000;
/// So many ranges of characters have a width of their own at most.
const MAX_WIDTHS: usize = 4_096;
/// No row and no character is wider.
const MAX_WIDTH: u32 = 1 << 24;

impl Editor {
    /// Sets how a view wraps and how wide its characters are.
    ///
    /// # Errors
    /// [`EditorError::NoView`], [`EditorError::BadSetting`], [`EditorError::TooMany`] ranges.
    pub fn set_metrics(&mut self, request: SetMetrics) -> Result<Empty, EditorError> {
        let view = self.views.find(request.view)?;
        let bad = |why: &str| EditorError::BadSetting(why.to_owned());
        if request.wrap.is_some_and(|w| w == 0 || w > MAX_WIDTH) {
            return Err(bad("`wrap` may be 1 to 16777216"));
        }
        let metrics = match request.widths {
            None => Metrics::Columns,
            Some(widths) => {
                at_most("ranges of characters", widths.chars.len(), MAX_WIDTHS)?;
                let all = widths.chars.iter().map(|c| c.width);
                if all
                    .chain([widths.narrow, widths.wide])
                    .any(|w| w > MAX_WIDTH)
                {
                    return Err(bad("a width may be 0 to 16777216"));
                }
                Metrics::measured(widths).ok_or_else(|| bad("ranges of `chars` overlap"))?
            }
        };
        view.wrap = request.wrap.map(|w| w as usize);
        view.metrics = metrics;
        let buffer = view.buffer;
        self.views.news.placed(buffer, request.view);
        Ok(Empty {})
    }

    /// The rows of a view.
    ///
    /// # Errors
    /// [`EditorError::NoView`], [`EditorError::TooMany`] rows, an offset outside of the text.
    pub fn rows(&mut self, request: &Lines) -> Result<Rows, EditorError> {
        at_most("rows", request.count, MAX_ROWS)?;
        let tab_width = self.settings_of(request.view)?.tab_width;
        let (open, view) = self.scene_of(request.view)?;
        let text = open.buffer.text();
        let layout = view.layout(text, tab_width);
        let offset = match request.from {
            Some(offset) => {
                text.check(offset, offset)?;
                offset
            }
            None => text.line_start(request.first.saturating_sub(1).min(text.lines() - 1)),
        };
        let mut next = Some(layout.row_at(text, offset));
        let mut rows = Vec::with_capacity(request.count);
        while rows.len() < request.count
            && let Some(row) = next
        {
            let is_last = row.end == text.line_end(row.line);
            rows.push(Row {
                line: row.line + 1,
                start: row.start,
                end: row.end,
                width: layout.width_to(text, &row, row.end),
                folded: if is_last {
                    layout.hidden.after(row.line)
                } else {
                    0
                },
            });
            next = layout.next_row(text, &row);
        }
        Ok(Rows {
            revision: open.buffer.revision(),
            lines: text.lines(),
            rows,
            next: next.map(|row: Laid| row.start),
        })
    }

    /// What can be folded in some lines of a view, and what is.
    ///
    /// # Errors
    /// [`EditorError::NoView`], [`EditorError::TooMany`] lines.
    pub fn folds(&mut self, request: &Folds) -> Result<FoldState, EditorError> {
        at_most("lines", request.count, MAX_ROWS)?;
        let tab_width = self.settings_of(request.view)?.tab_width;
        let (open, _) = self.scene_of(request.view)?;
        let first = request.first.saturating_sub(1);
        let foldable = foldable(open.buffer.text(), tab_width, first, request.count);
        Ok(FoldState {
            foldable,
            ..self.folded(request.view)?
        })
    }

    /// Folds lines of a view. Cursors in them go to the end of the line that stays.
    ///
    /// # Errors
    /// [`EditorError::NoView`], [`EditorError::TooMany`] folds; no lines to fold.
    pub fn fold(&mut self, request: &Fold) -> Result<FoldState, EditorError> {
        let (open, view) = self.scene_of(request.view)?;
        let text = open.buffer.text();
        let first = request.first.checked_sub(1);
        let fold = first
            .and_then(|first| Folded::new(text, first, request.last.saturating_sub(1)))
            .ok_or_else(|| EditorError::BadSetting("there are no such lines to fold".to_owned()))?;
        if !view.folds.contains(&fold) {
            at_most("folds", view.folds.len() + 1, MAX_FOLDS)?;
            view.folds.push(fold);
        }
        let (first, last) = fold.lines(text);
        let end = text.line_end(first);
        let out = |offset: usize| {
            let line = text.line_of(offset);
            if first < line && line <= last {
                end
            } else {
                offset
            }
        };
        let carets = view.carets.map(|caret| {
            let (anchor, head) = (out(caret.anchor), out(caret.head));
            crate::commands::Caret::new(anchor, head)
        });
        view.place(&carets, text);
        let buffer = view.buffer;
        self.views.news.placed(buffer, request.view);
        self.tell_selections(buffer);
        self.folded(request.view)
    }

    /// Unfolds lines of a view.
    ///
    /// # Errors
    /// [`EditorError::NoView`].
    pub fn unfold(&mut self, request: &Unfold) -> Result<FoldState, EditorError> {
        let (open, view) = self.scene_of(request.view)?;
        let text = open.buffer.text();
        view.folds.retain(|fold| {
            let (first, last) = fold.lines(text);
            request
                .line
                .is_some_and(|line| line <= first || line > last + 1)
        });
        let buffer = view.buffer;
        self.views.news.placed(buffer, request.view);
        self.folded(request.view)
    }

    fn folded(&mut self, view: ViewKey) -> Result<FoldState, EditorError> {
        let (open, view) = self.scene_of(view)?;
        let text = open.buffer.text();
        let mut folded: Vec<FoldedLines> = view
            .folds
            .iter()
            .map(|fold| fold.lines(text))
            .map(|(first, last)| FoldedLines {
                first: first + 1,
                last: last + 1,
            })
            .collect();
        folded.sort_by_key(|fold| (fold.first, fold.last));
        Ok(FoldState {
            revision: open.buffer.revision(),
            foldable: Vec::new(),
            folded,
        })
    }
}

fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), EditorError> {
    if count > limit {
        return Err(EditorError::TooMany { what, count, limit });
    }
    Ok(())
}
