//! What a test prescribes to a mock, and what it can ask afterwards.

use crate::SimulatedClock;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use symphony_core_ports::{Clock, PortError, PortResult};

/// A call that a mock received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The method's name.
    pub operation: &'static str,
    /// What it was about, e.g. a path or an id.
    pub about: String,
}

type Rule = Box<dyn FnMut(u64) -> Option<PortError> + Send>;

/// Failures and delays that a test prescribes, by the name of the port's method,
/// and the log of calls. Each mock has one and offers the same methods itself.
///
/// A name that the port does not have is a fault of the test and panics.
#[derive(Clone)]
pub struct Script {
    shared: Arc<Mutex<Shared>>,
    operations: &'static [&'static str],
    clock: SimulatedClock,
}

#[derive(Default)]
struct Shared {
    calls: Vec<Call>,
    counts: BTreeMap<&'static str, u64>,
    failures: BTreeMap<&'static str, VecDeque<(u64, PortError)>>,
    rules: BTreeMap<&'static str, Rule>,
    delays: BTreeMap<&'static str, Duration>,
}

impl Script {
    /// For a mock with these operations, with delays on `clock`.
    pub fn new(operations: &'static [&'static str], clock: SimulatedClock) -> Self {
        Self {
            shared: Arc::default(),
            operations,
            clock,
        }
    }

    /// The next call of `operation` that no other failure is waiting for fails.
    pub fn fail_next(&self, operation: &str, error: PortError) {
        let waiting = {
            let operation = self.known(operation);
            let shared = self.lock();
            let made = shared.count(operation);
            shared.failures.get(operation).map_or(1, |failures| {
                let mut nth = 1;
                while failures.iter().any(|(at, _)| *at == made + nth) {
                    nth += 1;
                }
                nth
            })
        };
        self.fail_nth(operation, waiting, error);
    }

    /// The `nth` call of `operation` from now on fails; the next one is the first.
    ///
    /// # Panics
    /// When `nth` is 0.
    pub fn fail_nth(&self, operation: &str, nth: u64, error: PortError) {
        assert!(nth > 0, "the next call is the first one");
        let operation = self.known(operation);
        let mut shared = self.lock();
        let at = shared.count(operation) + nth;
        shared
            .failures
            .entry(operation)
            .or_default()
            .push_back((at, error));
    }

    /// Asks `rule` before each call of `operation`, with the call's number from
    /// 1 since the mock was made; `None` lets it through. Replaces an earlier rule.
    pub fn fail_when(
        &self,
        operation: &str,
        rule: impl FnMut(u64) -> Option<PortError> + Send + 'static,
    ) {
        let operation = self.known(operation);
        self.lock().rules.insert(operation, Box::new(rule));
    }

    /// Each call of `operation` takes this long on the mock's clock before it does anything.
    pub fn delay(&self, operation: &str, delay: Duration) {
        let operation = self.known(operation);
        self.lock().delays.insert(operation, delay);
    }

    /// Every call so far, in the order they came.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// How often `operation` was called, failed calls too.
    pub fn count(&self, operation: &str) -> u64 {
        let operation = self.known(operation);
        self.lock().count(operation)
    }

    /// Forgets the calls so far; scripted failures keep their place.
    pub fn clear_calls(&self) {
        self.lock().calls.clear();
    }

    /// The clock of delays and time-outs.
    pub fn clock(&self) -> &SimulatedClock {
        &self.clock
    }

    /// What a mock does first in each call: logs it, waits, fails if so prescribed.
    ///
    /// # Errors
    /// The prescribed one.
    pub async fn enter(&self, operation: &str, about: impl Into<String>) -> PortResult<()> {
        let operation = self.known(operation);
        let (number, delay) = {
            let mut shared = self.lock();
            shared.calls.push(Call {
                operation,
                about: about.into(),
            });
            let count = shared.counts.entry(operation).or_default();
            *count += 1;
            (*count, shared.delays.get(operation).copied())
        };
        if let Some(delay) = delay {
            self.clock.sleep(delay).await;
        }
        let mut shared = self.lock();
        if let Some(failures) = shared.failures.get_mut(operation)
            && let Some(at) = failures.iter().position(|(at, _)| *at == number)
            && let Some((_, error)) = failures.remove(at)
        {
            return Err(error);
        }
        match shared
            .rules
            .get_mut(operation)
            .and_then(|rule| rule(number))
        {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    pub(crate) fn knows(&self, operation: &str) -> bool {
        self.operations.contains(&operation)
    }

    fn known(&self, operation: &str) -> &'static str {
        match self.operations.iter().find(|known| **known == operation) {
            Some(known) => known,
            None => panic!(
                "this mock has no operation `{operation}`, only {}",
                self.operations.join(", ")
            ),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn count(&self, operation: &str) -> u64 {
        self.counts.get(operation).copied().unwrap_or(0)
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script")
            .field("calls", &self.lock().calls)
            .finish_non_exhaustive()
    }
}

/// Gives a mock with a field `script` the methods of [`Script`].
macro_rules! scripted {
    ($mock:ty) => {
        impl $mock {
            /// See [`Script::fail_next`](crate::Script::fail_next).
            pub fn fail_next(&self, operation: &str, error: symphony_core_ports::PortError) {
                self.script.fail_next(operation, error);
            }

            /// See [`Script::fail_nth`](crate::Script::fail_nth).
            pub fn fail_nth(
                &self,
                operation: &str,
                nth: u64,
                error: symphony_core_ports::PortError,
            ) {
                self.script.fail_nth(operation, nth, error);
            }

            /// See [`Script::fail_when`](crate::Script::fail_when).
            pub fn fail_when(
                &self,
                operation: &str,
                rule: impl FnMut(u64) -> Option<symphony_core_ports::PortError> + Send + 'static,
            ) {
                self.script.fail_when(operation, rule);
            }

            /// See [`Script::delay`](crate::Script::delay).
            pub fn delay(&self, operation: &str, delay: std::time::Duration) {
                self.script.delay(operation, delay);
            }

            /// See [`Script::calls`](crate::Script::calls).
            pub fn calls(&self) -> Vec<crate::Call> {
                self.script.calls()
            }

            /// See [`Script::count`](crate::Script::count).
            pub fn count(&self, operation: &str) -> u64 {
                self.script.count(operation)
            }

            /// Everything else that can be prescribed.
            pub fn script(&self) -> &crate::Script {
                &self.script
            }
        }
    };
}
pub(crate) use scripted;
