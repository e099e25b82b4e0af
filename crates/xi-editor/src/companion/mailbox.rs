//! Notices and calls on their way to a companion's thread.

use super::{Call, Notice, Snapshot};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::BufferKey;

/// Beyond so many waiting notices the companion starts from the newest texts.
const MAX_NOTICES: usize = 4_096;
/// Beyond so many waiting calls the next are refused.
const MAX_CALLS: usize = 256;

/// What a companion's thread takes from its mailbox.
pub enum Mail {
    /// Something happened.
    Notice(Notice),
    /// Too much happened: these are all open buffers, as they are now.
    /// Notices after it go on from here.
    Resync(Vec<Snapshot>),
    /// A call to answer.
    Call(Call),
}

#[derive(Default)]
struct Waiting {
    mail: VecDeque<Mail>,
    notices: usize,
    calls: usize,
    newest: BTreeMap<BufferKey, Snapshot>,
    woken: bool,
    ended: bool,
}

/// A bounded queue that never makes the editing loop wait. A clone is the same queue.
#[derive(Clone, Default)]
pub struct Mailbox {
    waiting: Arc<Mutex<Waiting>>,
    filled: Arc<Condvar>,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a notice. When too many wait they are dropped, and one
    /// [`Mail::Resync`] comes in their place.
    pub fn notice(&self, notice: &Notice) {
        let mut waiting = self.lock();
        match notice {
            Notice::Opened(now) | Notice::Changed { now, .. } | Notice::Saved(now) => {
                waiting.newest.insert(now.buffer, now.clone());
            }
            Notice::Closed(buffer) => {
                waiting.newest.remove(buffer);
            }
        }
        if waiting.notices >= MAX_NOTICES {
            waiting.mail.retain(|mail| matches!(mail, Mail::Call(_)));
            let all = waiting.newest.values().cloned().collect();
            waiting.mail.push_front(Mail::Resync(all));
            waiting.notices = 1;
        } else {
            waiting.mail.push_back(Mail::Notice(notice.clone()));
            waiting.notices += 1;
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// Adds a call; refused with BUSY when too many wait.
    pub fn call(&self, call: Call) {
        let mut waiting = self.lock();
        if waiting.calls >= MAX_CALLS || waiting.ended {
            drop(waiting);
            call.refuse(RpcError::new(code::BUSY, "too many requests wait"));
            return;
        }
        waiting.calls += 1;
        waiting.mail.push_back(Mail::Call(call));
        drop(waiting);
        self.filled.notify_one();
    }

    /// Lets the one who waits in [`Mailbox::take`] go on: something else is there for it.
    pub fn wake(&self) {
        self.lock().woken = true;
        self.filled.notify_one();
    }

    /// The next piece of mail, waiting at most so long; `None` after that time,
    /// when woken, or at the end.
    pub fn take(&self, timeout: Duration) -> Option<Mail> {
        let idle = |w: &mut Waiting| w.mail.is_empty() && !w.ended && !w.woken;
        let (mut waiting, _) = self
            .filled
            .wait_timeout_while(self.lock(), timeout, idle)
            .unwrap_or_else(PoisonError::into_inner);
        waiting.woken = false;
        let mail = waiting.mail.pop_front()?;
        match &mail {
            Mail::Call(_) => waiting.calls -= 1,
            Mail::Notice(_) | Mail::Resync(_) => waiting.notices -= 1,
        }
        Some(mail)
    }

    /// Whether nothing more will come: the thread ends when it sees this.
    pub fn ended(&self) -> bool {
        let waiting = self.lock();
        waiting.ended && waiting.mail.is_empty()
    }

    /// No more mail; what waits is still taken.
    pub fn close(&self) {
        self.lock().ended = true;
        self.filled.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Text;

    fn snapshot(buffer: BufferKey, revision: u64) -> Snapshot {
        Snapshot {
            buffer,
            path: None,
            revision,
            text: Text::default(),
        }
    }

    fn changed(buffer: BufferKey, revision: u64) -> Notice {
        Notice::Changed {
            now: snapshot(buffer, revision),
            edits: Arc::default(),
            author: Arc::from("user"),
            undone: false,
        }
    }

    #[test]
    fn a_flood_is_bounded_and_ends_in_the_newest_texts() {
        let mailbox = Mailbox::default();
        let (a, b) = (BufferKey::from_u128(1), BufferKey::from_u128(2));
        mailbox.notice(&Notice::Opened(snapshot(a, 0)));
        mailbox.notice(&Notice::Opened(snapshot(b, 0)));
        let last = MAX_NOTICES as u64 * 3;
        for revision in 1..=last {
            mailbox.notice(&changed(a, revision));
            assert!(mailbox.lock().mail.len() <= MAX_NOTICES);
        }
        let mut known = BTreeMap::new();
        let mut resyncs = 0;
        while let Some(mail) = mailbox.take(Duration::ZERO) {
            match mail {
                Mail::Resync(all) => {
                    resyncs += 1;
                    known = all.into_iter().map(|s| (s.buffer, s.revision)).collect();
                }
                Mail::Notice(Notice::Changed { now, .. }) => {
                    let before = known.insert(now.buffer, now.revision);
                    assert_eq!(before, Some(now.revision - 1), "no gap after a resync");
                }
                Mail::Notice(_) | Mail::Call(_) => {}
            }
        }
        assert_eq!(resyncs, 1);
        assert_eq!(known, BTreeMap::from([(a, last), (b, 0)]));
    }

    #[test]
    fn the_thread_sees_the_end_after_the_last_mail() {
        let mailbox = Mailbox::default();
        let buffer = BufferKey::from_u128(1);
        mailbox.notice(&Notice::Closed(buffer));
        mailbox.close();
        assert!(!mailbox.ended());
        assert!(mailbox.take(Duration::from_secs(5)).is_some());
        assert!(mailbox.take(Duration::from_secs(5)).is_none());
        assert!(mailbox.ended());
    }
}
