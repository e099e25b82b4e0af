//! Names for the numbers of the protocol, and texts in its several forms.

use ls_types::{Documentation, HoverContents, MarkedString, MarkupContent, MarkupKind};

const COMPLETIONS: [&str; 25] = [
    "text",
    "method",
    "function",
    "constructor",
    "field",
    "variable",
    "class",
    "interface",
    "module",
    "property",
    "unit",
    "value",
    "enum",
    "keyword",
    "snippet",
    "color",
    "file",
    "reference",
    "folder",
    "enum_member",
    "constant",
    "struct",
    "event",
    "operator",
    "type_parameter",
];

const SYMBOLS: [&str; 26] = [
    "file",
    "module",
    "namespace",
    "package",
    "class",
    "method",
    "property",
    "field",
    "constructor",
    "enum",
    "interface",
    "function",
    "variable",
    "constant",
    "string",
    "number",
    "boolean",
    "array",
    "object",
    "key",
    "null",
    "enum_member",
    "struct",
    "event",
    "operator",
    "type_parameter",
];

/// The name of a kind that is sent as a number from 1.
fn name<T: serde::Serialize>(names: &[&'static str], kind: &T) -> Option<&'static str> {
    let number = serde_json::to_value(kind).ok()?.as_u64()?;
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    names.get(index).copied()
}

/// The name of a kind of completion.
pub fn completion_kind(kind: &ls_types::CompletionItemKind) -> Option<String> {
    name(&COMPLETIONS, kind).map(str::to_owned)
}

/// The name of a kind of symbol.
pub fn symbol_kind(kind: &ls_types::SymbolKind) -> String {
    name(&SYMBOLS, kind).unwrap_or("symbol").to_owned()
}

/// Plain text as Markdown that shows it as it is.
fn plain(text: &str) -> String {
    format!("```text\n{text}\n```")
}

/// Markdown of a text in either form.
pub fn markup(content: MarkupContent) -> String {
    match content.kind {
        MarkupKind::Markdown => content.value,
        MarkupKind::PlainText if content.value.trim().is_empty() => String::new(),
        MarkupKind::PlainText => plain(&content.value),
    }
}

/// Markdown of a documentation; `None` when it is empty.
pub fn documentation(documentation: Option<Documentation>) -> Option<String> {
    let text = match documentation? {
        Documentation::String(text) if text.trim().is_empty() => text,
        Documentation::String(text) => plain(&text),
        Documentation::MarkupContent(content) => markup(content),
    };
    (!text.trim().is_empty()).then_some(text)
}

/// Markdown of a hover.
pub fn hover(contents: HoverContents) -> String {
    let marked = |part: MarkedString| match part {
        MarkedString::String(text) => text,
        MarkedString::LanguageString(code) => {
            format!("```{}\n{}\n```", code.language, code.value)
        }
    };
    match contents {
        HoverContents::Scalar(part) => marked(part),
        HoverContents::Array(parts) => {
            let parts: Vec<_> = parts.into_iter().map(marked).collect();
            parts.join("\n\n")
        }
        HoverContents::Markup(content) => markup(content),
    }
}
