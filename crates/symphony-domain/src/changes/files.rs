//! Files of the project, through the owner of all text.

use super::{digest, error::FileError, merge};
use crate::core::SymphonyCore;
use std::{
    collections::HashSet,
    path::Path,
    sync::{Mutex, PoisonError},
};
use symphony_core_ports::{
    BufferId, BufferInfo, OpenBuffer, PortError, TextDelta, TextEditingPort,
};

/// Who edits, as xi-editor is told.
const AUTHOR: &str = "symphony";

/// The project's files. Closes the buffers that it opened, no others.
pub(super) struct Files<'a> {
    core: &'a SymphonyCore,
    project: &'a Path,
    /// Buffers that nobody had changed before they were opened here.
    own: Mutex<HashSet<BufferId>>,
}

/// A file as it is now.
#[derive(Debug, Clone)]
pub(super) struct Present {
    pub(super) text: String,
    pub(super) dirty: bool,
    pub(super) read_only: bool,
    /// Where it leads; two paths can lead to one file.
    pub(super) at: String,
    buffer: BufferInfo,
}

/// A text that a file has or is to have; `None` means no file.
pub(super) type Text<'a> = Option<&'a str>;

impl<'a> Files<'a> {
    pub(super) fn new(core: &'a SymphonyCore, project: &'a Path) -> Self {
        Self {
            core,
            project,
            own: Mutex::default(),
        }
    }

    /// What a file holds, read and closed again.
    pub(super) async fn read(&self, path: &str) -> Result<Option<Present>, FileError> {
        let present = self.open(path).await?;
        if let Some(present) = &present {
            self.close(present.buffer.id, path).await;
        }
        Ok(present)
    }

    /// Makes a file that holds `from` hold `to`; one that holds `to` is left so.
    pub(super) async fn write(
        &self,
        path: &str,
        from: Text<'_>,
        to: Text<'_>,
    ) -> Result<(), FileError> {
        let present = self.open(path).await?;
        let id = present.as_ref().map(|present| present.buffer.id);
        let written = match (present, to) {
            (Some(present), Some(to)) if present.text == to => {
                self.settle(path, &present.buffer, to).await
            }
            (None, None) => Ok(()),
            (Some(present), Some(to)) if from == Some(&present.text) => {
                self.change(path, &present, to).await
            }
            (Some(present), None) if from == Some(&present.text) => {
                return self.remove(path, &present).await;
            }
            (None, Some(to)) if from.is_none() => return self.create(path, to).await,
            _ => Err(changed(path)),
        };
        if let Some(id) = id {
            self.close(id, path).await;
        }
        written
    }

    async fn open(&self, path: &str) -> Result<Option<Present>, FileError> {
        let text = self.text();
        let absolute = self.project.join(path);
        let port = port_error(path);
        text.external_change(&absolute).await.map_err(&port)?;
        let buffer = match text.open(OpenBuffer::File(absolute)).await {
            Ok(buffer) => buffer,
            Err(PortError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(port(error)),
        };
        if buffer.revision.0 == 0 && !buffer.dirty {
            self.adopt(buffer.id);
        }
        let read = async {
            let at = self.place(path, &buffer)?;
            let slice = text.get_content(buffer.id, None).await.map_err(&port)?;
            // Someone may have typed in between.
            let buffer = match slice.revision == buffer.revision {
                true => buffer.clone(),
                false => text.info(buffer.id).await.map_err(&port)?,
            };
            if slice.revision != buffer.revision || digest(&slice.text) != buffer.digest {
                return Err(changed(path));
            }
            Ok(Present {
                text: slice.text,
                dirty: buffer.dirty,
                read_only: buffer.read_only,
                at,
                buffer,
            })
        };
        match read.await {
            Ok(present) => Ok(Some(present)),
            Err(error) => {
                self.close(buffer.id, path).await;
                Err(error)
            }
        }
    }

    /// Where a buffer's file is, which must be in the project.
    fn place(&self, path: &str, buffer: &BufferInfo) -> Result<String, FileError> {
        let at = match &buffer.path {
            Some(at) => at.clone(),
            None => self.project.join(path),
        };
        let below = at.strip_prefix(self.project).ok();
        let outside = below.is_none_or(|below| {
            below.as_os_str().is_empty()
                || below.components().any(|part| part.as_os_str() == ".git")
        });
        let to = at.to_string_lossy().into_owned();
        match outside {
            true => Err(FileError::Elsewhere {
                path: path.to_owned(),
                to,
            }),
            false => Ok(to),
        }
    }

    async fn change(&self, path: &str, present: &Present, to: &str) -> Result<(), FileError> {
        let buffer = &present.buffer;
        let delta = TextDelta {
            base: buffer.revision,
            edits: merge::edits_between(&present.text, to),
            author: AUTHOR.into(),
        };
        let applied = self.text().apply(buffer.id, delta).await;
        applied.map_err(port_error(path))?;
        let info = self.text().info(buffer.id).await;
        let info = info.map_err(port_error(path))?;
        self.settle(path, &info, to).await
    }

    /// Has a buffer that holds `to` saved, and looks whether that is what was saved.
    async fn settle(&self, path: &str, buffer: &BufferInfo, to: &str) -> Result<(), FileError> {
        let wanted = digest(to);
        if buffer.digest != wanted {
            return Err(changed(path));
        }
        if !buffer.dirty {
            return Ok(());
        }
        match self.text().save(buffer.id).await {
            Ok(saved) if saved.digest == wanted => Ok(()),
            Ok(_) => Err(changed(path)),
            Err(error) if self.file_holds(path, buffer.id, to).await => {
                tracing::debug!(path, %error, "not saved, and needs no saving");
                Ok(())
            }
            Err(error) => Err(port_error(path)(error)),
        }
    }

    /// After a failed save: whether the file holds this text all the same, as
    /// it does when an edit that was never saved is taken back.
    async fn file_holds(&self, path: &str, buffer: BufferId, to: &str) -> bool {
        let untouched = self.is_own(buffer)
            && matches!(self.text().info(buffer).await, Ok(info) if info.digest == digest(to));
        if !untouched || self.text().close(buffer, true).await.is_err() {
            return false;
        }
        self.disown(buffer);
        // The failed save is the error worth telling, whatever happens here.
        let Ok(Some(present)) = Box::pin(self.open(path)).await else {
            return false;
        };
        let holds = present.text == to && !present.dirty;
        self.close(present.buffer.id, path).await;
        holds
    }

    async fn create(&self, path: &str, to: &str) -> Result<(), FileError> {
        let port = port_error(path);
        let new = OpenBuffer::New {
            path: self.project.join(path),
            text: to.to_owned(),
        };
        let buffer = self.text().open(new).await.map_err(port)?;
        self.adopt(buffer.id);
        let saved = match self.place(path, &buffer) {
            Ok(_) => self.save_new(path, &buffer, to).await,
            Err(error) => Err(error),
        };
        if saved.is_err() {
            self.discard(buffer.id, path).await;
        }
        self.close(buffer.id, path).await;
        saved
    }

    async fn save_new(&self, path: &str, buffer: &BufferInfo, to: &str) -> Result<(), FileError> {
        let saved = self.text().save(buffer.id).await;
        match saved.map_err(port_error(path))?.digest == digest(to) {
            true => Ok(()),
            false => Err(changed(path)),
        }
    }

    /// Removes a file that holds the text it may be removed with.
    async fn remove(&self, path: &str, present: &Present) -> Result<(), FileError> {
        let id = present.buffer.id;
        if !present.dirty {
            let removed = self.text().remove_file(id).await;
            if removed.is_err() {
                self.close(id, path).await;
            }
            return removed.map_err(port_error(path));
        }
        // A new text that was never saved, or whose file went away: what the file is decides.
        let closed = self.text().close(id, true).await;
        closed.map_err(port_error(path))?;
        self.disown(id);
        match self.open(path).await? {
            None => Ok(()),
            Some(other) => {
                self.close(other.buffer.id, path).await;
                Err(changed(path))
            }
        }
    }

    async fn discard(&self, id: BufferId, path: &str) {
        self.disown(id);
        if let Err(error) = self.text().close(id, true).await {
            tracing::warn!(path, %error, "a buffer could not be closed");
        }
    }

    /// Closes a buffer if it was opened here and holds nothing that is not saved.
    async fn close(&self, id: BufferId, path: &str) {
        if !self.is_own(id) {
            return;
        }
        match self.text().close(id, false).await {
            Ok(()) => self.disown(id),
            Err(error) => tracing::debug!(path, %error, "a buffer stays open"),
        }
    }

    fn text(&self) -> &dyn TextEditingPort {
        self.core.text.as_ref()
    }

    fn adopt(&self, id: BufferId) {
        self.lock().insert(id);
    }

    fn disown(&self, id: BufferId) {
        self.lock().remove(&id);
    }

    fn is_own(&self, id: BufferId) -> bool {
        self.lock().contains(&id)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<BufferId>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn changed(path: &str) -> FileError {
    FileError::Changed {
        path: path.to_owned(),
    }
}

fn port_error(path: &str) -> impl Fn(PortError) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Port {
        path: path.clone(),
        source,
    }
}
