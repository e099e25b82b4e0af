//! The contract of [`ModelPool`].

use super::{expect_error, good, suite};
use async_trait::async_trait;
use serde_json::json;
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use symphony_core_ports::{ModelHandle, ModelPool, ModelSpec, PortError, PortResult};
use tokio::{sync::mpsc, task::JoinHandle};

/// What the suite needs: a pool without leases.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The implementation.
    fn port(&self) -> Arc<dyn ModelPool>;

    /// Lets at least `duration` pass for the pool, and tasks of the runtime run.
    async fn pass(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

suite! {
    "ModelPool":
    leases_up_to_the_limit,
    leases_differ,
    a_lease_given_back_twice_is_refused,
    an_unknown_lease_is_refused,
    waiting_ends_with_a_time_out,
    waiters_are_served_in_order,
    models_do_not_share_a_limit,
    a_limit_of_zero_is_refused,
    another_limit_is_refused_while_leases_are_held,
    a_dropped_waiter_takes_no_lease,
    never_more_leases_than_the_limit,
}

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);

fn spec(model: &str, max_parallel: u32) -> ModelSpec {
    ModelSpec {
        model_id: model.into(),
        version: None,
        max_parallel,
        config: [].into(),
    }
}

/// Begins to wait for a lease and gives others time to see it wait.
async fn waiter(fixture: &impl Fixture, spec: ModelSpec) -> JoinHandle<PortResult<ModelHandle>> {
    let port = fixture.port();
    let task = tokio::spawn(async move { port.allocate_model(spec, LONG).await });
    fixture.pass(Duration::from_millis(20)).await;
    task
}

async fn lease_of(task: JoinHandle<PortResult<ModelHandle>>) -> ModelHandle {
    match task.await {
        Ok(outcome) => good(outcome),
        Err(error) => panic!("the waiter failed: {error}"),
    }
}

/// A call that cannot be answered now, cut short by the pool itself.
async fn must_time_out(fixture: &impl Fixture, spec: ModelSpec) {
    let port = fixture.port();
    let (outcome, ()) = tokio::join!(
        port.allocate_model(spec, SHORT),
        fixture.pass(SHORT + SHORT / 2)
    );
    expect_error!(outcome, PortError::Timeout { .. });
}

async fn leases_up_to_the_limit(fixture: &impl Fixture) {
    let port = fixture.port();
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(good(port.allocate_model(spec("m", 3), SHORT).await));
    }
    must_time_out(fixture, spec("m", 3)).await;
    for lease in held {
        good(port.release_model(lease).await);
    }
    let again = good(port.allocate_model(spec("m", 3), SHORT).await);
    good(port.release_model(again).await);
}

async fn leases_differ(fixture: &impl Fixture) {
    let port = fixture.port();
    let mut seen = HashSet::new();
    for _ in 0..20 {
        let a = good(port.allocate_model(spec("m", 2), SHORT).await);
        let b = good(port.allocate_model(spec("m", 2), SHORT).await);
        assert!(seen.insert(a) && seen.insert(b), "a handle came twice");
        good(port.release_model(a).await);
        good(port.release_model(b).await);
    }
}

async fn a_lease_given_back_twice_is_refused(fixture: &impl Fixture) {
    let port = fixture.port();
    let first = good(port.allocate_model(spec("m", 1), SHORT).await);
    good(port.release_model(first).await);
    expect_error!(port.release_model(first).await, PortError::NotFound { .. });
    // Nor does it end the lease of the next one in the same slot.
    let second = good(port.allocate_model(spec("m", 1), SHORT).await);
    expect_error!(port.release_model(first).await, PortError::NotFound { .. });
    must_time_out(fixture, spec("m", 1)).await;
    good(port.release_model(second).await);
}

async fn an_unknown_lease_is_refused(fixture: &impl Fixture) {
    let unknown = ModelHandle {
        slot: u32::MAX,
        generation: u64::MAX,
    };
    expect_error!(
        fixture.port().release_model(unknown).await,
        PortError::NotFound { .. }
    );
}

async fn waiting_ends_with_a_time_out(fixture: &impl Fixture) {
    let port = fixture.port();
    let held = good(port.allocate_model(spec("m", 1), SHORT).await);
    must_time_out(fixture, spec("m", 1)).await;
    let outcome = port.allocate_model(spec("m", 1), Duration::ZERO);
    let (outcome, ()) = tokio::join!(outcome, fixture.pass(Duration::from_millis(1)));
    expect_error!(outcome, PortError::Timeout { .. });
    // Who gave up waiting takes nothing later.
    good(port.release_model(held).await);
    let next = good(port.allocate_model(spec("m", 1), SHORT).await);
    good(port.release_model(next).await);
}

async fn waiters_are_served_in_order(fixture: &impl Fixture) {
    let port = fixture.port();
    let held = good(port.allocate_model(spec("m", 1), SHORT).await);
    let (served, mut order) = mpsc::unbounded_channel();
    let mut waiters = Vec::new();
    for number in 0..5 {
        let (port, served) = (fixture.port(), served.clone());
        waiters.push(tokio::spawn(async move {
            let lease = good(port.allocate_model(spec("m", 1), LONG).await);
            assert!(served.send(number).is_ok());
            good(port.release_model(lease).await);
        }));
        fixture.pass(Duration::from_millis(20)).await;
    }
    good(port.release_model(held).await);
    for waiter in waiters {
        assert!(waiter.await.is_ok());
    }
    drop(served);
    let mut seen = Vec::new();
    while let Some(number) = order.recv().await {
        seen.push(number);
    }
    assert_eq!(seen, [0, 1, 2, 3, 4]);
}

async fn models_do_not_share_a_limit(fixture: &impl Fixture) {
    let port = fixture.port();
    let mut configured = spec("a", 1);
    configured.config.insert("context".into(), json!(2048));
    let mut other_version = spec("a", 1);
    other_version.version = Some("2".into());
    let mut held = Vec::new();
    for spec in [spec("a", 1), spec("b", 1), configured, other_version] {
        held.push(good(port.allocate_model(spec, SHORT).await));
    }
    let waiting = waiter(fixture, spec("a", 1)).await;
    for lease in held.split_off(1) {
        good(port.release_model(lease).await);
    }
    fixture.pass(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished(), "another model's lease was given");
    good(port.release_model(held[0]).await);
    let lease = lease_of(waiting).await;
    good(port.release_model(lease).await);
}

async fn a_limit_of_zero_is_refused(fixture: &impl Fixture) {
    expect_error!(
        fixture.port().allocate_model(spec("m", 0), SHORT).await,
        PortError::InvalidInput { .. }
    );
}

async fn another_limit_is_refused_while_leases_are_held(fixture: &impl Fixture) {
    let port = fixture.port();
    let held = good(port.allocate_model(spec("m", 1), SHORT).await);
    for limit in [2, 3] {
        expect_error!(
            port.allocate_model(spec("m", limit), SHORT).await,
            PortError::InvalidInput { .. }
        );
    }
    good(port.release_model(held).await);
    let held = good(port.allocate_model(spec("m", 2), SHORT).await);
    let second = good(port.allocate_model(spec("m", 2), SHORT).await);
    good(port.release_model(held).await);
    good(port.release_model(second).await);
}

async fn a_dropped_waiter_takes_no_lease(fixture: &impl Fixture) {
    let port = fixture.port();
    let held = good(port.allocate_model(spec("m", 1), SHORT).await);
    let gone = waiter(fixture, spec("m", 1)).await;
    let patient = waiter(fixture, spec("m", 1)).await;
    gone.abort();
    assert!(gone.await.is_err(), "the waiter had nothing to get");
    good(port.release_model(held).await);
    let lease = lease_of(patient).await;
    good(port.release_model(lease).await);
}

async fn never_more_leases_than_the_limit(fixture: &impl Fixture) {
    const LIMIT: u32 = 3;
    let held = Arc::new(AtomicU32::new(0));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (port, held) = (fixture.port(), Arc::clone(&held));
            tokio::spawn(async move {
                for _ in 0..20 {
                    let lease = good(port.allocate_model(spec("m", LIMIT), LONG).await);
                    assert!(held.fetch_add(1, Ordering::SeqCst) < LIMIT);
                    tokio::task::yield_now().await;
                    held.fetch_sub(1, Ordering::SeqCst);
                    good(port.release_model(lease).await);
                }
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.is_ok());
    }
}
