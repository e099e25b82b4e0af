//! Results by cache key, and who is making one.

use crate::lock;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use symphony_core_ports::{CacheKey, NodeOutput};
use tokio::sync::watch;

/// A log shorter than this many records is not worth compacting.
const COMPACT_FROM: usize = 1024;

#[derive(Default)]
pub(crate) struct Cache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    results: HashMap<CacheKey, NodeOutput>,
    /// Keys whose result is being made; the channel closes when that ends.
    making: HashMap<CacheKey, watch::Receiver<()>>,
    /// Records in the log, living or dead.
    records: usize,
}

/// What the cache has for a key.
pub(crate) enum Found {
    Known(NodeOutput),
    /// Nothing: the caller makes it, others wait.
    Lead(Lead),
}

impl Cache {
    /// The result of `key`, after the one who makes it now, if anybody; else the lead in making it.
    pub(crate) async fn find_or_lead(self: &Arc<Self>, key: &CacheKey) -> Found {
        loop {
            let mut making = {
                let mut state = lock(&self.state);
                if let Some(known) = state.results.get(key) {
                    return Found::Known(known.clone());
                }
                match state.making.get(key) {
                    Some(making) => making.clone(),
                    None => {
                        let (ended, making) = watch::channel(());
                        state.making.insert(key.clone(), making);
                        return Found::Lead(Lead {
                            cache: Arc::clone(self),
                            key: key.clone(),
                            _ended: ended,
                        });
                    }
                }
            };
            // Nothing is ever sent: this returns when the lead is dropped.
            let _ = making.changed().await;
        }
    }

    /// Takes over what a log's record says.
    pub(crate) fn put(&self, key: CacheKey, output: NodeOutput) {
        let mut state = lock(&self.state);
        state.results.insert(key, output);
        state.records += 1;
    }

    pub(crate) fn forget(&self, key: &CacheKey) {
        let mut state = lock(&self.state);
        state.results.remove(key);
        state.records += 1;
    }

    pub(crate) fn knows(&self, key: &CacheKey) -> bool {
        lock(&self.state).results.contains_key(key)
    }

    /// Whether more than half of the log is dead.
    pub(crate) fn wants_compaction(&self) -> bool {
        let state = lock(&self.state);
        state.records > COMPACT_FROM && state.records > 2 * state.results.len()
    }

    /// Everything, for a log without dead records.
    pub(crate) fn compact(&self) -> Vec<(CacheKey, NodeOutput)> {
        let mut state = lock(&self.state);
        state.records = state.results.len();
        let all = state.results.iter();
        all.map(|(key, output)| (key.clone(), output.clone()))
            .collect()
    }
}

/// The right and duty to make a key's result. Dropping it lets the next one try.
pub(crate) struct Lead {
    cache: Arc<Cache>,
    key: CacheKey,
    _ended: watch::Sender<()>,
}

impl Lead {
    /// Makes the result known, to those who wait as well.
    pub(crate) fn publish(self, output: NodeOutput) {
        self.cache.put(self.key.clone(), output);
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        lock(&self.cache.state).making.remove(&self.key);
    }
}
