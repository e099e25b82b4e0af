//! The chat: its ports, what is tried when a server refuses, replies in JSON.

use crate::dialect::Dialect;
use crate::http::{self, Refusal};
use crate::settings::Settings;
use crate::stream::Answer;
use crate::{json_reply, schema};
use serde_json::Value;
use std::sync::{OnceLock, PoisonError, RwLock};
use symphony_extension_sdk::types::{Chat, ChatMessage};
use symphony_extension_sdk::{About, Call, Extension, Failure, Level, Outputs, Session};
use symphony_ipc_protocol::extension::Usage;

/// Requests that one call may cost while the server's dialect is found out.
const MAX_REFUSALS: usize = 6;
/// Model names that an error lists.
const LISTED_MODELS: usize = 20;

/// The Instrument.
#[derive(Debug, Default)]
pub struct OpenAiCompatible {
    connection: OnceLock<Connection>,
}

#[derive(Debug)]
struct Connection {
    settings: Settings,
    model: String,
    dialect: RwLock<Dialect>,
}

impl Extension for OpenAiCompatible {
    fn start(&self, session: &Session) -> Result<About, Failure> {
        let settings = Settings::read(session)?;
        let model = match &settings.model {
            Some(model) => model.clone(),
            None => only_model(&settings)?,
        };
        let about = About::new("openai-compatible", env!("CARGO_PKG_VERSION"))
            .max_parallel(settings.max_parallel)
            .model(format!("{model} at {}", settings.base_url));
        let connection = Connection {
            settings,
            model,
            dialect: RwLock::default(),
        };
        self.connection
            .set(connection)
            .map_err(|_| Failure::Conflict("started already".to_owned()))?;
        Ok(about)
    }

    fn call(&self, call: &Call) -> Result<Outputs, Failure> {
        let connection = self
            .connection
            .get()
            .ok_or_else(|| Failure::Internal("called before the start".to_owned()))?;
        let chat = Chat {
            messages: call.input("messages")?,
            schema: call.optional("schema")?,
            max_tokens: call.optional("max_tokens")?,
            temperature: call.optional("temperature")?,
            model: call.optional("model")?,
        };
        if chat.messages.is_empty() {
            return Err(Failure::input("messages", "must not be empty"));
        }
        match &chat.schema {
            Some(schema) => connection.structured(call, &chat, schema),
            None => {
                let mut usage = Usage::default();
                let answer = connection.ask(call, &chat, &chat.messages, &mut usage)?;
                Ok(Outputs::new().with("text", answer.text)?.used(usage))
            }
        }
    }
}

impl Connection {
    /// Asks for JSON; a reply that does not fit is shown to the model once for repair.
    fn structured(&self, call: &Call, chat: &Chat, schema: &Value) -> Result<Outputs, Failure> {
        let mut usage = Usage::default();
        let answer = self.ask(call, chat, &chat.messages, &mut usage)?;
        let why = match fitting(&answer, schema) {
            Ok(reply) => return outputs(answer, reply, usage),
            Err(why) => why,
        };
        call.log(Level::Info, format!("asked again, since {why}"));
        let mut messages = chat.messages.clone();
        messages.push(message("assistant", answer.text));
        messages.push(message(
            "user",
            format!(
                "That answer cannot be used: {why}. \
                 Answer again, with nothing but JSON that fits this schema:\n{schema}"
            ),
        ));
        let answer = self.ask(call, chat, &messages, &mut usage)?;
        match fitting(&answer, schema) {
            Ok(reply) => outputs(answer, reply, usage),
            Err(why) => Err(Failure::Upstream {
                message: format!("the model answered twice with something else than asked: {why}"),
                retryable: true,
            }),
        }
    }

    /// One answer, in whatever dialect the server takes.
    fn ask(
        &self,
        call: &Call,
        chat: &Chat,
        messages: &[ChatMessage],
        usage: &mut Usage,
    ) -> Result<Answer, Failure> {
        let model = chat.model.as_deref().unwrap_or(&self.model);
        let mut dialect = *self.dialect.read().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..MAX_REFUSALS {
            let body = dialect.body(chat, model, messages);
            let (status, message) = match http::chat(&self.settings, call, &body) {
                Ok(answer) => {
                    *self.dialect.write().unwrap_or_else(PoisonError::into_inner) = dialect;
                    add(usage, &answer, messages, call);
                    return Ok(answer);
                }
                Err(Refusal::Failure(failure)) => return Err(failure),
                Err(Refusal::Request { status, message }) => (status, message),
            };
            if status == 404 {
                return Err(self.not_found(model, &message));
            }
            match dialect.after_refusal(&message, chat) {
                Some(next) => {
                    call.log(Level::Debug, format!("the server refused: {message}"));
                    dialect = next;
                }
                None => return Err(self.unsupported(status, &message)),
            }
        }
        Err(self.unsupported(400, "every form of the request"))
    }

    fn unsupported(&self, status: u16, message: &str) -> Failure {
        let url = &self.settings.base_url;
        Failure::Unsupported(format!(
            "the server at {url} refuses the request ({status}): {message}"
        ))
    }

    /// A 404 is a wrong address or a model that is not there; the list of models tells.
    fn not_found(&self, model: &str, message: &str) -> Failure {
        let url = &self.settings.base_url;
        match http::models(&self.settings) {
            Ok(models) if !models.iter().any(|name| name == model) => {
                Failure::NotFound(format!("no model `{model}` at {url}; {}", listed(&models)))
            }
            Ok(_) => Failure::NotFound(format!("the server at {url} answered 404: {message}")),
            Err(_) => Failure::NotFound(format!(
                "no chat completions at {url} (404); most servers need /v1 at the end of `base_url`"
            )),
        }
    }
}

fn only_model(settings: &Settings) -> Result<String, Failure> {
    let mut models = http::models(settings)?;
    match (models.pop(), models.is_empty()) {
        (Some(model), true) => Ok(model),
        (last, _) => {
            models.extend(last);
            Err(Failure::Refused(format!(
                "setting `model` is missing; {}",
                listed(&models)
            )))
        }
    }
}

fn listed(models: &[String]) -> String {
    if models.is_empty() {
        return "the server has none".to_owned();
    }
    let names: Vec<_> = models.iter().take(LISTED_MODELS).cloned().collect();
    let more = models.len().saturating_sub(LISTED_MODELS);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("it has {}{rest}", names.join(", "))
}

fn fitting(answer: &Answer, wanted: &Value) -> Result<Value, String> {
    let fits = |value: &Value| schema::check(value, wanted).is_ok();
    match json_reply::find(&answer.text, fits) {
        Some(reply) => schema::check(&reply, wanted).map(|()| reply),
        None if answer.finish.as_deref() == Some("length") => {
            Err("it was cut off at the limit of tokens".to_owned())
        }
        None => Err("it is not JSON".to_owned()),
    }
}

fn outputs(answer: Answer, reply: Value, usage: Usage) -> Result<Outputs, Failure> {
    let outputs = Outputs::new().with("text", answer.text)?;
    Ok(outputs.with("reply", reply)?.used(usage))
}

/// Adds what the answer cost; a server that does not count is estimated at four bytes a token.
fn add(total: &mut Usage, answer: &Answer, messages: &[ChatMessage], call: &Call) {
    let used = answer.usage.unwrap_or_else(|| {
        call.log(
            Level::Info,
            "the server counts no tokens: they are estimated",
        );
        let asked: usize = messages.iter().map(|m| m.content.len()).sum();
        Usage {
            model_calls: 1,
            input_tokens: asked.div_ceil(4) as u64,
            output_tokens: answer.text.len().div_ceil(4) as u64,
        }
    });
    total.model_calls += 1;
    total.input_tokens += used.input_tokens;
    total.output_tokens += used.output_tokens;
}

fn message(role: &str, content: String) -> ChatMessage {
    ChatMessage {
        role: role.to_owned(),
        content,
    }
}
