//! A buffer that is not in xi-editor's journals any more is rebuilt from what is known here.

use super::{
    buffer::{Base, Entry, Health},
    recovery::{NotBack, Restoring, STEP, whole_edit},
};
use std::collections::VecDeque;
use symphony_core_ports::BufferEvent;
use symphony_ipc_protocol::{
    jsonrpc::code,
    xi::{Apply, BufferInfo, BufferKey, Close, EditOrigin, OnOverlap, Open, Replace, XiRequest},
};
use symphony_ipc_transport::{CallError, PendingCall};

/// How many changes are under way at once while they are made again.
const WINDOW: usize = 64;

impl Restoring<'_> {
    /// Opens the buffer again, and makes its acknowledged changes again.
    pub(super) async fn rebuild(&self) -> Result<(), NotBack> {
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
            true => Some(self.whole_text(info.buffer).await?),
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
            };
            self.buffer.note(info.revision, entry);
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
        let mut under_way = VecDeque::new();
        for entry in log.into_values() {
            let request = again(key, revision, entry.edits, &entry.author);
            let call = self.begin(&request).await?;
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
