//! `melodies set`: what is set is played, what is wrong is not written.

use crate::server::Server;
use crate::shop;
use crate::stage::{Stage, workspace};
use serde_json::{Value, json};
use std::path::PathBuf;

fn bundled() -> String {
    std::fs::read_to_string(workspace().join("melodies/document.toml")).unwrap()
}

/// The user's own `document`.
fn own(stage: &Stage) -> PathBuf {
    stage.home.join("config/melodies/document.toml")
}

fn own_text(stage: &Stage) -> String {
    std::fs::read_to_string(own(stage)).unwrap()
}

#[test]
fn e2e_a_parameter_set_on_a_copy_of_document_is_played() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let original = bundled();
    let set = stage.must(&["melodies", "set", "document", "find", "--with", "limit=1"]);
    let expected = original.replace("limit = \"{inputs.limit}\",", "limit = 1,");
    assert_ne!(expected, original);
    assert_eq!(own_text(&stage), expected, "every other byte is as it was");
    assert_eq!(bundled(), original, "Symphony's own stays");
    let text = |key: &str| set[key].as_str().unwrap().to_owned();
    assert_eq!(text("path"), own(&stage).display().to_string());
    assert!(
        text("copied_from").ends_with("melodies/document.toml"),
        "{set}"
    );
    assert!(
        text("diff").contains("+with   = { limit = 1, paths"),
        "{set}"
    );

    let listed = stage.must(&["melodies"]);
    let listed = listed["melodies"].as_array().unwrap();
    let document = listed.iter().find(|m| m["name"] == "document").unwrap();
    assert_eq!(document["path"], set["path"]);
    assert_eq!(document["replaces"], set["copied_from"]);

    // One item, though the input would allow more.
    let result = stage.must(&["perform", "document", "--limit", "40"]);
    assert_eq!(result["change_set"]["pending"], 1, "{result}");
    assert_eq!(server.calls(), 1);

    // Set again, it is changed where it is; set to what it is, nothing is written.
    let all = ["--with", "limit={inputs.limit}"];
    let again = ["melodies", "set", "document", "find"];
    let back = stage.must(&[&again[..], &all].concat());
    assert_eq!(back["copied_from"], Value::Null);
    assert_eq!(own_text(&stage), original);
    let written = std::fs::metadata(own(&stage)).unwrap().modified().unwrap();
    let same = stage.must(&[&again[..], &all].concat());
    assert_eq!(same["diff"], "");
    let now = std::fs::metadata(own(&stage)).unwrap().modified().unwrap();
    assert_eq!(now, written);
    stage.assert_nothing_left();
}

#[test]
fn e2e_a_melody_given_by_path_is_changed_in_place() {
    // Retries and the player are seen from outside: a server that fails is asked so often.
    let server = Server::with(json!([{ "status": 500 }]));
    let stage = Stage::playing(&server, &shop::FILES[..1]);
    let path = stage.beside("melodies").join("mine.toml");
    let crlf = bundled().replace('\n', "\r\n");
    std::fs::write(&path, &crlf).unwrap();
    let shown = path.display().to_string();
    let words = ["melodies", "set", shown.as_str(), "describe"];
    let options = [
        "--player",
        "scripted",
        "--retries",
        "4",
        "--backoff",
        "1ms",
        "--timeout",
        "30s",
    ];
    let set = stage.must(&[&words[..], &options].concat());
    assert_eq!(
        (&set["path"], &set["copied_from"]),
        (&json!(shown), &Value::Null)
    );
    assert!(!own(&stage).exists());
    let expected = crlf
        .replace(
            "player   = \"instrument/*\"",
            "player   = \"instrument/scripted\"",
        )
        .replace(
            "times = 2, backoff = \"200ms\"",
            "times = 4, backoff = \"1ms\"",
        )
        .replace("timeout  = \"60s\"", "timeout  = \"30s\"");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    stage.fails(&["perform", &shown], 6);
    assert_eq!(server.calls(), 5, "once, and four times again");
}

#[test]
fn e2e_what_would_not_be_sound_is_not_written() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES[..1]);
    let cases: [(&[&str], &[&str]); 8] = [
        (
            &["fnid", "--retries", "1"],
            &["no node `fnid`", "did you mean `find`?"],
        ),
        (
            &["find", "--with", "limti=1"],
            &["no input port `limti`", "did you mean `limit`?"],
        ),
        (
            &["find", "--with", "limit=many"],
            &["port `limit`", "is a text", "expected integer"],
        ),
        (&["find", "--with", "limit=null"], &["limit", "null"]),
        (
            &["find", "--with", "paths=[1]"],
            &["port `paths`", "expected list<path>"],
        ),
        (
            &["find", "--player", "operator/find-undocumentd"],
            &["is not installed", "did you mean"],
        ),
        (
            &["describe", "--player", "operator/stage-edits"],
            &["node `describe`"],
        ),
        (
            &["describe", "--timeout", "soon"],
            &["`soon` is no duration"],
        ),
    ];
    for (words, named) in cases {
        let words = [&["melodies", "set", "document"], words].concat();
        let failure = stage.fails(&words, 3);
        failure.names(named).names(&["nothing was written"]);
        assert!(!own(&stage).exists(), "{words:?}");
    }
    stage
        .fails(&["melodies", "set", "documnt", "find", "--retries", "1"], 3)
        .names(&["did you mean `document`?"]);

    // The same words as `check` has for a file that says so.
    let path = stage.beside("melodies").join("wrong.toml");
    let shown = path.display().to_string();
    std::fs::write(&path, bundled()).unwrap();
    let words = [
        "melodies",
        "set",
        shown.as_str(),
        "find",
        "--with",
        "limit=many",
    ];
    let refused = stage.fails(&words, 3);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), bundled());
    let wrong = bundled().replace("\"{inputs.limit}\"", "\"many\"");
    std::fs::write(&path, wrong).unwrap();
    let checked = stage.fails(&["melodies", "check", &shown], 3);
    let message = |text: &str| serde_json::from_str::<Value>(text).unwrap()["message"].clone();
    assert_eq!(message(&refused.text), message(&checked.text));
}
