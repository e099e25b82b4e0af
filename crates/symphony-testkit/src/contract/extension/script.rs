//! The test extensions as processes.

use super::Behaviour;
use crate::manifest;
use std::path::Path;
use symphony_core_ports::ExtensionManifest;

/// A program for Python 3.9 and later, without dependencies: the test extension
/// that its one argument names ([`Behaviour::id`]).
pub const SCRIPT: &str = include_str!("misbehave.py");

/// The manifest that starts [`SCRIPT`], saved as `misbehave.py` in `folder`,
/// with the program `python` (absolute).
pub fn script_manifest(behaviour: Behaviour, folder: &Path, python: &str) -> ExtensionManifest {
    let script = folder.join("misbehave.py").to_string_lossy().into_owned();
    let program = match behaviour {
        Behaviour::Missing => folder
            .join("no-such-program")
            .to_string_lossy()
            .into_owned(),
        _ => python.to_owned(),
    };
    let command = vec![program, "-u".into(), script, behaviour.id().to_owned()];
    manifest::operator(behaviour.id())
        .optional_input("value", "json")
        .optional_output("value", "json")
        .deterministic(false)
        .launch(folder, command)
        .build()
}
