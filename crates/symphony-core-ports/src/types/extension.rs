//! Extensions: who they are, what they ask for, how they are called.

use super::{PortType, Usage, string_id};
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr, time::Duration};

string_id! {
    /// An extension, by the id of its manifest. A configured model is an
    /// extension of its own with the id `NAME` of `[models.NAME]`.
    ExtensionId
}

/// What an extension is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExtensionType {
    /// An AI model.
    Instrument,
    /// A utility.
    Operator,
    /// An add-on to the user interface.
    Motif,
}

impl fmt::Display for ExtensionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Instrument => "instrument",
            Self::Operator => "operator",
            Self::Motif => "motif",
        })
    }
}

/// Names a player in a melody: `operator/stage-edits`, `instrument/local-model`, or `instrument/*` for one that the Conductor chooses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlayerRef {
    /// What it is.
    pub extension_type: ExtensionType,
    /// Which; `None` for `*`.
    pub id: Option<ExtensionId>,
}

/// A text names no player.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no player: expected `operator/NAME`, `instrument/NAME` or `instrument/*`")]
pub struct InvalidPlayerRef(pub String);

impl PlayerRef {
    /// A certain player.
    pub fn named(extension_type: ExtensionType, id: impl Into<String>) -> Self {
        Self {
            extension_type,
            id: Some(ExtensionId(id.into())),
        }
    }
}

impl fmt::Display for PlayerRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{}/{id}", self.extension_type),
            None => write!(f, "{}/*", self.extension_type),
        }
    }
}

impl FromStr for PlayerRef {
    type Err = InvalidPlayerRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidPlayerRef(text.to_owned());
        let (kind, name) = text.split_once('/').ok_or_else(invalid)?;
        let extension_type = match kind {
            "instrument" => ExtensionType::Instrument,
            "operator" => ExtensionType::Operator,
            _ => return Err(invalid()),
        };
        match name {
            "" => Err(invalid()),
            "*" if extension_type == ExtensionType::Instrument => Ok(Self {
                extension_type,
                id: None,
            }),
            "*" => Err(invalid()),
            name if is_id(name) => Ok(Self::named(extension_type, name)),
            _ => Err(invalid()),
        }
    }
}

/// Lower-case letters, digits and `-`, as ids of manifests are; configured models may have `_` and `.` too.
fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c))
}

impl TryFrom<String> for PlayerRef {
    type Error = InvalidPlayerRef;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PlayerRef> for String {
    fn from(player: PlayerRef) -> Self {
        player.to_string()
    }
}

/// What an extension declares of itself (`extension.toml`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExtensionManifest {
    /// Its name in melodies and configuration: lower-case letters, digits, `-`.
    pub id: ExtensionId,
    /// Its name for people.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What it is.
    pub extension_type: ExtensionType,
    /// One sentence for people.
    pub description: String,
    /// What an Instrument can do: `chat`, `json-schema`, `stream`.
    pub capabilities: Vec<String>,
    /// Whether the outputs depend on the inputs alone, so that results may come from cache.
    pub deterministic: bool,
    /// How its process is started.
    pub launch: Launch,
    /// What it asks to be allowed.
    pub permissions: Vec<Permission>,
    /// What its process may take.
    pub limits: Limits,
    /// Its input ports.
    pub inputs: BTreeMap<String, InputPort>,
    /// Its output ports.
    pub outputs: BTreeMap<String, OutputPort>,
    /// Settings handed to it at its start.
    pub settings: Map<String, Value>,
    /// What its program consists of, hashed; part of every cache key.
    pub code_digest: String,
}

impl ExtensionManifest {
    /// How melodies name it.
    pub fn player(&self) -> PlayerRef {
        PlayerRef {
            extension_type: self.extension_type,
            id: Some(self.id.clone()),
        }
    }
}

/// How an extension's process is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// The program, absolute, and its arguments.
    pub command: Vec<String>,
    /// The folder of the manifest; the process starts in it.
    pub folder: PathBuf,
    /// How long it may take until it answers `initialize`.
    pub startup_timeout: Duration,
}

/// Something an extension asks to be allowed; written `filesystem.read:project`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Permission {
    /// Read a scope of files.
    ReadFiles(FileScope),
    /// Write a scope of files.
    WriteFiles(FileScope),
    /// Connect to a host.
    Network(NetworkScope),
    /// Be given a secret by name.
    Secret(String),
}

/// Files an extension may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileScope {
    /// The project's folder.
    Project,
    /// A folder of the extension's own below Symphony's data.
    Data,
}

/// Hosts an extension may ask for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetworkScope {
    /// This machine.
    Loopback,
    /// The host of the configured `base_url`.
    Configured,
    /// `host:port`.
    Host(String),
}

/// A text is no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown permission `{0}`: known are {KNOWN_PERMISSIONS}")]
pub struct UnknownPermission(pub String);

/// The permissions there are, for messages.
pub const KNOWN_PERMISSIONS: &str = "filesystem.read:project, filesystem.read:data, filesystem.write:project, filesystem.write:data, \
     network:loopback, network:configured, network:HOST:PORT, secret:NAME";

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = |s: &FileScope| match s {
            FileScope::Project => "project",
            FileScope::Data => "data",
        };
        match self {
            Self::ReadFiles(s) => write!(f, "filesystem.read:{}", scope(s)),
            Self::WriteFiles(s) => write!(f, "filesystem.write:{}", scope(s)),
            Self::Network(NetworkScope::Loopback) => f.write_str("network:loopback"),
            Self::Network(NetworkScope::Configured) => f.write_str("network:configured"),
            Self::Network(NetworkScope::Host(host)) => write!(f, "network:{host}"),
            Self::Secret(name) => write!(f, "secret:{name}"),
        }
    }
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownPermission(text.to_owned());
        let (kind, scope) = text.split_once(':').ok_or_else(unknown)?;
        let file_scope = |s: &str| match s {
            "project" => Ok(FileScope::Project),
            "data" => Ok(FileScope::Data),
            _ => Err(unknown()),
        };
        match (kind, scope) {
            ("filesystem.read", s) => Ok(Self::ReadFiles(file_scope(s)?)),
            ("filesystem.write", s) => Ok(Self::WriteFiles(file_scope(s)?)),
            ("network", "loopback") => Ok(Self::Network(NetworkScope::Loopback)),
            ("network", "configured") => Ok(Self::Network(NetworkScope::Configured)),
            ("network", host) => match host.rsplit_once(':') {
                Some((name, port)) if is_host(name) && is_port(port) => {
                    Ok(Self::Network(NetworkScope::Host(host.to_owned())))
                }
                _ => Err(unknown()),
            },
            ("secret", name) if !name.is_empty() => Ok(Self::Secret(name.to_owned())),
            _ => Err(unknown()),
        }
    }
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-.[]:".contains(c))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

impl TryFrom<String> for Permission {
    type Error = UnknownPermission;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.to_string()
    }
}

/// What an extension's process may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space in bytes; `None`: no limit.
    pub memory_bytes: Option<u64>,
    /// Open files.
    pub open_files: u64,
}

/// An input port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputPort {
    /// What it takes.
    pub port_type: PortType,
    /// What it gets when nothing is wired to it.
    pub default: Option<Value>,
    /// Whether it may stay empty.
    pub optional: bool,
    /// One sentence for people.
    pub description: String,
}

/// An output port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputPort {
    /// What it gives.
    pub port_type: PortType,
    /// Whether it may be missing.
    pub optional: bool,
    /// One sentence for people.
    pub description: String,
}

/// A call of an extension (the documents' `Request`).
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Names the call in events, unique in the host.
    pub call: String,
    /// Values by input port.
    pub inputs: Map<String, Value>,
    /// The same for every try of the same piece of work.
    pub idempotency_key: String,
    /// How long it may take.
    pub timeout: Duration,
}

/// The answer of an extension (the documents' `Response`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// Values by output port.
    pub outputs: Map<String, Value>,
    /// What it took; money is counted by the caller, who knows the price.
    pub usage: Usage,
}

/// What an extension does besides answering.
#[derive(Debug, Clone, PartialEq)]
pub enum ExtensionEvent {
    /// Its process is ready.
    Started {
        /// What identifies a model behind it.
        model: Option<String>,
    },
    /// How far a call is.
    Progress {
        /// Which call.
        call: String,
        /// Done so far.
        done: u64,
        /// Of how many.
        total: Option<u64>,
        /// What is being done.
        message: String,
    },
    /// Text of a model as it comes.
    Text {
        /// Which call.
        call: String,
        /// The next piece.
        text: String,
    },
    /// A line of its log.
    Log {
        /// The line.
        message: String,
    },
    /// Its process ended unasked.
    Crashed {
        /// How, with its last words.
        details: String,
    },
    /// It was stopped.
    Stopped,
}

/// What is known of a loaded extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionStatus {
    /// Which.
    pub id: ExtensionId,
    /// What identifies a model behind it, once it has started.
    pub model: Option<String>,
    /// How many calls may run at once, once it has started.
    pub max_parallel: u32,
}
