//! Selections: sorted, apart from each other, on borders of grapheme clusters.

use crate::engine::{Change, Changes, Text};
use symphony_ipc_protocol::xi::Selection;

/// One selection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caret {
    /// Where it was begun.
    pub anchor: usize,
    /// Where the cursor is.
    pub head: usize,
    /// The column that moving up and down aims at.
    pub goal: Option<usize>,
}

impl Caret {
    /// A cursor with nothing selected.
    pub fn at(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    /// A selection.
    pub fn new(anchor: usize, head: usize) -> Self {
        Self {
            anchor,
            head,
            goal: None,
        }
    }

    /// Where it starts.
    pub fn start(&self) -> usize {
        self.anchor.min(self.head)
    }

    /// Where it ends.
    pub fn end(&self) -> usize {
        self.anchor.max(self.head)
    }

    /// Whether nothing is selected.
    pub fn is_empty(&self) -> bool {
        self.anchor == self.head
    }

    /// The same direction over another range.
    #[must_use]
    pub fn over(&self, start: usize, end: usize) -> Self {
        if self.head < self.anchor {
            Self::new(end, start)
        } else {
            Self::new(start, end)
        }
    }
}

impl From<Selection> for Caret {
    fn from(selection: Selection) -> Self {
        Self::new(selection.anchor, selection.head)
    }
}

impl From<&Caret> for Selection {
    fn from(caret: &Caret) -> Self {
        Self {
            anchor: caret.anchor,
            head: caret.head,
        }
    }
}

/// All selections of a view; never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carets {
    list: Vec<Caret>,
    primary: usize,
}

impl Default for Carets {
    fn default() -> Self {
        Self {
            list: vec![Caret::default()],
            primary: 0,
        }
    }
}

impl Carets {
    /// Sorts selections and joins those that overlap, or touch where one is
    /// empty. Without any there is one at the beginning.
    pub fn new(list: Vec<Caret>, primary: usize) -> Self {
        let primary = list.get(primary).or(list.first()).copied();
        let Some(primary) = primary else {
            return Self::default();
        };
        let mut sorted = list;
        sorted.sort_by_key(|c| (c.start(), c.end()));
        let mut out: Vec<Caret> = Vec::with_capacity(sorted.len());
        for caret in sorted {
            match out.last_mut() {
                Some(last) if joins(last, &caret) => {
                    let end = last.end().max(caret.end());
                    let backwards = if last.is_empty() { &caret } else { &*last };
                    *last = Caret {
                        goal: last.goal,
                        ..backwards.over(last.start(), end)
                    };
                }
                _ => out.push(caret),
            }
        }
        let holds = |c: &Caret| c.start() <= primary.start() && primary.end() <= c.end();
        let primary = out.iter().position(holds).unwrap_or(0);
        Self { list: out, primary }
    }

    /// One selection.
    pub fn one(caret: Caret) -> Self {
        Self {
            list: vec![caret],
            primary: 0,
        }
    }

    /// The selections, sorted.
    pub fn iter(&self) -> std::slice::Iter<'_, Caret> {
        self.list.iter()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The primary one.
    pub fn primary(&self) -> &Caret {
        &self.list[self.primary]
    }

    /// Which of them is the primary one.
    pub fn primary_index(&self) -> usize {
        self.primary
    }

    /// Each selection replaced by another, then sorted and joined.
    #[must_use]
    pub fn map(&self, how: impl FnMut(&Caret) -> Caret) -> Self {
        Self::new(self.list.iter().map(how).collect(), self.primary)
    }

    /// With one more, which becomes the primary one.
    #[must_use]
    pub fn and(&self, caret: Caret) -> Self {
        let mut list = self.list.clone();
        list.push(caret);
        let primary = list.len() - 1;
        Self::new(list, primary)
    }

    /// Whether both select the same, whatever column they aim at.
    pub fn same_places(&self, other: &Self) -> bool {
        let places = |c: &Caret| (c.anchor, c.head);
        self.primary == other.primary && self.iter().map(places).eq(other.iter().map(places))
    }

    /// Where the selections are after changes: text inserted at an end comes before it.
    #[must_use]
    pub fn moved_by(&self, changes: &Changes) -> Self {
        // The ends are not sorted among each other, but the selections are.
        let list: Vec<&Change> = changes.iter().collect();
        let mut first = 0;
        let mut grown = 0_isize;
        self.map(|caret| {
            while let Some(change) = list.get(first)
                && change.start + change.old < caret.start()
            {
                grown += change.new as isize - change.old as isize;
                first += 1;
            }
            let to = |offset| moved(&list[first..], grown, offset);
            let goal = if changes.is_empty() { caret.goal } else { None };
            Caret {
                anchor: to(caret.anchor),
                head: to(caret.head),
                goal,
            }
        })
    }

    /// With every end on a border of grapheme clusters of the text.
    #[must_use]
    pub fn snapped(&self, text: &Text) -> Self {
        self.map(|caret| Caret {
            anchor: text.snap(caret.anchor),
            head: text.snap(caret.head),
            goal: caret.goal,
        })
    }
}

fn joins(first: &Caret, second: &Caret) -> bool {
    second.start() < first.end()
        || (second.start() == first.end() && (first.is_empty() || second.is_empty()))
}

/// An offset after the changes of a list, those before it having grown the text by `grown`.
fn moved(changes: &[&Change], mut grown: isize, offset: usize) -> usize {
    for change in changes {
        if change.start > offset {
            break;
        }
        let end = change.start + change.old;
        if change.start < offset || change.old == 0 {
            if end <= offset {
                grown += change.new as isize - change.old as isize;
                continue;
            }
            return (change.start + change.new).saturating_add_signed(grown);
        }
        break;
    }
    offset.saturating_add_signed(grown)
}
