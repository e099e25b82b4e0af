//! The pool: which model a spec means, and waiting for a lease of it.

use crate::model::{Asked, Model, Waiting};
use async_trait::async_trait;
use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic::AtomicU64},
    time::Duration,
};
use symphony_core_ports::{Clock, ModelHandle, ModelPool, ModelSpec, PortError, PortResult};

/// So many models are remembered; beyond, idle ones are forgotten.
const MAX_MODELS: usize = 1024;

/// Hands out leases of models.
pub struct PoolManager {
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    generations: Arc<AtomicU64>,
    models: RwLock<Models>,
    slots: RwLock<Slots>,
}

#[derive(Default)]
struct Models {
    /// By the hash of id and version; models that differ in their settings share an entry.
    by_hash: HashMap<u64, Vec<Arc<Model>>, BuildHasherDefault<AlreadyHashed>>,
    count: usize,
}

/// Takes a hash for what it is, instead of hashing it again.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[derive(Default)]
struct Slots {
    owners: Vec<Option<Arc<Model>>>,
    vacant: Vec<u32>,
}

/// How busy a model is.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ModelStatus {
    /// The model's id.
    pub model_id: String,
    /// Its version, where one was asked for.
    pub version: Option<String>,
    /// Leases held now.
    pub held: u32,
    /// The most that may be held.
    pub max_parallel: u32,
    /// Callers waiting now.
    pub waiting: usize,
}

fn read<T>(shared: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    shared.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(shared: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    shared.write().unwrap_or_else(PoisonError::into_inner)
}

impl PoolManager {
    /// An empty pool that waits by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            hasher: RandomState::new(),
            generations: Arc::default(),
            models: RwLock::default(),
            slots: RwLock::default(),
        }
    }

    /// Takes a lease if one is free and nobody waits; never blocks.
    ///
    /// # Errors
    /// As [`ModelPool::allocate_model`], without `Timeout`.
    pub fn try_lease(&self, spec: &ModelSpec) -> PortResult<Option<ModelHandle>> {
        match self.ask(spec, false)? {
            Asked::Leased(handle) => Ok(Some(handle)),
            Asked::Queued(_) | Asked::Busy => Ok(None),
        }
    }

    /// Gives a lease back; never blocks.
    ///
    /// # Errors
    /// `NotFound` for a handle that is not held.
    pub fn give_back(&self, handle: ModelHandle) -> PortResult<()> {
        // Cloned, so that the table is not locked while the model is: taking a
        // new slot locks them the other way round.
        let owner = read(&self.slots)
            .owners
            .get(handle.slot as usize)
            .cloned()
            .flatten();
        if owner.is_some_and(|model| model.give_back(handle)) {
            Ok(())
        } else {
            Err(PortError::not_found(format!(
                "lease {}.{}",
                handle.slot, handle.generation
            )))
        }
    }

    /// How busy each known model is, sorted by id and version.
    pub fn status(&self) -> Vec<ModelStatus> {
        let models = read(&self.models);
        let mut all: Vec<_> = models
            .by_hash
            .values()
            .flatten()
            .map(|model| {
                let (held, max_parallel, waiting) = model.load();
                ModelStatus {
                    model_id: model.spec.model_id.clone(),
                    version: model.spec.version.clone(),
                    held,
                    max_parallel,
                    waiting,
                }
            })
            .collect();
        all.sort_by(|a, b| (&a.model_id, &a.version).cmp(&(&b.model_id, &b.version)));
        all
    }

    fn ask(&self, spec: &ModelSpec, may_wait: bool) -> PortResult<Asked> {
        if spec.max_parallel == 0 {
            return Err(PortError::invalid("max_parallel", "at least 1 is needed"));
        }
        let hash = self.hasher.hash_one((&spec.model_id, &spec.version));
        {
            // The table stays locked while asking: no idle model is forgotten
            // between being found and being leased.
            let models = read(&self.models);
            if let Some(model) = models.find(hash, spec) {
                return self.ask_model(model, spec.max_parallel, may_wait);
            }
        }
        let mut models = write(&self.models);
        if models.find(hash, spec).is_none() {
            self.make_room(&mut models)?;
            let model = Arc::new(Model::new(spec.clone(), Arc::clone(&self.generations)));
            models.by_hash.entry(hash).or_default().push(model);
            models.count += 1;
        }
        match models.find(hash, spec) {
            Some(model) => self.ask_model(model, spec.max_parallel, may_wait),
            None => Ok(Asked::Busy),
        }
    }

    fn ask_model(
        &self,
        model: &Arc<Model>,
        max_parallel: u32,
        may_wait: bool,
    ) -> PortResult<Asked> {
        model.ask(max_parallel, may_wait, || {
            write(&self.slots).add(Arc::clone(model))
        })
    }

    /// Forgets idle models when there are too many.
    fn make_room(&self, models: &mut Models) -> PortResult<()> {
        if models.count < MAX_MODELS {
            return Ok(());
        }
        let mut slots = write(&self.slots);
        for entry in models.by_hash.values_mut() {
            entry.retain(|model| {
                let Some(numbers) = model.retire() else {
                    return true;
                };
                slots.vacate(numbers);
                false
            });
        }
        models.by_hash.retain(|_, entry| !entry.is_empty());
        models.count = models.by_hash.values().map(Vec::len).sum();
        if models.count < MAX_MODELS {
            return Ok(());
        }
        Err(PortError::Exhausted {
            resource: "the pool".to_owned(),
            details: format!("{MAX_MODELS} models are in use"),
            retry_after: None,
        })
    }

    async fn wait(
        &self,
        mut place: Waiting,
        model: &str,
        wait: Duration,
    ) -> PortResult<ModelHandle> {
        let handed_over = tokio::select! {
            biased;
            lease = place.lease() => lease,
            () = self.clock.sleep(wait) => place.give_up(),
        };
        handed_over.ok_or_else(|| timed_out(model, wait))
    }
}

fn timed_out(model: &str, wait: Duration) -> PortError {
    PortError::Timeout {
        operation: format!("waiting for a lease of model {model}"),
        duration: wait,
    }
}

impl Models {
    fn find(&self, hash: u64, spec: &ModelSpec) -> Option<&Arc<Model>> {
        self.by_hash.get(&hash)?.iter().find(|model| model.is(spec))
    }
}

impl Slots {
    fn add(&mut self, owner: Arc<Model>) -> u32 {
        if let Some(number) = self.vacant.pop() {
            self.owners[number as usize] = Some(owner);
            return number;
        }
        self.owners.push(Some(owner));
        u32::try_from(self.owners.len() - 1).unwrap_or(u32::MAX)
    }

    fn vacate(&mut self, numbers: Vec<u32>) {
        for number in numbers {
            if let Some(owner) = self.owners.get_mut(number as usize) {
                *owner = None;
                self.vacant.push(number);
            }
        }
    }
}

#[async_trait]
impl ModelPool for PoolManager {
    async fn allocate_model(&self, spec: ModelSpec, wait: Duration) -> PortResult<ModelHandle> {
        match self.ask(&spec, !wait.is_zero())? {
            Asked::Leased(handle) => Ok(handle),
            Asked::Queued(place) => self.wait(place, &spec.model_id, wait).await,
            Asked::Busy => Err(timed_out(&spec.model_id, wait)),
        }
    }

    async fn release_model(&self, handle: ModelHandle) -> PortResult<()> {
        self.give_back(handle)
    }
}
