//! Buffers and their files: saving, removing, changes on disk.

use super::{
    CHANGE, FILE, XiEditorAdapter,
    buffer::{Base, Buffer, Health, Place, range},
    change::whole_text,
    subject,
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use symphony_actors::Incarnation;
use symphony_core_ports::{BufferEvent, ExternalChange, PortError, PortResult, Revision, Saved};
use symphony_ipc_protocol::xi::{
    BufferInfo as WireInfo, Buffers, Close, ExternalOutcome, FileChanged, Open, Save,
};

/// The mark that says UTF-8; it is no part of the text.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

impl XiEditorAdapter {
    /// What xi-editor says of a buffer now.
    pub(super) async fn wire_info(&self, buffer: &Buffer) -> PortResult<WireInfo> {
        let (path, health) = {
            let state = buffer.state();
            (state.path.clone(), state.health.clone())
        };
        if let (Some(path), Health::Good) = (path, health) {
            // Opening what is open tells what is known of it.
            let request = |_: Place| Open {
                path: Some(path.clone()),
                text: None,
            };
            return Ok(self.ask_in_turn(buffer, FILE, request).await?.answer);
        }
        let list = self.ask_in_turn(buffer, FILE, |_| Buffers {}).await?;
        let mut all = list.answer.buffers.into_iter();
        all.find(|info| info.buffer == list.place.key)
            .ok_or_else(|| super::unknown(buffer.id))
    }

    pub(super) async fn save_buffer(&self, buffer: &Buffer) -> PortResult<Saved> {
        let subject = subject(buffer);
        if buffer.state().health == Health::Detached {
            return Err(PortError::Conflict {
                details: format!(
                    "{subject} changed on disk while xi-editor was being restarted; its text here is kept apart"
                ),
                ranges: Vec::new(),
            });
        }
        let path = buffer.state().path.clone();
        if let Some(folder) = path.as_deref().and_then(Path::parent) {
            let made = tokio::fs::create_dir_all(folder).await;
            made.map_err(|error| io_error(error, folder))?;
        }
        let request = |place: Place| Save {
            buffer: place.key,
            path: None,
            overwrite: false,
            revision: None,
            encoding: None,
            line_ending: None,
        };
        let in_turn = self.ask_in_turn(buffer, FILE, request).await?;
        let saved = &in_turn.answer;
        let revision = {
            let mut state = buffer.state();
            let revision = saved.revision.saturating_add_signed(state.offset);
            if revision == state.revision {
                state.path = Some(saved.path.clone());
                state.rebase(Base::Disk, Some(saved.digest.clone()));
            } else {
                // Changed meanwhile: the log still starts from the older text.
                state.disk = Some(saved.digest.clone());
                if let Base::Held { on_disk, .. } = &mut state.base {
                    *on_disk = false;
                }
            }
            Revision(revision)
        };
        buffer.tell(BufferEvent::Saved {
            buffer: buffer.id,
            revision,
        });
        Ok(Saved {
            revision,
            bytes: saved.bytes,
            digest: saved.digest.clone(),
        })
    }

    pub(super) async fn remove(&self, buffer: &Arc<Buffer>) -> PortResult<()> {
        let refuse = |why: &str| PortError::Conflict {
            details: format!("{} {why}", subject(buffer)),
            ranges: Vec::new(),
        };
        let info = self.wire_info(buffer).await?;
        let Some(path) = info.path.filter(|_| !info.dirty) else {
            return Err(refuse("has unsaved changes or no file"));
        };
        match self.look(buffer).await? {
            ExternalChange::Unchanged => {}
            _ => return Err(refuse("changed on disk")),
        }
        let removed = tokio::fs::remove_file(&path).await;
        removed.map_err(|error| io_error(error, &path))?;
        if let Some(folder) = path.parent().map(Path::to_owned) {
            let synced = tokio::task::spawn_blocking(move || sy_commons::fs::sync_dir(&folder));
            match synced.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    return Err(PortError::failed_because(
                        "the folder was not synced",
                        error,
                    ));
                }
                Err(error) => {
                    return Err(PortError::failed_because(
                        "the folder was not synced",
                        error,
                    ));
                }
            }
        }
        let request = |place: Place| Close {
            buffer: place.key,
            discard: true,
        };
        // The file is gone in any case: a buffer that was not closed is forgotten all the same.
        if let Err(error) = self.ask_in_turn(buffer, CHANGE, request).await {
            tracing::warn!(%error, "a buffer of a removed file was not closed");
        }
        self.inner.forget(buffer);
        Ok(())
    }

    /// The buffer of a file, if it is open.
    async fn at_path(&self, path: &Path) -> Option<Arc<Buffer>> {
        let resolved = resolve(path.to_owned()).await;
        let mut all = self.inner.all().into_iter();
        all.find(|buffer| {
            let state = buffer.state();
            let own = state.path.as_deref();
            own.is_some() && (own == Some(path) || own == resolved.as_deref())
        })
    }

    pub(super) async fn look_at(&self, path: &Path) -> PortResult<ExternalChange> {
        match self.at_path(path).await {
            Some(buffer) => self.look(&buffer).await,
            None => Ok(ExternalChange::Unchanged),
        }
    }

    /// Lets xi-editor look at the file of a buffer.
    async fn look(&self, buffer: &Arc<Buffer>) -> PortResult<ExternalChange> {
        if buffer.state().health == Health::Detached {
            return Ok(ExternalChange::Conflict(Vec::new()));
        }
        let request = |place: Place| FileChanged { buffer: place.key };
        let in_turn = self.ask_in_turn(buffer, FILE, request).await?;
        let (change, place) = (in_turn.answer.clone(), in_turn.place);
        let outcome = match change.outcome {
            ExternalOutcome::Unchanged => return Ok(ExternalChange::Unchanged),
            ExternalOutcome::Reloaded => ExternalChange::Reloaded,
            ExternalOutcome::Merged => ExternalChange::Merged,
            ExternalOutcome::Conflict { ranges } => {
                ExternalChange::Conflict(ranges.into_iter().map(range).collect())
            }
            ExternalOutcome::Deleted => ExternalChange::Deleted,
        };
        {
            let mut state = buffer.state();
            let revision = change.revision.saturating_add_signed(place.offset);
            state.revision = state.revision.max(revision);
        }
        self.take_stock(buffer, &in_turn.incarnation, place).await?;
        buffer.tell(BufferEvent::FileModified { buffer: buffer.id });
        Ok(outcome)
    }

    /// Starts the log anew after the file and the buffer met; in the buffer's turn.
    async fn take_stock(
        &self,
        buffer: &Buffer,
        incarnation: &Incarnation,
        place: Place,
    ) -> PortResult<()> {
        let text = match whole_text(incarnation, place).await {
            Ok(text) => text,
            Err(error) => {
                let subject = subject(buffer);
                return Err(crate::rpc::call(error, &subject, &self.handle, incarnation).await);
            }
        };
        let path = buffer.state().path.clone();
        let disk = match path {
            Some(path) => digest_of(path).await,
            None => None,
        };
        let own = format!("b3:{}", blake3::hash(text.as_bytes()).to_hex());
        let base = match disk.as_ref() == Some(&own) {
            true => Base::Disk,
            false => Base::Held {
                text,
                on_disk: false,
            },
        };
        buffer.state().rebase(base, disk);
        Ok(())
    }
}

/// Digest of a UTF-8 file's text; `None` when there is no such file.
pub(super) async fn digest_of(path: PathBuf) -> Option<String> {
    let bytes = tokio::fs::read(path).await.ok()?;
    let text = bytes.strip_prefix(UTF8_MARK).unwrap_or(&bytes);
    Some(format!("b3:{}", blake3::hash(text).to_hex()))
}

/// The path without symbolic links; of a file that is gone, its folder's.
async fn resolve(path: PathBuf) -> Option<PathBuf> {
    if let Ok(resolved) = tokio::fs::canonicalize(&path).await {
        return Some(resolved);
    }
    let folder = tokio::fs::canonicalize(path.parent()?).await.ok()?;
    Some(folder.join(path.file_name()?))
}

fn io_error(error: io::Error, path: &Path) -> PortError {
    let message = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            PortError::PermissionDenied { operation: message }
        }
        io::ErrorKind::NotFound => PortError::not_found(path.display().to_string()),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => PortError::Exhausted {
            resource: "the disk".to_owned(),
            details: message,
            retry_after: None,
        },
        _ => PortError::failed_because(message, error),
    }
}
