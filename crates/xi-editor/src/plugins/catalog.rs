//! Which plugins there are: folders with a `manifest.toml` as upstream has it.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use symphony_ipc_protocol::xi::{
    BadManifest, PluginArgument, PluginArgumentOption, PluginArgumentType, PluginCommandInfo,
    PluginLanguage, PluginScope,
};

/// The name of the file that makes a folder a plugin.
const FILE: &str = "manifest.toml";
/// Longer manifests and language settings are refused.
const MAX_BYTES: u64 = 1024 * 1024;
/// So many plugins are looked at in all folders.
const MAX_PLUGINS: usize = 1_000;
/// The longest name of a plugin.
const MAX_NAME: usize = 100;

/// A plugin that can be started.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub name: String,
    pub version: String,
    pub scope: PluginScope,
    /// The program, absolute.
    pub executable: PathBuf,
    pub activations: Vec<String>,
    pub commands: Vec<PluginCommandInfo>,
    pub languages: Vec<PluginLanguage>,
    /// Settings by language.
    pub settings: BTreeMap<String, Map<String, Value>>,
    /// The manifest itself.
    pub file: PathBuf,
    pub folder: PathBuf,
}

/// All that the folders hold.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub plugins: BTreeMap<String, Manifest>,
    pub bad: Vec<BadManifest>,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
enum ManifestError {
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    #[error("it is longer than {MAX_BYTES} bytes")]
    TooLong,
    #[error("it is no manifest")]
    Parse(#[source] toml::de::Error),
    #[error("the name must have 1 to {MAX_NAME} characters, none of them a control character")]
    Name,
    #[error("its program {0} is not there")]
    NoProgram(PathBuf),
    #[error("the settings of {language} are bad: {why}")]
    Settings { language: String, why: String },
    #[error("{0} has that name already")]
    SameName(PathBuf),
    #[error("there are more than {MAX_PLUGINS} plugins")]
    TooMany,
    #[error("it is no absolute path")]
    Relative,
}

/// A manifest as it is written.
#[derive(Deserialize)]
struct Written {
    name: String,
    version: String,
    #[serde(default)]
    scope: PluginScope,
    exec_path: PathBuf,
    #[serde(default)]
    activations: Vec<Activation>,
    #[serde(default)]
    commands: Vec<WrittenCommand>,
    #[serde(default)]
    languages: Vec<WrittenLanguage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Activation {
    Autorun,
    OnSyntax(String),
    OnCommand,
}

#[derive(Deserialize)]
struct WrittenCommand {
    title: String,
    description: String,
    rpc_cmd: WrittenRpc,
    args: Vec<WrittenArgument>,
}

#[derive(Deserialize)]
struct WrittenRpc {
    method: String,
    params: Value,
}

#[derive(Deserialize)]
struct WrittenArgument {
    title: String,
    description: String,
    key: String,
    arg_type: PluginArgumentType,
    #[serde(default)]
    options: Vec<PluginArgumentOption>,
}

#[derive(Deserialize)]
struct WrittenLanguage {
    name: String,
    extensions: Vec<String>,
    first_line_match: Option<String>,
    scope: Option<String>,
}

impl Catalog {
    /// Reads all manifests of folders that are plugins or hold plugins.
    pub fn discover(folders: &[PathBuf]) -> Self {
        let mut catalog = Self::default();
        for folder in folders {
            catalog.look_into(folder);
        }
        catalog
    }

    fn look_into(&mut self, folder: &Path) {
        if !folder.is_absolute() {
            return self.refuse(folder.to_owned(), &ManifestError::Relative);
        }
        if folder.join(FILE).exists() {
            return self.add(&folder.join(FILE));
        }
        let entries = match folder.read_dir() {
            Ok(entries) => entries,
            Err(error) => return self.refuse(folder.to_owned(), &ManifestError::Read(error)),
        };
        let mut files: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path().join(FILE)))
            .filter(|file| file.exists())
            .collect();
        files.sort();
        for file in files {
            self.add(&file);
        }
    }

    fn add(&mut self, file: &Path) {
        if self.plugins.len() + self.bad.len() >= MAX_PLUGINS {
            if self.bad.last().is_none_or(|b| b.file != *file) {
                self.bad.truncate(MAX_PLUGINS);
                self.refuse(file.to_owned(), &ManifestError::TooMany);
            }
            return;
        }
        match Manifest::read(file) {
            Ok(manifest) => match self.plugins.get(&manifest.name) {
                Some(other) if other.file == manifest.file => {}
                Some(other) => {
                    let error = ManifestError::SameName(other.file.clone());
                    self.refuse(file.to_owned(), &error);
                }
                None => {
                    self.plugins.insert(manifest.name.clone(), manifest);
                }
            },
            Err(error) => self.refuse(file.to_owned(), &error),
        }
    }

    fn refuse(&mut self, file: PathBuf, error: &ManifestError) {
        let mut reason = error.to_string();
        if let Some(source) = std::error::Error::source(error) {
            reason = format!("{reason}: {source}");
        }
        tracing::warn!(file = %file.display(), reason, "a bad plugin manifest");
        self.bad.push(BadManifest { file, reason });
    }

    /// The language of a file by its name; of several the longest match, then
    /// the first plugin's by name.
    pub fn language_of(&self, path: &Path) -> Option<&str> {
        let name = path.file_name()?.to_str()?;
        let fits = |extension: &str| {
            name == extension
                || name
                    .strip_suffix(extension)
                    .is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
        };
        let mut best: Option<(usize, &str)> = None;
        for language in self.plugins.values().flat_map(|m| &m.languages) {
            let longest = language
                .extensions
                .iter()
                .filter(|e| !e.is_empty() && fits(e))
                .map(String::len)
                .max();
            if let Some(len) = longest
                && best.is_none_or(|(best, _)| len > best)
            {
                best = Some((len, &language.name));
            }
        }
        best.map(|(_, language)| language)
    }

    /// The settings that plugins give for a language.
    pub fn settings_of(&self, language: &str) -> Map<String, Value> {
        let all = self.plugins.values();
        all.filter_map(|m| m.settings.get(language))
            .flat_map(|settings| settings.clone())
            .collect()
    }
}

impl Manifest {
    fn read(file: &Path) -> Result<Self, ManifestError> {
        let folder = file.parent().unwrap_or(file).to_owned();
        let written: Written = toml::from_str(&read(file)?).map_err(ManifestError::Parse)?;
        let len = written.name.chars().count();
        if len == 0 || len > MAX_NAME || written.name.chars().any(char::is_control) {
            return Err(ManifestError::Name);
        }
        let executable = folder.join(&written.exec_path);
        if !executable.is_file() {
            return Err(ManifestError::NoProgram(executable));
        }
        let languages: Vec<_> = written.languages.into_iter().map(language).collect();
        Ok(Self {
            name: written.name,
            version: written.version,
            scope: written.scope,
            executable,
            activations: written.activations.into_iter().map(activation).collect(),
            commands: written.commands.into_iter().map(command).collect(),
            settings: settings(&folder, &languages)?,
            languages,
            file: file.to_owned(),
            folder,
        })
    }
}

fn read(file: &Path) -> Result<String, ManifestError> {
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(ManifestError::Read)?;
    let read = opened.take(MAX_BYTES + 1).read_to_string(&mut text);
    read.map_err(ManifestError::Read)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(ManifestError::TooLong);
    }
    Ok(text)
}

/// Settings of languages lie beside the manifest, in files with their names.
fn settings(
    folder: &Path,
    languages: &[PluginLanguage],
) -> Result<BTreeMap<String, Map<String, Value>>, ManifestError> {
    let mut all = BTreeMap::new();
    for language in languages {
        let bad = |why: String| ManifestError::Settings {
            language: language.name.clone(),
            why,
        };
        if language.name.contains(['/', '\0']) {
            continue;
        }
        let file = folder.join(format!("{}.toml", language.name));
        if language.name == "manifest" || !file.is_file() {
            continue;
        }
        let settings: Map<String, Value> =
            toml::from_str(&read(&file)?).map_err(|e| bad(e.to_string()))?;
        super::settings::check(&settings).map_err(bad)?;
        all.insert(language.name.clone(), settings);
    }
    Ok(all)
}

fn activation(activation: Activation) -> String {
    match activation {
        Activation::Autorun => "autorun".to_owned(),
        Activation::OnCommand => "on_command".to_owned(),
        Activation::OnSyntax(language) => format!("on_syntax:{language}"),
    }
}

fn command(command: WrittenCommand) -> PluginCommandInfo {
    let argument = |argument: WrittenArgument| PluginArgument {
        title: argument.title,
        description: argument.description,
        key: argument.key,
        arg_type: argument.arg_type,
        options: argument.options,
    };
    PluginCommandInfo {
        title: command.title,
        description: command.description,
        method: command.rpc_cmd.method,
        params: command.rpc_cmd.params,
        args: command.args.into_iter().map(argument).collect(),
    }
}

fn language(language: WrittenLanguage) -> PluginLanguage {
    PluginLanguage {
        name: language.name,
        extensions: language.extensions,
        first_line_match: language.first_line_match,
        scope: language.scope,
    }
}
