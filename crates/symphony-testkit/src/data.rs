//! Records in memory.

use crate::{
    SimulatedClock,
    script::{Script, scripted},
};
use async_trait::async_trait;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use symphony_core_ports::{
    Collection, DataPort, Expected, PortError, PortResult, Record, RecordKey,
};

type Place = (Collection, RecordKey);

/// A [`DataPort`] in memory.
///
/// Operations for scripts: `get`, `put`, `list`, `delete`.
#[derive(Debug, Clone)]
pub struct MockDataAdapter {
    shared: Arc<Mutex<Shared>>,
    script: Script,
}

#[derive(Debug, Default)]
struct Shared {
    records: BTreeMap<Place, Record>,
    damaged: BTreeSet<Place>,
}

scripted!(MockDataAdapter);

impl MockDataAdapter {
    /// Without records.
    pub fn new() -> Self {
        Self::with_clock(SimulatedClock::new())
    }

    /// With delays on this clock.
    pub fn with_clock(clock: SimulatedClock) -> Self {
        Self {
            shared: Arc::default(),
            script: Script::new(&["get", "put", "list", "delete"], clock),
        }
    }

    /// Makes a stored record unreadable, as a bad disk does.
    pub fn damage(&self, collection: &Collection, key: &RecordKey) {
        let place = (collection.clone(), key.clone());
        self.lock().damaged.insert(place);
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MockDataAdapter {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    fn check(&self, place: &Place, expected: Expected) -> PortResult<u64> {
        let version = self.records.get(place).map_or(0, |record| record.version);
        let holds = match expected {
            Expected::Any => true,
            Expected::Absent => version == 0,
            Expected::Version(wanted) => version == wanted,
        };
        if holds {
            return Ok(version);
        }
        Err(PortError::Conflict {
            details: format!("{}/{} has version {version}", place.0, place.1),
            ranges: Vec::new(),
        })
    }

    fn intact(&self, place: &Place) -> PortResult<()> {
        if self.damaged.contains(place) {
            let message = format!("the record {}/{} is damaged", place.0, place.1);
            return Err(PortError::failed(message));
        }
        Ok(())
    }
}

fn valid_collection(collection: &Collection) -> PortResult<()> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if collection.0.is_empty() || !collection.0.chars().all(fits) {
        return Err(PortError::invalid("collection", format!("`{collection}`")));
    }
    Ok(())
}

fn valid_key(key: &RecordKey) -> PortResult<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if key.0.is_empty() || key.0.starts_with('.') || !key.0.chars().all(fits) {
        return Err(PortError::invalid("key", format!("`{key}`")));
    }
    Ok(())
}

fn place(collection: &Collection, key: &RecordKey) -> PortResult<Place> {
    valid_collection(collection)?;
    valid_key(key)?;
    Ok((collection.clone(), key.clone()))
}

#[async_trait]
impl DataPort for MockDataAdapter {
    async fn get(&self, collection: &Collection, key: &RecordKey) -> PortResult<Option<Record>> {
        self.script
            .enter("get", format!("{collection}/{key}"))
            .await?;
        let place = place(collection, key)?;
        let shared = self.lock();
        shared.intact(&place)?;
        Ok(shared.records.get(&place).cloned())
    }

    async fn put(
        &self,
        collection: &Collection,
        key: &RecordKey,
        value: Value,
        expected: Expected,
    ) -> PortResult<u64> {
        self.script
            .enter("put", format!("{collection}/{key}"))
            .await?;
        let place = place(collection, key)?;
        let mut shared = self.lock();
        let version = shared.check(&place, expected)? + 1;
        shared.damaged.remove(&place);
        let record = Record {
            key: key.clone(),
            version,
            value,
        };
        shared.records.insert(place, record);
        Ok(version)
    }

    async fn list(&self, collection: &Collection) -> PortResult<Vec<Record>> {
        self.script.enter("list", collection.to_string()).await?;
        valid_collection(collection)?;
        let shared = self.lock();
        let places = shared.records.iter().filter(|((c, _), _)| c == collection);
        places
            .map(|(place, record)| shared.intact(place).map(|()| record.clone()))
            .collect()
    }

    async fn delete(
        &self,
        collection: &Collection,
        key: &RecordKey,
        expected: Expected,
    ) -> PortResult<()> {
        self.script
            .enter("delete", format!("{collection}/{key}"))
            .await?;
        let place = place(collection, key)?;
        let mut shared = self.lock();
        if shared.records.contains_key(&place) {
            shared.check(&place, expected)?;
            shared.records.remove(&place);
            shared.damaged.remove(&place);
        }
        Ok(())
    }
}
