//! Which files are to be looked at, and when. Bounded by the open buffers.

use notify::event::{AccessKind, AccessMode, EventKind, RemoveKind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::xi::BufferKey;

/// What the thread is to do now.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Look at these files.
    pub(super) look: Vec<BufferKey>,
    /// Buffers got, lost or changed their files.
    pub(super) followed: bool,
    /// A watched folder may be gone.
    pub(super) lost: bool,
}

#[derive(Default)]
struct State {
    paths: BTreeMap<BufferKey, Arc<Path>>,
    due: BTreeMap<BufferKey, Instant>,
    /// Found empty once since they last held something.
    empty: BTreeSet<BufferKey>,
    followed: bool,
    lost: bool,
    ended: bool,
}

/// The list between those who see signs of change and the one who looks.
#[derive(Default)]
pub(super) struct Due {
    state: Mutex<State>,
    changed: Condvar,
}

impl Due {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file of a buffer; `None`: it has none any more.
    pub(super) fn follow(&self, key: BufferKey, path: Option<Arc<Path>>) {
        let mut state = self.lock();
        let known = match path {
            Some(path) => state.paths.insert(key, path.clone()) == Some(path),
            None => state.paths.remove(&key).is_none(),
        };
        if known {
            return;
        }
        state.due.remove(&key);
        state.empty.remove(&key);
        state.followed = true;
        drop(state);
        self.changed.notify_one();
    }

    /// No more work.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_one();
    }

    /// The folders of all files.
    pub(super) fn folders(&self) -> BTreeSet<PathBuf> {
        let state = self.lock();
        let paths = state.paths.values();
        paths
            .filter_map(|path| path.parent().map(Path::to_owned))
            .collect()
    }

    /// A sign of change. Called on a thread of the system's events.
    pub(super) fn hint(&self, event: notify::Event, debounce: Duration) {
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {}
            // Somebody reads.
            EventKind::Access(_) => return,
            _ => {}
        }
        let mut state = self.lock();
        let State { paths, due, .. } = &mut *state;
        let all = event.need_rescan() || event.paths.is_empty();
        let at = Instant::now() + debounce;
        let mut lost = matches!(event.kind, EventKind::Remove(RemoveKind::Folder));
        for (key, path) in paths.iter() {
            if all || event.paths.iter().any(|changed| **changed == **path) {
                due.entry(*key).or_insert(at);
            }
            // The folder itself: gone, renamed, or its permissions changed.
            if event
                .paths
                .iter()
                .any(|changed| path.parent() == Some(changed))
            {
                due.entry(*key).or_insert(at);
                lost = true;
            }
        }
        let is_news = lost || !due.is_empty();
        state.lost |= lost;
        drop(state);
        if is_news {
            self.changed.notify_one();
        }
    }

    /// Has all files of a folder looked at.
    pub(super) fn look_into(&self, folder: &Path) {
        let mut state = self.lock();
        let State { paths, due, .. } = &mut *state;
        let at = Instant::now();
        for (key, _) in paths.iter().filter(|(_, p)| p.parent() == Some(folder)) {
            due.entry(*key).or_insert(at);
        }
    }

    /// Has a file that was found empty looked at later; false the second time.
    pub(super) fn look_once_more(&self, key: BufferKey, after: Duration) -> bool {
        let mut state = self.lock();
        if !state.paths.contains_key(&key) {
            return false;
        }
        if !state.empty.insert(key) {
            state.empty.remove(&key);
            return false;
        }
        state.due.entry(key).or_insert(Instant::now() + after);
        true
    }

    /// Waits for something to do, or until a time; `None` at the end.
    pub(super) fn wait(&self, until: Option<Instant>) -> Option<Work> {
        let mut state = self.lock();
        loop {
            if state.ended {
                return None;
            }
            let now = Instant::now();
            let first = state.due.values().min().copied();
            let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            if state.followed || state.lost || is_due(first) || is_due(until) {
                let look: Vec<_> = state
                    .due
                    .extract_if(.., |_, at| *at <= now)
                    .map(|(key, _)| key)
                    .collect();
                return Some(Work {
                    look,
                    followed: std::mem::take(&mut state.followed),
                    lost: std::mem::take(&mut state.lost),
                });
            }
            let next = first.into_iter().chain(until).min();
            state = match next {
                Some(at) => {
                    let waited = self.changed.wait_timeout(state, at - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::Event;
    use notify::event::{CreateKind, DataChange, ModifyKind};

    const SOON: Duration = Duration::from_millis(5);

    fn modified(path: &str) -> Event {
        Event::new(EventKind::Modify(ModifyKind::Data(DataChange::Any))).add_path(path.into())
    }

    fn with_two() -> (Due, BufferKey, BufferKey) {
        let due = Due::default();
        let (a, b) = (BufferKey::from_u128(1), BufferKey::from_u128(2));
        due.follow(a, Some(Arc::from(Path::new("/folder/a"))));
        due.follow(b, Some(Arc::from(Path::new("/folder/b"))));
        assert!(due.wait(None).unwrap().followed);
        (due, a, b)
    }

    #[test]
    fn many_signs_are_one_look_after_the_pause() {
        let (due, a, b) = with_two();
        let start = Instant::now();
        for _ in 0..100 {
            due.hint(modified("/folder/a"), SOON);
            due.hint(modified("/folder/other"), SOON);
        }
        let work = due.wait(None).unwrap();
        assert_eq!(work.look, [a]);
        assert!(start.elapsed() >= SOON);
        // Everything may have changed.
        let rescan = Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
        due.hint(rescan, Duration::ZERO);
        assert_eq!(due.wait(None).unwrap().look, [a, b]);
        // Nothing is due: the wait ends at its time.
        assert!(due.wait(Some(Instant::now())).unwrap().look.is_empty());
    }

    #[test]
    fn reading_is_no_change_and_a_lost_folder_is_told() {
        let (due, a, b) = with_two();
        let opened = EventKind::Access(AccessKind::Open(AccessMode::Any));
        due.hint(Event::new(opened).add_path("/folder/a".into()), SOON);
        assert!(due.wait(Some(Instant::now())).unwrap().look.is_empty());
        let gone = EventKind::Remove(RemoveKind::Folder);
        due.hint(Event::new(gone).add_path("/folder".into()), Duration::ZERO);
        let work = due.wait(None).unwrap();
        assert!(work.lost);
        assert_eq!(work.look, [a, b]);
        due.follow(a, None);
        assert_eq!(due.folders().len(), 1);
        due.hint(
            Event::new(EventKind::Create(CreateKind::File)).add_path("/folder/a".into()),
            SOON,
        );
        assert!(due.wait(None).unwrap().look.is_empty(), "a is closed");
        due.end();
        assert!(due.wait(None).is_none());
    }

    #[test]
    fn an_empty_file_is_looked_at_twice() {
        let (due, a, _) = with_two();
        assert!(due.look_once_more(a, SOON));
        assert_eq!(due.wait(None).unwrap().look, [a]);
        assert!(!due.look_once_more(a, SOON), "empty it is");
        assert!(due.look_once_more(a, SOON), "and emptied again later");
        assert!(!due.look_once_more(BufferKey::nil(), SOON));
    }
}
