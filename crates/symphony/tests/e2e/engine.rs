//! `edit`: the text engine driven from the command line, with the real xi-editor.

use crate::stage::Stage;
use serde_json::{Value, json};

const CART: &str = "class Basket:\n    def total(self):\n        return 1\n\n\nBasket().total()\n";

fn with_ops(operations: &[Value]) -> Stage {
    let stage = Stage::with(&[("src/cart.py", CART)]);
    let lines: Vec<String> = operations.iter().map(Value::to_string).collect();
    stage.write("ops.jsonl", lines.join("\n"));
    stage
}

/// The words of `edit` for the stage's file, with the stage's operations.
fn edit(stage: &Stage, more: &[&str]) -> Vec<String> {
    let path = |name: &str| stage.project.join(name).display().to_string();
    let words = [
        "edit".to_owned(),
        path("src/cart.py"),
        "--ops".to_owned(),
        path("ops.jsonl"),
    ];
    let more = more.iter().map(|word| (*word).to_owned());
    words.into_iter().chain(more).collect()
}

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

fn command(command: Value) -> Value {
    json!({"method": "command", "params": {"command": command}})
}

#[test]
fn e2e_operations_are_done_in_order_and_the_file_is_written() {
    let stage = with_ops(&[
        json!({"method": "select", "params": {"selections": [{"anchor": 0, "head": 0}]}}),
        command(json!({"name": "toggle_comment"})),
        json!({"method": "undo", "params": {}}),
        command(json!({"name": "add_next_occurrence"})),
        json!({"method": "replace", "params": {"query": "Basket", "replacement": "Cart"}}),
        json!({"method": "content", "params": {"range": {"start": 6, "end": 10}}}),
    ]);
    let expected = CART.replace("Basket", "Cart");
    let dry = stage.must(&words(&edit(&stage, &["--dry-run"])));
    assert_eq!(dry["saved"], false);
    assert_eq!(stage.read("src/cart.py"), CART, "nothing is written");

    let done = stage.must(&words(&edit(&stage, &[])));
    assert_eq!(stage.read("src/cart.py"), expected);
    assert_eq!(done["diff"], dry["diff"]);
    assert_eq!(done["path"], "src/cart.py");
    let answers = done["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 6);
    assert_eq!(answers[5]["text"], "Cart");
}

#[test]
fn e2e_when_one_operation_is_refused_none_is_done() {
    let insert = json!({"method": "insert", "params": {"at": 0, "text": "# \n"}});
    for (bad, reason) in [
        (
            json!({"method": "insert", "params": {"at": 9999, "text": "x"}}),
            "9999",
        ),
        (
            json!({"method": "save", "params": {}}),
            "not for a single buffer",
        ),
        (json!({"method": "sing", "params": {}}), "no method `sing`"),
    ] {
        let stage = with_ops(&[insert.clone(), bad]);
        let error = stage.fails(&words(&edit(&stage, &[])), 3);
        error.names(&["operation 2 (", reason]);
        assert_eq!(stage.read("src/cart.py"), CART);
    }
}

#[test]
fn e2e_a_file_outside_of_the_project_is_not_edited() {
    let stage = with_ops(&[]);
    let outside = stage.beside("other").join("a.txt");
    std::fs::write(&outside, "a").unwrap();
    let path = outside.display().to_string();
    let ops = stage.project.join("ops.jsonl").display().to_string();
    let error = stage.fails(&["edit", &path, "--ops", &ops], 3);
    error.names(&["outside of the project"]);
}

#[test]
fn e2e_plugins_of_the_engine_are_listed_with_what_they_can() {
    let stage = Stage::with(&[]);
    let folder = stage.beside("plugins/words");
    std::fs::write(folder.join("plugin.py"), "#!/usr/bin/env python3\n").unwrap();
    let manifest = "name = \"words\"\nversion = \"1.0\"\nexec_path = \"plugin.py\"\n\n\
        [[languages]]\nname = \"Prose\"\nextensions = [\"prose\"]\n\n\
        [[commands]]\ntitle = \"Count words\"\ndescription = \"Counts.\"\n\
        rpc_cmd = { method = \"count\", params = {}, rpc_type = \"notification\" }\nargs = []\n";
    std::fs::write(folder.join("manifest.toml"), manifest).unwrap();
    let broken = stage.beside("plugins/broken");
    std::fs::write(broken.join("manifest.toml"), "name = 3\n").unwrap();
    let config = format!(
        "[editor]\nplugin_folders = [{:?}]\n",
        stage.beside("plugins")
    );
    std::fs::write(stage.home.join("config/config.toml"), config).unwrap();

    let listed = stage.must(&["players"]);
    assert_eq!(
        listed["xi_plugins"],
        json!([{
            "name": "words",
            "version": "1.0",
            "state": "stopped",
            "commands": ["Count words"],
            "languages": ["Prose"],
        }]),
        "{}",
        listed["problems"]
    );
    let problems = listed["problems"].to_string();
    assert!(problems.contains("broken/manifest.toml"), "{problems}");
}
