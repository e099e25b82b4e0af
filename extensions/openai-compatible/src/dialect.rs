//! What a server understands of the request, learned from what it refuses.

use crate::schema;
use serde_json::{Map, Value, json};
use symphony_extension_sdk::types::{Chat, ChatMessage};

/// How a reply in JSON is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `response_format` with the schema.
    Schema,
    /// `response_format` for any JSON object, the schema in the prompt.
    Object,
    /// The schema in the prompt only.
    Prompt,
}

/// The parts of a request that not every server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// How JSON is asked for.
    pub format: Format,
    temperature: bool,
    usage_in_stream: bool,
    completion_tokens: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            format: Format::Schema,
            temperature: true,
            usage_in_stream: true,
            completion_tokens: false,
        }
    }
}

impl Dialect {
    /// The body of a request.
    pub fn body(self, chat: &Chat, model: &str, messages: &[ChatMessage]) -> Value {
        let mut body = Map::new();
        body.insert("model".to_owned(), model.into());
        body.insert("stream".to_owned(), true.into());
        if self.usage_in_stream {
            let options = json!({ "include_usage": true });
            body.insert("stream_options".to_owned(), options);
        }
        if let Some(limit) = chat.max_tokens {
            let name = if self.completion_tokens {
                "max_completion_tokens"
            } else {
                "max_tokens"
            };
            body.insert(name.to_owned(), limit.into());
        }
        if let Some(temperature) = chat.temperature
            && self.temperature
        {
            body.insert("temperature".to_owned(), temperature.into());
        }
        let mut messages = messages.to_vec();
        if let Some(schema) = &chat.schema {
            match self.format {
                Format::Schema => {
                    let format = json!({ "type": "json_schema", "json_schema": {
                        "name": "reply", "schema": schema, "strict": schema::is_strict(schema)
                    } });
                    body.insert("response_format".to_owned(), format);
                }
                Format::Object => {
                    let format = json!({ "type": "json_object" });
                    body.insert("response_format".to_owned(), format);
                    instruct(&mut messages, schema);
                }
                Format::Prompt => instruct(&mut messages, schema),
            }
        }
        body.insert("messages".to_owned(), json!(messages));
        Value::Object(body)
    }

    /// The dialect to try after the server refused a request of this one with
    /// `message`; `None` when the refusal is about something else.
    pub fn after_refusal(self, message: &str, chat: &Chat) -> Option<Self> {
        let message = message.to_lowercase();
        let names = |part: &str| message.contains(part);
        if names("context length") || names("context size") || names("context window") {
            return None;
        }
        if names("max_completion_tokens") && !self.completion_tokens && chat.max_tokens.is_some() {
            return Some(Self {
                completion_tokens: true,
                ..self
            });
        }
        if names("temperature") && self.temperature && chat.temperature.is_some() {
            return Some(Self {
                temperature: false,
                ..self
            });
        }
        if names("stream_options") && self.usage_in_stream {
            return Some(Self {
                usage_in_stream: false,
                ..self
            });
        }
        chat.schema.as_ref()?;
        let format = match self.format {
            Format::Schema => Format::Object,
            Format::Object => Format::Prompt,
            Format::Prompt => return None,
        };
        Some(Self { format, ..self })
    }
}

/// Adds the schema to the system's message, or makes one.
fn instruct(messages: &mut Vec<ChatMessage>, schema: &Value) {
    let text = format!(
        "Answer with JSON only, without any text around it. It must fit this JSON Schema:\n{schema}"
    );
    match messages.first_mut() {
        Some(first) if first.role == "system" => {
            first.content = format!("{}\n\n{text}", first.content);
        }
        _ => messages.insert(
            0,
            ChatMessage {
                role: "system".to_owned(),
                content: text,
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat() -> Chat {
        Chat {
            messages: vec![ChatMessage {
                role: "user".to_owned(),
                content: "hi".to_owned(),
            }],
            schema: Some(json!({ "type": "object" })),
            max_tokens: Some(9),
            temperature: Some(0.0),
            model: None,
        }
    }

    #[test]
    fn steps_down_one_at_a_time_and_ends() {
        let chat = chat();
        let mut dialect = Dialect::default();
        let mut formats = vec![dialect.format];
        while let Some(next) = dialect.after_refusal("unknown field", &chat) {
            dialect = next;
            formats.push(dialect.format);
        }
        assert_eq!(formats, [Format::Schema, Format::Object, Format::Prompt]);
        let body = dialect.body(&chat, "m", &chat.messages);
        assert!(body.get("response_format").is_none());
        let system = body["messages"][0]["content"].as_str().unwrap();
        assert!(system.contains("JSON Schema"));
    }

    #[test]
    fn drops_what_the_server_names() {
        let chat = chat();
        let dialect = Dialect::default()
            .after_refusal("Use 'max_completion_tokens' instead.", &chat)
            .and_then(|d| d.after_refusal("'temperature' does not support 0", &chat))
            .and_then(|d| d.after_refusal("unexpected stream_options", &chat))
            .unwrap();
        let body = dialect.body(&chat, "m", &chat.messages);
        assert_eq!(body["max_completion_tokens"], 9);
        for absent in ["max_tokens", "temperature", "stream_options"] {
            assert!(body.get(absent).is_none(), "{absent}");
        }
        assert_eq!(dialect.format, Format::Schema);
    }

    #[test]
    fn a_prompt_that_is_too_long_is_not_tried_again() {
        let refusal = "This model's maximum context length is 8192 tokens";
        assert_eq!(Dialect::default().after_refusal(refusal, &chat()), None);
    }
}
