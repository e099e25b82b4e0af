//! `document`: perform, review, undo.

use crate::server::{SENTENCE, Server};
use crate::shop;
use crate::stage::Stage;
use std::time::Duration;

/// Asserts that `after` is `before` with comments added, nothing removed.
fn assert_only_comments_added(path: &str, before: &str, after: &str) {
    let mut rest = before.lines().peekable();
    let mut added = 0;
    for line in after.lines() {
        if rest.peek() == Some(&line) {
            rest.next();
            continue;
        }
        let text = line.trim_start();
        let is_comment = ["///", "//", "/**", "*", "\"\"\""]
            .iter()
            .any(|mark| text.starts_with(mark));
        assert!(is_comment, "`{line}` was added to {path} and is no comment");
        added += 1;
    }
    assert_eq!(rest.next(), None, "a line of {path} is gone");
    assert!(added > 0, "nothing was added to {path}");
    assert!(
        after.contains("eeps the books"),
        "the sentence is not in {path}"
    );
}

#[test]
fn e2e_documents_accepts_and_takes_back() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let before = stage.tree();

    let result = stage.must(&["perform", "document"]);
    assert_eq!(server.calls(), shop::ITEMS);
    assert_eq!(result["usage"]["model_calls"], shop::ITEMS);
    assert_eq!(result["change_set"]["pending"], shop::ITEMS, "{result}");
    assert_eq!(
        stage.tree(),
        before,
        "nothing may be touched before it is accepted"
    );
    let set = stage.must(&["review", "--show"]);
    assert!(set.to_string().contains(SENTENCE), "{set}");

    let outcome = stage.must(&["review", "--accept"]);
    assert_eq!(outcome["outcome"]["accepted"], shop::ITEMS);
    for (path, text) in shop::FILES {
        assert_only_comments_added(path, text, &stage.read(path));
    }
    let accepted = stage.tree();
    assert_eq!(accepted.len(), before.len(), "no file may be left over");

    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before, "undo gives back every byte");
    stage.must(&["undo", "--redo"]);
    assert_eq!(stage.tree(), accepted);
    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before);
    let history = stage.must(&["history"]);
    assert_eq!(
        history["applications"].as_array().unwrap().len(),
        4,
        "{history}"
    );
    stage.assert_nothing_left();
}

#[test]
fn e2e_a_second_run_asks_no_model() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    stage.document();
    let calls = server.calls();
    let again = stage.run(&["perform", "document"]);
    assert_eq!(again.result()["usage"]["model_calls"], 0);
    assert_eq!(server.calls(), calls, "answered from the cache");
    assert!(
        again.elapsed < Duration::from_secs(10),
        "{:?}",
        again.elapsed
    );

    // A changed item is asked again, the others are not.
    stage.write(
        "pricing/tax.py",
        shop::FILES[1].1.replace("(1 + RATE)", "(RATE + 1)"),
    );
    stage.document();
    assert_eq!(server.calls(), calls + 1);
    stage.must(&["perform", "document", "--fresh"]);
    assert_eq!(server.calls(), calls + 1 + shop::ITEMS);
}

#[test]
fn e2e_line_endings_marks_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::describing();
    let crlf = shop::FILES[0].1.replace('\n', "\r\n");
    let marked = format!("\u{feff}{}", shop::FILES[2].1);
    let stage = Stage::playing(
        &server,
        &[
            ("a.rs", &crlf),
            ("b.ts", &marked),
            ("c.py", "def shout(x):\n    return x.upper()"),
        ],
    );
    let script = stage.project.join("c.py");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o750)).unwrap();
    let before = stage.tree();

    stage.document();
    stage.must(&["review", "--accept"]);
    let rust = stage.read("a.rs");
    assert!(
        rust.contains("///") && !rust.replace("\r\n", "").contains('\n'),
        "{rust:?}"
    );
    let script_text = stage.read("b.ts");
    assert!(
        script_text.starts_with('\u{feff}') && script_text.contains("/**"),
        "{script_text:?}"
    );
    let python = stage.read("c.py");
    assert!(
        python.contains("\"\"\"") && python.ends_with("return x.upper()"),
        "{python:?}"
    );
    assert_eq!(
        std::fs::metadata(&script).unwrap().permissions().mode() & 0o777,
        0o750
    );

    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before);
}
