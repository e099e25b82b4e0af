//! Errors of the wire as errors of the ports.

use serde_json::Value;
use std::{error::Error, time::Duration};
use symphony_actors::{ActorError, ActorHandle, Incarnation};
use symphony_core_ports::{ByteRange, PortError, ProcessId};
use symphony_ipc_protocol::{
    jsonrpc::{RpcError, code},
    xi::Span,
};
use symphony_ipc_transport::CallError;

/// How long the details of a death may take after its connection ended.
const DEATH: Duration = Duration::from_secs(2);

/// Numbers of the operating system that tell what the caller can do.
mod os {
    pub(super) const NOT_PERMITTED: i64 = 1;
    pub(super) const NO_ENTRY: i64 = 2;
    pub(super) const NO_ACCESS: i64 = 13;
    pub(super) const NO_SPACE: i64 = 28;
    pub(super) const READ_ONLY: i64 = 30;
    pub(super) const QUOTA: i64 = 122;
}

/// An error reply as a port's error. `subject` is what the call was about.
pub(crate) fn remote(error: RpcError, subject: &str) -> PortError {
    let message = error.message.clone();
    let data = error.data.clone().unwrap_or(Value::Null);
    match error.code {
        code::NOT_FOUND => PortError::not_found(subject),
        code::CONFLICT => PortError::Conflict {
            details: message,
            ranges: ranges(&data["overlaps"]),
        },
        code::INVALID_PARAMS => PortError::invalid(subject, message),
        code::REFUSED => PortError::PermissionDenied { operation: message },
        code::UNSUPPORTED => PortError::Unsupported { details: message },
        code::CANCELLED => PortError::Cancelled,
        code::IO => os_error(&data, message, subject, error),
        // How long it waited is its own affair; it may say so.
        code::TIMEOUT => PortError::Timeout {
            operation: message,
            duration: Duration::from_millis(data["after_ms"].as_u64().unwrap_or_default()),
        },
        code::BUSY => PortError::Exhausted {
            resource: subject.to_owned(),
            details: message,
            retry_after: data["retry_after_ms"].as_u64().map(Duration::from_millis),
        },
        code::UPSTREAM if data["retryable"] == Value::Bool(false) => {
            PortError::Unsupported { details: message }
        }
        code::PARSE_ERROR | code::INVALID_REQUEST | code::METHOD_NOT_FOUND => {
            PortError::SynchronizationError {
                details: format!("{subject}: {message}"),
            }
        }
        _ => PortError::failed_because(message, error),
    }
}

fn os_error(data: &Value, message: String, subject: &str, error: RpcError) -> PortError {
    match data["os_error"].as_i64() {
        Some(os::NO_SPACE | os::QUOTA) => PortError::Exhausted {
            resource: "the disk".to_owned(),
            details: message,
            retry_after: None,
        },
        Some(os::NOT_PERMITTED | os::NO_ACCESS | os::READ_ONLY) => {
            PortError::PermissionDenied { operation: message }
        }
        Some(os::NO_ENTRY) => PortError::not_found(subject),
        _ => PortError::failed_because(message, error),
    }
}

fn ranges(overlaps: &Value) -> Vec<ByteRange> {
    serde_json::from_value::<Vec<Span>>(overlaps.clone())
        .unwrap_or_default()
        .into_iter()
        .map(|span| span.start..span.end)
        .collect()
}

/// A failed call as a port's error; waits for the details when the process died.
pub(crate) async fn call(
    error: CallError,
    subject: &str,
    actor: &ActorHandle,
    incarnation: &Incarnation,
) -> PortError {
    let process_id = ProcessId::new(actor.id());
    match error {
        CallError::Remote(error) => remote(error, subject),
        CallError::Timeout { method, after } => PortError::Timeout {
            operation: format!("`{method}` of {} ({subject})", actor.id()),
            duration: after,
        },
        CallError::Closed(reason) => {
            let details = match actor.death(incarnation.generation, DEATH).await {
                Some(death) => format!("it {death}"),
                None => reason.to_string(),
            };
            PortError::ProcessCommunicationFailed {
                process_id,
                details,
                source: Some(Box::new(reason)),
            }
        }
        CallError::QueueFull { method } => PortError::Exhausted {
            resource: actor.id().to_owned(),
            details: format!("it does not read its input, so `{method}` was not sent"),
            retry_after: None,
        },
        CallError::Encode { method, source } => {
            PortError::invalid(format!("the parameters of `{method}`"), source.to_string())
        }
        CallError::Decode { method, source } => PortError::ProcessCommunicationFailed {
            process_id,
            details: format!("its answer to `{method}` has an unexpected form: {source}"),
            source: Some(Box::new(source)),
        },
    }
}

/// Why an actor does not run, as a port's error.
pub(crate) fn not_running(error: ActorError, actor: &str) -> PortError {
    if let ActorError::NotReady { after, .. } = error {
        return PortError::Timeout {
            operation: format!("the start of {actor}"),
            duration: after,
        };
    }
    let mut details = error.to_string();
    if let Some(cause) = error.source() {
        details = format!("{details}: {cause}");
    }
    PortError::ProcessCommunicationFailed {
        process_id: ProcessId::new(actor),
        details,
        source: Some(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mapped(code: i64, data: Value) -> PortError {
        remote(RpcError::new(code, "why").with_data(data), "subject")
    }

    #[test]
    fn each_code_becomes_what_the_caller_can_do() {
        let null = || Value::Null;
        assert!(
            matches!(mapped(code::NOT_FOUND, null()), PortError::NotFound { resource } if resource == "subject")
        );
        assert!(matches!(
            mapped(code::CONFLICT, json!({"overlaps": [{"start": 1, "end": 3}]})),
            PortError::Conflict { ranges, .. } if ranges.first() == Some(&(1..3))
        ));
        assert!(matches!(
            mapped(code::CONFLICT, json!({"reason": "unsaved"})),
            PortError::Conflict { ranges, .. } if ranges.is_empty()
        ));
        assert!(matches!(
            mapped(code::INVALID_PARAMS, null()),
            PortError::InvalidInput { .. }
        ));
        assert!(matches!(
            mapped(code::REFUSED, null()),
            PortError::PermissionDenied { .. }
        ));
        assert!(matches!(
            mapped(code::CANCELLED, null()),
            PortError::Cancelled
        ));
        assert!(matches!(
            mapped(code::IO, json!({"os_error": 28})),
            PortError::Exhausted { .. }
        ));
        assert!(matches!(
            mapped(code::IO, json!({"os_error": 13})),
            PortError::PermissionDenied { .. }
        ));
        assert!(matches!(
            mapped(code::IO, json!({"os_error": 5})),
            PortError::OperationFailed { .. }
        ));
        assert_eq!(
            mapped(code::BUSY, json!({"retry_after_ms": 1500})).retry_after(),
            Some(Duration::from_millis(1500))
        );
        assert!(mapped(code::UPSTREAM, json!({"retryable": true})).is_retryable());
        assert!(!mapped(code::UPSTREAM, json!({"retryable": false})).is_retryable());
        assert!(mapped(-1, null()).is_retryable());
    }
}
