//! The contract of [`ArtifactStorage`].

use super::{expect_error, good, left_out, suite};
use async_trait::async_trait;
use std::sync::Arc;
use symphony_core_ports::{
    ArtifactContent, ArtifactId, ArtifactInfo, ArtifactStorage, Durability, PortError,
};

/// What the suite needs: a store without artifacts.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The implementation.
    fn port(&self) -> Arc<dyn ArtifactStorage>;

    /// Ends the store as a crash would and opens it again over the same
    /// storage; [`port`](Self::port) gives the new one from then on. `false`
    /// where that is not possible.
    async fn reopen(&self) -> bool {
        false
    }

    /// Changes the stored bytes of an artifact, as a bad disk does; `false`
    /// where that is not possible.
    async fn corrupt(&self, _id: &ArtifactId) -> bool {
        false
    }
}

suite! {
    "ArtifactStorage":
    what_was_stored_comes_back,
    the_id_is_the_hash,
    sizes_from_nothing_to_megabytes,
    every_durability_is_taken,
    equal_bytes_keep_the_first_description,
    unknown_is_not_found,
    finds_by_prefix,
    many_store_at_once,
    survives_a_crash,
    damage_is_told,
}

fn content(bytes: &[u8], title: &str) -> ArtifactContent {
    ArtifactContent {
        bytes: bytes.to_vec(),
        about: ArtifactInfo {
            media_type: "text/plain".into(),
            title: title.into(),
            labels: [("run".into(), "0000002a".into())].into(),
        },
        durability: Durability::default(),
    }
}

fn id_of(bytes: &[u8]) -> ArtifactId {
    ArtifactId::from_blake3(*blake3::hash(bytes).as_bytes())
}

/// Bytes that do not compress, different for each seed.
fn noise(seed: &str, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let mut hasher = blake3::Hasher::new();
    hasher.update(seed.as_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

async fn what_was_stored_comes_back(fixture: &impl Fixture) {
    let port = fixture.port();
    let content = content("märchen\0\r\n".as_bytes(), "a tale");
    let id = good(port.store_artifact(content.clone()).await);
    let artifact = good(port.retrieve_artifact(&id).await);
    assert_eq!(artifact.id, id);
    assert_eq!(artifact.bytes, content.bytes);
    assert_eq!(artifact.about, content.about);
    assert!(good(port.contains_artifact(&id).await));
}

async fn the_id_is_the_hash(fixture: &impl Fixture) {
    let port = fixture.port();
    for bytes in [b"".as_slice(), b"a", b"another"] {
        let id = good(port.store_artifact(content(bytes, "t")).await);
        assert_eq!(id, id_of(bytes));
    }
}

async fn sizes_from_nothing_to_megabytes(fixture: &impl Fixture) {
    let port = fixture.port();
    let sizes = [0, 1, 100, 4_096, 65_536, 65_537, 1 << 20, (3 << 20) + 17];
    let mut stored = Vec::new();
    for size in sizes {
        let bytes = noise("sizes", size);
        let id = good(port.store_artifact(content(&bytes, "noise")).await);
        stored.push((id, bytes));
        let zeros = vec![0; size];
        let id = good(port.store_artifact(content(&zeros, "zeros")).await);
        stored.push((id, zeros));
    }
    for (id, bytes) in stored {
        assert!(good(port.retrieve_artifact(&id).await).bytes == bytes);
        let digits = &id.as_str()["b3:".len()..];
        let found = good(port.find_artifacts(digits, 10).await);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].size, bytes.len() as u64);
    }
}

async fn every_durability_is_taken(fixture: &impl Fixture) {
    let port = fixture.port();
    for durability in [Durability::Buffered, Durability::Group, Durability::Sync] {
        let bytes = format!("{durability:?}").into_bytes();
        let mut content = content(&bytes, "t");
        content.durability = durability;
        let id = good(port.store_artifact(content).await);
        assert_eq!(good(port.retrieve_artifact(&id).await).bytes, bytes);
    }
}

async fn equal_bytes_keep_the_first_description(fixture: &impl Fixture) {
    let port = fixture.port();
    let first = good(port.store_artifact(content(b"same", "first")).await);
    let second = good(port.store_artifact(content(b"same", "second")).await);
    assert_eq!(first, second);
    let artifact = good(port.retrieve_artifact(&first).await);
    assert_eq!(artifact.about.title, "first");
    assert_eq!(good(port.find_artifacts("", 10).await).len(), 1);
}

async fn unknown_is_not_found(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = id_of(b"never stored");
    expect_error!(
        port.retrieve_artifact(&id).await,
        PortError::NotFound { .. }
    );
    assert!(!good(port.contains_artifact(&id).await));
    assert_eq!(good(port.find_artifacts("", 10).await), []);
}

async fn finds_by_prefix(fixture: &impl Fixture) {
    let port = fixture.port();
    let mut ids = Vec::new();
    for n in 0..40 {
        let stored = content(format!("artifact {n}").as_bytes(), &format!("title {n}"));
        ids.push(good(port.store_artifact(stored).await));
    }
    assert_eq!(good(port.find_artifacts("", 100).await).len(), 40);
    assert_eq!(good(port.find_artifacts("", 7).await).len(), 7);
    assert_eq!(good(port.find_artifacts("", 0).await), []);
    assert_eq!(good(port.find_artifacts("no digits", 10).await), []);
    for id in &ids {
        let digits = &id.as_str()["b3:".len()..];
        for length in [1, 3, 8, 64] {
            let prefix = &digits[..length];
            let mut found: Vec<_> = good(port.find_artifacts(prefix, 100).await)
                .into_iter()
                .map(|summary| summary.id)
                .collect();
            found.sort();
            let mut expected: Vec<_> = ids
                .iter()
                .filter(|id| id.as_str()["b3:".len()..].starts_with(prefix))
                .cloned()
                .collect();
            expected.sort();
            assert_eq!(found, expected, "prefix {prefix}");
        }
        let found = good(port.find_artifacts(digits, 1).await);
        assert_eq!(found[0].about.labels["run"], "0000002a");
    }
}

async fn many_store_at_once(fixture: &impl Fixture) {
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let port = fixture.port();
            tokio::spawn(async move {
                // Neighbours store the same bytes.
                let bytes = noise(&format!("at once {}", n / 2), 10_000);
                let id = good(port.store_artifact(content(&bytes, "t")).await);
                assert!(good(port.retrieve_artifact(&id).await).bytes == bytes);
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.is_ok());
    }
    assert_eq!(good(fixture.port().find_artifacts("", 100).await).len(), 8);
}

async fn survives_a_crash(fixture: &impl Fixture) {
    let port = fixture.port();
    let mut stored = Vec::new();
    for (n, durability) in [Durability::Group, Durability::Sync]
        .into_iter()
        .enumerate()
    {
        for size in [10, 100_000, 2_000_000] {
            let bytes = noise(&format!("crash {n}"), size);
            let mut content = content(&bytes, "kept");
            content.durability = durability;
            stored.push((good(port.store_artifact(content).await), bytes));
        }
    }
    drop(port);
    if !fixture.reopen().await {
        return left_out("reopening");
    }
    let port = fixture.port();
    for (id, bytes) in &stored {
        let artifact = good(port.retrieve_artifact(id).await);
        assert!(artifact.bytes == *bytes);
        assert_eq!(artifact.about.title, "kept");
    }
    assert_eq!(good(port.find_artifacts("", 100).await).len(), stored.len());
    good(port.store_artifact(content(b"after", "t")).await);
}

async fn damage_is_told(fixture: &impl Fixture) {
    let port = fixture.port();
    let bytes = noise("damage", 50_000);
    let id = good(port.store_artifact(content(&bytes, "t")).await);
    let other = good(port.store_artifact(content(b"whole", "t")).await);
    if !fixture.corrupt(&id).await {
        return left_out("damaging an artifact");
    }
    let port = fixture.port();
    expect_error!(
        port.retrieve_artifact(&id).await,
        PortError::OperationFailed { .. }
    );
    assert_eq!(good(port.retrieve_artifact(&other).await).bytes, b"whole");
}
