//! The whole protocol of xi-editor on one buffer, for those who drive the engine itself.

use super::{CHANGE, XiEditorAdapter, subject};
use crate::rpc;
use serde_json::{Map, Value};
use std::path::Path;
use symphony_core_ports::{BufferId, PortError, PortResult};
use symphony_ipc_protocol::xi;

/// What would take a buffer, or xi-editor, away from its owner.
const OF_THE_OWNER: &[&str] = &[
    "initialize",
    "shutdown",
    "ping",
    "cancel",
    "open",
    "save",
    "close",
    "remove",
    "file_changed",
    "buffers",
    "start_plugin",
    "stop_plugin",
];

impl XiEditorAdapter {
    /// The plugins in xi's own dialect that it found, and what they can do.
    ///
    /// # Errors
    /// Those of a process that does not answer.
    pub async fn plugins(&self) -> PortResult<xi::PluginList> {
        let (list, _) = self.ask("plugins", CHANGE, &xi::Plugins {}).await?;
        Ok(list)
    }

    /// Whether a file is open.
    pub fn holds(&self, path: &Path) -> bool {
        let all = self.inner.all();
        all.iter()
            .any(|buffer| buffer.state().path.as_deref() == Some(path))
    }

    /// Calls a method of the protocol on a buffer: `params.buffer` is filled in. Revisions in
    /// it and in the answer are xi-editor's own.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` for a method that is unknown or is the owner's to call; what
    /// xi-editor answers.
    pub async fn request(
        &self,
        buffer: BufferId,
        method: &str,
        mut params: Map<String, Value>,
    ) -> PortResult<Value> {
        if !xi::METHODS.contains(&method) {
            return Err(PortError::invalid(
                "method",
                format!("xi-editor has no method `{method}`"),
            ));
        }
        if OF_THE_OWNER.contains(&method) {
            return Err(PortError::invalid(
                "method",
                format!("`{method}` is not for a single buffer"),
            ));
        }
        let buffer = self.inner.find(buffer)?;
        let (incarnation, turn, place) = self.turn(&buffer).await?;
        params.insert("buffer".to_owned(), place.key.to_string().into());
        let answer = incarnation.peer.call(method, &params, CHANGE).await;
        drop(turn);
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let subject = subject(&buffer);
                Err(rpc::call(error, &subject, &self.handle, &incarnation).await)
            }
        }
    }
}
