//! One buffer: text, revisions, undo.

use super::edits;
use crate::generators::apply;
use std::path::PathBuf;
use symphony_core_ports::{
    Applied, BufferId, BufferInfo, LineEnding, PortError, PortResult, Revision, TextDelta, TextEdit,
};

/// How many revisions back a delta may be based.
const HISTORY: usize = 1_000;

#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) id: BufferId,
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) revision: Revision,
    /// Text of the file as last read or saved; `None` where there is no file yet.
    pub(super) on_disk: Option<String>,
    pub(super) mark: bool,
    history: Vec<Change>,
    undo: Vec<Vec<TextEdit>>,
    redo: Vec<Vec<TextEdit>>,
}

/// What led from the revision before to `revision`.
#[derive(Debug)]
struct Change {
    revision: Revision,
    before: String,
    edits: Vec<TextEdit>,
}

/// What a change of a buffer was, for its event.
pub(super) struct Made {
    pub(super) applied: Applied,
    pub(super) edits: Vec<TextEdit>,
}

impl Buffer {
    pub(super) fn new(id: BufferId, path: PathBuf, text: String, on_disk: Option<String>) -> Self {
        Self {
            id,
            path,
            text,
            revision: Revision(0),
            on_disk,
            mark: false,
            history: Vec::new(),
            undo: Vec::new(),
            redo: Vec::new(),
        }
    }

    pub(super) fn dirty(&self) -> bool {
        self.on_disk.as_ref() != Some(&self.text)
    }

    pub(super) fn info(&self, read_only: bool) -> BufferInfo {
        BufferInfo {
            id: self.id,
            path: Some(self.path.clone()),
            revision: self.revision,
            len: self.text.len(),
            line_ending: line_ending(&self.text),
            dirty: self.dirty(),
            read_only,
            digest: digest(&self.text),
        }
    }

    /// Makes a change that can be undone.
    pub(super) fn edit(&mut self, edits: Vec<TextEdit>) -> Made {
        let inverse = edits::invert(&self.text, &edits);
        let made = self.change(edits);
        if made.applied.changed {
            self.undo.push(inverse);
            self.redo.clear();
        }
        made
    }

    /// Rebases a delta and makes its change.
    pub(super) fn apply(&mut self, delta: TextDelta) -> PortResult<Made> {
        let rebased = self.rebase(delta)?;
        Ok(self.edit(rebased))
    }

    pub(super) fn undo(&mut self) -> Made {
        match self.undo.pop() {
            Some(group) => {
                self.redo.push(edits::invert(&self.text, &group));
                self.change(group)
            }
            None => self.change(Vec::new()),
        }
    }

    pub(super) fn redo(&mut self) -> Made {
        match self.redo.pop() {
            Some(group) => {
                self.undo.push(edits::invert(&self.text, &group));
                self.change(group)
            }
            None => self.change(Vec::new()),
        }
    }

    fn change(&mut self, edits: Vec<TextEdit>) -> Made {
        let after = apply(&self.text, &edits);
        let changed = after != self.text;
        if changed {
            let before = std::mem::replace(&mut self.text, after);
            self.revision.0 += 1;
            self.history.push(Change {
                revision: self.revision,
                before,
                edits: edits.clone(),
            });
            if self.history.len() > HISTORY {
                self.history.remove(0);
            }
        }
        Made {
            applied: Applied {
                revision: self.revision,
                changed,
            },
            edits,
        }
    }

    fn rebase(&self, delta: TextDelta) -> PortResult<Vec<TextEdit>> {
        if delta.base > self.revision {
            let why = format!("{} is newer than revision {}", delta.base, self.revision);
            return Err(PortError::invalid("base", why));
        }
        let since = self.history.partition_point(|c| c.revision <= delta.base);
        let missed = &self.history[since..];
        let base_text = match missed.first() {
            None => &self.text,
            Some(change) if change.revision.0 == delta.base.0 + 1 => &change.before,
            Some(_) => {
                return Err(PortError::Conflict {
                    details: format!("revision {} is too old to rebase from", delta.base),
                    ranges: Vec::new(),
                });
            }
        };
        edits::check(base_text, &delta.edits)?;
        let mut conflicts = Vec::new();
        let mut rebased = Vec::with_capacity(delta.edits.len());
        for edit in delta.edits {
            let mut range = edit.range;
            let mut met = false;
            for change in missed {
                let (carried, meets) = edits::carry(&range, &change.edits);
                range = carried;
                met |= meets;
            }
            if met {
                conflicts.push(range.clone());
            }
            rebased.push(TextEdit {
                range,
                text: edit.text,
            });
        }
        if conflicts.is_empty() {
            return Ok(rebased);
        }
        Err(PortError::Conflict {
            details: format!("the text changed since revision {}", delta.base),
            ranges: conflicts,
        })
    }
}

pub(super) fn digest(text: &str) -> String {
    format!("b3:{}", blake3::hash(text.as_bytes()).to_hex())
}

fn line_ending(text: &str) -> LineEnding {
    let all = text.matches('\n').count();
    let crlf = text.matches("\r\n").count();
    match crlf {
        0 => LineEnding::Lf,
        _ if crlf == all => LineEnding::Crlf,
        _ => LineEnding::Mixed,
    }
}
