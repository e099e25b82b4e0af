//! Folds: which lines are hidden, and which could be.

use crate::commands::column_of;
use crate::engine::{Changes, Text};
use std::collections::BTreeMap;
use symphony_ipc_protocol::xi::{FoldKind, Foldable};

/// The end of what can be folded is looked for over so many lines.
const REACH_LINES: usize = 20_000;
/// And over so many bytes.
const REACH_BYTES: usize = 4 * 1024 * 1024;

/// A fold: from the end of the line that stays to the end of the last line folded away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folded {
    start: usize,
    end: usize,
}

impl Folded {
    /// Folds the lines after `first` up to `last`, counted from 0; `None` when
    /// there are none.
    pub fn new(text: &Text, first: usize, last: usize) -> Option<Self> {
        let last = last.min(text.lines() - 1);
        (first < last).then(|| Self {
            start: text.line_end(first),
            end: text.line_end(last),
        })
    }

    /// First byte and one past the last.
    pub fn range(&self) -> (usize, usize) {
        (self.start, self.end)
    }

    /// The line that stays and the last one folded away, from 0.
    pub fn lines(&self, text: &Text) -> (usize, usize) {
        (text.line_of(self.start), text.line_of(self.end))
    }

    /// The fold after changes that led to `text`; `None` when no line is left in it.
    #[must_use]
    pub fn moved_by(&self, changes: &Changes, text: &Text) -> Option<Self> {
        let start = changes.moved(self.start, true);
        let end = changes.moved(self.end, false);
        let (first, last) = (text.line_of(start), text.line_of(end));
        Self::new(text, first, last)
    }
}

/// The lines that folds hide: sorted, apart from each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden(Vec<(usize, usize)>);

impl Hidden {
    /// What the folds of a text hide.
    pub fn new(text: &Text, folds: &[Folded]) -> Self {
        let lines = folds.iter().map(|fold| fold.lines(text));
        let mut ranges: Vec<(usize, usize)> = lines
            .filter(|(first, last)| first < last)
            .map(|(first, last)| (first + 1, last))
            .collect();
        ranges.sort_unstable();
        let mut out: Vec<(usize, usize)> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match out.last_mut() {
                Some(last) if range.0 <= last.1 + 1 => last.1 = last.1.max(range.1),
                _ => out.push(range),
            }
        }
        Self(out)
    }

    /// Whether nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn range_of(&self, line: usize) -> Option<(usize, usize)> {
        let after = self.0.partition_point(|range| range.0 <= line);
        let range = *self.0.get(after.checked_sub(1)?)?;
        (line <= range.1).then_some(range)
    }

    /// Whether a line is hidden.
    pub fn hides(&self, line: usize) -> bool {
        self.range_of(line).is_some()
    }

    /// A line, or the next one that is shown.
    pub fn shown(&self, line: usize) -> usize {
        self.range_of(line).map_or(line, |range| range.1 + 1)
    }

    /// The line before another one that is shown.
    pub fn shown_before(&self, line: usize) -> Option<usize> {
        let before = line.checked_sub(1)?;
        match self.range_of(before) {
            Some(range) => range.0.checked_sub(1),
            None => Some(before),
        }
    }

    /// How many lines are hidden right after a line.
    pub fn after(&self, line: usize) -> usize {
        let range = self.range_of(line + 1).filter(|range| range.0 == line + 1);
        range.map_or(0, |range| range.1 - range.0 + 1)
    }
}

/// What can be folded among `count` lines from `first` on (from 0). A fold
/// whose end is further than 20,000 lines or 4 MiB away is not found.
pub fn foldable(text: &Text, tab_width: usize, first: usize, count: usize) -> Vec<Foldable> {
    let mut found = BTreeMap::new();
    let mut indents = Indents::default();
    let mut brackets = Brackets::default();
    let last = text.lines().min(first.saturating_add(count));
    let stop = text.lines().min(last.saturating_add(REACH_LINES));
    let begin = text.line_start(first);
    let mut line = first;
    while line < stop {
        let in_window = line < last;
        let done = !in_window && indents.is_done() && brackets.is_done();
        if done || brackets.is_full() || text.line_end(line) - begin > REACH_BYTES {
            break;
        }
        indents.take(text, tab_width, line, in_window, &mut found);
        brackets.take(text, line, in_window, &mut found);
        line += 1;
    }
    if line == text.lines() {
        indents.finish(&mut found);
    }
    found.into_values().collect()
}

/// By the first line. Brackets know better than indentation where something ends.
type Found = BTreeMap<usize, Foldable>;

fn add(found: &mut Found, first: usize, last: usize, by: FoldKind) {
    if last <= first {
        return;
    }
    let (first, last) = (first + 1, last + 1);
    let fold = Foldable { first, last, by };
    if by == FoldKind::Brackets {
        found.insert(first, fold);
    } else {
        found.entry(first).or_insert(fold);
    }
}

/// Lines whose following lines are indented deeper.
#[derive(Default)]
struct Indents {
    /// Lines that may still end further down, with their columns.
    open: Vec<(usize, usize)>,
    last_text: usize,
}

impl Indents {
    fn take(&mut self, text: &Text, tab: usize, line: usize, opens: bool, found: &mut Found) {
        if text.is_blank_line(line) {
            return;
        }
        let column = column_of(text, tab, text.indent_end(line));
        while let Some((first, of)) = self.open.last().copied()
            && of >= column
        {
            self.open.pop();
            add(found, first, self.last_text, FoldKind::Indentation);
        }
        if opens {
            self.open.push((line, column));
        }
        self.last_text = line;
    }

    fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    fn finish(self, found: &mut Found) {
        for (first, _) in self.open {
            add(found, first, self.last_text, FoldKind::Indentation);
        }
    }
}

/// So many brackets are open at once at most.
const MOST_OPEN: usize = 100_000;

/// A bracket that is open.
struct Open {
    close: char,
    line: usize,
    /// Whether its line is one of those asked for.
    wanted: bool,
}

/// Brackets that are open at the end of a line.
#[derive(Default)]
struct Brackets {
    open: Vec<Open>,
    wanted: usize,
}

impl Brackets {
    fn take(&mut self, text: &Text, line: usize, wanted: bool, found: &mut Found) {
        let content = text.line(line);
        let closing = content.trim_start().starts_with([')', ']', '}']);
        for c in content.chars() {
            let close = match c {
                '(' => ')',
                '[' => ']',
                '{' => '}',
                ')' | ']' | '}' => {
                    // A line that begins with a closing bracket stays, too.
                    self.close(c, line - usize::from(closing && line > 0), found);
                    continue;
                }
                _ => continue,
            };
            self.wanted += usize::from(wanted);
            let open = Open {
                close,
                line,
                wanted,
            };
            self.open.push(open);
        }
    }

    fn close(&mut self, c: char, last: usize, found: &mut Found) {
        if let Some(open) = self.open.pop_if(|open| open.close == c)
            && open.wanted
        {
            self.wanted -= 1;
            add(found, open.line, last, FoldKind::Brackets);
        }
    }

    fn is_done(&self) -> bool {
        self.wanted == 0
    }

    fn is_full(&self) -> bool {
        self.open.len() > MOST_OPEN
    }
}
