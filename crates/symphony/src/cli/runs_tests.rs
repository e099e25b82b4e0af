use super::*;
use crate::cli::{
    testing::{Bench, Script},
    ui::Mode,
};
use std::{collections::BTreeMap, time::Duration};
use symphony_core_ports::{
    ArtifactId, ArtifactInfo, NewRun, NodeId, NodeOutput, NodeResult, RunId, Usage,
};

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

fn id(byte: u8) -> ArtifactId {
    ArtifactId::from_blake3([byte; 32])
}

fn completed(node: &str, label: &str, origin: ResultOrigin, attempts: u32) -> NodeRecord {
    let usage = Usage {
        model_calls: 1,
        input_tokens: 60,
        output_tokens: 12,
        usd: 0.0,
    };
    let output = NodeOutput {
        output: id(0xab),
        usage,
        attempts,
        duration: Duration::from_millis(740),
    };
    NodeRecord {
        id: NodeId::from(node),
        player: "instrument/local-model".to_owned(),
        label: label.to_owned(),
        state: NodeState::Completed {
            result: NodeResult {
                node: NodeId::from(node),
                output,
                origin,
            },
        },
    }
}

fn record() -> RunRecord {
    let node = |name: &str, state| NodeRecord {
        id: NodeId::from(name),
        player: "operator/find-undocumented".to_owned(),
        label: String::new(),
        state,
    };
    RunRecord {
        run: NewRun {
            id: RunId::from("7f3a90c2"),
            melody: "document".to_owned(),
            plan: id(1),
            started: at(0),
        },
        nodes: vec![
            completed(
                "describe[0]",
                "src/cart.py: Cart.total",
                ResultOrigin::Executed,
                2,
            ),
            completed(
                "describe[1]",
                "src/cart.py: \x1b[2J",
                ResultOrigin::Cache,
                1,
            ),
            node(
                "verify",
                NodeState::Failed {
                    error: "no\nmemory".to_owned(),
                },
            ),
            node(
                "stage",
                NodeState::Skipped {
                    reason: "nothing to stage".to_owned(),
                },
            ),
            node("publish", NodeState::Started),
        ],
        outcome: Some(RunOutcome::Failed {
            error: "node `verify` failed\nno memory".to_owned(),
        }),
        finished: Some(at(18)),
    }
}

#[tokio::test]
async fn a_run_is_shown_step_by_step() {
    let mut bench = Bench::new(Mode::default());
    let script = Script::answering(Answer::Run {
        state: RunState::Failed,
        record: record(),
    });
    runs(
        Some(RunVerb::Show { run: None }),
        &script,
        &mut bench.context(),
    )
    .await
    .unwrap();
    assert_eq!(script.asked(), [Command::Run { run: String::new() }]);
    insta::assert_snapshot!("run", bench.out.text());
}

#[tokio::test]
async fn runs_are_listed() {
    let summary = |id: &str, state, error: Option<&str>| RunSummary {
        id: id.to_owned(),
        melody: "document".to_owned(),
        state,
        started: at(0),
        done: 26,
        usage: Usage {
            model_calls: 23,
            input_tokens: 1200,
            output_tokens: 212,
            usd: 0.0,
        },
        error: error.map(str::to_owned),
    };
    let all = vec![
        summary("7f3a90c2", RunState::Failed, Some("node `verify`\nfailed")),
        summary("00112233", RunState::Interrupted, None),
    ];
    let mut bench = Bench::new(Mode::default());
    let script =
        Script::answering(Answer::Runs { runs: all }).then(Ok(Answer::Runs { runs: Vec::new() }));
    runs(None, &script, &mut bench.context()).await.unwrap();
    runs(None, &script, &mut bench.context()).await.unwrap();
    insta::assert_snapshot!("runs", bench.out.text());
}

fn artifact(text: Option<&str>) -> Script {
    let about = ArtifactInfo {
        media_type: "application/json".to_owned(),
        title: "output of describe[7]".to_owned(),
        labels: BTreeMap::from([("run".to_owned(), "7f3a90c2".to_owned())]),
    };
    let summary = ArtifactSummary {
        id: id(0xab),
        size: 27,
        about,
    };
    Script::answering(Answer::Artifact {
        summary,
        text: text.map(str::to_owned),
    })
}

async fn shown(raw: bool, terminal: bool, script: &Script) -> (CliResult, String) {
    let mut bench = Bench::new(Mode {
        terminal,
        ..Mode::default()
    });
    let verb = ArtifactVerb::Show {
        id: "abab".to_owned(),
        raw,
    };
    let result = artifacts(verb, script, &mut bench.context()).await;
    (result, bench.out.text())
}

#[tokio::test]
async fn artifacts_are_shown_readable_and_safe() {
    let (_, text) = shown(false, true, &artifact(Some("{\"comment\":\"a \\u001b\"}"))).await;
    assert!(text.contains("title  output of describe[7]"), "{text}");
    assert!(
        text.ends_with("{\n  \"comment\": \"a \\u001b\"\n}\n"),
        "{text}"
    );
    let (_, text) = shown(false, true, &artifact(Some("plain \x1b[2J"))).await;
    assert!(text.ends_with("plain ^[[2J\n"), "{text}");
}

#[tokio::test]
async fn raw_is_exact_for_programs_and_safe_for_terminals() {
    assert_eq!(
        shown(true, false, &artifact(Some("a \x1b b"))).await.1,
        "a \x1b b"
    );
    assert_eq!(
        shown(true, true, &artifact(Some("a \x1b b"))).await.1,
        "a ^[ b\n"
    );
    let (result, text) = shown(true, false, &artifact(None)).await;
    assert_eq!((result.unwrap_err().exit_code(), text.as_str()), (3, ""));
}
