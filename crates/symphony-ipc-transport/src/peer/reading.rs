//! The incoming half of a connection: reading, and answering requests.

use super::{Incoming, Inner, to_line};
use crate::{
    CallError, CloseReason,
    line::{Line, LineReader},
};
use serde::Serialize;
use serde_json::Value;
use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};
use symphony_ipc_protocol::jsonrpc::{Message, RequestId, RpcError, code};
use tokio::{io::AsyncRead, sync::mpsc};

/// How long a sample of a bad line may be.
const SAMPLE_CHARS: usize = 120;

pub(super) async fn read_forever<R: AsyncRead + Unpin>(
    inner: Arc<Inner>,
    mut lines: LineReader<R>,
    incoming: mpsc::Sender<Incoming>,
) {
    loop {
        let line = match lines.next().await {
            Ok(Some(line)) => line,
            Ok(None) => return inner.close(CloseReason::Ended),
            Err(error) => return inner.close(CloseReason::Io(Arc::new(error))),
        };
        inner.lines_in.fetch_add(1, Ordering::Relaxed);
        let event = match line {
            Line::Whole(bytes) => match Message::parse(&bytes) {
                Ok(Message::Response { id, outcome }) => {
                    inner.answer(id, outcome);
                    continue;
                }
                Ok(Message::Request { id, method, params }) => Incoming::Request {
                    method,
                    params,
                    responder: Responder {
                        inner: inner.clone(),
                        id: Some(id),
                    },
                },
                Ok(Message::Notification { method, params }) => {
                    Incoming::Notification { method, params }
                }
                Err(error) => Incoming::Malformed {
                    error,
                    sample: sample(&bytes),
                },
            },
            Line::TooLong { bytes, sample: s } => Incoming::TooLong {
                bytes,
                sample: sample(&s),
            },
        };
        if let Some(reason) = inner.count_malformed(&event).await {
            return inner.close(reason);
        }
        // Nobody listens: calls still work, so reading goes on.
        let _ = incoming.send(event).await;
    }
}

fn sample(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SAMPLE_CHARS * 4)]);
    text.chars()
        .take(SAMPLE_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

impl Inner {
    async fn count_malformed(&self, event: &Incoming) -> Option<CloseReason> {
        let (reply, sample) = match event {
            Incoming::Malformed { error, sample } => (error.clone().into_reply(), sample),
            Incoming::TooLong { bytes, sample } => {
                let why = format!("the line has {bytes} bytes, more than is accepted");
                let reply = Message::Response {
                    id: None,
                    outcome: Err(RpcError::new(code::INVALID_REQUEST, why)),
                };
                (reply, sample)
            }
            Incoming::Request { .. } | Incoming::Notification { .. } => return None,
        };
        let lines = self.malformed.fetch_add(1, Ordering::Relaxed) + 1;
        if lines > self.options.max_malformed {
            return Some(CloseReason::Garbage {
                lines,
                sample: sample.clone(),
            });
        }
        if self.options.reply_to_malformed {
            // A peer that does not read its errors is found by the write time-out.
            let _ = self.send(reply.to_line().into_bytes()).await;
        }
        None
    }
}

#[derive(Serialize)]
struct ResponseLine<'a> {
    jsonrpc: &'static str,
    id: &'a RequestId,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a RpcError>,
}

/// Takes the answer to an incoming request. Dropped without an answer, it answers with an error.
pub struct Responder {
    inner: Arc<Inner>,
    id: Option<RequestId>,
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Responder").field(&self.id).finish()
    }
}

impl Responder {
    /// Answers the request. Waits at most the write time-out for room in the queue.
    ///
    /// # Errors
    /// [`CallError::QueueFull`], [`CallError::Closed`].
    pub async fn respond(mut self, outcome: Result<Value, RpcError>) -> Result<(), CallError> {
        let Some(line) = self.id.take().and_then(|id| response_line(&id, &outcome)) else {
            return Ok(());
        };
        let wait = self.inner.options.write_timeout;
        match tokio::time::timeout(wait, self.inner.send(line)).await {
            Ok(result) => result,
            Err(_) => Err(CallError::QueueFull {
                method: "response".to_owned(),
            }),
        }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let error = RpcError::new(code::INTERNAL_ERROR, "the request was not handled");
        if let Some(mut line) = self
            .id
            .take()
            .and_then(|id| response_line(&id, &Err(error)))
        {
            // With a full queue the caller's own time-out tells it.
            let _ = self.inner.outgoing.try_send(&mut line);
        }
    }
}

/// JSON values always serialise; `None` only if that were ever to fail.
fn response_line(id: &RequestId, outcome: &Result<Value, RpcError>) -> Option<Vec<u8>> {
    to_line(&ResponseLine {
        jsonrpc: "2.0",
        id,
        result: outcome.as_ref().ok(),
        error: outcome.as_ref().err(),
    })
    .ok()
}
