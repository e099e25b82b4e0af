//! The watched folders, each once.

use notify::{Config, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What became of the folders asked for.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Watched from now on.
    pub(super) began: Vec<PathBuf>,
    /// Not watched, told the first time, with the reason.
    pub(super) failed: Vec<(PathBuf, String)>,
}

/// The watched folders.
pub(super) struct Folders {
    watcher: Result<RecommendedWatcher, String>,
    /// With their inodes: a folder of the same name may be another one.
    watched: BTreeMap<PathBuf, u64>,
    /// Cannot be watched now; whether that was told.
    missing: BTreeMap<PathBuf, bool>,
}

impl Folders {
    pub(super) fn new(hint: impl Fn(Event) + Send + 'static) -> Self {
        let handler = move |outcome: notify::Result<Event>| match outcome {
            Ok(event) => hint(event),
            Err(error) => tracing::warn!(%error, "watching"),
        };
        let config = Config::default().with_follow_symlinks(false);
        Self {
            watcher: RecommendedWatcher::new(handler, config).map_err(|e| e.to_string()),
            watched: BTreeMap::new(),
            missing: BTreeMap::new(),
        }
    }

    /// Why nothing can be watched.
    pub(super) fn failure(&self) -> Option<&str> {
        self.watcher.as_ref().err().map(String::as_str)
    }

    /// Whether nothing is left to try again.
    pub(super) fn all_watched(&self) -> bool {
        self.missing.is_empty()
    }

    /// Watches these folders and no others.
    pub(super) fn watch(&mut self, wanted: &BTreeSet<PathBuf>) -> Outcome {
        let mut outcome = Outcome::default();
        let Ok(watcher) = &mut self.watcher else {
            return outcome;
        };
        self.missing.retain(|folder, _| wanted.contains(folder));
        self.watched.retain(|folder, _| {
            let keep = wanted.contains(folder);
            if !keep {
                // It may be gone, and its watch with it.
                let _ = watcher.unwatch(folder);
            }
            keep
        });
        for folder in wanted {
            if self.watched.contains_key(folder) {
                continue;
            }
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.missing.remove(folder);
                    self.watched.insert(folder.clone(), inode(folder));
                    outcome.began.push(folder.clone());
                }
                Err(error) => {
                    let is_absent = !folder.exists();
                    let told = self.missing.entry(folder.clone()).or_default();
                    // One that is not there is waited for.
                    if !*told && !is_absent {
                        *told = true;
                        outcome.failed.push((folder.clone(), reason(&error)));
                    }
                }
            }
        }
        outcome
    }

    /// Forgets the watches of folders that are not what was watched any more.
    pub(super) fn forget_gone(&mut self) {
        let Ok(watcher) = &mut self.watcher else {
            return;
        };
        self.watched.retain(|folder, known| {
            let keep = inode(folder) == *known;
            if !keep {
                let _ = watcher.unwatch(folder);
            }
            keep
        });
    }
}

/// 0 where nothing is.
fn inode(folder: &Path) -> u64 {
    std::fs::metadata(folder).map_or(0, |meta| meta.ino())
}

fn reason(error: &notify::Error) -> String {
    match error.kind {
        ErrorKind::MaxFilesWatch => {
            "the system's limit of watches is reached (fs.inotify.max_user_watches)".to_owned()
        }
        _ => error.to_string(),
    }
}
