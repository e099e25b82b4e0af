//! Starting, ending, starting again.

use super::{IDLE, Phase, START_TIMEOUT, Server};
use crate::child::Program;
use crate::languages::documents::Documents;
use crate::languages::link::Link;
use crate::languages::table::program_of;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::{RpcError, code};

/// A server that ended so often within [`WINDOW`] is given up.
const MAX_ENDS: usize = 5;
/// See [`MAX_ENDS`].
const WINDOW: Duration = Duration::from_secs(60);
/// The pause before the first restart; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A missing program is looked for again after so long.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Last words are waited for so long, so many times.
const LISTEN: (Duration, u8) = (Duration::from_millis(10), 5);
/// Of what a server said last, so much is told.
const LAST_WORDS: usize = 400;

impl Server {
    /// Starts the server if it is not running and may be started.
    pub fn need(&mut self, now: Instant) {
        match self.phase {
            Phase::Stopped => self.start(now),
            Phase::Missing(looked) if now.duration_since(looked) > LOOK_AGAIN => self.start(now),
            _ => {}
        }
    }

    fn start(&mut self, now: Instant) {
        let path = std::env::var_os("PATH");
        let Some(executable) = program_of(&self.spec, path.as_deref()) else {
            self.phase = Phase::Missing(now);
            self.reported.error = Some(self.how_to_get_it());
            return;
        };
        let program = Program {
            executable,
            arguments: self.spec.args.iter().map(Into::into).collect(),
            folder: Some(self.root.clone()),
        };
        match Link::start(&program, &self.mailbox) {
            Ok(link) => {
                self.link = Some(link);
                self.phase = Phase::Starting(now);
                let id = self.next_id();
                self.hello = Some(id);
                let params = self.hello_params();
                self.request(id, "initialize", params);
            }
            Err(error) => self.fail(&format!("it cannot be started: {error}"), now),
        }
    }

    fn how_to_get_it(&self) -> String {
        let command = &self.spec.command;
        let install = match self.spec.install.as_str() {
            "" => "install it".to_owned(),
            how => format!("install it ({how})"),
        };
        format!(
            "`{command}` is not found on the PATH: {install}, or name another program for \
             {} in `language_servers`",
            self.spec.language
        )
    }

    /// Refuses when it neither works nor will soon.
    ///
    /// # Errors
    /// Why that is so.
    pub fn usable(&self) -> Result<(), RpcError> {
        match self.phase {
            Phase::Missing(_) | Phase::GivenUp | Phase::Stopped => Err(self.unusable()),
            Phase::Starting(_) | Phase::Ready | Phase::Restarting(_) => Ok(()),
        }
    }

    /// Why a server that is not running cannot be used.
    pub(super) fn unusable(&self) -> RpcError {
        let why = self.reported.error.clone();
        let why = why.unwrap_or_else(|| format!("{} is not running", self.spec.command));
        let (code, reason) = match self.phase {
            Phase::Missing(_) => (code::UNSUPPORTED, "missing_program"),
            Phase::GivenUp => (code::UPSTREAM, "given_up"),
            _ => (code::UPSTREAM, "ended"),
        };
        let data = json!({"reason": reason, "retryable": false});
        RpcError::new(code, why).with_data(data)
    }

    /// `initialize` is answered: the server gets its texts and what waited for it.
    pub(super) fn begin(
        &mut self,
        outcome: Result<Value, RpcError>,
        documents: &Documents,
        now: Instant,
    ) {
        self.hello = None;
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) => return self.fail(&format!("it refuses to work: {error}"), now),
        };
        self.take_hello(&answer);
        self.phase = Phase::Ready;
        self.notify("initialized", json!({}));
        if !self.spec.settings.is_null() {
            let settings = json!({"settings": self.spec.settings});
            self.notify("workspace/didChangeConfiguration", settings);
        }
        for buffer in self.buffers.clone() {
            if let Some(document) = documents.get(buffer) {
                self.open_text(document);
            }
        }
        for queued in std::mem::take(&mut self.queued) {
            self.ask(queued.ask, documents, now);
        }
    }

    /// The server is of no use any more: it is ended, and started again later.
    pub(super) fn fail(&mut self, why: &str, now: Instant) {
        let mut error = format!("{} ended: {why}", self.spec.command);
        if let Some(link) = self.link.take() {
            let words = last_words(&link);
            if !words.is_empty() {
                error = format!("{error}; its last words: {words}");
            }
        }
        tracing::warn!(error, "a language server failed");
        self.forget_run();
        self.reported.error = Some(error.clone());
        while self
            .ends
            .front()
            .is_some_and(|end| now.duration_since(*end) > WINDOW)
        {
            self.ends.pop_front();
        }
        self.ends.push_back(now);
        let retryable = self.ends.len() < MAX_ENDS;
        let data = json!({"reason": "ended", "retryable": retryable});
        let lost = RpcError::new(code::UPSTREAM, error).with_data(data);
        if retryable {
            let times = u32::try_from(self.ends.len() - 1).unwrap_or(0);
            self.phase = Phase::Restarting(now + FIRST_PAUSE * 2_u32.pow(times));
            self.refuse_pending(&lost);
        } else {
            self.phase = Phase::GivenUp;
            self.refuse_all(&lost);
            self.forget_diagnostics();
        }
    }

    /// Forgets what belongs to the process that ended.
    fn forget_run(&mut self) {
        self.hello = None;
        self.unheard = 0;
        self.held.clear();
        self.wanted.clear();
        self.reported.progress.clear();
    }

    /// Ends the server; its requests are refused.
    pub fn stop(&mut self) {
        if self.phase == Phase::Ready {
            let id = self.next_id();
            self.request(id, "shutdown", Value::Null);
            self.notify("exit", Value::Null);
        }
        if let Some(link) = self.link.take() {
            link.stop();
        }
        self.forget_run();
        self.phase = Phase::Stopped;
        let why = format!("{} was stopped", self.spec.command);
        let data = json!({"reason": "ended", "retryable": true});
        self.refuse_all(&RpcError::new(code::UPSTREAM, why).with_data(data));
        self.forget_diagnostics();
    }

    fn forget_diagnostics(&mut self) {
        let published = std::mem::take(&mut self.published);
        self.changed.extend(published.into_keys());
    }

    /// Ends the server and starts it anew, whatever happened before.
    pub fn restart(&mut self, now: Instant) {
        self.stop();
        self.ends.clear();
        self.reported.error = None;
        self.start(now);
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        self.give_up(now);
        match self.phase {
            Phase::Starting(since) if now.duration_since(since) > START_TIMEOUT => {
                self.fail("it did not answer `initialize`", now);
            }
            Phase::Restarting(at) if at <= now && self.buffers.is_empty() => self.stop(),
            Phase::Restarting(at) if at <= now => self.start(now),
            Phase::Ready | Phase::Starting(_) => self.stop_when_idle(now),
            _ => {}
        }
    }

    fn stop_when_idle(&mut self, now: Instant) {
        if !self.buffers.is_empty() {
            self.idle_since = None;
            return;
        }
        let since = *self.idle_since.get_or_insert(now);
        let idle = self.spec.idle_ms.map_or(IDLE, Duration::from_millis);
        if now.duration_since(since) >= idle {
            self.idle_since = None;
            self.stop();
        }
    }

    /// When something is due, looking at time only.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let idle = self.spec.idle_ms.map_or(IDLE, Duration::from_millis);
        let phase = match self.phase {
            Phase::Starting(since) => Some(since + START_TIMEOUT),
            Phase::Restarting(at) => Some(at),
            Phase::Ready => self.idle_since.map(|since| since + idle),
            _ => None,
        };
        phase.into_iter().chain(self.told_at(now)).min()
    }
}

/// What a server that failed wrote last to standard error; it may be on its way still.
fn last_words(link: &Link) -> String {
    let words = (0..LISTEN.1)
        .map(|i| {
            std::thread::sleep(LISTEN.0 * u32::from(i > 0));
            link.last_words().join("\n")
        })
        .find(|words| !words.trim().is_empty())
        .unwrap_or_default();
    let from = words.ceil_char_boundary(words.len().saturating_sub(LAST_WORDS));
    words[from..].trim().to_owned()
}
