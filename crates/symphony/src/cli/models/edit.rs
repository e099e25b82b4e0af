//! Changes the user's configuration file and keeps everything else in it.

use crate::{
    api::{CommandError, ErrorKind},
    cli::errors::{CliError, CliResult, input},
};
use std::path::{Path, PathBuf};
use sy_commons::fs::{ensure_dir, read_text, write_atomic};
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

/// The user's configuration file.
pub struct File {
    path: PathBuf,
    /// Its text as it was found; `None` when it was not there.
    before: Option<String>,
    document: DocumentMut,
}

/// A model to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The server's address.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// The variable with the key.
    pub key_env: Option<String>,
    /// Whether the key lies in the keyring.
    pub keyring: bool,
    /// Tokens its context holds.
    pub context_tokens: u32,
    /// US dollars for a million tokens read.
    pub usd_per_1m_input: Option<f64>,
    /// US dollars for a million tokens written.
    pub usd_per_1m_output: Option<f64>,
}

impl File {
    /// Reads the file; one that is not there is empty.
    ///
    /// # Errors
    /// When it cannot be read or is no TOML.
    pub fn open(path: PathBuf) -> CliResult<Self> {
        let before = match read_text(&path) {
            Ok(text) => Some(text),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(CliError::Command(error.into())),
        };
        let text = before.as_deref().unwrap_or_default();
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            let message = format!(
                "{} is no TOML\n{}",
                path.display(),
                error.to_string().trim_end()
            );
            input(message, "mend it, or move it away")
        })?;
        let file = Self {
            path,
            before,
            document,
        };
        for key in ["models", "conductor"] {
            if file
                .document
                .get(key)
                .is_some_and(|item| item.as_table_like().is_none())
            {
                let message = format!("`{key}` in {} is no table", file.path.display());
                return Err(input(message, "mend it: see docs/configuration.md"));
            }
        }
        Ok(file)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn table(&self, name: &str) -> Option<&dyn TableLike> {
        self.document.get(name).and_then(Item::as_table_like)
    }

    /// The models that this file names.
    pub fn models(&self) -> Vec<String> {
        let models = self.table("models");
        models
            .map(|models| models.iter().map(|(name, _)| name.to_owned()).collect())
            .unwrap_or_default()
    }

    /// Whether this file names a model.
    pub fn has_model(&self, name: &str) -> bool {
        self.table("models")
            .is_some_and(|models| models.contains_key(name))
    }

    /// Adds a model.
    pub fn add(&mut self, name: &str, entry: &Entry) {
        let mut table = Table::new();
        table["kind"] = value("openai-compatible");
        table["base_url"] = value(&entry.base_url);
        table["model"] = value(&entry.model);
        if let Some(variable) = &entry.key_env {
            table["api_key_env"] = value(variable);
        }
        if entry.keyring {
            table["api_key_keyring"] = value(true);
        }
        table["context_tokens"] = value(i64::from(entry.context_tokens));
        if let Some(usd) = entry.usd_per_1m_input {
            table["usd_per_1m_input"] = value(usd);
        }
        if let Some(usd) = entry.usd_per_1m_output {
            table["usd_per_1m_output"] = value(usd);
        }
        let models = self.document.entry("models").or_insert_with(|| {
            let mut models = Table::new();
            models.set_implicit(true);
            Item::Table(models)
        });
        if let Some(models) = models.as_table_mut() {
            models.insert(name, Item::Table(table));
        } else if let Some(models) = models.as_inline_table_mut() {
            models.insert(name, table.into_inline_table().into());
        }
    }

    /// Takes a model out; tells whether it was the default, which then is no longer set.
    pub fn remove(&mut self, name: &str) -> bool {
        if let Some(models) = self
            .document
            .get_mut("models")
            .and_then(Item::as_table_like_mut)
        {
            models.remove(name);
        }
        let Some(conductor) = self
            .document
            .get_mut("conductor")
            .and_then(Item::as_table_like_mut)
        else {
            return false;
        };
        let was_default = conductor.get("default_model").and_then(Item::as_str) == Some(name);
        if was_default {
            conductor.remove("default_model");
        }
        was_default
    }

    /// Makes a model the default.
    pub fn set_default(&mut self, name: &str) {
        let conductor = self
            .document
            .entry("conductor")
            .or_insert_with(|| Item::Table(Table::new()));
        if let Some(conductor) = conductor.as_table_like_mut() {
            match conductor
                .get_mut("default_model")
                .and_then(Item::as_value_mut)
            {
                Some(present) => {
                    let decor = present.decor().clone();
                    *present = name.into();
                    *present.decor_mut() = decor;
                }
                None => drop(conductor.insert("default_model", value(name))),
            }
        }
    }

    /// Writes the file whole; puts it back when `check` says that it is not sound.
    ///
    /// # Errors
    /// What `check` says, or why it cannot be written.
    pub fn write(&self, check: impl Fn() -> CliResult) -> CliResult {
        let command = |error| CliError::Command(CommandError::from(error));
        if let Some(folder) = self.path.parent() {
            ensure_dir(folder).map_err(command)?;
        }
        let now = read_text(&self.path).ok();
        if now != self.before {
            let message = format!("{} was changed meanwhile", self.path.display());
            return Err(CommandError::new(ErrorKind::Conflict, message)
                .help("run the command again")
                .into());
        }
        write_atomic(&self.path, self.document.to_string().as_bytes()).map_err(command)?;
        check().inspect_err(|_| self.put_back())
    }

    /// Gives the file its former text.
    pub fn put_back(&self) {
        let done = match &self.before {
            Some(text) => write_atomic(&self.path, text.as_bytes()).map_err(|e| e.to_string()),
            None => std::fs::remove_file(&self.path).map_err(|e| e.to_string()),
        };
        if let Err(error) = done {
            sy_commons::error!(path = %self.path.display(), %error, "the configuration could not be put back");
        }
    }
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
