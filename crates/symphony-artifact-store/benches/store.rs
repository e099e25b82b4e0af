//! Storing and reading 64 KiB by durability, beside the disk's own sync.
//! `cargo bench -p symphony-artifact-store --bench store`
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]

use std::{error::Error, fs::File, io::Write, path::Path, sync::Arc, time::Instant};
use symphony_artifact_store::ArtifactStore;
use symphony_core_ports::{ArtifactContent, ArtifactInfo, ArtifactStorage, Durability};

const SIZE: usize = 64 * 1024;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Text as programs are: words that come again, with numbers between them.
fn text(seed: usize) -> Vec<u8> {
    let mut text = String::with_capacity(SIZE + 80);
    let mut state = seed as u64 + 1;
    while text.len() < SIZE {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let word = ["total", "cart", "price", "item", "return", "self"][(state >> 33) as usize % 6];
        text.push_str(&format!(
            "    let {word}_{} = self.{word}.get({seed});\n",
            state >> 50
        ));
    }
    text.truncate(SIZE);
    text.into_bytes()
}

/// Bytes that do not compress.
fn noise(seed: usize) -> Vec<u8> {
    let mut bytes = vec![0; SIZE];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

fn content(bytes: Vec<u8>, durability: Durability) -> ArtifactContent {
    ArtifactContent {
        bytes,
        about: ArtifactInfo {
            media_type: "text/plain".to_owned(),
            title: "output of describe[7]".to_owned(),
            ..ArtifactInfo::default()
        },
        durability,
    }
}

fn show(what: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize] * 1e3;
    println!(
        "{what:<46} p50 {:7.3} ms   p99 {:7.3} ms",
        at(0.5),
        at(0.99)
    );
}

fn floor(folder: &Path) -> Outcome<()> {
    let mut file = File::create(folder.join("floor"))?;
    let mut times = Vec::new();
    for _ in 0..100 {
        file.write_all(&vec![7; SIZE])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64());
    }
    show("the disk's fdatasync after 64 KiB", &mut times);
    Ok(())
}

async fn bench() -> Outcome<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    floor(folder.path())?;
    let store = Arc::new(ArtifactStore::open(folder.path())?);
    let mut ids = Vec::new();
    let mut seed = 0;
    for (make, kind) in [(text as fn(usize) -> Vec<u8>, "text"), (noise, "noise")] {
        for (durability, count) in [
            (Durability::Buffered, 400),
            (Durability::Group, 200),
            (Durability::Sync, 100),
        ] {
            let mut times = Vec::new();
            for _ in 0..count {
                seed += 1;
                let content = content(make(seed), durability);
                let start = Instant::now();
                let id = store.store_artifact(content).await?;
                times.push(start.elapsed().as_secs_f64());
                ids.push(id);
            }
            show(
                &format!("store 64 KiB of {kind}, {durability:?}, one at a time"),
                &mut times,
            );
        }
    }
    let start = Instant::now();
    let mut tasks = Vec::new();
    for worker in 0..64 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            for number in 0..20 {
                let bytes = text(1_000_000 + worker * 100 + number);
                let stored = store
                    .store_artifact(content(bytes, Durability::Group))
                    .await;
                stored?;
            }
            symphony_core_ports::PortResult::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let each = start.elapsed().as_secs_f64() * 1e3 / (64.0 * 20.0);
    println!(
        "store 64 KiB of text, Group, 64 at a time      {each:11.3} ms each, making the text included"
    );
    let mut times = Vec::new();
    for id in ids.iter().cycle().step_by(7).take(2_000) {
        let start = Instant::now();
        store.retrieve_artifact(id).await?;
        times.push(start.elapsed().as_secs_f64());
    }
    show("retrieve and verify 64 KiB", &mut times);
    floor(folder.path())
}

fn main() -> Outcome<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(bench())
}
