//! The supervisor of all children.

use crate::{
    ActorError, ActorEvent, ActorHandle, ActorSpec, ActorState, Behaviour, Resources,
    handle::{Shared, Status},
    incarnation::Actor,
    spawner::Spawner,
    spec::resolve,
};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    sync::{broadcast, mpsc, watch},
    task::JoinSet,
    time::timeout,
};

/// How many events a slow listener may be behind.
const EVENTS: usize = 1024;
/// How many commands to an actor may wait.
const COMMANDS: usize = 16;

/// What a supervisor needs.
#[derive(Debug, Clone)]
pub struct SupervisorOptions {
    /// The binary `symphony-extension-runner`, through which every child is started.
    pub runner: PathBuf,
}

/// Starts, watches, restarts and stops children. Dropping it kills them all.
pub struct Supervisor {
    spawner: Spawner,
    thread: Option<JoinHandle<()>>,
    actors: Mutex<HashMap<String, ActorHandle>>,
    events: broadcast::Sender<ActorEvent>,
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.actors().values()).finish()
    }
}

impl Supervisor {
    /// Starts the spawner thread and the guard process. Must be called within a
    /// tokio runtime, which must outlive the supervisor's use.
    ///
    /// # Errors
    /// [`ActorError::ProgramMissing`] without the runner, [`ActorError::Spawn`].
    pub fn start(options: SupervisorOptions) -> Result<Self, ActorError> {
        let actor = || "the guard of child processes".to_owned();
        let runner = resolve(&options.runner).ok_or_else(|| ActorError::ProgramMissing {
            actor: actor(),
            program: options.runner.clone(),
        })?;
        let runtime = tokio::runtime::Handle::current();
        let (spawner, thread) =
            Spawner::start(runner, runtime).map_err(|source| ActorError::Spawn {
                actor: actor(),
                source: Arc::new(source),
            })?;
        Ok(Self {
            spawner,
            thread: Some(thread),
            actors: Mutex::default(),
            events: broadcast::Sender::new(EVENTS),
        })
    }

    /// Makes an actor and starts its process. Use [`ActorHandle::ready`] to wait for it.
    ///
    /// # Errors
    /// [`ActorError::Duplicate`]. What goes wrong with the process is in the
    /// actor's state.
    pub fn spawn(
        &self,
        spec: ActorSpec,
        behaviour: Arc<dyn Behaviour>,
    ) -> Result<ActorHandle, ActorError> {
        let mut actors = self.actors();
        if actors.contains_key(&spec.id) {
            return Err(ActorError::Duplicate { actor: spec.id });
        }
        let shared = Arc::new(Shared {
            id: spec.id.as_str().into(),
            status: watch::Sender::new(Status {
                state: ActorState::Starting,
                incarnation: None,
            }),
            death: watch::Sender::new(None),
            events: broadcast::Sender::new(EVENTS),
            all_events: self.events.clone(),
            words: Mutex::default(),
            restarts: Default::default(),
        });
        let (sender, commands) = mpsc::channel(COMMANDS);
        let handle = ActorHandle {
            shared: shared.clone(),
            commands: sender,
        };
        actors.insert(spec.id.clone(), handle.clone());
        let actor = Actor {
            spec,
            behaviour,
            shared,
            spawner: self.spawner.clone(),
            commands,
        };
        tokio::spawn(actor.run());
        Ok(handle)
    }

    /// The actor with this id.
    pub fn get(&self, id: &str) -> Option<ActorHandle> {
        self.actors().get(id).cloned()
    }

    /// All actors, by id.
    pub fn list(&self) -> Vec<ActorHandle> {
        let mut list: Vec<_> = self.actors().values().cloned().collect();
        list.sort_by(|a, b| a.id().cmp(b.id()));
        list
    }

    /// Stops an actor and forgets it.
    ///
    /// # Errors
    /// As [`ActorHandle::stop`]; it is forgotten all the same.
    pub async fn remove(&self, id: &str) -> Result<(), ActorError> {
        let handle = self.get(id);
        let result = match &handle {
            Some(handle) => handle.stop().await,
            None => Ok(()),
        };
        self.actors().remove(id);
        result
    }

    /// Events of all actors from now on. A receiver that lags misses events.
    pub fn events(&self) -> broadcast::Receiver<ActorEvent> {
        self.events.subscribe()
    }

    /// What each running child takes now.
    pub fn resources(&self) -> Vec<(String, Resources)> {
        self.list()
            .into_iter()
            .filter_map(|handle| Some((handle.id().to_owned(), handle.resources()?)))
            .collect()
    }

    /// Stops all actors at once, each by its policy; what has not ended after
    /// `grace` is killed. Nothing of their groups is left when this returns.
    pub async fn stop_all(&self, grace: Duration) {
        let handles: Vec<_> = self.actors().drain().map(|(_, handle)| handle).collect();
        let mut stopping: JoinSet<_> = handles
            .iter()
            .cloned()
            .map(|handle| async move { handle.stop().await })
            .collect();
        let all = async { while stopping.join_next().await.is_some() {} };
        if timeout(grace, all).await.is_err() {
            self.spawner.kill_all();
            let all = async { while stopping.join_next().await.is_some() {} };
            if timeout(Duration::from_secs(5), all).await.is_err() {
                tracing::error!("a killed process does not end");
            }
        }
    }

    fn actors(&self) -> MutexGuard<'_, HashMap<String, ActorHandle>> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.spawner.close();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread ended the children by their parent-death signal.
            let _ = thread.join();
        }
    }
}
