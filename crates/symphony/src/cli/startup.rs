//! What happens before a command: logging, and what a panic says.

use crate::{
    api::CommandError,
    cli::{args::Global, style::Style},
    installation::Installation,
};
use sy_commons::{
    config::Config,
    logging::{LineFormat, LoggingGuard, init_logging},
};

/// Starts logging: to the file as configured, to standard error with `-v`.
///
/// # Errors
/// When the filter is none or the file cannot be opened.
pub fn logging(
    config: &Config,
    installation: &Installation,
    global: &Global,
) -> Result<LoggingGuard, CommandError> {
    let mut logging = config
        .logging
        .to_logging(installation.dirs.log_dir(), "symphony");
    if global.verbose > 0 {
        let format = if config.logging.json {
            LineFormat::Json
        } else {
            LineFormat::Text
        };
        logging.console = Some(format);
    }
    if global.verbose > 1 {
        "debug".clone_into(&mut logging.filter);
    }
    Ok(init_logging(&logging)?)
}

/// Has a panic say what it means for the user, and where the log is.
pub fn panic_message(installation: &Installation, style: Style) {
    let logs = installation.dirs.log_dir();
    let former = std::panic::take_hook();
    let wants_trace = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()))
            .unwrap_or_default();
        let trace = std::backtrace::Backtrace::force_capture();
        sy_commons::error!(%message, %place, %trace, "panic");
        let text = format!(
            "{} this is a bug in Symphony: {message} ({place})\n  nothing was written to the project by this step\n  \
             {} report it with the newest log in {}",
            style.alarm("error:"),
            style.cyan("help:"),
            logs.display()
        );
        // The terminal may be the thing that has gone.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes());
        if wants_trace {
            former(panic);
        }
    }));
}
