//! The thread of the language servers: its mail, its servers, its clock.

use super::documents::{Document, Documents, MAX_TEXT};
use super::feature::{Asking, Feature};
use super::server::Server;
use super::table::{Table, root_of};
use crate::companion::{Call, Desk, Mail, Mailbox, Notice, Snapshot};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{
    BufferKey, Complete, Diagnostics, Empty, FindDefinition, FindReferences, FindWorkspaceSymbols,
    FormatText, GetLanguageStatus, HoverAt, LanguageServer, LanguageStatus, ListCodeActions,
    ListDiagnostics, ListDocumentSymbols, ListInlayHints, PrepareRename, RenameSymbol,
    ResolveCodeAction, ResolveCompletion, RestartLanguageServer, RunCodeAction,
    SetLanguageFeatures, SignatureHelpAt, XiRequest,
};

/// The methods that are answered here.
pub const METHODS: &[&str] = &[
    Complete::METHOD,
    ResolveCompletion::METHOD,
    HoverAt::METHOD,
    SignatureHelpAt::METHOD,
    FindDefinition::METHOD,
    FindReferences::METHOD,
    PrepareRename::METHOD,
    RenameSymbol::METHOD,
    FormatText::METHOD,
    ListCodeActions::METHOD,
    ResolveCodeAction::METHOD,
    RunCodeAction::METHOD,
    ListDocumentSymbols::METHOD,
    FindWorkspaceSymbols::METHOD,
    ListInlayHints::METHOD,
    ListDiagnostics::METHOD,
    GetLanguageStatus::METHOD,
    SetLanguageFeatures::METHOD,
    RestartLanguageServer::METHOD,
];

/// While requests are under way, their cancellation is looked for so often.
const POLL: Duration = Duration::from_millis(15);
/// The thread looks around at least so often.
const REST: Duration = Duration::from_secs(5);
/// So much mail is taken before the servers get their turn.
const TURN: usize = 64;

/// What the client wants, from `initialize`.
#[derive(Default)]
pub struct Wishes {
    /// Its own servers.
    pub servers: Vec<LanguageServer>,
    /// Whether every buffer has its server.
    pub features: bool,
}

/// All language servers and what they need to know.
pub struct Worker {
    mailbox: Mailbox,
    desk: Desk,
    table: Table,
    features: bool,
    documents: Documents,
    servers: Vec<Server>,
}

impl Worker {
    /// A worker without servers.
    pub fn new(mailbox: Mailbox, desk: Desk, wishes: Wishes) -> Self {
        Self {
            mailbox,
            desk,
            table: Table::new(wishes.servers),
            features: wishes.features,
            documents: Documents::default(),
            servers: Vec::new(),
        }
    }

    /// Works until the mailbox is closed.
    pub fn run(mut self) {
        let mut more = false;
        while !self.mailbox.ended() {
            let wait = if more { Duration::ZERO } else { self.pause() };
            let mut mail = self.mailbox.take(wait);
            let mut taken = 0;
            while let Some(piece) = mail {
                self.take(piece);
                taken += 1;
                mail = (taken < TURN)
                    .then(|| self.mailbox.take(Duration::ZERO))
                    .flatten();
            }
            more = self.turn() || taken == TURN;
        }
        self.servers.iter_mut().for_each(Server::stop);
    }

    /// How long nothing has to be done without mail.
    fn pause(&self) -> Duration {
        let now = Instant::now();
        let due = self
            .servers
            .iter()
            .filter_map(|server| server.due(now))
            .min();
        let due = due.map_or(REST, |at| at.saturating_duration_since(now));
        let busy = self.servers.iter().any(Server::is_busy);
        if busy { due.min(POLL) } else { due.min(REST) }
    }

    /// Gives each server its turn; true when there is more to do at once.
    fn turn(&mut self) -> bool {
        let now = Instant::now();
        let mut more = false;
        for server in &mut self.servers {
            more |= server.receive(&self.documents, now);
            server.tick(now);
            let newest = |buffer| self.documents.get(buffer).map_or(0, |d| d.revision);
            for event in server.events(newest, now) {
                self.desk.tell(&event);
            }
        }
        more
    }

    fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Notice(notice) => self.notice(notice),
            Mail::Resync(all) => self.resync(all),
            Mail::Call(call) => self.call(call),
        }
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Opened(now) => self.opened(now),
            Notice::Changed { now, edits, .. } => {
                let buffer = now.buffer;
                let Some(document) = self.documents.get_mut(buffer) else {
                    return;
                };
                let before = document.change(now, edits.clone());
                if let Some(server) = server_of(&mut self.servers, buffer) {
                    server.change(document, &before, &edits);
                }
            }
            Notice::Saved(now) => self.saved(now),
            Notice::Closed(buffer) => self.closed(buffer),
        }
    }

    fn opened(&mut self, now: Snapshot) {
        let buffer = now.buffer;
        self.documents.insert(Document::new(now, self.features));
        self.serve_if_wanted(buffer);
    }

    /// Gives a buffer its server when its features are on; without one it has none.
    fn serve_if_wanted(&mut self, buffer: BufferKey) {
        if self.documents.get(buffer).is_some_and(|d| d.features)
            && let Err(error) = self.serve(buffer)
        {
            tracing::debug!(%error, "a buffer has no language server");
        }
    }

    fn saved(&mut self, now: Snapshot) {
        let buffer = now.buffer;
        let Some(document) = self.documents.get_mut(buffer) else {
            return;
        };
        if document.path == now.path {
            if let Some(server) = server_of(&mut self.servers, buffer) {
                server.saved(document);
            }
            return;
        }
        // It is another file from now on, maybe of another language.
        let path = std::mem::replace(&mut document.path, now.path);
        let server = server_of(&mut self.servers, buffer);
        let had_server = server.is_some();
        if let Some(server) = server {
            server.detach(buffer, path.as_deref());
        }
        if had_server {
            // Without a server for the new file it has none, as said when asked.
            let _ = self.serve(buffer);
        } else {
            self.serve_if_wanted(buffer);
        }
    }

    fn closed(&mut self, buffer: BufferKey) {
        let document = self.documents.remove(buffer);
        if let Some(server) = server_of(&mut self.servers, buffer) {
            let path = document.and_then(|d| d.path);
            server.detach(buffer, path.as_deref());
        }
    }

    fn resync(&mut self, all: Vec<Snapshot>) {
        let open: BTreeSet<BufferKey> = all.iter().map(|now| now.buffer).collect();
        for buffer in self.documents.keys() {
            if !open.contains(&buffer) {
                self.closed(buffer);
            }
        }
        for now in all {
            let buffer = now.buffer;
            let Some(document) = self.documents.get_mut(buffer) else {
                self.opened(now);
                continue;
            };
            if document.path != now.path {
                let path = document.path.clone();
                document.replace(now);
                let server = server_of(&mut self.servers, buffer);
                if let Some(server) = server {
                    server.detach(buffer, path.as_deref());
                    // As after a save to another file.
                    let _ = self.serve(buffer);
                }
            } else if document.revision != now.revision {
                document.replace(now);
                if let Some(server) = server_of(&mut self.servers, buffer) {
                    server.replace(document);
                }
            }
        }
    }

    /// Gives a buffer its server, started if need be; its index.
    fn serve(&mut self, buffer: BufferKey) -> Result<usize, RpcError> {
        let now = Instant::now();
        let found = self
            .servers
            .iter()
            .position(|s| s.buffers.contains(&buffer));
        if let Some(index) = found {
            self.servers[index].need(now);
            return Ok(index);
        }
        let document = self.documents.get(buffer).ok_or_else(|| not_open(buffer))?;
        let refuse = |reason: &str, why: String| {
            RpcError::new(code::UNSUPPORTED, why).with_data(json!({"reason": reason}))
        };
        let Some(path) = document.path.as_deref() else {
            let why = "the buffer has no file: save it first".to_owned();
            return Err(refuse("no_file", why));
        };
        let len = document.source.text().len();
        if len > MAX_TEXT {
            let why = format!("{len} bytes are too many for a language server ({MAX_TEXT})");
            return Err(refuse("too_large", why));
        }
        let spec = self.table.server_of(path).filter(|s| !s.command.is_empty());
        let Some(spec) = spec else {
            let why = format!(
                "no language server is known for {}: name one in `language_servers`",
                path.display()
            );
            return Err(refuse("no_server", why));
        };
        let root = root_of(spec, path);
        let same = |s: &Server| s.spec.language == spec.language && s.root == root;
        let index = self.servers.iter().position(same).unwrap_or_else(|| {
            let server = Server::new(spec.clone(), root.clone(), self.mailbox.clone());
            self.servers.push(server);
            self.servers.len() - 1
        });
        let server = &mut self.servers[index];
        server.attach(document);
        server.need(now);
        Ok(index)
    }

    fn call(&mut self, call: Call) {
        match call.method() {
            Complete::METHOD => self.ask::<Complete>(call),
            ResolveCompletion::METHOD => self.ask::<ResolveCompletion>(call),
            HoverAt::METHOD => self.ask::<HoverAt>(call),
            SignatureHelpAt::METHOD => self.ask::<SignatureHelpAt>(call),
            FindDefinition::METHOD => self.ask::<FindDefinition>(call),
            FindReferences::METHOD => self.ask::<FindReferences>(call),
            PrepareRename::METHOD => self.ask::<PrepareRename>(call),
            RenameSymbol::METHOD => self.ask::<RenameSymbol>(call),
            FormatText::METHOD => self.ask::<FormatText>(call),
            ListCodeActions::METHOD => self.ask::<ListCodeActions>(call),
            ResolveCodeAction::METHOD => self.ask::<ResolveCodeAction>(call),
            RunCodeAction::METHOD => self.ask::<RunCodeAction>(call),
            ListDocumentSymbols::METHOD => self.ask::<ListDocumentSymbols>(call),
            FindWorkspaceSymbols::METHOD => self.ask::<FindWorkspaceSymbols>(call),
            ListInlayHints::METHOD => self.ask::<ListInlayHints>(call),
            ListDiagnostics::METHOD => self.answer(call, Self::diagnostics),
            GetLanguageStatus::METHOD => self.answer(call, Self::status),
            SetLanguageFeatures::METHOD => self.answer(call, Self::set_features),
            RestartLanguageServer::METHOD => self.answer(call, Self::restart),
            other => {
                let error = RpcError::method_not_found(other);
                call.refuse(error);
            }
        }
    }

    fn ask<F: Feature>(&mut self, call: Call) {
        let Some((request, reply)) = call.read::<F>() else {
            return;
        };
        match self.serve(request.buffer()) {
            Ok(index) => {
                let ask = Box::new(Asking { request, reply });
                self.servers[index].ask(ask, &self.documents, Instant::now());
            }
            Err(error) => reply.give(Err(error)),
        }
    }

    fn answer<R: XiRequest>(
        &mut self,
        call: Call,
        with: impl FnOnce(&mut Self, &R) -> Result<R::Answer, RpcError>,
    ) {
        if let Some((request, reply)) = call.read::<R>() {
            reply.give(with(self, &request));
        }
    }

    fn diagnostics(&mut self, request: &ListDiagnostics) -> Result<Diagnostics, RpcError> {
        let buffer = request.buffer;
        let index = self.serve(buffer)?;
        let document = self.documents.get(buffer).ok_or_else(|| not_open(buffer))?;
        self.servers[index].usable()?;
        let published = self.servers[index].published.get(&buffer);
        Ok(Diagnostics {
            revision: document.revision,
            judged: published.map(|p| p.judged),
            diagnostics: published.map(|p| p.diagnostics.clone()).unwrap_or_default(),
        })
    }

    fn status(&mut self, _: &GetLanguageStatus) -> Result<LanguageStatus, RpcError> {
        Ok(LanguageStatus {
            servers: self.servers.iter().map(Server::status).collect(),
        })
    }

    fn set_features(&mut self, request: &SetLanguageFeatures) -> Result<Empty, RpcError> {
        let buffer = request.buffer;
        let document = self
            .documents
            .get_mut(buffer)
            .ok_or_else(|| not_open(buffer))?;
        document.features = request.on;
        if request.on {
            let index = self.serve(buffer)?;
            self.servers[index].usable()?;
        } else if let Some(server) = server_of(&mut self.servers, buffer) {
            let path = document.path.clone();
            server.detach(buffer, path.as_deref());
        }
        Ok(Empty {})
    }

    fn restart(&mut self, request: &RestartLanguageServer) -> Result<Empty, RpcError> {
        let index = self.serve(request.buffer)?;
        self.servers[index].restart(Instant::now());
        self.servers[index].usable()?;
        Ok(Empty {})
    }
}

fn server_of(servers: &mut [Server], buffer: BufferKey) -> Option<&mut Server> {
    servers.iter_mut().find(|s| s.buffers.contains(&buffer))
}

fn not_open(buffer: BufferKey) -> RpcError {
    RpcError::new(code::NOT_FOUND, format!("no buffer {buffer} is open"))
}
