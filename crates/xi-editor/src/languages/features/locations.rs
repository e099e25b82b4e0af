//! Places of symbols: definitions, references.

use crate::languages::documents::Asked;
use crate::languages::feature::{Context, Feature, Files, read_each};
use ls_types::Range;
use serde_json::{Value, json};
use symphony_ipc_protocol::jsonrpc::RpcError;
use symphony_ipc_protocol::xi::{
    BufferKey, DefinitionKind, FindDefinition, FindReferences, Location, Locations,
};

/// At most so many places are given out.
const MAX_LOCATIONS: usize = 2_000;
/// Of the line of a place, at most so many bytes are given out.
const MAX_LINE: usize = 400;

/// The place that a server names; `None` when its file cannot be read.
pub fn location(files: &mut Files<'_>, asked: &Asked, uri: &str, range: Range) -> Option<Location> {
    let file = files.get(uri, asked)?;
    let span = file.source.span(range, asked.columns);
    let line = file.source.line_at(span.start);
    let (start, end) = file.source.line(line);
    let mut end = end.min(start + MAX_LINE);
    while !file.source.text().is_border(end) {
        end -= 1;
    }
    Some(Location {
        path: file.path.clone(),
        buffer: file.buffer.map(|(buffer, _)| buffer),
        revision: file.buffer.map(|(_, revision)| revision),
        span,
        line,
        text: file.source.text().slice(start, end).into_owned(),
    })
}

/// A `Location` or `LocationLink` of the protocol.
fn named(place: &Value) -> Option<(&str, Range)> {
    let link = place.get("targetUri").is_some();
    let (uri, range) = if link {
        ("targetUri", "targetSelectionRange")
    } else {
        ("uri", "range")
    };
    let range = read_each(std::slice::from_ref(&place[range])).next()?;
    Some((place[uri].as_str()?, range))
}

fn locations(answer: Value, asked: &Asked, context: &Context<'_>) -> Locations {
    let places = match answer {
        Value::Array(places) => places,
        Value::Null => Vec::new(),
        one => vec![one],
    };
    let mut files = context.files();
    let found: Vec<_> = places
        .iter()
        .take(MAX_LOCATIONS)
        .filter_map(named)
        .filter_map(|(uri, range)| location(&mut files, asked, uri, range))
        .collect();
    Locations {
        incomplete: found.len() < places.len(),
        locations: found,
    }
}

impl Feature for FindDefinition {
    // Which one is needed depends on what is asked for: see `question`.
    const CAPABILITY: &'static str = "";

    fn buffer(&self) -> BufferKey {
        self.place.buffer
    }

    fn question(
        &self,
        asked: &Asked,
        context: &Context<'_>,
    ) -> Result<(&'static str, Value), RpcError> {
        let (method, capability) = match self.of {
            DefinitionKind::Definition => ("textDocument/definition", "definitionProvider"),
            DefinitionKind::Declaration => ("textDocument/declaration", "declarationProvider"),
            DefinitionKind::TypeDefinition => {
                ("textDocument/typeDefinition", "typeDefinitionProvider")
            }
            DefinitionKind::Implementation => {
                ("textDocument/implementation", "implementationProvider")
            }
        };
        context.needs(capability)?;
        let at = context
            .document
            .rebase(self.place.at, self.place.revision)?;
        Ok((method, asked.place(at)))
    }

    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        context: &mut Context<'_>,
    ) -> Result<Locations, RpcError> {
        Ok(locations(answer, asked, context))
    }
}

impl Feature for FindReferences {
    const CAPABILITY: &'static str = "referencesProvider";

    fn buffer(&self) -> BufferKey {
        self.place.buffer
    }

    fn question(
        &self,
        asked: &Asked,
        context: &Context<'_>,
    ) -> Result<(&'static str, Value), RpcError> {
        let at = context
            .document
            .rebase(self.place.at, self.place.revision)?;
        let mut params = asked.place(at);
        params["context"] = json!({"includeDeclaration": self.declaration});
        Ok(("textDocument/references", params))
    }

    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        context: &mut Context<'_>,
    ) -> Result<Locations, RpcError> {
        Ok(locations(answer, asked, context))
    }
}
