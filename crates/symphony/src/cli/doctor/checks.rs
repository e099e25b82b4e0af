//! What is looked at on this machine's disk.

use super::Check;
use crate::{
    cli::{config::user_file, text::bytes},
    installation::Installation,
    melodies, models,
};
use std::{path::Path, time::Duration};
use sy_commons::{
    config::{Config, ConfigError, Loaded},
    fs::{AppDirs, ensure_dir},
    secret::Secret,
};
use symphony_extensions::{Places, Registry};

/// Programs that stand beside this one, each with its package.
const PROGRAMS: [(&str, &str); 4] = [
    ("xi-editor", "xi-editor"),
    ("symphony-extension-runner", "symphony-sandbox"),
    ("symphony-code-operators", "symphony-code-operators"),
    ("symphony-openai-compatible", "symphony-openai-compatible"),
];

/// Less free space than this stops work, twice this is a warning.
const LEAST_SPACE: u64 = 256 << 20;

/// How long a host may take to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether the configuration is sound.
pub fn configuration(loaded: &Result<Loaded<Config>, ConfigError>, dirs: &AppDirs) -> Check {
    let path = user_file(dirs);
    match loaded {
        Ok(_) if path.exists() => Check::well("configuration", path.display().to_string()),
        Ok(_) => Check::well("configuration", "built in; you have no file of your own"),
        Err(error) => {
            let mut causes = error.to_string();
            let mut source = std::error::Error::source(error);
            while let Some(cause) = source {
                causes.push_str(&format!(": {cause}"));
                source = cause.source();
            }
            Check::missing("configuration", causes, format!("mend {}", path.display()))
        }
    }
}

/// The programs beside this one.
pub fn programs(installation: &Installation) -> Vec<Check> {
    let check = |(name, package): (&str, &str)| {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        let path = installation.program(&file);
        let shown = path.display().to_string();
        if is_program(&path) {
            Check::well(name, shown)
        } else if path.exists() {
            Check::missing(
                name,
                format!("{shown} may not be executed"),
                format!("chmod +x {shown}"),
            )
        } else {
            let fix =
                format!("install Symphony again, or in its repository: cargo build -p {package}");
            Check::missing(name, format!("{shown} is not there"), fix)
        }
    };
    PROGRAMS.map(check).into()
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// The extensions' manifests, and what was not granted to them.
pub fn extensions(installation: &Installation, config: Option<&Config>) -> Vec<Check> {
    let places = Places {
        bin: installation.programs.clone(),
        python: installation.python.clone(),
    };
    let folder = installation.share.join("extensions");
    let (own, granted, models) = match config {
        Some(config) => (
            config.extensions.search_paths.clone(),
            config.extensions.grants.clone(),
            models::configured(config),
        ),
        None => Default::default(),
    };
    let registry = Registry::scan(&folder, &own, &granted, &models, &places);
    let number = registry.iter().count();
    let mut found = vec![if number == 0 {
        let fix = "install Symphony again, or point SYMPHONY_SHARE at the folder with extensions/ and melodies/";
        Check::missing(
            "extensions",
            format!("there are none in {}", folder.display()),
            fix,
        )
    } else {
        Check::well(
            "extensions",
            format!("{number} in {} and your own folders", folder.display()),
        )
    }];
    let problem = |text: &String| {
        Check::lacking(
            "extension",
            text.clone(),
            "mend the manifest or take it away",
        )
    };
    found.extend(registry.problems().iter().map(problem));
    for registered in registry.iter() {
        let missing: Vec<String> = registered
            .missing()
            .iter()
            .map(ToString::to_string)
            .collect();
        if !missing.is_empty() {
            let id = registered.manifest.id.to_string();
            let list: Vec<String> = missing
                .iter()
                .map(|permission| format!("\"{permission}\""))
                .collect();
            let fix = format!(
                "grant it in your configuration: extensions.grants.{id} = [{}]",
                list.join(", ")
            );
            found.push(Check::lacking(
                format!("extension {id}"),
                format!("not granted: {}", missing.join(", ")),
                fix,
            ));
        }
    }
    found
}

/// The melodies.
pub fn melodies(installation: &Installation) -> Check {
    let all = melodies::list(installation);
    let unsound: Vec<&str> = all
        .iter()
        .filter(|m| m.problem.is_some())
        .map(|m| m.name.as_str())
        .collect();
    if all.is_empty() {
        let fix = "install Symphony again, or point SYMPHONY_SHARE at the folder with extensions/ and melodies/";
        return Check::missing(
            "melodies",
            format!("there are none in {}", installation.share.display()),
            fix,
        );
    }
    if !unsound.is_empty() {
        let fix = format!("symphony melodies check {}", unsound[0]);
        return Check::lacking(
            "melodies",
            format!("not sound: {}", unsound.join(", ")),
            fix,
        );
    }
    Check::well(
        "melodies",
        all.iter()
            .map(|m| m.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    )
}

/// Whether the keys of the configured models are there.
pub fn models(config: Option<&Config>) -> Vec<Check> {
    let models = config.map(|config| &config.models).into_iter().flatten();
    let unset = models.filter_map(|(name, model)| {
        let variable = model.api_key_env.as_deref()?;
        let is_set = Secret::from_env(variable).is_some();
        (!is_set).then(|| {
            Check::lacking(
                format!("model {name}"),
                format!("{variable} is not set"),
                format!("export {variable}=…"),
            )
        })
    });
    unset.collect()
}

/// Whether a folder can be written to.
pub fn writable(name: &str, folder: &Path) -> Check {
    let shown = folder.display().to_string();
    let attempt = || -> Result<(), String> {
        ensure_dir(folder).map_err(|error| error.to_string())?;
        let probe = folder.join(format!(".writable-{}", std::process::id()));
        std::fs::write(&probe, b"symphony doctor").map_err(|error| error.to_string())?;
        std::fs::remove_file(&probe).map_err(|error| error.to_string())
    };
    match attempt() {
        Ok(()) => Check::well(name, shown),
        Err(error) => Check::missing(
            name,
            format!("{shown}: {error}"),
            "give yourself the right to write there, or set SYMPHONY_HOME",
        ),
    }
}

/// Whether there is room for runs and artifacts.
pub fn disk_space(folder: &Path) -> Check {
    let existing = folder
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(folder);
    match rustix::fs::statvfs(existing) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            space(free, &existing.display().to_string())
        }
        Err(error) => Check::lacking(
            "disk space",
            error.to_string(),
            format!("look at {}", existing.display()),
        ),
    }
}

fn space(free: u64, place: &str) -> Check {
    let detail = format!("{} free at {place}", bytes(free));
    let fix = "make room: runs and artifacts are kept there";
    match free {
        free if free < LEAST_SPACE => Check::missing("disk space", detail, fix),
        free if free < 2 * LEAST_SPACE => Check::lacking("disk space", detail, fix),
        _ => Check::well("disk space", detail),
    }
}

/// Whether the project can be read and written.
pub fn project(folder: &Path) -> Check {
    let shown = folder.display().to_string();
    if let Err(error) = std::fs::read_dir(folder) {
        return Check::missing(
            "project",
            format!("{shown}: {error}"),
            "name a folder that you may read with --project DIR",
        );
    }
    match rustix::fs::access(folder, rustix::fs::Access::WRITE_OK) {
        Ok(()) => Check::well("project", shown),
        Err(_) => {
            let fix = "give yourself the right to write there before you accept changes";
            Check::lacking(
                "project",
                format!("{shown} can be read and not written"),
                fix,
            )
        }
    }
}

/// Sockets of hosts that are gone.
pub async fn sockets(folder: &Path) -> Check {
    let mut stale = Vec::new();
    let mut hosts = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("host-") || !name.ends_with(".sock") {
            continue;
        }
        let connecting = tokio::net::UnixStream::connect(entry.path());
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                stale.push(entry.path().display().to_string());
            }
            _ => hosts += 1,
        }
    }
    if stale.is_empty() {
        return Check::well(
            "sockets",
            format!("{hosts} in use, none left behind in {}", folder.display()),
        );
    }
    let detail = format!(
        "{} left behind by hosts that are gone; the next host replaces them",
        stale.len()
    );
    Check::lacking("sockets", detail, format!("rm {}", stale.join(" ")))
}

#[cfg(test)]
#[path = "checks_tests.rs"]
mod tests;
