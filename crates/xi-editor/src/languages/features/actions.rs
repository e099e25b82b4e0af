//! Code actions.

use super::edits::workspace_edit;
use crate::languages::documents::Asked;
use crate::languages::feature::{Context, Feature, read, read_each};
use ls_types::{CodeActionOrCommand, Command};
use serde_json::{Value, json};
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{
    BufferKey, CodeAction, CodeActions, ItemKey, ListCodeActions, ResolveCodeAction, RunCodeAction,
    WorkspaceEdit,
};

impl Feature for ListCodeActions {
    const CAPABILITY: &'static str = "codeActionProvider";

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
        let diagnostics: Vec<Value> = context
            .diagnostics
            .iter()
            .filter(|(at, _)| at.start <= span.end && span.start <= at.end)
            .map(|(at, raw)| {
                let mut raw = raw.clone();
                raw["range"] = json!(asked.source.range(*at, asked.columns));
                raw
            })
            .collect();
        let mut about = json!({"diagnostics": diagnostics, "triggerKind": 1});
        if !self.only.is_empty() {
            about["only"] = json!(self.only);
        }
        let range = asked.source.range(span, asked.columns);
        let document = json!({"uri": asked.uri});
        let params = json!({"textDocument": document, "range": range, "context": about});
        Ok(("textDocument/codeAction", params))
    }

    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        context: &mut Context<'_>,
    ) -> Result<CodeActions, RpcError> {
        let raw: Vec<Value> = read(answer)?;
        let list = context.held.add(asked.clone(), 0, raw.clone());
        let actions = raw
            .iter()
            .enumerate()
            .filter_map(|(item, raw)| action(ItemKey { list, item }, raw, asked, context).ok())
            .collect();
        Ok(CodeActions {
            revision: asked.revision,
            actions,
        })
    }
}

/// An action in our form.
fn action(
    key: ItemKey,
    raw: &Value,
    asked: &Asked,
    context: &Context<'_>,
) -> Result<CodeAction, RpcError> {
    let read = read_each::<CodeActionOrCommand>(std::slice::from_ref(raw)).next();
    let unreadable = || crate::languages::feature::misunderstood("a code action");
    let plain = CodeAction {
        key,
        title: raw["title"].as_str().unwrap_or_default().to_owned(),
        kind: None,
        preferred: false,
        disabled: None,
        edit: None,
        command: true,
    };
    Ok(match read.ok_or_else(unreadable)? {
        CodeActionOrCommand::Command(_) => plain,
        CodeActionOrCommand::CodeAction(action) => CodeAction {
            kind: action.kind.map(|kind| kind.as_str().to_owned()),
            preferred: action.is_preferred == Some(true),
            disabled: action.disabled.map(|why| why.reason),
            edit: match raw.get("edit") {
                Some(edit) => Some(workspace_edit(edit, asked, context)?),
                None => None,
            },
            command: action.command.is_some(),
            ..plain
        },
    })
}

impl Feature for ResolveCodeAction {
    const CAPABILITY: &'static str = "codeActionProvider";

    fn buffer(&self) -> BufferKey {
        self.buffer
    }

    fn question(
        &self,
        _: &Asked,
        context: &Context<'_>,
    ) -> Result<(&'static str, Value), RpcError> {
        let (_, item) = context.held.item(self.buffer, self.key)?;
        let resolves = &context.capabilities["codeActionProvider"]["resolveProvider"];
        // A bare command, or an action with its edit, is complete.
        let complete = item.get("edit").is_some() || item["command"].is_string();
        let method = match resolves {
            Value::Bool(true) if !complete => "codeAction/resolve",
            _ => "",
        };
        Ok((method, item.clone()))
    }

    fn answer(
        self,
        answer: Value,
        _: &Asked,
        context: &mut Context<'_>,
    ) -> Result<CodeAction, RpcError> {
        if answer.is_object() {
            context.held.put(self.key, answer);
        }
        let (list, item) = context.held.item(self.buffer, self.key)?;
        action(self.key, item, &list.asked, context)
    }
}

impl Feature for RunCodeAction {
    const CAPABILITY: &'static str = "executeCommandProvider";

    fn buffer(&self) -> BufferKey {
        self.buffer
    }

    fn question(
        &self,
        _: &Asked,
        context: &Context<'_>,
    ) -> Result<(&'static str, Value), RpcError> {
        let (_, item) = context.held.item(self.buffer, self.key)?;
        let raw = match &item["command"] {
            Value::String(_) => item,
            command => command,
        };
        let command = read_each::<Command>(std::slice::from_ref(raw)).next();
        let command = command.ok_or_else(|| {
            let why = "this code action has no command: apply its edit";
            RpcError::new(code::INVALID_PARAMS, why)
        })?;
        let mut params = json!({"command": command.command});
        if let Some(arguments) = command.arguments {
            params["arguments"] = Value::Array(arguments);
        }
        Ok(("workspace/executeCommand", params))
    }

    fn answer(
        self,
        _: Value,
        asked: &Asked,
        context: &mut Context<'_>,
    ) -> Result<WorkspaceEdit, RpcError> {
        let mut steps = Vec::new();
        for edit in std::mem::take(&mut context.wanted) {
            steps.extend(workspace_edit(&edit, asked, context)?.steps);
        }
        Ok(WorkspaceEdit { steps })
    }
}
