use super::*;
use crate::cli::doctor::{Health, python};
use sy_commons::config::{Sources, load_from};

fn installation(folder: &Path) -> Installation {
    Installation {
        programs: folder.join("bin"),
        share: folder.join("share"),
        python: folder.join("no-python"),
        dirs: AppDirs::under(folder.join("home")),
    }
}

#[cfg(unix)]
#[test]
fn programs_are_there_may_be_executed_or_are_missing() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let installation = installation(folder.path());
    std::fs::create_dir(&installation.programs).unwrap();
    for (name, mode) in [("xi-editor", 0o755), ("symphony-code-operators", 0o644)] {
        let path = installation.program(name);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let states: Vec<Health> = programs(&installation)
        .iter()
        .map(|check| check.state)
        .collect();
    assert_eq!(
        states,
        [
            Health::Well,
            Health::Missing,
            Health::Missing,
            Health::Missing
        ]
    );
    let fixes = programs(&installation);
    assert!(fixes[2].fix.as_ref().unwrap().starts_with("chmod +x "));
}

#[test]
fn extensions_without_a_folder_are_missing_and_broken_ones_told() {
    let folder = tempfile::tempdir().unwrap();
    let installation = installation(folder.path());
    assert_eq!(extensions(&installation, None)[0].state, Health::Missing);
    assert_eq!(melodies(&installation).state, Health::Missing);
    let broken = installation.share.join("extensions").join("mine");
    std::fs::create_dir_all(&broken).unwrap();
    std::fs::write(broken.join("extension.toml"), "schema = 3").unwrap();
    let found = extensions(&installation, None);
    assert!(
        found
            .iter()
            .any(|check| check.name == "extension" && check.detail.contains("extension.toml")),
        "{found:?}"
    );
    std::fs::create_dir_all(installation.share.join("melodies")).unwrap();
    std::fs::write(installation.share.join("melodies").join("mine.toml"), "x").unwrap();
    let check = melodies(&installation);
    assert_eq!(
        (check.state, check.detail.as_str()),
        (Health::Lacking, "not sound: mine")
    );
}

#[test]
fn a_wrong_configuration_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let dirs = AppDirs::under(folder.path());
    let sources = || Sources::of_variables(&dirs, []);
    assert_eq!(
        configuration(&load_from(&sources()), &dirs).state,
        Health::Well
    );
    std::fs::create_dir(dirs.config_dir()).unwrap();
    std::fs::write(dirs.config_file(), "[run]\nretires = 3\n").unwrap();
    let check = configuration(&load_from(&sources()), &dirs);
    assert_eq!(check.state, Health::Missing);
    assert!(check.detail.contains("config.toml:2"), "{}", check.detail);
}

#[test]
fn a_key_that_is_not_set_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let dirs = AppDirs::under(folder.path());
    std::fs::create_dir(dirs.config_dir()).unwrap();
    let text = "[models.x]\nkind = \"openai-compatible\"\nbase_url = \"http://h/v1\"\nmodel = \"m\"\n\
        context_tokens = 9\napi_key_env = \"A_VARIABLE_THAT_NOBODY_SETS\"\n";
    std::fs::write(dirs.config_file(), text).unwrap();
    let config = load_from(&Sources::of_variables(&dirs, [])).unwrap().value;
    let found = models(Some(&config));
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].fix.as_deref(),
        Some("export A_VARIABLE_THAT_NOBODY_SETS=…")
    );
}

#[test]
fn a_folder_is_made_and_probed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("a").join("b");
    assert_eq!(writable("data folder", &data).state, Health::Well);
    assert_eq!(
        std::fs::read_dir(&data).unwrap().count(),
        0,
        "the probe is gone"
    );
    std::fs::write(folder.path().join("file"), "").unwrap();
    assert_eq!(
        writable("data folder", &folder.path().join("file").join("x")).state,
        Health::Missing
    );
    assert_eq!(
        disk_space(&folder.path().join("not").join("yet")).name,
        "disk space"
    );
}

#[test]
fn little_space_is_told() {
    assert_eq!(space(LEAST_SPACE - 1, "/").state, Health::Missing);
    assert_eq!(space(LEAST_SPACE, "/").state, Health::Lacking);
    assert_eq!(space(2 * LEAST_SPACE, "/").state, Health::Well);
}

#[test]
fn a_project_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(project(folder.path()).state, Health::Well);
    assert_eq!(project(&folder.path().join("gone")).state, Health::Missing);
}

#[tokio::test]
async fn sockets_that_nobody_listens_on_are_named() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        sockets(&folder.path().join("none")).await.state,
        Health::Well
    );
    let live = tokio::net::UnixListener::bind(folder.path().join("host-1.sock")).unwrap();
    drop(tokio::net::UnixListener::bind(folder.path().join("host-2.sock")).unwrap());
    std::fs::write(folder.path().join("other"), "").unwrap();
    let check = sockets(folder.path()).await;
    assert_eq!(check.state, Health::Lacking);
    let fix = check.fix.unwrap();
    assert!(
        fix.contains("host-2.sock") && !fix.contains("host-1.sock"),
        "{fix}"
    );
    drop(live);
}

#[cfg(unix)]
#[tokio::test]
async fn python_is_asked_for_its_version_and_modules() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let fake = |name: &str, script: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let states = async |path: &Path| -> Vec<Health> {
        python::environment(path)
            .await
            .iter()
            .map(|c| c.state)
            .collect()
    };
    assert_eq!(states(&folder.path().join("gone")).await, [Health::Missing]);
    assert_eq!(states(&fake("old", "echo 3.9.1")).await, [Health::Missing]);
    assert_eq!(states(&fake("odd", "echo hello")).await, [Health::Missing]);
    assert_eq!(states(&fake("broken", "exit 3")).await, [Health::Missing]);
    assert_eq!(
        states(&fake("full", "echo 3.11.2")).await,
        [Health::Well; 5]
    );
    let some = states(&fake("some", "echo 3.11.2; echo xllamacpp")).await;
    assert_eq!(
        some,
        [
            Health::Well,
            Health::Well,
            Health::Well,
            Health::Missing,
            Health::Well
        ]
    );
}
