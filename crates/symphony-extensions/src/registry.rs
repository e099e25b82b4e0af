//! The extensions of an installation, with grants and configured models.

use crate::manifest::{self, ManifestError, Places};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use symphony_core_ports::{
    ExtensionId, ExtensionManifest, ExtensionType, NetworkScope, Permission,
};
use symphony_domain::permissions::Grants;

/// The Instrument that serves configured models.
const MODEL_SERVER: &str = "openai-compatible";

/// An extension that may play.
#[derive(Debug, Clone)]
pub struct Registered {
    /// What it declares.
    pub manifest: ExtensionManifest,
    /// What the user granted.
    pub grants: Grants,
}

impl Registered {
    /// What it asked for and was not granted; it plays only when this is empty.
    pub fn missing(&self) -> Vec<Permission> {
        self.grants.missing(&self.manifest)
    }
}

/// A model that the configuration names: an Instrument of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfiguredModel {
    /// Its name.
    pub name: String,
    /// Handed to the Instrument at its start.
    pub settings: Map<String, Value>,
    /// Whether it needs the secret `api-key`.
    pub needs_key: bool,
}

/// The extensions there are.
#[derive(Debug, Default)]
pub struct Registry {
    extensions: BTreeMap<ExtensionId, Registered>,
    problems: Vec<String>,
}

impl Registry {
    /// Reads the manifests below `bundled` (which came with Symphony and are
    /// granted what they declare) and below the user's own folders (granted
    /// what `granted` lists), then adds the configured models.
    ///
    /// A manifest with a problem is left out; [`Registry::problems`] says why.
    pub fn scan(
        bundled: &Path,
        own: &[PathBuf],
        granted: &BTreeMap<String, Vec<String>>,
        models: &[ConfiguredModel],
        places: &Places,
    ) -> Self {
        let mut registry = Self::default();
        for path in manifests_below(bundled) {
            registry.add(manifest::read(&path, places), |_| Grants::Bundled);
        }
        let mut lists = BTreeMap::new();
        for (id, permissions) in granted {
            lists.insert(id.clone(), registry.grants(id, permissions));
        }
        for path in own.iter().flat_map(|folder| manifests_below(folder)) {
            registry.add(manifest::read(&path, places), |id| {
                Grants::Listed(lists.get(id.as_str()).cloned().unwrap_or_default())
            });
        }
        for model in models {
            registry.add_model(model);
        }
        registry
    }

    /// All that may be known, sorted by id.
    pub fn iter(&self) -> impl Iterator<Item = &Registered> {
        self.extensions.values()
    }

    /// One by id.
    pub fn get(&self, id: &ExtensionId) -> Option<&Registered> {
        self.extensions.get(id)
    }

    /// What could not be used, each with the reason.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    fn grants(&mut self, id: &str, texts: &[String]) -> BTreeSet<Permission> {
        let mut granted = BTreeSet::new();
        for text in texts {
            match text.parse() {
                Ok(permission) => {
                    granted.insert(permission);
                }
                Err(error) => self
                    .problems
                    .push(format!("configuration `extensions.grants.{id}`: {error}")),
            }
        }
        granted
    }

    fn add(
        &mut self,
        read: Result<ExtensionManifest, ManifestError>,
        grants: impl FnOnce(&ExtensionId) -> Grants,
    ) {
        match read {
            Ok(manifest) => {
                let grants = grants(&manifest.id);
                self.insert(Registered { manifest, grants });
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                let text = error.to_string();
                let cause = cause
                    .filter(|c| !text.contains(c))
                    .map(|c| format!(": {c}"))
                    .unwrap_or_default();
                self.problems.push(format!("{text}{cause}"));
            }
        }
    }

    fn insert(&mut self, registered: Registered) {
        let id = registered.manifest.id.clone();
        if let Some(first) = self.extensions.get(&id) {
            let (here, there) = (
                &registered.manifest.launch.folder,
                &first.manifest.launch.folder,
            );
            let problem = format!(
                "{}: the id `{id}` is taken by {}",
                here.display(),
                there.display()
            );
            self.problems.push(problem);
            return;
        }
        self.extensions.insert(id, registered);
    }

    /// A configured model plays as an Instrument of its own, through the extension that serves models.
    fn add_model(&mut self, model: &ConfiguredModel) {
        let Some(server) = self.extensions.get(&ExtensionId::from(MODEL_SERVER)) else {
            let problem = format!(
                "the model `{}` needs the extension `{MODEL_SERVER}`, which is not there",
                model.name
            );
            self.problems.push(problem);
            return;
        };
        let mut registered = server.clone();
        let manifest = &mut registered.manifest;
        manifest.id = ExtensionId(model.name.clone());
        manifest.name = model.name.clone();
        manifest.settings.extend(model.settings.clone());
        if !model.needs_key {
            manifest
                .permissions
                .retain(|p| !matches!(p, Permission::Secret(_)));
        }
        self.insert(registered);
    }

    /// Instruments that only serve configured models do not play by themselves.
    pub fn players(&self) -> impl Iterator<Item = &Registered> {
        self.iter().filter(|r| {
            let needs_settings = r
                .manifest
                .permissions
                .contains(&Permission::Network(NetworkScope::Configured));
            let unconfigured = needs_settings && !r.manifest.settings.contains_key("base_url");
            r.missing().is_empty()
                && !(r.manifest.extension_type == ExtensionType::Instrument && unconfigured)
        })
    }
}

/// `NAME/extension.toml` in a folder, sorted.
fn manifests_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|e| e.path().join("extension.toml"))
        .filter(|p| p.is_file())
        .collect();
    paths.sort();
    paths
}
