//! Serves a host to other processes over its socket.

use super::{Host, wire};
use crate::api::{CommandError, ErrorKind};
use futures_util::FutureExt;
use std::{path::Path, sync::Arc};
use symphony_domain::run::{EventSink, RunEvent};
use symphony_ipc_protocol::jsonrpc::{self, RpcError};
use symphony_ipc_transport::{Incoming, Peer, PeerOptions, Responder, unix::SocketServer};
use tokio::{net::UnixStream, sync::mpsc, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Events that may wait for a slow guest; what does not fit is dropped, the answer never is.
const EVENT_QUEUE: usize = 1024;

/// A running server.
pub struct Server {
    accepting: JoinHandle<()>,
    commands: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    /// Listens at `socket`.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub async fn start(host: Arc<Host>, socket: &Path) -> Result<Self, CommandError> {
        let listener = SocketServer::bind(socket).await.map_err(|error| {
            CommandError::new(
                ErrorKind::Environment,
                format!("the host cannot listen at {}: {error}", socket.display()),
            )
        })?;
        let (commands, stop) = (TaskTracker::new(), CancellationToken::new());
        let (tracker, stopped) = (commands.clone(), stop.clone());
        let accepting = tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = stopped.cancelled() => break,
                    accepted = listener.accept() => accepted,
                };
                match accepted {
                    Ok(stream) => {
                        tokio::spawn(serve(
                            host.clone(),
                            stream,
                            tracker.clone(),
                            stopped.clone(),
                        ));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                }
            }
        });
        Ok(Self {
            accepting,
            commands,
            stop,
        })
    }

    /// Takes no more commands, waits for those under way, and closes the socket.
    pub async fn stop(self) {
        self.stop.cancel();
        if !self.commands.is_empty() {
            tracing::info!("waiting for commands of other processes");
        }
        self.commands.close();
        self.commands.wait().await;
        if let Err(error) = self.accepting.await {
            tracing::warn!(%error, "the host's socket did not close in order");
        }
    }
}

async fn serve(
    host: Arc<Host>,
    stream: UnixStream,
    commands: TaskTracker,
    stop: CancellationToken,
) {
    let (reader, writer) = stream.into_split();
    let options = PeerOptions {
        reply_to_malformed: true,
        ..PeerOptions::default()
    };
    let (peer, mut incoming) = Peer::start(reader, writer, options);
    let mut cancel = CancellationToken::new();
    loop {
        let message = tokio::select! {
            () = stop.cancelled(), if commands.is_empty() => break,
            message = incoming.recv() => message,
        };
        match message {
            Some(Incoming::Request {
                method,
                params,
                responder,
            }) if method == wire::EXECUTE => {
                // Held before looking: a host that ends waits for it, or had ended before.
                let token = commands.token();
                if commands.is_closed() {
                    break;
                }
                cancel = CancellationToken::new();
                let work = execute(
                    host.clone(),
                    peer.clone(),
                    params,
                    responder,
                    cancel.clone(),
                );
                tokio::spawn(async move {
                    work.await;
                    drop(token);
                });
            }
            Some(Incoming::Request {
                method, responder, ..
            }) => {
                let _ = responder
                    .respond(Err(RpcError::method_not_found(&method)))
                    .await;
            }
            Some(Incoming::Notification { method, .. }) if method == wire::CANCEL => {
                cancel.cancel()
            }
            Some(_) => {}
            // A guest that is gone does not want its command done any more.
            None => return cancel.cancel(),
        }
    }
}

async fn execute(
    host: Arc<Host>,
    peer: Peer,
    params: serde_json::Value,
    responder: Responder,
    cancel: CancellationToken,
) {
    let request: wire::Execute = match jsonrpc::params(wire::EXECUTE, params) {
        Ok(request) => request,
        Err(error) => {
            let _ = responder.respond(Err(error)).await;
            return;
        }
    };
    if peer.notify(wire::TAKEN, &()).boxed().await.is_err() {
        // The guest is gone, and its wish with it.
        return;
    }
    let (sender, mut queue) = mpsc::channel::<RunEvent>(EVENT_QUEUE);
    let sink: EventSink = Arc::new(move |event| {
        let _ = sender.try_send(event);
    });
    let forward = async {
        while let Some(event) = queue.recv().await {
            if peer.notify(wire::EVENT, &event).boxed().await.is_err() {
                break;
            }
        }
    };
    let (answer, ()) = tokio::join!(
        async {
            let answer = host
                .execute(request.command, sink.clone(), &cancel)
                .boxed()
                .await;
            drop(sink);
            answer
        },
        forward
    );
    // A guest that is gone needs no answer.
    let _ = responder.respond(wire::write_answer(answer)).await;
}
