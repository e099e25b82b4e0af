//! One running plugin: what it is told, what it says, what it may do.

mod heard;
mod place;
#[cfg(any(test, fuzzing))]
mod rehearsal;

#[cfg(fuzzing)]
pub use rehearsal::rehearse;

use super::dialect;
use super::process::{OutputEnd, Process, Stuck};
use super::rate::{Rate, Recent};
use super::view::{Change, View};
use crate::companion::{Desk, Reply, Snapshot};
use crate::engine::Text;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{PluginHover, RevisionNumber};

/// A plugin has so long to say what is at a place.
const HOVER: Duration = Duration::from_secs(5);
/// With much to read by the plugin, it is looked again after this.
const CROWDED: Duration = Duration::from_millis(20);
/// So many questions of that kind may wait.
const MAX_HOVERS: usize = 64;
/// So many bad messages within a minute end a plugin.
const BAD_MESSAGES: usize = 20;
const BAD_WINDOW: Duration = Duration::from_secs(60);
/// Edits a second that a plugin may make, and at once.
const EDITS: (f64, f64) = (50.0, 200.0);
/// Alerts and status items a second that a plugin may show, and at once.
const TALK: (f64, f64) = (20.0, 100.0);

/// Why a plugin is ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// Its output ended, or is read no more.
    #[error(transparent)]
    Output(#[from] OutputEnd),
    /// It does not read.
    #[error(transparent)]
    Stuck(#[from] Stuck),
    /// It does not answer.
    #[error("it did not answer a change within {} ms", .0.as_millis())]
    Hanging(Duration),
    /// It writes nonsense.
    #[error("{BAD_MESSAGES} bad messages within a minute, the last: {0}")]
    Garbage(String),
}

/// What a plugin is told of a buffer at first.
pub(super) struct About<'a> {
    pub view: u64,
    pub now: &'a Snapshot,
    pub language: &'a str,
    pub config: &'a Map<String, Value>,
}

impl About<'_> {
    fn json(&self) -> Value {
        let mut all = json!({
            "buffer_id": self.view,
            "views": [dialect::view_name(self.view)],
            "rev": self.now.revision,
            "buf_size": self.now.text.len(),
            "nb_lines": self.now.text.lines(),
            "syntax": self.language,
            "config": self.config,
        });
        if let Some(path) = self.now.path.as_deref() {
            all["path"] = json!(path.to_string_lossy());
        }
        all
    }
}

/// A question that waits for its answer.
struct Waiting {
    reply: Reply<PluginHover>,
    deadline: Instant,
    revision: RevisionNumber,
    text: Text,
}

/// What a session needs of the process at its other end.
pub(super) trait Peer {
    /// Sends a line. Never waits.
    ///
    /// # Errors
    /// When too much waits already; the line is not sent.
    fn send(&self, line: Vec<u8>) -> Result<(), Stuck>;
    /// Whether much waits to be read by the plugin.
    fn is_crowded(&self) -> bool;
    /// A line that it wrote was dealt with.
    fn done_with(&self, bytes: usize);
}

/// One running plugin.
pub(super) struct Session<P = Process> {
    name: Arc<str>,
    process: P,
    desk: Desk,
    views: BTreeMap<u64, View>,
    next_request: u64,
    hovers: BTreeMap<u64, Waiting>,
    answer_within: Duration,
    /// Whether it is told of changes at all.
    updates: bool,
    bad: Recent,
    edits: Rate,
    talk: Rate,
    dropped: Arc<AtomicU64>,
}

impl<P: Peer> Session<P> {
    /// A plugin that was just started.
    pub fn new(
        name: &Arc<str>,
        process: P,
        desk: &Desk,
        answer_within: Duration,
        dropped: &Arc<AtomicU64>,
    ) -> Self {
        let now = Instant::now();
        Self {
            name: Arc::clone(name),
            process,
            desk: desk.clone(),
            views: BTreeMap::new(),
            next_request: 0,
            hovers: BTreeMap::new(),
            answer_within,
            updates: true,
            bad: Recent::new(BAD_MESSAGES, BAD_WINDOW),
            edits: Rate::new(EDITS.0, EDITS.1, now),
            talk: Rate::new(TALK.0, TALK.1, now),
            dropped: Arc::clone(dropped),
        }
    }

    /// Tells it who it is and which buffers there are; the first that it hears.
    ///
    /// # Errors
    /// [`Fault::Stuck`].
    pub fn greet(&mut self, id: u64, about: &[About<'_>]) -> Result<(), Fault> {
        self.views = about.iter().map(|a| (a.view, View::new(a.now))).collect();
        self.notify("ping", &json!({}))?;
        let buffers: Vec<_> = about.iter().map(About::json).collect();
        let params = json!({"plugin_id": id, "buffer_info": buffers});
        self.notify("initialize", &params)
    }

    /// It has so long to answer a change from now on.
    pub fn set_answer_within(&mut self, answer_within: Duration) {
        self.answer_within = answer_within;
    }

    /// It is told of no change of a text.
    pub fn tell_no_changes(&mut self) {
        self.updates = false;
    }

    /// Whether it is told of a view.
    pub fn serves(&self, view: u64) -> bool {
        self.views.contains_key(&view)
    }

    fn notify(&self, method: &str, params: &Value) -> Result<(), Fault> {
        Ok(self.process.send(dialect::notification(method, params))?)
    }

    /// Tells it of a buffer.
    ///
    /// # Errors
    /// [`Fault::Stuck`], as for all that is told.
    pub fn opened(&mut self, about: &About<'_>) -> Result<(), Fault> {
        self.views.insert(about.view, View::new(about.now));
        self.notify("new_buffer", &json!({"buffer_info": [about.json()]}))
    }

    /// Tells it that a buffer is gone.
    pub fn closed(&mut self, view: u64) -> Result<(), Fault> {
        if self.views.remove(&view).is_none() {
            return Ok(());
        }
        self.about_view("did_close", view, json!({}))
    }

    /// Tells it of a change, now or when it has answered those before.
    pub fn changed(&mut self, view: u64, change: Change) -> Result<(), Fault> {
        match self.views.get_mut(&view) {
            Some(known) if self.updates => known.changed(change),
            _ => return Ok(()),
        }
        self.send_update(view)
    }

    /// Tells it where a buffer was saved.
    pub fn saved(&mut self, view: u64, path: &Path) -> Result<(), Fault> {
        let path = path.to_string_lossy();
        self.about_view("did_save", view, json!({"path": path}))
    }

    /// Tells it of settings that changed.
    pub fn config_changed(&mut self, view: u64, changes: &Map<String, Value>) -> Result<(), Fault> {
        self.about_view("config_changed", view, json!({"changes": changes}))
    }

    /// Tells it of another language.
    pub fn language_changed(&mut self, view: u64, language: &str) -> Result<(), Fault> {
        self.about_view("language_changed", view, json!({"new_lang": language}))
    }

    /// Sends it a command.
    pub fn command(&mut self, view: u64, method: &str, params: &Value) -> Result<(), Fault> {
        let params = json!({"method": method, "params": params});
        self.about_view("custom_command", view, params)
    }

    /// Asks what is at a position of the newest text.
    pub fn hover(
        &mut self,
        view: u64,
        position: usize,
        reply: Reply<PluginHover>,
    ) -> Result<(), Fault> {
        let Some((revision, text)) = self.views.get(&view).and_then(View::told) else {
            return Ok(());
        };
        if self.hovers.len() >= MAX_HOVERS {
            let why = "the plugin has too many questions to answer";
            reply.give(Err(RpcError::new(code::BUSY, why)));
            return Ok(());
        }
        let id = self.next_request;
        self.next_request += 1;
        let waiting = Waiting {
            reply,
            deadline: Instant::now() + HOVER,
            revision: *revision,
            text: text.clone(),
        };
        self.hovers.insert(id, waiting);
        let params = json!({"request_id": id, "position": position});
        self.about_view("get_hover", view, params)
    }

    fn about_view(&self, method: &str, view: u64, mut params: Value) -> Result<(), Fault> {
        params["view_id"] = dialect::view_name(view).into();
        self.notify(method, &params)
    }

    fn send_update(&mut self, view: u64) -> Result<(), Fault> {
        if self.process.is_crowded() {
            return Ok(());
        }
        let id = self.next_request;
        let Some(known) = self.views.get_mut(&view) else {
            return Ok(());
        };
        let Some(update) = known.next(id, Instant::now()) else {
            return Ok(());
        };
        self.next_request += 1;
        let now = &update.change.now;
        let params = json!({
            "view_id": dialect::view_name(view),
            "delta": update.delta,
            "new_len": now.text.len(),
            "new_line_count": now.text.lines(),
            "rev": now.revision,
            "undo_group": now.revision,
            "edit_type": update.change.edit_type,
            "author": update.change.author.as_ref(),
        });
        Ok(self.process.send(dialect::request(id, "update", &params))?)
    }

    /// Looks for what is overdue.
    ///
    /// # Errors
    /// [`Fault::Hanging`], or of sending what was held back.
    pub fn tend(&mut self, now: Instant) -> Result<(), Fault> {
        let overdue = |since: Instant| now.saturating_duration_since(since) > self.answer_within;
        let oldest = self.views.values().filter_map(View::waiting_since).min();
        if oldest.is_some_and(overdue) {
            return Err(Fault::Hanging(self.answer_within));
        }
        let late: Vec<_> = self
            .hovers
            .iter()
            .filter(|(_, w)| w.deadline <= now || w.reply.is_cancelled())
            .map(|(id, _)| *id)
            .collect();
        for waiting in late.iter().filter_map(|id| self.hovers.remove(id)) {
            let error = RpcError::new(code::TIMEOUT, "the plugin did not answer in time");
            waiting.reply.give(Err(error));
        }
        let views: Vec<_> = self.views.keys().copied().collect();
        views
            .into_iter()
            .try_for_each(|view| self.send_update(view))
    }

    /// When [`Session::tend`] has something to do at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        let updates = self.views.values().filter_map(View::waiting_since);
        let updates = updates.map(|since| since + self.answer_within);
        let held_back = self.views.values().any(View::has_pending) && self.process.is_crowded();
        updates
            .chain(self.hovers.values().map(|w| w.deadline))
            .chain(held_back.then(|| Instant::now() + CROWDED))
            .min()
    }
}

impl Session {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends it without waiting; why and its last words.
    pub fn end(mut self, fault: &Fault) -> (String, Vec<String>) {
        let (status, words) = match fault {
            Fault::Output(OutputEnd::Closed) => self.process.epitaph(),
            _ => (None, self.process.last_words()),
        };
        let reason = match status {
            Some(status) => format!("it ended by itself: {status}"),
            None => fault.to_string(),
        };
        (reason, words)
    }

    /// Asks it to end; what is left is ended by [`Process::stop`], which waits.
    pub fn part(self) -> Process {
        // One that does not read is ended without this.
        let _ = self.notify("shutdown", &json!({}));
        self.process
    }
}
