//! A session's folder: its journals, its owner, and what was put aside.

use super::Now;
use super::live::{Journal, Policy, Trail};
use super::sync::Syncer;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use sy_commons::fs::FsError;
use sy_commons::owner::{OwnerError, OwnerLock};
use symphony_ipc_protocol::xi::{BufferKey, XiEvent};

/// How a journal's file name ends.
const EXTENSION: &str = "journal";
/// The folder of what could not be restored.
const ASIDE: &str = "aside";
/// After a failure journals are tried again so much later.
const RETRY: Duration = Duration::from_secs(5);

/// Why a session's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// Another process owns it.
    #[error(transparent)]
    InUse(OwnerError),
    /// The folder cannot be made, locked or listed.
    #[error("the session's folder cannot be used")]
    Folder(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<OwnerError> for SessionError {
    fn from(error: OwnerError) -> Self {
        match error {
            OwnerError::InUse { .. } => Self::InUse(error),
            other => Self::Folder(Box::new(other)),
        }
    }
}

impl From<FsError> for SessionError {
    fn from(error: FsError) -> Self {
        Self::Folder(Box::new(error))
    }
}

impl From<io::Error> for SessionError {
    fn from(error: io::Error) -> Self {
        Self::Folder(Box::new(error))
    }
}

/// The folder that this process keeps its journals in.
pub(crate) struct Session {
    folder: PathBuf,
    syncer: Syncer,
    one_at_a_time: Arc<Mutex<()>>,
    policy: Policy,
    /// `None`: the folder could not be owned yet.
    lock: Option<OwnerLock>,
    /// Since when journals fail, and when they were tried last.
    failing: Option<Instant>,
    news: Vec<XiEvent>,
}

/// What an open buffer has as a journal.
#[derive(Default)]
pub(crate) enum Journaled {
    /// None yet.
    #[default]
    No,
    /// It could not be begun.
    Failed,
    /// This one.
    Yes(Box<Journal>),
}

impl Journaled {
    /// Whether it is behind its buffer.
    pub(crate) fn has_failed(&self) -> bool {
        match self {
            Self::No => false,
            Self::Failed => true,
            Self::Yes(journal) => journal.has_failed(),
        }
    }
}

impl Session {
    /// Owns `folder`, made where it is missing, for the owner's eyes only. A
    /// folder that cannot be written is tried again later.
    ///
    /// # Errors
    /// [`SessionError::InUse`], or no thread could be started.
    pub(crate) fn open(folder: &Path) -> Result<Self, SessionError> {
        let mut session = Self {
            folder: folder.to_owned(),
            syncer: Syncer::start(folder)?,
            one_at_a_time: Arc::default(),
            policy: Policy::default(),
            lock: None,
            failing: None,
            news: Vec::new(),
        };
        match session.own() {
            Err(SessionError::Folder(error)) => session.failed(&*error),
            other => other?,
        }
        Ok(session)
    }

    fn own(&mut self) -> Result<(), SessionError> {
        if self.lock.is_none() {
            sy_commons::fs::ensure_private_dir(&self.folder)?;
            self.lock = Some(OwnerLock::acquire(&self.folder)?);
        }
        Ok(())
    }

    /// When what is written how.
    pub(super) fn policy(&self) -> Policy {
        self.policy
    }

    /// Another policy from now on.
    #[cfg(test)]
    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    pub(super) fn syncer(&self) -> &Syncer {
        &self.syncer
    }

    pub(super) fn one_at_a_time(&self) -> Arc<Mutex<()>> {
        Arc::clone(&self.one_at_a_time)
    }

    pub(super) fn journal_of(&self, key: BufferKey) -> PathBuf {
        self.folder.join(key.to_string()).with_extension(EXTENSION)
    }

    /// Goes on with a journal that was read from its folder;
    /// [`Journaled::Failed`] when it cannot be written.
    pub(crate) fn go_on(&mut self, path: &Path, trail: Trail) -> Journaled {
        match Journal::go_on(path.to_owned(), trail) {
            Ok(journal) => Journaled::Yes(Box::new(journal)),
            Err(error) => {
                self.failed(&error);
                Journaled::Failed
            }
        }
    }

    /// Puts down what happened to a buffer since the last time. A failure is
    /// told of once, and journals are tried again later.
    pub(crate) fn commit(&mut self, key: BufferKey, journaled: &mut Journaled, now: Now<'_>) {
        let result = match journaled {
            Journaled::Yes(journal) if !journal.has_failed() => journal.commit(self, now),
            _ => return self.begin(key, journaled, &now),
        };
        if let Err(error) = result {
            self.failed(&error);
        }
    }

    fn begin(&mut self, key: BufferKey, journaled: &mut Journaled, now: &Now<'_>) {
        if !matches!(journaled, Journaled::No) && !self.retry_is_due() {
            return;
        }
        if let Err(error) = self.own() {
            self.failed(&error);
        } else {
            let begun = if let Journaled::Yes(journal) = journaled {
                journal.renew(self, &(now.whole)())
            } else {
                Journal::begin(self, key, &(now.whole)())
                    .map(|j| *journaled = Journaled::Yes(Box::new(j)))
            };
            if let Err(error) = begun {
                self.failed(&error);
            }
        }
        if matches!(journaled, Journaled::No) {
            *journaled = Journaled::Failed;
        }
    }

    /// Whether failed journals are to be tried again.
    pub(crate) fn retry_is_due(&self) -> bool {
        self.failing.is_some_and(|since| since.elapsed() >= RETRY)
    }

    /// After all buffers were seen to: tells when journals are written again.
    pub(crate) fn settle(&mut self, some_fail: bool) {
        if self.failing.is_none() || some_fail {
            return;
        }
        if self.lock.is_none() {
            if !self.retry_is_due() {
                return;
            }
            if let Err(error) = self.own() {
                return self.failed(&error);
            }
        }
        self.failing = None;
        tracing::info!("journals are written again");
        self.news.push(XiEvent::JournalWorks {});
    }

    fn failed(&mut self, error: &dyn std::error::Error) {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let part = error.to_string();
            if !reason.contains(&part) {
                reason = format!("{reason}: {part}");
            }
            cause = error.source();
        }
        tracing::error!(reason, "unsaved text is not journaled");
        if self.failing.replace(Instant::now()).is_none() {
            self.news.push(XiEvent::JournalFailed { reason });
        }
    }

    /// What is to be told.
    pub(crate) fn take_news(&mut self) -> Vec<XiEvent> {
        std::mem::take(&mut self.news)
    }

    /// Its journals; what was left of new ones is removed.
    ///
    /// # Errors
    /// [`SessionError::Folder`].
    pub(crate) fn journals(&self) -> Result<Vec<PathBuf>, SessionError> {
        if self.lock.is_none() {
            return Ok(Vec::new());
        }
        for path in files(&self.folder, "new")? {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "a left-over was not removed");
            }
        }
        Ok(files(&self.folder, EXTENSION)?)
    }

    /// Moves a journal that cannot be restored aside, with the text that was
    /// found in it; where to.
    pub(crate) fn put_aside(&self, journal: &Path, text: Option<&str>) -> io::Result<PathBuf> {
        put_aside(&self.folder, journal, text)
    }

    /// Makes a dead session's journal one of ours; where it is now.
    ///
    /// # Errors
    /// The system's; it is where it was then.
    pub(crate) fn take_over(&self, journal: &Path, key: BufferKey) -> io::Result<PathBuf> {
        let to = self.journal_of(key);
        std::fs::rename(journal, &to)?;
        self.syncer.folder_soon();
        Ok(to)
    }

    /// Other sessions' folders beside this one whose owners are dead, each owned by us now.
    ///
    /// # Errors
    /// [`SessionError::Folder`] when they cannot be listed.
    pub(crate) fn abandoned(&self) -> Result<Vec<Abandoned>, SessionError> {
        let Some(parent) = self.folder.parent() else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(parent)? {
            let folder = entry?.path();
            if folder == self.folder || !folder.join("LOCK").is_file() {
                continue;
            }
            // One that lives keeps its lock, and is none of our business.
            if let Ok(lock) = OwnerLock::acquire(&folder) {
                found.push(Abandoned {
                    folder,
                    _lock: lock,
                });
            }
        }
        Ok(found)
    }

    /// Ends it: nothing is unsaved, so nothing is kept.
    pub(crate) fn end(self) {
        drop(self.syncer);
        if self.lock.is_some()
            && let Err(error) = remove_folder(&self.folder)
        {
            tracing::warn!(%error, "the session's folder was not removed");
        }
    }
}

/// A folder of a session whose owner is dead.
pub(crate) struct Abandoned {
    pub(crate) folder: PathBuf,
    _lock: OwnerLock,
}

impl Abandoned {
    /// Its journals.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn journals(&self) -> io::Result<Vec<PathBuf>> {
        files(&self.folder, EXTENSION)
    }

    /// Removes the folder if no journal is left in it and nothing was put aside.
    pub(crate) fn tidy(&self) {
        if self.journals().is_ok_and(|left| left.is_empty()) {
            // Whatever else is in it keeps it there.
            let _ = remove_folder(&self.folder);
        }
    }
}

/// The files of a folder whose names end so.
fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn put_aside(folder: &Path, journal: &Path, text: Option<&str>) -> io::Result<PathBuf> {
    let aside = folder.join(ASIDE);
    sy_commons::fs::ensure_private_dir(&aside).map_err(io::Error::other)?;
    let name = journal.file_name().unwrap_or_default();
    let mut to = aside.join(name);
    if let Some(text) = text {
        let path = to.with_extension("txt");
        sy_commons::fs::write_atomic(&path, text.as_bytes()).map_err(io::Error::other)?;
        std::fs::rename(journal, &to)?;
        to = path;
    } else {
        std::fs::rename(journal, &to)?;
    }
    Ok(to)
}

/// Removes a folder that holds nothing but its lock.
fn remove_folder(folder: &Path) -> io::Result<()> {
    for path in files(folder, "new")? {
        std::fs::remove_file(path)?;
    }
    let only_lock = std::fs::read_dir(folder)?
        .all(|entry| entry.is_ok_and(|entry| entry.file_name() == "LOCK"));
    if only_lock {
        std::fs::remove_file(folder.join("LOCK"))?;
        std::fs::remove_dir(folder)?;
    }
    Ok(())
}
