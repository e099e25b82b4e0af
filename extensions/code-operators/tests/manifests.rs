//! The manifests say what the program does.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;
use support::{Process, project};
use symphony_code_operators::OPERATORS;
use symphony_code_operators::project::digest;

fn manifest(operator: &str) -> toml::Table {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = folder.join(operator).join("extension.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn keys(table: &toml::Table, name: &str) -> BTreeSet<String> {
    table[name].as_table().unwrap().keys().cloned().collect()
}

#[test]
fn each_operator_has_its_manifest() {
    for (operator, _) in OPERATORS {
        let manifest = manifest(operator);
        assert_eq!(manifest["id"].as_str(), Some(operator));
        assert_eq!(manifest["type"].as_str(), Some("operator"));
        assert_eq!(
            manifest["version"].as_str(),
            Some(env!("CARGO_PKG_VERSION"))
        );
        let command = manifest["run"]["command"].as_array().unwrap();
        assert_eq!(command[0].as_str(), Some("{bin}/symphony-code-operators"));
        assert_eq!(command[1].as_str(), Some(operator));
        let read = manifest["permissions"]["filesystem"]["read"]
            .as_array()
            .unwrap();
        assert_eq!(read[0].as_str(), Some("project"));
    }
}

#[test]
fn required_inputs_are_required_and_the_outputs_are_those_declared() {
    let text = "pub fn a() {}\n";
    let dir = project(&[("a.rs", text)]);
    let edit =
        json!({"path": "a.rs", "base": digest(text), "start": 0, "end": 0, "text": "/// A.\n"});
    let inputs = json!({
        "prompt": "a", "title": "t", "items": [], "replies": [],
        "files": ["a.rs"], "edits": [edit],
    });
    let search = json!({"path": "a.rs", "search": "a()", "replace": "b()"});
    for (operator, _) in OPERATORS {
        let manifest = manifest(operator);
        let mut process = Process::over(operator, dir.path());
        let mut full = json!({});
        let declared = manifest["inputs"].as_table().unwrap();
        for (port, form) in declared {
            let form = form.as_table().unwrap();
            if !form.contains_key("default") && !form.contains_key("optional") {
                full[port] = inputs[port].clone();
            }
        }
        if operator == "apply-edits" {
            full["edits"] = json!([search]);
        }
        let outputs = process.call(&full).unwrap();
        let given: BTreeSet<String> = outputs.as_object().unwrap().keys().cloned().collect();
        assert_eq!(given, keys(&manifest, "outputs"), "{operator}");
        for port in full.as_object().unwrap().keys() {
            let mut less = full.clone();
            less.as_object_mut().unwrap().remove(port);
            let error = process.call(&less).unwrap_err();
            assert_eq!(error["data"]["port"], json!(port), "{operator}");
        }
        // What is optional may also be null.
        for port in declared.keys() {
            if full.get(port).is_none() {
                full[port] = json!(null);
            }
        }
        assert!(process.call(&full).is_ok(), "{operator}");
    }
}
