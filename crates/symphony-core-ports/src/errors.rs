//! What can go wrong behind a port, told apart by what the caller can do.

use crate::types::{ByteRange, ProcessId};
use std::{error::Error, time::Duration};
use sy_commons::error::{Categorized, ErrorCategory};

/// The cause below a port's error.
pub type Cause = Box<dyn Error + Send + Sync + 'static>;

/// The result of a port's call.
pub type PortResult<T> = Result<T, PortError>;

/// Why a port's call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// The call was right and the work failed; trying again may or may not help.
    #[error("{message}")]
    OperationFailed {
        /// What failed.
        message: String,
        /// Why.
        #[source]
        source: Option<Cause>,
    },
    /// What the call names does not exist. The caller can name another.
    #[error("{resource} was not found")]
    NotFound {
        /// Its kind and name.
        resource: String,
    },
    /// The caller may not do this. A grant may change that.
    #[error("permission denied: {operation}")]
    PermissionDenied {
        /// What was refused, and how to allow it.
        operation: String,
    },
    /// It took too long. Trying again may help.
    #[error("{operation} took longer than {duration:?}")]
    Timeout {
        /// What was waited for.
        operation: String,
        /// How long.
        duration: Duration,
    },
    /// The process behind the port died or does not answer; its supervisor restarts it.
    #[error("{process_id} does not answer: {details}")]
    ProcessCommunicationFailed {
        /// Which process.
        process_id: ProcessId,
        /// How it ended, its last words.
        details: String,
        /// Why.
        #[source]
        source: Option<Cause>,
    },
    /// Two sides disagree on state; reloading it helps.
    #[error("out of step: {details}")]
    SynchronizationError {
        /// Who and how.
        details: String,
    },
    /// The call contradicts what happened since its base. Rebase and call again.
    #[error("conflict: {details}")]
    Conflict {
        /// What meets what.
        details: String,
        /// The places, in the newest text; may be empty.
        ranges: Vec<ByteRange>,
    },
    /// The call itself is wrong. Only another call helps.
    #[error("invalid {what}: {why}")]
    InvalidInput {
        /// Which argument.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The callee cannot do this with such input.
    #[error("not supported: {details}")]
    Unsupported {
        /// What and why.
        details: String,
    },
    /// A limit is reached: memory, disk, queue, budget. Waiting or freeing helps.
    #[error("{resource} is exhausted: {details}")]
    Exhausted {
        /// Which limit.
        resource: String,
        /// How much is there, how much was asked.
        details: String,
        /// When trying again makes sense, if that is known.
        retry_after: Option<Duration>,
    },
    /// The caller cancelled the call.
    #[error("cancelled")]
    Cancelled,
}

impl PortError {
    /// The work failed, without a cause of another type.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::OperationFailed {
            message: message.into(),
            source: None,
        }
    }

    /// The work failed because of `source`.
    pub fn failed_because(message: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::OperationFailed {
            message: message.into(),
            source: Some(source.into()),
        }
    }

    /// Something named does not exist.
    pub fn not_found(resource: impl Into<String>) -> Self {
        Self::NotFound {
            resource: resource.into(),
        }
    }

    /// An argument is wrong.
    pub fn invalid(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::InvalidInput {
            what: what.into(),
            why: why.into(),
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::OperationFailed { .. }
            | Self::Timeout { .. }
            | Self::ProcessCommunicationFailed { .. }
            | Self::Exhausted { .. } => true,
            Self::NotFound { .. }
            | Self::PermissionDenied { .. }
            | Self::SynchronizationError { .. }
            | Self::Conflict { .. }
            | Self::InvalidInput { .. }
            | Self::Unsupported { .. }
            | Self::Cancelled => false,
        }
    }

    /// How long to wait before trying again, where the callee said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Exhausted { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl Categorized for PortError {
    fn category(&self) -> ErrorCategory {
        match self {
            Self::InvalidInput { .. } | Self::NotFound { .. } | Self::Unsupported { .. } => {
                ErrorCategory::FixInput
            }
            Self::PermissionDenied { .. } => ErrorCategory::Denied,
            Self::Exhausted { .. } => ErrorCategory::FixEnvironment,
            Self::Cancelled => ErrorCategory::Cancelled,
            Self::OperationFailed { .. }
            | Self::Timeout { .. }
            | Self::ProcessCommunicationFailed { .. }
            | Self::SynchronizationError { .. }
            | Self::Conflict { .. } => ErrorCategory::Retry,
        }
    }
}
