use super::*;

const PLAIN: Style = Style { color: false };

fn cycle() -> CommandError {
    CommandError::new(
        ErrorKind::Input,
        "melody `release-notes` has a cycle: collect → write → check → collect\n  \
         melodies/release-notes.toml:31  check feeds `collect.seed`\n  \
         help: take the edge out, or give `collect` a default for `seed`",
    )
}

fn stopped() -> CommandError {
    let mut error = CommandError::new(
        ErrorKind::RunFailed,
        "`local-model` stopped answering after 60 s (node describe[7], src/cart.py: Cart.total)\n\
         tried 3 times; the other 22 items are kept in run 7f3a90c2",
    )
    .help("symphony resume 7f3a90c2\nor choose another player: --player describe=ollama");
    error.causes = vec![
        "the process ended".to_owned(),
        "signal 9\nof the kernel".to_owned(),
    ];
    error
}

#[test]
fn errors_say_what_why_and_what_to_do() {
    let several = CommandError::new(
        ErrorKind::Input,
        "one is wrong\n  m.toml:3\nanother is wrong\n  m.toml:9\n  help: mend it",
    );
    let shown = [cycle(), stopped(), several]
        .map(|error| render(&error, PLAIN))
        .join("\n\n");
    insta::assert_snapshot!("errors", shown);
}

#[test]
fn colours_are_around_the_words_only() {
    let shown = render(&stopped(), Style { color: true });
    assert!(
        shown.starts_with("\x1b[1;31merror:\x1b[0m `local-model`"),
        "{shown}"
    );
    assert_eq!(console::strip_ansi_codes(&shown), render(&stopped(), PLAIN));
}

#[test]
fn an_error_cannot_reach_into_the_terminal() {
    let mut error =
        CommandError::new(ErrorKind::Failed, "bad name \x1b]0;owned\x07").help("\x1b[2J");
    error.causes.push("\u{202e}".to_owned());
    let shown = render(&error, PLAIN);
    assert!(!shown.contains(['\x1b', '\x07', '\u{202e}']), "{shown:?}");
    assert!(shown.contains("^[]0;owned^G"), "{shown}");
}

#[test]
fn json_holds_the_exit_code() {
    let value: serde_json::Value = serde_json::from_str(&json_line(&stopped())).unwrap();
    assert_eq!(value["error"]["exit_code"], 6);
    assert_eq!(value["error"]["kind"], "run_failed");
    assert_eq!(value["error"]["causes"][0], "the process ended");
    assert!(!json_line(&cycle()).contains('\n'));
}

#[test]
fn exit_codes_follow_the_kind() {
    let code = |error: CliError| (error.exit_code(), error.to_tell().is_some());
    assert_eq!(code(cycle().into()), (3, true));
    assert_eq!(code(CliError::Told(5)), (5, false));
    assert_eq!(
        code(io::Error::from(io::ErrorKind::BrokenPipe).into()),
        (0, false)
    );
    assert_eq!(
        code(io::Error::from(io::ErrorKind::StorageFull).into()),
        (5, true)
    );
}
