//! What the tests with real processes share.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "test code")]

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use symphony_actors::{
    ActorEvent, ActorHandle, ActorSpec, EventKind, Heartbeat, Incarnation, NoBehaviour, Supervisor,
    SupervisorOptions,
};
use tokio::sync::broadcast::Receiver;

pub const SECOND: Duration = Duration::from_secs(1);

/// The extension runner in this test's own target folder; built, so that it is
/// not an old one, unless whoever runs the tests has built it.
pub fn runner() -> PathBuf {
    static RUNNER: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let own = std::env::current_exe().unwrap();
        let folder = own.ancestors().nth(2).unwrap();
        let runner = folder.join("symphony-extension-runner");
        if std::env::var_os("SYMPHONY_PROGRAMS_BUILT").is_some() && runner.exists() {
            return runner;
        }
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "-q", "-p", "symphony-sandbox", "--bins"]);
        build.arg("--target-dir").arg(folder.parent().unwrap());
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success());
        runner
    };
    RUNNER.get_or_init(build).clone()
}

pub fn supervisor() -> Supervisor {
    Supervisor::start(SupervisorOptions { runner: runner() }).unwrap()
}

/// The scripted child in one of its modes.
pub fn child(mode: &str) -> ActorSpec {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/child.py");
    let mut spec = ActorSpec::new("child", "python3");
    spec.args = vec![script.into(), mode.into()];
    spec.heartbeat = Some(Heartbeat::tight());
    spec
}

pub async fn ready(handle: &ActorHandle) -> Incarnation {
    handle.ready(10 * SECOND).await.unwrap()
}

pub async fn started(supervisor: &Supervisor, mode: &str) -> (ActorHandle, Incarnation) {
    let handle = supervisor
        .spawn(child(mode), Arc::new(NoBehaviour))
        .unwrap();
    let incarnation = ready(&handle).await;
    (handle, incarnation)
}

/// The first event that `pick` accepts.
pub async fn event<T>(
    events: &mut Receiver<ActorEvent>,
    mut pick: impl FnMut(EventKind) -> Option<T>,
) -> T {
    let wait = async {
        loop {
            if let Some(found) = pick(events.recv().await.unwrap().kind) {
                return found;
            }
        }
    };
    tokio::time::timeout(10 * SECOND, wait)
        .await
        .expect("the event comes")
}

/// Whether a process runs; a zombie does not.
pub fn runs(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat[stat.rfind(')').unwrap()..].starts_with(") Z"))
}

/// Whether the process ends within the time.
pub fn gone_within(pid: u32, limit: Duration) -> bool {
    let started = Instant::now();
    while runs(pid) {
        if started.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}
