//! The workspace keeps to `layers.toml`, and the check can tell when it does not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use xtask::layers::{Breach, Layers, Metadata, check};
use xtask::workspace::Workspace;

fn layers(text: &str) -> Layers {
    toml::from_str(text).unwrap()
}

/// A dependency: its package, and its kind as cargo writes it.
type Edge<'a> = (&'a str, Option<&'a str>);

/// Packages as `(name, [(dependency, kind)])`, as cargo would describe them.
fn metadata(packages: &[(&str, &[Edge<'_>])]) -> Metadata {
    let packages: Vec<_> = packages
        .iter()
        .map(|(name, dependencies)| {
            let dependencies: Vec<_> = dependencies
                .iter()
                .map(|(name, kind)| serde_json::json!({ "name": name, "kind": kind }))
                .collect();
            serde_json::json!({ "name": name, "dependencies": dependencies })
        })
        .collect();
    serde_json::from_value(serde_json::json!({
        "packages": packages, "target_directory": "target", "workspace_root": "."
    }))
    .unwrap()
}

const TABLE: &str = r#"
[crates.base]
kind = "foundation"
may_depend_on = []
[crates.rules]
kind = "rules"
may_depend_on = ["base"]
tests_may_use = ["edge"]
[crates.edge]
kind = "edge"
may_depend_on = ["base", "rules"]
[crates.kit]
kind = "dev"
may_depend_on = ["base"]
"#;

/// A workspace that keeps to [`TABLE`], with `rules` as given.
fn with_rules(dependencies: &[Edge<'_>]) -> Metadata {
    metadata(&[
        ("base", &[("serde", None), ("kit", Some("dev"))]),
        ("rules", dependencies),
        (
            "edge",
            &[("base", None), ("rules", None), ("kit", Some("dev"))],
        ),
        ("kit", &[("base", None)]),
    ])
}

#[test]
fn the_workspace_keeps_its_layers() {
    let workspace = Workspace::locate().unwrap();
    let text = std::fs::read_to_string(workspace.root().join("layers.toml")).unwrap();
    let breaches = check(&layers(&text), workspace.metadata());
    let list: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert!(
        list.is_empty(),
        "layers.toml does not hold:\n  {}\n",
        list.join("\n  ")
    );
    assert!(
        workspace.metadata().packages.len() > 10,
        "the whole workspace was read"
    );
}

#[test]
fn every_crate_without_the_world_bans_it() {
    let workspace = Workspace::locate().unwrap();
    let crates: &Path = &workspace.root().join("crates");
    for name in [
        "symphony-core-ports",
        "symphony-domain",
        "symphony-pool-manager",
        "symphony-dag-tracker",
        "symphony-artifact-store",
        "symphony-arbitration-engine",
        "symphony-stale-manager",
    ] {
        let path = crates.join(name).join("clippy.toml");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        let table: toml::Table = toml::from_str(&text).unwrap();
        let methods = table["disallowed-methods"].to_string();
        for banned in [
            "std::time::SystemTime::now",
            "tokio::time::sleep",
            "uuid::Uuid::new_v4",
        ] {
            assert!(methods.contains(banned), "{name} allows {banned}");
        }
        let types = table["disallowed-types"].to_string();
        for banned in ["std::net::TcpStream", "std::process::Command"] {
            assert!(types.contains(banned), "{name} allows {banned}");
        }
    }
}

#[test]
fn a_clean_workspace_has_no_breach() {
    let metadata = with_rules(&[("base", None), ("tokio", None), ("kit", Some("dev"))]);
    assert_eq!(check(&layers(TABLE), &metadata), []);
}

#[test]
fn a_forbidden_edge_is_named_with_the_allowed_ones() {
    let breaches = check(
        &layers(TABLE),
        &with_rules(&[("base", None), ("edge", None)]),
    );
    assert_eq!(breaches.len(), 1);
    let message = breaches[0].to_string();
    assert!(
        message.contains("forbidden edge: rules -> edge"),
        "{message}"
    );
    assert!(message.ends_with("rules may depend on: base"), "{message}");
}

#[test]
fn a_build_dependency_counts_as_an_edge() {
    let breaches = check(&layers(TABLE), &with_rules(&[("edge", Some("build"))]));
    assert!(
        matches!(breaches[..], [Breach::ForbiddenEdge { dev: false, .. }]),
        "{breaches:?}"
    );
}

#[test]
fn tests_may_use_more_than_the_crate_itself_but_not_everything() {
    assert_eq!(
        check(&layers(TABLE), &with_rules(&[("edge", Some("dev"))])),
        []
    );
    let metadata = metadata(&[
        ("base", &[("edge", Some("dev"))]),
        ("rules", &[]),
        ("edge", &[]),
        ("kit", &[]),
    ]);
    let breaches = check(&layers(TABLE), &metadata);
    assert!(
        matches!(breaches[..], [Breach::ForbiddenEdge { dev: true, .. }]),
        "{breaches:?}"
    );
    assert!(
        breaches[0].to_string().contains("nothing of ours"),
        "{}",
        breaches[0]
    );
}

#[test]
fn a_dev_crate_may_not_ship() {
    let breaches = check(&layers(TABLE), &with_rules(&[("kit", None)]));
    let (from, to) = ("rules".to_owned(), "kit".to_owned());
    assert_eq!(breaches, [Breach::DevCrateShipped { from, to }]);
}

#[test]
fn a_crate_without_a_row_is_unlisted() {
    let mut metadata = with_rules(&[]);
    metadata
        .packages
        .extend(self::metadata(&[("stranger", &[])]).packages);
    assert_eq!(
        check(&layers(TABLE), &metadata),
        [Breach::Unlisted {
            name: "stranger".to_owned()
        }]
    );
}

#[test]
fn a_row_without_a_crate_is_stale() {
    let table = format!("{TABLE}\n[crates.gone]\nkind = \"edge\"\nmay_depend_on = [\"lost\"]\n");
    let list: Vec<String> = check(&layers(&table), &with_rules(&[]))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(list.len(), 2, "{list:?}");
    assert!(list[0].starts_with("stale row: [crates.gone]"), "{list:?}");
    assert!(
        list[1].starts_with("stale name: [crates.gone] allows lost"),
        "{list:?}"
    );
}

#[test]
fn a_misspelt_key_in_the_table_is_refused() {
    let text = "[crates.a]\nkind = \"edge\"\nmay_depends_on = []\n";
    assert!(toml::from_str::<Layers>(text).is_err());
}
