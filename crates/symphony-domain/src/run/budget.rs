//! What a run may consume: reserved before a call, settled after it.

use crate::melody::format::BudgetDeclaration;
use std::{sync::Mutex, time::Duration};
use symphony_core_ports::Usage;

/// A run's limits and what it consumed of them.
#[derive(Debug)]
pub struct Budget {
    limits: BudgetDeclaration,
    started: Duration,
    spent: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    usage: Usage,
    reserved_calls: u64,
    reserved_tokens: u64,
}

/// A call would exceed a limit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the budget of {limit} {what} would be exceeded: {spent} used, {reserved} more asked for")]
pub struct BudgetExceeded {
    /// `model calls`, `tokens`, `US dollars` or `seconds`.
    pub what: &'static str,
    /// The limit.
    pub limit: f64,
    /// Consumed, with what other calls hold reserved.
    pub spent: f64,
    /// What the call would take.
    pub reserved: f64,
}

/// What a call holds of the budget until it is settled; given back when dropped.
#[derive(Debug)]
pub struct Reservation<'a> {
    budget: &'a Budget,
    tokens: u64,
    settled: bool,
}

impl Budget {
    /// The stricter of two sets of limits, from a moment of the clock on, with what was consumed before.
    pub fn new(
        a: BudgetDeclaration,
        b: BudgetDeclaration,
        started: Duration,
        consumed: Usage,
    ) -> Self {
        let least = |x: u64, y: u64| match (x, y) {
            (0, limit) | (limit, 0) => limit,
            (x, y) => x.min(y),
        };
        let usd = match (a.usd, b.usd) {
            (0.0, limit) | (limit, 0.0) => limit,
            (x, y) => x.min(y),
        };
        let limits = BudgetDeclaration {
            calls: least(a.calls, b.calls),
            tokens: least(a.tokens, b.tokens),
            usd,
            seconds: least(a.seconds, b.seconds),
        };
        Self {
            limits,
            started,
            spent: Mutex::new(Spent {
                usage: consumed,
                ..Spent::default()
            }),
        }
    }

    /// Reserves one call that may take `tokens`.
    ///
    /// # Errors
    /// [`BudgetExceeded`]; nothing is reserved then.
    pub fn reserve(&self, tokens: u64, now: Duration) -> Result<Reservation<'_>, BudgetExceeded> {
        let mut spent = self.lock();
        let exceeded = |what, limit: f64, spent: f64, reserved: f64| {
            (limit > 0.0 && spent + reserved > limit).then_some(BudgetExceeded {
                what,
                limit,
                spent,
                reserved,
            })
        };
        let calls = spent.usage.model_calls + spent.reserved_calls;
        let held = spent.usage.tokens() + spent.reserved_tokens;
        let seconds = now.saturating_sub(self.started).as_secs_f64();
        // A price is known only after the call, so a spent sum of money ends the run at the next call.
        let usd =
            (self.limits.usd > 0.0 && spent.usage.usd >= self.limits.usd).then(|| BudgetExceeded {
                what: "US dollars",
                limit: self.limits.usd,
                spent: spent.usage.usd,
                reserved: 0.0,
            });
        let problem = exceeded("model calls", self.limits.calls as f64, calls as f64, 1.0)
            .or_else(|| {
                exceeded(
                    "tokens",
                    self.limits.tokens as f64,
                    held as f64,
                    tokens as f64,
                )
            })
            .or_else(|| exceeded("seconds", self.limits.seconds as f64, seconds, 0.0))
            .or(usd);
        if let Some(problem) = problem {
            return Err(problem);
        }
        spent.reserved_calls += 1;
        spent.reserved_tokens += tokens;
        Ok(Reservation {
            budget: self,
            tokens,
            settled: false,
        })
    }

    /// What was consumed so far.
    pub fn usage(&self) -> Usage {
        self.lock().usage
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Spent> {
        self.spent
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Reservation<'_> {
    /// Puts what the call really took in the place of the reservation.
    pub fn settle(mut self, usage: Usage) {
        self.settled = true;
        self.give_back(usage);
    }

    fn give_back(&self, usage: Usage) {
        let mut spent = self.budget.lock();
        spent.reserved_calls = spent.reserved_calls.saturating_sub(1);
        spent.reserved_tokens = spent.reserved_tokens.saturating_sub(self.tokens);
        spent.usage += usage;
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.give_back(Usage::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(calls: u64, tokens: u64, usd: f64, seconds: u64) -> Budget {
        let limits = BudgetDeclaration {
            calls,
            tokens,
            usd,
            seconds,
        };
        Budget::new(
            limits,
            BudgetDeclaration::default(),
            Duration::ZERO,
            Usage::default(),
        )
    }

    #[test]
    fn what_is_reserved_counts_before_it_is_spent() {
        let budget = budget(2, 0, 0.0, 0);
        let first = budget.reserve(10, Duration::ZERO).unwrap();
        let _second = budget.reserve(10, Duration::ZERO).unwrap();
        assert_eq!(
            budget.reserve(10, Duration::ZERO).unwrap_err().what,
            "model calls"
        );
        drop(first);
        assert!(budget.reserve(10, Duration::ZERO).is_ok());
    }

    #[test]
    fn tokens_money_and_time_end_a_run() {
        let budget = budget(0, 100, 0.5, 60);
        assert_eq!(
            budget.reserve(101, Duration::ZERO).unwrap_err().what,
            "tokens"
        );
        assert_eq!(
            budget.reserve(1, Duration::from_secs(61)).unwrap_err().what,
            "seconds"
        );
        budget.reserve(50, Duration::ZERO).unwrap().settle(Usage {
            usd: 0.5,
            ..Usage::default()
        });
        assert_eq!(
            budget.reserve(1, Duration::ZERO).unwrap_err().what,
            "US dollars"
        );
    }

    #[test]
    fn the_stricter_limit_holds_and_earlier_use_counts() {
        let limits = |calls| BudgetDeclaration {
            calls,
            ..BudgetDeclaration::default()
        };
        let used = Usage {
            model_calls: 3,
            ..Usage::default()
        };
        let budget = Budget::new(limits(5), limits(3), Duration::ZERO, used);
        assert_eq!(budget.reserve(0, Duration::ZERO).unwrap_err().limit, 3.0);
    }
}
