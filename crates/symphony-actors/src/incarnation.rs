//! One life of a child: start, watch, end.

use crate::{
    ActorError, ActorSpec, Behaviour, Death, DeathCause, Incarnation, StartError, StopPolicy,
    events::EventKind,
    group::Group,
    handle::{ActorState, Command, Shared},
    heartbeat,
    spawner::{Spawned, Spawner},
    stderr::LastWords,
};
use rustix::process::Signal;
use serde_json::json;
use std::{
    future::pending,
    io,
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    sync::{Arc, PoisonError},
    time::Duration,
};
use symphony_ipc_transport::{CloseReason, Incoming, Peer};
use tokio::{
    process::Child,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout},
};

/// How long the rest of a dead child's output may take.
const DRAIN: Duration = Duration::from_millis(100);
/// How long a child whose connection ended may take to end itself.
const CLOSING: Duration = Duration::from_millis(300);
/// How long the kernel may take to end a killed process.
const KILLED: Duration = Duration::from_secs(5);

/// What stays the same over all lives of an actor.
pub(crate) struct Actor {
    pub(crate) spec: ActorSpec,
    pub(crate) behaviour: Arc<dyn Behaviour>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) spawner: Spawner,
    pub(crate) commands: mpsc::Receiver<Command>,
}

/// How a life ended.
pub(crate) enum End {
    /// The process ended or was ended.
    Died(Arc<Death>),
    /// It was stopped as asked; whoever asked is told through the sender.
    Stopped(Option<oneshot::Sender<()>>),
    /// Starting again would not help.
    Refused(ActorError),
}

/// Why watching ended.
enum Watched {
    Ended(DeathCause),
    Stop(Option<oneshot::Sender<()>>),
    Refused(String),
}

/// The process with what belongs to it.
struct Process {
    child: Child,
    group: Group,
    incarnation: Incarnation,
    words: Arc<LastWords>,
    reading: JoinHandle<()>,
    pump: JoinHandle<()>,
}

impl Actor {
    /// Runs one incarnation from start to end.
    pub(crate) async fn live(&mut self, generation: u64) -> End {
        let asked = Instant::now();
        self.shared.set(ActorState::Starting, None);
        let process = match self.spawner.spawn(self.spec.clone()).await {
            Ok(spawned) => self.connect(spawned, generation),
            Err(error) => return End::Refused(error),
        };
        let mut process = match process {
            Ok(process) => process,
            Err(error) => return End::Refused(error),
        };
        let mut ready = false;
        let watched = match self.start(&mut process).await {
            Some(watched) => watched,
            None => {
                ready = true;
                let incarnation = process.incarnation.clone();
                let pid = incarnation.pid;
                self.shared.set(ActorState::Running, Some(incarnation));
                let took = asked.elapsed();
                self.shared
                    .tell(generation, EventKind::Started { pid, took });
                self.watch(&mut process).await
            }
        };
        self.finish(process, watched, ready).await
    }

    fn connect(&self, spawned: Spawned, generation: u64) -> Result<Process, ActorError> {
        let Spawned { mut child, group } = spawned;
        let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = streams else {
            // Dropping the child kills it.
            return Err(ActorError::Spawn {
                actor: self.spec.id.clone(),
                source: Arc::new(io::Error::other("a standard stream is missing")),
            });
        };
        let (peer, incoming) = Peer::start(stdout, stdin, self.spec.peer.clone());
        let words = Arc::new(LastWords::default());
        *self
            .shared
            .words
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = words.clone();
        let reading = tokio::spawn({
            let (words, shared) = (words.clone(), self.shared.clone());
            async move {
                let tell = |line| shared.tell(generation, EventKind::Stderr(line));
                words.collect(stderr, tell).await;
            }
        });
        let (behaviour, shared) = (self.behaviour.clone(), self.shared.clone());
        let pump = tokio::spawn(pump(incoming, behaviour, shared, generation));
        let pid = group.pid.as_raw_nonzero().get().unsigned_abs();
        Ok(Process {
            child,
            group,
            incarnation: Incarnation {
                generation,
                pid,
                peer,
            },
            words,
            reading,
            pump,
        })
    }

    /// Runs the start hook; `None` when all is well.
    async fn start(&mut self, process: &mut Process) -> Option<Watched> {
        let after = self.spec.startup_timeout;
        let incarnation = process.incarnation.clone();
        let hook = timeout(after, self.behaviour.started(&incarnation));
        let result = tokio::select! {
            biased;
            end = next_end(&mut self.commands, incarnation.generation) => return Some(end),
            result = hook => result,
            _ = process.child.wait() => return Some(Watched::Ended(DeathCause::Exited)),
        };
        let error = match result {
            Ok(Ok(())) => return None,
            Ok(Err(StartError::Fatal(why))) => return Some(Watched::Refused(why)),
            Ok(Err(StartError::Retry(error))) => error,
            Err(_) => return Some(Watched::Ended(DeathCause::SlowStart { after })),
        };
        // Usually the connection failed because the process ended: then that is the cause.
        let cause = match incarnation.peer.closed_reason() {
            Some(reason) => ended_or(&mut process.child, reason).await,
            None => DeathCause::FailedStart(Arc::from(error)),
        };
        Some(Watched::Ended(cause))
    }

    async fn watch(&mut self, process: &mut Process) -> Watched {
        let Incarnation {
            peer, generation, ..
        } = process.incarnation.clone();
        let hang = async {
            match &self.spec.heartbeat {
                Some(heartbeat) => {
                    let pid = process.group.pid;
                    heartbeat::watch(heartbeat, &peer, pid, &self.shared, generation).await
                }
                None => pending().await,
            }
        };
        let reason = tokio::select! {
            biased;
            end = next_end(&mut self.commands, generation) => return end,
            _ = process.child.wait() => return Watched::Ended(DeathCause::Exited),
            reason = peer.closed() => reason,
            silent = hang => return Watched::Ended(DeathCause::Hung { silent }),
        };
        Watched::Ended(ended_or(&mut process.child, reason).await)
    }

    async fn finish(&self, mut process: Process, watched: Watched, ready: bool) -> End {
        let mut done = None;
        let mut refused = None;
        let cause = match watched {
            Watched::Ended(cause) => {
                // Nobody gets the dead incarnation any more.
                self.shared.set(ActorState::Starting, None);
                cause
            }
            Watched::Refused(why) => {
                refused = Some(why);
                DeathCause::Stopped
            }
            Watched::Stop(sender) => {
                done = Some(sender);
                self.shared.set(ActorState::Stopping, None);
                stop(&mut process, &self.spec.stop).await;
                DeathCause::Stopped
            }
        };
        process.group.signal(Signal::KILL);
        let status = timeout(KILLED, process.child.wait()).await;
        self.spawner.release(process.group);
        let generation = process.incarnation.generation;
        let last_words = drain(process).await;
        let (code, signal) = how(status.ok());
        let death = Arc::new(Death {
            generation,
            cause,
            ready,
            code,
            signal,
            last_words,
        });
        self.shared.death.send_replace(Some(death.clone()));
        self.shared
            .tell(generation, EventKind::Exited(death.clone()));
        match (done, refused) {
            (Some(done), _) => End::Stopped(done),
            (None, Some(why)) => End::Refused(ActorError::Refused {
                actor: self.spec.id.clone(),
                why,
            }),
            (None, None) => End::Died(death),
        }
    }
}

/// Passes incoming messages on, one after the other.
async fn pump(
    mut incoming: mpsc::Receiver<Incoming>,
    behaviour: Arc<dyn Behaviour>,
    shared: Arc<Shared>,
    generation: u64,
) {
    while let Some(message) = incoming.recv().await {
        let bad = match &message {
            Incoming::Malformed { error, sample } => Some((error.to_string(), sample)),
            Incoming::TooLong { bytes, sample } => {
                Some((format!("the line has {bytes} bytes"), sample))
            }
            Incoming::Request { .. } | Incoming::Notification { .. } => None,
        };
        if let Some((why, sample)) = bad {
            let sample = sample.clone();
            shared.tell(generation, EventKind::Malformed { why, sample });
        }
        behaviour.incoming(generation, message).await;
    }
}

/// The next command that ends this incarnation.
async fn next_end(commands: &mut mpsc::Receiver<Command>, generation: u64) -> Watched {
    loop {
        match commands.recv().await {
            None => return Watched::Stop(None),
            Some(Command::Stop { done }) => return Watched::Stop(Some(done)),
            Some(Command::Restart { generation: g, why }) if g == generation => {
                return Watched::Ended(DeathCause::Replaced { why });
            }
            // It runs; whoever asked may have gone.
            Some(Command::Start { done }) => drop(done.send(())),
            Some(Command::Restart { .. }) => {}
        }
    }
}

/// A connection that ended is not the cause when the process ended too.
async fn ended_or(child: &mut Child, reason: CloseReason) -> DeathCause {
    if matches!(reason, CloseReason::Garbage { .. }) {
        return DeathCause::Disconnected(reason);
    }
    match timeout(CLOSING, child.wait()).await {
        Ok(_) => DeathCause::Exited,
        Err(_) => DeathCause::Disconnected(reason),
    }
}

/// Asks, closes the input, sends SIGTERM. What is left is killed by the caller.
async fn stop(process: &mut Process, policy: &StopPolicy) {
    let peer = process.incarnation.peer.clone();
    let asking = async {
        if let Some(method) = &policy.method {
            // Whatever it answers, it is stopped.
            let _ = peer.call(method, &json!({}), policy.grace).await;
        }
        peer.close();
        process.child.wait().await
    };
    if timeout(policy.grace, asking).await.is_ok() {
        return;
    }
    process.incarnation.peer.close();
    process.group.signal(Signal::TERM);
    let _ = timeout(policy.term_grace, process.child.wait()).await;
}

/// Takes what the dead process left in its pipes, then closes everything.
async fn drain(mut process: Process) -> Vec<String> {
    let peer = &process.incarnation.peer;
    let _ = timeout(DRAIN, peer.closed()).await;
    peer.close();
    let _ = timeout(DRAIN, &mut process.pump).await;
    let _ = timeout(DRAIN, &mut process.reading).await;
    process.pump.abort();
    process.reading.abort();
    process.words.get()
}

/// Exit status and signal, where known.
fn how(status: Option<io::Result<ExitStatus>>) -> (Option<i32>, Option<i32>) {
    let status = status.and_then(Result::ok);
    (
        status.and_then(|s| s.code()),
        status.and_then(|s| s.signal()),
    )
}
