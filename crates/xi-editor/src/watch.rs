//! The watcher: changes of open files are taken in unasked.
//!
//! The folders of open files are watched, not the files: a file that is
//! replaced by a rename, or deleted and made again, keeps its name only. What
//! the system tells is a hint; the file is read and compared beside the editing
//! loop, so that own saves and touched files lead to nothing.

mod due;
mod folders;

use crate::companion::{Call, Companion, Desk, Notice};
use crate::file::Look;
use due::Due;
use folders::Folders;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use symphony_ipc_protocol::xi::{BufferKey, Initialize, XiEvent};

/// After the first sign of a change so long is waited for more.
const DEBOUNCE: Duration = Duration::from_millis(20);
/// A file found empty is looked at again after so long: most are about to be written.
const EMPTY: Duration = Duration::from_millis(25);
/// A folder that went away, and files in it, are looked for so often.
const RETRY: Duration = Duration::from_millis(500);
/// The editing loop takes no longer to say what it knows of a file.
const ANSWER: Duration = Duration::from_secs(30);
/// So often a file that changes while it is looked at is looked at again at once.
const TRIES: usize = 3;

/// The companion that watches.
pub struct Watch {
    desk: Desk,
    wanted: bool,
    due: Option<Arc<Due>>,
}

impl Watch {
    /// Watches nothing until the client asks for it.
    pub(crate) fn new(desk: Desk) -> Self {
        Self {
            desk,
            wanted: false,
            due: None,
        }
    }

    /// The thread's list, the thread started at first need.
    fn due(&mut self) -> Option<&Arc<Due>> {
        if self.due.is_none() {
            let due = Arc::<Due>::default();
            let (desk, list) = (self.desk.clone(), Arc::clone(&due));
            let started = std::thread::Builder::new()
                .name("watch".to_owned())
                .spawn(move || Watcher::new(desk, list).run());
            if let Err(error) = started {
                self.wanted = false;
                failed(&self.desk, None, &error.to_string());
                return None;
            }
            self.due = Some(due);
        }
        self.due.as_ref()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(due) = &self.due {
            due.end();
        }
    }
}

impl Companion for Watch {
    fn methods(&self) -> &'static [&'static str] {
        &[]
    }

    fn initialized(&mut self, hello: &Initialize) {
        self.wanted = hello.watch;
    }

    fn told(&mut self, notice: &Notice) {
        let (key, path) = match notice {
            Notice::Opened(now) | Notice::Saved(now) => (now.buffer, now.path.clone()),
            Notice::Closed(key) => (*key, None),
            Notice::Changed { .. } => return,
        };
        if !self.wanted || (path.is_none() && self.due.is_none()) {
            return;
        }
        if let Some(due) = self.due() {
            due.follow(key, path);
        }
    }

    fn call(&mut self, _: Call) {}
}

/// Says that changes are not seen.
fn failed(desk: &Desk, folder: Option<&Path>, reason: &str) {
    tracing::warn!(?folder, reason, "files are not watched");
    desk.tell(&XiEvent::WatchFailed {
        folder: folder.map(Path::to_owned),
        reason: reason.to_owned(),
    });
}

/// The thread's state.
struct Watcher {
    desk: Desk,
    due: Arc<Due>,
    folders: Folders,
}

impl Watcher {
    fn new(desk: Desk, due: Arc<Due>) -> Self {
        let hints = Arc::clone(&due);
        let folders = Folders::new(move |event| hints.hint(event, DEBOUNCE));
        if let Some(reason) = folders.failure() {
            failed(&desk, None, reason);
        }
        Self { desk, due, folders }
    }

    fn run(mut self) {
        let mut retry = Instant::now() + RETRY;
        loop {
            let wait_at_most = if self.folders.all_watched() {
                None
            } else {
                Some(retry)
            };
            let Some(work) = self.due.wait(wait_at_most) else {
                return;
            };
            let is_retry = Instant::now() >= retry;
            if is_retry {
                retry = Instant::now() + RETRY;
            }
            if work.followed || work.lost || is_retry {
                self.watch_folders(work.lost);
            }
            for key in work.look {
                self.look(key);
            }
        }
    }

    /// Watches the folders of the files, and looks at the files of those that came back.
    fn watch_folders(&mut self, lost: bool) {
        if lost {
            self.folders.forget_gone();
        }
        let outcome = self.folders.watch(&self.due.folders());
        for (folder, reason) in outcome.failed {
            failed(&self.desk, Some(&folder), &reason);
        }
        for folder in outcome.began {
            // A change between opening and watching is seen by looking.
            self.due.look_into(&folder);
        }
    }

    /// Looks at one file, reading it here, and has the loop take in what changed.
    fn look(&self, key: BufferKey) {
        for _ in 0..TRIES {
            let Ok(known) = self.desk.ask(ANSWER, move |editor| editor.known(key)) else {
                return;
            };
            // Closed, or without file, meanwhile.
            let Ok(Some(known)) = known else { return };
            let look = match known.look() {
                Ok(look) => look,
                Err(error) => {
                    tracing::info!(%error, "a change on disk is not taken in");
                    return;
                }
            };
            if let Look::Changed(loaded) = &look
                && loaded.text.is_empty()
                && known.has_bytes()
                && self.due.look_once_more(key, EMPTY)
            {
                return;
            }
            let taken = self
                .desk
                .ask(ANSWER, move |editor| editor.looked(key, &known, look));
            match taken {
                // Saved meanwhile, for instance.
                Ok(Ok(false)) => {}
                Ok(Err(error)) => {
                    tracing::info!(%error, "a change on disk is not taken in");
                    return;
                }
                Ok(Ok(true)) | Err(_) => return,
            }
        }
    }
}
