//! Drives the text engine over one file.

use super::Host;
use crate::api::{CommandError, EditFile, EditOperation, Edited, ErrorKind};
use serde_json::{Map, Value, json};
use std::path::Path;
use symphony_core_ports::{BufferId, OpenBuffer, PortError, TextEditingPort as _};
use symphony_domain::melody::edit::diff;

impl Host {
    /// Does operations on a file and writes it. When one fails, or with `dry_run`, all are
    /// taken back and nothing is written.
    pub(super) async fn edit(&self, what: EditFile) -> Result<Edited, CommandError> {
        let path = self.inside(&what.path)?;
        let _turn = self.writing.lock().await;
        let was_open = self.editor.holds(&path);
        let info = self.editor.open(OpenBuffer::File(path.clone())).await?;
        if info.dirty {
            return Err(CommandError::new(
                ErrorKind::Conflict,
                format!("{} has changes that are not saved", path.display()),
            )
            .help("save or undo them first"));
        }
        let edited = self.edit_buffer(info.id, &what, &path).await;
        if !was_open {
            // It is as its file; what cannot be closed ends with the host.
            let _closed = self.editor.close(info.id, edited.is_err()).await;
        }
        edited
    }

    async fn edit_buffer(
        &self,
        buffer: BufferId,
        what: &EditFile,
        path: &Path,
    ) -> Result<Edited, CommandError> {
        let before = self.editor.get_content(buffer, None).await?.text;
        let start = self.current_node(buffer).await?;
        let done = self.operate(buffer, &what.operations).await;
        let after = self.editor.get_content(buffer, None).await?.text;
        let diff = diff(&before, &after);
        let saves = done.is_ok() && !what.dry_run && !diff.is_empty();
        let saved = if saves {
            self.editor.save(buffer).await.map(|_| ())
        } else {
            Ok(())
        };
        if (!saves || saved.is_err()) && after != before {
            self.take_back(buffer, &start, before).await?;
        }
        let answers = done?;
        saved?;
        Ok(Edited {
            path: path
                .strip_prefix(&self.project.root)
                .unwrap_or(path)
                .display()
                .to_string(),
            saved: saves,
            diff,
            answers,
        })
    }

    /// Does all operations; the answers.
    async fn operate(
        &self,
        buffer: BufferId,
        operations: &[EditOperation],
    ) -> Result<Vec<Value>, CommandError> {
        let opened = self.call(buffer, "open_view", &json!({})).await?;
        let view = &opened["view"];
        let mut answers = Vec::with_capacity(operations.len());
        let mut failed = None;
        for operation in operations {
            let mut params = operation.params.clone();
            params.insert("view".to_owned(), view.clone());
            let answer = self.editor.request(buffer, &operation.method, params);
            match answer.await {
                Ok(answer) => answers.push(answer),
                Err(error) => {
                    failed = Some(refused(operation, error));
                    break;
                }
            }
        }
        let closed = self
            .call(buffer, "close_view", &json!({"view": view}))
            .await;
        match failed {
            Some(error) => Err(error),
            None => closed.map(|_| answers),
        }
    }

    /// Goes back to an undo group, or at least to its text where it is no longer held.
    async fn take_back(
        &self,
        buffer: BufferId,
        node: &Value,
        text: String,
    ) -> Result<(), CommandError> {
        let back = self.call(buffer, "undo_to", &json!({"node": node})).await;
        if back.is_err() {
            let info = self.editor.info(buffer).await?;
            let whole = json!({"range": {"start": 0, "end": info.len}});
            self.call(buffer, "delete", &whole).await?;
            let insert = json!({"at": 0, "text": text});
            self.call(buffer, "insert", &insert).await?;
        }
        Ok(())
    }

    /// The undo group that the text stands at.
    async fn current_node(&self, buffer: BufferId) -> Result<Value, CommandError> {
        let tree = self.call(buffer, "undo_tree", &json!({})).await?;
        let mut nodes = tree["nodes"].as_array().into_iter().flatten();
        let current = nodes.find(|node| node["current"] == true);
        Ok(current.map_or(Value::Null, |node| node["node"].clone()))
    }

    async fn call(
        &self,
        buffer: BufferId,
        method: &str,
        params: &Value,
    ) -> Result<Value, CommandError> {
        let params: Map<String, Value> = params.as_object().cloned().unwrap_or_default();
        Ok(self.editor.request(buffer, method, params).await?)
    }

    /// A file of the project, links resolved.
    fn inside(&self, path: &Path) -> Result<std::path::PathBuf, CommandError> {
        let shown = path.display();
        let wrong = |message: String| CommandError::new(ErrorKind::Input, message);
        let resolved = path
            .canonicalize()
            .map_err(|error| wrong(format!("{shown} cannot be read: {error}")))?;
        if !resolved.starts_with(&self.project.root) {
            let root = self.project.root.display();
            return Err(wrong(format!("{shown} lies outside of the project {root}"))
                .help("name its project with --project DIR"));
        }
        Ok(resolved)
    }
}

fn refused(operation: &EditOperation, error: PortError) -> CommandError {
    let EditOperation { line, method, .. } = operation;
    let mut told = CommandError::from(error);
    told.message = format!("operation {line} (`{method}`): {}", told.message);
    told.help("all operations were taken back, and the file is as it was")
}
