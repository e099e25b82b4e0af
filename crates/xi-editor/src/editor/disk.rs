//! Buffers and the disk: changes that others made to a file.

use super::{Editor, EditorError, OpenBuffer};
use crate::engine::{Buffer, Changes, Text};
use crate::file::{self, Fingerprint, Loaded, Look};
use crate::merge::{self, Merged};
use std::path::PathBuf;
use symphony_ipc_protocol::xi::{
    BufferKey, EditOrigin, Encoding, ExternalChange, ExternalOutcome, FileChanged, OnOverlap,
    RevisionNumber, XiEvent,
};

/// Who edits when a file changed on disk.
const DISK: &str = "disk";

/// What the file of a buffer holds, as far as is known.
pub(super) struct Disk {
    /// The text last read or written: what a merge compares both sides with.
    pub(super) text: Text,
    /// The state of the buffer that the file holds, if it holds one.
    pub(super) state: Option<u64>,
    /// The revision of that state.
    pub(super) revision: Option<RevisionNumber>,
    /// The file's bytes; `None` where no file is known to be.
    pub(super) fingerprint: Option<Fingerprint>,
    /// The file's encoding.
    pub(super) encoding: Encoding,
}

impl Disk {
    /// No file yet.
    pub(super) fn nothing() -> Self {
        Self {
            text: Text::default(),
            state: None,
            revision: None,
            fingerprint: None,
            encoding: Encoding::Utf8,
        }
    }

    /// The file holds the newest text of the buffer.
    pub(super) fn holding(buffer: &Buffer, fingerprint: Fingerprint, encoding: Encoding) -> Self {
        Self {
            text: buffer.text().clone(),
            state: Some(buffer.state()),
            revision: Some(buffer.revision()),
            fingerprint: Some(fingerprint),
            encoding,
        }
    }
}

/// A file that somebody beside the editing loop is to look at.
#[derive(Debug)]
pub struct Known {
    path: PathBuf,
    fingerprint: Option<Fingerprint>,
    limit: u64,
    encoding: Encoding,
}

impl Known {
    /// Looks at the file; reads it only if needed.
    ///
    /// # Errors
    /// [`file::FileError`] when it cannot be read as text.
    pub fn look(&self) -> Result<Look, file::FileError> {
        file::look(
            &self.path,
            self.fingerprint.as_ref(),
            self.limit,
            self.encoding,
        )
    }

    /// Whether the file is known to hold something.
    pub fn has_bytes(&self) -> bool {
        self.fingerprint.as_ref().is_some_and(|f| !f.is_empty())
    }
}

impl Editor {
    /// Looks at a buffer's file and takes in what changed there.
    ///
    /// # Errors
    /// [`EditorError`] when the file cannot be read; the buffer keeps its text then.
    pub fn file_changed(&mut self, request: &FileChanged) -> Result<ExternalChange, EditorError> {
        let key = request.buffer;
        if self.window(key).is_some() {
            return self.window_changed(key);
        }
        let known = self.known(key)?.ok_or(EditorError::NoFile(key))?;
        self.check_permission(key)?;
        let look = known.look()?;
        let outcome = self.take_look(key, look)?;
        Ok(ExternalChange {
            outcome,
            revision: self.find(key)?.buffer.revision(),
        })
    }

    /// What is known of a buffer's file; `None` when it has none, or is windowed.
    ///
    /// # Errors
    /// [`EditorError::NoBuffer`].
    pub fn known(&mut self, key: BufferKey) -> Result<Option<Known>, EditorError> {
        if self.window(key).is_some() {
            return Ok(None);
        }
        let limit = self.held_limit();
        let open = self.find(key)?;
        Ok(open.file().map(|path| Known {
            path,
            fingerprint: open.disk.fingerprint.clone(),
            limit,
            encoding: open.disk.encoding,
        }))
    }

    /// Takes in what was seen at the file of a buffer, unless more became
    /// known of the file meanwhile: then false, and it is to be looked at again.
    ///
    /// # Errors
    /// As [`Editor::file_changed`].
    pub fn looked(
        &mut self,
        key: BufferKey,
        known: &Known,
        look: Look,
    ) -> Result<bool, EditorError> {
        self.check_permission(key)?;
        let open = self.find(key)?;
        let is_current = open.disk.fingerprint == known.fingerprint
            && open.path.as_deref() == Some(known.path.as_path());
        if is_current && !matches!(look, Look::Same(_)) {
            self.take_look(key, look)?;
        }
        Ok(is_current)
    }

    /// Tells when the file may be written that could not, or the other way.
    pub(super) fn check_permission(&mut self, key: BufferKey) -> Result<(), EditorError> {
        let open = self.find(key)?;
        let read_only = open.file().is_some_and(|path| file::is_read_only(&path));
        if open.read_only != read_only {
            open.read_only = read_only;
            self.events.push(XiEvent::ReadOnlyChanged {
                buffer: key,
                read_only,
            });
        }
        Ok(())
    }

    fn take_look(&mut self, key: BufferKey, look: Look) -> Result<ExternalOutcome, EditorError> {
        let open = self.find(key)?;
        let outcome = match look {
            Look::Same(now) => {
                open.disk.fingerprint = Some(now);
                open.unresolved().unwrap_or(ExternalOutcome::Unchanged)
            }
            Look::Gone if open.disk.fingerprint.is_none() => ExternalOutcome::Unchanged,
            Look::Gone => {
                open.disk.fingerprint = None;
                open.disk.state = None;
                open.disk.revision = None;
                ExternalOutcome::Deleted
            }
            Look::Changed(loaded) => self.take_in(key, *loaded)?,
        };
        if outcome != ExternalOutcome::Unchanged {
            self.events.push(XiEvent::FileModified {
                buffer: key,
                outcome: outcome.clone(),
            });
        }
        Ok(outcome)
    }

    /// Brings the file's new text into the buffer.
    fn take_in(&mut self, key: BufferKey, loaded: Loaded) -> Result<ExternalOutcome, EditorError> {
        let open = self.find(key)?;
        let base = String::from(&open.disk.text);
        let theirs = String::from(&loaded.text);
        let ours = open.buffer.text();
        let held = |text: &str| ours.holds(0, ours.len(), text);
        let clean = !open.dirty() || (open.disk.state.is_none() && held(&base));
        let file_edits = merge::line_edits(&base, &theirs);
        let file_changes = Changes::of_edits(&file_edits);
        let merged = if held(&theirs) {
            Merged::default()
        } else if clean {
            Merged {
                edits: file_edits,
                conflicts: Vec::new(),
            }
        } else {
            merge::merge(&base, &String::from(ours), &theirs)
        };
        let origin = EditOrigin {
            author: DISK.to_owned(),
            group: None,
        };
        let policy = OnOverlap::Refuse;
        let applied = open.buffer.edit(None, merged.edits, policy, &origin)?;
        let state = open.buffer.state();
        open.conflicts.moved(&applied.edits, state);
        open.conflicts.follow(&file_changes, merged.conflicts);
        if open.encoding == open.disk.encoding {
            open.encoding = loaded.encoding;
        }
        open.disk = Disk {
            text: loaded.text,
            state: None,
            revision: None,
            fingerprint: Some(loaded.fingerprint),
            encoding: loaded.encoding,
        };
        open.meet_file();
        let outcome = open.unresolved().unwrap_or(if clean {
            ExternalOutcome::Reloaded
        } else {
            ExternalOutcome::Merged
        });
        self.tell_text(key, &applied, DISK);
        self.tell_selections(key);
        Ok(outcome)
    }
}

impl OpenBuffer {
    /// The conflicts that are left, if there are any.
    fn unresolved(&self) -> Option<ExternalOutcome> {
        (!self.conflicts.is_empty()).then(|| ExternalOutcome::Conflict {
            ranges: self.conflicts.ranges(),
        })
    }

    /// Notes when the buffer has the text of its file.
    pub(super) fn meet_file(&mut self) {
        let (ours, theirs) = (self.buffer.text(), &self.disk.text);
        let is_there = self.disk.fingerprint.is_some();
        if is_there && ours.len() == theirs.len() && ours.equals(theirs) {
            self.disk.text = self.buffer.text().clone();
            self.disk.state = Some(self.buffer.state());
            self.disk.revision = Some(self.buffer.revision());
            self.conflicts.clear();
        }
    }
}
