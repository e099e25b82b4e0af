//! What can be wrong with the configuration.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use crate::error::{Categorized, ErrorCategory};
use crate::fs::FsError;

use super::Origin;

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The user's file cannot be read.
    #[error("cannot use the configuration file")]
    File(#[from] FsError),

    /// The user's file is not TOML.
    #[error("{}:{line}:{column}: {message}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// What the parser expected.
        message: String,
    },

    /// A key nobody knows.
    #[error("unknown key `{key}` in {origin}")]
    UnknownKey {
        /// The key, dotted.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// The known key most like it.
        nearest: Option<String>,
    },

    /// A value of the wrong type.
    #[error("`{key}` in {origin}: {message}")]
    WrongType {
        /// The key, dotted.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// What was found and what is needed.
        message: String,
    },

    /// A value that makes no sense.
    #[error("`{key}` {message} (set in {origin})")]
    Invalid {
        /// The key, dotted.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// What is wrong with it.
        message: String,
    },

    /// `SYMPHONY_ENV` names no profile.
    #[error("`{name}` is not a configuration profile")]
    UnknownProfile {
        /// The name given.
        name: String,
    },

    /// Several of the above.
    #[error("{}", Listed(.0))]
    Several(Vec<ConfigError>),

    /// Figment could not put the layers together.
    #[error("the configuration does not fit together")]
    Figment(#[source] Box<figment::Error>),
}

/// Several errors, one a line.
struct Listed<'a>(&'a [ConfigError]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} things are wrong with the configuration:",
            self.0.len()
        )?;
        self.0.iter().try_for_each(|error| write!(f, "\n{error}"))
    }
}

impl ConfigError {
    /// One error as it is, several as one; `None` for none.
    pub(super) fn of(mut errors: Vec<Self>) -> Option<Self> {
        if errors.len() > 1 {
            Some(Self::Several(errors))
        } else {
            errors.pop()
        }
    }
}

impl From<figment::Error> for ConfigError {
    fn from(error: figment::Error) -> Self {
        Self::Figment(Box::new(error))
    }
}

impl Categorized for ConfigError {
    fn category(&self) -> ErrorCategory {
        match self {
            Self::File(error) => error.category(),
            _ => ErrorCategory::FixConfiguration,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::File(error) => error.help(),
            Self::UnknownKey { key, .. } if key.ends_with("api_key") => Some(
                "keys do not belong in files: name a variable with `api_key_env`, \
                 or set `api_key_keyring = true`"
                    .to_owned(),
            ),
            Self::UnknownKey {
                nearest: Some(nearest),
                ..
            } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownProfile { .. } => {
                Some("set SYMPHONY_ENV to `production` or `test`, or leave it out".to_owned())
            }
            Self::Several(errors) => {
                let mut helps: Vec<String> = errors.iter().filter_map(Self::help).collect();
                helps.dedup();
                (!helps.is_empty()).then(|| helps.join("\n"))
            }
            _ => None,
        }
    }
}
