//! Changing a buffer, also when xi-editor dies in the middle of it.

use super::{
    CHANGE, FILE, XiEditorAdapter,
    buffer::{Base, Buffer, Entry, Kind, Place},
    subject,
};
use crate::rpc;
use std::sync::Arc;
use symphony_actors::Incarnation;
use symphony_core_ports::{
    Applied, BufferId, ByteRange, PortError, PortResult, Revision, TextDelta,
};
use symphony_ipc_protocol::xi::{
    Applied as WireApplied, Apply, Content, Delete, EditOrigin, Insert, OnOverlap, Redo, Replace,
    Span, Undo,
};
use symphony_ipc_transport::CallError;

/// A change of a buffer in our own terms.
pub(super) enum Change<'a> {
    Insert { at: usize, text: &'a str },
    Delete { range: ByteRange },
    Apply { delta: &'a TextDelta },
    Undo,
    Redo,
}

impl Change<'_> {
    fn kind(&self) -> Kind {
        match self {
            Self::Undo => Kind::Undo,
            Self::Redo => Kind::Redo,
            _ => Kind::Edit,
        }
    }

    fn author(&self) -> &str {
        match self {
            Self::Apply { delta } => &delta.author,
            _ => "user",
        }
    }
}

/// What one try of a call came to.
enum Try<T> {
    Done(T),
    /// xi-editor died before it answered.
    Died(CallError, Incarnation),
}

impl XiEditorAdapter {
    /// Makes a change. If xi-editor dies before it answers, makes it once more
    /// unless it was made: the buffer is back with it then.
    pub(super) async fn change(&self, id: BufferId, change: Change<'_>) -> PortResult<Applied> {
        let buffer = self.inner.find(id)?;
        let mut before = None;
        loop {
            let (incarnation, turn, place) = self.turn(&buffer).await?;
            let tried = before.replace(place.revision);
            if let Some(revision) = tried.filter(|revision| *revision != place.revision) {
                // One change at a time is under way: what came since is this one, or others'.
                let made = buffer.made(revision, change.kind(), change.author());
                return made.ok_or_else(|| PortError::SynchronizationError {
                    details: format!(
                        "xi-editor ended during a change of revision {revision}; the buffer is at {} now",
                        place.revision
                    ),
                });
            }
            match self
                .try_change(&buffer, &incarnation, place, &change)
                .await?
            {
                Try::Done(applied) => return Ok(applied),
                Try::Died(error, incarnation) if tried.is_some() => {
                    drop(turn);
                    let subject = subject(&buffer);
                    return Err(rpc::call(error, &subject, &self.handle, &incarnation).await);
                }
                Try::Died(_, incarnation) => {
                    drop(turn);
                    self.wait_for_news(&incarnation).await;
                }
            }
        }
    }

    async fn try_change(
        &self,
        buffer: &Buffer,
        incarnation: &Incarnation,
        place: Place,
        change: &Change<'_>,
    ) -> PortResult<Try<Applied>> {
        let result = async {
            self.hold_base(buffer, incarnation, place).await?;
            send(incarnation, place, change).await
        };
        let applied = match result.await {
            Ok(Some(applied)) => applied,
            Ok(None) => {
                return Err(PortError::Conflict {
                    details: "the base revision is too old: read the text again".to_owned(),
                    ranges: Vec::new(),
                });
            }
            Err(error @ CallError::Closed(_)) => {
                return Ok(Try::Died(error, incarnation.clone()));
            }
            Err(error) => {
                let subject = subject(buffer);
                return Err(rpc::call(error, &subject, &self.handle, incarnation).await);
            }
        };
        let changed = applied.changed;
        let revision = applied.revision.saturating_add_signed(place.offset);
        if changed {
            let entry = Entry {
                edits: applied.edits,
                author: change.author().to_owned(),
            };
            buffer.note(applied.revision, entry);
            self.compact(buffer, incarnation, place).await;
        }
        Ok(Try::Done(Applied {
            revision: Revision(revision),
            changed,
        }))
    }

    /// Before the first change of a file's text, takes the text: should the file
    /// change while xi-editor is away, nothing acknowledged is lost.
    async fn hold_base(
        &self,
        buffer: &Buffer,
        incarnation: &Incarnation,
        place: Place,
    ) -> Result<(), CallError> {
        if !matches!(buffer.state().base, Base::Disk) {
            return Ok(());
        }
        let text = whole_text(incarnation, place).await?;
        let mut state = buffer.state();
        let disk = state.disk.clone();
        let base = Base::Held {
            text,
            on_disk: true,
        };
        state.rebase(base, disk);
        Ok(())
    }

    /// Takes the text in the place of a long log.
    async fn compact(&self, buffer: &Buffer, incarnation: &Incarnation, place: Place) {
        if !buffer.state().should_compact() {
            return;
        }
        // Should it die now, the log is still there.
        if let Ok(text) = whole_text(incarnation, place).await {
            let mut state = buffer.state();
            let disk = state.disk.clone();
            let base = Base::Held {
                text,
                on_disk: false,
            };
            state.rebase(base, disk);
        }
    }
}

pub(super) async fn whole_text(
    incarnation: &Incarnation,
    place: Place,
) -> Result<Arc<str>, CallError> {
    let request = Content {
        buffer: place.key,
        range: None,
    };
    let text = incarnation.peer.call_typed(&request, FILE).await?;
    Ok(text.text.into())
}

/// Sends a change; `None` when its base is from before what can be rebased.
async fn send(
    incarnation: &Incarnation,
    place: Place,
    change: &Change<'_>,
) -> Result<Option<WireApplied>, CallError> {
    let (buffer, peer) = (place.key, &incarnation.peer);
    let origin = EditOrigin {
        author: change.author().to_owned(),
        group: None,
    };
    let applied = match change {
        Change::Insert { at, text } => {
            let (at, text, base) = (*at, (*text).to_owned(), None);
            let request = Insert {
                buffer,
                at,
                text,
                base,
                origin,
            };
            peer.call_typed(&request, CHANGE).await
        }
        Change::Delete { range } => {
            let request = Delete {
                buffer,
                range: Span {
                    start: range.start,
                    end: range.end,
                },
                base: None,
                origin,
            };
            peer.call_typed(&request, CHANGE).await
        }
        Change::Apply { delta } => {
            let base = i64::try_from(delta.base.0).unwrap_or(i64::MAX);
            let Ok(base) = u64::try_from(base.saturating_sub(place.offset)) else {
                return Ok(None);
            };
            let request = Apply {
                buffer,
                base,
                edits: delta.edits.iter().map(replace).collect(),
                on_overlap: OnOverlap::Refuse,
                origin,
            };
            peer.call_typed(&request, CHANGE).await
        }
        Change::Undo => peer.call_typed(&Undo { buffer }, CHANGE).await,
        Change::Redo => peer.call_typed(&Redo { buffer }, CHANGE).await,
    };
    applied.map(Some)
}

fn replace(edit: &symphony_core_ports::TextEdit) -> Replace {
    Replace {
        start: edit.range.start,
        end: edit.range.end,
        text: edit.text.clone(),
    }
}
