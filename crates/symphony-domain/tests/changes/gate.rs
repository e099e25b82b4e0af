//! Ports whose every call can be made to fail or never to return.

use async_trait::async_trait;
use serde_json::Value;
use std::{
    future::pending,
    path::Path,
    sync::{Arc, Mutex},
};
use symphony_core_ports::*;
use symphony_testkit::{MockDataAdapter, MockTextEditingAdapter};
use tokio::sync::broadcast::Receiver;

/// What happens at the call with this number, from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// All calls get through.
    #[default]
    Open,
    /// This call fails, without having done anything.
    FailAt(usize),
    /// This call and all later ones do.
    FailFrom(usize),
    /// This call does its work, and its answer is lost: an error instead.
    LoseAnswerOf(usize),
    /// This call never gets to its work.
    HangBefore(usize),
    /// This call does its work and never returns.
    HangAfter(usize),
}

/// Counts calls of all gated ports together.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<Mutex<(Mode, usize)>>);

impl Gate {
    /// From now on; counting begins anew.
    pub fn set(&self, mode: Mode) {
        *self.0.lock().unwrap() = (mode, 0);
    }

    /// Calls since the mode was set.
    pub fn calls(&self) -> usize {
        self.0.lock().unwrap().1
    }

    async fn through<T>(&self, work: impl Future<Output = PortResult<T>>) -> PortResult<T> {
        let (mode, call) = {
            let mut shared = self.0.lock().unwrap();
            shared.1 += 1;
            *shared
        };
        let broken = || PortError::failed("the test says so");
        match mode {
            Mode::FailAt(n) if call == n => return Err(broken()),
            Mode::FailFrom(n) if call >= n => return Err(broken()),
            Mode::HangBefore(n) if call == n => pending().await,
            _ => {}
        }
        let answer = work.await;
        match mode {
            Mode::HangAfter(n) if call == n => pending().await,
            Mode::LoseAnswerOf(n) if call == n => Err(broken()),
            _ => answer,
        }
    }
}

pub struct GatedText(pub MockTextEditingAdapter, pub Gate);
pub struct GatedData(pub MockDataAdapter, pub Gate);

#[async_trait]
impl TextEditingPort for GatedText {
    async fn open(&self, what: OpenBuffer) -> PortResult<BufferInfo> {
        self.1.through(self.0.open(what)).await
    }
    async fn info(&self, id: BufferId) -> PortResult<BufferInfo> {
        self.1.through(self.0.info(id)).await
    }
    async fn insert(&self, id: BufferId, pos: usize, text: &str) -> PortResult<Revision> {
        self.1.through(self.0.insert(id, pos, text)).await
    }
    async fn delete(&self, id: BufferId, range: ByteRange) -> PortResult<Revision> {
        self.1.through(self.0.delete(id, range)).await
    }
    async fn apply(&self, id: BufferId, delta: TextDelta) -> PortResult<Applied> {
        self.1.through(self.0.apply(id, delta)).await
    }
    async fn get_content(&self, id: BufferId, range: Option<ByteRange>) -> PortResult<TextSlice> {
        self.1.through(self.0.get_content(id, range)).await
    }
    async fn undo(&self, id: BufferId) -> PortResult<Revision> {
        self.1.through(self.0.undo(id)).await
    }
    async fn redo(&self, id: BufferId) -> PortResult<Revision> {
        self.1.through(self.0.redo(id)).await
    }
    async fn save(&self, id: BufferId) -> PortResult<Saved> {
        self.1.through(self.0.save(id)).await
    }
    async fn close(&self, id: BufferId, discard: bool) -> PortResult<()> {
        self.1.through(self.0.close(id, discard)).await
    }
    async fn remove_file(&self, id: BufferId) -> PortResult<()> {
        self.1.through(self.0.remove_file(id)).await
    }
    async fn external_change(&self, path: &Path) -> PortResult<ExternalChange> {
        self.1.through(self.0.external_change(path)).await
    }
    fn subscribe(&self, id: BufferId) -> Receiver<BufferEvent> {
        self.0.subscribe(id)
    }
}

#[async_trait]
impl DataPort for GatedData {
    async fn get(&self, collection: &Collection, key: &RecordKey) -> PortResult<Option<Record>> {
        self.1.through(self.0.get(collection, key)).await
    }
    async fn put(
        &self,
        collection: &Collection,
        key: &RecordKey,
        value: Value,
        expected: Expected,
    ) -> PortResult<u64> {
        let put = self.0.put(collection, key, value, expected);
        self.1.through(put).await
    }
    async fn list(&self, collection: &Collection) -> PortResult<Vec<Record>> {
        self.1.through(self.0.list(collection)).await
    }
    async fn delete(
        &self,
        collection: &Collection,
        key: &RecordKey,
        expected: Expected,
    ) -> PortResult<()> {
        let delete = self.0.delete(collection, key, expected);
        self.1.through(delete).await
    }
}
