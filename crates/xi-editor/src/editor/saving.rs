//! Saving buffers, and deleting their files.

use super::disk::Disk;
use super::{Editor, EditorError, OpenBuffer, USER, absolute};
use crate::companion::Notice;
use crate::engine::{Summary, Text, TextBuilder};
use crate::file::{self, Compared, Content, Fingerprint};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use symphony_ipc_protocol::xi::{
    Applied, EditOrigin, Empty, Encoding, OnOverlap, Remove, Replace, Save, Saved, XiEvent,
};

/// What a save is to write where.
struct Plan {
    path: PathBuf,
    /// Another file than the buffer's own.
    is_other: bool,
    overwrite: bool,
    encoding: Encoding,
    /// Edits to make first.
    edits: Vec<Replace>,
}

/// What writing did.
struct Written {
    bytes: u64,
    fingerprint: Fingerprint,
    created: bool,
}

impl Editor {
    /// Saves a buffer to its file, or to a new one that it then belongs to.
    ///
    /// # Errors
    /// [`EditorError`]; the file holds its old bytes then, and the buffer its text.
    pub fn save(&mut self, request: &Save) -> Result<Saved, EditorError> {
        let plan = self.plan(request)?;
        let open = self.find(request.buffer)?;
        let was_dirty = open.dirty();
        let written = open.write(&plan)?;
        let applied = open.make(plan.edits)?;
        open.encoding = plan.encoding;
        open.conflicts.clear();
        open.disk = Disk::holding(&open.buffer, written.fingerprint, open.encoding);
        open.read_only = file::is_read_only(&plan.path);
        open.path = Some(Arc::from(plan.path.as_path()));
        let summary = open.buffer.summary();
        let revision = open.buffer.revision();
        let saved = Notice::Saved(open.snapshot());
        self.tell_change(request.buffer, &applied, USER);
        self.notices.push(saved);
        if written.bytes > 0 || was_dirty || plan.is_other {
            self.events.push(XiEvent::BufferSaved {
                buffer: request.buffer,
                path: plan.path.clone(),
                revision,
            });
        }
        Ok(Saved {
            mode: file::mode(&plan.path),
            path: plan.path,
            revision,
            bytes: written.bytes,
            digest: summary.digest_text(),
            encoding: plan.encoding,
            line_ending: summary.line_ending,
            created: written.created,
        })
    }

    /// Finds out what a save has to do, and whether it may.
    fn plan(&mut self, request: &Save) -> Result<Plan, EditorError> {
        let target = match &request.path {
            Some(path) => Some(file::resolve_new(absolute(path)?)?),
            None => None,
        };
        let taken = target
            .as_deref()
            .is_some_and(|t| self.holder(t).is_some_and(|key| key != request.buffer));
        let open = self.find(request.buffer)?;
        let newest = open.buffer.revision();
        if let Some(asked) = request.revision
            && asked != newest
        {
            return Err(EditorError::NotNewest { asked, newest });
        }
        let own = open.file();
        let path = target
            .or_else(|| own.clone())
            .ok_or(EditorError::NoFile(request.buffer))?;
        let is_other = own.as_ref() != Some(&path);
        if taken || (is_other && path.symlink_metadata().is_ok()) {
            return Err(EditorError::Exists(path));
        }
        if !open.conflicts.is_empty() && !is_other && !request.overwrite {
            return Err(EditorError::Unresolved {
                revision: newest,
                ranges: open.conflicts.ranges(),
            });
        }
        let edits = match request.line_ending {
            Some(line_ending) => open.line_end_edits(line_ending)?,
            None => Vec::new(),
        };
        Ok(Plan {
            path,
            is_other,
            overwrite: request.overwrite,
            encoding: request.encoding.unwrap_or(open.encoding),
            edits,
        })
    }

    /// Deletes the file of a clean buffer and closes the buffer.
    ///
    /// # Errors
    /// [`EditorError::Unsaved`], [`EditorError::ChangedOnDisk`] and others; nothing is deleted then.
    pub fn remove(&mut self, request: &Remove) -> Result<Empty, EditorError> {
        let open = self.find(request.buffer)?;
        let path = open.file().ok_or(EditorError::NoFile(request.buffer))?;
        match file::compare(&path, open.disk.fingerprint.as_ref())? {
            _ if open.dirty() => return Err(EditorError::Unsaved),
            Compared::Changed => return Err(EditorError::ChangedOnDisk(path)),
            Compared::Same(_) if file::is_read_only(&path) => {
                return Err(EditorError::ReadOnly(path));
            }
            Compared::Same(_) => file::remove(&path)?,
            // Somebody was faster.
            Compared::Gone => {}
        }
        self.forget(request.buffer);
        Ok(Empty {})
    }
}

impl OpenBuffer {
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.path.as_deref().map(Path::to_owned)
    }

    /// Makes edits that were computed on the newest text.
    fn make(&mut self, edits: Vec<Replace>) -> Result<Applied, EditorError> {
        let origin = EditOrigin::default();
        Ok(self.buffer.edit(None, edits, OnOverlap::Refuse, &origin)?)
    }

    /// The text to write, and its summary.
    fn planned(&mut self, plan: &Plan) -> (Text, Summary) {
        if plan.edits.is_empty() {
            return (self.buffer.text().clone(), self.buffer.summary());
        }
        let text = self.buffer.text();
        let mut builder = TextBuilder::default();
        let mut at = 0;
        for edit in &plan.edits {
            builder.push(&text.slice(at, edit.start));
            builder.push(&edit.text);
            at = edit.end;
        }
        builder.push(&text.slice(at, text.len()));
        builder.finish()
    }

    /// Writes the text unless the file holds it already.
    fn write(&mut self, plan: &Plan) -> Result<Written, EditorError> {
        let path = plan.path.as_path();
        let known = self.disk.fingerprint.as_ref().filter(|_| !plan.is_other);
        let compared = file::compare(path, known)?;
        let unwritten = |fingerprint| Written {
            bytes: 0,
            fingerprint,
            created: false,
        };
        let is_kept = plan.edits.is_empty() && plan.encoding == self.encoding;
        if let Compared::Same(now) = &compared
            && is_kept
            && !self.dirty()
        {
            return Ok(unwritten(now.clone()));
        }
        let (text, summary) = self.planned(plan);
        let content = Content::new(&text, plan.encoding, summary.digest)?;
        if let Compared::Same(now) = file::compare(path, Some(&content.fingerprint()))? {
            return Ok(unwritten(now));
        }
        // A file that is gone cannot be overwritten; it is made anew.
        if matches!(compared, Compared::Changed) && !plan.overwrite {
            return Err(EditorError::ChangedOnDisk(path.to_owned()));
        }
        if file::is_read_only(path) {
            return Err(EditorError::ReadOnly(path.to_owned()));
        }
        // A file that was there once went away with its folder for a reason; a new one needs its folders.
        if self.disk.fingerprint.is_none() && !plan.is_other {
            file::make_folders(path)?;
        }
        Ok(Written {
            fingerprint: file::write(path, &content)?,
            bytes: content.len(),
            created: matches!(compared, Compared::Gone),
        })
    }
}
