//! The thread that highlights.

use super::document::{Document, Lines};
use super::grammars::Grammars;
use super::paint::{Painter, Themes as ThemeSet};
use super::states::Age;
use crate::companion::{Call, Desk, Mail, Mailbox, Notice, Reply, Snapshot};
use crate::editor::EditorError;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{
    BufferKey, BufferLanguage, Highlight, Highlighted, LanguageList, Languages,
    MAX_HIGHLIGHT_LINES, SetLanguage, ThemeList, Themes, XiEvent, XiRequest,
};

/// So long the background works before it looks for mail.
const SLICE: Duration = Duration::from_millis(1);
/// Lines that look different are collected for so long before the client is told.
const COLLECT: Duration = Duration::from_millis(50);
/// So long the editing loop may take to note a language.
const EDITOR: Duration = Duration::from_secs(10);
/// Without work, mail is waited for in turns of so long.
const IDLE: Duration = Duration::from_secs(3_600);

/// What the thread holds.
pub(super) struct Worker {
    desk: Desk,
    mailbox: Mailbox,
    grammars: Grammars,
    themes: ThemeSet,
    documents: BTreeMap<BufferKey, Document>,
    age: Age,
    /// Since when lines wait to be told of.
    stale_since: Option<Instant>,
}

/// Starts the thread's work: what it needs is loaded there.
pub(super) fn run(desk: Desk, mailbox: Mailbox, open: BTreeMap<BufferKey, Snapshot>) {
    lower_priority();
    let grammars = Grammars::load();
    let documents = open
        .into_iter()
        .map(|(key, now)| (key, Document::new(now, &grammars)))
        .collect();
    let worker = Worker {
        desk,
        mailbox,
        grammars,
        themes: ThemeSet::load(),
        documents,
        age: 0,
        stale_since: None,
    };
    worker.serve();
}

/// Typing and answers of others go first.
fn lower_priority() {
    // On Linux a priority is one of the thread; elsewhere it would be the process's.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!(%error, "highlighting keeps its priority");
    }
}

impl Worker {
    fn serve(mut self) {
        loop {
            let newest = self.newest();
            let wait = if newest.is_some() || self.stale_since.is_some() {
                Duration::ZERO
            } else {
                IDLE
            };
            match (self.mailbox.take(wait), newest) {
                (Some(mail), _) => self.mail(mail),
                (None, _) if self.mailbox.ended() => return,
                (None, Some(key)) => self.work(key),
                (None, None) => self.tell_stale(),
            }
        }
    }

    /// The buffer with the newest work.
    fn newest(&self) -> Option<BufferKey> {
        let waiting = |(key, document): (&BufferKey, &Document)| Some((document.waiting()?, *key));
        self.documents.iter().filter_map(waiting).max().map(|w| w.1)
    }

    fn work(&mut self, key: BufferKey) {
        if let Some(document) = self.documents.get_mut(&key) {
            document.work(&self.grammars, Instant::now() + SLICE);
            self.note_stale(key);
        }
        if self
            .stale_since
            .is_some_and(|since| since.elapsed() >= COLLECT)
        {
            self.tell_stale();
        }
    }

    fn note_stale(&mut self, key: BufferKey) {
        if self.documents.get(&key).is_some_and(Document::is_stale) {
            self.stale_since.get_or_insert_with(Instant::now);
        }
    }

    fn tell_stale(&mut self) {
        self.stale_since = None;
        for (key, document) in &mut self.documents {
            if let Some((first_line, last_line)) = document.take_stale() {
                self.desk.tell(&XiEvent::HighlightsStale {
                    buffer: *key,
                    revision: document.snapshot().revision,
                    first_line,
                    last_line: Some(last_line),
                });
            }
        }
    }

    fn tell_all_stale(&self, key: BufferKey) {
        if let Some(document) = self.documents.get(&key) {
            self.desk.tell(&XiEvent::HighlightsStale {
                buffer: key,
                revision: document.snapshot().revision,
                first_line: 0,
                last_line: None,
            });
        }
    }

    fn mail(&mut self, mail: Mail) {
        match mail {
            Mail::Notice(notice) => self.notice(notice),
            Mail::Resync(all) => {
                let open = |key: &BufferKey| all.iter().any(|now| now.buffer == *key);
                self.documents.retain(|key, _| open(key));
                for now in all {
                    self.replaced(now);
                }
            }
            Mail::Call(call) => self.call(call),
        }
    }

    fn notice(&mut self, notice: Notice) {
        // Lines found so far are those of the revision before.
        if self.stale_since.is_some() {
            self.tell_stale();
        }
        match notice {
            Notice::Opened(now) => self.replaced(now),
            Notice::Changed { now, edits, .. } => {
                let key = now.buffer;
                self.age += 1;
                let Some(document) = self.documents.get_mut(&key) else {
                    return self.replaced(now);
                };
                if document.change(now, &edits, &self.grammars, self.age) {
                    self.tell_all_stale(key);
                }
            }
            Notice::Saved(now) => {
                let key = now.buffer;
                let document = self.documents.get_mut(&key);
                if document.is_some_and(|d| d.moved(now, &self.grammars)) {
                    self.tell_all_stale(key);
                }
            }
            Notice::Closed(key) => {
                self.documents.remove(&key);
            }
        }
    }

    fn replaced(&mut self, now: Snapshot) {
        let key = now.buffer;
        match self.documents.get_mut(&key) {
            Some(document) => {
                if document.replace(now, &self.grammars) {
                    self.tell_all_stale(key);
                }
            }
            None => {
                let document = Document::new(now, &self.grammars);
                self.documents.insert(key, document);
            }
        }
    }

    fn call(&mut self, call: Call) {
        match call.method() {
            Highlight::METHOD => {
                if let Some((request, reply)) = call.read::<Highlight>() {
                    self.highlight(&request, reply);
                }
            }
            SetLanguage::METHOD => {
                if let Some((request, reply)) = call.read::<SetLanguage>() {
                    reply.give(self.set_language(&request));
                }
            }
            Languages::METHOD => {
                if let Some((_, reply)) = call.read::<Languages>() {
                    let languages = self.grammars.list();
                    reply.give(Ok(LanguageList { languages }));
                }
            }
            Themes::METHOD => {
                if let Some((_, reply)) = call.read::<Themes>() {
                    let themes = self.themes.list();
                    reply.give(Ok(ThemeList { themes }));
                }
            }
            other => {
                let error = RpcError::method_not_found(other);
                call.refuse(error);
            }
        }
    }

    fn highlight(&mut self, request: &Highlight, reply: Reply<Highlight>) {
        if reply.is_cancelled() {
            return;
        }
        let outcome = self.highlighted(request, || reply.is_cancelled());
        self.note_stale(request.buffer);
        if let Some(outcome) = outcome.transpose() {
            reply.give(outcome);
        }
    }

    /// `None` when nobody waits for it any more.
    fn highlighted(
        &mut self,
        request: &Highlight,
        given_up: impl Fn() -> bool,
    ) -> Result<Option<Highlighted>, RpcError> {
        let (first, last) = (request.first_line, request.last_line);
        if last < first || last - first >= MAX_HIGHLIGHT_LINES {
            let why = format!(
                "lines {first} to {last}: must be 1 to {MAX_HIGHLIGHT_LINES} lines in order"
            );
            return Err(RpcError::new(code::INVALID_PARAMS, why));
        }
        let theme = match &request.theme {
            None => None,
            Some(name) => Some(self.themes.get(name).ok_or_else(|| {
                let why = format!("there is no theme {name:?}: `themes` lists them");
                RpcError::new(code::INVALID_PARAMS, why)
            })?),
        };
        let document = self
            .documents
            .get_mut(&request.buffer)
            .ok_or(EditorError::NoBuffer(request.buffer))?;
        let text = &document.snapshot().text;
        let all = text.lines();
        let lines = Lines {
            first: first.min(all),
            end: last.saturating_add(1).min(all),
        };
        let start = text.line_start(lines.first);
        let mut painter = Painter::new(theme);
        self.age += 1;
        let certain = document.answer(&self.grammars, lines, &mut painter, self.age, given_up);
        let Some(certain) = certain else {
            return Ok(None);
        };
        let mut answer = Highlighted {
            revision: document.snapshot().revision,
            language: document.language().to_owned(),
            first_line: lines.first,
            end_line: lines.end,
            start,
            provisional: !certain,
            scopes: Vec::new(),
            styles: Vec::new(),
            default_style: None,
            spans: Vec::new(),
        };
        painter.finish(&mut answer);
        Ok(Some(answer))
    }

    fn set_language(&mut self, request: &SetLanguage) -> Result<BufferLanguage, RpcError> {
        let language = match &request.language {
            None => None,
            Some(name) => Some(self.grammars.named(name).ok_or_else(|| {
                let why = format!("there is no language {name:?}: `languages` lists them");
                RpcError::new(code::INVALID_PARAMS, why)
            })?),
        };
        let document = self
            .documents
            .get_mut(&request.buffer)
            .ok_or(EditorError::NoBuffer(request.buffer))?;
        let all_stale = document.choose(language, &self.grammars);
        let language = document.language().to_owned();
        if all_stale {
            self.tell_all_stale(request.buffer);
        }
        // What a comment is, and what is closed as it is typed, follows.
        let asked = request.language.as_deref();
        let names = asked.map_or_else(Vec::new, |asked| self.grammars.names(asked, &language));
        let buffer = request.buffer;
        self.desk
            .ask(EDITOR, move |editor| editor.choose_language(buffer, &names))
            .map_err(|error| RpcError::new(code::TIMEOUT, error.to_string()))??;
        Ok(BufferLanguage { language })
    }
}
