//! The protocol over two streams: a reader, one editing loop, a writer.
//!
//! The reader parses lines into a bounded queue. The loop does one request
//! after the other; those of a companion's methods are answered later, by that
//! companion. The writer takes from a bounded `outbox`. A client that
//! does not read loses events (it is told which buffers to read again) but no
//! response: when responses back up, the loop takes no further request, so
//! memory stays bounded.

mod inbox;
mod lines;
mod outbox;

use crate::companion::{Call, Cancellation, Companion, Desk};
use crate::editor::{Editor, EditorError};
pub(crate) use inbox::Inbox;
use inbox::Incoming;
pub(crate) use outbox::Outbox;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;
use symphony_ipc_protocol::jsonrpc::{self, MAX_LINE_BYTES, Message, RequestId, RpcError, code};
use symphony_ipc_protocol::xi::{
    Apply, Buffers, Cancel, Close, CloseView, Configure, Conflicts, Content, Delete,
    DiscardRecovery, EVENT_METHOD, Empty, FileChanged, Fold, Folds, Initialize, Initialized,
    Insert, Lines, ListRecoverable, LocateLine, Open, OpenView, PROTOCOL, Ping, Recover, Redo,
    Remove, Resolve, RunCommand, Save, Select, Selections, SetEncoding, SetLineEnding, SetMetrics,
    Shutdown, Undo, UndoTo, UndoTree, Unfold, XiEvent, XiRequest,
};

/// At the end, so long is waited for the client to take the last answers.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// So many unanswered calls of companions are remembered before answered ones are forgotten.
const RUNNING_CALLS: usize = 1_024;

/// Why serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The input ended.
    InputClosed,
    /// The client asked for it.
    Shutdown,
    /// Nobody reads the output any more.
    OutputClosed,
}

/// Serves one client until it leaves.
///
/// # Errors
/// When a thread cannot be started.
pub fn serve(
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
) -> std::io::Result<End> {
    let inbox = Arc::new(Inbox::default());
    let outbox = Arc::new(Outbox::default());
    let (to, from) = (Arc::clone(&inbox), Arc::clone(&outbox));
    std::thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || lines::read_into(input, &to))?;
    std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || from.write_to(output))?;
    let desk = Desk::new(Arc::clone(&inbox), Arc::clone(&outbox));
    let mut session = Session::new(&outbox, crate::companion::all(&desk));
    session.editor.set_desk(desk);
    let end = session.run(&inbox);
    inbox.close();
    outbox.finish(LAST_WRITE);
    Ok(end)
}

/// One client's state.
struct Session {
    editor: Editor,
    companions: Vec<Box<dyn Companion>>,
    /// Calls that companions have not answered, as far as is known.
    running: HashMap<RequestId, Cancellation>,
    outbox: Arc<Outbox>,
    initialized: bool,
    ending: bool,
}

impl Session {
    fn new(outbox: &Arc<Outbox>, companions: Vec<Box<dyn Companion>>) -> Self {
        Self {
            editor: Editor::default(),
            companions,
            running: HashMap::new(),
            outbox: Arc::clone(outbox),
            initialized: false,
            ending: false,
        }
    }

    fn run(&mut self, inbox: &Inbox) -> End {
        loop {
            let next = inbox.try_take().or_else(|| {
                self.editor.tidy();
                inbox.take()
            });
            let Some(incoming) = next else {
                return End::InputClosed;
            };
            let reply = self.reply(incoming);
            // Before anything of it is acknowledged.
            self.editor.commit();
            for notice in self.editor.take_notices() {
                for companion in &mut self.companions {
                    companion.told(&notice);
                }
            }
            let events = self.editor.take_events();
            if !self
                .outbox
                .push(reply, events.iter().filter_map(event_line))
            {
                return End::OutputClosed;
            }
            if self.ending {
                return End::Shutdown;
            }
        }
    }

    /// Does what a line asks for; the line to answer, if any.
    fn reply(&mut self, incoming: Incoming) -> Option<Vec<u8>> {
        match incoming {
            Incoming::Task(task) => {
                task(&mut self.editor);
                None
            }
            Incoming::Message(Message::Request { id, method, params }) => {
                let params = self.hand_over(&id, &method, params)?;
                Some(match self.request(&id, &method, params) {
                    Ok(line) => line,
                    Err(error) => {
                        tracing::debug!(%id, method, %error, "refused");
                        reply_line(Some(id), error)
                    }
                })
            }
            Incoming::Message(Message::Notification { method, .. }) => {
                tracing::warn!(
                    method,
                    "ignored a notification: there are none in this protocol"
                );
                None
            }
            Incoming::Message(Message::Response { id, .. }) => {
                tracing::warn!(?id, "ignored a response: nothing was asked");
                None
            }
            Incoming::Malformed(malformed) => {
                tracing::warn!(error = %malformed, "bad line");
                Some(malformed.into_reply().to_line().into_bytes())
            }
            Incoming::TooLong => {
                let why = format!("the line is longer than {MAX_LINE_BYTES} bytes");
                tracing::warn!(why, "bad line");
                Some(reply_line(None, RpcError::new(code::INVALID_REQUEST, why)))
            }
        }
    }

    /// Gives a call to the companion that answers its method; the parameters
    /// come back when none does.
    fn hand_over(&mut self, id: &RequestId, method: &str, params: Value) -> Option<Value> {
        let companion = self
            .companions
            .iter_mut()
            .find(|c| self.initialized && c.methods().contains(&method));
        let Some(companion) = companion else {
            return Some(params);
        };
        if self.running.len() >= RUNNING_CALLS {
            self.running.retain(|_, call| !call.is_done());
        }
        let outbox = Arc::clone(&self.outbox);
        let (call, cancellation) = Call::new(id.clone(), method.to_owned(), params, outbox);
        self.running.insert(id.clone(), cancellation);
        companion.call(call);
        None
    }

    fn cancel(&mut self, request: &Cancel) {
        if let Some(call) = self.running.remove(&request.id)
            && call.take()
        {
            let error = RpcError::new(code::CANCELLED, "cancelled by the client");
            let line = reply_line(Some(request.id.clone()), error);
            // False says that nobody reads any more; the loop sees that itself.
            let _ = self.outbox.push(Some(line), std::iter::empty());
        }
    }

    fn request(
        &mut self,
        id: &RequestId,
        method: &str,
        params: Value,
    ) -> Result<Vec<u8>, RpcError> {
        if method == Initialize::METHOD {
            let request = jsonrpc::params(method, params)?;
            return result_line(id, &self.initialize(&request)?);
        }
        if !self.initialized {
            return Err(RpcError::new(
                code::INVALID_REQUEST,
                format!("`initialize` must come before `{method}`"),
            ));
        }
        match method {
            Ping::METHOD => self.answer(id, params, |_, _: Ping| Ok(Empty {})),
            Cancel::METHOD => {
                self.cancel(&jsonrpc::params(method, params)?);
                result_line(id, &Empty {})
            }
            Open::METHOD => self.answer(id, params, Editor::open),
            Content::METHOD => self.answer(id, params, |e, r| e.content(&r)),
            Insert::METHOD => self.answer(id, params, Editor::insert),
            Delete::METHOD => self.answer(id, params, |e, r: Delete| e.delete(&r)),
            Apply::METHOD => self.answer(id, params, Editor::apply),
            Undo::METHOD => self.answer(id, params, |e, r: Undo| e.undo(&r)),
            Redo::METHOD => self.answer(id, params, |e, r: Redo| e.redo(&r)),
            Save::METHOD => self.answer(id, params, |e, r| e.save(&r)),
            Close::METHOD => self.answer(id, params, |e, r| e.close(&r)),
            Remove::METHOD => self.answer(id, params, |e, r| e.remove(&r)),
            FileChanged::METHOD => self.answer(id, params, |e, r| e.file_changed(&r)),
            OpenView::METHOD => self.answer(id, params, |e, r: OpenView| e.open_view(&r)),
            CloseView::METHOD => self.answer(id, params, |e, r: CloseView| e.close_view(&r)),
            Select::METHOD => self.answer(id, params, |e, r: Select| e.select(&r)),
            Selections::METHOD => self.answer(id, params, |e, r: Selections| e.selections(&r)),
            RunCommand::METHOD => self.answer(id, params, |e, r: RunCommand| e.command(&r)),
            Configure::METHOD => self.answer(id, params, |e, r: Configure| e.configure(&r)),
            SetMetrics::METHOD => self.answer(id, params, Editor::set_metrics),
            Lines::METHOD => self.answer(id, params, |e, r: Lines| e.rows(&r)),
            Folds::METHOD => self.answer(id, params, |e, r: Folds| e.folds(&r)),
            Fold::METHOD => self.answer(id, params, |e, r: Fold| e.fold(&r)),
            Unfold::METHOD => self.answer(id, params, |e, r: Unfold| e.unfold(&r)),
            UndoTree::METHOD => self.answer(id, params, |e, r: UndoTree| e.undo_tree(&r)),
            UndoTo::METHOD => self.answer(id, params, |e, r: UndoTo| e.undo_to(&r)),
            Conflicts::METHOD => self.answer(id, params, |e, r: Conflicts| e.conflicts(&r)),
            Resolve::METHOD => self.answer(id, params, |e, r: Resolve| e.resolve(&r)),
            SetEncoding::METHOD => self.answer(id, params, |e, r| e.set_encoding(&r)),
            SetLineEnding::METHOD => self.answer(id, params, |e, r| e.set_line_ending(&r)),
            LocateLine::METHOD => self.answer(id, params, |e, r| e.locate_line(&r)),
            ListRecoverable::METHOD => {
                self.answer(id, params, |e, _: ListRecoverable| e.recoverable())
            }
            Recover::METHOD => self.answer(id, params, |e, r| e.recover(&r)),
            DiscardRecovery::METHOD => self.answer(id, params, |e, r| e.discard_recovery(&r)),
            Buffers::METHOD => self.answer(id, params, |e, _: Buffers| Ok(e.list())),
            Shutdown::METHOD => {
                self.ending = true;
                self.answer(id, params, |e, _: Shutdown| {
                    e.end_session();
                    Ok(Empty {})
                })
            }
            _ => Err(RpcError::method_not_found(method)),
        }
    }

    fn answer<R: XiRequest>(
        &mut self,
        id: &RequestId,
        params: Value,
        run: impl FnOnce(&mut Editor, R) -> Result<R::Answer, EditorError>,
    ) -> Result<Vec<u8>, RpcError> {
        let request = jsonrpc::params(R::METHOD, params)?;
        result_line(id, &run(&mut self.editor, request)?)
    }

    fn initialize(&mut self, request: &Initialize) -> Result<Initialized, RpcError> {
        if self.initialized {
            return Err(RpcError::new(
                code::INVALID_REQUEST,
                "`initialize` was done already",
            ));
        }
        if !request.protocols.iter().any(|p| p == PROTOCOL) {
            let why = format!("none of the client's protocols is spoken here, only {PROTOCOL}");
            return Err(
                RpcError::new(code::UNSUPPORTED, why).with_data(json!({"protocols": [PROTOCOL]}))
            );
        }
        if let Some(bytes) = request.max_file_bytes {
            self.editor.set_max_file_bytes(bytes);
        }
        if let Some(bytes) = request.window_above_bytes {
            self.editor.set_window_above_bytes(bytes);
        }
        let (restored, not_restored) = match &request.session {
            Some(folder) => self.editor.open_session(folder)?,
            None => Default::default(),
        };
        self.initialized = true;
        for companion in &mut self.companions {
            companion.initialized(request);
        }
        tracing::info!(client = request.client, "initialized");
        Ok(Initialized {
            protocol: PROTOCOL.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            restored,
            not_restored,
        })
    }
}

/// A response, written without building a tree of values first.
#[derive(Serialize)]
struct Response<'a, T> {
    jsonrpc: &'static str,
    id: &'a RequestId,
    result: &'a T,
}

/// An event, likewise.
#[derive(Serialize)]
struct Event<'a> {
    jsonrpc: &'static str,
    method: &'static str,
    params: &'a XiEvent,
}

pub(crate) fn result_line<T: Serialize>(id: &RequestId, result: &T) -> Result<Vec<u8>, RpcError> {
    let jsonrpc = "2.0";
    let response = Response {
        jsonrpc,
        id,
        result,
    };
    let mut line = serde_json::to_vec(&response).map_err(|e| {
        RpcError::new(
            code::INTERNAL_ERROR,
            format!("the answer cannot be written: {e}"),
        )
    })?;
    if line.len() > MAX_LINE_BYTES {
        return Err(EditorError::TooMuch { len: line.len() }.into());
    }
    line.push(b'\n');
    Ok(line)
}

pub(crate) fn event_line(event: &XiEvent) -> Option<outbox::Event> {
    let message = Event {
        jsonrpc: "2.0",
        method: EVENT_METHOD,
        params: event,
    };
    match serde_json::to_vec(&message) {
        Ok(mut line) => {
            line.push(b'\n');
            Some(outbox::Event {
                buffer: event.buffer(),
                line,
            })
        }
        Err(error) => {
            tracing::error!(%error, "an event cannot be written");
            None
        }
    }
}

pub(crate) fn reply_line(id: Option<RequestId>, error: RpcError) -> Vec<u8> {
    let outcome = Err(error);
    Message::Response { id, outcome }.to_line().into_bytes()
}
