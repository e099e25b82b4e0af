//! Removes registered secret values from text on its way out.
//!
//! [`Secret`] registers itself, and the logging writers
//! and [`SymphonyError::render`](crate::error::SymphonyError::render) call
//! [`redact`]. A value stays registered until the process ends: a log line may
//! be written after the secret itself was dropped.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

use crate::secret::{REDACTED, Secret};

/// Values shorter than this many bytes are not searched for: replacing every
/// `abc` would destroy the logs and tell where the secret is.
pub const MIN_REDACTED_BYTES: usize = 4;

/// Every spelling to remove, longest first, so that a secret that contains
/// another one disappears whole.
static REGISTERED: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Removes `secret` from every later output, in its plain spelling and as JSON
/// and Rust's debug output escape it.
pub fn register(secret: &Secret) {
    let plain = secret.expose();
    if plain.len() < MIN_REDACTED_BYTES {
        return;
    }
    let debug = plain.escape_debug().to_string();
    let json = serde_json::to_string(plain).unwrap_or_default();
    // Without the quotes that JSON puts around it.
    let json = json
        .get(1..json.len().saturating_sub(1))
        .unwrap_or_default()
        .to_owned();
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    for spelling in [plain.to_owned(), debug, json] {
        if !spelling.is_empty() && !registered.contains(&spelling) {
            registered.push(spelling);
        }
    }
    registered.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
}

/// `text` with every registered secret replaced by `[redacted]`. Borrows when
/// there is nothing to replace.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
    let mut out = Cow::Borrowed(text);
    for spelling in registered.iter() {
        if out.contains(spelling.as_str()) {
            out = Cow::Owned(out.replace(spelling.as_str(), REDACTED));
        }
    }
    out
}

/// [`redact`] for bytes that are nearly always UTF-8; invalid parts become
/// replacement characters only when the bytes are not UTF-8.
#[must_use]
pub fn redact_bytes(bytes: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(bytes) {
        Ok(text) => match redact(text) {
            Cow::Borrowed(_) => Cow::Borrowed(bytes),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        },
        Err(_) => {
            let text = String::from_utf8_lossy(bytes);
            Cow::Owned(redact(&text).into_owned().into_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_first_and_every_occurrence() {
        let _short = Secret::new("tok-abcd");
        let _long = Secret::new("tok-abcd-efgh");
        assert_eq!(
            redact("a tok-abcd-efgh b tok-abcd c tok-abcd"),
            "a [redacted] b [redacted] c [redacted]"
        );
    }

    #[test]
    fn escaped_spellings_are_found_too() {
        let secret = Secret::new("quo\"te\\back\nline");
        let json = serde_json::to_string(&serde_json::json!({"k": secret.expose()})).unwrap();
        assert_eq!(redact(&json), "{\"k\":\"[redacted]\"}");
        assert_eq!(redact(&format!("{:?}", secret.expose())), "\"[redacted]\"");
    }

    #[test]
    fn a_secret_that_begins_with_a_quote_survives_unquoting() {
        let secret = Secret::new("\"\"start-quoted\"");
        let json = serde_json::to_string(secret.expose()).unwrap();
        assert!(!redact(&json).contains("start-quoted"));
    }

    #[test]
    fn short_values_do_not_destroy_text() {
        let _short = Secret::new("ab");
        assert!(matches!(redact("about"), Cow::Borrowed("about")));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_still_redacted() {
        let _secret = Secret::new("bytes-secret-1");
        let out = redact_bytes(b"\xff bytes-secret-1");
        assert!(!out.windows(12).any(|w| w == b"bytes-secret"));
        assert!(matches!(redact_bytes(b"plain"), Cow::Borrowed(_)));
    }
}
