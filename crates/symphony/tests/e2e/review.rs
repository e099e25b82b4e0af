//! `review` by flags, files that change meanwhile, `undo` after later edits.

use crate::server::Server;
use crate::shop;
use crate::stage::Stage;

#[test]
fn e2e_review_by_hunk_and_by_file() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let before = stage.tree();
    let id = stage.document();
    let listed = stage.must(&["review", "--list"]);
    assert_eq!(listed["change_sets"][0]["id"], id.as_str());

    let one = stage.must(&["review", &id, "--accept", "--hunk", "1"]);
    assert_eq!(
        (&one["outcome"]["accepted"], &one["outcome"]["pending"]),
        (&1.into(), &3.into()),
        "{one}"
    );
    let changed = |stage: &Stage| {
        let now = stage.tree();
        before
            .iter()
            .filter(|(path, text)| now[*path] != **text)
            .map(|(path, _)| path.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(changed(&stage).len(), 1);

    stage.must(&["review", &id, "--reject", "--file", "web/cart.ts"]);
    let rest = stage.must(&["review", &id, "--accept"]);
    assert_eq!(rest["outcome"]["pending"], 0, "{rest}");
    assert_eq!(changed(&stage).len(), 3);
    assert_eq!(
        stage.read("web/cart.ts"),
        shop::FILES[2].1,
        "a rejected hunk is not written"
    );
    assert_eq!(
        stage.must(&["review", "--list"])["change_sets"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let all = stage.must(&["review", "--list", "--all"]);
    assert_eq!(all["change_sets"][0]["rejected"], 1, "{all}");

    // A rejected hunk can still be had.
    stage.must(&["review", &id, "--accept", "--file", "web/cart.ts"]);
    assert_eq!(changed(&stage).len(), 4);
    for _ in 0..3 {
        stage.must(&["undo"]);
    }
    assert_eq!(
        stage.tree(),
        before,
        "each acceptance is taken back by itself"
    );
}

#[test]
fn e2e_wrong_choices_are_refused() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let before = stage.tree();
    stage.fails(&["review", "--accept"], 3);
    stage.fails(&["undo"], 3);
    stage.fails(&["undo", "--redo"], 3);
    let id = stage.document();
    stage
        .fails(&["review", &id, "--accept", "--hunk", "99"], 3)
        .names(&["99"]);
    stage
        .fails(&["review", &id, "--accept", "--file", "no/such.py"], 3)
        .names(&["no/such.py"]);
    stage
        .fails(&["review", "zzzz", "--accept"], 3)
        .names(&["zzzz"]);
    stage.fails(&["review", "--accept", "--reject"], 2);
    assert_eq!(stage.tree(), before);
}

#[test]
fn e2e_a_file_that_changed_is_not_written_over() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let id = stage.document();
    let edited = format!(
        "{}\n\ndef mine():\n    pass\n",
        shop::FILES[1].1.replace("0.19", "0.07")
    );
    stage.write("pricing/tax.py", &edited);
    let before = stage.tree();

    stage
        .fails(&["review", "--accept"], 4)
        .names(&["pricing/tax.py", "--rebase"]);
    assert_eq!(
        stage.tree(),
        before,
        "nothing of the change set is written, in no file"
    );

    let outcome = stage.must(&["review", &id, "--accept", "--rebase"]);
    assert_eq!(
        outcome["outcome"]["merged"][0], "pricing/tax.py",
        "{outcome}"
    );
    let merged = stage.read("pricing/tax.py");
    assert!(
        merged.contains("0.07") && merged.contains("def mine()") && merged.contains("\"\"\""),
        "{merged}"
    );
    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before);
}

#[test]
fn e2e_an_edit_at_the_same_place_is_a_conflict_that_changes_nothing() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    stage.document();
    stage.write(
        "pricing/tax.py",
        "RATE = 0.19\n\n\ndef net(gross):\n    return gross / (1 + RATE)\n",
    );
    let before = stage.tree();
    stage
        .fails(&["review", "--accept", "--rebase"], 4)
        .names(&["pricing/tax.py"]);
    assert_eq!(stage.tree(), before);
}

#[test]
fn e2e_undo_keeps_what_was_edited_later() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let before = stage.tree();
    stage.document();
    stage.must(&["review", "--accept"]);
    let later = format!(
        "{}\n\ndef later():\n    pass\n",
        stage.read("pricing/tax.py")
    );
    stage.write("pricing/tax.py", &later);

    let outcome = stage.must(&["undo"]);
    assert_eq!(
        outcome["outcome"]["merged"][0], "pricing/tax.py",
        "{outcome}"
    );
    assert_eq!(
        stage.read("pricing/tax.py"),
        format!("{}\n\ndef later():\n    pass\n", shop::FILES[1].1)
    );
    for (path, text) in before.iter().filter(|(path, _)| *path != "pricing/tax.py") {
        assert_eq!(stage.read(path).as_bytes(), text);
    }
}

#[test]
fn e2e_what_models_write_cannot_act_on_the_terminal() {
    let reply = "Keeps the \u{1b}[2J\u{1b}]0;owned\u{7} books.";
    let server = Server::with(serde_json::json!([{ "json": { "summary": reply } }]));
    let stage = Stage::playing(&server, &shop::FILES[..1]);
    let done = stage.run(&["perform", "document"]);
    let shown = stage.run(&["review", "--show", "--all"]);
    for text in [&done.stdout, &done.stderr, &shown.stdout, &shown.stderr] {
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
