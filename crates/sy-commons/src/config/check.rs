//! What types cannot say: limits, and references between values.

use super::error::ConfigError;
use super::keys::dotted;
use super::layer::{Layer, origin_of};
use super::schema::{Config, Model, ModelKind};
use crate::prevalidation::{InRange, MatchesFormat, NonEmpty, PreValidationRule};

/// Collects what is wrong, each with its origin.
struct Check<'a> {
    layers: &'a [Layer],
    wrong: Vec<ConfigError>,
}

impl Check<'_> {
    fn rule<T: ?Sized>(&mut self, path: &[&str], value: &T, rule: impl PreValidationRule<T>) {
        if let Err(error) = rule.validate("", value) {
            for violation in error.violations() {
                self.fail(path, &violation.message);
            }
        }
    }

    fn fail(&mut self, path: &[&str], message: &str) {
        let owned: Vec<String> = path.iter().map(|&segment| segment.to_owned()).collect();
        self.wrong.push(ConfigError::Invalid {
            key: dotted(path),
            origin: origin_of(self.layers, &owned),
            message: message.to_owned(),
        });
    }

    fn model(&mut self, name: &str, model: &Model) {
        let at = |key: &'static str| ["models", name, key];
        self.rule(&at("model"), &model.model, NonEmpty);
        self.rule(&at("context_tokens"), &model.context_tokens, InRange(1..));
        self.rule(&at("timeout_s"), &model.timeout_s, InRange(1..));
        match (&model.base_url, model.kind) {
            (Some(url), _) => self.rule(&at("base_url"), url, MatchesFormat::HTTP_URL),
            (None, ModelKind::OpenaiCompatible) => {
                self.fail(
                    &at("base_url"),
                    "is needed for an `openai-compatible` model",
                );
            }
            (None, ModelKind::Local) => {}
        }
        if let Some(variable) = &model.api_key_env {
            self.rule(&at("api_key_env"), variable, MatchesFormat::VARIABLE);
        }
        if let Some(most) = &model.max_parallel {
            self.rule(&at("max_parallel"), most, InRange(1..));
        }
        for (key, price) in [
            ("usd_per_1m_input", model.usd_per_1m_input),
            ("usd_per_1m_output", model.usd_per_1m_output),
        ] {
            if let Some(price) = price {
                self.rule(&at(key), &price, InRange(0.0..f64::INFINITY));
            }
        }
    }
}

/// Checks a configuration whose types are right.
pub(super) fn check(config: &Config, layers: &[Layer]) -> Result<(), ConfigError> {
    let mut check = Check {
        layers,
        wrong: Vec::new(),
    };
    if let Err(error) = crate::logging::check_filter(&config.logging.level) {
        check.fail(&["logging", "level"], &format!("is wrong: {error}"));
    }
    check.rule(
        &["run", "node_timeout_s"],
        &config.run.node_timeout_s,
        InRange(1..),
    );
    check.rule(
        &["budget", "max_usd"],
        &config.budget.max_usd,
        InRange(0.0..f64::INFINITY),
    );
    let editor = &config.editor;
    check.rule(
        &["editor", "startup_timeout_ms"],
        &editor.startup_timeout_ms,
        InRange(1..),
    );
    check.rule(
        &["editor", "heartbeat_ms"],
        &editor.heartbeat_ms,
        InRange(1..),
    );
    check.rule(
        &["editor", "max_file_bytes"],
        &editor.max_file_bytes,
        InRange(1..),
    );
    for (name, model) in &config.models {
        check.model(name, model);
    }
    let default = &config.conductor.default_model;
    if !config.models.contains_key(default) {
        let names: Vec<&str> = config.models.keys().map(String::as_str).collect();
        let message = format!(
            "names no model: `{default}` is not one of {}",
            names.join(", ")
        );
        check.fail(&["conductor", "default_model"], &message);
    }
    ConfigError::of(check.wrong).map_or(Ok(()), Err)
}
