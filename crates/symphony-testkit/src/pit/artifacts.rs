//! Artifacts in memory.

use crate::{
    SimulatedClock,
    script::{Script, scripted},
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use symphony_core_ports::{
    Artifact, ArtifactContent, ArtifactId, ArtifactStorage, ArtifactSummary, PortError, PortResult,
};

const OPERATIONS: &[&str] = &[
    "store_artifact",
    "retrieve_artifact",
    "contains_artifact",
    "find_artifacts",
];

/// An [`ArtifactStorage`] in memory.
///
/// Operations for scripts: the names of the port's methods.
#[derive(Debug, Clone)]
pub struct MockArtifactStorage {
    shared: Arc<Mutex<BTreeMap<ArtifactId, Artifact>>>,
    script: Script,
}

scripted!(MockArtifactStorage);

impl MockArtifactStorage {
    /// Without artifacts.
    pub fn new() -> Self {
        Self::with_clock(SimulatedClock::new())
    }

    /// With delays on this clock.
    pub fn with_clock(clock: SimulatedClock) -> Self {
        Self {
            shared: Arc::default(),
            script: Script::new(OPERATIONS, clock),
        }
    }

    /// What a crash would leave: everything stored.
    #[must_use]
    pub fn restarted(&self) -> Self {
        let fresh = Self::with_clock(self.script.clock().clone());
        *fresh.lock() = self.lock().clone();
        fresh
    }

    /// How many artifacts there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Changes stored bytes, as a bad disk does.
    pub fn corrupt(&self, id: &ArtifactId) {
        if let Some(artifact) = self.lock().get_mut(id) {
            artifact.bytes.push(b'!');
        }
    }

    /// Removes an artifact, as a collection of what is stale does.
    pub fn remove(&self, id: &ArtifactId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ArtifactId, Artifact>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MockArtifactStorage {
    fn default() -> Self {
        Self::new()
    }
}

fn id_of(bytes: &[u8]) -> ArtifactId {
    ArtifactId::from_blake3(*blake3::hash(bytes).as_bytes())
}

#[async_trait]
impl ArtifactStorage for MockArtifactStorage {
    async fn store_artifact(&self, content: ArtifactContent) -> PortResult<ArtifactId> {
        let title = content.about.title.clone();
        self.script.enter("store_artifact", title).await?;
        let id = id_of(&content.bytes);
        let mut artifacts = self.lock();
        artifacts.entry(id.clone()).or_insert_with(|| Artifact {
            id: id.clone(),
            bytes: content.bytes,
            about: content.about,
        });
        Ok(id)
    }

    async fn retrieve_artifact(&self, id: &ArtifactId) -> PortResult<Artifact> {
        self.script.enter("retrieve_artifact", id.as_str()).await?;
        let found = self.lock().get(id).cloned();
        let artifact = found.ok_or_else(|| PortError::not_found(format!("artifact {id}")))?;
        if id_of(&artifact.bytes) != *id {
            let message = format!("the stored bytes of {id} are damaged");
            return Err(PortError::failed(message));
        }
        Ok(artifact)
    }

    async fn contains_artifact(&self, id: &ArtifactId) -> PortResult<bool> {
        self.script.enter("contains_artifact", id.as_str()).await?;
        Ok(self.lock().contains_key(id))
    }

    async fn find_artifacts(&self, prefix: &str, limit: usize) -> PortResult<Vec<ArtifactSummary>> {
        self.script.enter("find_artifacts", prefix).await?;
        let prefix = format!("b3:{prefix}");
        let artifacts = self.lock();
        let found = artifacts
            .values()
            .filter(|artifact| artifact.id.as_str().starts_with(&prefix))
            .take(limit);
        Ok(found
            .map(|artifact| ArtifactSummary {
                id: artifact.id.clone(),
                size: artifact.bytes.len() as u64,
                about: artifact.about.clone(),
            })
            .collect())
    }
}
