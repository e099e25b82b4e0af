//! Completions.

use super::edits::replaces;
use super::names;
use crate::languages::documents::Asked;
use crate::languages::feature::{
    Context, Feature, List, misunderstood, read, read_each, word_before,
};
use ls_types::{CompletionTextEdit, InsertTextFormat};
use serde::Deserialize;
use serde_json::{Value, json};
use symphony_ipc_protocol::jsonrpc::RpcError;
use symphony_ipc_protocol::xi::{
    BufferKey, Complete, CompletionItem, Completions, ItemKey, Replace, ResolveCompletion,
    ResolvedCompletion,
};

/// At most so many items are given out.
const MAX_ITEMS: usize = 1_000;

/// What the protocol allows as an answer.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Items(Vec<Value>),
    #[serde(rename_all = "camelCase")]
    List {
        #[serde(default)]
        is_incomplete: bool,
        items: Vec<Value>,
    },
}

impl Default for Answer {
    fn default() -> Self {
        Self::Items(Vec::new())
    }
}

impl Feature for Complete {
    const CAPABILITY: &'static str = "completionProvider";

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
        params["context"] = match &self.trigger {
            Some(character) => json!({"triggerKind": 2, "triggerCharacter": character}),
            None => json!({"triggerKind": 1}),
        };
        Ok(("textDocument/completion", params))
    }

    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        context: &mut Context<'_>,
    ) -> Result<Completions, RpcError> {
        let (mut incomplete, raw) = match read(answer)? {
            Answer::Items(items) => (false, items),
            Answer::List {
                is_incomplete,
                items,
            } => (is_incomplete, items),
        };
        // The place is one of the revision that was newest when the server was asked.
        let at = at_then(context, &self, asked)?;
        let limit = self.limit.unwrap_or(MAX_ITEMS).min(MAX_ITEMS);
        let typed = asked
            .source
            .text()
            .slice(word_before(&asked.source, at), at);
        let mut order = sorted(&raw);
        if order.len() > limit {
            order.retain(|i| begins_alike(&raw[*i], &typed));
            order.truncate(limit);
            incomplete = true;
        }
        let list = context.held.add(asked.clone(), at, raw);
        let held = ItemKey { list, item: 0 };
        let (list, _) = match context.held.item(asked.buffer, held) {
            Ok(found) => found,
            Err(_) => return Ok(nothing(asked, incomplete)),
        };
        let items = order
            .into_iter()
            .filter_map(|item| completion(list, ItemKey { item, ..held }).ok())
            .collect();
        Ok(Completions {
            items,
            ..nothing(asked, incomplete)
        })
    }
}

fn nothing(asked: &Asked, incomplete: bool) -> Completions {
    Completions {
        revision: asked.revision,
        incomplete,
        items: Vec::new(),
    }
}

/// The place that was asked about, in the text that was asked about.
fn at_then(context: &Context<'_>, request: &Complete, asked: &Asked) -> Result<usize, RpcError> {
    let from = request.place.revision.unwrap_or(asked.revision);
    context
        .document
        .rebase_until(request.place.at, from, asked.revision)
}

/// Indexes of the items in the order to show them.
fn sorted(items: &[Value]) -> Vec<usize> {
    let text = |i: &usize, key: &str| items[*i].get(key).and_then(Value::as_str).unwrap_or("");
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|i| {
        let label = text(i, "label");
        let sort = text(i, "sortText");
        (
            if sort.is_empty() { label } else { sort }.to_owned(),
            label.to_owned(),
        )
    });
    order
}

/// Whether an item can still become what is typed: its first letter fits.
fn begins_alike(item: &Value, typed: &str) -> bool {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let name = text("filterText").or_else(|| text("label")).unwrap_or("");
    let mut name = name.chars().flat_map(char::to_lowercase);
    typed
        .chars()
        .flat_map(char::to_lowercase)
        .all(|c| name.any(|n| n == c))
}

/// A held item in our form.
fn completion(list: &List, key: ItemKey) -> Result<CompletionItem, RpcError> {
    let raw = list.items.get(key.item).cloned().unwrap_or_default();
    let item: ls_types::CompletionItem = serde_json::from_value(raw).map_err(misunderstood)?;
    let text = item.insert_text.unwrap_or_else(|| item.label.clone());
    let edit = match item.text_edit {
        Some(CompletionTextEdit::Edit(edit)) => (list.asked.span(edit.range), edit.new_text),
        Some(CompletionTextEdit::InsertAndReplace(edit)) => {
            (list.asked.span(edit.insert), edit.new_text)
        }
        None => {
            let start = word_before(&list.asked.source, list.at);
            let end = list.at;
            (symphony_ipc_protocol::xi::Span { start, end }, text)
        }
    };
    let details = item.label_details.map(|d| {
        [d.detail, d.description]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ")
    });
    let deprecated_tag = ls_types::CompletionItemTag::DEPRECATED;
    Ok(CompletionItem {
        key,
        label: item.label,
        kind: item.kind.as_ref().and_then(names::completion_kind),
        detail: item.detail.or(details).filter(|d| !d.trim().is_empty()),
        documentation: names::documentation(item.documentation),
        filter: item.filter_text,
        edit: Replace {
            start: edit.0.start,
            end: edit.0.end,
            text: edit.1,
        },
        snippet: item.insert_text_format == Some(InsertTextFormat::SNIPPET),
        more_edits: match item.additional_text_edits {
            Some(edits) => replaces(edits, &list.asked.source, list.asked.columns)?,
            None => Vec::new(),
        },
        deprecated: item.tags.is_some_and(|tags| tags.contains(&deprecated_tag))
            || item.deprecated == Some(true),
        preselect: item.preselect == Some(true),
    })
}

impl Feature for ResolveCompletion {
    const CAPABILITY: &'static str = "completionProvider";

    fn buffer(&self) -> BufferKey {
        self.buffer
    }

    fn question(
        &self,
        _: &Asked,
        context: &Context<'_>,
    ) -> Result<(&'static str, Value), RpcError> {
        let (_, item) = context.held.item(self.buffer, self.key)?;
        let resolves = &context.capabilities["completionProvider"]["resolveProvider"];
        // Without a method the item is the answer already.
        let method = match resolves {
            Value::Bool(true) => "completionItem/resolve",
            _ => "",
        };
        Ok((method, item.clone()))
    }

    fn answer(
        self,
        answer: Value,
        _: &Asked,
        context: &mut Context<'_>,
    ) -> Result<ResolvedCompletion, RpcError> {
        // Some servers answer null when they know nothing more.
        if read_each::<ls_types::CompletionItem>(std::slice::from_ref(&answer))
            .next()
            .is_some()
        {
            context.held.put(self.key, answer);
        }
        let (list, _) = context.held.item(self.buffer, self.key)?;
        Ok(ResolvedCompletion {
            revision: list.asked.revision,
            item: completion(list, self.key)?,
        })
    }
}
