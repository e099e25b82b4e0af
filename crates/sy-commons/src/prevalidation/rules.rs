//! The rules themselves.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::{Debug, Display};
use std::ops::RangeBounds;

use super::{Field, PreValidationRule, Violations};

/// Things with a size: texts in bytes, collections in items.
pub trait HasSize {
    /// Bytes or items.
    fn size(&self) -> usize;

    /// `bytes` or `items`.
    fn unit() -> &'static str {
        "items"
    }
}

impl HasSize for str {
    fn size(&self) -> usize {
        self.len()
    }

    fn unit() -> &'static str {
        "bytes"
    }
}

impl HasSize for String {
    fn size(&self) -> usize {
        self.len()
    }

    fn unit() -> &'static str {
        "bytes"
    }
}

impl<T> HasSize for [T] {
    fn size(&self) -> usize {
        self.len()
    }
}

impl<T> HasSize for Vec<T> {
    fn size(&self) -> usize {
        self.len()
    }
}

impl<K, V> HasSize for BTreeMap<K, V> {
    fn size(&self) -> usize {
        self.len()
    }
}

impl<T> HasSize for BTreeSet<T> {
    fn size(&self) -> usize {
        self.len()
    }
}

impl<K, V, S> HasSize for HashMap<K, V, S> {
    fn size(&self) -> usize {
        self.len()
    }
}

impl<T, S> HasSize for HashSet<T, S> {
    fn size(&self) -> usize {
        self.len()
    }
}

impl<T: HasSize + ?Sized> HasSize for &T {
    fn size(&self) -> usize {
        (**self).size()
    }

    fn unit() -> &'static str {
        T::unit()
    }
}

/// Has at least one byte or item.
#[derive(Debug, Clone, Copy)]
pub struct NonEmpty;

impl<T: HasSize + ?Sized> PreValidationRule<T> for NonEmpty {
    fn check(&self, at: &Field<'_>, value: &T, found: &mut Violations) {
        if value.size() == 0 {
            found.add(at, "must not be empty");
        }
    }

    fn requirement(&self) -> Cow<'static, str> {
        "not be empty".into()
    }
}

/// Has at most so many bytes or items.
#[derive(Debug, Clone, Copy)]
pub struct MaxSize(pub usize);

impl<T: HasSize + ?Sized> PreValidationRule<T> for MaxSize {
    fn check(&self, at: &Field<'_>, value: &T, found: &mut Violations) {
        let size = value.size();
        if size > self.0 {
            let unit = T::unit();
            found.add(
                at,
                format!("must have at most {} {unit}, but has {size}", self.0),
            );
        }
    }

    fn requirement(&self) -> Cow<'static, str> {
        format!("have at most {} {}", self.0, T::unit()).into()
    }
}

/// Lies in a range: `InRange(1..=10)`.
#[derive(Debug, Clone, Copy)]
pub struct InRange<R>(pub R);

impl<T, R> PreValidationRule<T> for InRange<R>
where
    T: PartialOrd + Display,
    R: RangeBounds<T> + Debug,
{
    fn check(&self, at: &Field<'_>, value: &T, found: &mut Violations) {
        // A value that compares with nothing, such as NaN, is in no range.
        if !self.0.contains(value) {
            found.add(at, format!("must lie in {:?}, but is {value}", self.0));
        }
    }

    fn requirement(&self) -> Cow<'static, str> {
        format!("lie in {:?}", self.0).into()
    }
}

/// Is one of a few values.
#[derive(Debug, Clone, Copy)]
pub struct OneOf<'a, V>(pub &'a [V]);

impl<T, V> PreValidationRule<T> for OneOf<'_, V>
where
    T: PartialEq<V> + Display + ?Sized,
    V: Display,
{
    fn check(&self, at: &Field<'_>, value: &T, found: &mut Violations) {
        if !self.0.iter().any(|allowed| value == allowed) {
            found.add(
                at,
                format!("must be {}, but is `{value}`", alternatives(self.0)),
            );
        }
    }

    fn requirement(&self) -> Cow<'static, str> {
        format!("be {}", alternatives(self.0)).into()
    }
}

/// `one of a, b, c`.
fn alternatives<V: Display>(values: &[V]) -> String {
    let names: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("one of {}", names.join(", "))
}

/// A text of a certain form, told by a function.
#[derive(Debug, Clone, Copy)]
pub struct MatchesFormat {
    name: &'static str,
    matches: fn(&str) -> bool,
}

impl MatchesFormat {
    /// Starts with a lower-case letter, then lower-case letters, digits, `-`
    /// and `_`.
    pub const IDENTIFIER: Self = Self::new("an identifier (a-z, then a-z, 0-9, - and _)", |text| {
        let mut bytes = text.bytes();
        bytes.next().is_some_and(|b| b.is_ascii_lowercase())
            && bytes.all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    });

    /// The name of an environment variable.
    pub const VARIABLE: Self = Self::new("a variable name (A-Z, a-z, 0-9 and _)", |text| {
        let mut bytes = text.bytes();
        bytes
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });

    /// An address that begins with `http://` or `https://` and names a host.
    pub const HTTP_URL: Self = Self::new("an http:// or https:// address", |text| {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        rest.is_some_and(|rest| {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            !host.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        })
    });

    /// A path that [`validate_relative`](crate::fs::validate_relative) takes.
    pub const RELATIVE_PATH: Self = Self::new("a relative path without `..`", |text| {
        crate::fs::validate_relative(text).is_ok()
    });

    /// One line: no control characters.
    pub const SINGLE_LINE: Self =
        Self::new("a single line", |text| !text.contains(char::is_control));

    /// Texts for which `matches` holds; `name` goes after "must be".
    #[must_use]
    pub const fn new(name: &'static str, matches: fn(&str) -> bool) -> Self {
        Self { name, matches }
    }
}

impl<T: AsRef<str> + ?Sized> PreValidationRule<T> for MatchesFormat {
    fn check(&self, at: &Field<'_>, value: &T, found: &mut Violations) {
        if !(self.matches)(value.as_ref()) {
            found.add(at, format!("must be {}", self.name));
        }
    }

    fn requirement(&self) -> Cow<'static, str> {
        format!("be {}", self.name).into()
    }
}
