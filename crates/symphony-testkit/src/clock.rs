//! Time that passes when a test says so.

use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};
use symphony_core_ports::Clock;

/// How often a sleeper lets others run before it moves time itself.
const YIELDS_BEFORE_ADVANCE: u32 = 8;

/// A [`Clock`] whose time stands still until [`advance`](Self::advance) moves it.
///
/// Sleepers wake in the order of their deadlines. In the mode
/// [`auto_advance`](Self::auto_advance) nobody has to move it: when only sleepers
/// are left to wait for, the earliest one moves time to its deadline. Work that
/// waits for anything else (a channel, a file) does not hold time back in that
/// mode: a time-out beside it may then fire at once.
///
/// Clones share their time.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::time::Duration;
/// use symphony_core_ports::Clock;
/// use symphony_testkit::SimulatedClock;
///
/// let clock = SimulatedClock::new().auto_advance();
/// clock.sleep(Duration::from_secs(3600)).await; // returns at once
/// assert_eq!(clock.elapsed(), Duration::from_secs(3600));
/// assert_eq!(clock.slept(), [Duration::from_secs(3600)]);
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct SimulatedClock {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    start: SystemTime,
    elapsed: Duration,
    auto: bool,
    next_sleeper: u64,
    /// By deadline, then by who came first.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    slept: Vec<Duration>,
}

impl SimulatedClock {
    /// Begins on 2027-01-15, 08:00 UTC.
    pub fn new() -> Self {
        Self::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))
    }

    /// Begins at `start`.
    pub fn starting_at(start: SystemTime) -> Self {
        Self {
            shared: Arc::new(Mutex::new(Shared {
                start,
                elapsed: Duration::ZERO,
                auto: false,
                next_sleeper: 0,
                sleepers: BTreeMap::new(),
                slept: Vec::new(),
            })),
        }
    }

    /// Lets sleepers move time themselves; see the type's description.
    #[must_use]
    pub fn auto_advance(self) -> Self {
        self.set_auto_advance(true);
        self
    }

    /// Turns that mode on or off.
    pub fn set_auto_advance(&self, on: bool) {
        let mut shared = self.lock();
        shared.auto = on;
        shared.wake_all();
    }

    /// Moves time forward and wakes who waited for it.
    pub fn advance(&self, by: Duration) {
        let mut shared = self.lock();
        shared.elapsed += by;
        shared.wake_all();
    }

    /// Moves time to the earliest deadline and gives how far that was; `None` when nobody sleeps.
    pub fn advance_to_next(&self) -> Option<Duration> {
        let mut shared = self.lock();
        let deadline = shared.sleepers.keys().next()?.0;
        let by = deadline.saturating_sub(shared.elapsed);
        shared.elapsed += by;
        shared.wake_all();
        Some(by)
    }

    /// Moves time forward in small steps, letting tasks of the runtime run after each.
    pub async fn pass(&self, duration: Duration) {
        const STEPS: u32 = 16;
        for step in 0..=STEPS {
            for _ in 0..4 * YIELDS_BEFORE_ADVANCE {
                tokio::task::yield_now().await;
            }
            if step < STEPS {
                self.advance(duration / STEPS);
            }
        }
    }

    /// How many wait at present.
    pub fn sleepers(&self) -> usize {
        self.lock().sleepers.len()
    }

    /// Returns when at least `count` wait; for tests that then move time.
    pub async fn wait_for_sleepers(&self, count: usize) {
        while self.sleepers() < count {
            tokio::task::yield_now().await;
        }
    }

    /// What was asked of `sleep` so far, in order: the pauses of a retry, for instance.
    pub fn slept(&self) -> Vec<Duration> {
        self.lock().slept.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for SimulatedClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    fn wake_all(&self) {
        for waker in self.sleepers.values() {
            waker.wake_by_ref();
        }
    }
}

#[async_trait]
impl Clock for SimulatedClock {
    fn now(&self) -> SystemTime {
        let shared = self.lock();
        shared.start + shared.elapsed
    }

    fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    async fn sleep(&self, duration: Duration) {
        let key = {
            let mut shared = self.lock();
            shared.slept.push(duration);
            shared.next_sleeper += 1;
            (shared.elapsed.saturating_add(duration), shared.next_sleeper)
        };
        Sleep {
            clock: self,
            key,
            polls: 0,
        }
        .await;
    }
}

struct Sleep<'a> {
    clock: &'a SimulatedClock,
    key: (Duration, u64),
    polls: u32,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock;
        let mut shared = clock.lock();
        if shared.elapsed >= self.key.0 {
            return Poll::Ready(());
        }
        shared.sleepers.insert(self.key, context.waker().clone());
        let first = shared.sleepers.keys().next() == Some(&self.key);
        if shared.auto && first {
            if self.polls >= YIELDS_BEFORE_ADVANCE {
                shared.elapsed = self.key.0;
                return Poll::Ready(());
            }
            self.polls += 1;
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        let mut shared = self.clock.lock();
        shared.sleepers.remove(&self.key);
        // The next one may be the earliest now.
        shared.wake_all();
    }
}
