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
fn e2e_a_guests_run_stops_when_the_guest_goes() {
    let server = Server::describing_after(400);
    let files = shop::many(8);
    let stage = Stage::playing(&server, &shop::borrowed(&files));
    // A review that asks would be a host for long; a run is one, too: the second run is its guest's.
    let host = stage.start(&[
        "perform",
        "document",
        "--input",
        "paths=[\"parts/part_00.py\"]",
    ]);
    server.wait_for_calls(1);
    let guest = stage.start(&["runs"]);
    guest.wait().result();
    host.wait().result();
    stage.assert_nothing_left();
}
