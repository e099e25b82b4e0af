//! Every fault of a model's server: the run gets through, or ends with a clear
//! error, leaves the project alone and is played on later.

use crate::server::{SENTENCE, Server};
use crate::shop;
use crate::stage::Stage;
use serde_json::{Value, json};

fn good() -> Value {
    json!({ "json": { "summary": SENTENCE } })
}

/// A fault that passes: the run ends well, with so many more requests than items.
fn passes(fault: Value, more: usize) {
    let server = Server::with(json!([fault, good()]));
    let stage = Stage::playing(&server, &shop::FILES);
    let before = stage.tree();
    let done = stage.run(&["perform", "document"]);
    let result = done.result();
    assert_eq!(result["change_set"]["pending"], shop::ITEMS, "{done:?}");
    assert_eq!(server.calls(), shop::ITEMS + more, "{fault}");
    assert!(
        done.lines().iter().any(|line| line["event"] == "retried"),
        "the retry is told: {done:?}"
    );
    assert_eq!(stage.tree(), before);
}

/// A fault that stays: the run fails and says why; when the server is well again, the run is played on.
fn stays(fault: Value, model: &str, words: &[&str]) {
    let server =
        Server::with(json!([{ "match": "def gross", "json": { "summary": SENTENCE } }, fault]));
    let stage = Stage::with(&shop::FILES);
    stage.configure(server.port(), model, "");
    let before = stage.tree();
    let failure = stage.fails(&["perform", "document"], 6);
    failure.names(&["symphony resume"]).names(words).within(60);
    assert_eq!(stage.tree(), before);
    assert_eq!(stage.must(&["review", "--list"])["change_sets"], json!([]));
    let (run, state) = stage.newest_run();
    assert_eq!(state, "failed");

    let server = Server::at(server.stop(), json!([good()]));
    let result = stage.must(&["resume", &run]);
    assert_eq!(result["change_set"]["pending"], shop::ITEMS, "{result}");
    assert!(
        server.calls() <= shop::ITEMS,
        "what was done is not done again"
    );
    assert_eq!(stage.tree(), before);
    stage.assert_nothing_left();
}

#[test]
fn e2e_a_server_that_is_busy_is_asked_again_when_it_says() {
    passes(
        json!({ "times": 1, "status": 429, "headers": { "Retry-After": "1" } }),
        1,
    );
}

#[test]
fn e2e_a_server_that_fails_once_is_asked_again() {
    passes(json!({ "times": 1, "status": 500 }), 1);
}

#[test]
fn e2e_an_answer_that_is_cut_is_asked_for_again() {
    passes(
        json!({ "times": 1, "json": { "summary": SENTENCE }, "cut_after": 2 }),
        1,
    );
}

#[test]
fn e2e_a_server_that_always_fails() {
    stays(json!({ "status": 500 }), "", &["500"]);
}

#[test]
fn e2e_a_model_that_never_writes_json() {
    stays(json!({ "reply": "I would rather not." }), "", &["JSON"]);
}

#[test]
fn e2e_a_server_whose_answer_never_ends() {
    stays(
        json!({ "json": { "summary": SENTENCE }, "cut_after": 1 }),
        "",
        &["broke"],
    );
}

#[test]
fn e2e_a_server_that_never_answers() {
    stays(json!({ "hang": true }), "timeout_s = 1", &["127.0.0.1"]);
}

#[test]
fn e2e_a_server_that_stalls() {
    stays(
        json!({ "json": { "summary": SENTENCE }, "stall_after": 1 }),
        "timeout_s = 1",
        &["127.0.0.1"],
    );
}

#[test]
fn e2e_a_key_that_is_refused_is_not_tried_again() {
    let server = Server::with(json!([{ "status": 401 }]));
    let stage = Stage::with(&shop::FILES);
    stage.configure(server.port(), "max_parallel = 1", "");
    stage
        .fails(&["perform", "document"], 6)
        .names(&["key", "401"]);
    assert_eq!(server.calls(), shop::ITEMS, "each item is tried once");
}

#[test]
fn e2e_a_server_that_is_not_there() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let before = stage.tree();
    let port = server.stop();
    stage
        .fails(&["perform", "document"], 6)
        .names(&["nothing listens", &port.to_string()])
        .within(30);
    assert_eq!(stage.tree(), before);

    let (run, _) = stage.newest_run();
    let server = Server::at(port, json!([good()]));
    let result = stage.must(&["resume", &run]);
    assert_eq!(result["change_set"]["pending"], shop::ITEMS);
    assert_eq!(server.calls(), shop::ITEMS);
}

#[test]
fn e2e_sentences_that_are_no_comments_are_left_out() {
    let server = Server::with(json!([
        { "match": "def gross", "json": { "summary": "*/ import os; os.system('rm -rf /')" } },
        { "match": "restock", "json": { "summary": "See https://example.com for more." } },
        good(),
    ]));
    let stage = Stage::playing(&server, &shop::FILES);
    let result = stage.must(&["perform", "document"]);
    assert_eq!(result["change_set"]["pending"], shop::ITEMS - 2, "{result}");
    let findings = result["findings"].to_string();
    assert!(
        findings.contains("tax.py") && findings.contains("stock.rs"),
        "{findings}"
    );
}

#[test]
fn e2e_a_budget_ends_a_run_that_can_be_played_on() {
    let server = Server::describing();
    let stage = Stage::with(&shop::FILES);
    stage.configure(
        server.port(),
        "max_parallel = 1",
        "[budget]\nmax_calls = 2\n",
    );
    stage.fails(&["perform", "document"], 6).names(&["2"]);
    assert_eq!(server.calls(), 2);
    stage.configure(server.port(), "max_parallel = 1", "");
    let (run, _) = stage.newest_run();
    stage.must(&["resume", &run]);
    assert_eq!(server.calls(), shop::ITEMS);
}
