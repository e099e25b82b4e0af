//! `config`: the values in force and where they came from.

use crate::{
    api::CommandError,
    cli::{
        args::{ConfigArgs, ConfigVerb},
        errors::{CliError, CliResult},
        text::visible_lines,
        ui::Ui,
    },
};
use std::path::PathBuf;
use sy_commons::{
    config::{Sources, load_from},
    fs::AppDirs,
};

/// The user's configuration file, there or not.
pub fn user_file(dirs: &AppDirs) -> PathBuf {
    Sources::of_process(dirs)
        .user_file
        .map_or_else(|| dirs.config_file(), |file| file.path)
}

/// Shows the configuration.
///
/// # Errors
/// When it is not sound.
pub fn config(args: &ConfigArgs, dirs: &AppDirs, ui: &mut Ui) -> CliResult {
    if let Some(ConfigVerb::Path) = args.verb {
        let path = user_file(dirs).display().to_string();
        if ui.mode.json {
            return Ok(ui.result(&serde_json::json!({ "path": path }))?);
        }
        return Ok(ui.line(&visible_lines(&path))?);
    }
    let loaded = load_from(&Sources::of_process(dirs))
        .map_err(|e| CliError::Command(CommandError::from(e)))?;
    if ui.mode.json {
        return Ok(ui.result(&serde_json::json!({ "values": loaded.entries }))?);
    }
    Ok(ui.raw(&visible_lines(&loaded.table()))?)
}
