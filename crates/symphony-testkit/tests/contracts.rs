//! The mocks pass the contract suites.

#![allow(clippy::unwrap_used, reason = "a test may")]

use async_trait::async_trait;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use symphony_core_ports::{
    ArtifactId, ArtifactStorage, Collection, ConductorPort, DagTracking, DataPort,
    ExtensionManifest, ExtensionPort, ModelPool, RecordKey, TextEditingPort,
};
use symphony_testkit::{
    MockArbitration, MockArtifactStorage, MockConductorAdapter, MockDagTracking, MockDataAdapter,
    MockExtensionAdapter, MockModelPool, MockPitAdapter, MockStaleness, MockTextEditingAdapter,
    SequentialIds, SimulatedClock,
    contract::{self, extension::Behaviour},
    manifest,
};

struct Text(MockTextEditingAdapter);

#[async_trait]
impl contract::text_editing::Fixture for Text {
    fn port(&self) -> Arc<dyn TextEditingPort> {
        Arc::new(self.0.clone())
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new("/project").join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        self.0.write_file(self.path(name), bytes);
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.0.file(self.path(name))
    }

    fn delete(&self, name: &str) {
        self.0.delete_file(self.path(name));
    }

    fn make_read_only(&self, name: &str) -> bool {
        self.0.set_read_only(self.path(name), true);
        true
    }

    fn make_too_large(&self, name: &str) -> bool {
        self.0.set_max_file_bytes(1_000);
        self.write(name, &[b'x'; 1_001]);
        true
    }
}

#[tokio::test]
async fn text_editing() {
    contract::text_editing::run(async || Text(MockTextEditingAdapter::new())).await;
}

struct Extensions {
    mock: MockExtensionAdapter,
    clock: SimulatedClock,
}

#[async_trait]
impl contract::extension::Fixture for Extensions {
    fn port(&self) -> Arc<dyn ExtensionPort> {
        Arc::new(self.mock.clone())
    }

    fn manifest(&self, behaviour: Behaviour) -> ExtensionManifest {
        contract::extension::install(&self.mock, behaviour)
    }

    fn ungranted(&self) -> Option<ExtensionManifest> {
        let manifest = manifest::operator("greedy").permission("filesystem.write:project");
        let manifest = manifest.build();
        self.mock.deny(manifest.permissions[0].clone());
        Some(manifest)
    }

    async fn pass(&self, duration: Duration) {
        self.clock.pass(duration).await;
    }
}

#[tokio::test]
async fn extensions() {
    contract::extension::run(async || {
        let clock = SimulatedClock::new();
        let mock = MockExtensionAdapter::with_clock(clock.clone());
        Extensions { mock, clock }
    })
    .await;
}

struct Pool {
    port: Arc<dyn ModelPool>,
    clock: SimulatedClock,
}

#[async_trait]
impl contract::pool::Fixture for Pool {
    fn port(&self) -> Arc<dyn ModelPool> {
        Arc::clone(&self.port)
    }

    async fn pass(&self, duration: Duration) {
        self.clock.pass(duration).await;
    }
}

#[tokio::test]
async fn pool() {
    contract::pool::run(async || {
        let clock = SimulatedClock::new();
        let port = Arc::new(MockModelPool::with_clock(clock.clone()));
        Pool { port, clock }
    })
    .await;
}

struct Dag(Mutex<MockDagTracking>);

#[async_trait]
impl contract::dag::Fixture for Dag {
    fn port(&self) -> Arc<dyn DagTracking> {
        Arc::new(self.0.lock().unwrap().clone())
    }

    async fn reopen(&self) -> bool {
        let mut mock = self.0.lock().unwrap();
        *mock = mock.restarted();
        true
    }
}

#[tokio::test]
async fn dag() {
    contract::dag::run(async || Dag(Mutex::new(MockDagTracking::new()))).await;
}

struct Artifacts(Mutex<MockArtifactStorage>);

#[async_trait]
impl contract::artifacts::Fixture for Artifacts {
    fn port(&self) -> Arc<dyn ArtifactStorage> {
        Arc::new(self.0.lock().unwrap().clone())
    }

    async fn reopen(&self) -> bool {
        let mut mock = self.0.lock().unwrap();
        *mock = mock.restarted();
        true
    }

    async fn corrupt(&self, id: &ArtifactId) -> bool {
        self.0.lock().unwrap().corrupt(id);
        true
    }
}

#[tokio::test]
async fn artifacts() {
    contract::artifacts::run(async || Artifacts(Mutex::new(MockArtifactStorage::new()))).await;
}

/// The sum of the five passes what its members pass.
struct Pit(Mutex<MockPitAdapter>);

impl Pit {
    fn mock(&self) -> MockPitAdapter {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl contract::dag::Fixture for Pit {
    fn port(&self) -> Arc<dyn DagTracking> {
        Arc::new(self.mock())
    }

    async fn reopen(&self) -> bool {
        let mut mock = self.0.lock().unwrap();
        *mock = mock.restarted();
        true
    }
}

#[async_trait]
impl contract::artifacts::Fixture for Pit {
    fn port(&self) -> Arc<dyn ArtifactStorage> {
        Arc::new(self.mock())
    }
}

#[async_trait]
impl contract::pool::Fixture for Pit {
    fn port(&self) -> Arc<dyn ModelPool> {
        Arc::new(self.mock())
    }

    async fn pass(&self, duration: Duration) {
        self.mock().pool.script().clock().pass(duration).await;
    }
}

#[tokio::test]
async fn pit() {
    let make = async || Pit(Mutex::new(MockPitAdapter::new()));
    contract::dag::run(make).await;
    contract::artifacts::run(make).await;
    contract::pool::run(make).await;
    contract::judge::run_arbitration(Arc::new(MockPitAdapter::new())).await;
    contract::judge::run_staleness(Arc::new(MockPitAdapter::new())).await;
}

#[tokio::test]
async fn judges() {
    contract::judge::run_arbitration(Arc::new(MockArbitration::new())).await;
    contract::judge::run_staleness(Arc::new(MockStaleness::new())).await;
}

struct Data(MockDataAdapter);

#[async_trait]
impl contract::data::Fixture for Data {
    fn port(&self) -> Arc<dyn DataPort> {
        Arc::new(self.0.clone())
    }

    async fn reopen(&self) -> bool {
        true
    }

    async fn damage(&self, collection: &Collection, key: &RecordKey) -> bool {
        self.0.damage(collection, key);
        true
    }
}

#[tokio::test]
async fn data() {
    contract::data::run(async || Data(MockDataAdapter::new())).await;
}

struct Conductor(MockConductorAdapter);

impl contract::conductor::Fixture for Conductor {
    fn port(&self) -> Arc<dyn ConductorPort> {
        Arc::new(self.0.clone())
    }
}

#[tokio::test]
async fn conductor() {
    contract::conductor::run(async || Conductor(MockConductorAdapter::new())).await;
}

#[tokio::test]
async fn environment() {
    let clock = SimulatedClock::new().auto_advance();
    contract::environment::run_clock(Arc::new(clock)).await;
    contract::environment::run_ids(Arc::new(SequentialIds::new())).await;
}
