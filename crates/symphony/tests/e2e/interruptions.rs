//! Processes that are killed in the middle, and Ctrl-C: nothing is done twice,
//! lost, or left.

use crate::server::Server;
use crate::shop;
use crate::stage::{Running, Stage, run_of};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PARTS: usize = 8;

/// How often each part was asked for.
fn asked(server: &Server) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for question in server.questions() {
        let part = question
            .split("def ")
            .nth(1)
            .unwrap()
            .split('(')
            .next()
            .unwrap()
            .to_owned();
        *asked.entry(part).or_default() += 1;
    }
    asked
}

/// Plays `document` over [`PARTS`] slow items, interrupts it, plays on; counts calls.
fn interrupted(interrupt: impl FnOnce(&Stage, Running)) {
    let server = Server::describing_after(600);
    let files = shop::many(PARTS);
    let stage = Stage::playing(&server, &shop::borrowed(&files));
    let before = stage.tree();
    let running = stage.start(&["perform", "document"]);
    server.wait_for_calls(5);
    // The answers before have arrived by now; these are on their way.
    std::thread::sleep(Duration::from_millis(250));
    interrupt(&stage, running);
    stage.assert_nothing_left();
    assert_eq!(stage.tree(), before);
    let calls = server.calls();
    assert!(calls < PARTS, "the run was over before it was interrupted");

    let (run, state) = stage.newest_run();
    assert!(state == "interrupted" || state == "cancelled", "{state}");
    let result = stage.must(&["resume", &run]);
    assert_eq!(result["change_set"]["pending"], PARTS, "{result}");
    let in_flight = server.gone();
    assert!(in_flight <= 2, "two calls at once at most: {in_flight}");
    assert_eq!(
        server.calls(),
        PARTS + in_flight,
        "only what was in flight is asked again: {:?}",
        asked(&server)
    );
    assert_eq!(asked(&server).len(), PARTS);

    stage.must(&["review", "--accept"]);
    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before);
    stage.assert_nothing_left();
}

#[test]
fn e2e_killed_in_the_middle_it_is_played_on() {
    interrupted(|_, running| running.kill());
}

#[test]
fn e2e_stopped_by_ctrl_c_it_is_played_on() {
    interrupted(|_, running| {
        running.signal(Signal::INT);
        let done = running.wait();
        assert!(done.elapsed < Duration::from_secs(30));
        let run = run_of(&done);
        done.failure(130)
            .names(&[&format!("symphony resume {run}")]);
    });
}

#[test]
fn e2e_two_ctrl_c_end_it_at_once() {
    interrupted(|_, running| {
        running.signal(Signal::INT);
        running.signal(Signal::TERM);
        let start = Instant::now();
        let done = running.wait();
        assert_eq!(done.code, Some(130), "{done:?}");
        assert!(start.elapsed() < Duration::from_secs(5));
    });
}

/// Kills a child while items are asked for: the run ends well, each part has its one comment.
fn child_killed(name: &str, may_be_asked_again: usize) {
    let server = Server::describing_after(250);
    let files = shop::many(PARTS);
    let stage = Stage::playing(&server, &shop::borrowed(&files));
    let before = stage.tree();
    let mut running = stage.start(&["perform", "document"]);
    server.wait_for_calls(3);
    running
        .wait_for_child(name)
        .unwrap_or_else(|| panic!("there is no {name}"))
        .kill();
    let done = running.wait();
    assert_eq!(done.result()["change_set"]["pending"], PARTS, "{done:?}");
    assert!(
        server.calls() <= PARTS + may_be_asked_again,
        "{:?}",
        asked(&server)
    );
    stage.must(&["review", "--accept"]);
    for (path, text) in &files {
        let now = stage.read(path);
        assert_eq!(
            now.matches("\"\"\"").count(),
            2,
            "one comment, not lost and not doubled: {now}"
        );
        let code: String = now
            .lines()
            .filter(|line| !line.contains("\"\"\""))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(&code, text);
    }
    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before);
    stage.assert_nothing_left();
}

#[test]
fn e2e_the_models_process_is_killed_in_the_middle() {
    child_killed("symphony-openai-compatible", 2);
}

#[test]
fn e2e_the_text_engine_is_killed_in_the_middle() {
    child_killed("xi-editor", 0);
}

#[test]
fn e2e_the_starter_of_processes_is_killed_in_the_middle() {
    let server = Server::describing_after(250);
    let files = shop::many(4);
    let stage = Stage::playing(&server, &shop::borrowed(&files));
    let mut running = stage.start(&["perform", "document"]);
    server.wait_for_calls(1);
    if let Some(runner) = running.wait_for_child("symphony-extension-runner") {
        runner.kill();
    }
    // Well or not, it ends, with everything under it.
    let done = running.wait();
    assert!(matches!(done.code, Some(0 | 1 | 5 | 6)), "{done:?}");
    assert!(!done.stderr.contains("panicked"), "{done:?}");
    stage.assert_nothing_left();
    if done.code != Some(0) {
        let (run, _) = stage.newest_run();
        stage.must(&["resume", &run]);
    }
}

/// After whatever happened to a review: all of it or nothing is written, a second one completes it.
fn assert_whole(stage: &Stage, files: &[(String, String)], what: &str) {
    stage.must(&["review", "--list"]);
    let accepted = files
        .iter()
        .filter(|(path, text)| stage.read(path) != *text)
        .count();
    assert!(
        accepted == 0 || accepted == files.len(),
        "{what}: half written, {accepted} of {}",
        files.len()
    );
    if accepted == 0 {
        stage.must(&["review", "--accept"]);
    }
    for (path, _) in files {
        let now = stage.read(path);
        assert_eq!(now.matches("\"\"\"").count(), 2, "{what}: {path}: {now}");
    }
    let left_over = stage.tree().len() - files.len();
    assert_eq!(left_over, 0, "{what}: {:?}", stage.tree().keys());
    stage.must(&["undo"]);
}

#[test]
fn e2e_a_review_whose_text_engine_is_killed_is_whole() {
    let server = Server::describing();
    let files = shop::many(25);
    let stage = Stage::playing(&server, &shop::borrowed(&files));
    let before = stage.tree();
    for pause in [0, 5, 15, 30, 60] {
        stage.must(&["perform", "document"]);
        let mut running = stage.start(&["review", "--accept"]);
        if let Some(engine) = running.wait_for_child("xi-editor") {
            std::thread::sleep(Duration::from_millis(pause));
            engine.kill();
        }
        let done = running.wait();
        assert!(!done.stderr.contains("panicked"), "{done:?}");
        assert!(done.code.is_some(), "{done:?}");
        assert_whole(
            &stage,
            &files,
            &format!("killed after {pause} ms, {:?}", done.code),
        );
        assert_eq!(stage.tree(), before, "killed after {pause} ms");
    }
    stage.assert_nothing_left();
}

#[test]
fn e2e_a_review_that_is_killed_is_whole() {
    let server = Server::describing();
    let files = shop::many(25);
    let stage = Stage::playing(&server, &shop::borrowed(&files));
    let before = stage.tree();
    for pause in [10, 40, 80, 120, 160] {
        stage.must(&["perform", "document"]);
        let mut running = stage.start(&["review", "--accept"]);
        running.wait_for_child("xi-editor");
        std::thread::sleep(Duration::from_millis(pause));
        running.kill();
        assert_whole(&stage, &files, &format!("killed after {pause} ms"));
        assert_eq!(stage.tree(), before, "killed after {pause} ms");
    }
    stage.assert_nothing_left();
}
