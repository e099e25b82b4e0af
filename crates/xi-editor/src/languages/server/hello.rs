//! The first words between us and a server.

use super::{Server, Sync};
use crate::languages::documents::uri_of;
use crate::languages::positions::Columns;
use serde_json::{Value, json};

impl Server {
    /// The parameters of `initialize`.
    pub(super) fn hello_params(&self) -> Value {
        let uri = uri_of(&self.root);
        let name = self.root.file_name().map(|n| n.to_string_lossy());
        let folder = json!({"uri": uri, "name": name.unwrap_or_default()});
        json!({
            "processId": std::process::id(),
            "clientInfo": {"name": "xi-editor", "version": env!("CARGO_PKG_VERSION")},
            "rootPath": self.root,
            "rootUri": uri,
            "workspaceFolders": [folder],
            "initializationOptions": self.spec.initialization_options,
            "capabilities": capabilities(&self.spec.position_encodings),
            "trace": "off",
        })
    }

    /// Takes what the server says that it can do.
    pub(super) fn take_hello(&mut self, answer: &Value) {
        self.capabilities = answer["capabilities"].clone();
        self.columns = match self.capabilities["positionEncoding"].as_str() {
            Some("utf-8") => Columns::Utf8,
            Some("utf-32") => Columns::Utf32,
            _ => Columns::Utf16,
        };
        let sync = &self.capabilities["textDocumentSync"];
        let (kind, save) = match sync {
            Value::Object(options) => (options.get("change"), options.get("save")),
            number => (Some(number), Some(&Value::Bool(true))),
        };
        self.sync = match kind.and_then(Value::as_u64) {
            Some(1) => Sync::Full,
            Some(2) => Sync::Incremental,
            _ => Sync::Nothing,
        };
        self.saves = match save {
            None | Some(Value::Null | Value::Bool(false)) => None,
            Some(options) => Some(options["includeText"] == true),
        };
    }
}

/// What we can do.
fn capabilities(encodings: &[String]) -> Value {
    let markup = ["markdown", "plaintext"];
    let encodings = match encodings {
        [] => json!(["utf-8", "utf-16"]),
        some => json!(some),
    };
    json!({
        "general": {"positionEncodings": encodings},
        "window": {"workDoneProgress": true, "showMessage": {}},
        "workspace": {
            "applyEdit": true,
            "configuration": true,
            "workspaceFolders": true,
            "didChangeConfiguration": {},
            "executeCommand": {},
            "symbol": {},
            "workspaceEdit": {
                "documentChanges": true,
                "resourceOperations": ["create", "rename", "delete"],
            },
        },
        "textDocument": {
            "synchronization": {"didSave": true},
            "publishDiagnostics": {
                "versionSupport": true,
                "tagSupport": {"valueSet": [1, 2]},
                "codeDescriptionSupport": true,
                "dataSupport": true,
            },
            "completion": {
                "contextSupport": true,
                "completionItem": {
                    "snippetSupport": true,
                    "documentationFormat": markup,
                    "deprecatedSupport": true,
                    "preselectSupport": true,
                    "labelDetailsSupport": true,
                    "tagSupport": {"valueSet": [1]},
                    "resolveSupport": {
                        "properties": ["documentation", "detail", "additionalTextEdits"],
                    },
                },
            },
            "hover": {"contentFormat": markup},
            "signatureHelp": {
                "signatureInformation": {
                    "documentationFormat": markup,
                    "parameterInformation": {"labelOffsetSupport": true},
                    "activeParameterSupport": true,
                },
            },
            "definition": {"linkSupport": true},
            "declaration": {"linkSupport": true},
            "typeDefinition": {"linkSupport": true},
            "implementation": {"linkSupport": true},
            "references": {},
            "documentSymbol": {"hierarchicalDocumentSymbolSupport": true},
            "formatting": {},
            "rangeFormatting": {},
            "rename": {"prepareSupport": true, "prepareSupportDefaultBehavior": 1},
            "inlayHint": {},
            "codeAction": {
                "codeActionLiteralSupport": {"codeActionKind": {"valueSet": [
                    "", "quickfix", "refactor", "refactor.extract", "refactor.inline",
                    "refactor.rewrite", "source", "source.organizeImports", "source.fixAll",
                ]}},
                "isPreferredSupport": true,
                "disabledSupport": true,
                "dataSupport": true,
                "resolveSupport": {"properties": ["edit"]},
            },
        },
    })
}
