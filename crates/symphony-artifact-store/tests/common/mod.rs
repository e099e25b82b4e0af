//! What the tests of this folder share.
#![allow(dead_code, clippy::unwrap_used, reason = "tests; each uses a part")]

use std::{
    fs,
    path::{Path, PathBuf},
};
use symphony_artifact_store::ArtifactStore;
use symphony_core_ports::{
    ArtifactContent, ArtifactId, ArtifactInfo, ArtifactStorage, Durability, PortResult,
};

pub fn open(folder: &Path) -> ArtifactStore {
    ArtifactStore::open(folder).unwrap()
}

/// Bytes that do not compress, different for each seed.
pub fn noise(seed: usize, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

pub fn id_of(bytes: &[u8]) -> ArtifactId {
    ArtifactId::from_blake3(*blake3::hash(bytes).as_bytes())
}

pub fn content(bytes: &[u8], durability: Durability) -> ArtifactContent {
    ArtifactContent {
        bytes: bytes.to_vec(),
        about: ArtifactInfo {
            media_type: "text/plain".to_owned(),
            title: format!("{} bytes", bytes.len()),
            labels: [("run".to_owned(), "0000000a".to_owned())].into(),
        },
        durability,
    }
}

pub async fn put(store: &ArtifactStore, bytes: &[u8]) -> ArtifactId {
    let stored = store
        .store_artifact(content(bytes, Durability::Group))
        .await;
    let id = stored.unwrap();
    assert_eq!(id, id_of(bytes));
    id
}

pub async fn get(store: &ArtifactStore, id: &ArtifactId) -> PortResult<Vec<u8>> {
    store
        .retrieve_artifact(id)
        .await
        .map(|artifact| artifact.bytes)
}

pub fn segment(folder: &Path, number: u32) -> PathBuf {
    folder.join("segments").join(format!("{number:08}.seg"))
}

pub fn object(folder: &Path, id: &ArtifactId) -> PathBuf {
    let hex = &id.as_str()[3..];
    folder.join("objects").join(&hex[..2]).join(&hex[2..])
}

/// What lies on disk at this moment, as a crash leaves it.
pub fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
