//! The chain of the melody `document`, over real processes: find, write, verify, stage.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Process, project};

const RUST: &str = "pub struct Cart;\n\nimpl Cart {\n    #[must_use]\n    pub fn total(&self) -> u32 {\n        3\n    }\n}\n";
const PYTHON: &str = "class Shop:\r\n    def open(self):\r\n        return True\r\n";
const SCRIPT: &str = "export const add = (a: number, b: number) => a + b;\n";
const GO: &str = "package shop\n\nfunc Price() int { return 1 }\n";

#[test]
fn from_find_to_change_set() {
    let dir = project(&[
        ("src/cart.rs", RUST),
        ("shop.py", PYTHON),
        ("web/add.ts", SCRIPT),
        ("price.go", GO),
    ]);
    let mut find = Process::over("find-undocumented", dir.path());
    let found = find.call(&json!({"limit": 0})).unwrap();
    assert_eq!(found["found"], 6);
    assert_eq!(found["files"], 4);
    let items = found["items"].as_array().unwrap().clone();
    let names: Vec<&str> = items
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["Price", "Shop", "Shop.open", "Cart", "Cart::total", "add"]
    );

    let replies: Vec<Value> = items
        .iter()
        .map(|item| json!({"summary": format!("Holds what number {} needs in the shop", item["line"])}))
        .collect();
    let mut write = Process::over("write-doc-comments", dir.path());
    let written = write
        .call(&json!({"items": items, "replies": replies, "by": "test"}))
        .unwrap();
    assert_eq!(written["skipped"], json!([]));

    let mut edits = written["edits"].as_array().unwrap().clone();
    assert_eq!(edits.len(), 6);
    let mut bad = edits[3].clone();
    bad["text"] = json!("fn sneaked_in() {}\n");
    bad["start"] = json!(18);
    bad["end"] = json!(18);
    edits.push(bad);
    let mut verify = Process::over("verify-comments-only", dir.path());
    let verified = verify.call(&json!({"edits": edits})).unwrap();
    assert_eq!(verified["kept"].as_array().unwrap().len(), 6, "{verified}");
    assert_eq!(verified["files"], 4);
    assert_eq!(verified["refused"].as_array().unwrap().len(), 1);

    let mut stage = Process::over("stage-edits", dir.path());
    let staged = stage
        .call(&json!({"edits": verified["kept"], "title": "document"}))
        .unwrap();
    assert_eq!(staged["refused"], json!([]));
    let mut after = String::new();
    for file in staged["change_set"]["files"].as_array().unwrap() {
        after += &format!("== {}\n{}", file["path"].as_str().unwrap(), applied(file));
    }
    insta::assert_snapshot!(after.replace('\r', "␍"));
}

fn applied(file: &Value) -> String {
    let mut text = file["base_text"].as_str().unwrap().to_owned();
    for edit in file["edits"].as_array().unwrap().iter().rev() {
        let at = |key: &str| usize::try_from(edit[key].as_u64().unwrap()).unwrap();
        text.replace_range(at("start")..at("end"), edit["text"].as_str().unwrap());
    }
    text
}
