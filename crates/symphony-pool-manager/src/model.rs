//! One model: its slots and the queue of those who wait for one.

use crate::lock;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use symphony_core_ports::{ModelHandle, ModelSpec, PortError, PortResult};
use tokio::sync::oneshot;

/// How many callers may wait for one model.
const MAX_WAITING: usize = 4096;

/// A model the pool has seen.
pub(crate) struct Model {
    pub(crate) spec: ModelSpec,
    /// The pool's count of leases given, over all models.
    generations: Arc<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    max_parallel: u32,
    /// Where this model's slots stand in the pool's table, by their index here.
    slots: Vec<Slot>,
    /// Indices of slots that nobody holds.
    free: Vec<usize>,
    held: u32,
    ticket: u64,
    waiting: VecDeque<Waiter>,
}

struct Slot {
    number: u32,
    /// The generation of the lease on it; 0: nobody holds it.
    lease: u64,
}

struct Waiter {
    ticket: u64,
    hand_over: oneshot::Sender<ModelHandle>,
}

/// What asking for a lease gave.
pub(crate) enum Asked {
    Leased(ModelHandle),
    Queued(Waiting),
    /// All slots are held and the caller does not wait.
    Busy,
}

impl Model {
    pub(crate) fn new(spec: ModelSpec, generations: Arc<AtomicU64>) -> Self {
        let state = State {
            max_parallel: spec.max_parallel,
            ..State::default()
        };
        Self {
            spec,
            generations,
            state: Mutex::new(state),
        }
    }

    /// Whether both mean the same model; limits aside.
    pub(crate) fn is(&self, spec: &ModelSpec) -> bool {
        self.spec.model_id == spec.model_id
            && self.spec.version == spec.version
            && self.spec.config == spec.config
    }

    /// Takes a slot, or a place in the queue. `new_slot` gives a slot's number in the pool's table.
    pub(crate) fn ask(
        self: &Arc<Self>,
        max_parallel: u32,
        may_wait: bool,
        new_slot: impl FnOnce() -> u32,
    ) -> PortResult<Asked> {
        let mut state = lock(&self.state);
        state.adopt_limit(max_parallel, &self.spec.model_id)?;
        if state.waiting.is_empty() && state.held < state.max_parallel {
            return Ok(Asked::Leased(state.take(self.next_generation(), new_slot)));
        }
        if !may_wait {
            return Ok(Asked::Busy);
        }
        if state.waiting.len() >= MAX_WAITING {
            return Err(PortError::Exhausted {
                resource: format!("the queue for model {}", self.spec.model_id),
                details: format!("{MAX_WAITING} callers wait already"),
                retry_after: None,
            });
        }
        state.ticket += 1;
        let ticket = state.ticket;
        let (hand_over, receiver) = oneshot::channel();
        state.waiting.push_back(Waiter { ticket, hand_over });
        Ok(Asked::Queued(Waiting {
            model: Arc::clone(self),
            ticket,
            receiver,
        }))
    }

    /// Takes a lease back and passes the slot on. False: it was not held.
    pub(crate) fn give_back(&self, handle: ModelHandle) -> bool {
        lock(&self.state).give_back(handle, || self.next_generation())
    }

    fn next_generation(&self) -> u64 {
        self.generations.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Held leases, the limit, waiting callers.
    pub(crate) fn load(&self) -> (u32, u32, usize) {
        let state = lock(&self.state);
        (state.held, state.max_parallel, state.waiting.len())
    }

    /// Its slots, to be given to others; `None` while it is in use.
    pub(crate) fn retire(&self) -> Option<Vec<u32>> {
        let state = lock(&self.state);
        let idle = state.held == 0 && state.waiting.is_empty();
        idle.then(|| state.slots.iter().map(|slot| slot.number).collect())
    }
}

impl State {
    fn adopt_limit(&mut self, max_parallel: u32, model: &str) -> PortResult<()> {
        if max_parallel == self.max_parallel {
            return Ok(());
        }
        if self.held > 0 || !self.waiting.is_empty() {
            return Err(PortError::invalid(
                "max_parallel",
                format!(
                    "{max_parallel} asked, while leases of {model} are held under {}",
                    self.max_parallel
                ),
            ));
        }
        self.max_parallel = max_parallel;
        Ok(())
    }

    fn take(&mut self, generation: u64, new_slot: impl FnOnce() -> u32) -> ModelHandle {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                number: new_slot(),
                lease: 0,
            });
            self.slots.len() - 1
        });
        self.held += 1;
        self.lease(index, generation)
    }

    fn lease(&mut self, index: usize, generation: u64) -> ModelHandle {
        let slot = &mut self.slots[index];
        slot.lease = generation;
        ModelHandle {
            slot: slot.number,
            generation,
        }
    }

    fn give_back(&mut self, handle: ModelHandle, next_generation: impl Fn() -> u64) -> bool {
        let held = |slot: &Slot| slot.number == handle.slot && slot.lease == handle.generation;
        let Some(index) = self.slots.iter().position(held) else {
            return false;
        };
        self.slots[index].lease = 0;
        // Straight to whoever waits longest, so that nobody new can come between.
        while let Some(waiter) = self.waiting.pop_front() {
            let lease = self.lease(index, next_generation());
            if waiter.hand_over.send(lease).is_ok() {
                return true;
            }
            self.slots[index].lease = 0;
        }
        self.held -= 1;
        self.free.push(index);
        true
    }
}

/// A place in a model's queue. Dropping it gives up the place, and the lease if
/// one was handed over meanwhile.
pub(crate) struct Waiting {
    model: Arc<Model>,
    ticket: u64,
    receiver: oneshot::Receiver<ModelHandle>,
}

impl Waiting {
    /// Resolves to the lease.
    pub(crate) async fn lease(&mut self) -> Option<ModelHandle> {
        (&mut self.receiver).await.ok()
    }

    /// The lease, if it was handed over at the last moment; gives up the place.
    pub(crate) fn give_up(mut self) -> Option<ModelHandle> {
        self.leave()
    }

    fn leave(&mut self) -> Option<ModelHandle> {
        let mut state = lock(&self.model.state);
        state.waiting.retain(|waiter| waiter.ticket != self.ticket);
        // Under the lock nobody hands over any more: what is there now is all.
        self.receiver.close();
        self.receiver.try_recv().ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(lease) = self.leave() {
            self.model.give_back(lease);
        }
    }
}
