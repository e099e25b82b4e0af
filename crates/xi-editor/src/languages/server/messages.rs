//! What a server sends by itself.

use super::status::MAX_PROGRESS;
use super::{Published, Server};
use crate::languages::documents::{Document, Documents, path_of};
use crate::languages::feature::read_each;
use crate::languages::link::Incoming;
use crate::languages::positions::rebase_span;
use ls_types::{DiagnosticSeverity, DiagnosticTag, NumberOrString};
use serde_json::{Value, json};
use std::time::Instant;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{Diagnostic, Progress, Severity, Span};

/// So many messages are taken before others get their turn.
const TURN: usize = 64;
/// Of a text, so many diagnostics are held.
const MAX_DIAGNOSTICS: usize = 2_000;
/// Of a diagnostic, so many bytes of message are held.
const MAX_MESSAGE: usize = 4_000;

impl Server {
    /// Takes what came; true when there may be more.
    pub fn receive(&mut self, documents: &Documents, now: Instant) -> bool {
        for _ in 0..TURN {
            match self.link.as_ref().and_then(|link| link.receive()) {
                None => return false,
                Some(Incoming::Message(message)) => {
                    self.unheard = 0;
                    self.message(message, documents, now);
                }
                Some(Incoming::Ended(error)) => {
                    let cause = std::error::Error::source(&error);
                    let why = match cause {
                        Some(cause) => format!("{error}: {cause}"),
                        None => error.to_string(),
                    };
                    self.fail(&why, now);
                }
            }
        }
        true
    }

    fn message(&mut self, mut message: Value, documents: &Documents, now: Instant) {
        let method = message["method"].as_str().map(str::to_owned);
        let id = message.get("id").filter(|id| !id.is_null()).cloned();
        let mut take = |key: &str| message.get_mut(key).map(Value::take);
        match (method, id) {
            (Some(method), Some(id)) => {
                let params = take("params").unwrap_or_default();
                self.requested(&method, id, params);
            }
            (Some(method), None) => {
                let params = take("params").unwrap_or_default();
                self.notified(&method, &params, documents);
            }
            (None, Some(id)) => {
                let outcome = match take("error").filter(|error| !error.is_null()) {
                    Some(error) => Err(read_error(error)),
                    None => Ok(take("result").unwrap_or_default()),
                };
                match id.as_i64() {
                    Some(id) if self.hello == Some(id) => self.begin(outcome, documents, now),
                    Some(id) => self.answered(id, outcome, documents),
                    None => tracing::debug!(%id, "an answer to nothing"),
                }
            }
            (None, None) => tracing::debug!("a message that is none"),
        }
    }

    /// A request of the server: each is answered.
    fn requested(&mut self, method: &str, id: Value, mut params: Value) {
        let result = match method {
            "workspace/configuration" => self.configuration(&params),
            "workspace/workspaceFolders" => self.hello_params()["workspaceFolders"].take(),
            "client/registerCapability"
            | "client/unregisterCapability"
            | "window/workDoneProgress/create"
            | "window/showMessageRequest"
            | "workspace/codeLens/refresh"
            | "workspace/semanticTokens/refresh"
            | "workspace/inlayHint/refresh"
            | "workspace/inlineValue/refresh"
            | "workspace/diagnostic/refresh"
            | "workspace/foldingRange/refresh" => Value::Null,
            "window/showDocument" => json!({"success": false}),
            "workspace/applyEdit" => self.apply_edit(params["edit"].take()),
            _ => {
                let why = format!("unknown method `{method}`");
                let error = json!({"code": code::METHOD_NOT_FOUND, "message": why});
                self.send(&json!({"jsonrpc": "2.0", "id": id, "error": error}));
                return;
            }
        };
        self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
    }

    fn configuration(&self, params: &Value) -> Value {
        let items = params["items"].as_array().map_or(&[][..], Vec::as_slice);
        let setting = |item: &Value| {
            let section = item["section"].as_str().unwrap_or_default();
            let mut parts = section.split('.').filter(|part| !part.is_empty());
            let found = parts.try_fold(&self.spec.settings, |at, part| at.get(part));
            found.cloned().unwrap_or_default()
        };
        items.iter().map(setting).collect()
    }

    /// Edits by the server are handed to the one who ran its command, else refused.
    fn apply_edit(&mut self, edit: Value) -> Value {
        const MOST: usize = 64;
        if !self.runs_command() {
            let why = "no command of a code action runs";
            return json!({"applied": false, "failureReason": why});
        }
        if self.wanted.len() >= MOST {
            return json!({"applied": false, "failureReason": "too many edits"});
        }
        self.wanted.push(edit);
        json!({"applied": true})
    }

    fn notified(&mut self, method: &str, params: &Value, documents: &Documents) {
        match method {
            "textDocument/publishDiagnostics" => self.publish(params, documents),
            "$/progress" => self.progress(params),
            "window/showMessage" => {
                let message = params["message"].as_str().unwrap_or_default();
                tracing::info!(server = self.spec.command, message, "a server's message");
                if params["type"] == 1 {
                    self.reported.error = Some(shortened(message));
                }
            }
            // `window/logMessage`, telemetry and what the server made up.
            _ => tracing::trace!(server = self.spec.command, method, "ignored"),
        }
    }

    fn publish(&mut self, params: &Value, documents: &Documents) {
        let path = params["uri"].as_str().and_then(path_of);
        let path = path.map(|path| path.canonicalize().unwrap_or(path));
        let document = path.and_then(|path| documents.of_path(&path));
        let Some(document) = document.filter(|d| self.buffers.contains(&d.buffer)) else {
            return;
        };
        let judged = params["version"].as_u64().unwrap_or(document.revision);
        let raw = params["diagnostics"].as_array();
        let raw = raw.map_or(&[][..], Vec::as_slice);
        let Some(published) = self.published_at(document, judged, raw) else {
            // Of a text that is long gone: the next ones are on their way.
            return;
        };
        self.published.insert(document.buffer, published);
        self.changed.insert(document.buffer);
    }

    /// Diagnostics of a revision, rebased onto the newest.
    fn published_at(&self, document: &Document, judged: u64, raw: &[Value]) -> Option<Published> {
        let source = document.at(judged)?;
        let mut found: Vec<(Diagnostic, Value)> = Vec::new();
        for item in raw.iter().take(MAX_DIAGNOSTICS) {
            let Some(read) = read_each(std::slice::from_ref(item)).next() else {
                continue;
            };
            let read: ls_types::Diagnostic = read;
            let span = source.span(read.range, self.columns);
            let now = document.since(judged)?.try_fold(span, rebase_span);
            if let Some(span) = now {
                found.push((diagnostic(read, span), item.clone()));
            }
        }
        found.sort_by_key(|(d, _)| (d.span.start, d.span.end, d.severity));
        let raw = found.iter().map(|(d, raw)| (d.span, raw.clone())).collect();
        Some(Published {
            judged,
            diagnostics: found.into_iter().map(|(d, _)| d).collect(),
            raw,
        })
    }

    fn progress(&mut self, params: &Value) {
        let token = params["token"].to_string();
        let value = &params["value"];
        let text = |key: &str| value[key].as_str().map(shortened);
        let percentage = value["percentage"].as_u64();
        let percentage = percentage.and_then(|p| u32::try_from(p).ok());
        let running = &mut self.reported.progress;
        match value["kind"].as_str() {
            Some("begin") if running.len() < MAX_PROGRESS => {
                let begun = Progress {
                    title: text("title").unwrap_or_default(),
                    message: text("message"),
                    percentage,
                };
                running.insert(token, begun);
            }
            Some("report") => {
                if let Some(progress) = running.get_mut(&token) {
                    progress.message = text("message").or(progress.message.take());
                    progress.percentage = percentage.or(progress.percentage);
                }
            }
            Some("end") => {
                running.remove(&token);
            }
            _ => {}
        }
    }
}

fn read_error(error: Value) -> RpcError {
    let message = error["message"].as_str().map_or("an error", |m| m);
    let code = error["code"].as_i64().unwrap_or(code::INTERNAL_ERROR);
    RpcError::new(code, shortened(message))
}

fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_MESSAGE)].to_owned()
}

fn diagnostic(read: ls_types::Diagnostic, span: Span) -> Diagnostic {
    let tags = read.tags.unwrap_or_default();
    Diagnostic {
        span,
        severity: match read.severity {
            Some(DiagnosticSeverity::WARNING) => Severity::Warning,
            Some(DiagnosticSeverity::INFORMATION) => Severity::Information,
            Some(DiagnosticSeverity::HINT) => Severity::Hint,
            _ => Severity::Error,
        },
        message: shortened(&read.message),
        code: read.code.map(|code| match code {
            NumberOrString::Number(number) => number.to_string(),
            NumberOrString::String(text) => text,
        }),
        source: read.source,
        unnecessary: tags.contains(&DiagnosticTag::UNNECESSARY),
        deprecated: tags.contains(&DiagnosticTag::DEPRECATED),
    }
}
