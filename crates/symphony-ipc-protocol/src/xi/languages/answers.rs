//! What language servers answer.

use super::{ItemKey, WorkspaceEdit};
use crate::xi::{BufferKey, Replace, RevisionNumber, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What could be written at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Completions {
    /// The revision that positions refer to.
    pub revision: RevisionNumber,
    /// Whether there is more: ask again when more is typed.
    pub incomplete: bool,
    /// The items, in the order to show them.
    pub items: Vec<CompletionItem>,
}

/// One thing that could be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CompletionItem {
    /// Names the item, for `resolve_completion`.
    #[serde(flatten)]
    pub key: ItemKey,
    /// What is shown.
    pub label: String,
    /// What it is: `function`, `class`, `keyword`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// More on it, in one line: a type, a signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
    /// What typed text is matched against; the label when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// What choosing it does.
    pub edit: Replace,
    /// Whether the new text is a snippet (`${1:name}`, `$0`).
    #[serde(default)]
    pub snippet: bool,
    /// What choosing it does elsewhere in the text (an import).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_edits: Vec<Replace>,
    /// Whether it should be used no more.
    #[serde(default)]
    pub deprecated: bool,
    /// Whether it should be chosen first.
    #[serde(default)]
    pub preselect: bool,
}

/// A completion with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedCompletion {
    /// The revision that positions refer to: that of the list.
    pub revision: RevisionNumber,
    /// The completion.
    pub item: CompletionItem,
}

/// What stands at a place; without contents, nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hover {
    /// The revision that `span` refers to.
    pub revision: RevisionNumber,
    /// Markdown.
    pub contents: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

/// The signatures of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignatureHelp {
    /// The revision that was asked about.
    pub revision: RevisionNumber,
    /// None when the place is in no call.
    pub signatures: Vec<Signature>,
    /// Which one fits.
    pub active: usize,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signature {
    /// As it is shown.
    pub label: String,
    /// Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
    /// The parameters.
    pub parameters: Vec<Parameter>,
    /// The parameter at the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_parameter: Option<usize>,
}

/// A parameter of a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parameter {
    /// Its place in the label, in bytes.
    pub span: Span,
    /// Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// The file.
    pub path: PathBuf,
    /// The buffer that holds it, if it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer: Option<BufferKey>,
    /// The buffer's revision that `span` refers to; a file that is not open was read from disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionNumber>,
    /// The place.
    pub span: Span,
    /// The line of its start, counted from 0.
    pub line: usize,
    /// The text of that line, at most 400 bytes.
    pub text: String,
}

/// Places, as the server orders them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Locations {
    /// The places, at most 2,000.
    pub locations: Vec<Location>,
    /// Whether there are more, or some whose file cannot be read.
    pub incomplete: bool,
}

/// What a rename would be about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Renamable {
    /// The revision that `span` refers to.
    pub revision: RevisionNumber,
    /// The name's place.
    pub span: Span,
    /// The name to start from.
    pub name: String,
}

/// Edits of one text, for `apply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextEdits {
    /// The base of the edits.
    pub revision: RevisionNumber,
    /// Sorted, apart from each other; none when the text is as it should be.
    pub edits: Vec<Replace>,
}

/// What could be done about a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeActions {
    /// The revision that was asked about.
    pub revision: RevisionNumber,
    /// The actions, in the order to show them.
    pub actions: Vec<CodeAction>,
}

/// Something that could be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeAction {
    /// Names the action, for `resolve_code_action` and `run_code_action`.
    #[serde(flatten)]
    pub key: ItemKey,
    /// What is shown.
    pub title: String,
    /// `quickfix`, `refactor.extract`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether it is the best one.
    #[serde(default)]
    pub preferred: bool,
    /// Why it cannot be done now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<String>,
    /// What it changes; absent until it is resolved, or when a command does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<WorkspaceEdit>,
    /// Whether a command of the server is part of it, to run after the edit is applied.
    #[serde(default)]
    pub command: bool,
}

/// The symbols of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentSymbols {
    /// The revision that spans refer to.
    pub revision: RevisionNumber,
    /// The outermost symbols.
    pub symbols: Vec<DocumentSymbol>,
}

/// A symbol of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentSymbol {
    /// Its name.
    pub name: String,
    /// `function`, `class`, …
    pub kind: String,
    /// More on it, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// All of it.
    pub span: Span,
    /// Its name's place.
    pub selection: Span,
    /// What it contains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<DocumentSymbol>,
}

/// Symbols of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkspaceSymbols {
    /// At most 500.
    pub symbols: Vec<WorkspaceSymbol>,
    /// Whether there are more.
    pub incomplete: bool,
}

/// A symbol of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkspaceSymbol {
    /// Its name.
    pub name: String,
    /// `function`, `class`, …
    pub kind: String,
    /// What it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Where.
    pub location: Location,
}

/// Hints to be shown between the characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InlayHints {
    /// The revision that positions refer to.
    pub revision: RevisionNumber,
    /// Sorted by place.
    pub hints: Vec<InlayHint>,
}

/// A hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InlayHint {
    /// Where.
    pub at: usize,
    /// What is shown, with spaces where the server wants them.
    pub label: String,
    /// `type` or `parameter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// What a server has to say against a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnostics {
    /// The revision that spans refer to: the newest. Spans found at an older one are rebased.
    pub revision: RevisionNumber,
    /// The revision that the server judged; absent when it has not judged yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<RevisionNumber>,
    /// Sorted by place, at most 2,000.
    pub diagnostics: Vec<Diagnostic>,
}

/// How bad it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Wrong.
    Error,
    /// Probably wrong.
    Warning,
    /// Worth knowing.
    Information,
    /// Could be better.
    Hint,
}

/// Something that a server has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnostic {
    /// Where.
    pub span: Span,
    /// How bad it is.
    pub severity: Severity,
    /// What.
    pub message: String,
    /// The rule's name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Which tool says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The text is not needed: shown faint.
    #[serde(default)]
    pub unnecessary: bool,
    /// The text should be used no more: shown struck through.
    #[serde(default)]
    pub deprecated: bool,
}
