//! The configuration's structure. `docs/configuration.md` is its user page;
//! [`KEYS`](super::KEYS) lists every key.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::logging::{FileLog, LineFormat, LoggingConfig, Rotation};

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What is logged, and where to.
    pub logging: Logging,
    /// The host of a project.
    #[serde(default)]
    pub host: Host,
    /// How melodies are played.
    pub run: Run,
    /// What one run may use up.
    pub budget: Budget,
    /// The text engine process.
    pub editor: Editor,
    /// Who chooses melodies and players.
    pub conductor: Conductor,
    /// Models by the name users call them.
    pub models: BTreeMap<String, Model>,
    /// Extensions and what they may do.
    pub extensions: Extensions,
}

/// What is logged, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logging {
    /// A level, or directives such as `info,symphony_actors=debug`.
    pub level: String,
    /// Whether lines go to stderr.
    pub console: bool,
    /// Whether lines go to a file that is renewed daily.
    pub file: bool,
    /// JSON objects instead of text, in both places.
    pub json: bool,
    /// How many daily files stay; 0 keeps all.
    pub keep_files: usize,
}

impl Logging {
    /// What [`init_logging`](crate::logging::init_logging) takes. Files go to
    /// `dir`, their names beginning with `name`.
    #[must_use]
    pub fn to_logging(&self, dir: impl Into<PathBuf>, name: &str) -> LoggingConfig {
        let format = if self.json {
            LineFormat::Json
        } else {
            LineFormat::Text
        };
        LoggingConfig {
            filter: self.level.clone(),
            console: self.console.then_some(format),
            file: self.file.then(|| FileLog {
                dir: dir.into(),
                name: name.to_owned(),
                rotation: Rotation::Daily,
                keep_files: self.keep_files,
                format,
            }),
        }
    }
}

/// The host of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Folder of its sockets; by default the platform's runtime folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket_dir: Option<PathBuf>,
}

/// How melodies are played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Pieces of work (nodes, elements of fan-outs) at once; 0 for one a core,
    /// calls of models not counted.
    pub max_parallel: usize,
    /// Seconds a node may take, unless the melody says otherwise.
    pub node_timeout_s: u64,
    /// How often a failed node is tried again, unless the melody says otherwise.
    pub retries: u32,
    /// Days after which the record of a run that succeeded goes; 0 for never.
    pub keep_runs_days: u32,
}

/// What one run may use up; 0 means no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Model calls.
    pub max_calls: u64,
    /// Tokens, in and out.
    pub max_tokens: u64,
    /// US dollars, by the models' own prices.
    pub max_usd: f64,
    /// Seconds of wall time.
    pub max_seconds: u64,
}

/// The text engine process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Editor {
    /// Milliseconds it may take from its start to its answer to `initialize`.
    pub startup_timeout_ms: u64,
    /// Milliseconds between two signs of life.
    pub heartbeat_ms: u64,
    /// The largest file it opens, in bytes.
    pub max_file_bytes: u64,
    /// Folders of plugins in xi's own dialect.
    pub plugin_folders: Vec<PathBuf>,
    /// Those of them that are started, by name.
    pub plugins: Vec<String>,
}

/// Who chooses melodies and players.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conductor {
    /// The model used where none is named.
    pub default_model: String,
}

/// How a model is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// The bundled small model, run on this machine.
    Local,
    /// A server that speaks OpenAI's chat protocol.
    OpenaiCompatible,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// How it is reached.
    pub kind: ModelKind,
    /// The server's address, up to `/v1`; needed for `openai-compatible`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The model's name there.
    pub model: String,
    /// The environment variable that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// Whether the key lies in the platform's keyring.
    #[serde(default)]
    pub api_key_keyring: bool,
    /// Tokens its context holds.
    pub context_tokens: u32,
    /// US dollars for a million tokens in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd_per_1m_input: Option<f64>,
    /// US dollars for a million tokens out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd_per_1m_output: Option<f64>,
    /// Calls at once; no own limit when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<usize>,
    /// Seconds a call may take.
    #[serde(default = "default_timeout_s")]
    pub timeout_s: u64,
}

const fn default_timeout_s() -> u64 {
    120
}

/// Extensions and what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extensions {
    /// Folders to look for extensions in, besides the built-in ones.
    pub search_paths: Vec<PathBuf>,
    /// What the user granted, by extension id.
    pub grants: BTreeMap<String, Vec<String>>,
}
