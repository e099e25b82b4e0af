//! What users of an actor hold.

use crate::{
    ActorError, ActorEvent, Death, Resources, StartError, events::EventKind, stderr::LastWords,
};
use async_trait::async_trait;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use symphony_ipc_transport::{Incoming, Peer};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    time::timeout,
};

/// One life of an actor's process.
#[derive(Debug, Clone)]
pub struct Incarnation {
    /// From 1; one more with each start.
    pub generation: u64,
    /// The process.
    pub pid: u32,
    /// The connection to it.
    pub peer: Peer,
}

/// What makes an actor special.
#[async_trait]
pub trait Behaviour: Send + Sync + 'static {
    /// Runs after each start of the process, before anyone else gets its
    /// connection: the handshake, and putting back what the last incarnation lost.
    ///
    /// # Errors
    /// [`StartError`]; the process is then ended.
    async fn started(&self, incarnation: &Incarnation) -> Result<(), StartError> {
        let _ = incarnation;
        Ok(())
    }

    /// Takes what the process sends without being asked, in order. Until it
    /// returns, later messages wait, so it must not wait for this actor's answers.
    async fn incoming(&self, generation: u64, message: Incoming) {
        let _ = (generation, message);
    }
}

/// No handshake, incoming messages are dropped.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBehaviour;

impl Behaviour for NoBehaviour {}

/// What an actor is doing.
#[derive(Debug, Clone)]
pub enum ActorState {
    /// Its process is being started, or will be after a wait.
    Starting,
    /// It is ready.
    Running,
    /// It was asked to end.
    Stopping,
    /// It has ended as asked.
    Stopped,
    /// It cannot be started, or ended too often. [`ActorHandle::start`] tries again.
    Failed {
        /// Why.
        error: ActorError,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) state: ActorState,
    pub(crate) incarnation: Option<Incarnation>,
}

pub(crate) enum Command {
    Start { done: oneshot::Sender<()> },
    Restart { generation: u64, why: String },
    Stop { done: oneshot::Sender<()> },
}

/// What the actor's task and its handles share.
pub(crate) struct Shared {
    pub(crate) id: Arc<str>,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) death: watch::Sender<Option<Arc<Death>>>,
    pub(crate) events: broadcast::Sender<ActorEvent>,
    pub(crate) all_events: broadcast::Sender<ActorEvent>,
    pub(crate) words: std::sync::Mutex<Arc<LastWords>>,
    pub(crate) restarts: AtomicU64,
}

impl Shared {
    pub(crate) fn tell(&self, generation: u64, kind: EventKind) {
        let event = ActorEvent {
            actor: self.id.clone(),
            generation,
            kind,
        };
        // Without a listener there is nobody to tell.
        let _ = self.all_events.send(event.clone());
        let _ = self.events.send(event);
    }

    pub(crate) fn set(&self, state: ActorState, incarnation: Option<Incarnation>) {
        self.status.send_replace(Status { state, incarnation });
    }
}

/// A supervised child process. Cheap to clone.
#[derive(Clone)]
pub struct ActorHandle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::Sender<Command>,
}

impl fmt::Debug for ActorHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorHandle")
            .field("id", &self.shared.id)
            .field("state", &self.state())
            .finish()
    }
}

impl ActorHandle {
    /// Its name.
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// What it is doing.
    pub fn state(&self) -> ActorState {
        self.shared.status.borrow().state.clone()
    }

    /// The current incarnation, if it is ready.
    pub fn current(&self) -> Option<Incarnation> {
        self.shared.status.borrow().incarnation.clone()
    }

    /// The current incarnation; waits while it is being started or restarted.
    ///
    /// # Errors
    /// Why it does not run, or [`ActorError::NotReady`] after `wait`.
    pub async fn ready(&self, wait: Duration) -> Result<Incarnation, ActorError> {
        let mut status = self.shared.status.subscribe();
        let settled = status.wait_for(|status| !matches!(status.state, ActorState::Starting));
        let Ok(settled) = timeout(wait, settled).await else {
            return Err(ActorError::NotReady {
                actor: self.id().to_owned(),
                after: wait,
            });
        };
        let settled = settled.map_err(|_| ActorError::SupervisorEnded)?;
        match (&settled.state, &settled.incarnation) {
            (ActorState::Failed { error }, _) => Err(error.clone()),
            (_, Some(incarnation)) => Ok(incarnation.clone()),
            _ => Err(ActorError::Stopped {
                actor: self.id().to_owned(),
            }),
        }
    }

    /// How the incarnation `generation`, or a later one, ended; waits at most `wait` for it.
    pub async fn death(&self, generation: u64, wait: Duration) -> Option<Arc<Death>> {
        let mut death = self.shared.death.subscribe();
        let ended =
            |death: &Option<Arc<Death>>| death.as_ref().is_some_and(|d| d.generation >= generation);
        match timeout(wait, death.wait_for(ended)).await {
            Ok(Ok(death)) => death.clone(),
            _ => None,
        }
    }

    /// Starts it again after it was stopped or failed; its past restarts are forgiven.
    /// Does nothing while it runs.
    pub async fn start(&self) -> Result<(), ActorError> {
        let (done, taken) = oneshot::channel();
        self.command(Command::Start { done }).await?;
        taken.await.map_err(|_| ActorError::SupervisorEnded)
    }

    /// Ends the incarnation `generation` at once and starts another; does
    /// nothing if that incarnation has ended already.
    pub async fn restart(&self, generation: u64, why: &str) -> Result<(), ActorError> {
        self.command(Command::Restart {
            generation,
            why: why.to_owned(),
        })
        .await
    }

    /// Stops it: request, end of input, SIGTERM, SIGKILL, each with the
    /// time-out of its policy. Returns when nothing of its group is left.
    pub async fn stop(&self) -> Result<(), ActorError> {
        let (done, stopped) = oneshot::channel();
        self.command(Command::Stop { done }).await?;
        stopped.await.map_err(|_| ActorError::SupervisorEnded)
    }

    async fn command(&self, command: Command) -> Result<(), ActorError> {
        self.commands
            .send(command)
            .await
            .map_err(|_| ActorError::SupervisorEnded)
    }

    /// Its events from now on. A receiver that lags misses events.
    pub fn events(&self) -> broadcast::Receiver<ActorEvent> {
        self.shared.events.subscribe()
    }

    /// The last lines of the standard error of the newest incarnation.
    pub fn last_words(&self) -> Vec<String> {
        let words = self.shared.words.lock();
        words
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .get()
    }

    /// How often it was restarted after it ended unasked.
    pub fn restarts(&self) -> u64 {
        self.shared.restarts.load(Ordering::Relaxed)
    }

    /// What its process takes now; `None` while it does not run.
    pub fn resources(&self) -> Option<Resources> {
        Resources::of(self.current()?.pid)
    }
}
