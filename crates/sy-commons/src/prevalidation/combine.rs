//! Rules made of rules.

use std::borrow::Cow;
use std::fmt;

use super::{Field, PreValidationRule, Violations};

/// The combinators, for every rule.
pub trait RuleExt: Sized {
    /// Both must hold; both are told when broken.
    fn and<R>(self, other: R) -> And<Self, R> {
        And(self, other)
    }

    /// At least one must hold.
    fn or<R>(self, other: R) -> Or<Self, R> {
        Or(self, other)
    }

    /// Must not hold.
    #[allow(clippy::should_implement_trait)] // reads as a rule, not as `!`
    fn not(self) -> Not<Self> {
        Not(self)
    }

    /// Must hold for every item of a list.
    fn each(self) -> Each<Self> {
        Each(self)
    }
}

impl<R: Sized> RuleExt for R {}

/// See [`RuleExt::and`].
#[derive(Debug, Clone, Copy)]
pub struct And<A, B>(A, B);

impl<T: ?Sized, A: PreValidationRule<T>, B: PreValidationRule<T>> PreValidationRule<T>
    for And<A, B>
{
    fn check(&self, at: &Field<'_>, value: &T, found: &mut Violations) {
        self.0.check(at, value, found);
        self.1.check(at, value, found);
    }

    fn requirement(&self) -> Cow<'static, str> {
        format!("{} and {}", self.0.requirement(), self.1.requirement()).into()
    }
}

/// See [`RuleExt::or`].
#[derive(Debug, Clone, Copy)]
pub struct Or<A, B>(A, B);

impl<T: ?Sized, A: PreValidationRule<T>, B: PreValidationRule<T>> PreValidationRule<T>
    for Or<A, B>
{
    fn check(&self, at: &Field<'_>, value: &T, found: &mut Violations) {
        if !holds(&self.0, at, value) && !holds(&self.1, at, value) {
            found.add(
                at,
                format!("must {} or {}", self.0.requirement(), self.1.requirement()),
            );
        }
    }

    fn requirement(&self) -> Cow<'static, str> {
        format!("{} or {}", self.0.requirement(), self.1.requirement()).into()
    }
}

/// See [`RuleExt::not`].
#[derive(Debug, Clone, Copy)]
pub struct Not<R>(R);

impl<T: ?Sized, R: PreValidationRule<T>> PreValidationRule<T> for Not<R> {
    fn check(&self, at: &Field<'_>, value: &T, found: &mut Violations) {
        if holds(&self.0, at, value) {
            found.add(at, format!("must {}", self.requirement()));
        }
    }

    fn requirement(&self) -> Cow<'static, str> {
        let inner = self.0.requirement();
        inner
            .strip_prefix("not ")
            .map_or_else(|| format!("not {inner}"), str::to_owned)
            .into()
    }
}

/// See [`RuleExt::each`].
#[derive(Debug, Clone, Copy)]
pub struct Each<R>(R);

impl<T, R: PreValidationRule<T>> PreValidationRule<[T]> for Each<R> {
    fn check(&self, at: &Field<'_>, value: &[T], found: &mut Violations) {
        for (index, item) in value.iter().enumerate() {
            if found.is_full() {
                return;
            }
            self.0.check(&at.item(index), item, found);
        }
    }

    fn requirement(&self) -> Cow<'static, str> {
        format!("in each item {}", self.0.requirement()).into()
    }
}

impl<T, R: PreValidationRule<T>> PreValidationRule<Vec<T>> for Each<R> {
    fn check(&self, at: &Field<'_>, value: &Vec<T>, found: &mut Violations) {
        PreValidationRule::<[T]>::check(self, at, value, found);
    }

    fn requirement(&self) -> Cow<'static, str> {
        PreValidationRule::<[T]>::requirement(self)
    }
}

fn holds<T: ?Sized>(rule: &impl PreValidationRule<T>, at: &Field<'_>, value: &T) -> bool {
    let mut found = Violations::default();
    rule.check(at, value, &mut found);
    found.is_empty()
}

type Check<'r, T> = Box<dyn Fn(&Field<'_>, &T, &mut Violations) + Send + Sync + 'r>;

/// Rules for the fields of a record; see the [module](super) for an example.
pub struct Record<'r, T: ?Sized> {
    checks: Vec<Check<'r, T>>,
}

impl<'r, T: ?Sized> Record<'r, T> {
    /// No rules yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { checks: Vec::new() }
    }

    /// Adds `rule` for the field that `get` reads, called `name`.
    #[must_use]
    pub fn field<F: ?Sized + 'r>(
        mut self,
        name: &'static str,
        get: impl Fn(&T) -> &F + Send + Sync + 'r,
        rule: impl PreValidationRule<F> + Send + Sync + 'r,
    ) -> Self {
        self.checks.push(Box::new(move |at, value, found| {
            rule.check(&at.member(name), get(value), found);
        }));
        self
    }

    /// Adds `rule` for a field that may be missing.
    #[must_use]
    pub fn optional<F: 'r>(
        mut self,
        name: &'static str,
        get: impl Fn(&T) -> &Option<F> + Send + Sync + 'r,
        rule: impl PreValidationRule<F> + Send + Sync + 'r,
    ) -> Self {
        self.checks.push(Box::new(move |at, value, found| {
            if let Some(value) = get(value) {
                rule.check(&at.member(name), value, found);
            }
        }));
        self
    }
}

impl<T: ?Sized> Default for Record<'_, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: ?Sized> fmt::Debug for Record<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("fields", &self.checks.len())
            .finish()
    }
}

impl<T: ?Sized> PreValidationRule<T> for Record<'_, T> {
    fn check(&self, at: &Field<'_>, value: &T, found: &mut Violations) {
        for check in &self.checks {
            check(at, value, found);
        }
    }

    fn requirement(&self) -> Cow<'static, str> {
        "have valid fields".into()
    }
}
