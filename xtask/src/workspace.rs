//! The repository this command belongs to, and where its pieces lie.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{Result, XtaskError};
use crate::exec::Tool;
use crate::layers::Metadata;

/// The packages whose binaries a performance needs.
const BINARY_PACKAGES: [&str; 5] = [
    "symphony",
    "xi-editor",
    "symphony-sandbox",
    "symphony-code-operators",
    "symphony-openai-compatible",
];

/// The repository, as cargo describes it.
#[derive(Debug)]
pub struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo about the workspace this command was built from.
    ///
    /// # Errors
    /// When cargo cannot be run or does not know the workspace.
    pub fn locate() -> Result<Self> {
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let text = Tool::cargo()
            .args([
                "metadata",
                "--format-version",
                "1",
                "--no-deps",
                "--offline",
            ])
            .dir(&own)
            .read()?;
        let metadata = serde_json::from_str(&text).map_err(|e| XtaskError::Unusable {
            what: "the answer of `cargo metadata`".to_owned(),
            problem: e.to_string(),
        })?;
        Ok(Self { metadata })
    }

    /// What cargo says of the packages.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The repository's folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.metadata.workspace_root
    }

    /// Cargo's output folder.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.metadata.target_directory
    }

    /// This command's own folder below cargo's: logs, downloaded tools.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.target().join("xtask")
    }

    /// The Python of the repository's environment, whether it is there or not.
    #[must_use]
    pub fn python(&self) -> PathBuf {
        self.venv_program("python")
    }

    /// A program of the repository's Python environment.
    #[must_use]
    pub fn venv_program(&self, name: &str) -> PathBuf {
        crate::setup::python::program_in(&self.root().join(".venv"), name)
    }

    /// The development build of one of our binaries.
    #[must_use]
    pub fn binary(&self, name: &str) -> PathBuf {
        let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        self.target().join("debug").join(name)
    }

    /// The variables by which Symphony finds what the repository brings.
    #[must_use]
    pub fn env(&self) -> Vec<(OsString, OsString)> {
        vec![
            ("SYMPHONY_PYTHON".into(), self.python().into()),
            ("SYMPHONY_SHARE".into(), self.root().into()),
            // Tests with real processes take the programs as they are.
            ("SYMPHONY_PROGRAMS_BUILT".into(), "1".into()),
        ]
    }

    /// `cargo build` of every binary a performance needs.
    #[must_use]
    pub fn build_binaries(&self) -> Tool {
        let packages = BINARY_PACKAGES.iter().flat_map(|name| ["-p", name]);
        Tool::cargo()
            .args(["build", "--locked", "--bins"])
            .args(packages)
            .dir(self.root())
    }
}
