//! What every crate of Symphony stands on: errors, logging, configuration, safe
//! files, pre-validation, secrets, and a duck. It depends on nothing of ours,
//! and what two crates need is put here first.
//!
//! # Errors: [`error`](mod@error)
//! Crates keep typed enums; [`Categorized`] says what the caller can do, and
//! [`SymphonyError`] carries them to whoever reports them.
//!
//! ```
//! use sy_commons::{ErrorCategory, ResultContext, SymphonyError};
//!
//! fn melody(text: &str) -> Result<toml::Table, SymphonyError> {
//!     toml::from_str(text).context("cannot read the melody")
//! }
//! let error = melody("nodes = [").unwrap_err().with_help("close the list");
//! assert_eq!(error.category(), ErrorCategory::FixInput);
//! let lines = error.render();
//! assert!(lines.starts_with("error: cannot read the melody\n  caused by: "));
//! assert!(lines.ends_with("\n  help: close the list"));
//! ```
//!
//! # Logging: [`logging`]
//! `tracing` to stderr, a rotating file, text or JSON lines. The macros
//! ([`info!`], [`warn!`], …) are re-exported.
//!
//! ```
//! use sy_commons::logging::{FileLog, LoggingConfig, init_logging};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let file = Some(FileLog::daily(dir.path(), "symphony"));
//! let guard = init_logging(&LoggingConfig { file, ..LoggingConfig::default() })?;
//! sy_commons::info!(nodes = 12, "run started");
//! drop(guard); // writes out what is queued
//! # Ok(()) }
//! ```
//!
//! # Secrets: [`secret`], [`redact`](mod@redact)
//! A [`Secret`] prints as `[redacted]`, and its value is removed from every log
//! line and rendered error, however it got there.
//!
//! ```
//! use sy_commons::{ErrorCategory, Secret, SymphonyError};
//! let key = Secret::new("sk-0123456789");
//! let leak = format!("401 for key {}", key.expose());
//! let error = SymphonyError::new(ErrorCategory::FixConfiguration, leak);
//! assert_eq!(error.render(), "error: 401 for key [redacted]");
//! ```
//!
//! # Configuration: [`config`]
//! Defaults, profile, the user's file, the environment; each value knows its
//! origin.
//!
//! ```
//! use sy_commons::{config, fs::AppDirs};
//! # let home = tempfile::tempdir().unwrap();
//! let dirs = AppDirs::under(home.path()); // or AppDirs::discover()?
//! let loaded = config::load_from(&config::Sources::of_variables(&dirs, [])).unwrap();
//! assert_eq!(loaded.value.conductor.default_model, "local-model");
//! print!("{}", loaded.table()); // key, value, origin
//! ```
//!
//! # Safe files: [`fs`]
//! Reading with limits and typed refusals, writing atomically and durably,
//! paths that cannot escape.
//!
//! ```
//! use sy_commons::fs;
//! # fn main() -> Result<(), fs::FsError> {
//! # let dir = tempfile::tempdir().unwrap();
//! let file = fs::resolve_within(dir.path(), "notes/today.txt")?;
//! fs::ensure_dir(file.parent().unwrap())?;
//! fs::write_atomic(&file, b"all or nothing")?;
//! assert_eq!(fs::read_text(&file)?, "all or nothing");
//! assert!(fs::resolve_within(dir.path(), "../elsewhere").is_err());
//! # Ok(()) }
//! ```
//!
//! # Pre-validation: [`prevalidation`]
//! Composable rules that collect every violation with its field.
//!
//! ```
//! use sy_commons::prevalidation::{InRange, MaxSize, NonEmpty, PreValidationRule, RuleExt};
//! let name = NonEmpty.and(MaxSize(64));
//! assert!(name.validate("name", "scan").is_ok());
//! let error = InRange(0..=10).validate("retries", &11).unwrap_err();
//! assert_eq!(error.to_string(), "retries must lie in 0..=10, but is 11");
//! ```
//!
//! # The duck: [`duck!`]
//! ```
//! let answer = sy_commons::duck!(6 * 7); // [DUCK DEBUGGING] file:line 6 * 7 = 42
//! assert_eq!(answer, 42);
//! ```

pub mod config;
pub mod debug;
pub mod error;
pub mod framed;
pub mod fs;
pub mod logging;
pub mod owner;
pub mod prevalidation;
pub mod redact;
pub mod secret;

pub use config::{Config, Loaded, Origin};
pub use error::{Categorized, ErrorCategory, ResultContext, SymphonyError};
pub use fs::{AppDirs, FsError};
pub use logging::{LoggingConfig, LoggingGuard, init_logging};
pub use prevalidation::{PreValidationRule, ValidationError};
pub use secret::Secret;
pub use tracing;
pub use tracing::{debug, error, info, trace, warn};
