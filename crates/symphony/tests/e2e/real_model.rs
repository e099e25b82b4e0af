//! The small model that comes with Symphony, as it is.

use crate::shop;
use crate::stage::{Stage, python};
use std::process::Command;

#[test]
fn e2e_the_local_model_documents_two_items() {
    let probe = Command::new(python())
        .args(["-c", "import symphony_local_model.weights, llama_cpp"])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        println!(
            "skipped: the packages of local-model are not installed; `cargo xtask test` installs them"
        );
        return;
    }
    let stage = Stage::with(&shop::FILES[..2]);
    let before = stage.tree();
    let result = stage.must(&["perform", "document"]);
    assert_eq!(result["usage"]["model_calls"], 2, "{result}");
    assert!(
        result["usage"]["output_tokens"].as_u64().unwrap() > 0,
        "{result}"
    );
    assert_eq!(result["instruments"], serde_json::json!(["local-model"]));
    assert_eq!(stage.tree(), before);
    assert_eq!(
        stage.must(&["perform", "document"])["usage"]["model_calls"],
        0
    );
    if result["change_set"].is_object() {
        stage.must(&["review", "--accept"]);
        assert_ne!(stage.tree(), before);
        stage.must(&["undo"]);
    }
    assert_eq!(stage.tree(), before);
    stage.assert_nothing_left();
}
