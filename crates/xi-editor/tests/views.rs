//! Views spoken to the real process: two of one buffer, commands, the undo tree.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::Client;
use serde_json::{Value, json};
use symphony_ipc_protocol::jsonrpc::code;

/// A view's selections as pairs.
fn places(state: &Value) -> Vec<(u64, u64)> {
    let of = |s: &Value| (s["anchor"].as_u64().unwrap(), s["head"].as_u64().unwrap());
    state["selections"]
        .as_array()
        .unwrap()
        .iter()
        .map(of)
        .collect()
}

struct View {
    client: Client,
    buffer: Value,
}

impl View {
    fn new(text: &str) -> (Self, Value) {
        let mut client = Client::new();
        let buffer = client.new_buffer(text);
        let mut view = Self { client, buffer };
        let key = view.open();
        (view, key)
    }

    fn open(&mut self) -> Value {
        let params = json!({"buffer": self.buffer});
        self.client.call("open_view", params)["view"].clone()
    }

    fn select(&mut self, view: &Value, list: &[(usize, usize)]) -> Value {
        let list: Vec<Value> = list
            .iter()
            .map(|(anchor, head)| json!({"anchor": anchor, "head": head}))
            .collect();
        let params = json!({"view": view, "selections": list});
        self.client.call("select", params)
    }

    fn run(&mut self, view: &Value, command: Value) -> Value {
        let params = json!({"view": view, "command": command});
        self.client.call("command", params)
    }

    fn places(&mut self, view: &Value) -> Vec<(u64, u64)> {
        places(&self.client.call("selections", json!({"view": view})))
    }

    fn text(&mut self) -> String {
        self.client.text(&self.buffer.clone())
    }
}

#[test]
fn two_views_of_one_buffer_follow_each_others_edits() {
    let (mut x, left) = View::new("one two");
    let right = x.open();
    x.select(&left, &[(0, 0), (4, 4)]);
    x.select(&right, &[(4, 7)]);
    x.client.events();
    let done = x.run(&left, json!({"name": "insert", "text": "é"}));
    assert_eq!(x.text(), "éone étwo");
    assert_eq!(done["changed"], true);
    assert_eq!(places(&done), [(2, 2), (8, 8)]);
    assert_eq!(x.places(&right), [(8, 11)]);
    let events = x.client.events();
    let kinds: Vec<&str> = events.iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["buffer_changed", "selection_changed", "selection_changed"]
    );
    assert!(
        events[1..]
            .iter()
            .any(|e| e["view"] == right && places(e) == [(8, 11)])
    );
    // An edit behind all selections moves none.
    x.select(&right, &[(0, 0)]);
    x.client.events();
    let buffer = x.buffer.clone();
    x.client.insert(&buffer, 11, "!");
    let events = x.client.events();
    assert_eq!(events.len(), 1, "{events:?}");
}

#[test]
fn undo_and_redo_bring_selections_back() {
    let (mut x, view) = View::new("one two");
    x.select(&view, &[(0, 3)]);
    x.run(&view, json!({"name": "insert", "text": "1"}));
    x.run(&view, json!({"name": "insert", "text": "2"}));
    x.select(&view, &[(6, 6)]);
    let buffer = x.buffer.clone();
    x.client.call("undo", json!({"buffer": buffer}));
    assert_eq!(
        (x.text().as_str(), x.places(&view)),
        ("one two", vec![(0, 3)])
    );
    x.client.call("redo", json!({"buffer": buffer}));
    assert_eq!(
        (x.text().as_str(), x.places(&view)),
        ("12 two", vec![(2, 2)])
    );
}

#[test]
fn the_undo_tree_is_walked_by_its_nodes() {
    let (mut x, view) = View::new("");
    x.run(&view, json!({"name": "insert", "text": "left"}));
    let buffer = x.buffer.clone();
    x.client.call("undo", json!({"buffer": buffer}));
    x.run(&view, json!({"name": "insert", "text": "right"}));
    let tree = x.client.call("undo_tree", json!({"buffer": buffer}));
    let nodes = tree["nodes"].as_array().unwrap();
    let labels: Vec<&str> = nodes.iter().map(|n| n["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["", "left", "right"]);
    assert_eq!(nodes[2]["current"], true);
    let node = nodes[1]["node"].clone();
    let jumped = x
        .client
        .call("undo_to", json!({"buffer": buffer, "node": node}));
    assert_eq!(jumped["changed"], true);
    assert_eq!((x.text().as_str(), x.places(&view)), ("left", vec![(4, 4)]));
    let missing = json!({"buffer": buffer, "node": 77});
    assert_eq!(x.client.fail("undo_to", missing).0, code::NOT_FOUND);
}

#[test]
fn the_clipboard_comes_back_and_settings_are_the_buffers() {
    let (mut x, view) = View::new("fn main() {\n  run();\n}\n");
    let buffer = x.buffer.clone();
    let rust = json!({"buffer": buffer, "language": "rs"});
    assert_eq!(x.client.call("set_language", rust)["language"], "Rust");
    let found = x.client.call("configure", json!({"buffer": buffer}));
    assert_eq!(found["indent"], json!({"kind": "spaces", "width": 2}));
    assert_eq!(found["line_comment"], "//");
    x.select(&view, &[(14, 14)]);
    let cut = x.run(&view, json!({"name": "cut"}));
    assert_eq!(cut["clipboard"], json!(["  run();\n"]));
    assert_eq!(x.text(), "fn main() {\n}\n");
    x.run(
        &view,
        json!({"name": "paste", "texts": ["  a();\n  b();\n"]}),
    );
    x.run(&view, json!({"name": "select_all"}));
    x.run(&view, json!({"name": "toggle_comment"}));
    assert_eq!(x.text(), "// fn main() {\n//   a();\n//   b();\n// }\n");
    for bad in [
        json!({"buffer": buffer, "tab_width": 0}),
        json!({"buffer": buffer, "indent": {"kind": "spaces", "width": 99}}),
    ] {
        assert_eq!(x.client.fail("configure", bad).0, code::INVALID_PARAMS);
    }
}

#[test]
fn old_positions_are_moved_and_bad_ones_refused() {
    let (mut x, view) = View::new("añb");
    let buffer = x.buffer.clone();
    x.client.insert(&buffer, 0, "xx");
    let at = |n: usize| json!([{"anchor": n, "head": n}]);
    let moved = json!({"view": view, "selections": at(3), "base": 0});
    assert_eq!(places(&x.client.call("select", moved)), [(5, 5)]);
    let refused = [
        (
            json!({"view": view, "selections": []}),
            code::INVALID_PARAMS,
        ),
        (
            json!({"view": view, "selections": at(4)}),
            code::INVALID_PARAMS,
        ),
        (
            json!({"view": view, "selections": at(99)}),
            code::INVALID_PARAMS,
        ),
        (
            json!({"view": view, "selections": at(0), "base": 9}),
            code::INVALID_PARAMS,
        ),
        (
            json!({"view": buffer, "selections": at(0)}),
            code::NOT_FOUND,
        ),
    ];
    for (params, expected) in refused {
        assert_eq!(x.client.fail("select", params).0, expected);
    }
    let many: Vec<Value> = (0..10_001)
        .map(|_| json!({"anchor": 0, "head": 0}))
        .collect();
    let (_, error) = x
        .client
        .fail("select", json!({"view": view, "selections": many}));
    assert_eq!(error["data"]["limit"], 10_000);
    let unknown = json!({"view": view, "command": {"name": "fly"}});
    assert_eq!(x.client.fail("command", unknown).0, code::INVALID_PARAMS);
    assert_eq!(x.places(&view), [(5, 5)]);
}

#[test]
fn too_much_text_at_too_many_cursors_is_refused_and_changes_nothing() {
    let (mut x, view) = View::new(&"\n".repeat(2_000));
    let cursors: Vec<(usize, usize)> = (0..2_000).map(|n| (n, n)).collect();
    x.select(&view, &cursors);
    let text = "x".repeat(64 * 1024);
    let params = json!({"view": view, "command": {"name": "insert", "text": text}});
    assert_eq!(x.client.fail("command", params).0, code::UNSUPPORTED);
    assert_eq!(x.text().len(), 2_000);
}

#[test]
fn views_are_closed_alone_and_with_their_buffer() {
    let (mut x, first) = View::new("text");
    let second = x.open();
    x.client.call("close_view", json!({"view": first}));
    assert_eq!(
        x.client.fail("selections", json!({"view": first})).0,
        code::NOT_FOUND
    );
    let buffer = x.buffer.clone();
    x.client
        .call("close", json!({"buffer": buffer, "discard": true}));
    assert_eq!(
        x.client.fail("selections", json!({"view": second})).0,
        code::NOT_FOUND
    );
    let events = x.client.events();
    let closed: Vec<&Value> = events
        .iter()
        .filter(|e| e["kind"] == "view_closed")
        .collect();
    assert_eq!(closed.len(), 2);
}

#[test]
fn rows_wrap_fold_and_are_moved_by() {
    let (mut x, view) = View::new("fn a() {\n    one two;\n    three;\n}\nlast\n");
    let rows = |x: &mut View, from: Value| {
        let mut params = json!({"view": view, "count": 3});
        params
            .as_object_mut()
            .unwrap()
            .extend(from.as_object().unwrap().clone());
        x.client.call("lines", params)
    };
    let spans = |answer: &Value| -> Vec<(u64, u64, u64)> {
        let of = |r: &Value| {
            let number = |key: &str| r[key].as_u64().unwrap();
            (number("line"), number("start"), number("end"))
        };
        answer["rows"].as_array().unwrap().iter().map(of).collect()
    };
    let plain = rows(&mut x, json!({}));
    assert_eq!(spans(&plain), [(1, 0, 8), (2, 9, 21), (3, 22, 32)]);
    assert_eq!((&plain["lines"], &plain["next"]), (&json!(6), &json!(33)));
    x.client
        .call("set_metrics", json!({"view": view, "wrap": 9}));
    let wrapped = rows(&mut x, json!({"from": 10}));
    assert_eq!(spans(&wrapped), [(2, 9, 17), (2, 17, 21), (3, 22, 26)]);
    x.client.call("set_metrics", json!({"view": view}));
    let folds = x
        .client
        .call("folds", json!({"view": view, "first": 1, "count": 9}));
    assert_eq!(
        folds["foldable"],
        json!([{"first": 1, "last": 3, "by": "brackets"}])
    );
    x.select(&view, &[(25, 25)]);
    let folded = x
        .client
        .call("fold", json!({"view": view, "first": 1, "last": 3}));
    assert_eq!(folded["folded"], json!([{"first": 1, "last": 3}]));
    assert_eq!(x.places(&view), [(8, 8)]);
    assert_eq!(
        spans(&rows(&mut x, json!({}))),
        [(1, 0, 8), (4, 33, 34), (5, 35, 39)]
    );
    x.run(&view, json!({"name": "move", "by": "line"}));
    assert_eq!(x.places(&view), [(34, 34)]);
    // Lines before the fold move it; a cursor put into it opens it.
    let buffer = x.buffer.clone();
    x.client.insert(&buffer, 0, "\n\n");
    let state = x
        .client
        .call("folds", json!({"view": view, "first": 1, "count": 1}));
    assert_eq!(state["folded"], json!([{"first": 3, "last": 5}]));
    x.select(&view, &[(15, 15)]);
    let state = x
        .client
        .call("folds", json!({"view": view, "first": 1, "count": 1}));
    assert_eq!(state["folded"], json!([]));
    let bad = json!({"view": view, "first": 3, "last": 3});
    assert_eq!(x.client.fail("fold", bad).0, code::INVALID_PARAMS);
    let bad = json!({"view": view, "count": 10_001});
    assert_eq!(x.client.fail("lines", bad).1["data"]["limit"], 10_000);
}
