//! The thread that knows all plugins and all buffers.

use super::catalog::Catalog;
use super::hosted::{Hosted, Wanted};
use super::session::{About, Fault, Session};
use super::view::Change;
use super::{Input, RunId, settings};
use crate::companion::{Call, Desk, DeskError, Mail, Notice, Snapshot};
use crate::engine::Text;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::xi::{BufferKey, LineEnding, PluginState, Replace, XiEvent};

/// How long the editing loop may take to list its buffers, in one attempt.
const LIST: Duration = Duration::from_secs(10);
/// Without anything due, the hub looks around so often.
const IDLE: Duration = Duration::from_secs(60);
/// After an end that was asked for, a plugin has so long.
pub(super) const GRACE: Duration = Duration::from_millis(500);
/// The beginning of a text that tells its line ends.
const LINE_ENDS: usize = 64 * 1024;

/// A buffer as plugins are told of it.
pub(super) struct Told {
    pub view: u64,
    pub now: Snapshot,
    pub language: String,
    /// Whether the client named the language.
    pub language_given: bool,
    /// What the client set.
    pub changes: Map<String, Value>,
    pub config: Map<String, Value>,
}

impl Told {
    pub fn about(&self) -> About<'_> {
        About {
            view: self.view,
            now: &self.now,
            language: &self.language,
            config: &self.config,
        }
    }

    /// Works the settings out anew.
    pub fn refresh(&mut self, catalog: &Catalog) {
        if !self.language_given {
            let known = self
                .now
                .path
                .as_deref()
                .and_then(|p| catalog.language_of(p));
            known
                .unwrap_or(settings::PLAIN_TEXT)
                .clone_into(&mut self.language);
        }
        self.config = settings::defaults(line_ending(&self.now.text));
        self.config.extend(catalog.settings_of(&self.language));
        self.config.extend(self.changes.clone());
    }
}

fn line_ending(text: &Text) -> LineEnding {
    let mut seen = 0;
    for chunk in text.chunks() {
        if let Some(at) = chunk.find('\n') {
            let crlf = chunk[..at].ends_with('\r');
            return if crlf {
                LineEnding::Crlf
            } else {
                LineEnding::Lf
            };
        }
        seen += chunk.len();
        if seen > LINE_ENDS {
            break;
        }
    }
    LineEnding::Lf
}

/// All plugins and all buffers.
pub(super) struct Hub {
    pub(super) desk: Desk,
    pub(super) inputs: SyncSender<Input>,
    pub(super) catalog: Catalog,
    pub(super) hosted: BTreeMap<Arc<str>, Hosted>,
    pub(super) buffers: BTreeMap<BufferKey, Told>,
    next_view: u64,
    next_run: RunId,
}

impl Hub {
    pub fn new(desk: &Desk, inputs: SyncSender<Input>) -> Self {
        Self {
            desk: desk.clone(),
            inputs,
            catalog: Catalog::default(),
            hosted: BTreeMap::new(),
            buffers: BTreeMap::new(),
            next_view: 1,
            next_run: 1,
        }
    }

    /// Hosts plugins until xi-editor ends.
    pub fn run(mut self, received: &Receiver<Input>, folders: &[PathBuf], wanted: &[String]) {
        self.catalog = Catalog::discover(folders);
        let names = self.catalog.plugins.keys();
        self.hosted = names
            .map(|n| (Arc::from(n.as_str()), Hosted::default()))
            .collect();
        let snapshots = loop {
            match self.desk.ask(LIST, |editor| editor.snapshots()) {
                Ok(snapshots) => break snapshots,
                Err(DeskError::Busy) => {}
                Err(DeskError::Ended) => return,
            }
        };
        for snapshot in snapshots {
            self.open(snapshot);
        }
        for name in wanted {
            self.start_wanted(name);
        }
        loop {
            let now = Instant::now();
            let wait = self
                .deadline()
                .map_or(IDLE, |d| d.saturating_duration_since(now));
            match received.recv_timeout(wait.min(IDLE)) {
                Ok(Input::Mail(Mail::Notice(notice))) => self.notice(notice),
                Ok(Input::Mail(Mail::Resync(all))) => self.resync(all),
                Ok(Input::Mail(Mail::Call(call))) => self.call(call),
                Ok(Input::Line(run, line)) => {
                    self.with_run(run, |session| session.line(&line));
                }
                Ok(Input::Ended(run, end)) => {
                    self.with_run(run, |_| Err(Fault::Output(end)));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Input::Over) | Err(RecvTimeoutError::Disconnected) => return,
            }
            self.tend();
        }
    }

    fn start_wanted(&mut self, name: &str) {
        if self.hosted.contains_key(name) {
            self.start(name, Wanted::default(), super::hosted::ANSWER_WITHIN);
        } else {
            tracing::warn!(plugin = name, "no such plugin");
            self.tell_state(
                name,
                PluginState::Stopped,
                Some("no such plugin".to_owned()),
                Vec::new(),
            );
        }
    }

    pub(super) fn call(&mut self, call: Call) {
        super::calls::answer(self, call);
    }

    fn deadline(&self) -> Option<Instant> {
        self.hosted.values().filter_map(Hosted::deadline).min()
    }

    /// Does what is due.
    fn tend(&mut self) {
        let now = Instant::now();
        let names: Vec<_> = self.hosted.keys().cloned().collect();
        for name in names {
            let Some(hosted) = self.hosted.get_mut(&name) else {
                continue;
            };
            if hosted.restart_at.is_some_and(|at| at <= now) {
                self.launch(&name);
            } else {
                self.with(&name, |session| session.tend(now));
            }
        }
    }

    /// Does something with a running plugin, and ends it when that shows a fault.
    pub(super) fn with(&mut self, name: &str, act: impl FnOnce(&mut Session) -> Result<(), Fault>) {
        let running = self.hosted.get_mut(name).and_then(|h| h.session.as_mut());
        if let Some(session) = running
            && let Err(fault) = act(session)
        {
            self.crashed(name, &fault);
        }
    }

    fn with_run(&mut self, run: RunId, act: impl FnOnce(&mut Session) -> Result<(), Fault>) {
        let found = self
            .hosted
            .iter()
            .find(|(_, h)| h.run == run && h.session.is_some());
        // What an earlier run left behind is of no interest.
        if let Some(name) = found.map(|(name, _)| Arc::clone(name)) {
            self.with(&name, act);
        }
    }

    fn with_all(&mut self, view: u64, mut act: impl FnMut(&mut Session) -> Result<(), Fault>) {
        let names: Vec<_> = self.hosted.keys().cloned().collect();
        for name in names {
            self.with(&name, |session| match session.serves(view) {
                true => act(session),
                false => Ok(()),
            });
        }
    }

    /// Starts a plugin's process with a clean slate.
    pub(super) fn launch(&mut self, name: &str) {
        let run = self.next_run;
        self.next_run += 1;
        let (Some(manifest), Some(hosted)) =
            (self.catalog.plugins.get(name), self.hosted.get_mut(name))
        else {
            return;
        };
        let about: Vec<_> = self
            .buffers
            .values()
            .filter(|told| hosted.wanted.includes(told))
            .map(Told::about)
            .collect();
        match hosted.launch(run, manifest, &about, (&self.desk, &self.inputs)) {
            Ok(()) => self.tell_state(name, PluginState::Running, None, Vec::new()),
            Err(why) => self.count_crash(name, why, Vec::new()),
        }
    }

    fn crashed(&mut self, name: &str, fault: &Fault) {
        let Some(session) = self.hosted.get_mut(name).and_then(|h| h.session.take()) else {
            return;
        };
        let (reason, last_words) = session.end(fault);
        self.count_crash(name, reason, last_words);
    }

    fn count_crash(&mut self, name: &str, reason: String, last_words: Vec<String>) {
        let single = self
            .catalog
            .plugins
            .get(name)
            .is_some_and(super::hosted::runs_once);
        let Some(hosted) = self.hosted.get_mut(name) else {
            return;
        };
        let state = hosted.ended(single, Instant::now());
        tracing::warn!(plugin = name, reason, ?state, "a plugin ended");
        self.tell_state(name, state, Some(reason), last_words);
    }

    pub(super) fn tell_state(
        &self,
        name: &str,
        state: PluginState,
        reason: Option<String>,
        last_words: Vec<String>,
    ) {
        self.desk.tell(&XiEvent::PluginStateChanged {
            plugin: name.to_owned(),
            state,
            reason,
            last_words,
        });
    }

    /// Starts a plugin, or tells one that runs anew of its buffers.
    pub(super) fn start(&mut self, name: &str, wanted: Wanted, answer_within: Duration) {
        let Some(hosted) = self.hosted.get_mut(name) else {
            return;
        };
        let runs = hosted.asked(wanted, answer_within);
        if !runs {
            return self.launch(name);
        }
        let views: Vec<_> = self
            .buffers
            .iter()
            .map(|(key, told)| (*key, told.view))
            .collect();
        for (key, view) in views {
            self.with(name, |session| session.closed(view));
            self.introduce(name, key);
        }
    }

    /// Tells a plugin of a buffer, if it is to see it.
    fn introduce(&mut self, name: &str, key: BufferKey) {
        let (Some(hosted), Some(told)) = (self.hosted.get_mut(name), self.buffers.get(&key)) else {
            return;
        };
        if !hosted.wanted.includes(told) {
            return;
        }
        if let Some(session) = hosted.session.as_mut()
            && let Err(fault) = session.opened(&told.about())
        {
            self.crashed(name, &fault);
        }
    }

    fn open(&mut self, now: Snapshot) {
        let key = now.buffer;
        if self.buffers.contains_key(&key) {
            return;
        }
        let mut told = Told {
            view: self.next_view,
            now,
            language: String::new(),
            language_given: false,
            changes: Map::new(),
            config: Map::new(),
        };
        self.next_view += 1;
        told.refresh(&self.catalog);
        self.buffers.insert(key, told);
        let names: Vec<_> = self.hosted.keys().cloned().collect();
        for name in names {
            self.introduce(&name, key);
        }
    }

    fn close(&mut self, key: BufferKey) {
        if let Some(told) = self.buffers.remove(&key) {
            self.with_all(told.view, |session| session.closed(told.view));
        }
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Opened(now) => self.open(now),
            Notice::Closed(key) => self.close(key),
            Notice::Saved(now) => self.saved(now),
            Notice::Changed {
                now,
                edits,
                author,
                undone,
            } => {
                self.changed(now, Some((&edits, &author, undone)));
            }
        }
    }

    /// Passes a change on; without edits, what changed is not known.
    fn changed(&mut self, now: Snapshot, by: Option<(&[Replace], &Arc<str>, bool)>) {
        let Some(told) = self.buffers.get_mut(&now.buffer) else {
            return;
        };
        // What the list of buffers told already comes again as a notice.
        if now.revision <= told.now.revision {
            return;
        }
        let change = match by {
            Some((edits, author, undone)) if now.revision == told.now.revision + 1 => {
                Change::of_edits(&now, edits, author, undone)
            }
            _ => Change::anew(&now),
        };
        let view = told.view;
        told.now = now;
        self.with_all(view, |session| session.changed(view, change.clone()));
    }

    fn saved(&mut self, now: Snapshot) {
        let Some(told) = self.buffers.get_mut(&now.buffer) else {
            return;
        };
        let moved = told.now.path != now.path;
        told.now.path.clone_from(&now.path);
        let (key, view) = (now.buffer, told.view);
        if let Some(path) = now.path.as_deref() {
            self.with_all(view, |session| session.saved(view, path));
        }
        if moved {
            self.refresh(key);
        }
    }

    /// Works out settings and language of a buffer anew, and tells what differs.
    pub(super) fn refresh(&mut self, key: BufferKey) {
        if let Some(told) = self.buffers.get(&key) {
            let language = told.language.clone();
            self.refresh_from(key, &language);
        }
    }

    fn refresh_from(&mut self, key: BufferKey, language: &str) {
        let Some(told) = self.buffers.get_mut(&key) else {
            return;
        };
        let (view, config) = (told.view, told.config.clone());
        told.refresh(&self.catalog);
        let now = told.language.clone();
        let mut changes = told.config.clone();
        changes.retain(|name, value| config.get(name) != Some(value));
        if !changes.is_empty() {
            self.with_all(view, |session| session.config_changed(view, &changes));
        }
        if now != language {
            self.with_all(view, |session| session.language_changed(view, &now));
            self.reconsider(key);
        }
    }

    /// Sets the language of a buffer.
    pub(super) fn set_language(&mut self, key: BufferKey, language: String) {
        let Some(told) = self.buffers.get_mut(&key) else {
            return;
        };
        told.language_given = true;
        let before = std::mem::replace(&mut told.language, language);
        self.refresh_from(key, &before);
    }

    /// A buffer of another language may be one that a plugin is, or is not, to see.
    fn reconsider(&mut self, key: BufferKey) {
        let Some((view, told)) = self.buffers.get(&key).map(|told| (told.view, told)) else {
            return;
        };
        let mut come = Vec::new();
        let mut go = Vec::new();
        for (name, hosted) in &self.hosted {
            let serves = hosted.session.as_ref().is_some_and(|s| s.serves(view));
            match (serves, hosted.wanted.includes(told)) {
                (true, false) => go.push(Arc::clone(name)),
                (false, true) => come.push(Arc::clone(name)),
                _ => {}
            }
        }
        for name in go {
            self.with(&name, |session| session.closed(view));
        }
        for name in come {
            self.introduce(&name, key);
        }
    }

    /// Too much happened: these are all buffers.
    fn resync(&mut self, all: Vec<Snapshot>) {
        let gone: Vec<_> = self
            .buffers
            .keys()
            .filter(|key| all.iter().all(|s| s.buffer != **key))
            .copied()
            .collect();
        for key in gone {
            self.close(key);
        }
        for now in all {
            match self.buffers.get(&now.buffer) {
                None => self.open(now),
                Some(told) => {
                    if told.now.path != now.path {
                        self.saved(now.clone());
                    }
                    self.changed(now, None);
                }
            }
        }
    }
}
