//! Core editing operations: the abstraction of xi-editor.

use crate::{
    PortResult,
    types::{
        Applied, BufferEvent, BufferId, BufferInfo, ByteRange, ExternalChange, OpenBuffer,
        Revision, Saved, TextDelta, TextSlice,
    },
};
use async_trait::async_trait;
use std::path::Path;
use tokio::sync::broadcast::Receiver;

/// The owner of all text.
///
/// Positions are UTF-8 byte offsets. An implementation MUST:
/// - hold at most one buffer per file: opening a file twice gives the same id;
/// - refuse positions past the end or within a character with `InvalidInput`, changing nothing;
/// - give each change a revision one above the last, and report it by [`BufferEvent::Changed`]
///   in order of revisions;
/// - never lose a change that it acknowledged, even when the process behind it dies;
/// - answer an unknown buffer with `NotFound`.
#[async_trait]
pub trait TextEditingPort: Send + Sync {
    /// Opens a file or makes a new buffer.
    ///
    /// # Errors
    /// `NotFound` (no such file), `Unsupported` (binary, not decodable, too
    /// large, with the reason), `Conflict` ([`OpenBuffer::New`] where a file is),
    /// `PermissionDenied`.
    async fn open(&self, what: OpenBuffer) -> PortResult<BufferInfo>;

    /// What is known of a buffer now.
    ///
    /// # Errors
    /// `NotFound`.
    async fn info(&self, buffer_id: BufferId) -> PortResult<BufferInfo>;

    /// Inserts text at a byte offset of the newest revision.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`.
    async fn insert(&self, buffer_id: BufferId, pos: usize, text: &str) -> PortResult<Revision>;

    /// Deletes bytes of the newest revision.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`.
    async fn delete(&self, buffer_id: BufferId, range: ByteRange) -> PortResult<Revision>;

    /// Applies edits made against a base revision, all or none; they are
    /// rebased over what happened since.
    ///
    /// # Errors
    /// `Conflict` with ranges when a place changed since the base, or when the
    /// base is too old; `InvalidInput` when edits are unsorted or overlap.
    async fn apply(&self, buffer_id: BufferId, delta: TextDelta) -> PortResult<Applied>;

    /// Reads text of the newest revision; `None` reads all.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`.
    async fn get_content(
        &self,
        buffer_id: BufferId,
        range: Option<ByteRange>,
    ) -> PortResult<TextSlice>;

    /// Takes back the newest group of changes. With nothing to take back, the
    /// revision stays and no event comes.
    ///
    /// # Errors
    /// `NotFound`.
    async fn undo(&self, buffer_id: BufferId) -> PortResult<Revision>;

    /// Brings back what was undone last.
    ///
    /// # Errors
    /// `NotFound`.
    async fn redo(&self, buffer_id: BufferId) -> PortResult<Revision>;

    /// Writes the buffer to its file, atomically, keeping line ends, encoding
    /// mark and permissions. Missing parent folders are made.
    ///
    /// # Errors
    /// `Conflict` when the file changed on disk since it was read or saved;
    /// `PermissionDenied`, `Exhausted` (disk full); the file is then as before.
    async fn save(&self, buffer_id: BufferId) -> PortResult<Saved>;

    /// Closes a buffer.
    ///
    /// # Errors
    /// `Conflict` when it is dirty and `discard` is false; `NotFound`.
    async fn close(&self, buffer_id: BufferId, discard: bool) -> PortResult<()>;

    /// Deletes the file of a clean buffer and closes the buffer.
    ///
    /// # Errors
    /// `Conflict` when the buffer is dirty, has no file, or the file changed on
    /// disk since it was read or saved; `NotFound`; `PermissionDenied`.
    async fn remove_file(&self, buffer_id: BufferId) -> PortResult<()>;

    /// Says that the file at `path` may have changed on disk. A file that is in
    /// no buffer is `Unchanged`.
    ///
    /// # Errors
    /// Those of the process behind the port.
    async fn external_change(&self, path: &Path) -> PortResult<ExternalChange>;

    /// Events of a buffer from now on. A receiver that lags misses events and is
    /// told so by the channel; the buffer itself is never held up.
    fn subscribe(&self, buffer_id: BufferId) -> Receiver<BufferEvent>;
}
