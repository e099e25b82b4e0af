//! The messages between Symphony and an extension: protocol `symphony.extension/1`.
//!
//! The host writes requests to the extension's standard input and reads its
//! answers and notifications from the standard output; the standard error is
//! the extension's log. All values are JSON; a port's type is checked by the host.
//!
//! | direction | method | kind | params → answer |
//! |---|---|---|---|
//! | host → extension | `initialize` | request | [`Initialize`] → [`Initialized`] |
//! | host → extension | `invoke` | request | [`Invoke`] → [`Invoked`] |
//! | host → extension | `cancel` | notification | [`Cancel`]; the call ends with code CANCELLED |
//! | host → extension | `ping` | request | [`Empty`] → [`Empty`]; answered also while a call runs |
//! | host → extension | `shutdown` | request | [`Empty`] → [`Empty`]; then the process ends |
//! | extension → host | `progress` | notification | [`Progress`] |
//! | extension → host | `text` | notification | [`TextDelta`], streamed output of a model |
//! | extension → host | `log` | notification | [`Log`] |

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::PathBuf;

/// The protocol's name and version.
pub const PROTOCOL: &str = "symphony.extension/1";

/// Method names.
pub mod method {
    /// First request of the host.
    pub const INITIALIZE: &str = "initialize";
    /// Asks for work.
    pub const INVOKE: &str = "invoke";
    /// Stops a call.
    pub const CANCEL: &str = "cancel";
    /// Health check.
    pub const PING: &str = "ping";
    /// Last request of the host.
    pub const SHUTDOWN: &str = "shutdown";
    /// How far a call is.
    pub const PROGRESS: &str = "progress";
    /// Text of a model as it comes.
    pub const TEXT: &str = "text";
    /// A line for the log.
    pub const LOG: &str = "log";
}

/// Nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Empty {}

/// The host's greeting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Initialize {
    /// Always [`PROTOCOL`].
    pub protocol: String,
    /// The project's folder; present only when reading it was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<PathBuf>,
    /// Settings of the extension, from the configuration (for `openai-compatible`: `base_url`, `model`, …).
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// Secrets that the manifest declares and the user granted, by name. Never log them.
    #[serde(default)]
    pub secrets: std::collections::BTreeMap<String, String>,
}

/// The extension's answer to the greeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initialized {
    /// The same protocol.
    pub protocol: String,
    /// The id of the manifest.
    pub id: String,
    /// The extension's version.
    pub version: String,
    /// What identifies a model behind the extension (part of every cache key), e.g. `smollm2-135m-instruct-q4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How many calls may run at once.
    #[serde(default = "one")]
    pub max_parallel: u32,
}

fn one() -> u32 {
    1
}

/// A call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Invoke {
    /// Names the call in `cancel`, `progress` and `text`.
    pub call: String,
    /// Values by input port.
    pub inputs: Map<String, Value>,
    /// The same for every try of the same piece of work.
    #[serde(default)]
    pub idempotency_key: String,
    /// Milliseconds until the host gives up, if it will.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// A call's result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Invoked {
    /// Values by output port.
    pub outputs: Map<String, Value>,
    /// What it took.
    #[serde(default)]
    pub usage: Usage,
}

/// What a call consumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Calls of a model.
    #[serde(default)]
    pub model_calls: u64,
    /// Tokens read by models.
    #[serde(default)]
    pub input_tokens: u64,
    /// Tokens written by models.
    #[serde(default)]
    pub output_tokens: u64,
}

/// Stops a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cancel {
    /// Which.
    pub call: String,
}

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// Which.
    pub call: String,
    /// Done so far.
    pub done: u64,
    /// Of how many; absent when not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What is being done.
    #[serde(default)]
    pub message: String,
}

/// Text of a model as it comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextDelta {
    /// Which call.
    pub call: String,
    /// The next piece.
    pub text: String,
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Log {
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The line.
    pub message: String,
}

/// Input ports of an Instrument with the capability `chat`.
///
/// Outputs: `text` (string) and, when `schema` is given, `reply` (JSON that
/// fits the schema). Errors: UPSTREAM with `data.retryable`, BUSY with
/// `data.retry_after_ms`, TIMEOUT, REFUSED (a key that is refused), CANCELLED.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Chat {
    /// The conversation so far.
    pub messages: Vec<ChatMessage>,
    /// A JSON Schema that the reply must fit; needs the capability `json-schema`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// At most this many tokens are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// 0 is the most predictable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The model, where the Instrument serves several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatMessage {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// What was said.
    pub content: String,
}

/// A place in the project's source that lacks a doc comment (type `item`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The file, relative to the project, `/` between folders.
    pub path: String,
    /// BLAKE3 of the file's text, `b3:` and hexadecimal.
    pub base: String,
    /// `rust`, `python`, `typescript`, `tsx`, `javascript` or `go`.
    pub language: String,
    /// `function`, `method`, `struct`, `class`, `enum`, `trait`, `interface`, `type`, `module`, …
    pub kind: String,
    /// The item with what encloses it, e.g. `Cart.total`.
    pub name: String,
    /// Its declaration without the body.
    pub signature: String,
    /// Its code, cut to a readable length.
    pub code: String,
    /// Line of the declaration, from 1.
    pub line: usize,
    /// Byte offset where the comment's lines are inserted (start of a line).
    pub insert_at: usize,
    /// White space before the comment on its line.
    pub indent: String,
}

/// A change to one place of one file (type `edit`): the bytes `start..end` of the base become `text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// The file, relative to the project, `/` between folders.
    pub path: String,
    /// BLAKE3 of the text that the positions refer to; empty for a file that does not exist yet.
    pub base: String,
    /// First byte replaced.
    pub start: usize,
    /// One past the last byte replaced.
    pub end: usize,
    /// The new text.
    pub text: String,
    /// What is edited, for people: an item's name.
    #[serde(default)]
    pub item: String,
    /// Why, for people.
    #[serde(default)]
    pub why: String,
    /// Which player made it.
    #[serde(default)]
    pub by: String,
}

/// Something a verifier says of an edit or a file (type `finding`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// The item, if it is about one.
    #[serde(default)]
    pub item: String,
    /// What was found.
    pub message: String,
}

/// A search-and-replace edit as a model writes it (type `search-replace`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SearchReplace {
    /// The file, relative to the project.
    pub path: String,
    /// Text that occurs exactly once in the file; empty: create the file with `replace`.
    pub search: String,
    /// What takes its place.
    pub replace: String,
    /// Why, for people.
    #[serde(default)]
    pub why: String,
}

/// A search-and-replace edit that found no place, or several (type `miss`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Miss {
    /// The edit.
    pub edit: SearchReplace,
    /// What was wrong.
    pub reason: String,
    /// The text of the file that is nearest to `search`.
    #[serde(default)]
    pub nearest: String,
    /// Line where `nearest` starts, from 1; 0 when there is none.
    #[serde(default)]
    pub line: usize,
}

/// A file with its text (type `file`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceFile {
    /// The file, relative to the project.
    pub path: String,
    /// BLAKE3 of the text.
    pub base: String,
    /// The text.
    pub text: String,
}

/// Proposed edits, checked and grouped by file (type `change-set`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StagedChanges {
    /// One line on what it is.
    pub title: String,
    /// One entry a file, sorted by path.
    pub files: Vec<StagedFile>,
}

/// The edits of one file, sorted, without overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StagedFile {
    /// The file, relative to the project.
    pub path: String,
    /// The text that the edits refer to; `None` for a new file.
    pub base_text: Option<String>,
    /// The edits.
    pub edits: Vec<Edit>,
}
