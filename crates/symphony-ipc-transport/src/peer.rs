//! A JSON-RPC 2.0 connection.

mod reading;

pub use reading::Responder;

use crate::{
    CallError, CloseReason,
    line::LineReader,
    outgoing::{NotSent, Outgoing},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use symphony_ipc_protocol::{
    jsonrpc::{MAX_LINE_BYTES, Malformed, RequestId, RpcError},
    xi::XiRequest,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
    time::{Instant, timeout_at},
};

/// Bounds of a connection.
#[derive(Debug, Clone)]
pub struct PeerOptions {
    /// The longest line accepted, in bytes.
    pub max_line: usize,
    /// How many bytes may wait to be written. A single message may be longer.
    pub outgoing_bytes: usize,
    /// How many incoming requests and notifications may wait to be taken. When
    /// they are not taken, reading stops, and so do answers to calls.
    pub incoming: usize,
    /// How long the other side may refuse to read before the connection counts as broken.
    pub write_timeout: Duration,
    /// How many lines that are no message are tolerated.
    pub max_malformed: u64,
    /// Answer a bad line with an error (what a server does).
    pub reply_to_malformed: bool,
}

impl Default for PeerOptions {
    fn default() -> Self {
        Self {
            max_line: MAX_LINE_BYTES,
            outgoing_bytes: 8 << 20,
            incoming: 1024,
            write_timeout: Duration::from_secs(10),
            max_malformed: 100,
            reply_to_malformed: false,
        }
    }
}

/// What the other side sends without being asked.
#[derive(Debug)]
pub enum Incoming {
    /// A call. Answer it through the responder.
    Request {
        /// The method.
        method: String,
        /// Its parameters.
        params: Value,
        /// Takes the answer.
        responder: Responder,
    },
    /// A message without an answer.
    Notification {
        /// The method.
        method: String,
        /// Its parameters.
        params: Value,
    },
    /// A line that is no message.
    Malformed {
        /// What is wrong with it.
        error: Malformed,
        /// Its beginning, for people.
        sample: String,
    },
    /// A line over the limit; it was skipped.
    TooLong {
        /// Its length.
        bytes: u64,
        /// Its beginning, for people.
        sample: String,
    },
}

/// Counters of a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeerStats {
    /// Lines received.
    pub lines_in: u64,
    /// Lines received that were no message or too long.
    pub malformed: u64,
    /// Answers received that nobody waited for (any more).
    pub orphaned: u64,
    /// Messages sent.
    pub sent: u64,
    /// Calls without an answer so far.
    pub pending: usize,
}

/// One end of a JSON-RPC 2.0 connection. Cheap to clone; when the last clone is
/// dropped the connection closes.
#[derive(Clone)]
pub struct Peer {
    inner: Arc<Inner>,
    _close: Arc<CloseOnDrop>,
}

struct Inner {
    outgoing: Outgoing,
    calls: Mutex<Calls>,
    next_id: AtomicI64,
    closed: watch::Sender<Option<CloseReason>>,
    tasks: OnceLock<[AbortHandle; 2]>,
    lines_in: AtomicU64,
    malformed: AtomicU64,
    orphaned: AtomicU64,
    sent: AtomicU64,
    options: PeerOptions,
}

#[derive(Default)]
struct Calls {
    waiting: HashMap<i64, oneshot::Sender<Result<Value, RpcError>>>,
    closed: Option<CloseReason>,
}

struct CloseOnDrop(Arc<Inner>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close(CloseReason::Local);
    }
}

#[derive(Serialize)]
struct RequestLine<'a, P: ?Sized> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    method: &'a str,
    params: &'a P,
}

fn to_line(message: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("stats", &self.stats())
            .field("closed", &self.closed_reason())
            .finish()
    }
}

impl Peer {
    /// Connects to what is behind the two streams. Incoming messages arrive at
    /// the receiver, which must be drained by a task that does not wait for this peer.
    ///
    /// Must be called within a tokio runtime.
    pub fn start(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + 'static,
        options: PeerOptions,
    ) -> (Self, mpsc::Receiver<Incoming>) {
        let (incoming, receiver) = mpsc::channel(options.incoming.max(1));
        let inner = Arc::new(Inner {
            outgoing: Outgoing::new(writer, options.outgoing_bytes),
            calls: Mutex::default(),
            next_id: AtomicI64::new(1),
            closed: watch::Sender::new(None),
            tasks: OnceLock::new(),
            lines_in: AtomicU64::new(0),
            malformed: AtomicU64::new(0),
            orphaned: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            options,
        });
        let lines = LineReader::new(reader, inner.options.max_line);
        let reading = tokio::spawn(reading::read_forever(inner.clone(), lines, incoming));
        let flushing = tokio::spawn({
            let inner = inner.clone();
            async move {
                let stalled_after = inner.options.write_timeout;
                if let Some(reason) = inner.outgoing.flush_forever(stalled_after).await {
                    inner.close(reason);
                }
            }
        });
        // If the connection has ended already, both tasks end by themselves.
        let _ = inner
            .tasks
            .set([reading.abort_handle(), flushing.abort_handle()]);
        let close = Arc::new(CloseOnDrop(inner.clone()));
        (
            Self {
                inner,
                _close: close,
            },
            receiver,
        )
    }

    /// Calls a method and waits at most `timeout` for its result. Dropping the
    /// future forgets the call; the other side is not told.
    ///
    /// # Errors
    /// [`CallError`]: the other side's error, time-out, end of the connection, full queue.
    pub async fn call(
        &self,
        method: &str,
        params: &(impl Serialize + ?Sized),
        timeout: Duration,
    ) -> Result<Value, CallError> {
        self.begin(method, params, timeout).await?.answer().await
    }

    /// Sends a call and gives what waits for its result, so that several calls
    /// can be under way. Calls begun one after the other are sent in that order.
    ///
    /// # Errors
    /// As [`Peer::call`].
    pub async fn begin(
        &self,
        method: &str,
        params: &(impl Serialize + ?Sized),
        timeout: Duration,
    ) -> Result<PendingCall, CallError> {
        let deadline = Instant::now() + timeout;
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        let line = to_line(&RequestLine {
            jsonrpc: "2.0",
            id: Some(id),
            method,
            params,
        })
        .map_err(|source| CallError::Encode {
            method: method.to_owned(),
            source,
        })?;
        let (waiting, answer) = oneshot::channel();
        {
            let mut calls = self.inner.calls();
            if let Some(reason) = &calls.closed {
                return Err(CallError::Closed(reason.clone()));
            }
            calls.waiting.insert(id, waiting);
        }
        let pending = PendingCall {
            inner: self.inner.clone(),
            id,
            method: method.to_owned(),
            answer,
            deadline,
            timeout,
        };
        self.send(method, line, deadline).await?;
        Ok(pending)
    }

    /// Calls a method of any protocol and reads its result into a type.
    ///
    /// # Errors
    /// As [`Peer::call`], and [`CallError::Decode`].
    pub async fn call_as<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &(impl Serialize + ?Sized),
        timeout: Duration,
    ) -> Result<T, CallError> {
        let result = self.call(method, params, timeout).await?;
        serde_json::from_value(result).map_err(|source| CallError::Decode {
            method: method.to_owned(),
            source,
        })
    }

    /// Calls a method of xi-editor.
    ///
    /// # Errors
    /// As [`Peer::call_as`].
    pub async fn call_typed<R: XiRequest>(
        &self,
        request: &R,
        timeout: Duration,
    ) -> Result<R::Answer, CallError> {
        self.call_as(R::METHOD, request, timeout).await
    }

    /// Sends a notification. Waits at most the write time-out for room in the queue.
    ///
    /// # Errors
    /// [`CallError::QueueFull`], [`CallError::Closed`], [`CallError::Encode`].
    pub async fn notify(
        &self,
        method: &str,
        params: &(impl Serialize + ?Sized),
    ) -> Result<(), CallError> {
        let line = to_line(&RequestLine {
            jsonrpc: "2.0",
            id: None,
            method,
            params,
        })
        .map_err(|source| CallError::Encode {
            method: method.to_owned(),
            source,
        })?;
        let deadline = Instant::now() + self.inner.options.write_timeout;
        self.send(method, line, deadline).await
    }

    async fn send(&self, method: &str, line: Vec<u8>, deadline: Instant) -> Result<(), CallError> {
        match timeout_at(deadline, self.inner.send(line)).await {
            Ok(result) => result,
            Err(_) => Err(CallError::QueueFull {
                method: method.to_owned(),
            }),
        }
    }

    /// Closes the connection; pending calls end with [`CallError::Closed`].
    pub fn close(&self) {
        self.inner.close(CloseReason::Local);
    }

    /// Waits until the connection has ended and tells why.
    pub async fn closed(&self) -> CloseReason {
        let mut closed = self.inner.closed.subscribe();
        match closed.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or(CloseReason::Local),
            Err(_) => CloseReason::Local,
        }
    }

    /// Why the connection has ended, if it has.
    pub fn closed_reason(&self) -> Option<CloseReason> {
        self.inner.closed.borrow().clone()
    }

    /// Counters.
    pub fn stats(&self) -> PeerStats {
        PeerStats {
            lines_in: self.inner.lines_in.load(Ordering::Relaxed),
            malformed: self.inner.malformed.load(Ordering::Relaxed),
            orphaned: self.inner.orphaned.load(Ordering::Relaxed),
            sent: self.inner.sent.load(Ordering::Relaxed),
            pending: self.inner.calls().waiting.len(),
        }
    }
}

impl Inner {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reason(&self) -> CloseReason {
        self.calls().closed.clone().unwrap_or(CloseReason::Local)
    }

    async fn send(&self, line: Vec<u8>) -> Result<(), CallError> {
        match self.outgoing.send(line).await {
            Ok(()) => {
                self.sent.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(NotSent::Broken(error)) => {
                self.close(CloseReason::Io(Arc::new(error)));
                Err(CallError::Closed(self.reason()))
            }
            Err(NotSent::Closed | NotSent::Full) => Err(CallError::Closed(self.reason())),
        }
    }

    fn close(&self, reason: CloseReason) {
        let waiting = {
            let mut calls = self.calls();
            if calls.closed.is_some() {
                return;
            }
            calls.closed = Some(reason.clone());
            std::mem::take(&mut calls.waiting)
        };
        self.outgoing.close();
        self.closed.send_replace(Some(reason));
        // Dropping the senders wakes the callers, who then read the reason.
        drop(waiting);
        if let Some(tasks) = self.tasks.get() {
            tasks.iter().for_each(AbortHandle::abort);
        }
    }

    fn answer(&self, id: Option<RequestId>, outcome: Result<Value, RpcError>) {
        let waiting = match id {
            Some(RequestId::Number(id)) => self.calls().waiting.remove(&id),
            _ => None,
        };
        match waiting {
            // A caller that went away at this moment does not want the answer.
            Some(waiting) => drop(waiting.send(outcome)),
            None => {
                self.orphaned.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = outcome {
                    tracing::debug!(%error, "an error answers no call");
                }
            }
        }
    }
}

/// A call that was sent. Dropping it forgets the call; the other side is not told.
#[must_use = "its answer is not awaited"]
pub struct PendingCall {
    inner: Arc<Inner>,
    id: i64,
    method: String,
    answer: oneshot::Receiver<Result<Value, RpcError>>,
    deadline: Instant,
    timeout: Duration,
}

impl fmt::Debug for PendingCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PendingCall({} {})", self.id, self.method)
    }
}

impl PendingCall {
    /// Waits for the result; the time-out counts from the begin of the call.
    ///
    /// # Errors
    /// As [`Peer::call`].
    pub async fn answer(mut self) -> Result<Value, CallError> {
        match timeout_at(self.deadline, &mut self.answer).await {
            Ok(Ok(Ok(result))) => Ok(result),
            Ok(Ok(Err(error))) => Err(CallError::Remote(error)),
            Ok(Err(_)) => Err(CallError::Closed(self.inner.reason())),
            Err(_) => Err(CallError::Timeout {
                method: self.method.clone(),
                after: self.timeout,
            }),
        }
    }
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        self.inner.calls().waiting.remove(&self.id);
    }
}
