//! The host's socket: JSON-RPC 2.0, one command at a time a connection.

use crate::api::{Answer, Command, CommandError, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_transport::CallError;

/// Request: has a command done; the answer is an [`Answer`].
pub const EXECUTE: &str = "execute";
/// Notification of the host: it has taken the command and will see it through.
/// Where the connection ends before this, nothing was done.
pub const TAKEN: &str = "taken";
/// Notification of the host: a run's event.
pub const EVENT: &str = "event";
/// Notification of the guest: stop the command.
pub const CANCEL: &str = "cancel";

/// The parameters of [`EXECUTE`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Execute {
    /// What to do.
    pub command: Command,
}

/// An answer for the wire; an error travels whole in `data`.
pub fn write_answer(answer: Result<Answer, CommandError>) -> Result<Value, RpcError> {
    match answer {
        Ok(answer) => serde_json::to_value(answer)
            .map_err(|e| RpcError::new(code::INTERNAL_ERROR, e.to_string())),
        Err(error) => {
            let rpc = RpcError::new(code::UPSTREAM, error.message.clone());
            Err(match serde_json::to_value(&error) {
                Ok(data) => rpc.with_data(data),
                Err(_) => rpc,
            })
        }
    }
}

/// What [`write_answer`] wrote.
///
/// # Errors
/// The host's error, or that of the connection.
pub fn read_answer(answer: Result<Value, CallError>) -> Result<Answer, CommandError> {
    let value = answer.map_err(|error| match error {
        CallError::Remote(rpc) => rpc
            .data
            .and_then(|data| serde_json::from_value(data).ok())
            .unwrap_or_else(|| CommandError::new(ErrorKind::Failed, rpc.message)),
        other => CommandError::new(
            ErrorKind::Failed,
            format!("the host of this project did not answer: {other}"),
        ),
    })?;
    serde_json::from_value(value).map_err(|error| {
        CommandError::new(
            ErrorKind::Failed,
            format!("the host gave an answer that is none: {error}"),
        )
        .help("the host may be of another version of Symphony: end it and try again")
    })
}
