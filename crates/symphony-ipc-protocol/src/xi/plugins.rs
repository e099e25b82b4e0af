//! Plugins: which there are, starting and ending them, asking them.

use super::{BufferKey, RevisionNumber, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::PathBuf;

/// Lists the plugins found in the folders given to `initialize`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plugins {}

/// The plugins, and the manifests that could not be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginList {
    /// By name.
    pub plugins: Vec<PluginInfo>,
    /// What is wrong elsewhere.
    pub bad: Vec<BadManifest>,
}

/// A manifest, or a folder of plugins, that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BadManifest {
    /// The manifest or the folder.
    pub file: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// A plugin, what it does and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginInfo {
    /// Its name, unique.
    pub name: String,
    /// Its version, as its manifest has it.
    pub version: String,
    /// Its manifest.
    pub manifest: PathBuf,
    /// Which buffers it is made for.
    pub scope: PluginScope,
    /// What its manifest names as a reason to start it: `autorun`, `on_command`
    /// or `on_syntax:LANGUAGE`. It is started only by a request.
    pub activations: Vec<String>,
    /// What it can be asked to do.
    pub commands: Vec<PluginCommandInfo>,
    /// The languages that it knows.
    pub languages: Vec<PluginLanguage>,
    /// How it is.
    pub state: PluginState,
    /// Its process, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// How often it was started again by itself since it was asked for.
    pub restarts: u32,
    /// Edits and messages of it that were not taken.
    pub dropped: u64,
}

/// Which buffers a plugin is made for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PluginScope {
    /// Many.
    Global,
    /// One each; it is told of all the same, like upstream's.
    #[default]
    BufferLocal,
    /// It does one thing and ends; it is told of no change.
    SingleInvocation,
}

/// How a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PluginState {
    /// It does not run.
    Stopped,
    /// It runs.
    Running,
    /// It ended, or was ended, and will be started again.
    Crashed,
    /// It ended too often; `start_plugin` gives it another chance.
    Disabled,
}

/// A command of a plugin, to be sent with `plugin_command`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginCommandInfo {
    /// For a menu.
    pub title: String,
    /// A short description.
    pub description: String,
    /// The method.
    pub method: String,
    /// Its parameters, to be completed by the arguments.
    pub params: Value,
    /// What is to be asked for.
    pub args: Vec<PluginArgument>,
}

/// An argument of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginArgument {
    /// For a form.
    pub title: String,
    /// A short description.
    pub description: String,
    /// Its place in the parameters.
    pub key: String,
    /// What it is.
    pub arg_type: PluginArgumentType,
    /// The values of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<PluginArgumentOption>,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PluginArgumentType {
    /// A number.
    Number,
    /// A whole number.
    Int,
    /// A whole number, not negative.
    PosInt,
    /// Yes or no.
    Bool,
    /// Text.
    String,
    /// One of the options.
    Choice,
}

/// A value to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginArgumentOption {
    /// For people.
    pub title: String,
    /// The value.
    pub value: Value,
}

/// A language that a plugin knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginLanguage {
    /// Its name, for instance `Rust`.
    pub name: String,
    /// Ends of file names, or whole names.
    pub extensions: Vec<String>,
    /// A pattern of first lines; told only, not used here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_line_match: Option<String>,
    /// Its scope, for instance `source.rust`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// Starts a plugin. One that runs is told anew of the buffers that it serves:
/// it computes its spans again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StartPlugin {
    /// The plugin.
    pub name: String,
    /// Only for these buffers; absent: for all, and those opened later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffers: Option<Vec<BufferKey>>,
    /// Only for buffers of these languages; absent: of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub languages: Option<Vec<String>>,
    /// Ended and started again when it does not answer a change within so many
    /// milliseconds, 100 to 600,000; 10,000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_within_ms: Option<u64>,
}

/// Ends a plugin. No error when it does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StopPlugin {
    /// The plugin.
    pub name: String,
}

/// Sends a command to a plugin that runs. What comes of it comes as events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginCommand {
    /// The plugin.
    pub plugin: String,
    /// The buffer that it is about.
    pub buffer: BufferKey,
    /// The command's method.
    pub method: String,
    /// Its parameters.
    #[serde(default)]
    pub params: Value,
}

/// Asks a plugin what is at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginHover {
    /// The plugin.
    pub plugin: String,
    /// The buffer.
    pub buffer: BufferKey,
    /// Where, in the newest text.
    pub position: usize,
}

/// What a plugin says of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginHoverAnswer {
    /// What to show.
    pub content: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Span>,
    /// The revision that the plugin knew.
    pub revision: RevisionNumber,
}

/// Changes settings or the language of a buffer, for plugins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginConfig {
    /// The buffer.
    pub buffer: BufferKey,
    /// Settings by name, for instance `tab_size`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub changes: Map<String, Value>,
    /// The language from now on; absent: unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// What holds for a buffer, for plugins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginSettings {
    /// Its language; `Plain Text` when none is known.
    pub language: String,
    /// All settings.
    pub config: Map<String, Value>,
}

/// A note of a plugin about a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginAnnotation {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it says.
    pub data: Value,
}
