//! Where the server is and how long to wait for it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use symphony_extension_sdk::{Failure, Session};

/// What the user configured.
#[derive(Clone)]
pub struct Settings {
    /// Without a slash at its end.
    pub base_url: String,
    /// The model, when one is named.
    pub model: Option<String>,
    /// How many requests may run at once.
    pub max_parallel: u32,
    /// Until the connection stands.
    pub connect_timeout: Duration,
    /// From the request to the head of the answer.
    pub first_byte_timeout: Duration,
    /// Between two pieces of the answer.
    pub idle_timeout: Duration,
    /// The whole request.
    pub timeout: Duration,
    /// Sent with every request.
    pub headers: BTreeMap<String, String>,
    /// Never printed: [`fmt::Debug`] leaves it out.
    pub key: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .field("key", &self.key.as_ref().map(|_| "[redacted]"))
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads the settings of the session.
    ///
    /// # Errors
    /// [`Failure::Refused`] naming the setting that is missing or wrong.
    pub fn read(session: &Session) -> Result<Self, Failure> {
        let base_url: String = session.setting("base_url")?.ok_or_else(|| {
            Failure::Refused(
                "setting `base_url` is missing; for Ollama on this machine it is \
                 http://127.0.0.1:11434/v1"
                    .to_owned(),
            )
        })?;
        let settings = Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            model: session.setting("model")?,
            max_parallel: session.setting("max_parallel")?.unwrap_or(4),
            connect_timeout: seconds(session, "connect_timeout_s", 10.0)?,
            first_byte_timeout: seconds(session, "first_byte_timeout_s", 120.0)?,
            idle_timeout: seconds(session, "idle_timeout_s", 60.0)?,
            timeout: seconds(session, "timeout_s", 600.0)?,
            headers: session.setting("headers")?.unwrap_or_default(),
            key: session
                .secret("api-key")
                .map(str::trim)
                .filter(|key| !key.is_empty())
                .map(str::to_owned),
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), Failure> {
        if self.max_parallel == 0 || self.max_parallel > 256 {
            return Err(Failure::Refused(
                "setting `max_parallel` must be from 1 to 256".to_owned(),
            ));
        }
        let secure = self.base_url.starts_with("https://");
        let Some(rest) = self.base_url.strip_prefix("http://") else {
            return if secure {
                Ok(())
            } else {
                Err(Failure::Refused(
                    "setting `base_url` must start with http:// or https://".to_owned(),
                ))
            };
        };
        if self.key.is_some() && !is_loopback(rest) {
            return Err(Failure::Refused(
                "the key would travel unencrypted: use https:// in `base_url`, or take the key away"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// The address of an endpoint.
    pub fn url(&self, endpoint: &str) -> String {
        format!("{}/{endpoint}", self.base_url)
    }

    /// `text` without the key, should it be in there, and not longer than a message may be.
    pub fn public(&self, text: &str) -> String {
        let text = match &self.key {
            Some(key) => text.replace(key, "[redacted]"),
            None => text.to_owned(),
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match text.char_indices().nth(300) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }
}

fn seconds(session: &Session, name: &str, default: f64) -> Result<Duration, Failure> {
    let value: f64 = session.setting(name)?.unwrap_or(default);
    if (0.01..=86_400.0).contains(&value) {
        Ok(Duration::from_secs_f64(value))
    } else {
        Err(Failure::Refused(format!(
            "setting `{name}` must be from 0.01 to 86400 seconds"
        )))
    }
}

/// Whether the authority of a URL is this machine.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // What stands before an `@` is a user's name, not the host.
    let host = authority.rsplit('@').next().unwrap_or_default();
    let name = if let Some(v6) = host.strip_prefix('[') {
        v6.split(']').next().unwrap_or_default()
    } else {
        host.split(':').next().unwrap_or_default()
    };
    name == "localhost"
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use symphony_extension_sdk::types::Initialize;

    fn session(settings: serde_json::Value, key: Option<&str>) -> Session {
        let secrets = match key {
            Some(key) => json!({ "api-key": key }),
            None => json!({}),
        };
        let greeting: Initialize = serde_json::from_value(json!({
            "protocol": "symphony.extension/1", "settings": settings, "secrets": secrets
        }))
        .unwrap();
        greeting.into()
    }

    #[test]
    fn a_key_never_travels_unencrypted_to_another_machine() {
        for url in [
            "http://example.com/v1",
            "http://127.0.0.1@example.com/v1",
            "http://10.0.0.1/v1",
        ] {
            let read = Settings::read(&session(json!({ "base_url": url }), Some("k")));
            assert!(matches!(read, Err(Failure::Refused(_))), "{url}");
        }
        for url in [
            "https://example.com/v1",
            "http://127.0.0.1:8080/v1",
            "http://[::1]:1/v1",
            "http://localhost/v1",
        ] {
            Settings::read(&session(json!({ "base_url": url }), Some("k"))).unwrap();
        }
        Settings::read(&session(json!({ "base_url": "http://10.0.0.1/v1" }), None)).unwrap();
    }

    #[test]
    fn wrong_settings_are_named() {
        for (settings, part) in [
            (json!({}), "base_url"),
            (json!({ "base_url": "ftp://x" }), "base_url"),
            (
                json!({ "base_url": "https://x", "timeout_s": 0 }),
                "timeout_s",
            ),
            (
                json!({ "base_url": "https://x", "max_parallel": 0 }),
                "max_parallel",
            ),
            (
                json!({ "base_url": "https://x", "idle_timeout_s": "long" }),
                "idle_timeout_s",
            ),
        ] {
            let error = Settings::read(&session(settings, None)).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn the_key_is_in_no_text() {
        let settings =
            Settings::read(&session(json!({ "base_url": "https://x" }), Some("sk-123"))).unwrap();
        assert!(!format!("{settings:?}").contains("sk-123"));
        assert_eq!(
            settings.public("key sk-123\n is wrong"),
            "key [redacted] is wrong"
        );
        assert!(settings.public(&"é".repeat(1000)).chars().count() <= 301);
    }
}
