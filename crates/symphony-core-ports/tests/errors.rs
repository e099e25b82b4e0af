//! Errors of ports tell what the caller can do.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::{error::Error, time::Duration};
use sy_commons::error::{Categorized, ErrorCategory};
use symphony_core_ports::{PortError, ProcessId};

/// One error of each kind, whether trying again may help, and what to do.
fn all() -> Vec<(PortError, bool, ErrorCategory)> {
    let duration = Duration::from_secs(3);
    vec![
        (PortError::failed("a"), true, ErrorCategory::Retry),
        (PortError::not_found("a"), false, ErrorCategory::FixInput),
        (
            PortError::PermissionDenied {
                operation: "a".into(),
            },
            false,
            ErrorCategory::Denied,
        ),
        (
            PortError::Timeout {
                operation: "a".into(),
                duration,
            },
            true,
            ErrorCategory::Retry,
        ),
        (
            PortError::ProcessCommunicationFailed {
                process_id: ProcessId::from("xi-editor"),
                details: "a".into(),
                source: None,
            },
            true,
            ErrorCategory::Retry,
        ),
        (
            PortError::SynchronizationError {
                details: "a".into(),
            },
            false,
            ErrorCategory::Retry,
        ),
        (
            PortError::Conflict {
                details: "a".into(),
                ranges: vec![1..2, 4..4],
            },
            false,
            ErrorCategory::Retry,
        ),
        (PortError::invalid("a", "b"), false, ErrorCategory::FixInput),
        (
            PortError::Unsupported {
                details: "a".into(),
            },
            false,
            ErrorCategory::FixInput,
        ),
        (
            PortError::Exhausted {
                resource: "a".into(),
                details: "b".into(),
                retry_after: Some(duration),
            },
            true,
            ErrorCategory::FixEnvironment,
        ),
        (PortError::Cancelled, false, ErrorCategory::Cancelled),
    ]
}

#[test]
fn trying_again_helps_where_it_may() {
    for (error, retryable, category) in all() {
        assert_eq!(error.is_retryable(), retryable, "{error:?}");
        assert_eq!(error.category(), category, "{error:?}");
    }
}

#[test]
fn only_an_exhausted_limit_says_when() {
    for (error, ..) in all() {
        let expected = matches!(error, PortError::Exhausted { .. }).then(|| Duration::from_secs(3));
        assert_eq!(error.retry_after(), expected, "{error:?}");
    }
    let unknown = PortError::Exhausted {
        resource: "disk".into(),
        details: "no space left".into(),
        retry_after: None,
    };
    assert_eq!(unknown.retry_after(), None);
}

#[test]
fn messages_are_one_line_and_name_what_it_is_about() {
    let messages: Vec<String> = all().iter().map(|(error, ..)| error.to_string()).collect();
    for message in &messages {
        assert!(!message.is_empty() && !message.contains('\n'), "{message}");
    }
    assert_eq!(messages[1], "a was not found");
    assert_eq!(messages[3], "a took longer than 3s");
    assert_eq!(messages[4], "xi-editor does not answer: a");
    assert_eq!(messages[7], "invalid a: b");
}

#[test]
fn causes_are_kept_and_not_repeated() {
    let cause = std::io::Error::other("no space left on device");
    let error = PortError::failed_because("the journal was not written", cause);
    assert_eq!(error.to_string(), "the journal was not written");
    assert_eq!(
        error.source().unwrap().to_string(),
        "no space left on device"
    );
    assert!(PortError::failed("without a cause").source().is_none());

    let error = PortError::ProcessCommunicationFailed {
        process_id: ProcessId::from("extension echo"),
        details: "it was killed".into(),
        source: Some(Box::new(std::io::Error::other("broken pipe"))),
    };
    assert_eq!(error.source().unwrap().to_string(), "broken pipe");
}

#[test]
fn errors_travel_between_tasks() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<PortError>();
}
