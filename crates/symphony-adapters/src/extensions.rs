//! Extensions as supervised processes behind [`ExtensionPort`].

mod behaviour;
mod invocation;
mod loaded;

use crate::rpc;
use async_trait::async_trait;
use loaded::Loaded;
use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use sy_commons::secret::Secret;
use symphony_actors::Supervisor;
use symphony_core_ports::{
    ExtensionEvent, ExtensionId, ExtensionManifest, ExtensionPort, ExtensionStatus, Permission,
    PortError, PortResult, Request, Response,
};
use tokio::{
    sync::broadcast::{self, Receiver},
    time::Instant,
};

/// Who says what an extension is given.
pub trait ExtensionAuthority: Send + Sync + 'static {
    /// What the extension may do: what its manifest declares and the user granted.
    fn granted(&self, manifest: &ExtensionManifest) -> BTreeSet<Permission>;

    /// The secret of this name for this extension; asked only where it is granted.
    fn secret(&self, extension: &ExtensionId, name: &str) -> Option<Secret>;
}

/// How extensions are run.
#[derive(Debug, Clone)]
pub struct ExtensionOptions {
    /// The project; told to an extension that may read it.
    pub project: Option<PathBuf>,
    /// An extension without calls for so long is stopped; the next call starts it again.
    pub idle_stop: Duration,
    /// How long a cancelled call may take to end before its process is restarted.
    pub cancel_grace: Duration,
    /// How many calls of one extension may wait for their turn.
    pub queue: usize,
}

impl Default for ExtensionOptions {
    fn default() -> Self {
        Self {
            project: None,
            idle_stop: Duration::from_secs(300),
            cancel_grace: Duration::from_secs(2),
            queue: 10_000,
        }
    }
}

/// Runs each extension in a process of its own.
pub struct ActorExtensionAdapter {
    supervisor: Arc<Supervisor>,
    authority: Arc<dyn ExtensionAuthority>,
    options: ExtensionOptions,
    loaded: Mutex<HashMap<ExtensionId, Arc<Loaded>>>,
}

impl ActorExtensionAdapter {
    /// An adapter without extensions; see [`ExtensionPort::load`].
    pub fn new(
        supervisor: Arc<Supervisor>,
        authority: Arc<dyn ExtensionAuthority>,
        options: ExtensionOptions,
    ) -> Self {
        Self {
            supervisor,
            authority,
            options,
            loaded: Mutex::default(),
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<ExtensionId, Arc<Loaded>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: &ExtensionId) -> PortResult<Arc<Loaded>> {
        let found = self.table().get(id).cloned();
        found.ok_or_else(|| PortError::not_found(format!("the extension `{id}`")))
    }
}

/// Says what is not granted, and the line of configuration that grants it.
fn check_grants(manifest: &ExtensionManifest, granted: &BTreeSet<Permission>) -> PortResult<()> {
    let missing: Vec<String> = manifest
        .permissions
        .iter()
        .filter(|permission| !granted.contains(permission))
        .map(ToString::to_string)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let id = &manifest.id;
    let all: Vec<String> = manifest
        .permissions
        .iter()
        .map(|permission| format!("{:?}", permission.to_string()))
        .collect();
    Err(PortError::PermissionDenied {
        operation: format!(
            "the extension `{id}` needs {}; to grant it, add to the configuration: extensions.grants.{id} = [{}]",
            missing.join(", "),
            all.join(", ")
        ),
    })
}

#[async_trait]
impl ExtensionPort for ActorExtensionAdapter {
    async fn load(&self, manifest: ExtensionManifest) -> PortResult<ExtensionId> {
        let granted = self.authority.granted(&manifest);
        check_grants(&manifest, &granted)?;
        let id = manifest.id.clone();
        let mut table = self.table();
        match table.get(&id) {
            Some(known) if known.manifest == manifest => {}
            Some(_) => {
                return Err(PortError::Conflict {
                    details: format!(
                        "an extension `{id}` is loaded already, from another manifest"
                    ),
                    ranges: Vec::new(),
                });
            }
            None => {
                let loaded = Loaded::new(
                    manifest,
                    granted,
                    self.supervisor.clone(),
                    self.authority.clone(),
                    self.options.clone(),
                );
                table.insert(id.clone(), Arc::new(loaded));
            }
        }
        Ok(id)
    }

    async fn ready(&self, id: &ExtensionId) -> PortResult<ExtensionStatus> {
        let loaded = self.find(id)?;
        let _busy = loaded.busy();
        loaded.ready().await?;
        Ok(loaded.status())
    }

    async fn unload(&self, id: &ExtensionId) -> PortResult<()> {
        let loaded = self.find(id)?;
        self.table().remove(id);
        loaded.unload().await;
        Ok(())
    }

    async fn invoke(&self, id: &ExtensionId, request: Request) -> PortResult<Response> {
        let loaded = self.find(id)?;
        let deadline = Instant::now() + request.timeout;
        loaded.invoke(request, deadline).await
    }

    fn events(&self, id: &ExtensionId) -> Receiver<ExtensionEvent> {
        match self.find(id) {
            Ok(loaded) => loaded.events.subscribe(),
            // Without a sender the receiver ends at once.
            Err(_) => broadcast::channel(1).1,
        }
    }
}

pub(crate) fn actor_id(id: &ExtensionId) -> String {
    format!("extension {id}")
}

pub(crate) fn not_running(error: symphony_actors::ActorError, id: &ExtensionId) -> PortError {
    rpc::not_running(error, &actor_id(id))
}
