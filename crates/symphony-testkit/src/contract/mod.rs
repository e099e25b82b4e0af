//! What every implementation of a port must do, as suites that run on any of them.
//!
//! A suite is a list of named cases over a **fixture**: a trait that gives the
//! port and reaches behind it (writes a file, kills a process, lets time pass).
//! Each case gets a fixture of its own. A test of an implementation writes the
//! fixture and one line:
//!
//! ```
//! # use std::sync::Arc;
//! # use symphony_core_ports::ConductorPort;
//! # use symphony_testkit::{MockConductorAdapter, contract};
//! struct Mine(Arc<MockConductorAdapter>);
//!
//! impl contract::conductor::Fixture for Mine {
//!     fn port(&self) -> Arc<dyn ConductorPort> {
//!         self.0.clone()
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(
//! contract::conductor::run(async || Mine(Arc::new(MockConductorAdapter::new())))
//! # );
//! ```
//!
//! All cases run, then the suite panics with the names of those that failed;
//! what each saw is on standard error above. A case that takes longer than
//! [`CASE_TIMEOUT`] has failed. What a fixture cannot do (its methods with a
//! default say so by `false` or `None`) is left out, and that is printed.

pub mod artifacts;
pub mod conductor;
pub mod dag;
pub mod data;
pub mod environment;
pub mod extension;
pub mod judge;
pub mod pool;
pub mod text_editing;

use std::{
    any::Any,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    time::Duration,
};

/// The longest a case may take, in real time.
pub const CASE_TIMEOUT: Duration = Duration::from_secs(60);

/// Collects what failed in a suite.
struct Report {
    suite: &'static str,
    timeout: Duration,
    cases: usize,
    failures: Vec<String>,
}

impl Report {
    fn new(suite: &'static str) -> Self {
        Self {
            suite,
            timeout: CASE_TIMEOUT,
            cases: 0,
            failures: Vec::new(),
        }
    }

    /// Runs a case; its panic becomes an entry.
    async fn case(&mut self, name: &str, case: impl Future<Output = ()>) {
        self.cases += 1;
        eprintln!("{}: {name}", self.suite);
        let outcome = tokio::time::timeout(self.timeout, caught(case)).await;
        let failure = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(panic)) => message(panic.as_ref()),
            Err(_) => format!("took longer than {:?}", self.timeout),
        };
        self.failures.push(format!("{name}: {failure}"));
    }

    fn finish(self) {
        assert!(
            self.failures.is_empty(),
            "{} of {} cases of the contract of {} failed:\n{}",
            self.failures.len(),
            self.cases,
            self.suite,
            self.failures.join("\n")
        );
    }
}

/// Turns a panic of a future into its payload.
async fn caught(case: impl Future<Output = ()>) -> Result<(), Box<dyn Any + Send>> {
    let mut case = pin!(case);
    poll_fn(
        move |context| match catch_unwind(AssertUnwindSafe(|| case.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => std::task::Poll::Ready(Err(panic)),
        },
    )
    .await
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "panicked".to_owned())
}

/// Says that a case, or a part of one, does not apply to a fixture.
fn left_out(what: &str) {
    eprintln!("  left out: {what}");
}

/// Defines `CASES` and `run` of a suite over the trait `Fixture` beside it.
macro_rules! suite {
    ($name:literal: $($case:ident),* $(,)?) => {
        /// The names of the cases, in the order they run.
        pub const CASES: &[&str] = &[$(stringify!($case)),*];

        /// Runs every case, each on a fixture that `make` gives.
        ///
        /// # Panics
        /// When a case fails.
        pub async fn run<F: Fixture>(make: impl AsyncFn() -> F) {
            let mut report = $crate::contract::Report::new($name);
            $({
                let fixture = make().await;
                report.case(stringify!($case), $case(&fixture)).await;
            })*
            report.finish();
        }
    };
}
use suite;

/// Asserts that an outcome is an error of a kind, and says what it was instead.
macro_rules! expect_error {
    ($outcome:expr, $pattern:pat $(if $guard:expr)?) => {
        match $outcome {
            Err($pattern) $(if $guard)? => {}
            Err(error) => panic!(
                "expected {} from {}, got the error {error:?}",
                stringify!($pattern),
                stringify!($outcome)
            ),
            Ok(value) => panic!(
                "expected {} from {}, got {value:?}",
                stringify!($pattern),
                stringify!($outcome)
            ),
        }
    };
}
use expect_error;

/// The value of an outcome that must be good.
#[track_caller]
fn good<T>(outcome: symphony_core_ports::PortResult<T>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("expected success, got the error {error:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_failed_case_is_named() {
        let mut report = Report::new("test");
        report.case("good", async {}).await;
        report.case("bad", async { panic!("for a reason") }).await;
        report.case("worse", async { assert_eq!(1, 2) }).await;
        let told = catch_unwind(AssertUnwindSafe(|| report.finish())).unwrap_err();
        let told = message(told.as_ref());
        assert!(told.contains("2 of 3 cases"), "{told}");
        assert!(told.contains("bad: for a reason"), "{told}");
        assert!(told.contains("worse:"), "{told}");
    }

    #[tokio::test]
    async fn a_case_that_hangs_has_failed() {
        let mut report = Report::new("test");
        report.timeout = Duration::from_millis(20);
        report.case("stuck", std::future::pending()).await;
        assert!(report.failures[0].contains("longer than"));
    }
}
