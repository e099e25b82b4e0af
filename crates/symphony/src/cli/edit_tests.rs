use super::*;
use crate::cli::{
    args::{Cli, Verb},
    testing::{Bench, Script},
    ui::Mode,
};
use clap::Parser;
use serde_json::json;

fn args(ops: &Path) -> EditArgs {
    let ops = ops.display().to_string();
    let words = ["symphony", "edit", "src/a.py", "--dry-run", "--ops", &ops];
    match Cli::try_parse_from(words).unwrap().command {
        Verb::Edit(args) => args,
        other => panic!("{other:?}"),
    }
}

fn done(diff: &str, saved: bool) -> Answer {
    Answer::Edited(Edited {
        path: "src/a.py".to_owned(),
        saved,
        diff: diff.to_owned(),
        answers: vec![json!({"revision": 1})],
    })
}

/// What is asked for these operations, and what is shown of this answer.
async fn run(ops: &str, answer: Answer) -> (Result<String, String>, Vec<Command>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), ops).unwrap();
    let script = Script::answering(answer);
    let mut bench = Bench::new(Mode::default());
    let result = edit(args(file.path()), &script, &mut bench.context()).await;
    let shown = match result {
        Ok(()) => Ok(bench.out.text()),
        Err(error) => Err(error.to_tell().unwrap().message),
    };
    (shown, script.asked())
}

#[tokio::test]
async fn lines_become_operations_and_the_diff_is_shown() {
    let ops = "{\"method\":\"insert\",\"params\":{\"at\":0,\"text\":\"x\"}}\n\n{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"undo\"}\n";
    let (shown, asked) = run(ops, done("@@ -1 +1 @@\n-a\n+xa\x1b\n", false)).await;
    let shown = shown.unwrap();
    assert!(shown.contains("-a\n+xa^[\n"), "{shown}");
    assert!(
        shown.ends_with("src/a.py: 1 operation, nothing written\n"),
        "{shown}"
    );
    let [Command::Edit(what)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert!(what.dry_run);
    assert!(what.path.ends_with("src/a.py") && what.path.is_absolute());
    let told: Vec<_> = what
        .operations
        .iter()
        .map(|o| (o.line, o.method.as_str(), o.params.len()))
        .collect();
    assert_eq!(told, [(1, "insert", 2), (3, "undo", 0)]);
}

#[tokio::test]
async fn what_changes_nothing_is_said_so() {
    let (shown, _) = run("", done("", false)).await;
    assert_eq!(shown.unwrap(), "src/a.py: 1 operation, nothing changed\n");
}

#[tokio::test]
async fn a_line_that_is_no_operation_is_named() {
    let (shown, asked) = run("{\"method\":\"undo\"}\nundo\n", done("", false)).await;
    let error = shown.unwrap_err();
    assert!(error.starts_with("line 2 is no operation: "), "{error}");
    assert!(asked.is_empty());
}
