//! [`duck!`](crate::duck): explain it to the duck. Temporary debugging output
//! that is easy to find again, in the logs and in the source.

/// Begins every line that [`duck!`](crate::duck) writes.
pub const DUCK_PREFIX: &str = "[DUCK DEBUGGING]";

/// Logs `[DUCK DEBUGGING] file:line expression = value` at debug level and
/// returns the value, like `dbg!`; with a format text, logs that text. Secrets
/// are removed as from every log line. The log target is `duck`, so
/// `SYMPHONY_LOGGING__LEVEL=warn,duck=debug` shows nothing else.
///
/// ```
/// use sy_commons::duck;
/// let sum = duck!(1 + 2);
/// assert_eq!(sum, 3);
/// duck!("after {} steps", sum);
/// duck!("reached the end");
/// ```
#[macro_export]
macro_rules! duck {
    ($format:literal $(, $($args:tt)*)?) => {
        $crate::tracing::debug!(
            target: "duck",
            "{} {}:{} {}",
            $crate::debug::DUCK_PREFIX, file!(), line!(), format_args!($format $(, $($args)*)?)
        )
    };
    ($expression:expr $(,)?) => {
        // A match keeps temporaries alive to the end of the caller's statement.
        match $expression {
            value => {
                $crate::tracing::debug!(
                    target: "duck",
                    "{} {}:{} {} = {:?}",
                    $crate::debug::DUCK_PREFIX, file!(), line!(), stringify!($expression), &value
                );
                value
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::logging::{FileLog, LoggingConfig, build_logging};

    #[test]
    fn says_where_what_and_its_value_and_gives_it_back() {
        let dir = tempfile::tempdir().unwrap();
        let config = LoggingConfig {
            filter: "warn,duck=debug".into(),
            console: None,
            file: Some(FileLog::daily(dir.path(), "duck")),
        };
        let (dispatch, guard) = build_logging(&config).unwrap();
        let line = tracing::dispatcher::with_default(&dispatch, || {
            let moved = duck!(vec![1, 2]);
            assert_eq!(moved, [1, 2]);
            let name = "ada";
            duck!("plain");
            duck!("hello {name} {}", 5,);
            line!()
        });
        drop(guard);
        let log = std::fs::read_dir(dir.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let text = std::fs::read_to_string(log).unwrap();
        let at = |above: u32| format!("[DUCK DEBUGGING] {}:{}", file!(), line - above);
        assert!(
            text.contains(&format!("{} vec![1, 2] = [1, 2]", at(5))),
            "{text}"
        );
        assert!(text.contains(&format!("{} plain", at(2))), "{text}");
        assert!(text.contains(&format!("{} hello ada 5", at(1))), "{text}");
    }
}
