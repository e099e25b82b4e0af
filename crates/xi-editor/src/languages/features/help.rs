//! Hover, signatures, hints between the characters.

use super::names;
use crate::languages::documents::Asked;
use crate::languages::feature::{Context, Feature, read, read_each};
use ls_types::{InlayHintLabel, ParameterLabel, SignatureInformation};
use serde_json::{Value, json};
use symphony_ipc_protocol::jsonrpc::RpcError;
use symphony_ipc_protocol::xi::{
    BufferKey, Hover, HoverAt, InlayHint, InlayHints, ListInlayHints, Parameter, Signature,
    SignatureHelp, SignatureHelpAt, Span,
};

/// At most so many hints are given out.
const MAX_HINTS: usize = 10_000;

impl Feature for HoverAt {
    const CAPABILITY: &'static str = "hoverProvider";

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
        Ok(("textDocument/hover", asked.place(at)))
    }

    fn answer(self, answer: Value, asked: &Asked, _: &mut Context<'_>) -> Result<Hover, RpcError> {
        let hover: Option<ls_types::Hover> = read(answer)?;
        let span = hover.as_ref().and_then(|h| h.range).map(|r| asked.span(r));
        Ok(Hover {
            revision: asked.revision,
            contents: hover.map(|h| names::hover(h.contents)).unwrap_or_default(),
            span,
        })
    }
}

impl Feature for SignatureHelpAt {
    const CAPABILITY: &'static str = "signatureHelpProvider";

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
        Ok(("textDocument/signatureHelp", asked.place(at)))
    }

    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        _: &mut Context<'_>,
    ) -> Result<SignatureHelp, RpcError> {
        let help: Option<ls_types::SignatureHelp> = read(answer)?;
        let (active, parameter) = help
            .as_ref()
            .map_or((None, None), |h| (h.active_signature, h.active_parameter));
        let signatures = help.map(|h| h.signatures).unwrap_or_default();
        let signatures: Vec<_> = signatures
            .into_iter()
            .map(|s| signature(s, parameter))
            .collect();
        let last = signatures.len().saturating_sub(1);
        Ok(SignatureHelp {
            revision: asked.revision,
            active: active.map_or(0, |a| a as usize).min(last),
            signatures,
        })
    }
}

fn signature(signature: SignatureInformation, active: Option<u32>) -> Signature {
    let active = signature.active_parameter.or(active);
    let mut from = 0;
    let mut parameters = Vec::new();
    for parameter in signature.parameters.unwrap_or_default() {
        let span = parameter_span(&signature.label, &parameter.label, from);
        from = span.end;
        parameters.push(Parameter {
            span,
            documentation: names::documentation(parameter.documentation),
        });
    }
    Signature {
        label: signature.label,
        documentation: names::documentation(signature.documentation),
        active_parameter: active.map(|a| a as usize).filter(|a| *a < parameters.len()),
        parameters,
    }
}

/// A parameter's place in the label: named by its text, or by UTF-16 offsets.
fn parameter_span(label: &str, parameter: &ParameterLabel, from: usize) -> Span {
    match parameter {
        ParameterLabel::Simple(text) => {
            let found = label.get(from..).and_then(|rest| rest.find(text.as_str()));
            let start = found.map_or(from, |at| from + at);
            Span {
                start,
                end: found.map_or(from, |_| start + text.len()),
            }
        }
        ParameterLabel::LabelOffsets([start, end]) => {
            let (start, end) = (bytes_of(label, *start), bytes_of(label, *end));
            Span {
                start,
                end: end.max(start),
            }
        }
    }
}

/// The byte offset of a UTF-16 offset.
fn bytes_of(text: &str, units: u32) -> usize {
    let mut seen = 0;
    for (at, c) in text.char_indices() {
        if seen >= units as usize {
            return at;
        }
        seen += c.len_utf16();
    }
    text.len()
}

impl Feature for ListInlayHints {
    const CAPABILITY: &'static str = "inlayHintProvider";

    fn buffer(&self) -> BufferKey {
        self.area.buffer
    }

    fn question(
        &self,
        asked: &Asked,
        context: &Context<'_>,
    ) -> Result<(&'static str, Value), RpcError> {
        let span = context
            .document
            .rebase_range(self.area.range, self.area.revision)?;
        let range = asked.source.range(span, asked.columns);
        let params = json!({"textDocument": {"uri": asked.uri}, "range": range});
        Ok(("textDocument/inlayHint", params))
    }

    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        _: &mut Context<'_>,
    ) -> Result<InlayHints, RpcError> {
        let raw: Vec<Value> = read(answer)?;
        let mut hints: Vec<_> = read_each::<ls_types::InlayHint>(&raw)
            .take(MAX_HINTS)
            .map(|hint| hint_of(hint, asked))
            .collect();
        hints.sort_by_key(|hint| hint.at);
        Ok(InlayHints {
            revision: asked.revision,
            hints,
        })
    }
}

fn hint_of(hint: ls_types::InlayHint, asked: &Asked) -> InlayHint {
    let label = match hint.label {
        InlayHintLabel::String(text) => text,
        InlayHintLabel::LabelParts(parts) => parts.into_iter().map(|p| p.value).collect(),
    };
    let space = |wanted: Option<bool>| if wanted == Some(true) { " " } else { "" };
    let kind = match hint.kind {
        Some(ls_types::InlayHintKind::TYPE) => Some("type"),
        Some(ls_types::InlayHintKind::PARAMETER) => Some("parameter"),
        _ => None,
    };
    InlayHint {
        at: asked.source.offset(hint.position, asked.columns),
        label: format!(
            "{}{label}{}",
            space(hint.padding_left),
            space(hint.padding_right)
        ),
        kind: kind.map(str::to_owned),
    }
}
