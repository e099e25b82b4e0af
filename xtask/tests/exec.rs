//! Programs are run with a limit, their output is kept, their failures told.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use xtask::error::XtaskError;
use xtask::exec::{Tool, find};

fn shell(script: &str) -> Tool {
    Tool::new("sh").args(["-c", script])
}

#[test]
fn what_a_program_says_is_returned_trimmed() {
    assert_eq!(shell("echo '  hello '").read().unwrap(), "hello");
}

#[test]
fn a_failure_has_the_programs_own_code_and_the_end_of_its_output() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("logs").join("it.log");
    let error = shell("seq 1 100; echo oh no >&2; exit 7")
        .keep(&log)
        .unwrap_err();
    assert_eq!(error.exit_code(), 7);
    let message = error.to_string();
    assert!(message.contains("| oh no"), "{message}");
    assert!(message.contains("| 100\n"), "{message}");
    assert!(
        !message.contains("| 1\n"),
        "only the end is repeated: {message}"
    );
    assert!(message.contains("it.log"), "{message}");
    assert!(std::fs::read_to_string(&log).unwrap().starts_with("1\n2\n"));
}

#[test]
fn a_program_that_hangs_is_ended() {
    let start = Instant::now();
    let error = Tool::new("sleep")
        .args(["60"])
        .limit(Duration::from_millis(100))
        .show();
    assert!(
        matches!(error, Err(XtaskError::TimedOut { .. })),
        "{error:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let error = Tool::new("no-such-program").show().unwrap_err();
    assert!(error.to_string().contains("no-such-program"));
    assert_eq!(error.exit_code(), 1);
    assert!(find("no-such-program").is_none());
    assert!(find("sh").is_some());
}

#[test]
fn a_program_gets_its_variables_and_folder_and_no_input() {
    let dir = tempfile::tempdir().unwrap();
    let tool = shell("cat; echo $GREETING; pwd")
        .env("GREETING", "hi")
        .dir(dir.path());
    let said = tool.read().unwrap();
    let real = dir.path().canonicalize().unwrap();
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        ["hi", real.to_str().unwrap()]
    );
}

#[test]
fn output_that_is_no_text_does_not_hide_the_failure() {
    let dir = tempfile::tempdir().unwrap();
    let error = shell(r"printf '\377\376'; exit 3")
        .keep(&dir.path().join("log"))
        .unwrap_err();
    assert_eq!(error.exit_code(), 3);
}
