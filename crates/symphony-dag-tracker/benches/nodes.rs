//! What a node costs, in memory and durably, and what reading a run back costs.
//! `cargo bench -p symphony-dag-tracker --bench nodes`
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]

use async_trait::async_trait;
use std::{
    error::Error,
    fs::File,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use symphony_core_ports::{
    ArtifactId, DagNode, DagTracking, NewRun, NodeExecutor, NodeOutput, PortResult, RunId, Usage,
};
use symphony_dag_tracker::DagTracker;

const NODES: usize = 10_000;
const AT_ONCE: usize = 256;

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Nothing(ArtifactId);

#[async_trait]
impl NodeExecutor for Nothing {
    async fn execute(&self, _: &DagNode) -> PortResult<NodeOutput> {
        Ok(NodeOutput {
            output: self.0.clone(),
            usage: Usage::default(),
            attempts: 1,
            duration: Duration::from_micros(5),
        })
    }
}

fn executor() -> Nothing {
    Nothing(ArtifactId::from_blake3([7; 32]))
}

fn node(run: &str, number: usize) -> DagNode {
    DagNode {
        id: format!("describe[{number}]").as_str().into(),
        player: "instrument/local-model".to_owned(),
        label: format!("src/cart.py: Cart.total {number}"),
        cache_key: Some(format!("{run}/{number}").as_str().into()),
        idempotency_key: format!("{run}/describe[{number}]"),
    }
}

async fn begin(tracker: &DagTracker, run: &str) -> Outcome<RunId> {
    let new = NewRun {
        id: run.into(),
        melody: "document".to_owned(),
        plan: ArtifactId::from_blake3([1; 32]),
        started: SystemTime::UNIX_EPOCH,
    };
    tracker.begin_run(new).await?;
    Ok(run.into())
}

/// Microseconds a node, one after the other.
async fn in_turn(tracker: &DagTracker, run: &str, count: usize) -> Outcome<f64> {
    let id = begin(tracker, run).await?;
    let nodes: Vec<_> = (0..count).map(|number| node(run, number)).collect();
    let executor = executor();
    let start = Instant::now();
    for node in nodes {
        tracker.execute_dag_node(&id, node, &executor).await?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / count as f64)
}

/// Microseconds a node, `AT_ONCE` at a time.
async fn together(tracker: &Arc<DagTracker>, run: &str) -> Outcome<f64> {
    let id = begin(tracker, run).await?;
    let start = Instant::now();
    let mut workers = Vec::new();
    for worker in 0..AT_ONCE {
        let (tracker, id, run) = (Arc::clone(tracker), id.clone(), run.to_owned());
        workers.push(tokio::spawn(async move {
            let executor = executor();
            for number in (worker..NODES).step_by(AT_ONCE) {
                let node = node(&run, number);
                tracker.execute_dag_node(&id, node, &executor).await?;
            }
            PortResult::Ok(())
        }));
    }
    for worker in workers {
        worker.await??;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / NODES as f64)
}

/// Median of the disk's own append and fdatasync, in microseconds.
fn floor(folder: &Path) -> Outcome<f64> {
    let mut file = File::create(folder.join("floor"))?;
    let mut times = Vec::new();
    for _ in 0..100 {
        file.write_all(&[0; 400])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

async fn bench() -> Outcome<()> {
    let memory = DagTracker::in_memory();
    in_turn(&memory, "warm", 2_000).await?;
    let us = in_turn(&memory, "0000000a", NODES).await?;
    println!("in memory, one after the other          {us:9.2} us a node");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    println!(
        "the disk's fdatasync, median            {:9.0} us",
        floor(folder.path())?
    );
    let tracker = Arc::new(DagTracker::open(folder.path())?);
    let us = in_turn(&tracker, "0000000b", 300).await?;
    println!("durable, one after the other            {us:9.0} us a node");
    for run in ["0000000c", "0000000d", "0000000e"] {
        let us = together(&tracker, run).await?;
        println!("durable, {AT_ONCE} at a time                  {us:9.1} us a node");
    }
    println!(
        "the disk's fdatasync, median            {:9.0} us",
        floor(folder.path())?
    );
    drop(tracker);
    for _ in 0..3 {
        let start = Instant::now();
        let tracker = DagTracker::open(folder.path())?;
        let opened = start.elapsed();
        let start = Instant::now();
        let record = tracker.run(&"0000000d".into()).await?;
        println!(
            "recovery of a run of {} nodes          {:9.1} ms, after {:.1} ms for a cache of {} keys",
            record.nodes.len(),
            start.elapsed().as_secs_f64() * 1e3,
            opened.as_secs_f64() * 1e3,
            3 * NODES + 300,
        );
    }
    Ok(())
}

fn main() -> Outcome<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(bench())
}
