//! What a call through a port costs: the border itself, with nothing behind it.
//!
//! `port` is a call of an `async_trait` method through `Arc<dyn Port>`, polled
//! until it is ready; `direct` is the same work without a port. The difference
//! is the overhead. No runtime takes part: none is needed for a call that does
//! not wait.

use async_trait::async_trait;
use criterion::{Criterion, criterion_group, criterion_main};
use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use symphony_core_ports::{
    Arbitration, ArbitrationStrategy, Clock, ConductorPort, Conflict, Decision, DecisionContext,
    EpisodeId, ModelHandle, ModelPool, ModelSpec, Policy, PolicyContext, PortError, PortResult,
    Resolution,
};

/// Answers at once.
struct Trivial;

#[async_trait]
impl ModelPool for Trivial {
    async fn allocate_model(
        &self,
        spec: ModelSpec,
        _wait: std::time::Duration,
    ) -> PortResult<ModelHandle> {
        Ok(ModelHandle {
            slot: spec.max_parallel,
            generation: 1,
        })
    }

    async fn release_model(&self, handle: ModelHandle) -> PortResult<()> {
        match handle.generation {
            0 => Err(PortError::not_found("lease")),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl ConductorPort for Trivial {
    async fn submit_decision(&self, context: DecisionContext) -> PortResult<Decision> {
        Err(PortError::not_found(context.node))
    }

    async fn report_reward(&self, _episode: &EpisodeId, reward: f64) -> PortResult<()> {
        match (-1.0..=1.0).contains(&reward) {
            true => Ok(()),
            false => Err(PortError::invalid("reward", "out of range")),
        }
    }

    async fn get_policy(&self, _context: &PolicyContext) -> PortResult<Policy> {
        Err(PortError::failed("there is none"))
    }
}

#[async_trait]
impl Arbitration for Trivial {
    async fn resolve_conflict(&self, conflict: Conflict) -> PortResult<Resolution> {
        Ok(Resolution {
            winner: conflict.subject,
            losers: Vec::new(),
            reason: String::new(),
        })
    }
}

#[async_trait]
impl Clock for Trivial {
    fn now(&self) -> std::time::SystemTime {
        std::time::SystemTime::UNIX_EPOCH
    }

    fn elapsed(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }

    async fn sleep(&self, _duration: std::time::Duration) {}
}

/// Polls until ready; nothing here ever waits.
fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

fn release_directly(handle: ModelHandle) -> PortResult<()> {
    match handle.generation {
        0 => Err(PortError::not_found("lease")),
        _ => Ok(()),
    }
}

fn port_call(criterion: &mut Criterion) {
    let handle = ModelHandle {
        slot: 1,
        generation: 7,
    };
    let mut group = criterion.benchmark_group("port_call");

    group.bench_function("direct", |b| {
        b.iter(|| release_directly(black_box(handle)));
    });

    let pool: Arc<dyn ModelPool> = black_box(Arc::new(Trivial));
    group.bench_function("port", |b| {
        b.iter(|| finish(black_box(&pool).release_model(black_box(handle))));
    });

    let conductor: Arc<dyn ConductorPort> = black_box(Arc::new(Trivial));
    let episode = EpisodeId::from("episode");
    group.bench_function("port_by_reference", |b| {
        b.iter(|| finish(black_box(&conductor).report_reward(black_box(&episode), black_box(0.5))));
    });

    let arbitration: Arc<dyn Arbitration> = black_box(Arc::new(Trivial));
    group.bench_function("port_with_owned_record", |b| {
        b.iter(|| {
            let conflict = Conflict {
                subject: String::from("file src/cart.py"),
                claims: Vec::new(),
                strategy: ArbitrationStrategy::Priority,
            };
            finish(black_box(&arbitration).resolve_conflict(conflict))
        });
    });

    let clock: Arc<dyn Clock> = black_box(Arc::new(Trivial));
    group.bench_function("synchronous_port", |b| {
        b.iter(|| black_box(&clock).elapsed());
    });
    group.finish();
}

criterion_group!(benches, port_call);
criterion_main!(benches);
