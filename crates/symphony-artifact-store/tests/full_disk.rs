//! A disk that takes no more: the system's own limit on files stands in for it.
#![cfg(unix)]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test has a process of its own"
)]

mod common;

use common::{content, get, id_of, noise, open, put};
use std::{path::PathBuf, process::Command};
use symphony_core_ports::{ArtifactStorage, Durability, PortError};

const FOLDER: &str = "SYMPHONY_TEST_FULL_DISK";

/// Runs `inner` of this file in a process whose files may have 2 MiB.
#[tokio::test]
async fn a_full_disk_leaves_the_store_consistent() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"trap "" XFSZ; ulimit -f 4096 && exec "$0" --exact inner --ignored --nocapture"#;
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let acknowledged: usize = told
        .lines()
        .find_map(|line| line.strip_prefix("acknowledged "))
        .unwrap()
        .parse()
        .unwrap();
    assert!(acknowledged > 10, "{acknowledged}");
    let store = open(folder.path());
    assert!(store.status().unwrap().damaged.is_empty());
    for number in 0..acknowledged {
        let bytes = noise(number, 50_000);
        assert_eq!(get(&store, &id_of(&bytes)).await.unwrap(), bytes);
    }
    let refused = noise(acknowledged, 50_000);
    assert!(!store.contains_artifact(&id_of(&refused)).await.unwrap());
    put(&store, &refused).await;
    assert_eq!(get(&store, &id_of(&refused)).await.unwrap(), refused);
}

#[tokio::test]
#[ignore = "part of the test above, in a process of its own"]
async fn inner() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let store = open(&folder);
    let too_large = store
        .store_artifact(content(&noise(7, 3_000_000), Durability::Group))
        .await;
    assert!(
        matches!(too_large, Err(PortError::Exhausted { .. })),
        "{too_large:?}"
    );
    for number in 0..1_000 {
        match store
            .store_artifact(content(&noise(number, 50_000), Durability::Group))
            .await
        {
            Ok(_) => {}
            Err(error) => {
                assert!(matches!(error, PortError::Exhausted { .. }), "{error:?}");
                // What is there can still be read.
                assert!(get(&store, &id_of(&noise(0, 50_000))).await.is_ok());
                println!("\nacknowledged {number}");
                return;
            }
        }
    }
    panic!("the limit was never reached");
}
