//! A text editor in memory.

mod buffer;
mod disk;
mod edits;

use crate::{
    SimulatedClock,
    script::{Script, scripted},
};
use async_trait::async_trait;
use buffer::{Buffer, Made, digest};
use disk::{Disk, MARK, decode, encode};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use symphony_core_ports::{
    Applied, BufferEvent, BufferId, BufferInfo, ByteRange, ExternalChange, OpenBuffer, PortError,
    PortResult, Revision, Saved, TextDelta, TextEdit, TextEditingPort, TextSlice,
};
use tokio::sync::broadcast::{Receiver, Sender, channel};
use uuid::Uuid;

const OPERATIONS: &[&str] = &[
    "open",
    "info",
    "insert",
    "delete",
    "apply",
    "get_content",
    "undo",
    "redo",
    "save",
    "close",
    "remove_file",
    "external_change",
];

/// Events a subscriber may be behind before it misses some.
const EVENTS: usize = 1_024;

/// A [`TextEditingPort`] over files in memory: it edits, rebases, merges, undoes
/// and saves like the real one, for UTF-8 text with or without an encoding mark.
///
/// Each call that changes text is an undo group of its own. An edit conflicts
/// with a change since its base that meets or touches its range.
///
/// Operations for scripts: the names of the port's methods but `subscribe`.
#[derive(Debug, Clone)]
pub struct MockTextEditingAdapter {
    shared: Arc<Mutex<Shared>>,
    script: Script,
}

#[derive(Debug)]
struct Shared {
    disk: Disk,
    buffers: HashMap<BufferId, Buffer>,
    events: HashMap<BufferId, Sender<BufferEvent>>,
    opened: u128,
    max_file_bytes: usize,
}

scripted!(MockTextEditingAdapter);

impl MockTextEditingAdapter {
    /// Without files.
    pub fn new() -> Self {
        Self::with_clock(SimulatedClock::new())
    }

    /// With delays on this clock.
    pub fn with_clock(clock: SimulatedClock) -> Self {
        Self {
            shared: Arc::new(Mutex::new(Shared {
                disk: Disk::default(),
                buffers: HashMap::new(),
                events: HashMap::new(),
                opened: 0,
                max_file_bytes: 1 << 20,
            })),
            script: Script::new(OPERATIONS, clock),
        }
    }

    /// Adds a file.
    #[must_use]
    pub fn with_file(self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Self {
        self.write_file(path, bytes);
        self
    }

    /// Writes a file behind the editor's back, as another program does.
    pub fn write_file(&self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        self.lock().disk.files.insert(path.into(), bytes.into());
    }

    /// Removes a file behind the editor's back.
    pub fn delete_file(&self, path: impl AsRef<Path>) {
        self.lock().disk.files.remove(path.as_ref());
    }

    /// The bytes of a file.
    pub fn file(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.lock().disk.files.get(path.as_ref()).cloned()
    }

    /// All files, sorted by path.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let shared = self.lock();
        let files = shared.disk.files.iter();
        files.map(|(p, bytes)| (p.clone(), bytes.clone())).collect()
    }

    /// Makes a path not writable, or writable again.
    pub fn set_read_only(&self, path: impl Into<PathBuf>, read_only: bool) {
        self.lock().disk.set_read_only(path.into(), read_only);
    }

    /// Files above this many bytes are refused; 1 MiB unless told.
    pub fn set_max_file_bytes(&self, bytes: usize) {
        self.lock().max_file_bytes = bytes;
    }

    /// The buffers that are open, by path.
    pub fn open_buffers(&self) -> Vec<(PathBuf, BufferId)> {
        let shared = self.lock();
        let mut open: Vec<_> = shared
            .buffers
            .values()
            .map(|buffer| (buffer.path.clone(), buffer.id))
            .collect();
        open.sort_by(|a, b| a.0.cmp(&b.0));
        open
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MockTextEditingAdapter {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    fn buffer(&mut self, id: BufferId) -> PortResult<&mut Buffer> {
        self.buffers
            .get_mut(&id)
            .ok_or_else(|| PortError::not_found(format!("buffer {}", id.0)))
    }

    fn by_path(&self, path: &Path) -> Option<BufferId> {
        let mut buffers = self.buffers.values();
        buffers.find(|b| b.path == path).map(|b| b.id)
    }

    fn info(&self, id: BufferId) -> PortResult<BufferInfo> {
        match self.buffers.get(&id) {
            Some(buffer) => Ok(buffer.info(self.disk.is_read_only(&buffer.path))),
            None => Err(PortError::not_found(format!("buffer {}", id.0))),
        }
    }

    fn open_file(&mut self, path: PathBuf) -> PortResult<BufferInfo> {
        if let Some(open) = self.by_path(&path) {
            return self.info(open);
        }
        let bytes = self.disk.read(&path)?;
        if bytes.len() > self.max_file_bytes {
            let details = format!("{}: {} bytes are too many", path.display(), bytes.len());
            return Err(PortError::Unsupported { details });
        }
        let text = decode(&path, bytes)?;
        let mark = bytes.starts_with(MARK);
        let id = self.add(path, text.clone(), Some(text));
        self.buffer(id)?.mark = mark;
        self.info(id)
    }

    fn open_new(&mut self, path: PathBuf, text: String) -> PortResult<BufferInfo> {
        if self.disk.files.contains_key(&path) || self.by_path(&path).is_some() {
            return Err(PortError::Conflict {
                details: format!("{} is there already", path.display()),
                ranges: Vec::new(),
            });
        }
        let id = self.add(path, text, None);
        self.info(id)
    }

    fn add(&mut self, path: PathBuf, text: String, on_disk: Option<String>) -> BufferId {
        self.opened += 1;
        let id = BufferId(Uuid::from_u128(self.opened));
        self.buffers
            .insert(id, Buffer::new(id, path, text, on_disk));
        self.events.insert(id, channel(EVENTS).0);
        id
    }

    fn tell(&self, id: BufferId, event: BufferEvent) {
        if let Some(events) = self.events.get(&id) {
            // Nobody listening is fine.
            let _ = events.send(event);
        }
    }

    fn made(&self, id: BufferId, made: Made, author: &str) -> Applied {
        if made.applied.changed {
            let event = BufferEvent::Changed {
                buffer: id,
                revision: made.applied.revision,
                edits: made.edits,
                author: author.to_owned(),
            };
            self.tell(id, event);
        }
        made.applied
    }

    fn save(&mut self, id: BufferId) -> PortResult<Saved> {
        let buffer = self
            .buffers
            .get_mut(&id)
            .ok_or_else(|| PortError::not_found(format!("buffer {}", id.0)))?;
        self.disk.check_writable(&buffer.path)?;
        let known = buffer
            .on_disk
            .as_ref()
            .map(|text| encode(text, buffer.mark));
        if self.disk.files.get(&buffer.path) != known.as_ref() {
            return Err(PortError::Conflict {
                details: format!("{} changed on disk", buffer.path.display()),
                ranges: Vec::new(),
            });
        }
        let bytes = encode(&buffer.text, buffer.mark);
        let written = match known.as_ref() == Some(&bytes) {
            true => 0,
            false => bytes.len() as u64,
        };
        buffer.on_disk = Some(buffer.text.clone());
        self.disk.files.insert(buffer.path.clone(), bytes);
        let saved = Saved {
            revision: buffer.revision,
            bytes: written,
            digest: digest(&buffer.text),
        };
        let event = BufferEvent::Saved {
            buffer: id,
            revision: saved.revision,
        };
        self.tell(id, event);
        Ok(saved)
    }

    fn close(&mut self, id: BufferId, discard: bool) -> PortResult<()> {
        let buffer = self.buffer(id)?;
        if buffer.dirty() && !discard {
            return Err(PortError::Conflict {
                details: format!("{} has changes that are not saved", buffer.path.display()),
                ranges: Vec::new(),
            });
        }
        self.buffers.remove(&id);
        self.tell(id, BufferEvent::Closed { buffer: id });
        self.events.remove(&id);
        Ok(())
    }

    fn remove_file(&mut self, id: BufferId) -> PortResult<()> {
        let buffer = self
            .buffers
            .get(&id)
            .ok_or_else(|| PortError::not_found(format!("buffer {}", id.0)))?;
        let known = buffer
            .on_disk
            .as_ref()
            .map(|text| encode(text, buffer.mark));
        let unchanged = known.is_some() && self.disk.files.get(&buffer.path) == known.as_ref();
        if buffer.dirty() || !unchanged {
            return Err(PortError::Conflict {
                details: format!("{} has other text than its buffer", buffer.path.display()),
                ranges: Vec::new(),
            });
        }
        self.disk.check_writable(&buffer.path)?;
        self.disk.files.remove(&buffer.path);
        self.close(id, false)
    }

    fn external_change(&mut self, path: &Path) -> PortResult<ExternalChange> {
        let Some(id) = self.by_path(path) else {
            return Ok(ExternalChange::Unchanged);
        };
        let bytes = self.disk.files.get(path).cloned();
        let buffer = self.buffer(id)?;
        let (outcome, made) = match bytes {
            None if buffer.on_disk.is_none() => return Ok(ExternalChange::Unchanged),
            None => {
                buffer.on_disk = None;
                (ExternalChange::Deleted, None)
            }
            Some(bytes) => {
                let theirs = decode(path, &bytes)?;
                match take_over(buffer, theirs) {
                    (ExternalChange::Unchanged, _) => return Ok(ExternalChange::Unchanged),
                    (outcome, made) => {
                        buffer.mark = bytes.starts_with(MARK);
                        (outcome, made)
                    }
                }
            }
        };
        self.tell(id, BufferEvent::FileModified { buffer: id });
        if let Some(made) = made {
            self.made(id, made, "disk");
        }
        Ok(outcome)
    }
}

/// Brings a buffer in step with what its file holds now.
fn take_over(buffer: &mut Buffer, theirs: String) -> (ExternalChange, Option<Made>) {
    if buffer.on_disk.as_ref() == Some(&theirs) {
        return (ExternalChange::Unchanged, None);
    }
    if !buffer.dirty() || buffer.text == theirs {
        let edits = edits::difference(&buffer.text, &theirs);
        let made = buffer.edit(edits.into_iter().collect());
        buffer.on_disk = Some(theirs);
        return (ExternalChange::Reloaded, Some(made));
    }
    let base = buffer.on_disk.clone().unwrap_or_default();
    let ours = edits::difference(&base, &buffer.text);
    let change = edits::difference(&base, &theirs);
    let (Some(ours), Some(change)) = (ours, change) else {
        return (ExternalChange::Unchanged, None);
    };
    let (range, met) = edits::carry(&change.range, std::slice::from_ref(&ours));
    if met {
        return (ExternalChange::Conflict(vec![range]), None);
    }
    let text = change.text;
    let made = buffer.edit(vec![TextEdit { range, text }]);
    buffer.on_disk = Some(theirs);
    (ExternalChange::Merged, Some(made))
}

#[async_trait]
impl TextEditingPort for MockTextEditingAdapter {
    async fn open(&self, what: OpenBuffer) -> PortResult<BufferInfo> {
        let (OpenBuffer::File(path) | OpenBuffer::New { path, .. }) = &what;
        self.script.enter("open", path.to_string_lossy()).await?;
        match what {
            OpenBuffer::File(path) => self.lock().open_file(path),
            OpenBuffer::New { path, text } => self.lock().open_new(path, text),
        }
    }

    async fn info(&self, buffer_id: BufferId) -> PortResult<BufferInfo> {
        self.script.enter("info", buffer_id.0).await?;
        self.lock().info(buffer_id)
    }

    async fn insert(&self, buffer_id: BufferId, pos: usize, text: &str) -> PortResult<Revision> {
        self.script.enter("insert", buffer_id.0).await?;
        let mut shared = self.lock();
        let buffer = shared.buffer(buffer_id)?;
        edits::check_range(&buffer.text, &(pos..pos))?;
        let made = buffer.edit(vec![TextEdit {
            range: pos..pos,
            text: text.to_owned(),
        }]);
        Ok(shared.made(buffer_id, made, "user").revision)
    }

    async fn delete(&self, buffer_id: BufferId, range: ByteRange) -> PortResult<Revision> {
        self.script.enter("delete", buffer_id.0).await?;
        let mut shared = self.lock();
        let buffer = shared.buffer(buffer_id)?;
        edits::check_range(&buffer.text, &range)?;
        let text = String::new();
        let made = buffer.edit(vec![TextEdit { range, text }]);
        Ok(shared.made(buffer_id, made, "user").revision)
    }

    async fn apply(&self, buffer_id: BufferId, delta: TextDelta) -> PortResult<Applied> {
        self.script.enter("apply", buffer_id.0).await?;
        let mut shared = self.lock();
        let author = delta.author.clone();
        let made = shared.buffer(buffer_id)?.apply(delta)?;
        Ok(shared.made(buffer_id, made, &author))
    }

    async fn get_content(
        &self,
        buffer_id: BufferId,
        range: Option<ByteRange>,
    ) -> PortResult<TextSlice> {
        self.script.enter("get_content", buffer_id.0).await?;
        let mut shared = self.lock();
        let buffer = shared.buffer(buffer_id)?;
        let range = range.unwrap_or(0..buffer.text.len());
        edits::check_range(&buffer.text, &range)?;
        Ok(TextSlice {
            text: buffer.text[range.clone()].to_owned(),
            range,
            revision: buffer.revision,
        })
    }

    async fn undo(&self, buffer_id: BufferId) -> PortResult<Revision> {
        self.script.enter("undo", buffer_id.0).await?;
        let mut shared = self.lock();
        let made = shared.buffer(buffer_id)?.undo();
        Ok(shared.made(buffer_id, made, "user").revision)
    }

    async fn redo(&self, buffer_id: BufferId) -> PortResult<Revision> {
        self.script.enter("redo", buffer_id.0).await?;
        let mut shared = self.lock();
        let made = shared.buffer(buffer_id)?.redo();
        Ok(shared.made(buffer_id, made, "user").revision)
    }

    async fn save(&self, buffer_id: BufferId) -> PortResult<Saved> {
        self.script.enter("save", buffer_id.0).await?;
        self.lock().save(buffer_id)
    }

    async fn close(&self, buffer_id: BufferId, discard: bool) -> PortResult<()> {
        self.script.enter("close", buffer_id.0).await?;
        self.lock().close(buffer_id, discard)
    }

    async fn remove_file(&self, buffer_id: BufferId) -> PortResult<()> {
        self.script.enter("remove_file", buffer_id.0).await?;
        self.lock().remove_file(buffer_id)
    }

    async fn external_change(&self, path: &Path) -> PortResult<ExternalChange> {
        let about = path.to_string_lossy();
        self.script.enter("external_change", about).await?;
        self.lock().external_change(path)
    }

    fn subscribe(&self, buffer_id: BufferId) -> Receiver<BufferEvent> {
        match self.lock().events.get(&buffer_id) {
            Some(events) => events.subscribe(),
            None => channel(1).1,
        }
    }
}
