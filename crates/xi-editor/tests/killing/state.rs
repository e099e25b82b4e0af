//! What both editors are to agree on.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The keys that an editor gave.
#[derive(Default)]
pub struct Keys {
    pub buffers: Vec<Value>,
    /// Two of each buffer.
    pub views: Vec<Value>,
}

/// Undo groups, by number.
type Tree = BTreeMap<u64, Value>;

/// Texts, trees, views.
pub struct State {
    /// By what they are called in a message.
    parts: Vec<(String, Value)>,
    trees: Vec<Tree>,
}

impl State {
    pub fn of(keys: &Keys, mut call: impl FnMut(&str, &Value) -> Result<Value, String>) -> Self {
        let mut parts = Vec::new();
        let mut trees = Vec::new();
        let list = call("buffers", &json!({})).unwrap();
        for (n, info) in list["buffers"].as_array().unwrap().iter().enumerate() {
            parts.push((format!("buffer {n}"), without(info, &["buffer", "path"])));
        }
        for (n, key) in keys.buffers.iter().enumerate() {
            let buffer = json!({"buffer": key});
            let mut part = |what: &str, value| parts.push((format!("{what} {n}"), value));
            part("text of", call("content", &buffer).unwrap());
            part("settings of", call("configure", &buffer).unwrap());
            trees.push(tree(&call("undo_tree", &buffer).unwrap()));
        }
        for (n, view) in keys.views.iter().enumerate() {
            let mut part = |what: &str, value| parts.push((format!("{what} of view {n}"), value));
            let selections = call("selections", &json!({"view": view})).unwrap();
            part("selections", without(&selections, &["view", "buffer"]));
            let lines = json!({"view": view, "first": 1, "count": 50});
            part("folds", call("folds", &lines).unwrap());
            part("rows", call("lines", &lines).unwrap());
        }
        Self { parts, trees }
    }

    /// What is not the same. Of the trees only what both still hold is
    /// compared: when the oldest groups are forgotten depends on idle moments.
    pub fn difference(&self, model: &Self) -> Option<String> {
        for (ours, theirs) in self.parts.iter().zip(&model.parts) {
            if ours != theirs {
                return Some(format!("{} is {}, not {}", ours.0, ours.1, theirs.1));
            }
        }
        assert_eq!(self.parts.len(), model.parts.len());
        for (n, (ours, theirs)) in self.trees.iter().zip(&model.trees).enumerate() {
            if ours.len() < theirs.len().min(900) {
                let (has, of) = (ours.len(), theirs.len());
                return Some(format!("tree {n} has {has} groups of {of}"));
            }
            for (node, other) in theirs {
                let is_base = |group: &Value| group["kind"] == "base";
                if let Some(group) = ours.get(node).filter(|g| !is_base(g) && !is_base(other))
                    && group != other
                {
                    return Some(format!("group {node} of {n} is {group}, not {other}"));
                }
            }
            let newest = |tree: &Tree| tree.last_key_value().map(|(node, _)| *node);
            if newest(ours) != newest(theirs) {
                return Some(format!("the newest group of {n} is {:?}", newest(ours)));
            }
        }
        None
    }
}

fn without(value: &Value, names: &[&str]) -> Value {
    let mut value = value.clone();
    for name in names {
        value.as_object_mut().unwrap().remove(*name);
    }
    value
}

fn tree(answer: &Value) -> Tree {
    let nodes = answer["nodes"].as_array().unwrap();
    let node = |node: &Value| (node["node"].as_u64().unwrap(), without(node, &["time"]));
    nodes.iter().map(node).collect()
}
