use super::*;
use crate::cli::{
    testing::{Bench, Script, sample},
    ui::Mode,
};
use Verdict::{Accept, Reject};

fn outcome(accepted: usize, rejected: usize, pending: usize) -> Answer {
    let files: Vec<String> = (0..accepted.min(2))
        .map(|n| format!("src/{n}.py"))
        .collect();
    Answer::Reviewed {
        outcome: ReviewOutcome {
            change_set: "7f3a90c2".to_owned(),
            accepted,
            edited: 0,
            rejected,
            postponed: 0,
            pending,
            files,
            merged: Vec::new(),
            application: (accepted > 0).then_some(1),
        },
    }
}

fn showing(set: ChangeSet) -> Script {
    Script::answering(Answer::ChangeSet { change_set: set })
}

fn verdicts(script: &Script) -> Vec<(HunkId, Verdict)> {
    match script.asked().pop() {
        Some(Command::Review { verdicts, .. }) => verdicts,
        other => panic!("no review was written: {other:?}"),
    }
}

async fn reviewed(args: ReviewArgs, script: &Script, bench: &mut Bench) -> CliResult {
    review(args, script, &mut bench.context()).await
}

#[tokio::test]
async fn keys_become_verdicts_and_one_line_tells_what_was_done() {
    let script = showing(sample()).then(Ok(outcome(3, 1, 0)));
    let mut bench = Bench::typing("yn?uyyy");
    reviewed(ReviewArgs::default(), &script, &mut bench)
        .await
        .unwrap();
    assert_eq!(
        verdicts(&script),
        [(1, Accept), (2, Accept), (3, Accept), (4, Accept)]
    );
    insta::assert_snapshot!("interactive", bench.out.text());
}

#[tokio::test]
async fn leaving_in_the_middle_keeps_what_was_decided() {
    let script = showing(sample()).then(Ok(outcome(1, 0, 3)));
    let mut bench = Bench::typing("yq");
    reviewed(ReviewArgs::default(), &script, &mut bench)
        .await
        .unwrap();
    assert_eq!(verdicts(&script), [(1, Accept)]);
    assert!(bench.out.text().ends_with(
        "accepted 1, rejected 0, 3 left to decide, written to 1 file; undo with symphony undo\n"
    ));
}

#[tokio::test]
async fn an_interrupt_drops_everything() {
    let script = showing(sample());
    let mut bench = Bench::typing("yy").then(Press::Interrupt);
    let error = reviewed(ReviewArgs::default(), &script, &mut bench)
        .await
        .unwrap_err();
    assert_eq!(error.exit_code(), 130);
    assert_eq!(script.asked().len(), 1, "nothing was written");
}

#[tokio::test]
async fn quitting_at_once_writes_nothing() {
    let script = showing(sample());
    let mut bench = Bench::typing("q");
    reviewed(ReviewArgs::default(), &script, &mut bench)
        .await
        .unwrap();
    assert!(
        bench
            .out
            .text()
            .ends_with("nothing decided, 4 left to decide; nothing was written\n")
    );
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn flags_decide_what_keys_decide() {
    let hunks = |list: &str| vec![list.to_owned()];
    let cases = [
        (
            ReviewArgs {
                accept: true,
                ..ReviewArgs::default()
            },
            vec![(1, Accept), (2, Accept), (4, Accept)],
        ),
        (
            ReviewArgs {
                reject: true,
                hunk: hunks("1,4"),
                ..ReviewArgs::default()
            },
            vec![(1, Reject), (4, Reject)],
        ),
        // A rejected hunk that is named is meant; so is each with --all.
        (
            ReviewArgs {
                accept: true,
                hunk: hunks("2-3"),
                ..ReviewArgs::default()
            },
            vec![(2, Accept), (3, Accept)],
        ),
        (
            ReviewArgs {
                accept: true,
                all: true,
                ..ReviewArgs::default()
            },
            vec![(1, Accept), (2, Accept), (3, Accept), (4, Accept)],
        ),
        (
            ReviewArgs {
                accept: true,
                file: hunks("src/shop.py"),
                ..ReviewArgs::default()
            },
            vec![(4, Accept)],
        ),
    ];
    for (args, expected) in cases {
        let mut set = sample();
        set.files[0].hunks[2].verdict = Decided::Rejected;
        let script = showing(set).then(Ok(outcome(expected.len(), 0, 0)));
        let mut bench = Bench::new(Mode::default());
        let shown = format!("{args:?}");
        reviewed(args, &script, &mut bench).await.unwrap();
        assert_eq!(verdicts(&script), expected, "{shown}");
    }
}

#[tokio::test]
async fn what_is_accepted_is_not_decided_again() {
    let mut set = sample();
    set.files
        .iter_mut()
        .flat_map(|file| &mut file.hunks)
        .for_each(|hunk| hunk.verdict = Decided::Accepted);
    let script = showing(set);
    let mut bench = Bench::new(Mode::default());
    let args = ReviewArgs {
        reject: true,
        all: true,
        ..ReviewArgs::default()
    };
    reviewed(args, &script, &mut bench).await.unwrap();
    assert!(
        bench
            .out
            .text()
            .contains("is decided: 4 accepted, 0 rejected"),
        "{}",
        bench.out.text()
    );
}

#[tokio::test]
async fn a_wrong_choice_writes_nothing() {
    let script = showing(sample());
    let mut bench = Bench::new(Mode::default());
    let args = ReviewArgs {
        accept: true,
        hunk: vec!["1,99".to_owned()],
        ..ReviewArgs::default()
    };
    assert_eq!(
        reviewed(args, &script, &mut bench)
            .await
            .unwrap_err()
            .exit_code(),
        3
    );
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn without_a_terminal_it_lists_and_names_the_flags() {
    let mut bench = Bench::new(Mode::default());
    reviewed(ReviewArgs::default(), &showing(sample()), &mut bench)
        .await
        .unwrap();
    insta::assert_snapshot!(
        "no_terminal",
        format!("{}--- stderr\n{}", bench.out.text(), bench.err.text())
    );
}

#[tokio::test]
async fn a_conflict_names_the_rebase() {
    let conflict = CommandError::new(ErrorKind::Conflict, "src/cart.py changed meanwhile");
    let script = showing(sample()).then(Err(conflict));
    let mut bench = Bench::new(Mode::default());
    let error = reviewed(
        ReviewArgs {
            accept: true,
            ..ReviewArgs::default()
        },
        &script,
        &mut bench,
    )
    .await
    .unwrap_err();
    let help = error.to_tell().unwrap().help.unwrap();
    assert_eq!(help, "symphony review --rebase 7f3a90c2");
    let script = showing(sample()).then(Ok(outcome(4, 0, 0)));
    let args = ReviewArgs {
        accept: true,
        rebase: true,
        ..ReviewArgs::default()
    };
    reviewed(args, &script, &mut bench).await.unwrap();
    assert!(matches!(
        script.asked().pop(),
        Some(Command::Review { rebase: true, .. })
    ));
}

#[tokio::test]
async fn json_is_one_object() {
    let mode = Mode {
        json: true,
        ..Mode::default()
    };
    let mut bench = Bench::new(mode);
    let args = ReviewArgs {
        file: vec!["src/shop.py".to_owned()],
        ..ReviewArgs::default()
    };
    reviewed(args, &showing(sample()), &mut bench)
        .await
        .unwrap();
    let value: serde_json::Value = serde_json::from_str(&bench.out.text()).unwrap();
    assert_eq!(
        value["result"]["change_set"]["files"][0]["hunks"][0]["id"],
        4
    );
    assert_eq!(bench.err.text(), "");

    let mut bench = Bench::new(mode);
    let script = showing(sample()).then(Ok(outcome(4, 0, 0)));
    reviewed(
        ReviewArgs {
            accept: true,
            ..ReviewArgs::default()
        },
        &script,
        &mut bench,
    )
    .await
    .unwrap();
    let value: serde_json::Value = serde_json::from_str(&bench.out.text()).unwrap();
    assert_eq!(value["result"]["outcome"]["accepted"], 4);
}

#[tokio::test]
async fn change_sets_are_listed() {
    let set = |id: &str, pending| ChangeSetSummary {
        id: id.to_owned(),
        title: "Document\x1b[2J what is undocumented".to_owned(),
        melody: "document".to_owned(),
        created_ms: 1_700_000_000_000,
        files: 2,
        pending,
        accepted: 3,
        rejected: 1,
        in_place: true,
    };
    let answer = || {
        Script::answering(Answer::ChangeSets {
            change_sets: vec![set("7f3a90c2", 4), set("00112233", 0)],
        })
    };
    let mut bench = Bench::new(Mode::default());
    reviewed(
        ReviewArgs {
            list: true,
            ..ReviewArgs::default()
        },
        &answer(),
        &mut bench,
    )
    .await
    .unwrap();
    reviewed(
        ReviewArgs {
            list: true,
            all: true,
            ..ReviewArgs::default()
        },
        &answer(),
        &mut bench,
    )
    .await
    .unwrap();
    insta::assert_snapshot!("list", bench.out.text());
    assert_eq!(
        bench.err.text(),
        "1 change set decided; --all lists them too\n"
    );
}
