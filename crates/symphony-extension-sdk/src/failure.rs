//! Why a call has no outputs, told apart by what the host can do about it.

use serde_json::json;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};

/// Why a call has no outputs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// An input is missing or has the wrong form; the melody must change.
    #[error("input `{port}`: {why}")]
    Input {
        /// The input port.
        port: String,
        /// What is wrong with its value.
        why: String,
    },
    /// The host cancelled the call.
    #[error("the call was cancelled")]
    Cancelled,
    /// The call took longer than the host allows, or something it waited for did.
    #[error("{0}")]
    Timeout(String),
    /// What the call names does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The call contradicts what happened meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// A permission or a key is missing; the user must act.
    #[error("{0}")]
    Refused(String),
    /// The input is well-formed, but this extension cannot handle it.
    #[error("{0}")]
    Unsupported(String),
    /// The operating system refused.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// Too much at once; trying again later may work.
    #[error("{message}")]
    Busy {
        /// What is overloaded.
        message: String,
        /// Milliseconds after which to try again, where known.
        retry_after_ms: Option<u64>,
    },
    /// Another service failed.
    #[error("{message}")]
    Upstream {
        /// What the service said.
        message: String,
        /// Whether the same call may succeed later.
        retryable: bool,
    },
    /// A fault of the extension itself.
    #[error("{0}")]
    Internal(String),
}

impl Failure {
    /// The value of an input port is wrong.
    pub fn input(port: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::Input {
            port: port.into(),
            why: why.to_string(),
        }
    }

    /// An operation of the system failed.
    pub fn io(doing: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            doing: doing.into(),
            source,
        }
    }

    /// The error answer of the protocol.
    pub fn to_rpc(&self) -> RpcError {
        let message = self.to_string();
        match self {
            Self::Input { port, .. } => {
                RpcError::new(code::INVALID_PARAMS, message).with_data(json!({ "port": port }))
            }
            Self::Cancelled => RpcError::new(code::CANCELLED, message),
            Self::Timeout(_) => RpcError::new(code::TIMEOUT, message),
            Self::NotFound(_) => RpcError::new(code::NOT_FOUND, message),
            Self::Conflict(_) => RpcError::new(code::CONFLICT, message),
            Self::Refused(_) => RpcError::new(code::REFUSED, message),
            Self::Unsupported(_) => RpcError::new(code::UNSUPPORTED, message),
            Self::Io { source, .. } => match source.raw_os_error() {
                Some(number) => {
                    RpcError::new(code::IO, message).with_data(json!({ "os_error": number }))
                }
                None => RpcError::new(code::IO, message),
            },
            Self::Busy { retry_after_ms, .. } => match retry_after_ms {
                Some(ms) => {
                    RpcError::new(code::BUSY, message).with_data(json!({ "retry_after_ms": ms }))
                }
                None => RpcError::new(code::BUSY, message),
            },
            Self::Upstream { retryable, .. } => {
                RpcError::new(code::UPSTREAM, message).with_data(json!({ "retryable": retryable }))
            }
            Self::Internal(_) => RpcError::new(code::INTERNAL_ERROR, message),
        }
    }
}
