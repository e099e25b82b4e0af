//! What is asked of language servers.

use crate::xi::{BufferKey, RevisionNumber, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place in a buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The buffer.
    pub buffer: BufferKey,
    /// The place.
    pub at: usize,
    /// The revision that `at` refers to; the newest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionNumber>,
}

/// A buffer, or a range of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Area {
    /// The buffer.
    pub buffer: BufferKey,
    /// Which part; all of it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Span>,
    /// The revision that `range` refers to; the newest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionNumber>,
}

/// What could be written here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Complete {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// The character that was typed and set this off, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// At most so many items; 1,000 when absent, which is the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// An item of a list that was given out before (completions, code actions).
/// The newest 8 lists of a server are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemKey {
    /// The list.
    pub list: u64,
    /// The item, counted from 0 in the order of the server.
    pub item: usize,
}

/// The rest of what is known of a completion: documentation, further edits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResolveCompletion {
    /// The buffer that the list was asked for.
    pub buffer: BufferKey,
    /// The item.
    #[serde(flatten)]
    pub key: ItemKey,
}

/// What stands here: type, documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoverAt {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
}

/// The signatures of the call that surrounds a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignatureHelpAt {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
}

/// Which places of a symbol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefinitionKind {
    /// Where it is defined.
    #[default]
    Definition,
    /// Where it is declared.
    Declaration,
    /// Where its type is defined.
    TypeDefinition,
    /// Where it is implemented.
    Implementation,
}

/// Where a symbol is defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindDefinition {
    /// Where the symbol stands.
    #[serde(flatten)]
    pub place: Place,
    /// Which places are looked for.
    #[serde(default)]
    pub of: DefinitionKind,
}

/// Where a symbol is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindReferences {
    /// Where the symbol stands.
    #[serde(flatten)]
    pub place: Place,
    /// Whether its declaration counts.
    #[serde(default)]
    pub declaration: bool,
}

/// Whether what stands here can be renamed, and its name now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrepareRename {
    /// Where the symbol stands.
    #[serde(flatten)]
    pub place: Place,
}

/// The edits that give a symbol another name. Nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RenameSymbol {
    /// Where the symbol stands.
    #[serde(flatten)]
    pub place: Place,
    /// Its new name.
    pub name: String,
}

/// The edits that format a text or a range. Nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FormatText {
    /// What.
    #[serde(flatten)]
    pub area: Area,
    /// The width of a tab; 4 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tab_width: Option<u32>,
    /// Indent by tabs, not by spaces.
    #[serde(default)]
    pub tabs: bool,
}

/// What could be done about a range: fixes, refactorings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListCodeActions {
    /// Where.
    #[serde(flatten)]
    pub area: Area,
    /// Only of these kinds (`quickfix`, `refactor.extract`, `source.organizeImports`, …).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
}

/// The edit of a code action. Nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResolveCodeAction {
    /// The buffer that the list was asked for.
    pub buffer: BufferKey,
    /// The action.
    #[serde(flatten)]
    pub key: ItemKey,
}

/// Has the server run the command of a code action; the edits that it asks for
/// are the answer. Texts are not changed; what else the command does is the server's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunCodeAction {
    /// The buffer that the list was asked for.
    pub buffer: BufferKey,
    /// The action.
    #[serde(flatten)]
    pub key: ItemKey,
}

/// The symbols of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListDocumentSymbols {
    /// The buffer.
    pub buffer: BufferKey,
}

/// Symbols of the workspace by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindWorkspaceSymbols {
    /// A buffer of the workspace and language.
    pub buffer: BufferKey,
    /// A part of the name; how it is matched is up to the server.
    pub query: String,
}

/// Hints to be shown between the characters: types, parameter names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListInlayHints {
    /// Where.
    #[serde(flatten)]
    pub area: Area,
}

/// What the server has to say against a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListDiagnostics {
    /// The buffer.
    pub buffer: BufferKey,
}

/// The language servers and what they do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetLanguageStatus {}

/// Whether a buffer has its language server without being asked for something:
/// only then do diagnostics come by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetLanguageFeatures {
    /// The buffer.
    pub buffer: BufferKey,
    /// On or off.
    pub on: bool,
}

/// Ends the language server of a buffer and starts it anew, also one that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RestartLanguageServer {
    /// The buffer.
    pub buffer: BufferKey,
}
