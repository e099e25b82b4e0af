//! Edits: formatting, renaming, and those over several files.

use crate::languages::documents::{Asked, path_of};
use crate::languages::feature::{Context, Feature, Files, misunderstood, read};
use crate::languages::positions::{Columns, Source};
use ls_types::{PrepareRenameResponse, TextEdit};
use serde_json::{Value, json};
use std::path::PathBuf;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{
    BufferKey, FileEdit, FormatText, PrepareRename, Renamable, RenameSymbol, Replace, Span,
    TextEdits, WorkspaceEdit,
};

/// Edits of a server as ours: sorted, apart, no larger than needed.
///
/// # Errors
/// When they overlap.
pub fn replaces(
    edits: Vec<TextEdit>,
    source: &Source,
    columns: Columns,
) -> Result<Vec<Replace>, RpcError> {
    let mut all: Vec<Replace> = edits
        .into_iter()
        .map(|edit| {
            let Span { start, end } = source.span(edit.range, columns);
            Replace {
                start,
                end,
                text: edit.new_text,
            }
        })
        .collect();
    all.sort_by_key(|edit| (edit.start, edit.end));
    let mut apart: Vec<Replace> = Vec::with_capacity(all.len());
    for edit in all {
        match apart.last_mut() {
            Some(last) if edit.start < last.end => {
                return Err(misunderstood("its edits overlap"));
            }
            // Insertions at one place are one insertion.
            Some(last) if last.start == edit.start && last.end == last.start => {
                last.text.push_str(&edit.text);
                last.end = edit.end;
            }
            _ => apart.push(edit),
        }
    }
    apart.iter_mut().for_each(|edit| trim(edit, source));
    apart.retain(|edit| edit.start < edit.end || !edit.text.is_empty());
    Ok(apart)
}

/// Leaves out what an edit does not change at its beginning and end.
fn trim(edit: &mut Replace, source: &Source) {
    let old = source.text().slice(edit.start, edit.end);
    let head: usize = old
        .chars()
        .zip(edit.text.chars())
        .take_while(|(a, b)| a == b)
        .map(|(c, _)| c.len_utf8())
        .sum();
    let tail: usize = old[head..]
        .chars()
        .rev()
        .zip(edit.text[head..].chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(c, _)| c.len_utf8())
        .sum();
    edit.start += head;
    edit.end -= tail;
    edit.text.truncate(edit.text.len() - tail);
    edit.text.drain(..head);
}

/// A `WorkspaceEdit` of the protocol as ours.
///
/// # Errors
/// When it cannot be understood, or names a file that cannot be read: an edit
/// is given out whole or not at all.
pub fn workspace_edit(
    edit: &Value,
    asked: &Asked,
    context: &Context<'_>,
) -> Result<WorkspaceEdit, RpcError> {
    let mut files = context.files();
    let mut steps = Vec::new();
    if let Some(changes) = edit["documentChanges"].as_array() {
        for change in changes {
            steps.extend(step(change, asked, &mut files)?);
        }
    } else if let Some(changes) = edit["changes"].as_object() {
        for (uri, edits) in changes {
            steps.extend(file_edit(uri, edits, None, asked, &mut files)?);
        }
    }
    Ok(WorkspaceEdit { steps })
}

fn step(
    change: &Value,
    asked: &Asked,
    files: &mut Files<'_>,
) -> Result<Option<FileEdit>, RpcError> {
    let path = |key: &str| -> Result<PathBuf, RpcError> {
        let uri = change[key].as_str().unwrap_or_default();
        path_of(uri).ok_or_else(|| misunderstood(format!("{uri:?} is no file")))
    };
    Ok(Some(match change["kind"].as_str() {
        Some("create") => FileEdit::Create {
            path: path("uri")?,
            text: String::new(),
        },
        Some("rename") => FileEdit::Rename {
            path: path("oldUri")?,
            to: path("newUri")?,
        },
        Some("delete") => FileEdit::Delete { path: path("uri")? },
        Some(other) => return Err(misunderstood(format!("an edit of the kind {other:?}"))),
        None => {
            let document = &change["textDocument"];
            let uri = document["uri"].as_str().unwrap_or_default();
            let version = document["version"].as_u64();
            return file_edit(uri, &change["edits"], version, asked, files);
        }
    }))
}

fn file_edit(
    uri: &str,
    edits: &Value,
    version: Option<u64>,
    asked: &Asked,
    files: &mut Files<'_>,
) -> Result<Option<FileEdit>, RpcError> {
    let edits: Vec<TextEdit> = read(edits.clone())?;
    if edits.is_empty() {
        return Ok(None);
    }
    let Some(file) = files.get_at(uri, version, asked) else {
        let why = format!("the edit is for {uri}, whose text cannot be read or is gone");
        return Err(RpcError::new(code::CONFLICT, why));
    };
    let edits = replaces(edits, &file.source, asked.columns)?;
    let path = file.path.clone();
    Ok(Some(match file.buffer {
        Some((buffer, base)) => FileEdit::Buffer {
            path,
            buffer,
            base,
            edits,
        },
        None => FileEdit::File {
            path,
            digest: file.source.text().summary().digest_text(),
            edits,
        },
    }))
}

impl Feature for FormatText {
    const CAPABILITY: &'static str = "";

    fn buffer(&self) -> BufferKey {
        self.area.buffer
    }

    fn question(
        &self,
        asked: &Asked,
        context: &Context<'_>,
    ) -> Result<(&'static str, Value), RpcError> {
        let options = json!({
            "tabSize": self.tab_width.unwrap_or(4),
            "insertSpaces": !self.tabs,
        });
        let mut params = json!({"textDocument": {"uri": asked.uri}, "options": options});
        if self.area.range.is_none() {
            context.needs("documentFormattingProvider")?;
            return Ok(("textDocument/formatting", params));
        }
        context.needs("documentRangeFormattingProvider")?;
        let span = context
            .document
            .rebase_range(self.area.range, self.area.revision)?;
        params["range"] = json!(asked.source.range(span, asked.columns));
        Ok(("textDocument/rangeFormatting", params))
    }

    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        _: &mut Context<'_>,
    ) -> Result<TextEdits, RpcError> {
        Ok(TextEdits {
            revision: asked.revision,
            edits: replaces(read(answer)?, &asked.source, asked.columns)?,
        })
    }
}

impl Feature for PrepareRename {
    const CAPABILITY: &'static str = "renameProvider";

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
        let prepares = &context.capabilities["renameProvider"]["prepareProvider"];
        let method = match prepares {
            Value::Bool(true) => "textDocument/prepareRename",
            // Without it the word at the place is what can be renamed.
            _ => "",
        };
        Ok((method, asked.place(at)))
    }

    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        context: &mut Context<'_>,
    ) -> Result<Renamable, RpcError> {
        let asks = !context.capabilities["renameProvider"]["prepareProvider"].is_boolean();
        let answer = if asks {
            json!({"defaultBehavior": true})
        } else {
            answer
        };
        let refused = || RpcError::new(code::UNSUPPORTED, "what stands here cannot be renamed");
        let from = self.place.revision.unwrap_or(asked.revision);
        let at = context
            .document
            .rebase_until(self.place.at, from, asked.revision)?;
        let (span, name) = match read::<Option<PrepareRenameResponse>>(answer)? {
            None => return Err(refused()),
            Some(PrepareRenameResponse::Range(range)) => (asked.span(range), None),
            Some(PrepareRenameResponse::RangeWithPlaceholder { range, placeholder }) => {
                (asked.span(range), Some(placeholder))
            }
            Some(PrepareRenameResponse::DefaultBehavior { .. }) => {
                (word_at(&asked.source, at).ok_or_else(refused)?, None)
            }
        };
        let text = asked.source.text().slice(span.start, span.end);
        Ok(Renamable {
            revision: asked.revision,
            span,
            name: name.unwrap_or_else(|| text.into_owned()),
        })
    }
}

/// The word that a place lies in or beside.
fn word_at(source: &Source, at: usize) -> Option<Span> {
    let (line, end) = source.line(source.line_at(at));
    let text = source.text().slice(line, end.max(line));
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (before, after) = text.split_at_checked(at.checked_sub(line)?)?;
    let start = before.rfind(|c| !is_word(c)).map_or(0, |i| {
        i + before[i..].chars().next().map_or(0, char::len_utf8)
    });
    let len = after.find(|c| !is_word(c)).unwrap_or(after.len());
    let span = Span {
        start: line + start,
        end: at + len,
    };
    (span.start < span.end).then_some(span)
}

impl Feature for RenameSymbol {
    const CAPABILITY: &'static str = "renameProvider";

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
        params["newName"] = json!(self.name);
        Ok(("textDocument/rename", params))
    }

    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        context: &mut Context<'_>,
    ) -> Result<WorkspaceEdit, RpcError> {
        if answer.is_null() {
            let why = "what stands here cannot be renamed";
            return Err(RpcError::new(code::UNSUPPORTED, why));
        }
        workspace_edit(&answer, asked, context)
    }
}
