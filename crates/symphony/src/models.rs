//! Configured models as Instruments.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use sy_commons::config::schema::{Config, Model, ModelKind};
use symphony_core_ports::{ExtensionType, PlayerRef};
use symphony_domain::run::{Price, casting::Wishes};
use symphony_extensions::ConfiguredModel;

/// The configuration's models that an extension serves.
pub fn configured(config: &Config) -> Vec<ConfiguredModel> {
    let served = config
        .models
        .iter()
        .filter(|(_, model)| model.kind == ModelKind::OpenaiCompatible);
    served
        .map(|(name, model)| configured_model(name, model))
        .collect()
}

fn configured_model(name: &str, model: &Model) -> ConfiguredModel {
    let mut settings = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            settings.insert(key.to_owned(), value);
        }
    };
    set("base_url", model.base_url.clone().map(Value::from));
    set("model", Some(Value::from(model.model.clone())));
    set("context_tokens", Some(Value::from(model.context_tokens)));
    set("timeout_s", Some(Value::from(model.timeout_s)));
    set("max_parallel", model.max_parallel.map(Value::from));
    let needs_key = model.api_key_env.is_some() || model.api_key_keyring;
    ConfiguredModel {
        name: name.to_owned(),
        settings,
        needs_key,
    }
}

/// An Instrument by the name that a user gives: `NAME` or `instrument/NAME`.
pub fn instrument(name: &str) -> Result<PlayerRef, symphony_core_ports::InvalidPlayerRef> {
    if name.contains('/') {
        name.parse()
    } else {
        Ok(PlayerRef::named(ExtensionType::Instrument, name))
    }
}

/// What the configuration says of players: the default and prices.
pub fn wishes(config: &Config) -> Wishes {
    let price = |model: &Model| Price {
        usd_per_1m_input: model.usd_per_1m_input.unwrap_or_default(),
        usd_per_1m_output: model.usd_per_1m_output.unwrap_or_default(),
    };
    let player = |name: &str| PlayerRef::named(ExtensionType::Instrument, name);
    let prices: BTreeMap<String, Price> = config
        .models
        .iter()
        .map(|(name, model)| (player(name).to_string(), price(model)))
        .collect();
    Wishes {
        default_model: Some(player(&config.conductor.default_model)),
        prices,
        ..Wishes::default()
    }
}
