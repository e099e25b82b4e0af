//! Buffers and the disk: saving, and changes that others made to a file.

use super::{Editor, EditorError, OpenBuffer, absolute};
use crate::companion::Notice;
use crate::engine::{Buffer, Text};
use crate::file::{self, Compared, Fingerprint, Look};
use crate::merge;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use symphony_ipc_protocol::xi::{
    EditOrigin, Empty, ExternalChange, ExternalOutcome, FileChanged, OnOverlap, Remove,
    RevisionNumber, Save, Saved, XiEvent,
};

/// Who edits when a file changed on disk.
const DISK: &str = "disk";

/// What the file of a buffer holds, as far as is known.
pub(super) struct Disk {
    /// The text last read or written: what a merge compares both sides with.
    text: Text,
    /// The state of the buffer that the file holds, if it holds one.
    pub(super) state: Option<u64>,
    /// The revision of that state.
    pub(super) revision: Option<RevisionNumber>,
    /// The file's bytes; `None` where no file is known to be.
    fingerprint: Option<Fingerprint>,
}

impl Disk {
    /// No file yet.
    pub(super) fn nothing() -> Self {
        Self {
            text: Text::default(),
            state: None,
            revision: None,
            fingerprint: None,
        }
    }

    /// The file holds the newest text of the buffer.
    pub(super) fn holding(buffer: &Buffer, fingerprint: Fingerprint) -> Self {
        Self {
            text: buffer.text().clone(),
            state: Some(buffer.state()),
            revision: Some(buffer.revision()),
            fingerprint: Some(fingerprint),
        }
    }
}

impl Editor {
    /// Saves a buffer to its file, or to a new one that it then belongs to.
    ///
    /// # Errors
    /// [`EditorError`]; the file holds its old bytes then.
    pub fn save(&mut self, request: &Save) -> Result<Saved, EditorError> {
        let target = match &request.path {
            Some(path) => Some(file::resolve_new(absolute(path)?)?),
            None => None,
        };
        let taken = target
            .as_deref()
            .is_some_and(|t| self.at_path(t).is_some_and(|o| o.key != request.buffer));
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
        let was_dirty = open.dirty();
        let (bytes, fingerprint) = open.write(&path, is_other, request.overwrite)?;
        open.disk = Disk::holding(&open.buffer, fingerprint);
        open.read_only = file::is_read_only(&path);
        open.path = Some(Arc::from(path.as_path()));
        let digest = open.buffer.summary().digest;
        let saved = Notice::Saved(open.snapshot());
        self.notices.push(saved);
        if bytes > 0 || was_dirty || is_other {
            self.events.push(XiEvent::BufferSaved {
                buffer: request.buffer,
                path: path.clone(),
                revision: newest,
            });
        }
        Ok(Saved {
            path,
            revision: newest,
            bytes,
            digest,
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

    /// Looks at a buffer's file and takes in what changed there.
    ///
    /// # Errors
    /// [`EditorError`] when the file cannot be read; the buffer keeps its text then.
    pub fn file_changed(&mut self, request: &FileChanged) -> Result<ExternalChange, EditorError> {
        let limit = self.max_file_bytes;
        let key = request.buffer;
        let open = self.find(key)?;
        let path = open.file().ok_or(EditorError::NoFile(key))?;
        open.read_only = file::is_read_only(&path);
        let outcome = match file::look(&path, open.disk.fingerprint.as_ref(), limit)? {
            Look::Same(now) => {
                open.disk.fingerprint = Some(now);
                ExternalOutcome::Unchanged
            }
            Look::Gone if open.disk.fingerprint.is_none() => ExternalOutcome::Unchanged,
            Look::Gone => {
                open.disk.fingerprint = None;
                open.disk.state = None;
                open.disk.revision = None;
                ExternalOutcome::Deleted
            }
            Look::Changed(bytes, now) => self.take_in(key, &path, bytes, now)?,
        };
        if outcome != ExternalOutcome::Unchanged {
            self.events.push(XiEvent::FileModified {
                buffer: key,
                outcome: outcome.clone(),
            });
        }
        Ok(ExternalChange {
            outcome,
            revision: self.find(key)?.buffer.revision(),
        })
    }

    /// Brings the file's new text into the buffer.
    fn take_in(
        &mut self,
        key: super::BufferKey,
        path: &Path,
        bytes: Vec<u8>,
        now: Fingerprint,
    ) -> Result<ExternalOutcome, EditorError> {
        let decoded = file::decode_file(path, bytes)?;
        let theirs = decoded.text;
        let open = self.find(key)?;
        let base = String::from(&open.disk.text);
        let ours = open.buffer.text();
        let clean =
            !open.dirty() || (open.disk.state.is_none() && ours.holds(0, ours.len(), &base));
        let merged = if clean {
            merge::Merged {
                edits: merge::line_edits(&base, &theirs),
                conflicts: Vec::new(),
            }
        } else if ours.holds(0, ours.len(), &theirs) {
            merge::Merged {
                edits: Vec::new(),
                conflicts: Vec::new(),
            }
        } else {
            merge::merge(&base, &String::from(ours), &theirs)
        };
        let origin = EditOrigin {
            author: DISK.to_owned(),
            group: None,
        };
        let applied = open
            .buffer
            .edit(None, merged.edits, OnOverlap::Refuse, &origin)?;
        let outcome = if !merged.conflicts.is_empty() {
            // The file stays unknown: a save is refused until the caller says to overwrite.
            ExternalOutcome::Conflict {
                ranges: merged.conflicts,
            }
        } else {
            open.encoding = decoded.encoding;
            let text = open.buffer.text();
            open.disk = if text.holds(0, text.len(), &theirs) {
                Disk::holding(&open.buffer, now)
            } else {
                Disk {
                    text: Text::from(theirs.as_str()),
                    state: None,
                    revision: None,
                    fingerprint: Some(now),
                }
            };
            if clean {
                ExternalOutcome::Reloaded
            } else {
                ExternalOutcome::Merged
            }
        };
        self.tell_change(key, &applied, DISK);
        Ok(outcome)
    }
}

impl OpenBuffer {
    fn file(&self) -> Option<PathBuf> {
        self.path.as_deref().map(Path::to_owned)
    }

    /// Writes the text unless the file holds it already; how many bytes were
    /// written, and what the file holds now.
    fn write(
        &self,
        path: &Path,
        is_other: bool,
        overwrite: bool,
    ) -> Result<(u64, Fingerprint), EditorError> {
        let known = self.disk.fingerprint.as_ref().filter(|_| !is_other);
        let compared = file::compare(path, known)?;
        if let Compared::Same(now) = &compared
            && !self.dirty()
        {
            return Ok((0, now.clone()));
        }
        let text = self.buffer.text();
        let bytes = file::encode(text.chunks(), text.len(), self.encoding);
        let expected = Fingerprint::expected(&bytes);
        if let Compared::Same(now) = file::compare(path, Some(&expected))? {
            return Ok((0, now));
        }
        // A file that is gone cannot be overwritten; it is made anew.
        if matches!(compared, Compared::Changed) && !overwrite {
            return Err(EditorError::ChangedOnDisk(path.to_owned()));
        }
        if file::is_read_only(path) {
            return Err(EditorError::ReadOnly(path.to_owned()));
        }
        // A file that was there once went away with its folder for a reason; a new one needs its folders.
        if self.disk.fingerprint.is_none() && !is_other {
            file::make_folders(path)?;
        }
        let fingerprint = file::write(path, &bytes)?;
        Ok((bytes.len() as u64, fingerprint))
    }
}
