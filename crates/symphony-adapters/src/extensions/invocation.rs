//! One call of an extension.

use super::loaded::{Busy, Loaded};
use crate::rpc;
use std::{sync::atomic::Ordering, time::Duration};
use symphony_actors::{ActorHandle, Incarnation};
use symphony_core_ports::{PortError, PortResult, Request, Response, Usage};
use symphony_ipc_protocol::{
    extension::{Cancel, Invoke, Invoked, method},
    jsonrpc::{RpcError, code},
};
use symphony_ipc_transport::CallError;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::{Instant, timeout, timeout_at},
};

/// What a call may need besides its own time: the connection must not give up first.
const MARGIN: Duration = Duration::from_secs(5);

/// A call on its way, in a task of its own: it ends properly although its caller has gone.
struct Running {
    handle: ActorHandle,
    incarnation: Incarnation,
    invoke: Invoke,
    subject: String,
    limit: Duration,
    grace: Duration,
    _turn: OwnedSemaphorePermit,
    _busy: Busy,
}

impl Loaded {
    /// Calls the extension and answers before `deadline`, whatever it does.
    pub(super) async fn invoke(&self, request: Request, deadline: Instant) -> PortResult<Response> {
        let busy = self.busy();
        if self.calls.load(Ordering::Acquire) > self.options.queue {
            return Err(PortError::Exhausted {
                resource: format!("the queue of the extension `{}`", self.manifest.id),
                details: format!("{} calls wait already", self.options.queue),
                retry_after: None,
            });
        }
        let late = || PortError::Timeout {
            operation: format!("the extension `{}`", self.manifest.id),
            duration: request.timeout,
        };
        let turn = timeout_at(deadline, self.turn())
            .await
            .map_err(|_| late())??;
        let (handle, incarnation) = timeout_at(deadline, self.ready())
            .await
            .map_err(|_| late())??;
        let limit = deadline.saturating_duration_since(Instant::now());
        let running = Running {
            handle,
            incarnation,
            subject: format!("a call of the extension `{}`", self.manifest.id),
            invoke: Invoke {
                call: request.call.clone(),
                inputs: request.inputs.clone(),
                idempotency_key: request.idempotency_key.clone(),
                timeout_ms: u64::try_from(limit.as_millis()).ok(),
            },
            limit,
            grace: self.options.cancel_grace,
            _turn: turn,
            _busy: busy,
        };
        let (reply, answer) = oneshot::channel();
        tokio::spawn(running.run(reply));
        // From here on, dropping `answer` (a time-out, or our caller going away) cancels the call.
        match timeout_at(deadline, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(PortError::Cancelled),
            Err(_) => Err(late()),
        }
    }

    async fn turn(&self) -> PortResult<OwnedSemaphorePermit> {
        let turns = match self.turns.get() {
            Some(turns) => turns.clone(),
            None => {
                self.ready().await?;
                let turns = self.turns.get().cloned();
                turns.ok_or_else(|| PortError::failed("the extension did not say its turns"))?
            }
        };
        turns
            .acquire_owned()
            .await
            .map_err(|_| PortError::Cancelled)
    }
}

impl Running {
    async fn run(self, mut reply: oneshot::Sender<PortResult<Response>>) {
        let peer = &self.incarnation.peer;
        let limit = self.limit + self.grace + MARGIN;
        let call = peer.call_as::<Invoked>(method::INVOKE, &self.invoke, limit);
        tokio::pin!(call);
        tokio::select! {
            biased;
            result = &mut call => {
                let result = self.result(result).await;
                // A caller that went away at this moment does not want it.
                let _ = reply.send(result);
                return;
            }
            () = reply.closed() => {}
        }
        let cancel = Cancel {
            call: self.invoke.call.clone(),
        };
        let told = peer.notify(method::CANCEL, &cancel).await;
        if told.is_ok() && timeout(self.grace, &mut call).await.is_ok() {
            return;
        }
        let why = format!(
            "a cancelled call did not end within {} ms",
            self.grace.as_millis()
        );
        let restarted = self.handle.restart(self.incarnation.generation, &why).await;
        if let Err(error) = restarted {
            tracing::debug!(%error, "the extension has ended already");
        }
    }

    /// The extension's own error, with its name.
    fn refusal(&self, mut error: RpcError) -> PortError {
        if matches!(error.code, code::NOT_FOUND | code::INVALID_PARAMS) {
            return PortError::invalid(format!("input in {}", self.subject), error.message);
        }
        error.message = format!("{}: {}", self.handle.id(), error.message);
        rpc::remote(error, &self.subject)
    }

    async fn result(&self, result: Result<Invoked, CallError>) -> PortResult<Response> {
        match result {
            Ok(invoked) => Ok(Response {
                outputs: invoked.outputs,
                usage: Usage {
                    model_calls: invoked.usage.model_calls,
                    input_tokens: invoked.usage.input_tokens,
                    output_tokens: invoked.usage.output_tokens,
                    ..Usage::default()
                },
            }),
            Err(CallError::Remote(error)) => Err(self.refusal(error)),
            Err(error) => {
                Err(rpc::call(error, &self.subject, &self.handle, &self.incarnation).await)
            }
        }
    }
}
