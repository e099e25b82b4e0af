//! Extensions without processes.

mod call;

pub use call::MockCall;

use crate::{
    SimulatedClock,
    script::{Script, scripted},
};
use async_trait::async_trait;
use call::Ended;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use symphony_core_ports::{
    Clock, ExtensionEvent, ExtensionId, ExtensionManifest, ExtensionPort, ExtensionStatus,
    Permission, PortError, PortResult, ProcessId, Request, Response,
};
use tokio::sync::broadcast::{Receiver, Sender, channel};

type Answer = Pin<Box<dyn Future<Output = PortResult<Response>> + Send>>;
type Handler = Arc<dyn Fn(MockCall) -> Answer + Send + Sync>;

/// Events a subscriber may be behind before it misses some.
const EVENTS: usize = 1_024;

/// An [`ExtensionPort`] whose extensions are closures.
///
/// A handler is given by an id, or as melodies name it (`operator/echo`). A call
/// that takes longer than its time-out on the mock's clock ends with `Timeout`;
/// that clock stands still unless the test moves it. A handler whose call timed
/// out or was dropped is dropped with it, and counted by
/// [`dropped`](Self::dropped).
///
/// Operations for scripts: `load`, `ready`, `unload`, `invoke`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use symphony_core_ports::{ExtensionPort, Response};
/// use symphony_testkit::{MockExtensionAdapter, manifest};
///
/// let mock = MockExtensionAdapter::new();
/// mock.on("operator/echo", |request| {
///     Ok(Response { outputs: request.inputs, ..Response::default() })
/// });
/// let id = mock.load(manifest::operator("echo").build()).await.unwrap();
/// let request = MockExtensionAdapter::request([("value", "hello".into())]);
/// let response = mock.invoke(&id, request).await.unwrap();
/// assert_eq!(response.outputs["value"], "hello");
/// assert_eq!(mock.invocations("echo"), 1);
/// # });
/// ```
#[derive(Clone)]
pub struct MockExtensionAdapter {
    shared: Arc<Mutex<Shared>>,
    script: Script,
}

#[derive(Default)]
struct Shared {
    loaded: BTreeMap<ExtensionId, Loaded>,
    handlers: BTreeMap<ExtensionId, Handler>,
    models: BTreeMap<ExtensionId, (Option<String>, u32)>,
    denied: BTreeSet<Permission>,
    /// What `ready` fails with, by extension.
    broken: BTreeMap<ExtensionId, String>,
    on_load: BTreeMap<ExtensionId, Box<dyn Fn() + Send>>,
    requests: Vec<(ExtensionId, Request)>,
    ended: BTreeMap<ExtensionId, Ended>,
}

struct Loaded {
    manifest: ExtensionManifest,
    started: bool,
    events: Sender<ExtensionEvent>,
    /// Dropped on unloading, which ends the calls under way.
    alive: tokio::sync::watch::Sender<()>,
}

scripted!(MockExtensionAdapter);

impl MockExtensionAdapter {
    /// Without extensions.
    pub fn new() -> Self {
        Self::with_clock(SimulatedClock::new())
    }

    /// With time-outs and delays on this clock.
    pub fn with_clock(clock: SimulatedClock) -> Self {
        let operations = &["load", "ready", "unload", "invoke"];
        Self {
            shared: Arc::default(),
            script: Script::new(operations, clock),
        }
    }

    /// Loads an extension with its handler at once.
    ///
    /// # Panics
    /// When another extension of this id is loaded, or a permission is denied.
    #[must_use]
    pub fn with_extension(
        self,
        manifest: ExtensionManifest,
        handler: impl Fn(Request) -> PortResult<Response> + Send + Sync + 'static,
    ) -> Self {
        self.on(manifest.id.as_str(), handler);
        let loaded = self.lock().load(manifest);
        if let Err(error) = loaded {
            panic!("{error}");
        }
        self
    }

    /// A request with these inputs, a time-out of a minute, and names made of the inputs.
    pub fn request<const N: usize>(inputs: [(&str, serde_json::Value); N]) -> Request {
        let inputs = inputs.map(|(name, value)| (name.to_owned(), value));
        let inputs: serde_json::Map<_, _> = inputs.into_iter().collect();
        let key = format!("{:?}", inputs);
        Request {
            call: format!("call {key}"),
            idempotency_key: key,
            inputs,
            timeout: std::time::Duration::from_secs(60),
        }
    }

    /// Answers calls of an extension; replaces an earlier handler.
    pub fn on(
        &self,
        extension: &str,
        handler: impl Fn(Request) -> PortResult<Response> + Send + Sync + 'static,
    ) {
        self.on_async(extension, move |call| {
            std::future::ready(handler(call.request))
        });
    }

    /// Answers calls of an extension with work that takes time, or tells events.
    pub fn on_async<F>(
        &self,
        extension: &str,
        handler: impl Fn(MockCall) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = PortResult<Response>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |call| Box::pin(handler(call)));
        self.lock().handlers.insert(id_of(extension), handler);
    }

    /// Calls of an extension never end by themselves.
    pub fn hang(&self, extension: &str) {
        self.on_async(extension, |_| std::future::pending());
    }

    /// Calls of an extension find its process dead, with these last words.
    pub fn die(&self, extension: &str, last_words: &str) {
        let id = id_of(extension);
        let last_words = last_words.to_owned();
        self.on_async(extension, move |call| {
            call.emit(ExtensionEvent::Crashed {
                details: last_words.clone(),
            });
            std::future::ready(Err(PortError::ProcessCommunicationFailed {
                process_id: ProcessId(format!("extension {id}")),
                details: last_words.clone(),
                source: None,
            }))
        });
    }

    /// An extension cannot be started from now on: `ready` and calls fail, with these details.
    pub fn fail_start(&self, extension: &str, details: &str) {
        let details = details.to_owned();
        self.lock().broken.insert(id_of(extension), details);
    }

    /// Whether an extension has a handler, or cannot be started.
    pub(crate) fn handles(&self, extension: &str) -> bool {
        let id = id_of(extension);
        let shared = self.lock();
        shared.handlers.contains_key(&id) || shared.broken.contains_key(&id)
    }

    /// Runs when an extension is loaded anew, as what its process keeps is gone then.
    pub fn on_load(&self, extension: &str, run: impl Fn() + Send + 'static) {
        let run = Box::new(run);
        self.lock().on_load.insert(id_of(extension), run);
    }

    /// What `ready` says of an extension; no model and 1 call at once unless told.
    pub fn set_status(&self, extension: &str, model: Option<&str>, max_parallel: u32) {
        let status = (model.map(str::to_owned), max_parallel);
        self.lock().models.insert(id_of(extension), status);
    }

    /// Extensions that ask for this permission are refused from now on.
    pub fn deny(&self, permission: Permission) {
        self.lock().denied.insert(permission);
    }

    /// Tells an event of a loaded extension, as if it had said so itself.
    pub fn emit(&self, extension: &str, event: ExtensionEvent) {
        if let Some(loaded) = self.lock().loaded.get(&id_of(extension)) {
            // Nobody listening is fine.
            let _ = loaded.events.send(event);
        }
    }

    /// How often an extension was called; only calls that reached it count.
    pub fn invocations(&self, extension: &str) -> usize {
        let id = id_of(extension);
        let shared = self.lock();
        shared.requests.iter().filter(|(to, _)| *to == id).count()
    }

    /// The requests that reached an extension, in order.
    pub fn requests(&self, extension: &str) -> Vec<Request> {
        let id = id_of(extension);
        let shared = self.lock();
        let to_it = shared.requests.iter().filter(|(to, _)| *to == id);
        to_it.map(|(_, request)| request.clone()).collect()
    }

    /// How many calls of an extension were given up before it answered: their
    /// future was dropped, they timed out, or it was unloaded.
    pub fn dropped(&self, extension: &str) -> usize {
        self.ended(extension).dropped()
    }

    /// How many calls of an extension are under way.
    pub fn running(&self, extension: &str) -> usize {
        self.ended(extension).running()
    }

    /// The most calls of an extension that were under way at once.
    pub fn most_running(&self, extension: &str) -> usize {
        self.ended(extension).most_running()
    }

    /// Which extensions are loaded.
    pub fn loaded(&self) -> Vec<ExtensionId> {
        self.lock().loaded.keys().cloned().collect()
    }

    fn ended(&self, extension: &str) -> Ended {
        let id = id_of(extension);
        self.lock().ended.entry(id).or_default().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MockExtensionAdapter {
    fn default() -> Self {
        Self::new()
    }
}

/// `operator/echo` and `echo` are the same.
fn id_of(extension: &str) -> ExtensionId {
    let name = extension
        .split_once('/')
        .map_or(extension, |(_, name)| name);
    ExtensionId::from(name)
}

impl Shared {
    fn load(&mut self, manifest: ExtensionManifest) -> PortResult<ExtensionId> {
        if let Some(denied) = manifest
            .permissions
            .iter()
            .find(|p| self.denied.contains(p))
        {
            let operation = format!("{} asks for {denied}, which is not granted", manifest.id);
            return Err(PortError::PermissionDenied { operation });
        }
        let id = manifest.id.clone();
        match self.loaded.get(&id) {
            Some(loaded) if loaded.manifest == manifest => return Ok(id),
            Some(_) => {
                return Err(PortError::Conflict {
                    details: format!("{id} is loaded with another manifest"),
                    ranges: Vec::new(),
                });
            }
            None => {}
        }
        let loaded = Loaded {
            manifest,
            started: false,
            events: channel(EVENTS).0,
            alive: tokio::sync::watch::channel(()).0,
        };
        self.loaded.insert(id.clone(), loaded);
        if let Some(run) = self.on_load.get(&id) {
            run();
        }
        Ok(id)
    }

    fn start(&mut self, id: &ExtensionId) -> PortResult<ExtensionStatus> {
        let (model, max_parallel) = self.models.get(id).cloned().unwrap_or((None, 1));
        let loaded = self.loaded.get_mut(id).ok_or_else(|| not_loaded(id))?;
        if let Some(details) = self.broken.get(id) {
            return Err(PortError::ProcessCommunicationFailed {
                process_id: ProcessId(format!("extension {id}")),
                details: details.clone(),
                source: None,
            });
        }
        if !loaded.started {
            loaded.started = true;
            let model = model.clone();
            // Nobody listening is fine.
            let _ = loaded.events.send(ExtensionEvent::Started { model });
        }
        Ok(ExtensionStatus {
            id: id.clone(),
            model,
            max_parallel,
        })
    }
}

fn not_loaded(id: &ExtensionId) -> PortError {
    PortError::not_found(format!("extension {id}"))
}

#[async_trait]
impl ExtensionPort for MockExtensionAdapter {
    async fn load(&self, manifest: ExtensionManifest) -> PortResult<ExtensionId> {
        self.script.enter("load", manifest.id.0.clone()).await?;
        self.lock().load(manifest)
    }

    async fn ready(&self, id: &ExtensionId) -> PortResult<ExtensionStatus> {
        self.script.enter("ready", id.0.clone()).await?;
        self.lock().start(id)
    }

    async fn unload(&self, id: &ExtensionId) -> PortResult<()> {
        self.script.enter("unload", id.0.clone()).await?;
        let loaded = self.lock().loaded.remove(id);
        let loaded = loaded.ok_or_else(|| not_loaded(id))?;
        // Nobody listening is fine.
        let _ = loaded.events.send(ExtensionEvent::Stopped);
        Ok(())
    }

    async fn invoke(&self, id: &ExtensionId, request: Request) -> PortResult<Response> {
        self.script.enter("invoke", id.0.clone()).await?;
        let clock = self.script.clock().clone();
        let begun = clock.elapsed();
        let timeout = request.timeout;
        let (mut work, mut alive, under_way) = {
            let mut shared = self.lock();
            shared.start(id)?;
            let handler = shared.handlers.get(id).cloned();
            let handler = handler.ok_or_else(|| PortError::Unsupported {
                details: format!("the test gave `{id}` no handler"),
            })?;
            shared.requests.push((id.clone(), request.clone()));
            let under_way = shared.ended.entry(id.clone()).or_default().begin();
            let loaded = shared.loaded.get(id).ok_or_else(|| not_loaded(id))?;
            let call = MockCall::new(request, clock.clone(), loaded.events.clone());
            let alive = loaded.alive.subscribe();
            (HandlerCall { handler, call }, alive, under_way)
        };
        let late = || PortError::Timeout {
            operation: format!("a call of {id}"),
            duration: timeout,
        };
        let outcome = tokio::select! {
            biased;
            answer = work.run() => Some(answer),
            _ = alive.changed() => Some(Err(PortError::Cancelled)),
            () = clock.sleep(timeout) => None,
        };
        match outcome {
            Some(answer) if clock.elapsed().saturating_sub(begun) <= timeout => {
                if !matches!(answer, Err(PortError::Cancelled)) {
                    under_way.answered();
                }
                answer
            }
            _ => Err(late()),
        }
    }

    fn events(&self, id: &ExtensionId) -> Receiver<ExtensionEvent> {
        match self.lock().loaded.get(id) {
            Some(loaded) => loaded.events.subscribe(),
            None => channel(1).1,
        }
    }
}

/// A handler with its call; the handler runs outside of the mock's lock, so that it may use the mock.
struct HandlerCall {
    handler: Handler,
    call: MockCall,
}

impl HandlerCall {
    fn run(&mut self) -> Answer {
        (self.handler)(self.call.clone())
    }
}
