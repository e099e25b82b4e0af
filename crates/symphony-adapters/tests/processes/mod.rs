//! What the tests with real processes share.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "test code")]

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use symphony_actors::{Supervisor, SupervisorOptions};

pub const SECOND: Duration = Duration::from_secs(1);

/// A program of the workspace, in this test's own target folder; built, so that it
/// is not an old one, unless whoever runs the tests has built it.
pub fn program(package: &str, name: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(path) = built.get(name) {
        return path.clone();
    }
    let own = std::env::current_exe().unwrap();
    let folder = own.ancestors().find(|a| a.join("deps").is_dir()).unwrap();
    if std::env::var_os("SYMPHONY_PROGRAMS_BUILT").is_some() && folder.join(name).exists() {
        return folder.join(name);
    }
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "-q", "-p", package, "--bin", name]);
    build.arg("--target-dir").arg(folder.parent().unwrap());
    if folder.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
    let path = folder.join(name);
    built.insert(name.to_owned(), path.clone());
    path
}

pub fn supervisor() -> Arc<Supervisor> {
    let runner = program("symphony-sandbox", "symphony-extension-runner");
    Arc::new(Supervisor::start(SupervisorOptions { runner }).unwrap())
}

pub fn signal(pid: u32, name: &str) {
    let args = ["-s", name, &pid.to_string()];
    assert!(Command::new("kill").args(args).status().unwrap().success());
}

/// Whether a process runs; a zombie does not.
pub fn runs(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat[stat.rfind(')').unwrap()..].starts_with(") Z"))
}

/// Waits until something is so, at most `limit`.
pub async fn until(limit: Duration, mut so: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !so() {
        if started.elapsed() > limit {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}
