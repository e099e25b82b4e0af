//! Calls that are answered later, and their cancellation.

use crate::server::{Outbox, reply_line, result_line};
use serde_json::Value;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use symphony_ipc_protocol::jsonrpc::{self, RequestId, RpcError, code};
use symphony_ipc_protocol::xi::XiRequest;

/// A request that a companion answers. Dropped without an answer, it answers
/// INTERNAL_ERROR: no client waits for ever.
pub struct Call {
    method: String,
    params: Value,
    answer: Answer,
}

/// The way to answer a call, once.
pub struct Reply<R> {
    answer: Answer,
    request: PhantomData<fn() -> R>,
}

struct Answer {
    id: RequestId,
    outbox: Arc<Outbox>,
    given: Arc<AtomicBool>,
}

/// Takes the right to answer away from a companion.
pub(crate) struct Cancellation {
    given: Arc<AtomicBool>,
}

impl Call {
    pub(crate) fn new(
        id: RequestId,
        method: String,
        params: Value,
        outbox: Arc<Outbox>,
    ) -> (Self, Cancellation) {
        let given = Arc::new(AtomicBool::new(false));
        let cancellation = Cancellation {
            given: Arc::clone(&given),
        };
        let answer = Answer { id, outbox, given };
        let call = Self {
            method,
            params,
            answer,
        };
        (call, cancellation)
    }

    /// The method called.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Reads the parameters; bad ones are answered here, and `None` comes back.
    pub fn read<R: XiRequest>(self) -> Option<(R, Reply<R>)> {
        match jsonrpc::params::<R>(&self.method, self.params) {
            Ok(request) => Some((
                request,
                Reply {
                    answer: self.answer,
                    request: PhantomData,
                },
            )),
            Err(error) => {
                self.answer.give(Err(error));
                None
            }
        }
    }

    /// Answers with an error.
    pub fn refuse(self, error: RpcError) {
        self.answer.give(Err(error));
    }
}

impl<R: XiRequest> Reply<R> {
    /// Whether the client does not want the answer any more: stop working on it.
    pub fn is_cancelled(&self) -> bool {
        self.answer.given.load(Ordering::Acquire)
    }

    /// Answers. Waits while the client does not read, so never call it on the
    /// editing loop with large answers.
    pub fn give(self, outcome: Result<R::Answer, RpcError>) {
        let line = outcome.and_then(|answer| result_line(&self.answer.id, &answer));
        self.answer.give(line);
    }
}

impl Answer {
    fn give(&self, outcome: Result<Vec<u8>, RpcError>) {
        if self.given.swap(true, Ordering::AcqRel) {
            return;
        }
        let line = outcome.unwrap_or_else(|error| reply_line(Some(self.id.clone()), error));
        // False says that nobody reads any more; the loop sees that itself.
        let _ = self.outbox.push(Some(line), std::iter::empty());
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.given.load(Ordering::Acquire) {
            let why = "the part that answers this ended without an answer";
            self.give(Err(RpcError::new(code::INTERNAL_ERROR, why)));
        }
    }
}

impl Cancellation {
    /// Whether the call was still unanswered; now it is up to the caller to answer it.
    pub(crate) fn take(&self) -> bool {
        !self.given.swap(true, Ordering::AcqRel)
    }

    /// Whether the call has its answer.
    pub(crate) fn is_done(&self) -> bool {
        self.given.load(Ordering::Acquire)
    }
}
