//! Manifests of extensions for tests.

use semver::Version;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use symphony_core_ports::{
    ExtensionId, ExtensionManifest, ExtensionType, InputPort, Launch, Limits, OutputPort,
    Permission, PortType,
};

/// Builds a manifest; made by [`operator`] and [`instrument`].
#[derive(Debug, Clone)]
pub struct ManifestBuilder(ExtensionManifest);

/// A deterministic Operator without ports and permissions.
pub fn operator(id: &str) -> ManifestBuilder {
    new(id, ExtensionType::Operator)
}

/// An Instrument with the capabilities `chat` and `json-schema`, and the ports of a chat.
pub fn instrument(id: &str) -> ManifestBuilder {
    let mut builder = new(id, ExtensionType::Instrument)
        .input("messages", "json")
        .optional_input("schema", "json")
        .optional_input("max_tokens", "integer")
        .optional_input("temperature", "number")
        .optional_input("model", "text")
        .output("text", "text")
        .optional_output("reply", "json");
    builder.0.capabilities = vec!["chat".into(), "json-schema".into()];
    builder.0.deterministic = false;
    builder
}

fn new(id: &str, extension_type: ExtensionType) -> ManifestBuilder {
    ManifestBuilder(ExtensionManifest {
        id: ExtensionId::from(id),
        name: id.to_owned(),
        version: Version::new(1, 0, 0),
        extension_type,
        description: format!("The {extension_type} `{id}` of a test."),
        capabilities: Vec::new(),
        deterministic: true,
        launch: Launch {
            command: vec![format!("/extensions/{id}/run")],
            folder: PathBuf::from(format!("/extensions/{id}")),
            startup_timeout: Duration::from_secs(10),
        },
        permissions: Vec::new(),
        limits: Limits {
            memory_bytes: None,
            open_files: 256,
        },
        inputs: BTreeMap::new(),
        outputs: BTreeMap::new(),
        settings: Map::new(),
        code_digest: format!("b3:{}", blake3::hash(id.as_bytes()).to_hex()),
    })
}

impl ManifestBuilder {
    /// Adds an input port that must be wired.
    ///
    /// # Panics
    /// When `port_type` is no port type; so do all the methods that take one.
    #[must_use]
    pub fn input(self, name: &str, port_type: &str) -> Self {
        self.add_input(name, port_type, None, false)
    }

    /// Adds an input port that may stay empty.
    #[must_use]
    pub fn optional_input(self, name: &str, port_type: &str) -> Self {
        self.add_input(name, port_type, None, true)
    }

    /// Adds an input port with a value for when nothing is wired to it.
    #[must_use]
    pub fn input_with_default(self, name: &str, port_type: &str, default: Value) -> Self {
        self.add_input(name, port_type, Some(default), false)
    }

    /// Adds an output port.
    #[must_use]
    pub fn output(self, name: &str, port_type: &str) -> Self {
        self.add_output(name, port_type, false)
    }

    /// Adds an output port that may be missing.
    #[must_use]
    pub fn optional_output(self, name: &str, port_type: &str) -> Self {
        self.add_output(name, port_type, true)
    }

    /// Asks for a permission, as in `extension.toml`.
    ///
    /// # Panics
    /// When there is no such permission.
    #[must_use]
    pub fn permission(mut self, permission: &str) -> Self {
        match permission.parse::<Permission>() {
            Ok(permission) => self.0.permissions.push(permission),
            Err(error) => panic!("{error}"),
        }
        self
    }

    /// Says whether results may come from cache.
    #[must_use]
    pub fn deterministic(mut self, deterministic: bool) -> Self {
        self.0.deterministic = deterministic;
        self
    }

    /// What an Instrument can do.
    #[must_use]
    pub fn capabilities(mut self, capabilities: &[&str]) -> Self {
        self.0.capabilities = capabilities.iter().map(|c| (*c).to_owned()).collect();
        self
    }

    /// How the process is started.
    #[must_use]
    pub fn launch(mut self, folder: impl Into<PathBuf>, command: Vec<String>) -> Self {
        self.0.launch.folder = folder.into();
        self.0.launch.command = command;
        self
    }

    /// Changes anything else.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut ExtensionManifest)) -> Self {
        change(&mut self.0);
        self
    }

    /// The manifest.
    pub fn build(self) -> ExtensionManifest {
        self.0
    }

    fn add_input(
        mut self,
        name: &str,
        port_type: &str,
        default: Option<Value>,
        optional: bool,
    ) -> Self {
        let port = InputPort {
            port_type: parse(port_type),
            default,
            optional,
            description: format!("The {name}."),
        };
        self.0.inputs.insert(name.to_owned(), port);
        self
    }

    fn add_output(mut self, name: &str, port_type: &str, optional: bool) -> Self {
        let port = OutputPort {
            port_type: parse(port_type),
            optional,
            description: format!("The {name}."),
        };
        self.0.outputs.insert(name.to_owned(), port);
        self
    }
}

fn parse(port_type: &str) -> PortType {
    match port_type.parse() {
        Ok(port_type) => port_type,
        Err(error) => panic!("{error}"),
    }
}
