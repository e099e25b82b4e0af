//! xi-editor, a supervised process, behind [`TextEditingPort`].
//!
//! When xi-editor dies or hangs, the supervisor starts it again. It finds every
//! open buffer in its session's journals; one that is not there is rebuilt from
//! what is known here (modules `recovery`, `rebuild`). Calls that waited go on: a change
//! whose answer did not come was made if the journal has it, and is made once
//! more if not.

mod buffer;
mod change;
mod files;
mod raw;
mod rebuild;
mod recovery;

use crate::rpc;
use async_trait::async_trait;
use buffer::{Base, Buffer, Health, Place, State, range, unknown};
use change::Change;
use std::{
    collections::HashMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use symphony_actors::{
    ActorHandle, ActorSpec, Behaviour, Heartbeat, Incarnation, StopPolicy, Supervisor,
};
use symphony_core_ports::{
    Applied, BufferEvent, BufferId, BufferInfo, ByteRange, ExternalChange, OpenBuffer, PortError,
    PortResult, Revision, Saved, TextDelta, TextEditingPort, TextSlice,
};
use symphony_ipc_protocol::xi::{
    Close, Content, Initialize, ListRecoverable, Open, PROTOCOL, Recoverable, Span, XiRequest,
};
use symphony_ipc_transport::CallError;
use tokio::sync::{
    MutexGuard as MutexGuardAsync,
    broadcast::{self, Receiver},
};

/// The actor's name.
const ACTOR: &str = "xi-editor";
/// How long a caller waits for xi-editor to come back, besides the time for its start.
const READY: Duration = Duration::from_secs(20);
/// How long a change may take.
const CHANGE: Duration = Duration::from_secs(20);
/// How long reading and writing files may take.
const FILE: Duration = Duration::from_secs(120);
/// How often a call is made again because xi-editor died during it.
const TRIES: u32 = 3;
/// How long the news of a death may take after its connection ended.
const DEATH: Duration = Duration::from_secs(10);

/// How xi-editor is run.
#[derive(Debug, Clone)]
pub struct XiEditorOptions {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Files above this many bytes are refused; `None`: xi-editor's own limit.
    pub max_file_bytes: Option<u64>,
    /// Folders of plugins in xi's own dialect.
    pub plugin_folders: Vec<PathBuf>,
    /// Those of them that are started, by name.
    pub plugins: Vec<String>,
    /// How long it may take from its start to its answer to `initialize`.
    pub startup_timeout: Duration,
    /// How a hang is found.
    pub heartbeat: Heartbeat,
    /// The folder of the sessions that keep unsaved text safe; each adapter has
    /// one of its own in it. `None`: after a crash of xi-editor text comes from
    /// here, without its undo.
    pub sessions: Option<PathBuf>,
}

impl XiEditorOptions {
    /// That program with everything else at its default.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            max_file_bytes: None,
            plugin_folders: Vec::new(),
            plugins: Vec::new(),
            startup_timeout: Duration::from_secs(5),
            heartbeat: Heartbeat::tight(),
            sessions: None,
        }
    }
}

/// The owner of all text, in a process of its own.
pub struct XiEditorAdapter {
    inner: Arc<Inner>,
    handle: ActorHandle,
}

/// What the adapter shares with the behaviour of its actor.
struct Inner {
    /// What it is told first.
    hello: Initialize,
    startup_timeout: Duration,
    /// The first one did not answer in time.
    too_slow: AtomicBool,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    buffers: HashMap<BufferId, Arc<Buffer>>,
    /// By the key in the current incarnation.
    keys: HashMap<symphony_ipc_protocol::xi::BufferKey, BufferId>,
}

impl Inner {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> Vec<Arc<Buffer>> {
        self.table().buffers.values().cloned().collect()
    }

    fn find(&self, id: BufferId) -> PortResult<Arc<Buffer>> {
        let found = self.table().buffers.get(&id).cloned();
        found.ok_or_else(|| unknown(id))
    }

    fn by_key(
        &self,
        generation: u64,
        key: symphony_ipc_protocol::xi::BufferKey,
    ) -> Option<Arc<Buffer>> {
        let buffer = {
            let table = self.table();
            // While buffers are put back, the newest keys are not in the index yet.
            table.buffers.get(table.keys.get(&key)?).cloned()?
        };
        let current = buffer.state().generation == generation;
        current.then_some(buffer)
    }

    /// Notes the key of a buffer that was put back.
    fn rename(&self, buffer: &Buffer) {
        let key = buffer.state().key;
        let mut table = self.table();
        table.keys.retain(|_, id| *id != buffer.id);
        table.keys.insert(key, buffer.id);
    }

    /// The buffer for what xi-editor opened; the same for the same key.
    fn adopt(&self, state: State) -> Arc<Buffer> {
        let mut table = self.table();
        if let Some(known) = table.keys.get(&state.key)
            && let Some(buffer) = table.buffers.get(known)
        {
            return buffer.clone();
        }
        let key = state.key;
        let buffer = Arc::new(Buffer::new(state));
        table.keys.insert(key, buffer.id);
        table.buffers.insert(buffer.id, buffer.clone());
        buffer
    }

    fn forget(&self, buffer: &Buffer) {
        buffer.state().health = Health::Closed;
        {
            let mut table = self.table();
            table.buffers.remove(&buffer.id);
            table.keys.retain(|_, id| *id != buffer.id);
        }
        buffer.tell(BufferEvent::Closed { buffer: buffer.id });
    }
}

/// An answer, with the turn of its buffer.
struct InTurn<'a, T> {
    answer: T,
    incarnation: Incarnation,
    place: Place,
    _turn: MutexGuardAsync<'a, ()>,
}

impl XiEditorAdapter {
    /// Starts xi-editor and waits until it is ready.
    ///
    /// # Errors
    /// `Timeout` when it does not answer within `startup_timeout`;
    /// `ProcessCommunicationFailed` when it cannot be started, with the reason.
    pub async fn start(supervisor: &Supervisor, options: XiEditorOptions) -> PortResult<Self> {
        let mut spec = ActorSpec::new(ACTOR, options.program);
        spec.args = options.args;
        // Buffers are put back after the answer, and that has its time as well.
        spec.startup_timeout += options.startup_timeout;
        spec.heartbeat = Some(options.heartbeat);
        spec.stop = StopPolicy {
            grace: Duration::from_secs(2),
            ..StopPolicy::default()
        };
        let session = match options.sessions {
            Some(folder) => {
                let folder = std::path::absolute(&folder).map_err(|error| {
                    PortError::failed_because("the folder of sessions cannot be named", error)
                })?;
                Some(folder.join(uuid::Uuid::new_v4().to_string()))
            }
            None => None,
        };
        let has_session = session.is_some();
        let inner = Arc::new(Inner {
            hello: Initialize {
                client: "symphony".to_owned(),
                protocols: vec![PROTOCOL.to_owned()],
                max_file_bytes: options.max_file_bytes,
                plugin_folders: options.plugin_folders,
                plugins: options.plugins,
                session,
                ..Initialize::default()
            },
            startup_timeout: options.startup_timeout,
            too_slow: AtomicBool::new(false),
            table: Mutex::default(),
        });
        let behaviour: Arc<dyn Behaviour> = inner.clone();
        let handle = supervisor
            .spawn(spec, behaviour)
            .map_err(|error| rpc::not_running(error, ACTOR))?;
        let adapter = Self { inner, handle };
        match adapter.ready().await {
            Err(_) if adapter.inner.too_slow.load(Ordering::Relaxed) => Err(PortError::Timeout {
                operation: format!("the start of {ACTOR}"),
                duration: options.startup_timeout,
            }),
            Err(error) => Err(error),
            Ok(incarnation) => {
                if has_session {
                    tokio::spawn(earlier_sessions(incarnation));
                }
                Ok(adapter)
            }
        }
    }

    /// Unsaved text that earlier processes of Symphony left when they died.
    ///
    /// # Errors
    /// `InvalidInput` without sessions; others when their folder cannot be read.
    pub async fn recoverable(&self) -> PortResult<Vec<Recoverable>> {
        let request = ListRecoverable {};
        let (list, _) = self.ask("earlier sessions", FILE, &request).await?;
        Ok(list.recoverable)
    }

    /// The process: its state, events, resources.
    pub fn actor(&self) -> &ActorHandle {
        &self.handle
    }

    async fn ready(&self) -> PortResult<Incarnation> {
        let ready = self.handle.ready(READY + self.inner.startup_timeout).await;
        ready.map_err(|error| rpc::not_running(error, ACTOR))
    }

    /// Calls xi-editor; a second time if it died before it answered. Only for
    /// requests that may be made twice.
    async fn ask<R: XiRequest>(
        &self,
        subject: &str,
        limit: Duration,
        request: &R,
    ) -> PortResult<(R::Answer, Incarnation)> {
        let mut tries = 0;
        loop {
            let incarnation = self.ready().await?;
            match incarnation.peer.call_typed(request, limit).await {
                Ok(answer) => return Ok((answer, incarnation)),
                Err(CallError::Closed(_)) if tries < TRIES => {
                    tries += 1;
                    self.wait_for_news(&incarnation).await;
                }
                Err(error) => {
                    return Err(rpc::call(error, subject, &self.handle, &incarnation).await);
                }
            }
        }
    }

    /// As [`Self::ask`], of a buffer, and with its turn, which the caller gets:
    /// no change of the buffer is made until it is dropped.
    async fn ask_in_turn<'a, R: XiRequest>(
        &self,
        buffer: &'a Buffer,
        limit: Duration,
        request: impl Fn(Place) -> R,
    ) -> PortResult<InTurn<'a, R::Answer>> {
        let mut tries = 0;
        loop {
            let (incarnation, turn, place) = self.turn(buffer).await?;
            let request = request(place);
            match incarnation.peer.call_typed(&request, limit).await {
                Ok(answer) => {
                    return Ok(InTurn {
                        answer,
                        incarnation,
                        place,
                        _turn: turn,
                    });
                }
                Err(CallError::Closed(_)) if tries < TRIES => {
                    tries += 1;
                    drop(turn);
                    self.wait_for_news(&incarnation).await;
                }
                Err(error) => {
                    drop(turn);
                    let subject = subject(buffer);
                    return Err(rpc::call(error, &subject, &self.handle, &incarnation).await);
                }
            }
        }
    }

    /// Waits for the buffer's turn in a living incarnation that holds it.
    async fn turn<'a>(
        &self,
        buffer: &'a Buffer,
    ) -> PortResult<(Incarnation, MutexGuardAsync<'a, ()>, Place)> {
        for _ in 0..=TRIES {
            let incarnation = self.ready().await?;
            let turn = buffer.turn.lock().await;
            if let Some(place) = buffer.place(incarnation.generation)? {
                return Ok((incarnation, turn, place));
            }
            drop(turn);
            self.wait_for_news(&incarnation).await;
        }
        Err(PortError::SynchronizationError {
            details: format!("{} is in no living xi-editor", subject(buffer)),
        })
    }

    /// Waits until the death of that incarnation is known, so that the next one is waited for.
    async fn wait_for_news(&self, incarnation: &Incarnation) {
        self.handle.death(incarnation.generation, DEATH).await;
    }

    /// Whether the buffer is, or will be, in the living incarnation.
    async fn is_current(&self, buffer: &Buffer) -> PortResult<bool> {
        let generation = buffer.state().generation;
        let lives = |i: &Incarnation| i.generation == generation;
        // While that incarnation is the current one, its end puts the buffer back.
        if self.handle.current().as_ref().is_some_and(lives) {
            return Ok(true);
        }
        let current = self.ready().await?.generation;
        Ok(buffer.state().generation == current)
    }

    async fn open_once(&self, what: &OpenBuffer) -> PortResult<(Arc<Buffer>, BufferInfo)> {
        let (path, text) = match what {
            OpenBuffer::File(path) => (path, None),
            OpenBuffer::New { path, text } => (path, Some(text)),
        };
        let subject = path.display().to_string();
        let request = Open {
            path: Some(path.clone()),
            text: text.cloned(),
        };
        let (info, incarnation) = self.ask(&subject, FILE, &request).await?;
        let base = match text {
            None => Base::Disk,
            Some(text) => Base::Held {
                text: text.as_str().into(),
                on_disk: false,
            },
        };
        let state = State::opened(incarnation.generation, &info, base);
        let buffer = self.inner.adopt(state);
        let info = port_info(&buffer, info);
        Ok((buffer, info))
    }
}

/// Clears away what dead sessions left, and says in the log what is unsaved.
async fn earlier_sessions(incarnation: Incarnation) {
    let peer = &incarnation.peer;
    match peer.call_typed(&ListRecoverable {}, FILE).await {
        Ok(list) => {
            for left in list.recoverable {
                let path = left.path.unwrap_or_default();
                tracing::warn!(id = left.id, path = %path.display(), "unsaved text of an earlier session");
            }
        }
        Err(error) => tracing::warn!(%error, "earlier sessions were not looked at"),
    }
}

fn subject(buffer: &Buffer) -> String {
    let path = buffer.state().path.clone();
    match path {
        Some(path) => path.display().to_string(),
        None => format!("the buffer {}", buffer.id.0),
    }
}

fn port_info(buffer: &Buffer, info: symphony_ipc_protocol::xi::BufferInfo) -> BufferInfo {
    use symphony_core_ports::LineEnding;
    use symphony_ipc_protocol::xi::LineEnding as Wire;
    let state = buffer.state();
    BufferInfo {
        id: buffer.id,
        path: info.path.or_else(|| state.path.clone()),
        revision: Revision(info.revision.saturating_add_signed(state.offset)),
        len: info.len,
        line_ending: match info.line_ending {
            Wire::Lf => LineEnding::Lf,
            Wire::Crlf => LineEnding::Crlf,
            Wire::Mixed => LineEnding::Mixed,
        },
        dirty: info.dirty || state.health == Health::Detached,
        read_only: info.read_only,
        digest: info.digest,
    }
}

#[async_trait]
impl TextEditingPort for XiEditorAdapter {
    async fn open(&self, what: OpenBuffer) -> PortResult<BufferInfo> {
        for _ in 0..=TRIES {
            let (buffer, info) = self.open_once(&what).await?;
            if self.is_current(&buffer).await? {
                return Ok(info);
            }
            // xi-editor died just now, and this buffer was too new to be put back.
            self.inner.forget(&buffer);
        }
        Err(PortError::SynchronizationError {
            details: "xi-editor ended again and again".to_owned(),
        })
    }

    async fn info(&self, buffer_id: BufferId) -> PortResult<BufferInfo> {
        let buffer = self.inner.find(buffer_id)?;
        let info = self.wire_info(&buffer).await?;
        Ok(port_info(&buffer, info))
    }

    async fn insert(&self, buffer_id: BufferId, pos: usize, text: &str) -> PortResult<Revision> {
        let applied = self.change(buffer_id, Change::Insert { at: pos, text });
        Ok(applied.await?.revision)
    }

    async fn delete(&self, buffer_id: BufferId, range: ByteRange) -> PortResult<Revision> {
        let applied = self.change(buffer_id, Change::Delete { range });
        Ok(applied.await?.revision)
    }

    async fn apply(&self, buffer_id: BufferId, delta: TextDelta) -> PortResult<Applied> {
        self.change(buffer_id, Change::Apply { delta: &delta })
            .await
    }

    async fn get_content(
        &self,
        buffer_id: BufferId,
        wanted: Option<ByteRange>,
    ) -> PortResult<TextSlice> {
        let buffer = self.inner.find(buffer_id)?;
        let request = |place: Place| Content {
            buffer: place.key,
            range: wanted.clone().map(|range| Span {
                start: range.start,
                end: range.end,
            }),
        };
        let read = self.ask_in_turn(&buffer, FILE, request).await?;
        let InTurn { answer, place, .. } = read;
        Ok(TextSlice {
            text: answer.text,
            range: range(answer.range),
            revision: Revision(answer.revision.saturating_add_signed(place.offset)),
        })
    }

    async fn undo(&self, buffer_id: BufferId) -> PortResult<Revision> {
        Ok(self.change(buffer_id, Change::Undo).await?.revision)
    }

    async fn redo(&self, buffer_id: BufferId) -> PortResult<Revision> {
        Ok(self.change(buffer_id, Change::Redo).await?.revision)
    }

    async fn save(&self, buffer_id: BufferId) -> PortResult<Saved> {
        let buffer = self.inner.find(buffer_id)?;
        self.save_buffer(&buffer).await
    }

    async fn close(&self, buffer_id: BufferId, discard: bool) -> PortResult<()> {
        let buffer = self.inner.find(buffer_id)?;
        if matches!(buffer.state().health, Health::Lost(_)) && discard {
            self.inner.forget(&buffer);
            return Ok(());
        }
        let request = |place: Place| Close {
            buffer: place.key,
            discard,
        };
        let _closed = self.ask_in_turn(&buffer, CHANGE, request).await?;
        self.inner.forget(&buffer);
        Ok(())
    }

    async fn remove_file(&self, buffer_id: BufferId) -> PortResult<()> {
        let buffer = self.inner.find(buffer_id)?;
        self.remove(&buffer).await
    }

    async fn external_change(&self, path: &Path) -> PortResult<ExternalChange> {
        self.look_at(path).await
    }

    fn subscribe(&self, buffer_id: BufferId) -> Receiver<BufferEvent> {
        match self.inner.find(buffer_id) {
            Ok(buffer) => buffer.events.subscribe(),
            // Without a sender the receiver ends at once.
            Err(_) => broadcast::channel(1).1,
        }
    }
}
