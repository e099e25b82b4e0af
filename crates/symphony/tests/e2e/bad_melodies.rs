//! Melodies and command lines that are wrong: the error names what, and nothing is played.

use crate::server::Server;
use crate::shop;
use crate::stage::{Failure, Stage};

const FIND: &str = "[nodes.find]\nplayer = \"operator/find-undocumented\"\n";

/// Plays a melody that is wrong.
fn refused(nodes: &str) -> Failure {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let path = stage.beside("melodies").join("wrong.toml");
    std::fs::write(
        &path,
        format!("schema = \"symphony.melody/1\"\nname = \"wrong\"\n\n{nodes}"),
    )
    .unwrap();
    let path = path.display().to_string();
    let checked = stage.fails(&["melodies", "check", &path], 3);
    let failure = stage.fails(&["perform", &path], 3);
    assert_eq!(
        checked.text, failure.text,
        "checking says what performing says"
    );
    assert_eq!(server.calls(), 0);
    assert_eq!(
        stage.must(&["runs"])["runs"].as_array().unwrap().len(),
        0,
        "no run began"
    );
    failure
}

#[test]
fn e2e_a_cycle_is_named_with_its_path() {
    let failure = refused(
        "[nodes.a]\nplayer = \"operator/stage-edits\"\nwith = { edits = \"{b.kept}\", title = \"x\" }\n\n\
         [nodes.b]\nplayer = \"operator/verify-parses\"\nwith = { edits = \"{c.edits}\" }\n\n\
         [nodes.c]\nplayer = \"operator/apply-edits\"\nwith = { edits = \"{a.refused}\" }\n",
    );
    failure.names(&["cycle", "a", "b", "c"]);
    let arrows = ["a -> b", "a → b", "b → a", "b -> a", "a → c", "c → a"];
    assert!(
        arrows.iter().any(|step| failure.text.contains(step)),
        "{}",
        failure.text
    );
}

#[test]
fn e2e_an_unknown_port_is_named_with_what_there_is() {
    refused(&format!("{FIND}with = {{ limt = 3 }}\n")).names(&["find", "limt", "limit"]);
    refused(&format!("{FIND}\n[output]\nx = \"{{find.itms}}\"\n"))
        .names(&["find", "itms", "items"]);
    refused(&format!("{FIND}\n[output]\nx = \"{{fnd.items}}\"\n")).names(&["fnd"]);
}

#[test]
fn e2e_a_wrong_type_is_named_with_the_expected_one() {
    let failure = refused(&format!(
        "{FIND}\n[nodes.stage]\nplayer = \"operator/stage-edits\"\nwith = {{ edits = \"{{find.found}}\", title = \"x\" }}\n"
    ));
    failure.names(&["stage", "edits", "list<edit>", "integer"]);
    refused(&format!("{FIND}with = {{ limit = \"many\" }}\n")).names(&["find", "limit", "integer"]);
}

#[test]
fn e2e_a_missing_extension_is_named() {
    refused("[nodes.x]\nplayer = \"operator/no-such-tool\"\n").names(&["no-such-tool", "x"]);
}

#[test]
fn e2e_text_that_is_no_melody_is_refused_with_its_line() {
    refused("[nodes.x\n").names(&["wrong.toml"]);
    refused("[nodes.x]\nplayer = \"operator/find-undocumented\"\nplayr = 1\n").names(&["playr"]);
}

#[test]
fn e2e_wrong_command_lines_and_inputs() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    stage.fails(&["perform"], 2);
    stage.fails(&["perform", "document", "--no-such-flag"], 2);
    stage
        .fails(&["perform", "documnt"], 3)
        .names(&["documnt", "document"]);
    stage
        .fails(&["perform", "./no/such.toml"], 3)
        .names(&["such.toml"]);
    stage
        .fails(&["perform", "document", "--input", "limit=many"], 3)
        .names(&["limit", "integer"]);
    stage
        .fails(&["perform", "document", "--input", "limt=1"], 3)
        .names(&["limt"]);
    stage
        .fails(
            &["perform", "document", "--input", "paths=[\"no/such\"]"],
            6,
        )
        .names(&["no/such"]);
    stage
        .fails(&["perform", "document", "--model", "nobody"], 3)
        .names(&["nobody"]);
    stage
        .fails(&["perform", "document", "--player", "nowhere=scripted"], 3)
        .names(&["nowhere"]);
    stage.fails(&["resume", "00000000"], 3).names(&["00000000"]);
    stage.fails(&["artifacts", "show", "zz"], 3).names(&["zz"]);
    assert_eq!(server.calls(), 0);
}

#[test]
fn e2e_wrong_configuration_is_named_with_its_place() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    stage.configure(server.port(), "", "[run]\nnode_timeout = 3\n");
    stage.fails(&["perform", "document"], 3).names(&[
        "node_timeout",
        "config.toml",
        "node_timeout_s",
    ]);
    stage.configure(server.port(), "api_key_env = \"NO_SUCH_KEY_HERE\"", "");
    stage
        .fails(&["perform", "document"], 5)
        .names(&["NO_SUCH_KEY_HERE"]);
}
