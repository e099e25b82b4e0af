//! A loaded extension: its process when there is one, its turns.

use super::{ExtensionAuthority, ExtensionOptions, actor_id, behaviour::Host, not_running};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use symphony_actors::{
    ActorEvent, ActorHandle, ActorSpec, ActorState, DeathCause, EventKind, Heartbeat, Incarnation,
    Limits, Supervisor,
};
use symphony_core_ports::{
    ExtensionEvent, ExtensionManifest, ExtensionStatus, Permission, PortError, PortResult,
    ProcessId,
};
use symphony_ipc_transport::PeerOptions;
use tokio::sync::{Mutex, OnceCell, Semaphore, broadcast, watch};

/// How many events a slow listener may be behind.
const EVENTS: usize = 4096;
/// The longest line of an extension, in bytes.
const MAX_LINE: usize = 64 << 20;
/// What a start may take besides the extension's own time.
const START_MARGIN: Duration = Duration::from_secs(5);

/// What an extension said of itself.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) model: Option<String>,
    pub(super) max_parallel: u32,
}

/// A loaded extension.
pub(super) struct Loaded {
    pub(super) manifest: ExtensionManifest,
    pub(super) granted: BTreeSet<Permission>,
    pub(super) options: ExtensionOptions,
    pub(super) events: broadcast::Sender<ExtensionEvent>,
    /// Set with the first start: as many turns as calls may run at once.
    pub(super) turns: OnceCell<Arc<Semaphore>>,
    /// Calls that run or wait.
    pub(super) calls: Arc<AtomicUsize>,
    supervisor: Arc<Supervisor>,
    authority: Arc<dyn ExtensionAuthority>,
    said: watch::Sender<Option<Said>>,
    /// The process; locked while it is started or stopped.
    actor: Arc<Mutex<Option<ActorHandle>>>,
}

/// Counts a call for as long as it lives.
pub(super) struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Loaded {
    pub(super) fn new(
        manifest: ExtensionManifest,
        granted: BTreeSet<Permission>,
        supervisor: Arc<Supervisor>,
        authority: Arc<dyn ExtensionAuthority>,
        options: ExtensionOptions,
    ) -> Self {
        Self {
            manifest,
            granted,
            options,
            events: broadcast::Sender::new(EVENTS),
            turns: OnceCell::new(),
            calls: Arc::default(),
            supervisor,
            authority,
            said: watch::Sender::new(None),
            actor: Arc::default(),
        }
    }

    pub(super) fn busy(&self) -> Busy {
        self.calls.fetch_add(1, Ordering::AcqRel);
        Busy(self.calls.clone())
    }

    pub(super) fn status(&self) -> ExtensionStatus {
        let said = self.said.borrow().clone();
        ExtensionStatus {
            id: self.manifest.id.clone(),
            max_parallel: said.as_ref().map_or(1, |said| said.max_parallel),
            model: said.and_then(|said| said.model),
        }
    }

    /// The running process; starts it if there is none.
    pub(super) async fn ready(&self) -> PortResult<(ActorHandle, Incarnation)> {
        let handle = self.started().await?;
        let wait = self.manifest.launch.startup_timeout + START_MARGIN;
        let incarnation = handle
            .ready(wait)
            .await
            .map_err(|error| not_running(error, &self.manifest.id))?;
        let count = self.status().max_parallel as usize;
        self.turns
            .get_or_init(|| async { Arc::new(Semaphore::new(count)) })
            .await;
        Ok((handle, incarnation))
    }

    async fn started(&self) -> PortResult<ActorHandle> {
        let mut actor = self.actor.lock().await;
        if let Some(handle) = actor.as_ref() {
            let resting = matches!(
                handle.state(),
                ActorState::Stopped | ActorState::Failed { .. }
            );
            if resting {
                let started = handle.start().await;
                started.map_err(|error| not_running(error, &self.manifest.id))?;
            }
            return Ok(handle.clone());
        }
        let host = Host {
            manifest: self.manifest.clone(),
            granted: self.granted.clone(),
            authority: self.authority.clone(),
            project: self.options.project.clone(),
            said: self.said.clone(),
            events: self.events.clone(),
        };
        let handle = self
            .supervisor
            .spawn(self.spec()?, Arc::new(host))
            .map_err(|error| not_running(error, &self.manifest.id))?;
        tokio::spawn(pass_on(handle.events(), self.events.clone()));
        tokio::spawn(stop_when_idle(
            Arc::downgrade(&self.actor),
            Arc::downgrade(&self.calls),
            self.options.idle_stop,
        ));
        *actor = Some(handle.clone());
        Ok(handle)
    }

    fn spec(&self) -> PortResult<ActorSpec> {
        let id = actor_id(&self.manifest.id);
        let launch = &self.manifest.launch;
        let (program, args) =
            launch
                .command
                .split_first()
                .ok_or_else(|| PortError::ProcessCommunicationFailed {
                    process_id: ProcessId::new(id.as_str()),
                    details: "its manifest names no program".to_owned(),
                    source: None,
                })?;
        let mut spec = ActorSpec::new(id, program);
        spec.args = args.iter().map(Into::into).collect();
        spec.cwd = Some(launch.folder.clone());
        spec.limits = Limits {
            open_files: Some(self.manifest.limits.open_files),
            address_space: self.manifest.limits.memory_bytes,
            ..Limits::default()
        };
        spec.heartbeat = Some(Heartbeat::relaxed());
        spec.startup_timeout = launch.startup_timeout;
        spec.peer = PeerOptions {
            max_line: MAX_LINE,
            ..PeerOptions::default()
        };
        // A Python extension leaves no files behind and its log comes at once.
        for (name, value) in [("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONUNBUFFERED", "1")] {
            spec.env.insert(name.into(), value.into());
        }
        Ok(spec)
    }

    pub(super) async fn unload(&self) {
        if let Some(handle) = self.actor.lock().await.take()
            && let Err(error) = self.supervisor.remove(handle.id()).await
        {
            tracing::debug!(%error, extension = %self.manifest.id, "stopping an extension");
        }
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // Without `unload`: the last user is gone, so the process may go too.
        let (actor, supervisor) = (self.actor.clone(), self.supervisor.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Some(handle) = actor.lock().await.take() {
                    let _ = supervisor.remove(handle.id()).await;
                }
            });
        }
    }
}

/// Passes the events of a process on as those of its extension.
async fn pass_on(mut from: broadcast::Receiver<ActorEvent>, to: broadcast::Sender<ExtensionEvent>) {
    loop {
        let event = match from.recv().await {
            Ok(event) => event,
            Err(broadcast::error::RecvError::Lagged(_)) => continue,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let event = match event.kind {
            EventKind::Stderr(message) => ExtensionEvent::Log { message },
            EventKind::Exited(death) if !matches!(death.cause, DeathCause::Stopped) => {
                ExtensionEvent::Crashed {
                    details: format!("it {death}"),
                }
            }
            EventKind::Stopped => ExtensionEvent::Stopped,
            _ => continue,
        };
        // Without a listener there is nobody to tell.
        let _ = to.send(event);
    }
}

/// Stops the process after `idle` without calls, again and again.
async fn stop_when_idle(
    actor: std::sync::Weak<Mutex<Option<ActorHandle>>>,
    calls: std::sync::Weak<AtomicUsize>,
    idle: Duration,
) {
    let step = (idle / 4).max(Duration::from_millis(10));
    let mut quiet = Duration::ZERO;
    loop {
        tokio::time::sleep(step).await;
        let (Some(actor), Some(calls)) = (actor.upgrade(), calls.upgrade()) else {
            return;
        };
        if calls.load(Ordering::Acquire) > 0 {
            quiet = Duration::ZERO;
            continue;
        }
        quiet += step;
        if quiet < idle {
            continue;
        }
        quiet = Duration::ZERO;
        let actor = actor.lock().await;
        let Some(handle) = actor.as_ref() else { return };
        // A call that came meanwhile waits for the lock, then starts it again.
        if calls.load(Ordering::Acquire) == 0
            && matches!(handle.state(), ActorState::Running)
            && let Err(error) = handle.stop().await
        {
            tracing::debug!(%error, actor = handle.id(), "stopping an idle extension");
        }
    }
}
