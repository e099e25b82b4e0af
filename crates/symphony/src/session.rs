//! A frontend's hold on a project: joins the host that runs for it, or becomes it.

use crate::{
    api::{Answer, Command, CommandError, ErrorKind},
    host::{Host, server::Server, wire},
    installation::Installation,
    project::Project,
};
use futures_util::FutureExt;
use std::{sync::Arc, time::Duration};
use sy_commons::{
    config::{Loaded, schema::Config},
    owner::{OwnerError, OwnerLock},
};
use symphony_domain::run::EventSink;
use symphony_ipc_transport::{CallError, Incoming, Peer, PeerOptions, unix};
use tokio::{
    sync::{Mutex, RwLock, mpsc},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// How long to wait for another process that starts or ends being the host.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Wait between tries to join.
const JOIN_PAUSE: Duration = Duration::from_millis(25);

/// How long a command may take over the socket; runs take long.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3600);

/// A connection to the one host of a project.
pub struct Session {
    opening: Opening,
    kind: RwLock<Kind>,
}

/// What it takes to join or to become the host.
struct Opening {
    installation: Installation,
    project: Project,
    config: Loaded<Config>,
}

enum Kind {
    /// This process is the host.
    Host { host: Arc<Host>, server: Server },
    /// Another process is.
    Guest {
        peer: Peer,
        events: Mutex<mpsc::Receiver<Incoming>>,
    },
}

/// Why a guest has no answer.
enum Unanswered {
    /// The host ended before it took the command: nothing was done.
    NotTaken,
    /// The command failed, or its end is not known.
    Failed(CommandError),
}

impl Session {
    /// Joins the host of a project, or becomes it.
    ///
    /// # Errors
    /// When the project's state cannot be opened, a part of the installation
    /// is missing, or the host of another process does not answer.
    pub async fn open(
        installation: &Installation,
        project: &Project,
        config: &Loaded<Config>,
    ) -> Result<Self, CommandError> {
        sy_commons::fs::ensure_private_dir(&project.state)?;
        let opening = Opening {
            installation: installation.clone(),
            project: project.clone(),
            config: config.clone(),
        };
        let kind = RwLock::new(opening.join_or_host().await?);
        Ok(Self { opening, kind })
    }

    /// Has a command done. Events come while it works. When the host of
    /// another process ends just then, the next one is joined, or this process
    /// becomes it.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn execute(
        &self,
        command: Command,
        events: EventSink,
        cancel: &CancellationToken,
    ) -> Result<Answer, CommandError> {
        let deadline = Instant::now() + JOIN_TIMEOUT;
        loop {
            match &*self.kind.read().await {
                Kind::Host { host, .. } => {
                    return host.execute(command, events, cancel).boxed().await;
                }
                Kind::Guest {
                    peer,
                    events: incoming,
                } => {
                    let mut incoming = incoming.lock().await;
                    let asked = ask(peer, &mut incoming, command.clone(), &events, cancel);
                    match asked.boxed().await {
                        Ok(answer) => return Ok(answer),
                        Err(Unanswered::Failed(error)) => return Err(error),
                        Err(Unanswered::NotTaken) if Instant::now() >= deadline => {
                            return Err(gone());
                        }
                        Err(Unanswered::NotTaken) => {}
                    }
                }
            }
            let mut kind = self.kind.write().await;
            *kind = self.opening.join_or_host().boxed().await?;
        }
    }

    /// Ends the session. A host waits for what other processes have it do, then stops its children.
    pub async fn close(self) {
        if let Kind::Host { host, server } = self.kind.into_inner() {
            server.stop().await;
            host.shutdown().await;
        }
    }
}

impl Opening {
    async fn join_or_host(&self) -> Result<Kind, CommandError> {
        let project = &self.project;
        let deadline = Instant::now() + JOIN_TIMEOUT;
        loop {
            match OwnerLock::acquire(&project.state) {
                Ok(lock) => return self.host(lock).await,
                Err(OwnerError::InUse { .. }) => {}
                Err(error) => return Err(unlockable(&error)),
            }
            match unix::connect(&project.socket).await {
                Ok(stream) => return Ok(guest(stream)),
                Err(error) if Instant::now() >= deadline => {
                    let message = "another Symphony works on this project and does not answer";
                    let mut failed = CommandError::new(ErrorKind::Conflict, message).help(format!(
                        "see which process holds {}",
                        project.state.display()
                    ));
                    failed.causes.push(error.to_string());
                    return Err(failed);
                }
                Err(_) => tokio::time::sleep(JOIN_PAUSE).await,
            }
        }
    }

    async fn host(&self, lock: OwnerLock) -> Result<Kind, CommandError> {
        let host = Host::start(&self.installation, &self.project, &self.config, lock).await?;
        let host = Arc::new(host);
        let server = Server::start(host.clone(), &self.project.socket).await?;
        Ok(Kind::Host { host, server })
    }
}

fn guest(stream: tokio::net::UnixStream) -> Kind {
    let (reader, writer) = stream.into_split();
    let (peer, events) = Peer::start(reader, writer, PeerOptions::default());
    Kind::Guest {
        peer,
        events: Mutex::new(events),
    }
}

async fn ask(
    peer: &Peer,
    incoming: &mut mpsc::Receiver<Incoming>,
    command: Command,
    events: &EventSink,
    cancel: &CancellationToken,
) -> Result<Answer, Unanswered> {
    let request = wire::Execute { command };
    let call = peer.call(wire::EXECUTE, &request, COMMAND_TIMEOUT);
    tokio::pin!(call);
    let (mut cancelled, mut taken) = (false, false);
    let ended = |taken: bool| match taken {
        true => Unanswered::Failed(gone()),
        false => Unanswered::NotTaken,
    };
    loop {
        tokio::select! {
            biased;
            message = incoming.recv() => match message {
                Some(Incoming::Notification { method, .. }) if method == wire::TAKEN => taken = true,
                Some(Incoming::Notification { method, params }) if method == wire::EVENT => {
                    if let Ok(event) = serde_json::from_value(params) {
                        events(event);
                    }
                }
                Some(_) => {}
                None => return Err(ended(taken)),
            },
            () = cancel.cancelled(), if !cancelled => {
                cancelled = true;
                // A host that is gone cannot be told; the call then ends by itself.
                let _ = peer.notify(wire::CANCEL, &serde_json::json!({})).await;
            }
            answer = &mut call => return match answer {
                Err(CallError::Closed(_)) => Err(ended(taken)),
                answer => wire::read_answer(answer).map_err(Unanswered::Failed),
            },
        }
    }
}

fn unlockable(error: &OwnerError) -> CommandError {
    let mut failed = CommandError::new(
        ErrorKind::Environment,
        "the project's state cannot be locked",
    )
    .help("is the disk full, or the data folder read-only? `symphony doctor` looks");
    failed.causes.push(error.to_string());
    failed
        .causes
        .extend(std::error::Error::source(error).map(ToString::to_string));
    failed
}

fn gone() -> CommandError {
    CommandError::new(
        ErrorKind::Failed,
        "the host of this project ended before it answered",
    )
    .help("run the command again; `symphony runs` shows what can be resumed")
}
