use super::*;
use crate::cli::{
    testing::{Bench, Script},
    ui::Mode,
};
use symphony_domain::changes::{AppliedFile, Decided, HunkDecision};

fn undone(merged: &[&str]) -> Answer {
    let files = ["a.py", "b.py"].map(str::to_owned).to_vec();
    let merged = merged.iter().map(|path| (*path).to_owned()).collect();
    let outcome = UndoOutcome {
        change_set: "7f3a90c2".to_owned(),
        application: 2,
        of: 1,
        hunks: vec![1, 2, 3],
        files,
        merged,
    };
    Answer::Undone { outcome }
}

#[tokio::test]
async fn undo_and_redo_say_what_was_done_and_the_way_back() {
    let mut bench = Bench::new(Mode::default());
    let script = Script::answering(undone(&["b.py"])).then(Ok(undone(&[])));
    undo(
        UndoArgs {
            what: None,
            redo: false,
        },
        &script,
        &mut bench.context(),
    )
    .await
    .unwrap();
    undo(
        UndoArgs {
            what: Some("2".to_owned()),
            redo: true,
        },
        &script,
        &mut bench.context(),
    )
    .await
    .unwrap();
    assert_eq!(
        script.asked(),
        [
            Command::Undo { what: None },
            Command::Redo {
                what: Some("2".to_owned())
            }
        ]
    );
    assert_eq!(
        bench.out.text(),
        "took back 3 hunks of change set 7f3a90c2 from 2 files (1 with changes made since, which were kept); \
         bring back with symphony undo --redo\n\
         wrote 3 hunks of change set 7f3a90c2 again to 2 files; undo with symphony undo\n"
    );
}

#[tokio::test]
async fn history_lists_what_was_written() {
    let application = |id, kind, of, state| Application {
        id,
        kind,
        of,
        change_set: "7f3a90c2".to_owned(),
        at_ms: 1_700_000_000_000,
        decisions: vec![HunkDecision {
            hunk: 1,
            from: Decided::Pending,
            to: Decided::Accepted,
            edited: (id == 1).then(|| symphony_core_ports::ArtifactId::from_blake3([1; 32])),
        }],
        files: vec![AppliedFile {
            path: "a.py".to_owned(),
            before: None,
            after: None,
            merged: false,
            hunks: vec![1],
            left: None,
        }],
        state,
    };
    let applications = vec![
        application(3, ApplicationKind::Redo, Some(2), ApplicationState::Writing),
        application(2, ApplicationKind::Undo, Some(1), ApplicationState::Done),
        application(1, ApplicationKind::Apply, None, ApplicationState::Done),
    ];
    let mut bench = Bench::new(Mode::default());
    let script = Script::answering(Answer::History { applications }).then(Ok(Answer::History {
        applications: Vec::new(),
    }));
    history(&script, &mut bench.context()).await.unwrap();
    history(&script, &mut bench.context()).await.unwrap();
    assert_eq!(
        bench.out.text(),
        "3  redo of 2  7f3a90c2  1 hunk            1 file  2023-11-14 22:13 UTC  not finished\n\
         2  undo of 1  7f3a90c2  1 hunk            1 file  2023-11-14 22:13 UTC\n\
         1  accept     7f3a90c2  1 hunk, 1 edited  1 file  2023-11-14 22:13 UTC\n\
         Nothing was written to this project yet.\n"
    );
}

#[tokio::test]
async fn another_answer_is_an_error_and_no_panic() {
    let mut bench = Bench::new(Mode::default());
    let script = Script::answering(Answer::Done);
    let error = history(&script, &mut bench.context()).await.unwrap_err();
    assert_eq!(error.exit_code(), 1);
}
