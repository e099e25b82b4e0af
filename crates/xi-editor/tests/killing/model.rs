//! An editor in this process.

use super::state::Keys;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use xi_editor::editor::{Editor, EditorError};

#[derive(Default)]
pub struct Model(Editor);

impl Model {
    /// Does a request as the process does it.
    pub fn call(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        let editor = &mut self.0;
        let done = match method {
            "open" => run(params, |r| editor.open(r)),
            "open_view" => run(params, |r| editor.open_view(&r)),
            "content" => run(params, |r| editor.content(&r)),
            "buffers" => run(params, |_: Value| Ok(editor.list())),
            "insert" => run(params, |r| editor.insert(r)),
            "undo" => run(params, |r| editor.undo(&r)),
            "redo" => run(params, |r| editor.redo(&r)),
            "undo_to" => run(params, |r| editor.undo_to(&r)),
            "undo_tree" => run(params, |r| editor.undo_tree(&r)),
            "save" => run(params, |r| editor.save(&r)),
            "set_encoding" => run(params, |r| editor.set_encoding(&r)),
            "configure" => run(params, |r| editor.configure(&r)),
            "fold" => run(params, |r| editor.fold(&r)),
            "unfold" => run(params, |r| editor.unfold(&r)),
            "folds" => run(params, |r| editor.folds(&r)),
            "set_metrics" => run(params, |r| editor.set_metrics(r)),
            "lines" => run(params, |r| editor.rows(&r)),
            "selections" => run(params, |r| editor.selections(&r)),
            "command" => run(params, |r| editor.command(&r)),
            other => panic!("the model does not know `{other}`"),
        };
        editor.tidy();
        editor.take_events();
        editor.take_notices();
        done
    }

    /// The newest undo groups of the buffers.
    pub fn newest_nodes(&mut self, keys: &Keys) -> Vec<u64> {
        let newest = |buffer: &Value| {
            let tree = self.call("undo_tree", &json!({"buffer": buffer})).unwrap();
            let nodes = tree["nodes"].as_array().unwrap();
            nodes.last().unwrap()["node"].as_u64().unwrap()
        };
        keys.buffers.iter().map(newest).collect()
    }
}

fn run<R: DeserializeOwned, A: Serialize>(
    params: &Value,
    how: impl FnOnce(R) -> Result<A, EditorError>,
) -> Result<Value, String> {
    let request = serde_json::from_value(params.clone()).unwrap();
    let answer = how(request).map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(answer).unwrap())
}
