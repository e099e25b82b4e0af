//! Hello and goodbye.

use super::{LanguageServer, NotRestored, Restored};
use crate::jsonrpc::RequestId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Says hello; must be the first request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initialize {
    /// The client's name, for the log.
    pub client: String,
    /// Versions of the protocol that the client speaks, best first.
    pub protocols: Vec<String>,
    /// Files above this many bytes are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_file_bytes: Option<u64>,
    /// Files above this many bytes open windowed and read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_above_bytes: Option<u64>,
    /// Watch the files of open buffers, and take in their changes unasked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watch: bool,
    /// Folders of plugins, absolute: each a plugin (it has a `manifest.toml`) or
    /// a folder of such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugin_folders: Vec<PathBuf>,
    /// Plugins to start at once, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<String>,
    /// Language servers, before the built-in ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub language_servers: Vec<LanguageServer>,
    /// Whether every buffer has its language server without being asked for something.
    #[serde(default)]
    pub language_features: bool,
    /// An absolute path: the folder where unsaved text is kept safe. Buffers
    /// that an earlier process of the session left there are restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<PathBuf>,
}

/// The answer to [`Initialize`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initialized {
    /// The version that both speak from now on.
    pub protocol: String,
    /// xi-editor's own version.
    pub version: String,
    /// xi-editor's process id.
    pub pid: u32,
    /// The buffers of the session that are back, in the order they were opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restored: Vec<Restored>,
    /// Those that are not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_restored: Vec<NotRestored>,
}

/// Are you there?
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ping {}

/// Ends xi-editor after the answer. Unsaved text is kept in the session's
/// folder, and lost without one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shutdown {}

/// Gives up a request that is not answered yet: it is answered with CANCELLED.
/// A request that has its answer, or none of that id, is no error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cancel {
    /// The request's id.
    pub id: RequestId,
}
