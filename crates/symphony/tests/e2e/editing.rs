//! A reviewer's own text in the place of a hunk's: by flags, and with an editor on a terminal.

use crate::server::{SENTENCE, Server};
use crate::shop;
use crate::stage::Stage;
use serde_json::Value;
use std::path::PathBuf;

const OWN: &str = "/// Puts goods on a shelf,\n/// \"as many\" as there are.\n";

/// The number of the hunk in a file, and where it is written.
fn hunk_of(stage: &Stage, path: &str) -> String {
    let set = stage.must(&["review", "--show", "--all", "--file", path]);
    let hunks = &set["change_set"]["files"][0]["hunks"];
    assert_eq!(hunks.as_array().unwrap().len(), 1, "{set}");
    hunks[0]["id"].to_string()
}

fn own_text(stage: &Stage, text: &str) -> PathBuf {
    let file = stage.beside("own").join("text");
    std::fs::write(&file, text).unwrap();
    file
}

fn edit(stage: &Stage, hunk: &str, text: &str) -> Value {
    let file = own_text(stage, text);
    stage.must(&["review", "--edit", hunk, "--with", file.to_str().unwrap()])
}

#[test]
fn e2e_an_edited_hunk_is_written_and_undone() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let before = stage.tree();
    stage.document();
    let hunk = hunk_of(&stage, "src/stock.rs");
    let done = edit(&stage, &hunk, OWN);
    let outcome = &done["outcome"];
    assert_eq!(
        (
            &outcome["accepted"],
            &outcome["edited"],
            &outcome["pending"]
        ),
        (&1.into(), &1.into(), &3.into()),
        "{done}"
    );
    let written = format!("{OWN}{}", shop::FILES[0].1);
    assert_eq!(stage.read("src/stock.rs"), written);
    for (path, text) in before.iter().filter(|(path, _)| *path != "src/stock.rs") {
        assert_eq!(stage.read(path).as_bytes(), text, "{path}");
    }

    // Another process knows it as edited, and takes the rest as proposed.
    let shown = stage.must(&["review", "--show", "--all", "--file", "src/stock.rs"]);
    let shown = &shown["change_set"]["files"][0]["hunks"][0];
    assert_eq!(
        (&shown["edited"], &shown["edits"][0]["text"]),
        (&true.into(), &OWN.into())
    );
    let history = stage.must(&["history"]);
    assert!(
        history["applications"][0]["decisions"][0]["edited"].is_string(),
        "{history}"
    );
    stage.must(&["review", "--accept"]);
    assert!(stage.read("web/cart.ts").contains(SENTENCE));
    assert_eq!(stage.read("src/stock.rs"), written);

    stage.must(&["undo"]);
    assert_eq!(stage.read("src/stock.rs"), written);
    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before, "all bytes are as they were");
    stage.must(&["undo", "--redo"]);
    assert_eq!(stage.read("src/stock.rs"), written);
    stage.assert_nothing_left();
}

#[test]
fn e2e_line_ends_of_the_file_are_kept() {
    let server = Server::describing();
    let text = shop::FILES[0].1.replace('\n', "\r\n");
    let text = text.trim_end();
    let stage = Stage::playing(&server, &[("src/stock.rs", text)]);
    stage.document();
    edit(&stage, "1", OWN);
    let own = OWN.replace('\n', "\r\n");
    assert_eq!(stage.read("src/stock.rs"), format!("{own}{text}"));
    stage.must(&["undo"]);
    assert_eq!(stage.read("src/stock.rs"), text);
}

#[test]
fn e2e_wrong_edits_are_refused() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let before = stage.tree();
    stage.document();
    let file = own_text(&stage, OWN);
    let file = file.to_str().unwrap();
    stage
        .fails(&["review", "--edit", "99", "--with", file], 3)
        .names(&["99"]);
    stage
        .fails(&["review", "--edit", "1", "--with", "no/such"], 3)
        .names(&["no/such"]);
    // Nothing is written to standard input.
    stage
        .fails(&["review", "--edit", "1", "--with", "-"], 3)
        .names(&["standard input is empty"]);
    stage.fails(&["review", "--edit", "1"], 2);
    stage.fails(&["review", "--edit", "1", "--with", file, "--accept"], 2);
    let nul = own_text(&stage, "/// a\0b\n");
    stage
        .fails(
            &["review", "--edit", "1", "--with", nul.to_str().unwrap()],
            3,
        )
        .names(&["NUL"]);
    assert_eq!(stage.tree(), before);
    // What is written is not edited any more.
    stage.must(&["review", "--accept", "--hunk", "1"]);
    own_text(&stage, OWN);
    stage
        .fails(&["review", "--edit", "1", "--with", file], 3)
        .names(&["undo"]);
}

#[test]
fn e2e_an_edit_joins_a_host_that_plays() {
    let server = Server::describing_after(400);
    let stage = Stage::playing(&server, &shop::FILES);
    let id = stage.document();
    let file = own_text(&stage, OWN);
    let hunk = hunk_of(&stage, "src/stock.rs");
    let calls = server.calls();
    let playing = stage.start(&["perform", "document", "--fresh"]);
    server.wait_for_calls(calls + 1);
    assert_eq!(stage.must(&["status"])["pid"], playing.id());
    let file = file.to_str().unwrap();
    let done = stage.must(&["review", &id, "--edit", &hunk, "--with", file]);
    assert_eq!(done["outcome"]["edited"], 1, "{done}");
    assert_eq!(
        stage.read("src/stock.rs"),
        format!("{OWN}{}", shop::FILES[0].1)
    );
    playing.wait().result();
    stage.assert_nothing_left();
}

#[test]
fn e2e_a_hunk_is_edited_on_a_terminal() {
    let server = Server::describing();
    let mut stage = Stage::playing(&server, &shop::FILES[..1]);
    let before = stage.tree();
    stage.document();
    let script = stage.beside("editor").join("my editor.sh");
    // It fails at first, then empties the file, then puts other words in.
    std::fs::write(
        &script,
        "echo \"editing in $(tty)\"\ncase $(cat \"$0.count\" 2>/dev/null) in\n\
         '') echo 1 > \"$0.count\"; exit 4 ;;\n1) echo 2 > \"$0.count\"; : > \"$2\" ;;\n\
         *) [ \"$1\" = --wait ] && sed -i 's/^[^#].*/\\/\\/\\/ My words./' \"$2\" ;;\nesac\n",
    )
    .unwrap();
    let editor = format!("sh '{}' --wait", script.display());
    stage.variables = vec![
        ("VISUAL".to_owned(), editor),
        ("EDITOR".to_owned(), "false".to_owned()),
    ];
    let done = stage.at_terminal(
        &["review"],
        &[
            ("Accept this hunk", "e"),
            ("failed (exit status: 4). The hunk stays as it was.", ""),
            ("Accept this hunk", "e"),
            ("The text was emptied", ""),
            ("Accept this hunk", "e"),
            ("editing in /dev/pts/", ""),
            ("+/// My words.", ""),
            ("Accept this edited hunk", "y"),
            ("accepted 1 (1 edited), rejected 0", ""),
        ],
    );
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(
        stage.read("src/stock.rs"),
        format!("/// My words.\n{}", shop::FILES[0].1)
    );
    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before);
    stage.assert_nothing_left();
}

#[test]
fn e2e_without_an_editor_the_review_says_what_to_set() {
    let server = Server::describing();
    let mut stage = Stage::playing(&server, &shop::FILES[..1]);
    let before = stage.tree();
    stage.document();
    let none = |name: &str| (name.to_owned(), String::new());
    stage.variables = vec![none("VISUAL"), none("EDITOR")];
    let steps = [
        ("Accept this hunk", "e"),
        ("set VISUAL or EDITOR", ""),
        ("Accept this hunk", "\u{3}"),
    ];
    let done = stage.at_terminal(&["review"], &steps);
    assert_eq!(done.code, Some(130), "{done:?}");
    assert_eq!(stage.tree(), before);
}
