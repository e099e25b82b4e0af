//! What can go wrong between two processes.

use std::{io, sync::Arc, time::Duration};
use symphony_ipc_protocol::jsonrpc::RpcError;

/// Why a connection ended. Cheap to clone: every pending call gets one.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CloseReason {
    /// The other side closed its stream, usually because its process ended.
    #[error("the other side closed the connection")]
    Ended,
    /// Reading or writing failed.
    #[error("the connection broke")]
    Io(#[source] Arc<io::Error>),
    /// The other side sent more lines that are no message than is tolerated.
    #[error("the other side sent {lines} lines that are no message, the last one: {sample}")]
    Garbage {
        /// How many.
        lines: u64,
        /// The beginning of the last one.
        sample: String,
    },
    /// The other side did not read for too long.
    #[error("the other side has not read its input for {after:?}")]
    WriteStalled {
        /// How long.
        after: Duration,
    },
    /// This side closed the connection.
    #[error("the connection was closed here")]
    Local,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The other side answered with an error.
    #[error("{0}")]
    Remote(#[source] RpcError),
    /// No answer came in time. The other side may still be working on it.
    #[error("`{method}` was not answered within {after:?}")]
    Timeout {
        /// The method.
        method: String,
        /// The time-out.
        after: Duration,
    },
    /// The connection ended before the answer; whether the call had an effect is not known.
    #[error("the connection ended")]
    Closed(#[source] CloseReason),
    /// The outgoing queue stayed full for as long as the call may take. Nothing was sent.
    #[error("`{method}` was not sent: the outgoing queue is full")]
    QueueFull {
        /// The method.
        method: String,
    },
    /// The parameters cannot be written as JSON. Nothing was sent.
    #[error("the parameters of `{method}` cannot be written as JSON")]
    Encode {
        /// The method.
        method: String,
        /// What serde said.
        #[source]
        source: serde_json::Error,
    },
    /// The answer is not of the expected type.
    #[error("the answer to `{method}` has an unexpected form")]
    Decode {
        /// The method.
        method: String,
        /// What serde said.
        #[source]
        source: serde_json::Error,
    },
}

impl CallError {
    /// Whether the call may have had an effect although no result came.
    pub fn effect_unknown(&self) -> bool {
        matches!(
            self,
            Self::Timeout { .. } | Self::Closed(_) | Self::Decode { .. }
        )
    }
}
