//! The local adapters against the contracts of their ports.
#![allow(clippy::unwrap_used, reason = "tests")]

use async_trait::async_trait;
use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use sy_commons::framed::{Frames, HEADER_LEN, Piece};
use symphony_adapters::{
    conductor::RuleConductor,
    data::LocalDataAdapter,
    environment::{RandomIds, SystemClock},
    pit::PitAdapter,
};
use symphony_core_ports::{
    ArtifactId, ArtifactStorage, Collection, ConductorPort, DagTracking, DataPort, ModelPool,
    PitPort, RecordKey,
};
use symphony_testkit::contract;
use tempfile::TempDir;

/// A Pit on a folder of its own.
struct Pit(Mutex<(TempDir, Arc<PitAdapter>)>);

fn open(folder: &Path) -> Arc<PitAdapter> {
    Arc::new(PitAdapter::open(folder, Arc::new(SystemClock)).unwrap())
}

impl Pit {
    async fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pit = open(folder.path());
        Self(Mutex::new((folder, pit)))
    }

    fn pit(&self) -> Arc<PitAdapter> {
        self.0.lock().unwrap().1.clone()
    }

    /// Goes on with what lies on disk at this moment: nothing is closed, nothing is flushed.
    async fn crash(&self) -> bool {
        // A record that nobody waits for may be on its way.
        tokio::time::sleep(Duration::from_millis(30)).await;
        let copy = tempfile::tempdir().unwrap();
        copy_all(self.0.lock().unwrap().0.path(), copy.path());
        let pit = open(copy.path());
        *self.0.lock().unwrap() = (copy, pit);
        true
    }
}

fn copy_all(from: &Path, to: &Path) {
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

/// Changes every byte of a file but the first `keep`.
fn spoil(path: &Path, keep: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes.iter_mut().skip(keep).for_each(|byte| *byte ^= 0x55);
    fs::write(path, bytes).unwrap();
}

/// Changes the last stored byte of an artifact that lies in a segment.
fn spoil_record(segment: &Path, hex: &str) {
    let mut bytes = fs::read(segment).unwrap();
    let last = Frames::new(&bytes, HEADER_LEN).find_map(|piece| {
        let Piece::Record { payload } = piece else {
            return None;
        };
        let hash = &bytes[payload.start + 3..payload.start + 35];
        let named: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        (named == hex).then_some(payload.end - 1)
    });
    bytes[last.unwrap()] ^= 0x55;
    fs::write(segment, bytes).unwrap();
}

#[async_trait]
impl contract::dag::Fixture for Pit {
    fn port(&self) -> Arc<dyn DagTracking> {
        self.pit()
    }

    async fn reopen(&self) -> bool {
        self.crash().await
    }
}

#[async_trait]
impl contract::pool::Fixture for Pit {
    fn port(&self) -> Arc<dyn ModelPool> {
        self.pit()
    }
}

#[async_trait]
impl contract::artifacts::Fixture for Pit {
    fn port(&self) -> Arc<dyn ArtifactStorage> {
        self.pit()
    }

    async fn reopen(&self) -> bool {
        self.crash().await
    }

    async fn corrupt(&self, id: &ArtifactId) -> bool {
        let folder = self.0.lock().unwrap().0.path().join("artifacts");
        let hex = &id.as_str()[3..];
        let object = folder.join("objects").join(&hex[..2]).join(&hex[2..]);
        if object.exists() {
            spoil(&object, 16);
        } else {
            spoil_record(&folder.join("segments/00000001.seg"), hex);
        }
        true
    }
}

struct Data(TempDir, Mutex<Arc<LocalDataAdapter>>);

impl Data {
    fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = Arc::new(LocalDataAdapter::open(folder.path()).unwrap());
        Self(folder, Mutex::new(data))
    }
}

#[async_trait]
impl contract::data::Fixture for Data {
    fn port(&self) -> Arc<dyn DataPort> {
        self.1.lock().unwrap().clone()
    }

    async fn reopen(&self) -> bool {
        *self.1.lock().unwrap() = Arc::new(LocalDataAdapter::open(self.0.path()).unwrap());
        true
    }

    async fn damage(&self, collection: &Collection, key: &RecordKey) -> bool {
        let path = self.0.path().join(collection.as_str());
        spoil(&path.join(format!("{key}.json")), 3);
        true
    }
}

struct Conductor(Data);

impl contract::conductor::Fixture for Conductor {
    fn port(&self) -> Arc<dyn ConductorPort> {
        let data = self.0.1.lock().unwrap().clone();
        Arc::new(RuleConductor::new(data, Arc::new(SystemClock)))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dag_tracking() {
    contract::dag::run(Pit::fresh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn artifact_storage() {
    contract::artifacts::run(Pit::fresh).await;
}

#[tokio::test]
async fn model_pool() {
    contract::pool::run(Pit::fresh).await;
}

#[tokio::test]
async fn arbitration_and_staleness() {
    let fixture = Pit::fresh().await;
    contract::judge::run_arbitration(fixture.pit()).await;
    contract::judge::run_staleness(fixture.pit()).await;
}

#[tokio::test]
async fn data() {
    contract::data::run(async || Data::fresh()).await;
}

#[tokio::test]
async fn rule_conductor() {
    contract::conductor::run(async || Conductor(Data::fresh())).await;
}

#[tokio::test]
async fn clock_and_ids() {
    contract::environment::run_clock(Arc::new(SystemClock)).await;
    contract::environment::run_ids(Arc::new(RandomIds)).await;
}

#[tokio::test]
async fn calls_are_counted() {
    let fixture = Pit::fresh().await;
    let pit = fixture.pit();
    let whole: Arc<dyn PitPort> = pit.clone();
    assert!(whole.runs().await.unwrap().is_empty());
    assert!(whole.run(&"ffffffff".into()).await.is_err());
    let metrics = pit.metrics();
    let of = |name| metrics.iter().find(|m| m.operation == name).unwrap();
    assert_eq!((of("runs").calls, of("runs").errors), (1, 0));
    assert_eq!((of("run").calls, of("run").errors), (1, 1));
    assert!(of("runs").slowest >= of("runs").mean);
    assert_eq!(of("stale").calls, 0);
}

#[tokio::test]
async fn a_second_owner_is_refused() {
    let fixture = Pit::fresh().await;
    let folder = fixture.0.lock().unwrap().0.path().to_owned();
    let second = PitAdapter::open(&folder, Arc::new(SystemClock))
        .err()
        .unwrap();
    let told = second.to_string();
    assert!(
        told.contains(&format!("in use by process {}", std::process::id())),
        "{told}"
    );
    drop(fixture);
}
