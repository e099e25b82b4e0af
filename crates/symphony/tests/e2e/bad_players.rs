//! Extensions that print garbage, die, hang or flood, and manifests that are wrong.

use crate::server::Server;
use crate::shop;
use crate::stage::Stage;
use std::path::Path;

/// Answers the greeting; `invoked` is done with each call.
fn script(invoked: &str) -> String {
    format!(
        r#"import json, os, sys, time

def answer(id, result):
    sys.stdout.write(json.dumps({{"jsonrpc": "2.0", "id": id, "result": result}}) + "\n")
    sys.stdout.flush()

for line in sys.stdin:
    message = json.loads(line)
    if message.get("method") == "initialize":
        answer(message["id"], {{"protocol": "symphony.extension/1", "id": "rogue", "version": "1.0.0"}})
    elif message.get("method") == "invoke":
        {invoked}
"#
    )
}

fn install(folder: &Path, manifest_more: &str, script: &str) {
    let folder = folder.join("rogue");
    std::fs::create_dir_all(&folder).unwrap();
    let manifest = format!(
        "schema = \"symphony.extension/1\"\nid = \"rogue\"\nname = \"Rogue\"\nversion = \"1.0.0\"\ntype = \"operator\"\n\n\
         [run]\ncommand = [\"{{python}}\", \"{{extension}}/rogue.py\"]\nstartup_timeout = \"3s\"\n\n\
         [outputs.said]\ntype = \"text\"\n\n{manifest_more}"
    );
    std::fs::write(folder.join("extension.toml"), manifest).unwrap();
    std::fs::write(folder.join("rogue.py"), script).unwrap();
}

/// A stage that knows the extension `rogue`, and the melody that plays it.
fn with_rogue(manifest_more: &str, script: &str) -> (Stage, String) {
    let stage = Stage::with(&shop::FILES);
    let extensions = stage.beside("extensions");
    install(&extensions, manifest_more, script);
    let more = format!(
        "[extensions]\nsearch_paths = [\"{}\"]\n",
        extensions.display()
    );
    stage.configure(9, "", &more);
    let melody = stage.beside("melodies").join("rogue.toml");
    let text = "schema = \"symphony.melody/1\"\nname = \"rogue\"\n\n[nodes.only]\nplayer = \"operator/rogue\"\n\
                timeout = \"2s\"\nretry = { times = 1, backoff = \"50ms\" }\n\n[output]\nsaid = \"{only.said}\"\n";
    std::fs::write(&melody, text).unwrap();
    let melody = melody.display().to_string();
    (stage, melody)
}

/// Plays a rogue: a clear error in bounded time, nothing left, and the host can do other things.
fn played(script: &str, words: &[&str]) {
    let (stage, melody) = with_rogue("", script);
    let before = stage.tree();
    let failure = stage.fails(&["perform", &melody], 6);
    failure.names(&["rogue", "only"]).names(words).within(30);
    assert!(
        failure.text.len() < 8_000,
        "an error is no dump: {} bytes",
        failure.text.len()
    );
    assert_eq!(stage.tree(), before);
    assert_eq!(stage.newest_run().1, "failed");
    stage.assert_nothing_left();
}

#[test]
fn e2e_a_good_extension_of_ones_own_plays() {
    let (stage, melody) = with_rogue(
        "",
        &script(r#"answer(message["id"], {"outputs": {"said": "well"}})"#),
    );
    assert_eq!(stage.must(&["perform", &melody])["outputs"]["said"], "well");
    stage.assert_nothing_left();
}

#[test]
fn e2e_an_extension_that_prints_garbage() {
    played(
        "print('Hello, I am no extension!', flush=True)\nimport time\ntime.sleep(60)\n",
        &[],
    );
    played(
        &script(r#"os.write(1, b"\xff\xfe garbage \x00 {{{ \n")"#),
        &[],
    );
    played(
        &script(r#"answer(message["id"], {"outputs": {"said": 7}})"#),
        &["said"],
    );
    played(
        &script(r#"answer(message["id"], {"outputs": {}})"#),
        &["said"],
    );
    played(&script(r#"answer(message["id"], [1, 2])"#), &[]);
}

#[test]
fn e2e_an_extension_that_dies() {
    played("raise SystemExit(3)\n", &[]);
    played(&script("os._exit(3)"), &["3"]);
    played(&script("os.kill(os.getpid(), 11)"), &[]);
}

#[test]
fn e2e_an_extension_that_hangs() {
    played("import time\ntime.sleep(600)\n", &[]);
    played(&script("time.sleep(600)"), &[]);
    // One that does not let itself be stopped.
    played(
        &format!(
            "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{}",
            script("time.sleep(600)")
        ),
        &[],
    );
}

#[test]
fn e2e_an_extension_that_floods() {
    played(
        &script(r#"[os.write(1, b"flood\n" * 10000) for _ in iter(int, 1)]"#),
        &[],
    );
    played(
        &script(r#"[os.write(1, b"no end of the line " * 10000) for _ in iter(int, 1)]"#),
        &[],
    );
    played(
        &script(r#"[os.write(2, b"complaints\n" * 10000) for _ in iter(int, 1)]"#),
        &[],
    );
}

#[test]
fn e2e_an_extension_whose_program_is_missing() {
    let (stage, melody) = with_rogue("", "");
    let manifest = stage.beside("extensions").join("rogue/extension.toml");
    let text = std::fs::read_to_string(&manifest)
        .unwrap()
        .replace("{python}", "/no/such/program");
    std::fs::write(&manifest, text).unwrap();
    stage
        .fails(&["perform", &melody], 6)
        .names(&["/no/such/program"])
        .within(20);
}

#[test]
fn e2e_an_extension_without_a_grant_does_not_play() {
    let (stage, melody) = with_rogue(
        "[permissions]\nfilesystem = { read = [\"project\"] }\n",
        &script("pass"),
    );
    stage.fails(&["perform", &melody], 3).names(&["rogue"]);
    let players = stage.must(&["players"]);
    let rogue = players["players"]
        .as_array()
        .unwrap()
        .iter()
        .find(|player| player["player"] == "operator/rogue");
    let rogue = rogue.unwrap_or_else(|| panic!("it is not listed: {players}"));
    assert_eq!(rogue["missing"].as_array().unwrap().len(), 1, "{rogue}");
}

#[test]
fn e2e_a_manifest_with_an_unknown_permission_is_told_by_players() {
    let (stage, melody) = with_rogue(
        "[permissions]\nnetwork = [\"telepathy\"]\n",
        &script("pass"),
    );
    let players = stage.must(&["players"]);
    let problems = players["problems"].to_string();
    assert!(
        problems.contains("telepathy") && problems.contains("extension.toml:"),
        "{problems}"
    );
    stage.fails(&["perform", &melody], 3).names(&["rogue"]);
    // The others play on.
    let server = Server::describing();
    let more = format!(
        "[extensions]\nsearch_paths = [\"{}\"]\n",
        stage.beside("extensions").display()
    );
    stage.configure(server.port(), "", &more);
    stage.document();
}
