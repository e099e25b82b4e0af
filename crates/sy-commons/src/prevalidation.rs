//! Pre-validation: cheap, technical checks of a value's form before anything
//! costly happens. What is allowed is decided elsewhere; here it is only
//! whether the request makes sense at all.
//!
//! Rules are values. They compose with [`RuleExt`], apply to fields of a record
//! with [`Record`], and collect every violation with the path of its field
//! rather than stop at the first. Nothing is allocated while all is well.
//!
//! ```
//! use sy_commons::prevalidation::*;
//! struct Request { name: String, tags: Vec<String>, retries: u32 }
//! let rule = Record::new()
//!     .field("name", |r: &Request| &r.name, NonEmpty.and(MaxSize(64)).and(MatchesFormat::IDENTIFIER))
//!     .field("tags", |r: &Request| &r.tags, MaxSize(3).and(MaxSize(10).each()))
//!     .field("retries", |r: &Request| &r.retries, InRange(0..=5));
//! let bad = Request { name: "9 lives".into(), tags: vec!["x".repeat(11)], retries: 9 };
//! let error = rule.validate("request", &bad).unwrap_err();
//! let fields: Vec<_> = error.violations().iter().map(|v| v.field.as_str()).collect();
//! assert_eq!(fields, ["request.name", "request.tags[0]", "request.retries"]);
//! ```

mod combine;
mod rules;

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

use crate::error::{Categorized, ErrorCategory};

pub use combine::{And, Each, Not, Or, Record, RuleExt};
pub use rules::{HasSize, InRange, MatchesFormat, MaxSize, NonEmpty, OneOf};

/// The most violations kept for one value; checking stops there.
pub const MAX_VIOLATIONS: usize = 64;

/// A check of a `T`.
///
/// Implement it for a check of your own; [`RuleExt`] gives it the combinators.
pub trait PreValidationRule<T: ?Sized> {
    /// Adds to `found` what is wrong with `value`, which stands at `at`. Must
    /// not block, and should not allocate when nothing is wrong.
    fn check(&self, at: &Field<'_>, value: &T, found: &mut Violations);

    /// What the rule asks for, to go after "must": `not be empty`.
    fn requirement(&self) -> Cow<'static, str>;

    /// Checks `value`, called `name` in messages.
    ///
    /// # Errors
    /// Every violation found, at most [`MAX_VIOLATIONS`].
    fn validate(&self, name: &str, value: &T) -> Result<(), ValidationError> {
        let mut found = Violations::default();
        self.check(&Field::root(name), value, &mut found);
        found.into_result()
    }
}

/// Where a value stands: a chain of names and positions, written out only when
/// something is wrong there.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    parent: Option<&'a Field<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Field<'a> {
    /// The outermost value; an empty name is not shown.
    #[must_use]
    pub const fn root(name: &'a str) -> Self {
        Self {
            parent: None,
            step: Step::Name(name),
        }
    }

    /// The member `name` of the value here.
    #[must_use]
    pub const fn member(&'a self, name: &'a str) -> Self {
        Self {
            parent: Some(self),
            step: Step::Name(name),
        }
    }

    /// The item at `index` of the list here.
    #[must_use]
    pub const fn item(&'a self, index: usize) -> Self {
        Self {
            parent: Some(self),
            step: Step::Index(index),
        }
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named_parent = match self.parent {
            Some(parent) => {
                parent.fmt(f)?;
                !matches!(
                    parent,
                    Field {
                        parent: None,
                        step: Step::Name("")
                    }
                )
            }
            None => false,
        };
        match self.step {
            Step::Name(name) if named_parent => write!(f, ".{name}"),
            Step::Name(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// One thing wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// Where: `request.tags[2]`.
    pub field: String,
    /// What is wrong: `must not be empty`.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{} {}", self.field, self.message)
        }
    }
}

/// Collects violations.
#[derive(Debug, Default, Clone)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Adds one, unless there are [`MAX_VIOLATIONS`] already.
    pub fn add(&mut self, at: &Field<'_>, message: impl Into<String>) {
        if !self.is_full() {
            self.0.push(Violation {
                field: at.to_string(),
                message: message.into(),
            });
        }
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether further violations are dropped, so that looking on is in vain.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.len() >= MAX_VIOLATIONS
    }

    /// Well if nothing is wrong.
    ///
    /// # Errors
    /// The violations.
    pub fn into_result(self) -> Result<(), ValidationError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ValidationError(self.0))
        }
    }
}

/// A value that broke one or more rules.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ValidationError(Vec<Violation>);

impl ValidationError {
    /// An error with one violation.
    pub fn single(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![Violation {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// What is wrong; never empty, in the order of checking.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0
    }
}

impl fmt::Display for ValidationError {
    /// One violation on one line; several on a line each, under a count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return only.fmt(f);
        }
        let more = if self.0.len() >= MAX_VIOLATIONS {
            " or more"
        } else {
            ""
        };
        write!(f, "{}{more} things are wrong:", self.0.len())?;
        self.0
            .iter()
            .try_for_each(|violation| write!(f, "\n{violation}"))
    }
}

impl Categorized for ValidationError {
    fn category(&self) -> ErrorCategory {
        ErrorCategory::FixInput
    }
}

#[cfg(test)]
#[path = "prevalidation/tests.rs"]
mod tests;
