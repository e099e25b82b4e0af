//! The messages between Symphony and xi-editor: protocol `xi-editor/1`.
//!
//! Requests carry a type of this module as `params`; [`XiRequest`] names the
//! method and the answer of each. Events are notifications ([`XiEvent`]).
//!
//! A buffer's text is the decoded text of its file without an encoding mark,
//! line ends as they are. All positions are UTF-8 byte offsets into that text
//! and must lie on character borders.

mod commands;
mod conflicts;
mod edits;
mod events;
mod files;
mod languages;
mod layout;
mod lifecycle;
mod plugins;
mod recovery;
mod schema;
mod search;
mod syntax;
mod views;

pub use commands::*;
pub use conflicts::*;
pub use edits::*;
pub use events::*;
pub use files::*;
pub use languages::*;
pub use layout::*;
pub use lifecycle::*;
pub use plugins::*;
pub use recovery::*;
pub use schema::schema;
pub use search::*;
pub use syntax::*;
pub use views::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// The protocol's name and version, answered by `initialize`.
pub const PROTOCOL: &str = "xi-editor/1";

/// A request: its method's name and the type of its answer.
pub trait XiRequest: Serialize + DeserializeOwned + JsonSchema + Send {
    /// The JSON-RPC method.
    const METHOD: &'static str;
    /// The type of `result`.
    type Answer: Serialize + DeserializeOwned + JsonSchema + Send;
}

/// Something to be done with the type of a request that is known by its method.
pub trait RequestVisitor {
    /// What comes of it.
    type Output;
    /// Does it.
    fn visit<R: XiRequest>(self) -> Self::Output;
}

macro_rules! requests {
    ($($request:ident => $method:literal -> $answer:ty),* $(,)?) => {
        $(impl XiRequest for $request {
            const METHOD: &'static str = $method;
            type Answer = $answer;
        })*
        /// Every method of the protocol.
        pub const METHODS: &[&str] = &[$($method),*];
        /// Visits the request of that method; `None` when there is none.
        pub fn visit<V: RequestVisitor>(method: &str, visitor: V) -> Option<V::Output> {
            match method {
                $($method => Some(visitor.visit::<$request>()),)*
                _ => None,
            }
        }
    };
}

requests! {
    Initialize => "initialize" -> Initialized,
    Ping => "ping" -> Empty,
    Cancel => "cancel" -> Empty,
    Open => "open" -> BufferInfo,
    Content => "content" -> Text,
    Insert => "insert" -> Applied,
    Delete => "delete" -> Applied,
    Apply => "apply" -> Applied,
    Undo => "undo" -> Applied,
    Redo => "redo" -> Applied,
    Save => "save" -> Saved,
    Close => "close" -> Empty,
    Remove => "remove" -> Empty,
    FileChanged => "file_changed" -> ExternalChange,
    OpenView => "open_view" -> ViewState,
    CloseView => "close_view" -> Empty,
    Select => "select" -> ViewState,
    Selections => "selections" -> ViewState,
    RunCommand => "command" -> Commanded,
    Configure => "configure" -> Configuration,
    SetMetrics => "set_metrics" -> Empty,
    Lines => "lines" -> Rows,
    Folds => "folds" -> FoldState,
    Fold => "fold" -> FoldState,
    Unfold => "unfold" -> FoldState,
    UndoTree => "undo_tree" -> UndoNodes,
    UndoTo => "undo_to" -> Applied,
    Conflicts => "conflicts" -> ConflictList,
    Resolve => "resolve" -> Resolved,
    SetEncoding => "set_encoding" -> BufferInfo,
    SetLineEnding => "set_line_ending" -> Applied,
    LocateLine => "locate_line" -> LineStart,
    Find => "find" -> Matches,
    ReplaceMatches => "replace" -> Replaced,
    Highlight => "highlight" -> Highlighted,
    SetLanguage => "set_language" -> BufferLanguage,
    Languages => "languages" -> LanguageList,
    Themes => "themes" -> ThemeList,
    Plugins => "plugins" -> PluginList,
    StartPlugin => "start_plugin" -> PluginInfo,
    StopPlugin => "stop_plugin" -> Empty,
    PluginCommand => "plugin_command" -> Empty,
    PluginHover => "plugin_hover" -> PluginHoverAnswer,
    PluginConfig => "plugin_config" -> PluginSettings,
    Complete => "completion" -> Completions,
    ResolveCompletion => "resolve_completion" -> ResolvedCompletion,
    HoverAt => "hover" -> Hover,
    SignatureHelpAt => "signature_help" -> SignatureHelp,
    FindDefinition => "definition" -> Locations,
    FindReferences => "references" -> Locations,
    PrepareRename => "prepare_rename" -> Renamable,
    RenameSymbol => "rename" -> WorkspaceEdit,
    FormatText => "formatting" -> TextEdits,
    ListCodeActions => "code_actions" -> CodeActions,
    ResolveCodeAction => "resolve_code_action" -> CodeAction,
    RunCodeAction => "run_code_action" -> WorkspaceEdit,
    ListDocumentSymbols => "document_symbols" -> DocumentSymbols,
    FindWorkspaceSymbols => "workspace_symbols" -> WorkspaceSymbols,
    ListInlayHints => "inlay_hints" -> InlayHints,
    ListDiagnostics => "diagnostics" -> Diagnostics,
    GetLanguageStatus => "language_status" -> LanguageStatus,
    SetLanguageFeatures => "language_features" -> Empty,
    RestartLanguageServer => "restart_language_server" -> Empty,
    ListRecoverable => "recoverable" -> RecoverableList,
    Recover => "recover" -> Restored,
    DiscardRecovery => "discard_recovery" -> Empty,
    Buffers => "buffers" -> BufferList,
    Shutdown => "shutdown" -> Empty,
}

/// A buffer's identifier; lives as long as the buffer is open.
pub type BufferKey = Uuid;
/// A buffer's revision: 0 when opened, one more with each accepted change.
pub type RevisionNumber = u64;

/// Nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Empty {}
