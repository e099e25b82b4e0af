//! Reads `extension.toml`, format `symphony.extension/1`.

use crate::digest::code_digest;
use semver::Version;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};
use sy_commons::{
    error::{Categorized, ErrorCategory},
    fs::FsError,
};
use symphony_core_ports::{
    ExtensionId, ExtensionManifest, ExtensionType, InputPort, InvalidPortType, Launch, Limits,
    OutputPort, Permission, PortType, UnknownPermission,
};
use symphony_domain::melody::parse_duration;

/// The version of the format.
pub const SCHEMA: &str = "symphony.extension/1";

/// A manifest is a page.
const MAX_BYTES: u64 = 256 * 1024;

/// What `{bin}`, `{python}` and `{extension}` in `run.command` stand for.
#[derive(Debug, Clone)]
pub struct Places {
    /// `{bin}`: the folder of Symphony's programs.
    pub bin: PathBuf,
    /// `{python}`: the Python that extensions run on.
    pub python: PathBuf,
}

/// Why a manifest is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It cannot be read.
    #[error("the manifest cannot be read")]
    File(#[source] FsError),
    /// It is no TOML, or a key is missing, unknown or of the wrong type.
    #[error("{path}:{line}: {message}", path = .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A value is wrong.
    #[error("{path}:{line}: `{key}`: {problem}", path = .path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// The key.
        key: String,
        /// What is wrong.
        #[source]
        problem: Box<ValueProblem>,
    },
}

/// What is wrong with a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValueProblem {
    /// Another version of the format.
    #[error("is `{0}`, expected `{SCHEMA}`")]
    Schema(String),
    /// No identifier.
    #[error("`{0}` is no id: use lower-case letters, digits and `-`")]
    Id(String),
    /// No permission.
    #[error(transparent)]
    Permission(#[from] UnknownPermission),
    /// No port type.
    #[error(transparent)]
    PortType(#[from] InvalidPortType),
    /// A default that does not fit.
    #[error("the default {found} is no {expected}")]
    Default {
        /// The default.
        found: Value,
        /// The port's type.
        expected: PortType,
    },
    /// No duration.
    #[error("`{0}` is no duration: write e.g. `500ms` or `10s`")]
    Duration(String),
    /// No size.
    #[error("`{0}` is no size: write e.g. `512 MiB` or `2 GiB`")]
    Size(String),
    /// Nothing to start.
    #[error("names no program")]
    Command,
    /// An unknown place.
    #[error("`{0}` is unknown: known are {{bin}}, {{python}} and {{extension}}")]
    Place(String),
}

impl Categorized for ManifestError {
    fn category(&self) -> ErrorCategory {
        ErrorCategory::FixInput
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    schema: String,
    id: String,
    name: String,
    version: Version,
    #[serde(rename = "type")]
    extension_type: ExtensionType,
    #[serde(default)]
    description: String,
    #[serde(default, rename = "license")]
    _license: String,
    #[serde(default)]
    capabilities: Vec<String>,
    #[serde(default)]
    deterministic: bool,
    run: Run,
    #[serde(default)]
    permissions: Permissions,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    inputs: BTreeMap<String, Input>,
    #[serde(default)]
    outputs: BTreeMap<String, Output>,
    #[serde(default)]
    settings: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    command: Vec<String>,
    #[serde(default = "ten_seconds")]
    startup_timeout: String,
}

fn ten_seconds() -> String {
    "10s".to_owned()
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Permissions {
    filesystem: Filesystem,
    network: Vec<String>,
    secrets: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Filesystem {
    read: Vec<String>,
    write: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    memory: Option<String>,
    open_files: u64,
}

impl Default for LimitsTable {
    fn default() -> Self {
        Self {
            memory: None,
            open_files: 256,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(rename = "type")]
    port_type: String,
    default: Option<Value>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Output {
    #[serde(rename = "type")]
    port_type: String,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    description: String,
}

/// Reads and checks a manifest.
///
/// # Errors
/// [`ManifestError`], with the file, the line and the key.
pub fn read(path: &Path, places: &Places) -> Result<ExtensionManifest, ManifestError> {
    let text = sy_commons::fs::read_text_limited(path, MAX_BYTES).map_err(ManifestError::File)?;
    parse(&text, path, places)
}

/// As [`read`], from text.
///
/// # Errors
/// [`ManifestError`].
pub fn parse(text: &str, path: &Path, places: &Places) -> Result<ExtensionManifest, ManifestError> {
    let file: ManifestFile = toml::from_str(text).map_err(|error| ManifestError::Syntax {
        path: path.to_owned(),
        line: line_at(text, error.span()),
        message: error.message().trim().to_owned(),
    })?;
    let reader = Reader { text, path };
    if file.schema != SCHEMA {
        return Err(reader.wrong("schema", ValueProblem::Schema(file.schema)));
    }
    if !is_id(&file.id) {
        return Err(reader.wrong("id", ValueProblem::Id(file.id)));
    }
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    let command = reader.command(&file.run.command, places, &folder)?;
    let code_digest = code_digest(
        &folder,
        command
            .first()
            .map(Path::new)
            .filter(|p| p.starts_with(&places.bin)),
    );
    Ok(ExtensionManifest {
        id: ExtensionId(file.id),
        name: file.name,
        version: file.version,
        extension_type: file.extension_type,
        description: file.description,
        capabilities: file.capabilities,
        deterministic: file.deterministic,
        launch: Launch {
            command,
            startup_timeout: reader.duration(&file.run.startup_timeout)?,
            folder,
        },
        permissions: reader.permissions(&file.permissions)?,
        limits: Limits {
            memory_bytes: reader.size(file.limits.memory)?,
            open_files: file.limits.open_files,
        },
        inputs: file
            .inputs
            .into_iter()
            .map(|(n, p)| reader.input(n, p))
            .collect::<Result<_, _>>()?,
        outputs: file
            .outputs
            .into_iter()
            .map(|(n, p)| reader.output(n, p))
            .collect::<Result<_, _>>()?,
        settings: file.settings,
        code_digest,
    })
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Reader<'_> {
    fn wrong(&self, key: &str, problem: ValueProblem) -> ManifestError {
        // The last part of the key is enough to find its line in a page.
        let last = key.rsplit('.').next().unwrap_or(key);
        let line = self.text.lines().position(|l| {
            l.trim_start()
                .trim_start_matches(['[', '"'])
                .starts_with(last)
        });
        let line = line
            .or_else(|| self.text.lines().position(|l| l.contains(last)))
            .map_or(1, |l| l + 1);
        ManifestError::Value {
            path: self.path.to_owned(),
            line,
            key: key.to_owned(),
            problem: Box::new(problem),
        }
    }

    fn command(
        &self,
        parts: &[String],
        places: &Places,
        folder: &Path,
    ) -> Result<Vec<String>, ManifestError> {
        if parts
            .first()
            .is_none_or(|program| program.trim().is_empty())
        {
            return Err(self.wrong("run.command", ValueProblem::Command));
        }
        let known = [
            ("{bin}", &places.bin),
            ("{python}", &places.python),
            ("{extension}", &folder.to_owned()),
        ];
        parts
            .iter()
            .map(|part| {
                let text = known.iter().fold(part.clone(), |t, (name, path)| {
                    t.replace(name, &path.to_string_lossy())
                });
                match (part.find('{'), text.find('{')) {
                    (Some(_), Some(at)) => {
                        let place = text[at..]
                            .split_inclusive('}')
                            .next()
                            .unwrap_or_default()
                            .to_owned();
                        Err(self.wrong("run.command", ValueProblem::Place(place)))
                    }
                    _ => Ok(text),
                }
            })
            .collect()
    }

    fn permissions(&self, asked: &Permissions) -> Result<Vec<Permission>, ManifestError> {
        let kinds = [
            (
                "permissions.filesystem",
                "filesystem.read",
                &asked.filesystem.read,
            ),
            (
                "permissions.filesystem",
                "filesystem.write",
                &asked.filesystem.write,
            ),
            ("permissions.network", "network", &asked.network),
            ("permissions.secrets", "secret", &asked.secrets),
        ];
        let mut permissions = Vec::new();
        for (key, kind, scopes) in kinds {
            for scope in scopes {
                let permission = format!("{kind}:{scope}").parse::<Permission>();
                permissions.push(permission.map_err(|e| self.wrong(key, e.into()))?);
            }
        }
        Ok(permissions)
    }

    fn duration(&self, text: &str) -> Result<Duration, ManifestError> {
        parse_duration(text).ok_or_else(|| {
            self.wrong(
                "run.startup_timeout",
                ValueProblem::Duration(text.to_owned()),
            )
        })
    }

    fn size(&self, text: Option<String>) -> Result<Option<u64>, ManifestError> {
        let Some(text) = text else { return Ok(None) };
        parse_size(&text)
            .map(Some)
            .ok_or_else(|| self.wrong("limits.memory", ValueProblem::Size(text)))
    }

    fn port_type(&self, key: &str, text: &str) -> Result<PortType, ManifestError> {
        text.parse()
            .map_err(|e: InvalidPortType| self.wrong(key, e.into()))
    }

    fn input(&self, name: String, port: Input) -> Result<(String, InputPort), ManifestError> {
        let key = format!("inputs.{name}");
        let port_type = self.port_type(&key, &port.port_type)?;
        if let Some(found) = port.default.as_ref().filter(|d| !port_type.admits(d)) {
            return Err(self.wrong(
                &key,
                ValueProblem::Default {
                    found: found.clone(),
                    expected: port_type,
                },
            ));
        }
        let Input {
            default,
            optional,
            description,
            ..
        } = port;
        Ok((
            name,
            InputPort {
                port_type,
                default,
                optional,
                description,
            },
        ))
    }

    fn output(&self, name: String, port: Output) -> Result<(String, OutputPort), ManifestError> {
        let port_type = self.port_type(&format!("outputs.{name}"), &port.port_type)?;
        Ok((
            name,
            OutputPort {
                port_type,
                optional: port.optional,
                description: port.description,
            },
        ))
    }
}

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Reads `512 MiB`, `2 GiB`, `64 KiB`.
fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ')?;
    let factor = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

fn line_at(text: &str, span: Option<Range<usize>>) -> usize {
    let offset = span.map_or(0, |s| s.start.min(text.len()));
    text.as_bytes()[..offset]
        .iter()
        .filter(|b| **b == b'\n')
        .count()
        + 1
}
