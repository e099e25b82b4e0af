use super::*;
use crate::secret::Secret;
use std::path::Path;
use std::process::Command;
use tracing::dispatcher::with_default;

/// All log text written below `dir`.
fn written(dir: &Path) -> String {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect()
}

fn only_file(dir: &Path, format: LineFormat) -> LoggingConfig {
    let file = FileLog {
        format,
        ..FileLog::daily(dir, "test")
    };
    LoggingConfig {
        filter: "debug".into(),
        console: None,
        file: Some(file),
    }
}

fn log_to_file(format: LineFormat, work: impl FnOnce()) -> String {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, guard) = build_logging(&only_file(dir.path(), format)).unwrap();
    with_default(&dispatch, work);
    assert_eq!(guard.dropped_lines(), 0);
    drop(guard);
    written(dir.path())
}

#[test]
fn text_lines_carry_fields_and_lose_secrets() {
    let secret = Secret::new("sk-file-text-555");
    let text = log_to_file(LineFormat::Text, || {
        info!(
            nodes = 3,
            key = secret.expose(),
            "started {}",
            secret.expose()
        );
        debug!(?secret, "debugged");
        trace!("below the filter");
    });
    assert!(
        text.contains("started [redacted]") && text.contains("nodes=3"),
        "{text}"
    );
    assert!(text.contains("debugged"), "{text}");
    assert!(
        !text.contains("sk-file-text") && !text.contains("below the filter"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn json_lines_are_json_and_lose_secrets_however_escaped() {
    let secret = Secret::new("sk-\"json\"\\777");
    let text = log_to_file(LineFormat::Json, || {
        let _span = info_span!("run", id = 7, token = secret.expose()).entered();
        warn!(key = secret.expose(), n = 1, "said {}", secret.expose());
    });
    let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(line["message"], "said [redacted]");
    assert_eq!(line["key"], "[redacted]");
    assert_eq!(line["n"], 1);
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["span"]["id"], 7);
    assert!(!text.contains("777"), "{text}");
}

#[test]
fn a_directive_opens_one_target_only() {
    let dir = tempfile::tempdir().unwrap();
    let config = LoggingConfig {
        filter: "warn,loud=debug".into(),
        ..only_file(dir.path(), LineFormat::Text)
    };
    let (dispatch, guard) = build_logging(&config).unwrap();
    with_default(&dispatch, || {
        debug!(target: "loud", "heard");
        debug!(target: "quiet", "unheard");
    });
    drop(guard);
    let text = written(dir.path());
    assert!(
        text.contains("heard") && !text.contains("unheard"),
        "{text}"
    );
}

#[test]
fn old_files_go() {
    let dir = tempfile::tempdir().unwrap();
    for day in 1..=5 {
        std::fs::write(dir.path().join(format!("test.2020-01-0{day}.log")), "old\n").unwrap();
    }
    let mut config = only_file(dir.path(), LineFormat::Text);
    config.file.as_mut().unwrap().keep_files = 3;
    let (dispatch, guard) = build_logging(&config).unwrap();
    with_default(&dispatch, || info!("new"));
    drop(guard);
    let left = std::fs::read_dir(dir.path()).unwrap().count();
    assert!((1..=3).contains(&left), "{left} files");
    assert!(written(dir.path()).contains("new"));
}

#[test]
fn hourly_and_unending_files_open() {
    for rotation in [Rotation::Hourly, Rotation::Never] {
        let dir = tempfile::tempdir().unwrap();
        let mut config = only_file(dir.path(), LineFormat::Text);
        config.file.as_mut().unwrap().rotation = rotation;
        let (dispatch, guard) = build_logging(&config).unwrap();
        with_default(&dispatch, || info!("line"));
        drop(guard);
        assert!(written(dir.path()).contains("line"));
    }
}

#[test]
fn a_bad_filter_is_a_configuration_error_with_help() {
    let config = LoggingConfig {
        filter: "info,=[=".into(),
        console: None,
        file: None,
    };
    let error = build_logging(&config).unwrap_err();
    assert_eq!(error.category(), ErrorCategory::FixConfiguration);
    assert!(error.to_string().contains("info,=[="));
    assert!(error.help().unwrap().contains("debug"));
}

#[test]
fn a_folder_that_cannot_be_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = build_logging(&only_file(&file, LineFormat::Text)).unwrap_err();
    assert!(matches!(error, LoggingError::Folder(_)));
    assert_eq!(error.category(), ErrorCategory::FixEnvironment);
}

/// Set for the child of [`in_child`]; names the format.
const CHILD: &str = "SY_COMMONS_LOGGING_CHILD";

/// Runs `console_child` in a process of its own; returns its stderr.
fn in_child(format: &str) -> String {
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "logging::tests::console_child", "--nocapture"])
        .env(CHILD, format)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(
        !String::from_utf8_lossy(&out.stdout).contains("console-line"),
        "logs are for stderr"
    );
    String::from_utf8(out.stderr).unwrap()
}

/// Does something only as the child of [`in_child`].
#[test]
fn console_child() {
    let Ok(format) = std::env::var(CHILD) else {
        return;
    };
    let format = if format == "json" {
        LineFormat::Json
    } else {
        LineFormat::Text
    };
    let secret = Secret::new("sk-console-\"999");
    let config = LoggingConfig {
        filter: "debug".into(),
        console: Some(format),
        ..Default::default()
    };
    let _guard = init_logging(&config).unwrap();
    error!(key = secret.expose(), "console-line {}", secret.expose());
    let twice = crate::duck!(20 + 1) * 2;
    assert_eq!(twice, 42);
    assert!(matches!(
        init_logging(&config),
        Err(LoggingError::AlreadyStarted(_))
    ));
}

#[test]
fn the_console_gets_redacted_text() {
    let text = in_child("text");
    assert!(text.contains("console-line [redacted]"), "{text}");
    assert!(!text.contains("999"), "{text}");
    assert!(
        text.contains("[DUCK DEBUGGING]") && text.contains("20 + 1 = 21"),
        "{text}"
    );
}

#[test]
fn the_console_gets_redacted_json() {
    let text = in_child("json");
    let line = text
        .lines()
        .find(|line| line.contains("console-line"))
        .unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["key"], "[redacted]");
    assert!(!text.contains("999"), "{text}");
}
