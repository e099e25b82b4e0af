//! Making journals durable soon after they were written, beside the editing loop.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is written waits so long for more, then all of it is synced.
const PAUSE: Duration = Duration::from_millis(250);

/// A journal's file, shared with the threads beside the loop.
#[derive(Debug)]
pub(super) struct Target {
    pub file: File,
    /// Where its last whole record ends.
    pub written: AtomicU64,
    /// Up to there it is durable.
    pub synced: AtomicU64,
    /// It waits to be synced.
    queued: AtomicBool,
    /// It could not be synced: what it holds is not sure.
    pub broken: AtomicBool,
}

impl Target {
    pub(super) fn new(file: File, written: u64, synced: u64) -> Arc<Self> {
        Arc::new(Self {
            file,
            written: AtomicU64::new(written),
            synced: AtomicU64::new(synced),
            queued: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        })
    }

    /// Makes durable what was written by now.
    pub(super) fn sync(&self) {
        self.queued.store(false, Ordering::Release);
        let written = self.written.load(Ordering::Acquire);
        match self.file.sync_data() {
            Ok(()) => {
                self.synced.fetch_max(written, Ordering::AcqRel);
            }
            Err(error) => {
                tracing::error!(%error, "a journal could not be synced");
                self.broken.store(true, Ordering::Release);
            }
        }
    }
}

#[derive(Default)]
struct Waiting {
    targets: Vec<Arc<Target>>,
    folder: bool,
    ended: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    news: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits, after a pause in which more may come; `None` at the end.
    fn take(&self) -> Option<Waiting> {
        let idle = |w: &mut Waiting| w.targets.is_empty() && !w.folder && !w.ended;
        let waiting = self.news.wait_while(self.lock(), idle);
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let paused = self
            .news
            .wait_timeout_while(waiting, PAUSE, |w| !w.ended)
            .unwrap_or_else(PoisonError::into_inner);
        let mut waiting = paused.0;
        if waiting.ended && waiting.targets.is_empty() && !waiting.folder {
            return None;
        }
        let ended = waiting.ended;
        let taken = std::mem::take(&mut *waiting);
        waiting.ended = ended;
        Some(taken)
    }
}

/// The thread that syncs a session's journals; at its end what waits is synced.
pub(super) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Syncer {
    /// Starts the thread for journals in `folder`.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(super) fn start(folder: &Path) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (theirs, folder) = (Arc::clone(&shared), folder.to_owned());
        let thread = std::thread::Builder::new()
            .name("journal-sync".to_owned())
            .spawn(move || run(&theirs, &folder))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Has a journal synced soon. Cheap where it waits already.
    pub(super) fn soon(&self, target: &Arc<Target>) {
        if !target.queued.swap(true, Ordering::AcqRel) {
            self.shared.lock().targets.push(Arc::clone(target));
            self.shared.news.notify_one();
        }
    }

    /// Has the folder's entries synced soon.
    pub(super) fn folder_soon(&self) {
        self.shared.lock().folder = true;
        self.shared.news.notify_one();
    }
}

fn run(shared: &Shared, folder: &PathBuf) {
    while let Some(waiting) = shared.take() {
        for target in waiting.targets {
            target.sync();
        }
        if waiting.folder
            && let Err(error) = sy_commons::fs::sync_dir(folder)
        {
            tracing::error!(%error, "the session's folder could not be synced");
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.news.notify_one();
        if let Some(thread) = self.thread.take() {
            // It ends after one more round; a panic in it was logged by the runtime.
            let _ = thread.join();
        }
    }
}
