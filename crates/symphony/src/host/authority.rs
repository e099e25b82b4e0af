//! What extensions are given: permissions and secrets.

use crate::credentials;
use std::{collections::BTreeSet, sync::Arc};
use sy_commons::{config::schema::Config, secret::Secret};
use symphony_adapters::extensions::ExtensionAuthority;
use symphony_core_ports::{ExtensionId, ExtensionManifest, Permission};
use symphony_extensions::Registry;

/// The one secret that models have.
const API_KEY: &str = "api-key";

/// Says what an extension is given, from the registry's grants and the configured keys.
pub struct Authority {
    registry: Arc<Registry>,
    config: Config,
}

impl Authority {
    pub fn new(registry: Arc<Registry>, config: Config) -> Self {
        Self { registry, config }
    }
}

impl ExtensionAuthority for Authority {
    fn granted(&self, manifest: &ExtensionManifest) -> BTreeSet<Permission> {
        let registered = self.registry.get(&manifest.id);
        registered
            .map(|r| r.grants.effective(manifest))
            .unwrap_or_default()
    }

    fn secret(&self, extension: &ExtensionId, name: &str) -> Option<Secret> {
        let model = self
            .config
            .models
            .get(extension.as_str())
            .filter(|_| name == API_KEY)?;
        match credentials::api_key(extension.as_str(), model) {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(%extension, %error, "the key of a model could not be had");
                None
            }
        }
    }
}
