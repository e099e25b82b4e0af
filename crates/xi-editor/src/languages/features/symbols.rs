//! Symbols of a text and of the workspace.

use super::locations::location;
use super::names::symbol_kind;
use crate::languages::documents::Asked;
use crate::languages::feature::{Context, Feature, read, read_each};
use ls_types::{OneOf, SymbolInformation};
use serde_json::{Value, json};
use symphony_ipc_protocol::jsonrpc::RpcError;
use symphony_ipc_protocol::xi::{
    BufferKey, DocumentSymbol, DocumentSymbols, FindWorkspaceSymbols, ListDocumentSymbols,
    WorkspaceSymbol, WorkspaceSymbols,
};

/// At most so many symbols of a workspace are given out.
const MAX_SYMBOLS: usize = 500;

impl Feature for ListDocumentSymbols {
    const CAPABILITY: &'static str = "documentSymbolProvider";

    fn buffer(&self) -> BufferKey {
        self.buffer
    }

    fn question(&self, asked: &Asked, _: &Context<'_>) -> Result<(&'static str, Value), RpcError> {
        let params = json!({"textDocument": {"uri": asked.uri}});
        Ok(("textDocument/documentSymbol", params))
    }

    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        _: &mut Context<'_>,
    ) -> Result<DocumentSymbols, RpcError> {
        let raw: Vec<Value> = read(answer)?;
        let is_flat = raw.iter().any(|symbol| symbol.get("location").is_some());
        let symbols = if is_flat {
            read_each(&raw).map(|s| flat(s, asked)).collect()
        } else {
            read_each(&raw).map(|s| nested(s, asked)).collect()
        };
        Ok(DocumentSymbols {
            revision: asked.revision,
            symbols,
        })
    }
}

/// The depth is bounded by that of JSON.
fn nested(symbol: ls_types::DocumentSymbol, asked: &Asked) -> DocumentSymbol {
    let children = symbol.children.unwrap_or_default();
    DocumentSymbol {
        name: symbol.name,
        kind: symbol_kind(&symbol.kind),
        detail: symbol.detail.filter(|d| !d.is_empty()),
        span: asked.span(symbol.range),
        selection: asked.span(symbol.selection_range),
        children: children.into_iter().map(|c| nested(c, asked)).collect(),
    }
}

fn flat(symbol: SymbolInformation, asked: &Asked) -> DocumentSymbol {
    let span = asked.span(symbol.location.range);
    DocumentSymbol {
        name: symbol.name,
        kind: symbol_kind(&symbol.kind),
        detail: symbol.container_name,
        span,
        selection: span,
        children: Vec::new(),
    }
}

impl Feature for FindWorkspaceSymbols {
    const CAPABILITY: &'static str = "workspaceSymbolProvider";

    fn buffer(&self) -> BufferKey {
        self.buffer
    }

    fn question(&self, _: &Asked, _: &Context<'_>) -> Result<(&'static str, Value), RpcError> {
        Ok(("workspace/symbol", json!({"query": self.query})))
    }

    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        context: &mut Context<'_>,
    ) -> Result<WorkspaceSymbols, RpcError> {
        let raw: Vec<Value> = read(answer)?;
        let mut files = context.files();
        let symbols: Vec<_> = read_each::<ls_types::WorkspaceSymbol>(&raw)
            .take(MAX_SYMBOLS)
            .filter_map(|symbol| {
                // A place without a range is the file.
                let (uri, range) = match symbol.location {
                    OneOf::Left(place) => (place.uri, place.range),
                    OneOf::Right(file) => (file.uri, ls_types::Range::default()),
                };
                Some(WorkspaceSymbol {
                    name: symbol.name,
                    kind: symbol_kind(&symbol.kind),
                    container: symbol.container_name.filter(|c| !c.is_empty()),
                    location: location(&mut files, asked, uri.as_str(), range)?,
                })
            })
            .collect();
        Ok(WorkspaceSymbols {
            incomplete: symbols.len() < raw.len(),
            symbols,
        })
    }
}
