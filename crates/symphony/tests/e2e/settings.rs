//! Settings that are seen only from outside: each changes what happens.

use crate::server::{SENTENCE, Server};
use crate::shop;
use crate::stage::Stage;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use symphony_adapters::{environment::SystemClock, pit::PitAdapter};
use symphony_core_ports::{ArtifactId, DagTracking, NewRun, RunId, RunOutcome};

/// One question for each item, without a word on retries.
const ASKING: &str = r#"
schema = "symphony.melody/1"
name = "asking"
[nodes.find]
player = "operator/find-undocumented"
[nodes.describe]
player = "instrument/scripted"
for_each = "{find.items}"
retry = { backoff = "1ms" }
[nodes.describe.prompt]
user = "{item.name}"
schema = { type = "object", properties = { summary = { type = "string" } } }
"#;

fn asking(stage: &Stage) -> String {
    let path = stage.beside("melodies").join("asking.toml");
    std::fs::write(&path, ASKING).unwrap();
    path.display().to_string()
}

#[test]
fn e2e_run_retries_counts_where_the_melody_does_not() {
    let server = Server::with(json!([{ "status": 500 }]));
    let stage = Stage::with(&shop::FILES[..1]);
    let melody = asking(&stage);
    for (retries, calls) in [(0, 1), (3, 1 + 4)] {
        let more = format!("[run]\nretries = {retries}\n");
        stage.configure(server.port(), "max_parallel = 1", &more);
        stage.fails(&["perform", &melody], 6);
        assert_eq!(server.calls(), calls, "{retries} retries");
    }
}

/// Milliseconds that four questions took, each of which takes 300.
fn asked_for(run: &str) -> u64 {
    let server = Server::with(json!([{ "delay_ms": 300, "json": { "summary": SENTENCE } }]));
    let stage = Stage::with(&shop::FILES);
    let melody = asking(&stage);
    stage.configure(server.port(), "max_parallel = 4", run);
    let done = stage.run(&["perform", &melody]);
    done.result();
    let finished = |line: &Value| line["event"] == "node_finished" && line["node"] == "describe";
    let lines = done.lines();
    let describe = lines.iter().find(|line| finished(line)).unwrap();
    describe["elapsed_ms"].as_u64().unwrap()
}

#[test]
fn e2e_run_max_parallel_bounds_what_is_under_way() {
    let took = asked_for("[run]\nmax_parallel = 1\n");
    assert!(took >= 4 * 300, "one after the other: {took} ms");
}

#[test]
fn e2e_a_text_engine_that_does_not_answer_is_a_clear_error() {
    let mut stage = Stage::with(&shop::FILES[..1]);
    let programs = stage.beside("programs");
    let built = Path::new(env!("CARGO_BIN_EXE_symphony"));
    for name in ["symphony", "symphony-extension-runner"] {
        let (from, to) = (built.with_file_name(name), programs.join(name));
        if std::fs::hard_link(&from, &to).is_err() {
            std::fs::copy(&from, &to).unwrap();
        }
    }
    let silent = programs.join("xi-editor");
    std::fs::write(&silent, "#!/bin/sh\nexec sleep 60\n").unwrap();
    std::fs::set_permissions(&silent, std::fs::Permissions::from_mode(0o755)).unwrap();
    let name = "SYMPHONY_EDITOR__STARTUP_TIMEOUT_MS";
    stage.variables.push((name.to_owned(), "400".to_owned()));
    let done = stage.start_program(&programs.join("symphony"), &["runs"]);
    let done = done.wait();
    let code = done.code.unwrap();
    done.failure(code)
        .names(&["xi-editor", "400ms", "editor.startup_timeout_ms"])
        .within(10);
    stage.assert_nothing_left();
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The project's folder of runs, and it as Symphony has it open.
async fn pit(stage: &Stage) -> (std::path::PathBuf, PitAdapter) {
    let state = stage.must(&["status"])["state"]
        .as_str()
        .unwrap()
        .to_owned();
    let folder = Path::new(&state).join("pit");
    let pit = PitAdapter::open(&folder, Arc::new(SystemClock)).unwrap();
    (folder.join("dag/runs"), pit)
}

/// Makes these runs end as if they had ended then, and some that did not succeed.
async fn backdate(stage: &Stage, runs: &[&str], when: SystemTime) {
    let (logs, pit) = pit(stage).await;
    for run in runs {
        let run = RunId::new(*run);
        let outcome = pit.run(&run).await.unwrap().outcome.unwrap();
        pit.finish_run(&run, outcome, when).await.unwrap();
    }
    let error = "no luck".to_owned();
    for (run, outcome) in [
        ("0000000a", None),
        ("0000000b", Some(RunOutcome::Cancelled)),
        ("0000000c", Some(RunOutcome::Failed { error })),
    ] {
        let new = NewRun {
            id: run.into(),
            melody: "document".to_owned(),
            plan: ArtifactId::from_blake3([1; 32]),
            started: when,
        };
        pit.begin_run(new).await.unwrap();
        if let Some(outcome) = outcome {
            pit.finish_run(&run.into(), outcome, when).await.unwrap();
        }
    }
    drop(pit);
    for run in runs.iter().chain(&["0000000a", "0000000b", "0000000c"]) {
        let log = std::fs::File::options()
            .write(true)
            .open(logs.join(format!("{run}.log")));
        log.unwrap().set_modified(when).unwrap();
    }
}

fn listed(stage: &Stage) -> Vec<String> {
    let runs = stage.must(&["runs"])["runs"].clone();
    let id = |run: &Value| run["id"].as_str().unwrap().to_owned();
    let mut ids: Vec<String> = runs.as_array().unwrap().iter().map(id).collect();
    ids.sort();
    ids
}

fn log_text(stage: &Stage) -> String {
    let logs = std::fs::read_dir(stage.home.join("state/logs")).unwrap();
    logs.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn e2e_records_of_old_runs_go_and_what_is_still_needed_stays() {
    let server = Server::describing();
    let mut stage = Stage::playing(&server, &shop::FILES[..2]);
    let before = stage.tree();
    let reviewed = stage.document();
    stage.must(&["review", "--accept"]);
    stage.write("late.py", "def late(value):\n    return value\n");
    let to_review = stage.document();
    backdate(
        &stage,
        &[&reviewed, &to_review],
        SystemTime::now() - 40 * DAY,
    )
    .await;
    let name = "SYMPHONY_RUN__KEEP_RUNS_DAYS";
    stage.variables = vec![(name.to_owned(), "0".to_owned())];
    stage.write("young.py", "def young(value):\n    return value\n");
    let young = stage.document();
    stage.must(&["review", &young, "--reject"]);

    let mut all = vec![reviewed.clone(), to_review.clone(), young.clone()];
    all.extend(["0000000a", "0000000b", "0000000c"].map(str::to_owned));
    all.sort();
    for days in ["0", "41"] {
        stage.variables = vec![(name.to_owned(), days.to_owned())];
        assert_eq!(listed(&stage), all, "{days} days");
    }
    stage.variables.clear();
    let left: Vec<String> = all.into_iter().filter(|run| *run != reviewed).collect();
    assert_eq!(listed(&stage), left, "30 days");
    let log = log_text(&stage);
    let told = |line: &&str| line.contains(&reviewed) && line.contains("was removed");
    assert_eq!(log.lines().filter(told).count(), 1, "{log}");

    // What belongs to a run besides its record is there as before.
    let calls = server.calls();
    stage.must(&["review", &to_review, "--accept"]);
    assert!(!listed(&stage).contains(&to_review), "decided, it goes too");
    stage.must(&["undo", &to_review]);
    stage.must(&["undo", &reviewed]);
    let mut now = stage.tree();
    now.retain(|path, _| before.contains_key(path));
    assert_eq!(now, before);
    stage.must(&["perform", "document"]);
    assert_eq!(server.calls(), calls, "answered from the cache");
}
