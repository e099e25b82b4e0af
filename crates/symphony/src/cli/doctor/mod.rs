//! `doctor`: what is missing on this machine, and the fix.

mod checks;
mod python;

use crate::{
    api::ErrorKind,
    cli::{
        errors::{CliError, CliResult},
        style::Style,
        text::{one_line, padded},
        ui::Ui,
    },
    installation::Installation,
};
use serde::Serialize;
use std::path::Path;
use sy_commons::config::{Sources, load_from};

/// What was looked at, and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub state: Health,
    /// What was found.
    pub detail: String,
    /// What to do.
    pub fix: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Well,
    /// Something that is not needed is not as it should be.
    Lacking,
    /// Something that is needed is missing.
    Missing,
}

impl Check {
    /// As it should be.
    pub fn well(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: Health::Well,
            detail: detail.into(),
            fix: None,
        }
    }

    /// Not as it should be, but not needed.
    pub fn lacking(
        name: impl Into<String>,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            state: Health::Lacking,
            detail: detail.into(),
            fix: Some(fix.into()),
        }
    }

    /// Needed and missing.
    pub fn missing(
        name: impl Into<String>,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            state: Health::Missing,
            detail: detail.into(),
            fix: Some(fix.into()),
        }
    }
}

/// Looks at everything and tells.
///
/// # Errors
/// [`CliError::Told`] when something that is needed is missing.
pub async fn doctor(installation: &Installation, project: &Path, ui: &mut Ui) -> CliResult {
    let mut found = Vec::new();
    let loaded = load_from(&Sources::of_process(&installation.dirs));
    found.push(checks::configuration(&loaded, &installation.dirs));
    let config = loaded.ok().map(|loaded| loaded.value);
    found.extend(checks::programs(installation));
    found.extend(python::environment(&installation.python).await);
    found.extend(checks::extensions(installation, config.as_ref()));
    found.push(checks::melodies(installation));
    found.extend(checks::models(config.as_ref()));
    found.push(checks::writable(
        "data folder",
        installation.dirs.data_dir(),
    ));
    found.push(checks::disk_space(installation.dirs.data_dir()));
    found.push(checks::project(project));
    found.push(python::git().await);
    let sockets = config
        .as_ref()
        .and_then(|config| config.host.socket_dir.clone());
    let sockets = sockets.unwrap_or_else(|| installation.dirs.runtime_dir().to_owned());
    found.push(checks::sockets(&sockets).await);
    tell(&found, ui)
}

fn tell(found: &[Check], ui: &mut Ui) -> CliResult {
    let missing = found
        .iter()
        .filter(|check| check.state == Health::Missing)
        .count();
    if ui.mode.json {
        ui.result(&serde_json::json!({ "checks": found, "missing": missing }))?;
    } else {
        let lines = lines(found, ui.style);
        ui.lines(lines)?;
    }
    match missing {
        0 => Ok(()),
        _ => Err(CliError::Told(ErrorKind::Environment.exit_code())),
    }
}

fn lines(found: &[Check], style: Style) -> Vec<String> {
    let width = found
        .iter()
        .map(|check| console::measure_text_width(&check.name))
        .max()
        .unwrap_or_default();
    let mut lines = Vec::new();
    for check in found {
        let mark = match check.state {
            Health::Well => style.green("✓"),
            Health::Lacking => style.yellow("!"),
            Health::Missing => style.red("✗"),
        };
        let name = padded(&one_line(&check.name), width);
        lines.push(
            format!("{mark} {name}  {}", one_line(&check.detail))
                .trim_end()
                .to_owned(),
        );
        if let Some(fix) = &check.fix {
            lines.push(format!(
                "  {}  {} {}",
                " ".repeat(width),
                style.cyan("fix:"),
                one_line(fix)
            ));
        }
    }
    let missing = found
        .iter()
        .filter(|check| check.state == Health::Missing)
        .count();
    lines.push(String::new());
    lines.push(match missing {
        0 => "Nothing that Symphony needs is missing.".to_owned(),
        1 => "1 thing that Symphony needs is missing.".to_owned(),
        n => format!("{n} things that Symphony needs are missing."),
    });
    lines
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
