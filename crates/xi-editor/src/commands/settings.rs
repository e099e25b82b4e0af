//! How a buffer is edited.

use super::language::Language;
use crate::engine::Text;
use symphony_ipc_protocol::xi::Indent;

/// So many lines are looked at to find out how a text is indented.
const LOOKED_AT: usize = 1_000;

/// How a buffer is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// One step of indentation.
    pub indent: Indent,
    /// Columns from one tab stop to the next.
    pub tab_width: usize,
    /// Comments and pairs.
    pub language: &'static Language,
    /// Whether brackets and quotes are closed as they are typed.
    pub auto_pairs: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            indent: Indent::Spaces { width: 4 },
            tab_width: 4,
            language: &super::language::PLAIN,
            auto_pairs: true,
        }
    }
}

impl Settings {
    /// One step of indentation as text.
    pub fn step(&self) -> String {
        match self.indent {
            Indent::Tabs => "\t".to_owned(),
            Indent::Spaces { width } => " ".repeat(width as usize),
        }
    }

    /// Columns of one step.
    pub fn step_width(&self) -> usize {
        match self.indent {
            Indent::Tabs => self.tab_width,
            Indent::Spaces { width } => width as usize,
        }
    }
}

/// How a text is indented, from the first lines that are; `None` where none is.
pub fn detect_indent(text: &Text) -> Option<Indent> {
    let (mut tabs, mut spaces) = (0, 0);
    // How often a line is so many spaces deeper than the one before.
    let mut steps = [0_usize; 9];
    let mut before = 0;
    for line in 0..text.lines().min(LOOKED_AT) {
        let start = text.line_start(line);
        let width = text.indent_end(line) - start;
        if text.is_blank_line(line) {
            continue;
        }
        if width > 0 && text.chars_from(start).next() == Some('\t') {
            tabs += 1;
        } else {
            spaces += usize::from(width > 0);
            if let Some(count) = steps.get_mut(width.saturating_sub(before)) {
                *count += 1;
            }
            before = width;
        }
    }
    if tabs > spaces {
        return Some(Indent::Tabs);
    }
    let wider = (2..steps.len()).rev().max_by_key(|width| steps[*width])?;
    let width = u32::try_from(wider).ok()?;
    (steps[wider] > 0).then_some(Indent::Spaces { width })
}
