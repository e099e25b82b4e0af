//! The answer of a server put together from its events.

use serde_json::Value;
use symphony_ipc_protocol::extension::Usage;

/// What has arrived so far.
#[derive(Debug, Default)]
pub struct Answer {
    /// The model's text.
    pub text: String,
    /// Why the model stopped; `None` while it has not.
    pub finish: Option<String>,
    /// The server's own count.
    pub usage: Option<Usage>,
    /// The server closed the stream properly.
    pub done: bool,
}

/// An event that does not carry an answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// Not JSON.
    #[error("the server sent a malformed event: {0}")]
    Malformed(String),
    /// The server reports an error in the stream.
    #[error("the server broke off: {message}")]
    Error {
        /// In the server's words.
        message: String,
        /// A number, where it names one: usually an HTTP status.
        code: Option<u64>,
    },
}

impl Answer {
    /// Takes the data of one event and gives back the text it adds.
    ///
    /// # Errors
    /// [`BadEvent`] when there is nothing to wait for any more.
    pub fn take(&mut self, data: &str) -> Result<String, BadEvent> {
        let data = data.trim();
        if data == "[DONE]" {
            self.done = true;
            return Ok(String::new());
        }
        if data.is_empty() {
            return Ok(String::new());
        }
        let event: Value =
            serde_json::from_str(data).map_err(|e| BadEvent::Malformed(e.to_string()))?;
        self.take_value(&event)
    }

    /// Takes an event, or the whole answer of a server that does not stream.
    ///
    /// # Errors
    /// [`BadEvent::Error`] when it holds an error.
    pub fn take_value(&mut self, event: &Value) -> Result<String, BadEvent> {
        if let Some(error) = event.get("error").filter(|error| !error.is_null()) {
            return Err(BadEvent::Error {
                message: error_message(error),
                code: error.get("code").and_then(Value::as_u64),
            });
        }
        if let Some(usage) = event.get("usage").filter(|usage| usage.is_object()) {
            let count = |name| usage.get(name).and_then(Value::as_u64).unwrap_or(0);
            self.usage = Some(Usage {
                model_calls: 1,
                input_tokens: count("prompt_tokens"),
                output_tokens: count("completion_tokens"),
            });
        }
        let Some(choice) = event.get("choices").and_then(|choices| choices.get(0)) else {
            return Ok(String::new());
        };
        if let Some(finish) = choice.get("finish_reason").and_then(Value::as_str) {
            self.finish = Some(finish.to_owned());
        }
        let content = choice
            .get("delta")
            .or_else(|| choice.get("message"))
            .and_then(|delta| delta.get("content"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        self.text.push_str(content);
        Ok(content.to_owned())
    }
}

/// The text of an error object, however the server spells it.
pub fn error_message(error: &Value) -> String {
    let text = error
        .get("message")
        .or_else(|| error.get("error"))
        .unwrap_or(error);
    match text {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn puts_an_answer_together() {
        let mut answer = Answer::default();
        for data in [
            r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#,
            r#"{"choices":[{"delta":{"content":"He"}}]}"#,
            r#"{"choices":[{"delta":{"content":"y"},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#,
            "[DONE]",
        ] {
            answer.take(data).unwrap();
        }
        assert_eq!(answer.text, "Hey");
        assert_eq!(answer.finish.as_deref(), Some("stop"));
        assert_eq!(
            answer.usage.map(|u| (u.input_tokens, u.output_tokens)),
            Some((5, 2))
        );
        assert!(answer.done);
    }

    #[test]
    fn errors_in_the_stream_are_seen() {
        let mut answer = Answer::default();
        let error = answer
            .take(r#"{"error":{"message":"overloaded","code":503}}"#)
            .unwrap_err();
        assert_eq!(
            error,
            BadEvent::Error {
                message: "overloaded".to_owned(),
                code: Some(503)
            }
        );
        assert!(matches!(answer.take("{\"cho"), Err(BadEvent::Malformed(_))));
    }

    proptest! {
        #[test]
        fn no_event_panics(data in any::<String>()) {
            let _ = Answer::default().take(&data);
        }
    }
}
