//! Leases in memory.

use crate::{
    SimulatedClock,
    script::{Script, scripted},
};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use symphony_core_ports::{Clock, ModelHandle, ModelPool, ModelSpec, PortError, PortResult};
use tokio::sync::oneshot;

/// A [`ModelPool`] in memory; waits pass on its clock.
///
/// Operations for scripts: `allocate_model`, `release_model`.
#[derive(Debug, Clone)]
pub struct MockModelPool {
    shared: Arc<Mutex<Shared>>,
    script: Script,
}

#[derive(Debug, Default)]
struct Shared {
    models: BTreeMap<String, Model>,
    /// The model and generation of each slot that is taken.
    slots: BTreeMap<u32, (String, u64)>,
    generations: u64,
    most_held: usize,
}

#[derive(Debug, Default)]
struct Model {
    held: u32,
    max_parallel: u32,
    waiting: VecDeque<oneshot::Sender<ModelHandle>>,
}

scripted!(MockModelPool);

impl MockModelPool {
    /// Without leases.
    pub fn new() -> Self {
        Self::with_clock(SimulatedClock::new())
    }

    /// With waits and delays on this clock.
    pub fn with_clock(clock: SimulatedClock) -> Self {
        Self {
            shared: Arc::default(),
            script: Script::new(&["allocate_model", "release_model"], clock),
        }
    }

    /// How many leases are held; 0 when everything was given back.
    pub fn held(&self) -> usize {
        self.lock().slots.len()
    }

    /// The most leases that were held at once so far.
    pub fn most_held(&self) -> usize {
        self.lock().most_held
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MockModelPool {
    fn default() -> Self {
        Self::new()
    }
}

fn name(spec: &ModelSpec) -> String {
    let config: Vec<String> = spec
        .config
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("{}@{:?} {config:?}", spec.model_id, spec.version)
}

impl Shared {
    fn lease(&mut self, name: &str) -> ModelHandle {
        self.generations += 1;
        let slot = (0..).find(|slot| !self.slots.contains_key(slot));
        let handle = ModelHandle {
            slot: slot.unwrap_or(u32::MAX),
            generation: self.generations,
        };
        self.slots
            .insert(handle.slot, (name.to_owned(), handle.generation));
        self.most_held = self.most_held.max(self.slots.len());
        handle
    }

    fn release(&mut self, handle: ModelHandle) -> PortResult<()> {
        let name = match self.slots.get(&handle.slot) {
            Some((name, generation)) if *generation == handle.generation => name.clone(),
            _ => {
                let resource = format!("lease {}.{}", handle.slot, handle.generation);
                return Err(PortError::not_found(resource));
            }
        };
        self.slots.remove(&handle.slot);
        let mut waiting = match self.models.get_mut(&name) {
            Some(model) => std::mem::take(&mut model.waiting),
            None => VecDeque::new(),
        };
        let mut passed_on = false;
        while !passed_on && let Some(next) = waiting.pop_front() {
            let lease = self.lease(&name);
            passed_on = next.send(lease).is_ok();
            if !passed_on {
                self.slots.remove(&lease.slot);
            }
        }
        if let Some(model) = self.models.get_mut(&name) {
            model.waiting = waiting;
            if !passed_on {
                model.held -= 1;
            }
        }
        Ok(())
    }
}

/// A place in the queue; gives a lease back that came when nobody waited any more.
struct Place {
    shared: Arc<Mutex<Shared>>,
    lease: oneshot::Receiver<ModelHandle>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lease.close();
        if let Ok(lease) = self.lease.try_recv() {
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            // Fresh from the queue, so it is held.
            let _ = shared.release(lease);
        }
    }
}

#[async_trait]
impl ModelPool for MockModelPool {
    async fn allocate_model(&self, spec: ModelSpec, wait: Duration) -> PortResult<ModelHandle> {
        self.script
            .enter("allocate_model", spec.model_id.clone())
            .await?;
        if spec.max_parallel == 0 {
            return Err(PortError::invalid("max_parallel", "0"));
        }
        let name = name(&spec);
        let mut place = {
            let mut shared = self.lock();
            let model = shared.models.entry(name.clone()).or_default();
            if model.held > 0 && model.max_parallel != spec.max_parallel {
                let why = format!("leases are held under {}", model.max_parallel);
                return Err(PortError::invalid("max_parallel", why));
            }
            model.max_parallel = spec.max_parallel;
            if model.held < model.max_parallel {
                model.held += 1;
                return Ok(shared.lease(&name));
            }
            let (sender, lease) = oneshot::channel();
            model.waiting.push_back(sender);
            Place {
                shared: Arc::clone(&self.shared),
                lease,
            }
        };
        tokio::select! {
            biased;
            lease = &mut place.lease => lease.map_err(|_| PortError::failed("the pool is gone")),
            () = self.script.clock().sleep(wait) => Err(PortError::Timeout {
                operation: format!("a lease on {}", spec.model_id),
                duration: wait,
            }),
        }
    }

    async fn release_model(&self, handle: ModelHandle) -> PortResult<()> {
        let about = format!("{}.{}", handle.slot, handle.generation);
        self.script.enter("release_model", about).await?;
        self.lock().release(handle)
    }
}
