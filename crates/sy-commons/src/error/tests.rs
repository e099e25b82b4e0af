use super::*;
use std::io;

#[derive(Debug, Error)]
#[error("no model answers")]
struct NoModel(#[source] io::Error);

impl Categorized for NoModel {
    fn category(&self) -> ErrorCategory {
        ErrorCategory::Retry
    }

    fn help(&self) -> Option<String> {
        Some("start the model server".into())
    }
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused")
}

#[test]
fn renders_error_causes_and_help() {
    let error = SymphonyError::typed(NoModel(refused())).context("cannot play melody `document`");
    assert_eq!(
        error.render(),
        "error: cannot play melody `document`\n  caused by: no model answers\n  \
         caused by: connection refused\n  help: start the model server"
    );
    assert_eq!(error.category(), ErrorCategory::Retry);
    assert!(error.category().is_retryable());
    assert!(matches!(error.root(), SymphonyError::Typed(_)));
    assert_eq!(
        render(&NoModel(refused())),
        "error: no model answers\n  caused by: connection refused\n  help: start the model server"
    );
}

#[test]
fn render_removes_secrets_and_indents_lines() {
    let secret = crate::secret::Secret::new("sk-render-7781");
    let error = SymphonyError::new(
        ErrorCategory::Bug,
        format!("first\nsecond {}", secret.expose()),
    );
    assert_eq!(error.render(), "error: first\n    second [redacted]");
}

#[test]
fn a_cause_already_told_is_not_repeated() {
    let inner = SymphonyError::new(ErrorCategory::Bug, "boom");
    let error = SymphonyError::caused(ErrorCategory::Bug, "it failed: boom", inner);
    assert_eq!(error.render(), "error: it failed: boom");
}

#[test]
fn conversions_keep_the_cause() {
    let json: SymphonyError = serde_json::from_str::<u8>("x").unwrap_err().into();
    assert_eq!(json.to_string(), "not valid JSON");
    assert!(StdError::source(&json).is_some());
    let toml: SymphonyError = toml::from_str::<toml::Table>("a = ").unwrap_err().into();
    assert_eq!(toml.to_string(), "not valid TOML");
    let io: SymphonyError = refused().into();
    assert_eq!(io.category(), ErrorCategory::Retry);
    let bytes = vec![0xff];
    let utf8: SymphonyError = std::str::from_utf8(&bytes).unwrap_err().into();
    assert_eq!(utf8.category(), ErrorCategory::FixInput);
    let figment: SymphonyError = figment::Error::from("bad".to_owned()).into();
    assert_eq!(figment.category(), ErrorCategory::FixConfiguration);
    let ser = toml::to_string(&5_u8).unwrap_err();
    assert!(matches!(
        SymphonyError::from(ser),
        SymphonyError::Serialization { format: "TOML", .. }
    ));
}

#[test]
fn help_can_be_added_to_any_error_without_losing_its_chain() {
    let error = SymphonyError::from(refused())
        .context("cannot reach the server")
        .with_help("is it running?");
    assert_eq!(
        error.render(),
        "error: cannot reach the server\n  caused by: input or output failed\n  \
         caused by: connection refused\n  help: is it running?"
    );
    assert_eq!(error.category(), ErrorCategory::Retry);
    let typed = SymphonyError::typed(NoModel(refused())).with_help("other");
    assert_eq!(
        typed.render(),
        "error: no model answers\n  caused by: connection refused\n  help: other"
    );
}

#[test]
fn io_errors_are_told_apart_by_what_to_do() {
    let kind = |kind| io_category(&io::Error::from(kind));
    assert_eq!(kind(io::ErrorKind::NotFound), ErrorCategory::FixInput);
    assert_eq!(
        kind(io::ErrorKind::StorageFull),
        ErrorCategory::FixEnvironment
    );
    assert_eq!(
        kind(io::ErrorKind::PermissionDenied),
        ErrorCategory::FixEnvironment
    );
    assert_eq!(kind(io::ErrorKind::TimedOut), ErrorCategory::Retry);
    let full = SymphonyError::from(io::Error::from(io::ErrorKind::StorageFull));
    assert!(full.help().unwrap().contains("disk is full"));
}

#[test]
fn timeouts_and_cancels_speak_plainly() {
    let timeout = |limit| SymphonyError::Timeout {
        what: "the model".into(),
        limit,
    };
    assert_eq!(
        timeout(Duration::from_secs(3)).to_string(),
        "the model took longer than 3 s"
    );
    assert_eq!(
        timeout(Duration::from_millis(1500)).to_string(),
        "the model took longer than 1500 ms"
    );
    assert_eq!(timeout(Duration::ZERO).category(), ErrorCategory::Retry);
    let cancelled = SymphonyError::Cancelled {
        what: "the run".into(),
    };
    assert_eq!(cancelled.to_string(), "the run was cancelled");
    assert_eq!(cancelled.category(), ErrorCategory::Cancelled);
    assert_eq!(cancelled.help(), None);
}

#[test]
fn context_is_lazy_and_adds_up() {
    let ok: std::result::Result<u8, io::Error> = Ok(1);
    let value = ok
        .with_context(|| -> String { unreachable!("made only for errors") })
        .unwrap();
    assert_eq!(value, 1);
    let twice: Result<()> = Err(refused()).context("inner").context("outer");
    let text = twice.unwrap_err().render();
    assert!(
        text.starts_with("error: outer\n  caused by: inner\n"),
        "{text}"
    );
}

#[test]
fn errors_stay_small_and_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<SymphonyError>();
    assert!(
        size_of::<SymphonyError>() <= 96,
        "{}",
        size_of::<SymphonyError>()
    );
}

#[test]
fn every_category_gives_advice() {
    for category in [
        ErrorCategory::FixInput,
        ErrorCategory::FixConfiguration,
        ErrorCategory::FixEnvironment,
        ErrorCategory::Retry,
        ErrorCategory::Denied,
        ErrorCategory::Cancelled,
        ErrorCategory::Bug,
    ] {
        assert!(!category.to_string().is_empty());
    }
}
