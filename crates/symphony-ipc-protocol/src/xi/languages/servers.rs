//! Language servers: which one for which file, and what they do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Which language server is used for which files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LanguageServer {
    /// The language's name (`rust`, `python`); takes the place of the built-in entry of that name.
    pub language: String,
    /// Endings of file names, without the dot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
    /// Whole file names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_names: Vec<String>,
    /// What the server calls the language of a file with this ending, where it is not `language`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub language_ids: BTreeMap<String, String>,
    /// The program: absolute, or a name to be found on the PATH. Empty: none for this language.
    pub command: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Names of files and folders that mark a workspace. The first of them that is found
    /// in a folder above the file decides, the nearest such folder is the root.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub root_markers: Vec<String>,
    /// What the server gets when it asks for its configuration.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub settings: Value,
    /// What the server gets when it starts.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub initialization_options: Value,
    /// What the server may count columns in (`utf-8`, `utf-16`, `utf-32`), best first; the first
    /// two when empty. For servers that count in one thing and say another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub position_encodings: Vec<String>,
    /// How to install the program, told when it is missing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub install: String,
    /// A request takes at most so long; 10,000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Stopped when its last buffer was closed so long ago; 300,000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u64>,
}

/// What a language server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    /// Its program is not there: `error` says what to do.
    Missing,
    /// It was started and has not answered yet.
    Starting,
    /// It works.
    Ready,
    /// It ended by itself and is started again soon.
    Restarting,
    /// It ended by itself too often and is not started any more; `restart_language_server` does.
    GivenUp,
    /// It was ended because nobody needs it.
    Stopped,
}

/// Work that a server reports on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// What is done.
    pub title: String,
    /// Which part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percentage: Option<u32>,
}

/// A language server and what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LanguageServerStatus {
    /// The language.
    pub language: String,
    /// The root of the workspace.
    pub root: PathBuf,
    /// The program.
    pub command: String,
    /// What it does.
    pub state: ServerState,
    /// Its process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// How many buffers it serves.
    pub buffers: usize,
    /// What it works at, at most 16.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub progress: Vec<Progress>,
    /// What went wrong last, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The language servers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LanguageStatus {
    /// In the order they were first needed.
    pub servers: Vec<LanguageServerStatus>,
}
