//! xi-editor through its port: start, one insert after the other, inserts in
//! parallel on several buffers, events, and coming back after a kill.

#[path = "../tests/processes/mod.rs"]
mod processes;

use processes::{SECOND, program, signal, supervisor};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use symphony_adapters::xi_editor::{XiEditorAdapter, XiEditorOptions};
use symphony_core_ports::{BufferId, OpenBuffer, TextEditingPort};

const INSERTS: usize = 10_000;
const STARTS: usize = 20;
const KILLS: usize = 6;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("runtime");
    // Calls are made on a worker, as in the host.
    runtime.block_on(async { tokio::spawn(all()).await.expect("bench") });
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e6;
    println!(
        "{name:<34} p50 {:9.1} µs   p99 {:9.1} µs",
        at(0.5),
        at(0.99)
    );
}

/// With journals in that folder, as the host has it.
async fn start(
    sessions: &std::path::Path,
) -> (Arc<XiEditorAdapter>, Arc<symphony_actors::Supervisor>) {
    let supervisor = supervisor();
    let options = XiEditorOptions {
        sessions: Some(sessions.to_owned()),
        ..XiEditorOptions::new(program("xi-editor", "xi-editor"))
    };
    let xi = XiEditorAdapter::start(&supervisor, options).await;
    (Arc::new(xi.expect("xi-editor")), supervisor)
}

async fn open(xi: &XiEditorAdapter, folder: &std::path::Path, name: &str) -> BufferId {
    let path = folder.join(name);
    std::fs::write(&path, "fn main() {}\n".repeat(100)).expect("write");
    let info = xi.open(OpenBuffer::File(path)).await;
    info.expect("open").id
}

/// From an insert being asked for until a subscriber has its event.
async fn events(xi: &XiEditorAdapter, id: BufferId) {
    let mut told = xi.subscribe(id);
    let mut times = Vec::new();
    for n in 0..INSERTS {
        let begun = Instant::now();
        let (inserted, event) = tokio::join!(xi.insert(id, n, "x"), told.recv());
        times.push(begun.elapsed());
        inserted.expect("insert");
        event.expect("event");
    }
    report("insert until its event is here", times);
}

async fn all() {
    let folder = tempfile::tempdir().expect("folder");
    let mut times = Vec::new();
    let sessions = folder.path().join("sessions");
    drop(start(&sessions).await);
    for _ in 0..STARTS {
        let supervisor = supervisor();
        let options = XiEditorOptions::new(program("xi-editor", "xi-editor"));
        let begun = Instant::now();
        let xi = XiEditorAdapter::start(&supervisor, options).await;
        times.push(begun.elapsed());
        drop(xi);
    }
    report("start of xi-editor until ready", times);

    let (xi, _supervisor) = start(&sessions).await;
    let id = open(&xi, folder.path(), "a.rs").await;
    let mut times = Vec::new();
    for n in 0..INSERTS {
        let begun = Instant::now();
        xi.insert(id, n, "x").await.expect("insert");
        times.push(begun.elapsed());
    }
    report("insert, one after the other", times);
    events(&xi, id).await;

    let mut ids = Vec::new();
    for n in 0..8 {
        ids.push(open(&xi, folder.path(), &format!("b{n}.rs")).await);
    }
    let begun = Instant::now();
    let tasks: Vec<_> = ids
        .iter()
        .map(|id| {
            let (xi, id) = (xi.clone(), *id);
            tokio::spawn(async move {
                for _ in 0..INSERTS / 8 {
                    xi.insert(id, 0, "x").await.expect("insert");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("task");
    }
    let rate = INSERTS as f64 / begun.elapsed().as_secs_f64();
    println!("inserts on 8 buffers at once         {rate:9.0} /s");

    let mut times = Vec::new();
    for _ in 0..KILLS {
        // Restarts that follow each other wait longer and longer; this measures a single one.
        tokio::time::sleep(5 * SECOND + SECOND / 5).await;
        let current = xi.actor().current().expect("running");
        let begun = Instant::now();
        signal(current.pid, "KILL");
        xi.insert(id, 0, "x").await.expect("insert");
        times.push(begun.elapsed());
    }
    report("kill -9 until the next insert is in", times);
}
