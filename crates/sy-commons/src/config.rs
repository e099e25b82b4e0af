//! Configuration in layers, each over the one before it:
//!
//! 1. Symphony's defaults (built in)
//! 2. a profile, `production` or `test` (built in, chosen by `SYMPHONY_ENV`)
//! 3. the user's own file (`config.toml` in the configuration folder, or the
//!    one named by `SYMPHONY_CONFIG`)
//! 4. the environment: `SYMPHONY_LOGGING__LEVEL` sets `logging.level`
//!
//! [`load`] gives the typed [`Config`] and, for each effective value, where it
//! came from.
//!
//! ```
//! use sy_commons::config::{Origin, Sources, load_from};
//! let sources = Sources {
//!     environment: vec![("SYMPHONY_RUN__RETRIES".into(), "5".into())],
//!     ..Sources::default()
//! };
//! let loaded = load_from(&sources).unwrap();
//! assert_eq!(loaded.value.run.retries, 5);
//! assert_eq!(loaded.origin("logging.level"), Some(&Origin::Default));
//! assert!(loaded.table().contains("environment SYMPHONY_RUN__RETRIES"));
//! ```

mod check;
mod error;
mod keys;
mod layer;
mod loaded;
mod origin;
pub mod schema;

use std::path::PathBuf;

use figment::Figment;

use crate::fs::AppDirs;
use layer::Layer;

pub use error::ConfigError;
pub use keys::{KEYS, Key, Kind};
pub use loaded::{Entry, Loaded};
pub use origin::Origin;
pub use schema::Config;

/// Chooses the profile.
pub const PROFILE_VARIABLE: &str = "SYMPHONY_ENV";
/// Names the user's file.
pub const FILE_VARIABLE: &str = "SYMPHONY_CONFIG";
/// Begins every variable that sets a key.
pub const PREFIX: &str = "SYMPHONY_";

const DEFAULT: &str = include_str!("../config/default.toml");
const PROFILES: [(&str, &str); 2] = [
    ("production", include_str!("../config/production.toml")),
    ("test", include_str!("../config/test.toml")),
];

/// Where the layers come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The profile's name; `None` for `production`.
    pub profile: Option<String>,
    /// The user's file.
    pub user_file: Option<UserFile>,
    /// Environment variables. Those that set no key are ignored.
    pub environment: Vec<(String, String)>,
}

/// The user's own file.
#[derive(Debug, Clone)]
pub struct UserFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it must be there: it was named, not merely looked for.
    pub required: bool,
}

impl Sources {
    /// What this process was started with, and the user's file in `dirs`.
    #[must_use]
    pub fn of_process(dirs: &AppDirs) -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::of_variables(dirs, variables)
    }

    /// As [`Sources::of_process`], with other environment variables.
    pub fn of_variables(
        dirs: &AppDirs,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let environment: Vec<(String, String)> = variables
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        let set = |name: &str| {
            let found = environment.iter().find(|(n, _)| n == name);
            found
                .map(|(_, value)| value.clone())
                .filter(|value| !value.is_empty())
        };
        let named = set(FILE_VARIABLE).map(PathBuf::from);
        Self {
            profile: set(PROFILE_VARIABLE),
            user_file: Some(UserFile {
                required: named.is_some(),
                path: named.unwrap_or_else(|| dirs.config_file()),
            }),
            environment,
        }
    }
}

/// The configuration of this process.
///
/// # Errors
/// [`ConfigError`], naming each wrong key and where it was set.
pub fn load(dirs: &AppDirs) -> Result<Loaded<Config>, ConfigError> {
    load_from(&Sources::of_process(dirs))
}

/// The configuration that `sources` give.
///
/// # Errors
/// As [`load`].
pub fn load_from(sources: &Sources) -> Result<Loaded<Config>, ConfigError> {
    let mut layers = vec![Layer::embedded(DEFAULT, Origin::Default)?];
    let wanted = sources.profile.as_deref().unwrap_or(PROFILES[0].0);
    let (name, text) = PROFILES
        .into_iter()
        .find(|(name, _)| *name == wanted)
        .ok_or_else(|| ConfigError::UnknownProfile {
            name: wanted.to_owned(),
        })?;
    layers.push(Layer::embedded(text, Origin::Profile { name })?);
    if let Some(file) = &sources.user_file {
        layers.extend(Layer::user_file(&file.path, file.required)?);
    }
    let environment = Layer::environment(&sources.environment, &layers)?;
    layers.push(environment);

    let figment = layers
        .iter()
        .fold(Figment::new(), |figment, layer| figment.merge(layer));
    let config: Config = figment
        .extract()
        .map_err(|error| layer::explain(error, &layers))?;
    check::check(&config, &layers)?;
    Ok(Loaded {
        value: config,
        entries: loaded::entries(&layers),
    })
}

#[cfg(test)]
#[path = "config/tests.rs"]
mod tests;
