//! The handshake with xi-editor, and putting buffers back after it died.
//!
//! Each buffer is opened again and its acknowledged changes are made again, in
//! order, before anyone gets the new connection. Changes that were not
//! acknowledged died with the process, so the rebuilt text is exactly what
//! callers were told. Undo reaches back to the last save (or to where the log
//! was compacted).

use super::{
    Inner,
    buffer::{Base, Buffer, Entry, Health, Kind},
};
use async_trait::async_trait;
use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use symphony_actors::{Behaviour, Incarnation, StartError};
use symphony_core_ports::BufferEvent;
use symphony_ipc_protocol::{
    jsonrpc::code,
    xi::{
        Apply, BufferInfo, BufferKey, Close, Content, EVENT_METHOD, EditOrigin, OnOverlap, Open,
        PROTOCOL, Redo, Replace, Undo, XiEvent, XiRequest,
    },
};
use symphony_ipc_transport::{CallError, Incoming, PendingCall};
use tokio::time::timeout;

/// How long one step of putting a buffer back may take.
const STEP: Duration = Duration::from_secs(30);
/// How many changes are under way at once while they are made again.
const WINDOW: usize = 64;
/// How long calls of the dead incarnation may take to notice.
const TURN: Duration = Duration::from_secs(5);

#[async_trait]
impl Behaviour for Inner {
    async fn started(&self, incarnation: &Incarnation) -> Result<(), StartError> {
        let limit = self.startup_timeout;
        match incarnation.peer.call_typed(&self.hello, limit).await {
            Ok(answer) if answer.protocol == PROTOCOL => {}
            Ok(answer) => {
                return Err(StartError::Fatal(format!(
                    "it speaks {}, not {PROTOCOL}",
                    answer.protocol
                )));
            }
            // Later ones hold buffers to be put back, and are tried again.
            Err(CallError::Timeout { .. }) if incarnation.generation == 1 => {
                self.too_slow.store(true, Ordering::Relaxed);
                return Err(StartError::Fatal(format!("no answer within {limit:?}")));
            }
            Err(CallError::Remote(error)) => return Err(StartError::Fatal(error.message)),
            Err(error) => return Err(error.into()),
        }
        for buffer in self.all() {
            Restoring {
                buffer: &buffer,
                incarnation,
            }
            .run()
            .await?;
            self.rename(&buffer);
        }
        Ok(())
    }

    async fn incoming(&self, generation: u64, message: Incoming) {
        let Incoming::Notification { method, params } = message else {
            return;
        };
        if method != EVENT_METHOD {
            return;
        }
        match serde_json::from_value::<XiEvent>(params) {
            Ok(XiEvent::BufferChanged {
                buffer: key,
                revision,
                edits,
                author,
                ..
            }) => {
                if let Some(buffer) = self.by_key(generation, key) {
                    let kind = Kind::Edit;
                    let entry = Entry {
                        edits,
                        author,
                        kind,
                    };
                    buffer.note(revision, entry, false);
                }
            }
            // Changes were told of when they were answered; the rest is told by the calls that cause it.
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "an event of xi-editor was not understood"),
        }
    }
}

/// Puts one buffer back.
struct Restoring<'a> {
    buffer: &'a Arc<Buffer>,
    incarnation: &'a Incarnation,
}

/// Why a buffer is not back.
enum NotBack {
    /// xi-editor died again.
    Again(CallError),
    /// This buffer cannot be put back.
    Lost(String),
}

impl From<CallError> for NotBack {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Closed(_) => Self::Again(error),
            other => Self::Lost(other.to_string()),
        }
    }
}

impl Restoring<'_> {
    async fn run(&self) -> Result<(), StartError> {
        // Calls of the dead incarnation end and note what was acknowledged.
        let turn = timeout(TURN, self.buffer.turn.lock()).await;
        if matches!(self.buffer.state().health, Health::Closed | Health::Lost(_)) {
            return Ok(());
        }
        let result = match turn {
            Ok(_turn) => self.restore().await,
            Err(_) => Err(NotBack::Lost("a change of it did not end".to_owned())),
        };
        match result {
            Ok(()) => Ok(()),
            Err(NotBack::Again(error)) => Err(error.into()),
            Err(NotBack::Lost(why)) => {
                let path = self.buffer.state().path.clone().unwrap_or_default();
                let details = format!(
                    "{} could not be put back after xi-editor ended: {why}",
                    path.display()
                );
                tracing::error!(details, "a buffer is lost");
                self.buffer.state().health = Health::Lost(details);
                Ok(())
            }
        }
    }

    async fn ask<R: XiRequest>(&self, request: &R) -> Result<R::Answer, CallError> {
        self.incarnation.peer.call_typed(request, STEP).await
    }

    async fn restore(&self) -> Result<(), NotBack> {
        let (path, disk, base) = {
            let state = self.buffer.state();
            (state.path.clone(), state.disk.clone(), state.base.clone())
        };
        let (Some(path), Some(disk)) = (path.clone(), disk) else {
            // The file is not there yet: its text is here.
            let Base::Held { text, .. } = base else {
                return Err(NotBack::Lost("its text was only in its file".to_owned()));
            };
            return self.reopen_text(path, &text).await;
        };
        let opened = self
            .ask(&Open {
                path: Some(path.clone()),
                text: None,
            })
            .await;
        match (opened, base) {
            (Ok(info), base) if info.digest == disk => self.onto(&info, &base).await,
            (Ok(info), Base::Disk) => self.adopt(&info, true).await,
            (Ok(info), Base::Held { text, .. }) => self.beside(&info, &text).await,
            (Err(CallError::Remote(error)), Base::Held { text, .. })
                if error.code == code::NOT_FOUND =>
            {
                self.reopen_text(Some(path), &text).await
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// The file holds what it held: changes the base, if it is another, and replays the log.
    async fn onto(&self, info: &BufferInfo, base: &Base) -> Result<(), NotBack> {
        let mut revision = info.revision;
        if let Base::Held {
            text,
            on_disk: false,
        } = base
        {
            let whole = whole_edit(info.len, text);
            let request = again(info.buffer, revision, vec![whole], "");
            revision = self.ask(&request).await?.revision;
        }
        self.replay(info.buffer, revision).await
    }

    /// Opens the held text under its path, or apart from it when a file is there now.
    async fn reopen_text(
        &self,
        path: Option<std::path::PathBuf>,
        text: &str,
    ) -> Result<(), NotBack> {
        let text = Some(text.to_owned());
        let named = Open {
            path,
            text: text.clone(),
        };
        let info = match self.ask(&named).await {
            Err(CallError::Remote(error)) if error.code == code::CONFLICT => {
                self.buffer.state().health = Health::Detached;
                self.ask(&Open { path: None, text }).await?
            }
            other => other?,
        };
        self.buffer.state().disk = None;
        self.replay(info.buffer, info.revision).await
    }

    /// The file holds something else, and there are changes here: puts them into
    /// a buffer of their own. If that is what the file holds, it was saved.
    async fn beside(&self, on_disk: &BufferInfo, text: &str) -> Result<(), NotBack> {
        let own = Open {
            path: None,
            text: Some(text.to_owned()),
        };
        let info = self.ask(&own).await?;
        self.replay(info.buffer, info.revision).await?;
        let list = self.ask(&symphony_ipc_protocol::xi::Buffers {}).await?;
        let ours = list.buffers.iter().find(|b| b.buffer == info.buffer);
        let saved = ours.is_some_and(|ours| ours.digest == on_disk.digest);
        let superfluous = if saved { info.buffer } else { on_disk.buffer };
        self.ask(&Close {
            buffer: superfluous,
            discard: true,
        })
        .await?;
        if saved {
            return self.adopt(on_disk, false).await;
        }
        self.buffer.state().health = Health::Detached;
        Ok(())
    }

    /// The buffer is what the file holds now.
    async fn adopt(&self, info: &BufferInfo, changed: bool) -> Result<(), NotBack> {
        let text = match changed {
            true => Some(
                self.ask(&Content {
                    buffer: info.buffer,
                    range: None,
                })
                .await?
                .text,
            ),
            false => None,
        };
        let old_len = {
            let mut state = self.buffer.state();
            state.generation = self.incarnation.generation;
            state.key = info.buffer;
            state.offset = signed(state.revision) - signed(info.revision);
            state.rebase(Base::Disk, Some(info.digest.clone()));
            state.len
        };
        if let Some(text) = text {
            {
                let mut state = self.buffer.state();
                state.offset += 1;
                state.revision += 1;
            }
            let entry = Entry {
                edits: vec![whole_edit(old_len, &text)],
                author: "disk".to_owned(),
                kind: Kind::Edit,
            };
            self.buffer.note(info.revision, entry, false);
            self.buffer.tell(BufferEvent::FileModified {
                buffer: self.buffer.id,
            });
        }
        Ok(())
    }

    /// Makes the acknowledged changes again. `revision` is xi-editor's at the base.
    async fn replay(&self, key: BufferKey, mut revision: u64) -> Result<(), NotBack> {
        let log = {
            let mut state = self.buffer.state();
            state.generation = self.incarnation.generation;
            state.key = key;
            // Set first: the events of the replay are then known revisions.
            state.offset = signed(state.base_revision) - signed(revision);
            state.log.clone()
        };
        // Only what is undone within the log can be undone by xi-editor.
        let (mut undoable, mut redoable) = (0_usize, 0_usize);
        let mut under_way = VecDeque::new();
        for entry in log.into_values() {
            let call = match entry.kind {
                Kind::Undo if undoable > 0 => {
                    (undoable, redoable) = (undoable - 1, redoable + 1);
                    self.begin(&Undo { buffer: key }).await?
                }
                Kind::Redo if redoable > 0 => {
                    (undoable, redoable) = (undoable + 1, redoable - 1);
                    self.begin(&Redo { buffer: key }).await?
                }
                _ => {
                    (undoable, redoable) = (undoable + 1, 0);
                    let request = again(key, revision, entry.edits, &entry.author);
                    self.begin(&request).await?
                }
            };
            revision += 1;
            under_way.push_back((call, revision));
            if under_way.len() == WINDOW {
                finish(under_way.pop_front()).await?;
            }
        }
        while !under_way.is_empty() {
            finish(under_way.pop_front()).await?;
        }
        Ok(())
    }

    async fn begin<R: XiRequest>(&self, request: &R) -> Result<PendingCall, CallError> {
        let peer = &self.incarnation.peer;
        peer.begin(R::METHOD, request, STEP).await
    }
}

/// Takes the answer to a change that was made again.
async fn finish(call: Option<(PendingCall, u64)>) -> Result<(), NotBack> {
    let Some((call, expected)) = call else {
        return Ok(());
    };
    let answer = call.answer().await?;
    match answer["revision"].as_u64() {
        Some(revision) if revision == expected => Ok(()),
        other => Err(NotBack::Lost(format!(
            "a change gave revision {other:?} in the place of {expected}"
        ))),
    }
}

fn again(buffer: BufferKey, base: u64, edits: Vec<Replace>, author: &str) -> Apply {
    Apply {
        buffer,
        base,
        edits,
        on_overlap: OnOverlap::Refuse,
        origin: EditOrigin {
            author: author.to_owned(),
            group: None,
        },
    }
}

fn signed(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn whole_edit(len: usize, text: &str) -> Replace {
    Replace {
        start: 0,
        end: len,
        text: text.to_owned(),
    }
}
