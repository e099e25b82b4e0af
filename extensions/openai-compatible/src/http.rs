//! One request to the server: sent, watched, and its failures told apart.

use crate::settings::Settings;
use crate::sse::Events;
use crate::stream::{Answer, BadEvent, error_message};
use crate::watch::{Cause, Watch};
use serde_json::Value;
use std::io::Read;
use std::time::Duration;
use symphony_extension_sdk::{Call, Failure};
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body, Timeout};

/// Longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Longest error page that is read.
const MAX_ERROR_BYTES: u64 = 64 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub enum Refusal {
    /// The server does not take the request as it is (400, 404, 422): with its own words.
    Request {
        /// The HTTP status.
        status: u16,
        /// What the server said.
        message: String,
    },
    /// Anything else, ready for the host.
    Failure(Failure),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Posts a chat and reads its answer; text goes to the host as it comes.
///
/// # Errors
/// [`Refusal`], by what can be done about it.
pub fn chat(settings: &Settings, call: &Call, body: &Value) -> Result<Answer, Refusal> {
    call.check()?;
    let agent = agent(
        settings,
        settings
            .timeout
            .min(call.remaining().unwrap_or(Duration::MAX)),
    );
    let watch = Watch::start(&agent, call.cancel_flag(), settings.idle_timeout);
    let outcome = request(settings, call, &agent, body, &watch);
    // Whatever broke when the watch closed the connection, this is why.
    let cause = watch.cause();
    outcome.map_err(|refusal| match cause {
        Some(Cause::Cancelled) => Failure::Cancelled.into(),
        Some(Cause::Silent) => Failure::Timeout(format!(
            "the server at {} sent nothing for {:?} in the middle of its answer",
            settings.base_url, settings.idle_timeout
        ))
        .into(),
        None => refusal,
    })
}

/// The names of the models that the server lists.
///
/// # Errors
/// [`Failure`] when it cannot be asked or does not answer with a list.
pub fn models(settings: &Settings) -> Result<Vec<String>, Failure> {
    let agent = agent(settings, Duration::from_secs(10));
    let request = with_headers(agent.get(settings.url("models")), settings);
    let mut response = request.call().map_err(|e| failed(settings, &e))?;
    if !response.status().is_success() {
        return Err(status_failure(settings, &mut response));
    }
    let list: Value = response
        .body_mut()
        .read_json()
        .map_err(|e| failed(settings, &e))?;
    let models = list.get("data").and_then(Value::as_array);
    Ok(models
        .into_iter()
        .flatten()
        .filter_map(|model| model.get("id").and_then(Value::as_str))
        .map(str::to_owned)
        .collect())
}

// Each request has an agent of its own: closing an agent's connections is the
// way to interrupt a read, and it must not hit the requests of other calls.
fn agent(settings: &Settings, total: Duration) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        // A redirect would carry the key to a server that the user did not name.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_resolve(Some(settings.connect_timeout))
        .timeout_connect(Some(settings.connect_timeout))
        .timeout_send_body(Some(settings.first_byte_timeout))
        .timeout_recv_response(Some(settings.first_byte_timeout))
        .timeout_global(Some(total))
        .user_agent(concat!("symphony/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

fn with_headers<Any>(
    mut request: ureq::RequestBuilder<Any>,
    settings: &Settings,
) -> ureq::RequestBuilder<Any> {
    for (name, value) in &settings.headers {
        request = request.header(name, value);
    }
    match &settings.key {
        Some(key) => request.header("authorization", format!("Bearer {key}")),
        None => request,
    }
}

fn request(
    settings: &Settings,
    call: &Call,
    agent: &Agent,
    body: &Value,
    watch: &Watch,
) -> Result<Answer, Refusal> {
    let post = with_headers(agent.post(settings.url("chat/completions")), settings)
        .header("accept", "text/event-stream, application/json");
    let mut response = post.send_json(body).map_err(|e| failed(settings, &e))?;
    let status = response.status().as_u16();
    if matches!(status, 400 | 404 | 422) {
        let message = error_text(settings, &mut response);
        return Err(Refusal::Request { status, message });
    }
    if !response.status().is_success() {
        return Err(status_failure(settings, &mut response).into());
    }
    watch.touch();
    Ok(read(settings, call, response, watch)?)
}

/// Reads the body, as events or, from a server that does not stream, as one JSON object.
fn read(
    settings: &Settings,
    call: &Call,
    response: Response<Body>,
    watch: &Watch,
) -> Result<Answer, Failure> {
    let streams = header(response.headers(), "content-type")
        .is_none_or(|kind| !kind.starts_with("application/json"));
    let mut reader = response.into_body().into_reader();
    let mut answer = Answer::default();
    let mut events = Events::default();
    let mut whole = Vec::new();
    let mut bad = None;
    let mut buffer = [0; 16 * 1024];
    let mut total = 0;
    while !answer.done {
        let read = reader
            .read(&mut buffer)
            .map_err(|e| broke_off(settings, &e))?;
        if read == 0 {
            break;
        }
        watch.touch();
        total += read;
        if total > MAX_ANSWER_BYTES {
            return Err(upstream("the server's answer does not end", false));
        }
        if !streams {
            whole.extend_from_slice(&buffer[..read]);
            continue;
        }
        let mut take = |data: String| match answer.take(&data) {
            Ok(text) if text.is_empty() => {}
            Ok(text) => call.text(text),
            Err(error) => {
                bad.get_or_insert(error);
            }
        };
        events
            .feed(&buffer[..read], &mut take)
            .map_err(|e| upstream(&e.to_string(), false))?;
        if let Some(error) = bad.take() {
            return Err(bad_event(settings, &error));
        }
    }
    if streams {
        let mut last = Ok(());
        events.finish(|data| last = answer.take(&data).map(drop));
        last.map_err(|e| bad_event(settings, &e))?;
    } else {
        let value: Value = serde_json::from_slice(&whole)
            .map_err(|e| upstream(&format!("the server's answer is not JSON: {e}"), true))?;
        let text = answer
            .take_value(&value)
            .map_err(|e| bad_event(settings, &e))?;
        call.text(text);
    }
    complete(answer)
}

/// An answer without the sign that it is whole was cut.
fn complete(answer: Answer) -> Result<Answer, Failure> {
    if answer.finish.is_none() && !answer.done {
        return Err(upstream(
            "the connection broke in the middle of the answer",
            true,
        ));
    }
    if answer.finish.as_deref() == Some("content_filter") {
        return Err(upstream(
            "the server's content filter stopped the answer",
            false,
        ));
    }
    if answer.text.is_empty() {
        return Err(upstream("the model's answer is empty", true));
    }
    Ok(answer)
}

fn upstream(message: &str, retryable: bool) -> Failure {
    Failure::Upstream {
        message: message.to_owned(),
        retryable,
    }
}

fn bad_event(settings: &Settings, error: &BadEvent) -> Failure {
    let message = settings.public(&error.to_string());
    match error {
        BadEvent::Error {
            code: Some(429), ..
        } => Failure::Busy {
            message,
            retry_after_ms: None,
        },
        _ => upstream(&message, true),
    }
}

fn broke_off(settings: &Settings, error: &std::io::Error) -> Failure {
    let cause = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<ureq::Error>());
    if let Some(ureq::Error::Timeout(_)) = cause {
        return Failure::Timeout(format!(
            "the answer of {} took longer than it may",
            settings.base_url
        ));
    }
    let error = settings.public(&error.to_string());
    upstream(
        &format!("the connection broke in the middle of the answer: {error}"),
        true,
    )
}

/// No answer at all: the connection failed.
fn failed(settings: &Settings, error: &ureq::Error) -> Failure {
    let url = &settings.base_url;
    match error {
        ureq::Error::Timeout(Timeout::RecvResponse) => Failure::Timeout(format!(
            "the server at {url} did not begin to answer within {:?}",
            settings.first_byte_timeout
        )),
        ureq::Error::Timeout(kind) => {
            Failure::Timeout(format!("the request to {url} took too long ({kind})"))
        }
        ureq::Error::HostNotFound => upstream(
            &format!("the host of {url} is not known; check `base_url` and the network"),
            true,
        ),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::Refused(format!(
            "`base_url` {url} or a setting of `headers` is not valid"
        )),
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            upstream(
                &format!("nothing listens at {url}; start the model's server or change `base_url`"),
                true,
            )
        }
        other => upstream(
            &settings.public(&format!("the request to {url} failed: {other}")),
            true,
        ),
    }
}

fn error_text(settings: &Settings, response: &mut Response<Body>) -> String {
    let body = response.body_mut().with_config().limit(MAX_ERROR_BYTES);
    let text = body.lossy_utf8(true).read_to_string().unwrap_or_default();
    let message = match serde_json::from_str::<Value>(&text) {
        Ok(value) => error_message(value.get("error").unwrap_or(&value)),
        Err(_) => text,
    };
    settings.public(&message)
}

fn status_failure(settings: &Settings, response: &mut Response<Body>) -> Failure {
    let status = response.status().as_u16();
    let url = &settings.base_url;
    // The page of a refused key may quote the key in part: it is not handed on.
    if matches!(status, 401 | 403) {
        let which = match settings.key {
            Some(_) => "refuses the key",
            None => "asks for a key",
        };
        return Failure::Refused(format!(
            "the server at {url} {which} ({status}); set the secret `api-key` of openai-compatible"
        ));
    }
    let retry_after_ms = retry_after(response.headers());
    let text = error_text(settings, response);
    let message = format!("the server at {url} answered {status}: {text}");
    match status {
        402 => Failure::Refused(message),
        429 if text.contains("quota") => Failure::Refused(message),
        429 => Failure::Busy {
            message,
            retry_after_ms,
        },
        503 if retry_after_ms.is_some() => Failure::Busy {
            message,
            retry_after_ms,
        },
        408 => Failure::Timeout(message),
        413 => Failure::Unsupported(message),
        300..=399 => Failure::Refused(format!(
            "the server at {url} redirects ({status}); name its final address in `base_url`"
        )),
        _ => upstream(&message, status >= 500),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Milliseconds to wait; the form with a date, which model servers do not use, is not read.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    if let Some(ms) = header(headers, "retry-after-ms").and_then(|ms| ms.trim().parse().ok()) {
        return Some(ms);
    }
    let seconds: f64 = header(headers, "retry-after")?.trim().parse().ok()?;
    // Bounded, so that the number of milliseconds is exact.
    (0.0..=86_400.0)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds).as_millis() as u64)
}
