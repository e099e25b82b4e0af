//! Shared foundation: errors, logging, configuration, safe files, pre-validation, redaction.

pub mod config;
pub mod debug;
pub mod error;
pub mod fs;
pub mod logging;
pub mod prevalidation;
pub mod redact;
pub mod secret;

pub use error::{Categorized, ErrorCategory, ResultContext, SymphonyError};
pub use secret::Secret;
pub use tracing;
