//! The program as a process: streams, exit codes, what works without a host.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use assert_cmd::Command;
use serde_json::Value;
use std::{
    io::Read,
    path::Path,
    process::{Output, Stdio},
};

/// The program with a home of its own, nothing installed beside it.
fn symphony(home: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("symphony"));
    command
        .env_remove("SYMPHONY_CONFIG")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env("SYMPHONY_HOME", home)
        .env("SYMPHONY_SHARE", home.join("share"))
        .env("SYMPHONY_PYTHON", home.join("no-python"))
        .current_dir(home)
        .stdin(Stdio::null());
    command
}

fn run(home: &Path, line: &str) -> Output {
    let mut command = symphony(home);
    command.args(line.split_whitespace());
    Command::from_std(command)
        .timeout(std::time::Duration::from_secs(60))
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn last_json(output: &Output) -> Value {
    serde_json::from_str(text(&output.stdout).lines().last().unwrap()).unwrap()
}

#[test]
fn help_goes_to_standard_output_and_names_the_exit_codes() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), "--help");
    assert_eq!(output.status.code(), Some(0));
    let shown = text(&output.stdout);
    assert!(
        shown.contains("6    a run failed and can be resumed"),
        "{shown}"
    );
    assert!(!shown.contains('\x1b'));
    assert!(text(&run(home.path(), "--color always --help").stdout).contains('\x1b'));
    assert!(
        run(home.path(), "--version")
            .stdout
            .starts_with(b"symphony ")
    );
}

#[test]
fn a_wrong_command_line_is_exit_code_2_in_both_forms() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), "review --accept --reject");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).starts_with("error: "));
    let output = run(home.path(), "review --accept --reject --json");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.is_empty());
    assert_eq!(last_json(&output)["error"]["kind"], "usage");
}

#[test]
fn a_project_that_is_not_there_is_exit_code_3() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), "perform document --project ./gone");
    assert_eq!(output.status.code(), Some(3));
    let shown = text(&output.stderr);
    assert!(
        shown.starts_with("error: there is no project at ./gone"),
        "{shown}"
    );
    assert!(shown.contains("\n  help: "), "{shown}");
    let output = run(home.path(), "perform document --project ./gone --json");
    assert_eq!(last_json(&output)["error"]["exit_code"], 3);
}

#[test]
fn a_wrong_configuration_names_file_and_line_and_can_be_mended() {
    let home = tempfile::tempdir().unwrap();
    let path = text(&run(home.path(), "config path").stdout);
    let path = Path::new(path.trim());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "[run]\nretires = 3\n").unwrap();
    for line in ["config --show", "runs", "models"] {
        let output = run(home.path(), line);
        assert_eq!(output.status.code(), Some(3), "{line}");
        assert!(
            text(&output.stderr).contains("config.toml:2"),
            "{line}: {output:?}"
        );
    }
    assert_eq!(run(home.path(), "config path").status.code(), Some(0));
    assert_eq!(run(home.path(), "doctor").status.code(), Some(5));
}

#[test]
fn the_configuration_says_where_values_come_from() {
    let home = tempfile::tempdir().unwrap();
    let mut command = symphony(home.path());
    command
        .args(["config", "--json"])
        .env("SYMPHONY_RUN__RETRIES", "7");
    let output = Command::from_std(command).output().unwrap();
    let values = last_json(&output)["result"]["values"].clone();
    let retries = values
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["key"] == "run.retries")
        .unwrap();
    assert_eq!(
        (&retries["value"], &retries["origin"]["variable"]),
        (&"7".into(), &"SYMPHONY_RUN__RETRIES".into())
    );
}

#[test]
fn models_are_kept_from_one_process_to_the_next() {
    let home = tempfile::tempdir().unwrap();
    let added = run(
        home.path(),
        "models add ollama --model qwen3-coder --default",
    );
    assert_eq!(added.status.code(), Some(0), "{added:?}");
    let listed = last_json(&run(home.path(), "models --json"));
    assert_eq!(listed["result"]["default"], "ollama");
    assert_eq!(
        listed["result"]["models"]["ollama"]["base_url"],
        "http://localhost:11434/v1"
    );
    assert_eq!(
        run(home.path(), "models remove ollama").status.code(),
        Some(0)
    );
    assert_eq!(
        last_json(&run(home.path(), "models --json"))["result"]["default"],
        "local-model"
    );
}

#[test]
fn doctor_names_each_fix_and_ends_with_5() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), "doctor --json");
    assert_eq!(output.status.code(), Some(5));
    let checks = last_json(&output)["result"]["checks"].clone();
    let checks = checks.as_array().unwrap();
    let missing: Vec<&Value> = checks
        .iter()
        .filter(|check| check["state"] == "missing")
        .collect();
    assert!(
        missing.iter().any(|check| check["name"] == "Python"),
        "{checks:#?}"
    );
    assert!(
        missing.iter().any(|check| check["name"] == "extensions"),
        "{checks:#?}"
    );
    assert!(
        missing.iter().all(|check| check["fix"].is_string()),
        "{checks:#?}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    let mut command = symphony(home.path());
    command.args(["completions", "zsh"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(said, "");
}
