//! The handshake with xi-editor, and buffers that are back after it died.
//!
//! xi-editor restores its buffers from the journals of its session, under the
//! same keys and revisions. What came after the last answer is taken in here,
//! before anyone gets the new connection.
//!
//! A buffer that is not back, or behind what was acknowledged, is rebuilt:
//! opened again, and its acknowledged changes made again in order. The text is
//! then exactly what callers were told; undo takes those changes back one by one.

use super::{
    Inner,
    buffer::{Base, Buffer, Entry, Health, Kind, Made},
    files::digest_of,
};
use async_trait::async_trait;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use symphony_actors::{Behaviour, Incarnation, StartError};
use symphony_core_ports::BufferEvent;
use symphony_ipc_protocol::xi::{
    BufferInfo, BufferKey, ChangeKind, Close, Content, EVENT_METHOD, ExternalOutcome, Initialized,
    PROTOCOL, RecentChange, Replace, Restored, XiEvent, XiRequest,
};
use symphony_ipc_transport::{CallError, Incoming};
use tokio::time::timeout;

/// How long one step of putting a buffer back may take.
pub(super) const STEP: Duration = Duration::from_secs(30);
/// How long calls of the dead incarnation may take to notice.
const TURN: Duration = Duration::from_secs(5);

#[async_trait]
impl Behaviour for Inner {
    async fn started(&self, incarnation: &Incarnation) -> Result<(), StartError> {
        let greeting = self.greet(incarnation).await?;
        for not in greeting.not_restored {
            tracing::error!(path = ?not.path, reason = not.reason, aside = ?not.aside, "a buffer is not in its journal any more");
        }
        let restored = greeting.restored.into_iter();
        let mut restored: HashMap<_, _> = restored.map(|r| (r.info.buffer, r)).collect();
        let all = self.all();
        self.close_unknown(incarnation, &restored, &all).await?;
        for buffer in all {
            let key = buffer.state().key;
            Restoring {
                buffer: &buffer,
                incarnation,
            }
            .run(restored.remove(&key))
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
                    buffer.note(revision, Entry { edits, author });
                }
            }
            // Changes were told of when they were answered; the rest is told by the calls that cause it.
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "an event of xi-editor was not understood"),
        }
    }
}

impl Inner {
    /// Says hello, without a session if another process has it.
    async fn greet(&self, incarnation: &Incarnation) -> Result<Initialized, StartError> {
        let mut hello = self.hello.clone();
        loop {
            let limit = self.startup_timeout;
            match incarnation.peer.call_typed(&hello, limit).await {
                Ok(answer) if answer.protocol == PROTOCOL => return Ok(answer),
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
                Err(CallError::Remote(error)) if hello.session.is_some() => {
                    tracing::error!(%error, "xi-editor goes on without its session");
                    hello.session = None;
                }
                Err(CallError::Remote(error)) => return Err(StartError::Fatal(error.message)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Closes what was opened just before the death: nobody was told of it, and
    /// whoever opens it is about to do so again.
    async fn close_unknown(
        &self,
        incarnation: &Incarnation,
        restored: &HashMap<BufferKey, Restored>,
        known: &[Arc<Buffer>],
    ) -> Result<(), StartError> {
        let known: HashSet<_> = known.iter().map(|buffer| buffer.state().key).collect();
        for restored in restored.values() {
            let info = &restored.info;
            if known.contains(&info.buffer) || info.revision > 0 {
                continue;
            }
            let close = Close {
                buffer: info.buffer,
                discard: true,
            };
            match incarnation.peer.call_typed(&close, STEP).await {
                Err(error @ CallError::Closed(_)) => return Err(error.into()),
                Err(error) => tracing::warn!(%error, "an unknown buffer was not closed"),
                Ok(_) => {}
            }
        }
        Ok(())
    }
}

/// Puts one buffer back.
pub(super) struct Restoring<'a> {
    pub(super) buffer: &'a Arc<Buffer>,
    pub(super) incarnation: &'a Incarnation,
}

/// Why a buffer is not back.
pub(super) enum NotBack {
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
    async fn run(&self, restored: Option<Restored>) -> Result<(), StartError> {
        // Calls of the dead incarnation end and note what was acknowledged.
        let turn = timeout(TURN, self.buffer.turn.lock()).await;
        if matches!(self.buffer.state().health, Health::Closed | Health::Lost(_)) {
            return Ok(());
        }
        let result = match turn {
            Ok(_turn) => self.take_back_or_rebuild(restored).await,
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

    pub(super) async fn ask<R: XiRequest>(&self, request: &R) -> Result<R::Answer, CallError> {
        self.incarnation.peer.call_typed(request, STEP).await
    }

    async fn take_back_or_rebuild(&self, restored: Option<Restored>) -> Result<(), NotBack> {
        let Some(restored) = restored else {
            return self.rebuild().await;
        };
        let (acknowledged, offset) = {
            let state = self.buffer.state();
            (state.revision, state.offset)
        };
        let revision = restored.info.revision.saturating_add_signed(offset);
        if revision < acknowledged {
            tracing::error!(revision, acknowledged, "a journal is behind");
            self.ask(&Close {
                buffer: restored.info.buffer,
                discard: true,
            })
            .await?;
            return self.rebuild().await;
        }
        self.take_back(restored, acknowledged, offset).await
    }

    /// The buffer is there: takes in what came after the last answer.
    async fn take_back(
        &self,
        restored: Restored,
        acknowledged: u64,
        offset: i64,
    ) -> Result<(), NotBack> {
        let Restored {
            info, file, recent, ..
        } = restored;
        self.buffer.state().generation = self.incarnation.generation;
        let ours = |change: &RecentChange| change.revision.saturating_add_signed(offset);
        let newest = info.revision.saturating_add_signed(offset);
        let new: Vec<_> = recent
            .into_iter()
            .filter(|c| ours(c) > acknowledged)
            .collect();
        let all_known = new.len() as u64 == newest - acknowledged;
        let changed_outside = file.is_some_and(|file| file != ExternalOutcome::Unchanged);
        self.buffer.state().made = new.iter().map(|c| made(c, ours(c))).collect();
        if all_known {
            for change in new {
                let author = author(&change.author).to_owned();
                let edits = change.edits;
                self.buffer.note(change.revision, Entry { edits, author });
            }
        }
        if all_known && !changed_outside {
            return Ok(());
        }
        let text = self.whole_text(info.buffer).await?;
        if !all_known {
            let old_len = self.buffer.state().len;
            let entry = Entry {
                edits: vec![whole_edit(old_len, &text)],
                author: "disk".to_owned(),
            };
            self.buffer.note(info.revision, entry);
        }
        self.take_stock(&info, text).await;
        if changed_outside {
            self.buffer.tell(BufferEvent::FileModified {
                buffer: self.buffer.id,
            });
        }
        Ok(())
    }

    /// Starts the log anew from what is there now.
    async fn take_stock(&self, info: &BufferInfo, text: String) {
        let (base, disk) = if info.dirty {
            let disk = match info.path.clone() {
                Some(path) => digest_of(path).await,
                None => None,
            };
            let base = Base::Held {
                text: text.into(),
                on_disk: false,
            };
            (base, disk)
        } else {
            (Base::Disk, Some(info.digest.clone()))
        };
        self.buffer.state().rebase(base, disk);
    }

    pub(super) async fn whole_text(&self, buffer: BufferKey) -> Result<String, CallError> {
        let request = Content {
            buffer,
            range: None,
        };
        Ok(self.ask(&request).await?.text)
    }
}

fn kind(kind: ChangeKind) -> Kind {
    match kind {
        ChangeKind::Edit => Kind::Edit,
        ChangeKind::Undo | ChangeKind::UndoTo => Kind::Undo,
        ChangeKind::Redo => Kind::Redo,
    }
}

fn author(name: &str) -> &str {
    if name.is_empty() { "user" } else { name }
}

fn made(change: &RecentChange, revision: u64) -> Made {
    Made {
        revision,
        kind: kind(change.kind),
        author: author(&change.author).to_owned(),
    }
}

pub(super) fn whole_edit(len: usize, text: &str) -> Replace {
    Replace {
        start: 0,
        end: len,
        text: text.to_owned(),
    }
}
