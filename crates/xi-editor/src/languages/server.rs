//! One language server: its process, its texts, the requests that it works at.

mod hello;
mod life;
mod messages;
mod status;
mod texts;

use super::documents::{Asked, Document, Documents};
use super::feature::{Ask, Context, Held, Pending, Queued, too_late};
use super::link::Link;
use super::positions::Columns;
use crate::companion::Mailbox;
use serde_json::{Value, json};
use status::Reported;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{
    BufferKey, Diagnostic, LanguageServer, RevisionNumber, RunCodeAction, Span, XiRequest,
};

/// A request takes at most so long where nothing else is configured.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A server that is not ready after so long is ended.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// A server without buffers is stopped after so long where nothing else is configured.
const IDLE: Duration = Duration::from_secs(300);
/// So many requests of one server wait or are worked at.
const MAX_REQUESTS: usize = 256;

/// After so many requests that took too long, and no message, a server counts as hanging.
const MAX_UNHEARD: usize = 3;

/// What a server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its program is not there; looked for last at that time.
    Missing(Instant),
    /// `initialize` is not answered; started at that time.
    Starting(Instant),
    /// It works.
    Ready,
    /// It ended by itself and is started again at that time.
    Restarting(Instant),
    /// It ended by itself too often.
    GivenUp,
    /// Nobody needs it.
    Stopped,
}

/// How a server wants to be told of changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sync {
    /// Not at all.
    #[default]
    Nothing,
    /// The whole text.
    Full,
    /// What changed.
    Incremental,
}

/// What a server said against a text.
pub(super) struct Published {
    /// The revision that it judged.
    pub judged: RevisionNumber,
    /// In our form, positions of the newest revision.
    pub diagnostics: Vec<Diagnostic>,
    /// In its own form, with the same positions.
    pub raw: Vec<(Span, Value)>,
}

/// One language server.
pub(super) struct Server {
    pub spec: Arc<LanguageServer>,
    pub root: PathBuf,
    pub phase: Phase,
    /// The buffers that it serves.
    pub buffers: BTreeSet<BufferKey>,
    pub published: BTreeMap<BufferKey, Published>,
    mailbox: Mailbox,
    link: Option<Link>,
    /// The number of our last request.
    last_id: i64,
    /// The number of `initialize`, until it is answered.
    hello: Option<i64>,
    columns: Columns,
    capabilities: Value,
    sync: Sync,
    /// Whether it wants to hear of saves, and with the text.
    saves: Option<bool>,
    pending: BTreeMap<i64, Pending>,
    /// So many requests took too long since its last message.
    unheard: usize,
    queued: VecDeque<Queued>,
    held: Held,
    /// Edits that it wanted made while it runs a command.
    wanted: Vec<Value>,
    /// When it ended by itself lately.
    ends: VecDeque<Instant>,
    idle_since: Option<Instant>,
    reported: Reported,
    /// Buffers whose diagnostics changed and were not told of.
    pub changed: BTreeSet<BufferKey>,
    told_diagnostics: Option<Instant>,
}

impl Server {
    /// A server that is not started.
    pub fn new(spec: Arc<LanguageServer>, root: PathBuf, mailbox: Mailbox) -> Self {
        Self {
            spec,
            root,
            phase: Phase::Stopped,
            buffers: BTreeSet::new(),
            published: BTreeMap::new(),
            mailbox,
            link: None,
            last_id: 0,
            hello: None,
            columns: Columns::Utf16,
            capabilities: Value::Null,
            sync: Sync::Nothing,
            saves: None,
            pending: BTreeMap::new(),
            unheard: 0,
            queued: VecDeque::new(),
            held: Held::default(),
            wanted: Vec::new(),
            ends: VecDeque::new(),
            idle_since: None,
            reported: Reported::default(),
            changed: BTreeSet::new(),
            told_diagnostics: None,
        }
    }

    fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    fn timeout(&self) -> Duration {
        self.spec.timeout_ms.map_or(TIMEOUT, Duration::from_millis)
    }

    /// Takes a request: sends it, or keeps it until the server is ready.
    pub fn ask(&mut self, ask: Box<dyn Ask>, documents: &Documents, now: Instant) {
        match self.phase {
            _ if self.pending.len() + self.queued.len() >= MAX_REQUESTS => {
                let why = format!("too many requests wait for {}", self.spec.command);
                ask.refuse(RpcError::new(code::BUSY, why));
            }
            Phase::Ready => self.send_ask(ask, documents, now),
            Phase::Starting(_) | Phase::Restarting(_) => {
                let deadline = now + START_TIMEOUT + self.timeout();
                self.queued.push_back(Queued { ask, deadline });
            }
            Phase::Missing(_) | Phase::GivenUp | Phase::Stopped => ask.refuse(self.unusable()),
        }
    }

    fn send_ask(&mut self, ask: Box<dyn Ask>, documents: &Documents, now: Instant) {
        if ask.is_cancelled() {
            return;
        }
        let Some((document, asked)) = self.asked(ask.buffer(), documents) else {
            let why = format!("no buffer {} is open", ask.buffer());
            return ask.refuse(RpcError::new(code::NOT_FOUND, why));
        };
        let mut context = self.context(documents, document);
        let question = context
            .needs(ask.capability())
            .and_then(|()| ask.question(&asked, &context));
        let (method, params) = match question {
            Ok(question) => question,
            Err(error) => return ask.refuse(error),
        };
        if method.is_empty() {
            return ask.finish(params, &asked, &mut context);
        }
        drop(context);
        if method == "workspace/executeCommand" {
            // What one command wants is not what another one wanted.
            if self.runs_command() {
                let why = format!("{} runs a command already", self.spec.command);
                return ask.refuse(RpcError::new(code::BUSY, why));
            }
            self.wanted.clear();
        }
        let id = self.next_id();
        let deadline = now + self.timeout();
        self.pending.insert(
            id,
            Pending {
                ask,
                asked,
                deadline,
            },
        );
        self.request(id, method, params);
    }

    fn runs_command(&self) -> bool {
        let run = RunCodeAction::METHOD;
        self.pending.values().any(|p| p.ask.method() == run)
    }

    /// What is asked about, as it is now.
    fn asked<'a>(
        &self,
        buffer: BufferKey,
        documents: &'a Documents,
    ) -> Option<(&'a Document, Asked)> {
        let document = documents.get(buffer)?;
        let uri = super::documents::uri_of(document.path.as_deref()?)?;
        let asked = Asked {
            buffer,
            uri,
            revision: document.revision,
            source: document.source.clone(),
            columns: self.columns,
            revisions: Arc::new(documents.revisions()),
        };
        Some((document, asked))
    }

    fn context<'a>(&'a mut self, documents: &'a Documents, document: &'a Document) -> Context<'a> {
        let published = self.published.get(&document.buffer);
        Context {
            documents,
            document,
            held: &mut self.held,
            diagnostics: published.map_or(&[], |p| &p.raw),
            wanted: Vec::new(),
            capabilities: &self.capabilities,
        }
    }

    /// An answer to a request of ours came.
    fn answered(&mut self, id: i64, outcome: Result<Value, RpcError>, documents: &Documents) {
        let Some(pending) = self.pending.remove(&id) else {
            // Given up meanwhile.
            return;
        };
        let Pending { ask, asked, .. } = pending;
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) => return ask.refuse(self.as_ours(error)),
        };
        let Some(document) = documents.get(asked.buffer) else {
            return ask.refuse(RpcError::new(code::NOT_FOUND, "the buffer was closed"));
        };
        let wanted = std::mem::take(&mut self.wanted);
        let mut context = self.context(documents, document);
        context.wanted = wanted;
        ask.finish(answer, &asked, &mut context);
    }

    /// A server's error as ours.
    fn as_ours(&self, error: RpcError) -> RpcError {
        // ContentModified and ServerCancelled: it was overtaken by an edit.
        if matches!(error.code, -32801 | -32802 | code::CANCELLED) {
            let data = json!({"reason": "text_changed"});
            return RpcError::new(code::CONFLICT, "the text changed meanwhile: ask again")
                .with_data(data);
        }
        let why = format!("{}: {}", self.spec.command, error.message);
        let data = json!({"retryable": false, "code": error.code});
        RpcError::new(code::UPSTREAM, why).with_data(data)
    }

    /// Gives up requests that nobody waits for, or that took too long.
    pub fn give_up(&mut self, now: Instant) {
        let gone = |p: &Pending| p.deadline <= now || p.ask.is_cancelled();
        let given_up: Vec<i64> = self
            .pending
            .iter()
            .filter(|(_, p)| gone(p))
            .map(|(id, _)| *id)
            .collect();
        let (command, timeout) = (self.spec.command.clone(), self.timeout());
        for id in given_up {
            self.notify("$/cancelRequest", json!({"id": id}));
            if let Some(pending) = self.pending.remove(&id) {
                self.unheard += usize::from(!pending.ask.is_cancelled());
                let error = too_late(&command, pending.ask.method(), timeout);
                // One that was cancelled has its answer already.
                pending.ask.refuse(error);
            }
        }
        if self.unheard >= MAX_UNHEARD {
            self.fail("it answers nothing any more", now);
        }
        let waiting = std::mem::take(&mut self.queued);
        for queued in waiting {
            if queued.ask.is_cancelled() {
                continue;
            }
            if queued.deadline <= now {
                let error = too_late(&command, queued.ask.method(), START_TIMEOUT + timeout);
                queued.ask.refuse(error);
            } else {
                self.queued.push_back(queued);
            }
        }
    }

    /// Refuses every request, those under way and those that wait.
    fn refuse_all(&mut self, error: &RpcError) {
        self.refuse_pending(error);
        for queued in std::mem::take(&mut self.queued) {
            queued.ask.refuse(error.clone());
        }
    }

    fn refuse_pending(&mut self, error: &RpcError) {
        for pending in std::mem::take(&mut self.pending).into_values() {
            pending.ask.refuse(error.clone());
        }
    }

    /// Whether something is under way that has to be looked after soon.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() || !self.queued.is_empty()
    }

    fn request(&mut self, id: i64, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn send(&mut self, message: &Value) {
        let sent = self.link.as_ref().is_none_or(|link| link.send(message));
        if !sent {
            self.fail("it does not read its input", Instant::now());
        }
    }
}
