//! What is written as text: port types, permissions, players, artifact ids.

#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::prelude::*;
use serde_json::{Value, json};
use symphony_core_ports::{
    ArtifactId, ExtensionType, FileScope, KNOWN_PERMISSIONS, NetworkScope, Permission, PlayerRef,
    PortType,
};

fn port_type() -> impl Strategy<Value = PortType> {
    let basic = prop_oneof![
        Just(PortType::Json),
        Just(PortType::Text),
        Just(PortType::Integer),
        Just(PortType::Number),
        Just(PortType::Boolean),
        Just(PortType::Path),
        "x[a-z0-9-]{0,8}".prop_map(PortType::Record),
    ];
    basic.prop_recursive(4, 5, 1, |inner| inner.prop_map(PortType::list))
}

proptest! {
    #[test]
    fn port_types_come_back(port_type in port_type()) {
        let text = port_type.to_string();
        prop_assert_eq!(text.parse::<PortType>().unwrap(), port_type.clone());
        let json = serde_json::to_value(&port_type).unwrap();
        prop_assert_eq!(&json, &Value::String(text));
        prop_assert_eq!(serde_json::from_value::<PortType>(json).unwrap(), port_type);
    }

    #[test]
    fn any_text_parses_or_is_refused(text in "\\PC{0,40}|(list<){0,12}[a-z<>-]{0,12}>{0,12}") {
        match text.parse::<PortType>() {
            Ok(port_type) => prop_assert_eq!(port_type.to_string(), text.as_str()),
            Err(error) => prop_assert!(error.to_string().contains("is no port type")),
        }
        if let Ok(permission) = text.parse::<Permission>() {
            prop_assert_eq!(permission.to_string(), text.clone());
        }
        if let Ok(player) = text.parse::<PlayerRef>() {
            prop_assert_eq!(player.to_string(), text.clone());
        }
        if let Ok(id) = text.parse::<ArtifactId>() {
            prop_assert_eq!(id.as_str(), text);
        }
    }

    #[test]
    fn a_type_fits_itself_and_json(a in port_type()) {
        prop_assert!(a.fits(&a));
        prop_assert!(a.fits(&PortType::Json) && PortType::Json.fits(&a));
    }

    #[test]
    fn lists_fit_as_their_elements(a in port_type(), b in port_type()) {
        prop_assert_eq!(a.clone().list().fits(&b.clone().list()), a.fits(&b));
        if b != PortType::Json && !matches!(b, PortType::List(_)) {
            prop_assert!(!a.list().fits(&b));
        }
    }

    #[test]
    fn records_fit_by_name(a in "x[a-z]{1,4}", b in "x[a-z]{1,4}") {
        let fits = PortType::Record(a.clone()).fits(&PortType::Record(b.clone()));
        prop_assert_eq!(fits, a == b);
    }

    #[test]
    fn hashes_come_back_as_ids(hash in any::<[u8; 32]>()) {
        let id = ArtifactId::from_blake3(hash);
        prop_assert_eq!(id.as_str().parse::<ArtifactId>().unwrap(), id.clone());
        prop_assert_eq!(id.short(), &id.as_str()[3..11]);
        let json = serde_json::to_string(&id).unwrap();
        prop_assert_eq!(serde_json::from_str::<ArtifactId>(&json).unwrap(), id);
    }
}

#[test]
fn port_types_are_written_as_documented() {
    for (text, expected) in [
        ("json", PortType::Json),
        ("text", PortType::Text),
        ("integer", PortType::Integer),
        ("number", PortType::Number),
        ("boolean", PortType::Boolean),
        ("path", PortType::Path),
        ("edit", PortType::Record("edit".into())),
        ("search-replace", PortType::Record("search-replace".into())),
        ("list<edit>", PortType::Record("edit".into()).list()),
        ("list<list<text>>", PortType::Text.list().list()),
    ] {
        assert_eq!(text.parse::<PortType>().as_ref(), Ok(&expected));
        assert_eq!(expected.to_string(), text);
    }
}

#[test]
fn bad_port_types_are_refused_with_what_was_written() {
    let deep = format!("{}text{}", "list<".repeat(9), ">".repeat(9));
    let endless = "list<".repeat(100_000);
    for text in [
        "",
        " ",
        "Text",
        "te xt",
        "list<",
        "list<>",
        "list<text",
        "list<text>>",
        "list <text>",
        "-edit",
        "9edit",
        "edit!",
        "édit",
        "map<text>",
        &deep,
        &endless,
    ] {
        let error = text.parse::<PortType>().unwrap_err();
        assert_eq!(error.0, text);
    }
    let deepest = format!("{}text{}", "list<".repeat(8), ">".repeat(8));
    assert!(deepest.parse::<PortType>().is_ok());
}

#[test]
fn only_these_types_change_on_a_wire() {
    let basic = [
        PortType::Text,
        PortType::Integer,
        PortType::Number,
        PortType::Boolean,
        PortType::Path,
        PortType::Record("edit".into()),
        PortType::Text.list(),
    ];
    let mut fits = Vec::new();
    for a in &basic {
        for b in basic.iter().filter(|b| *b != a) {
            if a.fits(b) {
                fits.push(format!("{a} to {b}"));
            }
        }
    }
    assert_eq!(fits, ["text to path", "integer to number", "path to text"]);
}

#[test]
fn types_admit_their_values() {
    let edit: PortType = "edit".parse().unwrap();
    for (port_type, good, bad) in [
        (PortType::Text, json!("a"), json!(1)),
        (PortType::Path, json!("src/a.rs"), json!(["src"])),
        (PortType::Integer, json!(-7), json!(1.5)),
        (PortType::Integer, json!(u64::MAX), json!("7")),
        (PortType::Number, json!(1.5), json!("1.5")),
        (PortType::Number, json!(1), json!(null)),
        (PortType::Boolean, json!(false), json!(0)),
        (edit.clone(), json!({"path": "a"}), json!("edit")),
        (edit.list(), json!([{}, {}]), json!([{}, 1])),
        (PortType::Text.list(), json!([]), json!({})),
    ] {
        assert!(port_type.admits(&good), "{port_type}: {good}");
        assert!(!port_type.admits(&bad), "{port_type}: {bad}");
        assert!(PortType::Json.admits(&good) && PortType::Json.admits(&bad));
    }
}

#[test]
fn permissions_are_written_as_documented() {
    for (text, expected) in [
        (
            "filesystem.read:project",
            Permission::ReadFiles(FileScope::Project),
        ),
        (
            "filesystem.read:data",
            Permission::ReadFiles(FileScope::Data),
        ),
        (
            "filesystem.write:project",
            Permission::WriteFiles(FileScope::Project),
        ),
        (
            "filesystem.write:data",
            Permission::WriteFiles(FileScope::Data),
        ),
        (
            "network:loopback",
            Permission::Network(NetworkScope::Loopback),
        ),
        (
            "network:configured",
            Permission::Network(NetworkScope::Configured),
        ),
        (
            "network:api.openai.com:443",
            Permission::Network(NetworkScope::Host("api.openai.com:443".into())),
        ),
        (
            "secret:OPENAI_API_KEY",
            Permission::Secret("OPENAI_API_KEY".into()),
        ),
    ] {
        assert_eq!(text.parse::<Permission>().as_ref(), Ok(&expected));
        assert_eq!(expected.to_string(), text);
        let json = serde_json::to_string(&expected).unwrap();
        assert_eq!(serde_json::from_str::<Permission>(&json).unwrap(), expected);
    }
}

#[test]
fn unknown_permissions_are_refused_with_the_known_ones() {
    for text in [
        "",
        "filesystem",
        "filesystem.read",
        "filesystem.read:",
        "filesystem.read:/etc",
        "filesystem.read:home",
        "filesystem.execute:project",
        "filesystem.write:Project",
        "network",
        "network:",
        "network:*",
        "network:example.org",
        "network:example.org:",
        "network:example.org:https",
        "network:example.org:65536",
        "network::443",
        "secret:",
        "everything",
        " network:loopback",
    ] {
        let error = text.parse::<Permission>().unwrap_err();
        assert_eq!(error.0, text);
        assert!(error.to_string().contains(KNOWN_PERMISSIONS));
        let json = serde_json::from_value::<Permission>(json!(text));
        assert!(json.unwrap_err().to_string().contains("unknown permission"));
    }
}

#[test]
fn every_permission_named_as_known_is_known() {
    for known in KNOWN_PERMISSIONS.split(", ") {
        let concrete = known
            .replace("HOST:PORT", "example.org:443")
            .replace("NAME", "TOKEN");
        assert!(concrete.parse::<Permission>().is_ok(), "{concrete}");
    }
}

#[test]
fn players_are_written_as_documented() {
    let any_instrument: PlayerRef = "instrument/*".parse().unwrap();
    assert_eq!(any_instrument.id, None);
    assert_eq!(any_instrument.to_string(), "instrument/*");
    let named: PlayerRef = "operator/stage-edits".parse().unwrap();
    assert_eq!(
        named,
        PlayerRef::named(ExtensionType::Operator, "stage-edits")
    );
    let json = serde_json::to_value(&named).unwrap();
    assert_eq!(json, json!("operator/stage-edits"));
    assert_eq!(serde_json::from_value::<PlayerRef>(json).unwrap(), named);
}

#[test]
fn bad_players_are_refused_with_what_was_written() {
    for text in [
        "",
        "/",
        "operator",
        "operator/",
        "instrument/",
        "operator/*",
        "motif/a",
        "motif/*",
        "Operator/a",
        "conductor/a",
        "stage-edits",
        " operator/a",
    ] {
        let error = text.parse::<PlayerRef>().unwrap_err();
        assert_eq!(error.0, text);
        assert!(error.to_string().contains("names no player"));
    }
}

#[test]
fn bad_artifact_ids_are_refused() {
    let hex = "0123456789abcdef".repeat(4);
    assert!(format!("b3:{hex}").parse::<ArtifactId>().is_ok());
    for text in [
        String::new(),
        hex.clone(),
        format!("b3:{}", &hex[1..]),
        format!("b3:{hex}0"),
        format!("b3:{}", hex.to_uppercase()),
        format!("sha256:{hex}"),
        format!("b3:{}g", &hex[1..]),
        format!("b3:{}é", &hex[2..]),
    ] {
        assert_eq!(text.parse::<ArtifactId>().unwrap_err().0, text);
        assert!(serde_json::from_value::<ArtifactId>(json!(text)).is_err());
    }
}
