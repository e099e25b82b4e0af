//! Which crate may depend on which: `layers.toml` held against the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

/// The kind whose crates may be named under `[dev-dependencies]` only.
const DEV_KIND: &str = "dev";

/// The content of `layers.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layers {
    /// One row a crate, by package name.
    pub crates: BTreeMap<String, Row>,
}

/// What one crate may name in its manifest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What the crate is for, in one word.
    pub kind: String,
    /// Our crates it may name as normal or build dependencies.
    pub may_depend_on: BTreeSet<String>,
    /// Further crates of ours its tests may name.
    #[serde(default)]
    pub tests_may_use: BTreeSet<String>,
}

/// The part of `cargo metadata --no-deps` that the check reads.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// The packages of the workspace.
    pub packages: Vec<Package>,
    /// Where cargo writes its output.
    pub target_directory: std::path::PathBuf,
    /// The folder of the workspace's own `Cargo.toml`.
    pub workspace_root: std::path::PathBuf,
}

/// One package of the workspace with what its manifest names.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// The package's name.
    pub name: String,
    /// Every dependency its manifest declares.
    pub dependencies: Vec<Dependency>,
}

/// One declared dependency.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    /// The package depended on (not the name it is renamed to).
    pub name: String,
    /// `None` for a normal one, else `dev` or `build`.
    pub kind: Option<String>,
}

/// One way the workspace and `layers.toml` disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// A manifest names a crate of ours that its row does not allow.
    ForbiddenEdge {
        /// The crate whose manifest it is.
        from: String,
        /// The crate it names.
        to: String,
        /// Whether it stands under `[dev-dependencies]`.
        dev: bool,
        /// What the row allows.
        allowed: Vec<String>,
    },
    /// A crate of the `dev` kind is named outside `[dev-dependencies]`.
    DevCrateShipped {
        /// The crate whose manifest it is.
        from: String,
        /// The `dev` crate it names.
        to: String,
    },
    /// A crate of the workspace has no row.
    Unlisted {
        /// The crate.
        name: String,
    },
    /// A row, or a name within one, has no crate in the workspace.
    Stale {
        /// The row that mentions it.
        row: String,
        /// The name without a crate.
        name: String,
    },
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForbiddenEdge {
                from,
                to,
                dev,
                allowed,
            } => {
                let table = if *dev {
                    "dev-dependencies"
                } else {
                    "dependencies"
                };
                let allowed = if allowed.is_empty() {
                    "nothing of ours".to_owned()
                } else {
                    allowed.join(", ")
                };
                write!(
                    f,
                    "forbidden edge: {from} -> {to} (under [{table}]); {from} may depend on: {allowed}"
                )
            }
            Self::DevCrateShipped { from, to } => write!(
                f,
                "forbidden edge: {from} -> {to}; {to} is for tests: name it under [dev-dependencies] only"
            ),
            Self::Unlisted { name } => write!(
                f,
                "unlisted crate: {name} has no row in layers.toml; add [crates.{name}] with its kind and may_depend_on"
            ),
            Self::Stale { row, name } if row == name => {
                write!(
                    f,
                    "stale row: [crates.{name}] names no crate of this workspace"
                )
            }
            Self::Stale { row, name } => {
                write!(
                    f,
                    "stale name: [crates.{row}] allows {name}, which is no crate of this workspace"
                )
            }
        }
    }
}

/// Every breach of `layers` in the workspace that `metadata` describes, in the
/// order of the packages; empty when all is well.
#[must_use]
pub fn check(layers: &Layers, metadata: &Metadata) -> Vec<Breach> {
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let mut breaches = Vec::new();
    for package in &metadata.packages {
        match layers.crates.get(&package.name) {
            Some(row) => breaches.extend(check_package(layers, &ours, package, row)),
            None => breaches.push(Breach::Unlisted {
                name: package.name.clone(),
            }),
        }
    }
    breaches.extend(stale(layers, &ours));
    breaches
}

fn check_package(
    layers: &Layers,
    ours: &BTreeSet<&str>,
    package: &Package,
    row: &Row,
) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for dependency in &package.dependencies {
        let to = dependency.name.as_str();
        // A crate's tests may name the crate itself with other features.
        if !ours.contains(to) || to == package.name {
            continue;
        }
        let dev = dependency.kind.as_deref() == Some("dev");
        let is_dev_crate = layers.crates.get(to).is_some_and(|r| r.kind == DEV_KIND);
        if is_dev_crate {
            if !dev {
                let (from, to) = (package.name.clone(), to.to_owned());
                breaches.push(Breach::DevCrateShipped { from, to });
            }
            continue;
        }
        let allowed = row.may_depend_on.contains(to) || (dev && row.tests_may_use.contains(to));
        if !allowed {
            let mut names: Vec<String> = row.may_depend_on.iter().cloned().collect();
            if dev {
                names.extend(row.tests_may_use.iter().cloned());
            }
            breaches.push(Breach::ForbiddenEdge {
                from: package.name.clone(),
                to: to.to_owned(),
                dev,
                allowed: names,
            });
        }
    }
    breaches
}

fn stale(layers: &Layers, ours: &BTreeSet<&str>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (row, content) in &layers.crates {
        let named = content.may_depend_on.iter().chain(&content.tests_may_use);
        for name in std::iter::once(row).chain(named) {
            if !ours.contains(name.as_str()) {
                breaches.push(Breach::Stale {
                    row: row.clone(),
                    name: name.clone(),
                });
            }
        }
    }
    breaches
}
