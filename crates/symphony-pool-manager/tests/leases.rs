//! What a pool promises, seen from outside.

use async_trait::async_trait;
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};
use symphony_core_ports::{Clock, ModelHandle, ModelPool, ModelSpec, PortError, PortResult};
use symphony_pool_manager::PoolManager;
use tokio::sync::watch;

/// Time that passes when the test says so.
struct HandClock {
    time: watch::Sender<Duration>,
}

impl HandClock {
    fn new() -> Arc<Self> {
        let time = watch::Sender::new(Duration::ZERO);
        Arc::new(Self { time })
    }

    fn pass(&self, time: Duration) {
        self.time.send_modify(|now| *now += time);
    }
}

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        *self.time.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.elapsed() + duration;
        let _ = self.time.subscribe().wait_for(|now| *now >= until).await;
    }
}

fn spec(model: &str, max_parallel: u32) -> ModelSpec {
    ModelSpec {
        model_id: model.to_owned(),
        version: None,
        max_parallel,
        config: BTreeMap::new(),
    }
}

const MINUTE: Duration = Duration::from_secs(60);

type Waiting<'a> = Pin<Box<dyn Future<Output = PortResult<ModelHandle>> + Send + 'a>>;

fn poll(future: &mut Waiting<'_>) -> Poll<PortResult<ModelHandle>> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn a_lease_is_given_back_once() {
    let pool = PoolManager::new(HandClock::new());
    let handle = pool.allocate_model(spec("m", 1), MINUTE).await.unwrap();
    pool.release_model(handle).await.unwrap();
    for stale in [
        handle,
        ModelHandle {
            slot: 99,
            generation: 1,
        },
    ] {
        let again = pool.release_model(stale).await;
        assert!(
            matches!(again, Err(PortError::NotFound { .. })),
            "{again:?}"
        );
    }
    let next = pool.allocate_model(spec("m", 1), MINUTE).await.unwrap();
    assert_eq!(next.slot, handle.slot);
    assert_ne!(next.generation, handle.generation);
    assert!(pool.release_model(handle).await.is_err());
    assert_eq!(pool.status()[0].held, 1);
}

#[tokio::test]
async fn limits_that_cannot_be_are_refused() {
    let pool = PoolManager::new(HandClock::new());
    let refused = |answer: PortResult<ModelHandle>| {
        assert!(
            matches!(answer, Err(PortError::InvalidInput { .. })),
            "{answer:?}"
        );
    };
    refused(pool.allocate_model(spec("m", 0), MINUTE).await);
    let held = pool.allocate_model(spec("m", 1), MINUTE).await.unwrap();
    refused(pool.allocate_model(spec("m", 2), MINUTE).await);
    pool.release_model(held).await.unwrap();
    // With nobody holding a lease another limit may be set.
    pool.allocate_model(spec("m", 2), MINUTE).await.unwrap();
    pool.allocate_model(spec("m", 2), MINUTE).await.unwrap();
}

#[tokio::test]
async fn settings_and_versions_tell_models_apart() {
    let pool = PoolManager::new(HandClock::new());
    let mut other = spec("m", 1);
    other.config.insert("context".to_owned(), 4096.into());
    let mut newer = spec("m", 1);
    newer.version = Some("2".to_owned());
    for model in [spec("m", 1), other, newer] {
        assert!(pool.try_lease(&model).unwrap().is_some());
        assert!(pool.try_lease(&model).unwrap().is_none());
    }
}

#[tokio::test]
async fn waiting_ends_at_its_time_and_leaves_nothing() {
    let clock = HandClock::new();
    let pool = PoolManager::new(clock.clone());
    let held = pool.allocate_model(spec("m", 1), MINUTE).await.unwrap();
    let at_once = pool.allocate_model(spec("m", 1), Duration::ZERO).await;
    assert!(
        matches!(at_once, Err(PortError::Timeout { .. })),
        "{at_once:?}"
    );
    let mut waiting = pool.allocate_model(spec("m", 1), MINUTE);
    assert!(poll(&mut waiting).is_pending());
    assert_eq!(pool.status()[0].waiting, 1);
    clock.pass(MINUTE);
    let late = waiting.await;
    assert!(
        matches!(&late, Err(PortError::Timeout { duration, .. }) if *duration == MINUTE),
        "{late:?}"
    );
    assert_eq!(pool.status()[0].waiting, 0);
    pool.release_model(held).await.unwrap();
    assert_eq!(pool.status()[0].held, 0);
}

#[tokio::test]
async fn a_lease_handed_to_one_who_left_goes_on_to_the_next() {
    let pool = PoolManager::new(HandClock::new());
    let held = pool.allocate_model(spec("m", 1), MINUTE).await.unwrap();
    let mut first = pool.allocate_model(spec("m", 1), MINUTE);
    let mut second = pool.allocate_model(spec("m", 1), MINUTE);
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    pool.release_model(held).await.unwrap();
    // The first has it by now, and never looks.
    drop(first);
    assert!(matches!(poll(&mut second), Poll::Ready(Ok(_))));
}

#[tokio::test]
async fn idle_models_are_forgotten_when_there_are_too_many() {
    let pool = PoolManager::new(HandClock::new());
    let kept = pool.try_lease(&spec("kept", 1)).unwrap().unwrap();
    let mut old = Vec::new();
    for number in 0..3_000 {
        let handle = pool
            .try_lease(&spec(&format!("m{number}"), 1))
            .unwrap()
            .unwrap();
        pool.give_back(handle).unwrap();
        old.push(handle);
    }
    assert!(pool.status().len() <= 1024);
    assert!(pool.try_lease(&spec("kept", 1)).unwrap().is_none());
    let fresh = pool.try_lease(&spec("fresh", 1)).unwrap().unwrap();
    assert!(old.iter().all(|handle| pool.give_back(*handle).is_err()));
    pool.give_back(fresh).unwrap();
    pool.give_back(kept).unwrap();
}

#[tokio::test]
async fn too_many_models_in_use_are_refused() {
    let pool = PoolManager::new(HandClock::new());
    let mut answers = (0..1_025).map(|n| pool.try_lease(&spec(&format!("m{n}"), 1)));
    assert!(
        answers
            .by_ref()
            .take(1_024)
            .all(|answer| answer.unwrap().is_some())
    );
    assert!(matches!(
        answers.next(),
        Some(Err(PortError::Exhausted { .. }))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_limit_holds_under_threads() {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    let pool = Arc::new(PoolManager::new(HandClock::new()));
    let (held, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (pool, held, most) = (pool.clone(), held.clone(), most.clone());
            tokio::spawn(async move {
                for _ in 0..200 {
                    let handle = pool.allocate_model(spec("hot", 3), MINUTE).await.unwrap();
                    most.fetch_max(held.fetch_add(1, SeqCst) + 1, SeqCst);
                    tokio::task::yield_now().await;
                    held.fetch_sub(1, SeqCst);
                    pool.release_model(handle).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(most.load(SeqCst) <= 3);
    let status = &pool.status()[0];
    assert_eq!((status.held, status.waiting), (0, 0));
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Ask,
    /// Lets the waiting callers look whether they have it.
    Look,
    GiveBack(usize),
    Leave(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Ask),
        2 => Just(Step::Look),
        3 => any::<usize>().prop_map(Step::GiveBack),
        2 => any::<usize>().prop_map(Step::Leave),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    /// Against a plain model: a count of free slots and a queue of callers.
    #[test]
    fn any_schedule_is_fair_and_loses_nothing(max in 1..4_u32, steps in steps()) {
        let pool = PoolManager::new(HandClock::new());
        let mut queue: VecDeque<Waiting<'_>> = VecDeque::new();
        let mut held: Vec<ModelHandle> = Vec::new();
        for step in steps {
            match step {
                Step::Ask => {
                    let waiting = pool.status().first().map_or(0, |status| status.waiting);
                    let mut asking = pool.allocate_model(spec("m", max), MINUTE);
                    match poll(&mut asking) {
                        Poll::Ready(handle) => {
                            prop_assert_eq!(waiting, 0, "overtook the queue");
                            held.push(handle.unwrap());
                        }
                        Poll::Pending => queue.push_back(asking),
                    }
                }
                Step::Look => {
                    let mut blocked = false;
                    let mut still = VecDeque::new();
                    for mut waiting in queue.drain(..) {
                        match poll(&mut waiting) {
                            Poll::Ready(handle) => {
                                prop_assert!(!blocked, "overtook one who waits longer");
                                held.push(handle.unwrap());
                            }
                            Poll::Pending => {
                                blocked = true;
                                still.push_back(waiting);
                            }
                        }
                    }
                    queue = still;
                }
                Step::GiveBack(which) if !held.is_empty() => {
                    let handle = held.swap_remove(which % held.len());
                    pool.give_back(handle).unwrap();
                }
                Step::Leave(which) if !queue.is_empty() => {
                    drop(queue.remove(which % queue.len()));
                }
                Step::GiveBack(_) | Step::Leave(_) => {}
            }
            prop_assert!(held.len() <= max as usize);
            for status in pool.status() {
                prop_assert!(status.held <= max);
                // Nobody waits while a slot is free.
                prop_assert!(status.waiting == 0 || status.held == max);
            }
        }
        drop(queue);
        for handle in held.drain(..) {
            pool.give_back(handle).unwrap();
        }
        for _ in 0..max {
            prop_assert!(pool.try_lease(&spec("m", max)).unwrap().is_some(), "lost a slot");
        }
        prop_assert!(pool.try_lease(&spec("m", max)).unwrap().is_none(), "won a slot");
    }
}
