//! Secret values that cannot be printed by accident.
//!
//! A [`Secret`] prints as `[redacted]` whether shown, debugged or serialised,
//! is wiped from memory when dropped, and makes itself known to
//! [`redact`](mod@crate::redact), so that its text is also removed from log lines
//! and rendered errors when someone copied it into one.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::redact;

/// What stands in the place of a secret wherever it would have been printed.
pub const REDACTED: &str = "[redacted]";

/// A text that must never be shown: an API key, a token, a password.
///
/// ```
/// use sy_commons::secret::Secret;
/// let key = Secret::new("sk-live-1234567890");
/// assert_eq!(format!("{key} {key:?}"), "[redacted] [redacted]");
/// assert_eq!(key.expose(), "sk-live-1234567890");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a value and registers it for redaction in every output.
    pub fn new(value: impl Into<String>) -> Self {
        let secret = Self(SecretString::from(value.into()));
        redact::register(&secret);
        secret
    }

    /// The value of environment variable `name`; `None` when it is unset,
    /// empty or not Unicode. White space around it is dropped: keys pasted
    /// into shell files often end in a line break.
    #[must_use]
    pub fn from_env(name: &str) -> Option<Self> {
        let value = std::env::var(name).ok()?;
        let value = value.trim();
        (!value.is_empty()).then(|| Self::new(value))
    }

    /// The value itself. Every call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether the value is the empty text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_serialises_as_redacted() {
        let secret = Secret::new("hunter2-hunter2");
        assert_eq!(secret.to_string(), REDACTED);
        assert_eq!(format!("{:?}", Some(&secret)), "Some([redacted])");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[redacted]\"");
        assert_eq!(secret.expose(), "hunter2-hunter2");
        assert!(!secret.is_empty());
    }

    #[test]
    fn deserialises_and_registers_itself() {
        let secret: Secret = serde_json::from_str("\"deser-secret-91\"").unwrap();
        assert_eq!(secret.expose(), "deser-secret-91");
        assert_eq!(redact::redact("x deser-secret-91 y"), "x [redacted] y");
    }

    #[test]
    fn unset_environment_gives_nothing() {
        assert!(Secret::from_env("SYMPHONY_SURELY_UNSET_VARIABLE").is_none());
        let path = Secret::from_env("PATH").expect("PATH is set");
        assert_eq!(path.expose(), std::env::var("PATH").unwrap().trim());
    }
}
