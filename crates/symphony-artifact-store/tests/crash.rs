//! What is left after a crash: segments cut at every byte, damage, a lost or late index.

mod common;

use common::{content, copy_all, get, id_of, noise, object, open, put, segment};
use std::fs;
use symphony_artifact_store::StoreError;
use symphony_core_ports::{ArtifactStorage, Durability, PortError};

#[tokio::test]
async fn a_segment_cut_anywhere_keeps_what_was_acknowledged_before() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    // It covers nothing, as if it was never committed since.
    let index = fs::read(folder.path().join("index.redb")).unwrap();
    let store = open(folder.path());
    let mut ends = Vec::new();
    for number in 0..4 {
        put(&store, &noise(number, 8)).await;
        ends.push(fs::metadata(segment(folder.path(), 1)).unwrap().len());
    }
    drop(store);
    let whole = fs::read(segment(folder.path(), 1)).unwrap();
    let last = usize::try_from(ends[2]).unwrap();
    // Every byte of the last record, and some of those before.
    for cut in (0..last).step_by(37).chain(last - 2..=whole.len()) {
        fs::write(folder.path().join("index.redb"), &index).unwrap();
        fs::write(segment(folder.path(), 1), &whole[..cut]).unwrap();
        let acknowledged = ends.iter().filter(|end| **end <= cut as u64).count();
        let store = open(folder.path());
        for number in 0..4 {
            let bytes = noise(number, 8);
            let there = store.contains_artifact(&id_of(&bytes)).await.unwrap();
            assert_eq!(there, number < acknowledged, "{number}, cut at {cut}");
            if there {
                assert_eq!(get(&store, &id_of(&bytes)).await.unwrap(), bytes);
            }
        }
        assert!(store.status().unwrap().damaged.is_empty());
        // It goes on behind what was cut off.
        put(&store, &noise(99, 8)).await;
    }
}

#[tokio::test]
async fn damage_in_the_middle_is_told_and_hurts_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut ends = vec![16];
    for number in 0..4 {
        put(&store, &noise(number, 40)).await;
        ends.push(fs::metadata(segment(folder.path(), 1)).unwrap().len());
    }
    drop(store);
    let whole = fs::read(segment(folder.path(), 1)).unwrap();
    for at in (usize::try_from(ends[1]).unwrap()..usize::try_from(ends[2]).unwrap()).step_by(11) {
        let mut damaged = whole.clone();
        damaged[at] ^= 4;
        fs::write(segment(folder.path(), 1), damaged).unwrap();
        let _ = fs::remove_file(folder.path().join("index.redb"));
        let store = open(folder.path());
        let status = store.status().unwrap();
        assert_eq!(status.damaged.len(), 1, "byte {at}");
        assert_eq!(status.damaged[0].offset, ends[1]);
        for number in [0, 2, 3] {
            assert!(get(&store, &id_of(&noise(number, 40))).await.is_ok());
        }
        let lost = noise(1, 40);
        let told = get(&store, &id_of(&lost)).await;
        assert!(matches!(told, Err(PortError::NotFound { .. })), "{told:?}");
        put(&store, &lost).await;
        assert_eq!(get(&store, &id_of(&lost)).await.unwrap(), lost);
    }
}

#[tokio::test]
async fn the_index_is_caught_up_built_anew_and_never_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for number in 0..50 {
        put(&store, &noise(number, 100)).await;
    }
    drop(store);
    let index = folder.path().join("index.redb");
    let early = fs::read(&index).unwrap();
    let early_segment = fs::read(segment(folder.path(), 1)).unwrap();
    let store = open(folder.path());
    for number in 50..100 {
        put(&store, &noise(number, 100)).await;
    }
    put(&store, &noise(100, 100_000)).await;
    drop(store);
    let late = fs::read(&index).unwrap();
    let expect = async |present: usize, what: &str| {
        let store = open(folder.path());
        let found = store.find_artifacts("", 1_000).await.unwrap();
        assert_eq!(found.len(), present, "{what}");
        for artifact in found {
            get(&store, &artifact.id).await.unwrap();
        }
    };
    expect(101, "as it was closed").await;
    fs::write(&index, early).unwrap();
    expect(101, "an index that is late").await;
    fs::remove_file(&index).unwrap();
    expect(101, "no index").await;
    fs::write(&index, b"not a database").unwrap();
    expect(101, "an index that is none").await;
    fs::write(segment(folder.path(), 1), early_segment).unwrap();
    fs::write(&index, late).unwrap();
    expect(50, "an index ahead of the segments").await;
}

#[tokio::test]
async fn a_crash_while_in_use_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut stored = Vec::new();
    // More than wait for a commit of the index.
    for number in 0..2_500 {
        let bytes = noise(number, 30);
        let stored_now = store
            .store_artifact(content(&bytes, Durability::Buffered))
            .await;
        stored.push(stored_now.unwrap());
    }
    put(&store, &noise(1, 150_000)).await;
    let crashed = tempfile::tempdir().unwrap();
    copy_all(folder.path(), crashed.path());
    let after = open(crashed.path());
    for id in stored {
        get(&after, &id).await.unwrap();
    }
    assert_eq!(
        get(&after, &id_of(&noise(1, 150_000))).await.unwrap().len(),
        150_000
    );
    assert_eq!(after.status().unwrap().artifacts, 2_501);
}

#[tokio::test]
async fn a_buffered_object_lost_by_a_crash_is_not_there_and_can_be_stored_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let bytes = noise(1, 150_000);
    let id = store
        .store_artifact(content(&bytes, Durability::Buffered))
        .await
        .unwrap();
    let crashed = tempfile::tempdir().unwrap();
    copy_all(folder.path(), crashed.path());
    // The segment's record reached the disk, the object's file only in part.
    let file = object(crashed.path(), &id);
    fs::write(&file, &fs::read(&file).unwrap()[..100]).unwrap();
    let after = open(crashed.path());
    assert!(!after.contains_artifact(&id).await.unwrap());
    put(&after, &bytes).await;
    assert_eq!(get(&after, &id).await.unwrap(), bytes);
}

#[tokio::test]
async fn what_was_half_written_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let left = folder.path().join("tmp").join("17");
    fs::write(&left, b"half").unwrap();
    drop(open(folder.path()));
    assert!(!left.exists());
}

#[tokio::test]
async fn a_segment_of_a_newer_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    fs::remove_file(folder.path().join("index.redb")).unwrap();
    let newer = sy_commons::framed::header(*b"symseg\r\n", 99);
    fs::write(segment(folder.path(), 1), [&newer[..], b"more"].concat()).unwrap();
    let refused = symphony_artifact_store::ArtifactStore::open(folder.path());
    assert!(matches!(refused, Err(StoreError::Header { .. })));
}
