//! What the store promises, seen from outside.

mod common;

use common::{content, copy_all, get, id_of, noise, object, open, put, segment};
use proptest::prelude::*;
use std::{collections::BTreeSet, fs, sync::Arc};
use symphony_artifact_store::StoreError;
use symphony_core_ports::{ArtifactInfo, ArtifactStorage, Durability, PortError};

#[tokio::test]
async fn all_sizes_come_back_before_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let sizes = [
        0, 1, 63, 64, 16_384, 16_385, 65_536, 65_537, 300_000, 3_000_000,
    ];
    let mut contents: Vec<_> = sizes.iter().map(|size| noise(*size, *size)).collect();
    contents.extend(sizes.iter().map(|size| vec![b'a'; *size]));
    for (number, bytes) in contents.iter().enumerate() {
        let durability = [Durability::Buffered, Durability::Group, Durability::Sync][number % 3];
        let id = store
            .store_artifact(content(bytes, durability))
            .await
            .unwrap();
        assert_eq!(get(&store, &id).await.unwrap(), *bytes);
    }
    drop(store);
    let store = open(folder.path());
    for bytes in &contents {
        let artifact = store.retrieve_artifact(&id_of(bytes)).await.unwrap();
        assert_eq!(artifact.bytes, *bytes);
        assert_eq!(artifact.about, content(bytes, Durability::Group).about);
    }
    assert!(store.status().unwrap().damaged.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_bytes_at_once_are_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let bytes = noise(1, 50_000);
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let (store, mut content) = (store.clone(), content(&bytes, Durability::Group));
            content.about = ArtifactInfo {
                title: format!("{number}"),
                ..ArtifactInfo::default()
            };
            tokio::spawn(async move { store.store_artifact(content).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), id_of(&bytes));
    }
    let length = fs::metadata(segment(folder.path(), 1)).unwrap().len();
    assert!(length < 51_000, "{length}");
}

#[tokio::test]
async fn what_compresses_is_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let text = "a line that comes again and again\n".repeat(30_000);
    let id = put(&store, text.as_bytes()).await;
    assert!(
        !object(folder.path(), &id).exists(),
        "a megabyte of it fits a segment"
    );
    let length = fs::metadata(segment(folder.path(), 1)).unwrap().len();
    assert!(length < 20_000, "{length}");
    assert_eq!(get(&store, &id).await.unwrap(), text.as_bytes());
}

#[tokio::test]
async fn a_large_object_that_is_gone_is_told_and_can_be_stored_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let bytes = noise(1, 200_000);
    let id = put(&store, &bytes).await;
    let file = object(folder.path(), &id);
    fs::write(&file, &fs::read(&file).unwrap()[..1_000]).unwrap();
    // Stored again without being read in between.
    put(&store, &bytes).await;
    assert_eq!(get(&store, &id).await.unwrap(), bytes);
    fs::remove_file(&file).unwrap();
    let told = get(&store, &id).await;
    assert!(
        matches!(told, Err(PortError::OperationFailed { .. })),
        "{told:?}"
    );
    assert!(!store.contains_artifact(&id).await.unwrap());
    put(&store, &bytes).await;
    assert_eq!(get(&store, &id).await.unwrap(), bytes);
    drop(store);
    assert_eq!(get(&open(folder.path()), &id).await.unwrap(), bytes);
}

#[tokio::test]
async fn a_changed_byte_is_never_given_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for (number, size) in [(1, 5_000), (2, 200_000)] {
        let bytes = noise(number, size);
        let id = put(&store, &bytes).await;
        let file = if size > 100_000 {
            object(folder.path(), &id)
        } else {
            segment(folder.path(), 1)
        };
        let mut stored = fs::read(&file).unwrap();
        let last = stored.len() - 1;
        stored[last] ^= 1;
        fs::write(&file, stored).unwrap();
        let told = get(&store, &id).await;
        assert!(
            matches!(told, Err(PortError::OperationFailed { .. })),
            "{told:?}"
        );
        put(&store, &bytes).await;
        assert_eq!(get(&store, &id).await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn prefixes_find_in_order_and_up_to_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = BTreeSet::new();
    let store = open(folder.path());
    for number in 0..150 {
        ids.insert(put(&store, &noise(number, 10)).await);
    }
    // What is there by now is in the table, what follows in memory.
    drop(store);
    let store = open(folder.path());
    for number in 150..300 {
        ids.insert(put(&store, &noise(number, 10)).await);
    }
    for prefix in ["", "b3:", "0", "f", "ab", "B", "b3:7"] {
        let digits = prefix.trim_start_matches("b3:").to_lowercase();
        let expected: Vec<_> = ids
            .iter()
            .filter(|id| id.as_str()[3..].starts_with(&digits))
            .collect();
        let found = store.find_artifacts(prefix, 1_000).await.unwrap();
        assert_eq!(
            found.iter().map(|f| &f.id).collect::<Vec<_>>(),
            expected,
            "{prefix}"
        );
        let two = store.find_artifacts(prefix, 2).await.unwrap();
        assert_eq!(two, found[..found.len().min(2)]);
    }
    let one = ids.first().unwrap();
    let found = store.find_artifacts(one.as_str(), 5).await.unwrap();
    assert_eq!((found[0].id.clone(), found[0].size), (one.clone(), 10));
    for nothing in ["xyz", "é", &"0".repeat(65)] {
        assert!(store.find_artifacts(nothing, 5).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_second_owner_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let second = symphony_artifact_store::ArtifactStore::open(folder.path());
    assert!(matches!(second, Err(StoreError::Owner(_))));
    drop(first);
    open(folder.path());
}

#[tokio::test]
async fn a_full_segment_is_followed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    // 70 MiB that do not compress, just small enough for segments.
    let piece = |number: usize| noise(number, 64 * 1024);
    for number in 0..1_120 {
        let stored = store
            .store_artifact(content(&piece(number), Durability::Buffered))
            .await;
        stored.unwrap();
    }
    assert!(segment(folder.path(), 2).exists());
    let copy = tempfile::tempdir().unwrap();
    copy_all(folder.path(), copy.path());
    drop(store);
    for folder in [folder.path(), copy.path()] {
        let store = open(folder);
        for number in (0..1_120).step_by(37) {
            let bytes = piece(number);
            assert_eq!(get(&store, &id_of(&bytes)).await.unwrap(), bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any mixture of contents, durabilities and restarts.
    #[test]
    fn what_was_stored_is_there(
        steps in proptest::collection::vec((0..12_usize, 0..3_usize, proptest::bool::weighted(0.2)), 1..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let mut store = open(folder.path());
            let mut stored = BTreeSet::new();
            for (which, durability, restart) in steps {
                let bytes = noise(which, which * which * 700);
                let durability = [Durability::Buffered, Durability::Group, Durability::Sync][durability];
                let id = store.store_artifact(content(&bytes, durability)).await.unwrap();
                prop_assert_eq!(&id, &id_of(&bytes));
                stored.insert(which);
                if restart {
                    drop(store);
                    store = open(folder.path());
                }
                for which in &stored {
                    let bytes = noise(*which, which * which * 700);
                    prop_assert_eq!(get(&store, &id_of(&bytes)).await.unwrap(), bytes);
                }
            }
            let listed = store.find_artifacts("", 100).await.unwrap().len();
            prop_assert_eq!(listed, stored.len());
            Ok(())
        })?;
    }
}
