use super::*;
use crate::cli::{
    testing::{Bench, Script},
    ui::Mode,
};
use std::path::PathBuf;
use symphony_core_ports::Usage;
use symphony_domain::{changes::ChangeSetSummary, run::RunEvent};

const QUIET: Mode = Mode {
    json: false,
    quiet: true,
    verbose: false,
    live: false,
    interactive: false,
    terminal: false,
    width: 80,
};

fn performed() -> Performed {
    let change_set = ChangeSetSummary {
        id: "7f3a90c2".to_owned(),
        title: "Document what is undocumented".to_owned(),
        melody: "document".to_owned(),
        created_ms: 0,
        files: 12,
        pending: 21,
        accepted: 0,
        rejected: 0,
        in_place: false,
    };
    Performed {
        run: "7f3a90c2".to_owned(),
        melody: "document".to_owned(),
        outputs: serde_json::Map::new(),
        usage: Usage::default(),
        elapsed_ms: 17_700,
        change_set: Some(change_set),
        findings: Vec::new(),
        instruments: vec!["local-model".to_owned()],
    }
}

fn script() -> Script {
    Script::answering(Answer::Performed(performed()))
}

fn no_players() -> PlayerArgs {
    PlayerArgs {
        players: Vec::new(),
        model: None,
    }
}

fn args(melody: &str) -> PerformArgs {
    PerformArgs {
        melody: melody.to_owned(),
        input: Vec::new(),
        limit: None,
        players: no_players(),
        fresh: false,
    }
}

fn asked(script: &Script) -> Perform {
    match script.asked().pop() {
        Some(Command::Perform(perform)) => perform,
        other => panic!("nothing was performed: {other:?}"),
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn inputs_are_json_where_they_are_json() {
    let script = script();
    let mut perform_args = args("document");
    perform_args.input = vec![
        pair("depth", "3"),
        pair("names", "[\"a\"]"),
        pair("text", "plain = words"),
        pair("quoted", "\"3\""),
        pair("empty", ""),
    ];
    perform_args.limit = Some(5);
    perform_args.fresh = true;
    perform_args.players = PlayerArgs {
        players: vec![pair("describe", "ollama")],
        model: Some("fast".to_owned()),
    };
    perform(perform_args, &script, &mut Bench::new(QUIET).context())
        .await
        .unwrap();
    let asked = asked(&script);
    let expected = json!({
        "depth": 3, "names": ["a"], "text": "plain = words", "quoted": "3", "empty": "", "limit": 5
    });
    assert_eq!(
        serde_json::to_value(&asked.inputs).unwrap(),
        sorted(&expected)
    );
    assert_eq!(asked.players["describe"], "ollama");
    assert_eq!((asked.model.as_deref(), asked.fresh), (Some("fast"), true));
}

fn sorted(value: &Value) -> Value {
    let map: BTreeMap<String, Value> = serde_json::from_value(value.clone()).unwrap();
    serde_json::to_value(map).unwrap()
}

#[tokio::test]
async fn what_is_given_twice_is_refused() {
    let twice = [
        PerformArgs {
            input: vec![pair("a", "1"), pair("a", "2")],
            ..args("document")
        },
        PerformArgs {
            input: vec![pair("limit", "1")],
            limit: Some(2),
            ..args("document")
        },
        PerformArgs {
            players: PlayerArgs {
                players: vec![pair("n", "x"), pair("n", "y")],
                model: None,
            },
            ..args("document")
        },
    ];
    for args in twice {
        let script = Script::default();
        let error = perform(args, &script, &mut Bench::new(QUIET).context())
            .await
            .unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(script.asked().is_empty());
    }
}

#[tokio::test]
async fn a_melody_by_path_becomes_absolute() {
    for (given, expected) in [
        ("document", "document"),
        ("mine.toml", "/home/me/shop/mine.toml"),
        ("sub/mine", "/home/me/shop/sub/mine"),
        ("/x/mine.toml", "/x/mine.toml"),
    ] {
        let script = script();
        perform(args(given), &script, &mut Bench::new(QUIET).context())
            .await
            .unwrap();
        assert_eq!(asked(&script).melody, expected);
    }
}

fn asking(prompt: &str, files: &[&str]) -> AskArgs {
    let files = files.iter().map(PathBuf::from).collect();
    AskArgs {
        prompt: prompt.to_owned(),
        files,
        players: no_players(),
        fresh: false,
    }
}

#[tokio::test]
async fn ask_performs_ask_with_files_of_the_project() {
    let script = script();
    ask(
        asking("round to cents", &["src/cart.py", "./a.py"]),
        &script,
        &mut Bench::new(QUIET).context(),
    )
    .await
    .unwrap();
    let asked = asked(&script);
    assert_eq!(asked.melody, "ask");
    assert_eq!(asked.inputs["prompt"], "round to cents");
    assert_eq!(asked.inputs["files"], json!(["src/cart.py", "a.py"]));
    for bad in [asking("  ", &[]), asking("x", &["../outside.py"])] {
        let error = ask(bad, &Script::default(), &mut Bench::new(QUIET).context())
            .await
            .unwrap_err();
        assert_eq!(error.exit_code(), 3);
    }
}

#[tokio::test]
async fn the_end_says_what_to_try_next() {
    let mut bench = Bench::new(QUIET);
    perform(args("document"), &script(), &mut bench.context())
        .await
        .unwrap();
    insta::assert_snapshot!("ending", bench.out.text());
}

#[tokio::test]
async fn outputs_and_findings_are_shown_safely() {
    let mut result = performed();
    result.change_set = None;
    result.instruments.clear();
    result
        .outputs
        .insert("summary".to_owned(), json!("two\nlines \x1b[2J"));
    result.outputs.insert("list".to_owned(), json!([1]));
    result.findings = (1..=7)
        .map(|n| format!("src/{n}.py: says\x07 nothing"))
        .collect();
    let mut bench = Bench::new(QUIET);
    let script = Script::answering(Answer::Performed(result));
    perform(args("document"), &script, &mut bench.context())
        .await
        .unwrap();
    insta::assert_snapshot!("outputs", bench.out.text());
}

#[tokio::test]
async fn json_ends_with_the_result() {
    let mut bench = Bench::new(Mode {
        json: true,
        ..QUIET
    });
    perform(args("document"), &script(), &mut bench.context())
        .await
        .unwrap();
    let value: Value = serde_json::from_str(&bench.out.text()).unwrap();
    assert_eq!(value["result"]["answer"], "performed");
    assert_eq!(value["result"]["change_set"]["pending"], 21);
}

#[tokio::test]
async fn a_run_that_fails_says_how_to_play_on() {
    let started = RunEvent::RunStarted {
        run: "7f3a90c2".to_owned(),
        melody: "document".to_owned(),
        nodes: Vec::new(),
        resumed: false,
    };
    for (kind, help) in [
        (
            ErrorKind::RunFailed,
            Some("play on with symphony resume 7f3a90c2"),
        ),
        (
            ErrorKind::Cancelled,
            Some("play on with symphony resume 7f3a90c2"),
        ),
        (ErrorKind::Input, None),
    ] {
        let error = CommandError::new(kind, "node `describe` failed");
        let script = Script::default().playing(vec![started.clone()], Err(error));
        let error = perform(args("document"), &script, &mut Bench::new(QUIET).context())
            .await
            .unwrap_err();
        assert_eq!(error.exit_code(), kind.exit_code());
        assert_eq!(error.to_tell().unwrap().help.as_deref(), help);
    }
}

#[tokio::test]
async fn resume_names_run_and_players() {
    let script = script();
    let args = ResumeArgs {
        run: "7f3a".to_owned(),
        players: vec![pair("describe", "ollama")],
    };
    resume(args, &script, &mut Bench::new(QUIET).context())
        .await
        .unwrap();
    let players = BTreeMap::from([pair("describe", "ollama")]);
    assert_eq!(
        script.asked(),
        [Command::Resume {
            run: "7f3a".to_owned(),
            players
        }]
    );
}
