//! Several commands on one project at once: one host, one run.

use crate::server::Server;
use crate::shop;
use crate::stage::{Stage, run_of};
use std::time::Duration;

#[test]
fn e2e_one_run_at_a_time_and_others_join_its_host() {
    let server = Server::describing_after(400);
    let stage = Stage::playing(&server, &shop::FILES);
    let first = stage.start(&["perform", "document"]);
    server.wait_for_calls(1);

    let status = stage.must(&["status"]);
    assert_eq!(status["pid"], first.id(), "the running host answers");
    let playing = status["playing"]
        .as_str()
        .unwrap_or_else(|| panic!("no run is playing: {status}"))
        .to_owned();
    let failure = stage.fails(&["perform", "document"], 4);
    failure.names(&[&playing, "document"]).within(5);
    let runs = stage.must(&["runs"]);
    assert_eq!(
        (&runs["runs"][0]["state"], &runs["runs"][0]["id"]),
        (&"playing".into(), &playing.as_str().into()),
        "{runs}"
    );
    stage.fails(&["resume", &playing], 4);

    let done = first.wait();
    done.result();
    assert_eq!(run_of(&done), playing);
    assert_eq!(server.calls(), shop::ITEMS);
    assert_eq!(stage.newest_run(), (playing, "succeeded".to_owned()));
    stage.assert_nothing_left();
}

#[test]
fn e2e_commands_started_together_all_get_their_answer() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    stage.document();
    let all: Vec<_> = (0..6).map(|_| stage.start(&["review", "--list"])).collect();
    for running in all {
        let done = running.wait();
        assert_eq!(done.result()["change_sets"].as_array().unwrap().len(), 1);
        assert!(done.elapsed < Duration::from_secs(20), "{done:?}");
    }
    stage.assert_nothing_left();
}

#[test]
fn e2e_two_reviews_at_once_write_once() {
    let server = Server::describing();
    let files = shop::many(12);
    let stage = Stage::playing(&server, &shop::borrowed(&files));
    let before = stage.tree();
    stage.document();
    let both = [
        stage.start(&["review", "--accept"]),
        stage.start(&["review", "--accept"]),
    ];
    let codes: Vec<_> = both.map(|running| running.wait().code).into();
    assert!(codes.contains(&Some(0)), "{codes:?}");
    for (path, _) in &files {
        assert_eq!(
            stage.read(path).matches("\"\"\"").count(),
            2,
            "written once"
        );
    }
    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before);
}

#[test]
fn e2e_a_change_set_is_accepted_while_a_run_plays() {
    let server = Server::describing_after(300);
    let stage = Stage::playing(&server, &shop::FILES);
    let before = stage.tree();
    let id = stage.document();
    let calls = server.calls();
    let run = stage.start(&["perform", "document", "--fresh"]);
    server.wait_for_calls(calls + 1);
    stage.must(&["review", &id, "--accept"]);
    let accepted = stage.tree();
    assert_ne!(accepted, before);
    // What the run found is no longer so; it says that and changes nothing.
    let result = run.wait().result();
    assert_eq!(result["change_set"], serde_json::Value::Null, "{result}");
    assert!(
        result["findings"].to_string().contains("changed"),
        "{result}"
    );
    assert_eq!(stage.tree(), accepted);
    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before);
    stage.assert_nothing_left();
}

#[test]
fn e2e_a_command_killed_while_it_joined_disturbs_nothing() {
    let server = Server::describing_after(300);
    let stage = Stage::playing(&server, &shop::FILES);
    let run = stage.start(&["perform", "document"]);
    server.wait_for_calls(1);
    for pause in [5, 20, 40] {
        let guest = stage.start(&["runs"]);
        std::thread::sleep(Duration::from_millis(pause));
        guest.kill();
    }
    assert_eq!(run.wait().result()["change_set"]["pending"], shop::ITEMS);
    stage.assert_nothing_left();
}
