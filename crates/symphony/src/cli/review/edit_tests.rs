use super::super::review;
use super::*;
use crate::cli::{
    args::ReviewArgs,
    keys::Press,
    testing::{Bench, Script, hunk, sample},
};
use symphony_domain::changes::{ReviewOutcome, Verdict};

const PROPOSED: &str = "    \"\"\"Gives the total.\"\"\"\n";
const OWN: &str = "    \"\"\"Adds up the prices.\"\"\"\n";

/// Someone's editor, which does this to its file; for as long as the folder lives.
fn editor(folder: &tempfile::TempDir, script: &str) -> Option<String> {
    let path = folder.path().join("editor.sh");
    std::fs::write(&path, script).unwrap();
    Some(format!("sh {}", path.display()))
}

/// Puts these lines below the head of the file.
fn replacing(text: &str) -> String {
    let text = text.trim_end_matches('\n');
    format!(
        "head -n 3 \"$1\" > \"$1.new\"\ncat >> \"$1.new\" <<'END'\n{text}\nEND\nmv \"$1.new\" \"$1\"\n"
    )
}

fn drafted(meaning: DraftMeaning, text: &str) -> Result<Answer, CommandError> {
    let own = format!("+{}", text.trim_end_matches('\n'));
    let mut hunk = hunk(
        1,
        3,
        "Cart.total",
        &[" ", " def total(self):", &own, "     return 1"],
    );
    hunk.edited = meaning == DraftMeaning::Edited;
    Ok(Answer::Draft {
        draft: Draft {
            hunk,
            text: text.to_owned(),
            meaning,
        },
    })
}

fn done(accepted: usize, edited: usize) -> Result<Answer, CommandError> {
    Ok(Answer::Reviewed {
        outcome: ReviewOutcome {
            change_set: "7f3a90c2".to_owned(),
            accepted,
            edited,
            rejected: 0,
            postponed: 0,
            pending: 3,
            files: vec!["src/cart.py".to_owned()],
            merged: Vec::new(),
            application: Some(1),
        },
    })
}

fn set() -> Script {
    Script::answering(Answer::ChangeSet {
        change_set: sample(),
    })
}

/// Reviews with these keys and this editor; what was shown.
async fn pressed(keys: &str, script: &str, host: &Script) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::typing(keys);
    bench.editor = editor(&folder, script);
    let reviewed = review(ReviewArgs::default(), host, &mut bench.context()).await;
    reviewed.unwrap();
    bench.out.text()
}

fn verdicts(host: &Script) -> Vec<(HunkId, Verdict)> {
    match host.asked().pop() {
        Some(Command::Review { verdicts, .. }) => verdicts,
        other => panic!("no review was written: {other:?}"),
    }
}

fn own(text: &str) -> Verdict {
    let text = text.to_owned();
    Verdict::Edit { text }
}

#[tokio::test]
async fn an_edited_hunk_is_shown_and_asked_about_again() {
    let host = set()
        .then(drafted(DraftMeaning::Proposed, PROPOSED))
        .then(drafted(DraftMeaning::Edited, OWN))
        .then(done(1, 1));
    let shown = pressed("eyq", &replacing(OWN), &host).await;
    assert_eq!(verdicts(&host), [(1, own(OWN))]);
    let asked: Vec<Command> = host.asked();
    let draft = |text: Option<&str>| Command::Draft {
        id: "7f3a90c2".to_owned(),
        hunk: 1,
        text: text.map(str::to_owned),
    };
    assert_eq!(asked[1..3], [draft(None), draft(Some(OWN))]);
    insta::assert_snapshot!("edited", shown);
}

#[tokio::test]
async fn an_edit_goes_on_from_the_one_before_and_u_takes_it_back() {
    let host = set()
        .then(drafted(DraftMeaning::Proposed, PROPOSED))
        .then(drafted(DraftMeaning::Edited, "x\n"))
        .then(drafted(DraftMeaning::Edited, "x\nx\n"))
        .then(done(1, 1));
    // Twice edited, once taken back: the first one is left.
    pressed("eeuyq", "echo x >> \"$1\"", &host).await;
    assert_eq!(verdicts(&host), [(1, own(&format!("{PROPOSED}x\n")))]);
    let twice = Command::Draft {
        id: "7f3a90c2".to_owned(),
        hunk: 1,
        text: Some(format!("{PROPOSED}x\nx\n")),
    };
    assert_eq!(host.asked()[3], twice);

    let host = set()
        .then(drafted(DraftMeaning::Proposed, PROPOSED))
        .then(drafted(DraftMeaning::Edited, OWN))
        .then(done(3, 0));
    pressed("euaq", &replacing(OWN), &host).await;
    assert!(
        verdicts(&host)
            .iter()
            .all(|(_, verdict)| *verdict == Verdict::Accept)
    );
}

#[tokio::test]
async fn a_takes_the_edit_and_n_drops_it() {
    for (keys, first) in [("eaq", own(OWN)), ("enq", Verdict::Reject)] {
        let host = set()
            .then(drafted(DraftMeaning::Proposed, PROPOSED))
            .then(drafted(DraftMeaning::Edited, OWN))
            .then(done(1, 1));
        pressed(keys, &replacing(OWN), &host).await;
        let verdicts = verdicts(&host);
        assert_eq!(verdicts[0], (1, first), "{keys}");
        assert!(
            verdicts[1..]
                .iter()
                .all(|(_, verdict)| *verdict == Verdict::Accept)
        );
    }
}

#[tokio::test]
async fn an_edit_that_comes_to_nothing_changes_nothing() {
    for (script, told) in [
        (
            ": > \"$1\"",
            "The text was emptied, so the hunk stays as it was",
        ),
        ("true", "Nothing was changed."),
        (
            "echo x > \"$1\"; exit 2",
            "failed (exit status: 2). The hunk stays as it was.",
        ),
    ] {
        let host = set()
            .then(drafted(DraftMeaning::Proposed, PROPOSED))
            .then(done(1, 0));
        let shown = pressed("eyq", script, &host).await;
        assert!(shown.contains(told), "{shown}");
        assert_eq!(verdicts(&host), [(1, Verdict::Accept)], "{script}");
    }
}

#[tokio::test]
async fn without_an_editor_it_says_what_to_set() {
    let host = set()
        .then(drafted(DraftMeaning::Proposed, PROPOSED))
        .then(done(1, 0));
    let mut bench = Bench::typing("eyq");
    let reviewed = review(ReviewArgs::default(), &host, &mut bench.context()).await;
    reviewed.unwrap();
    assert!(
        bench.out.text().contains("set VISUAL or EDITOR"),
        "{}",
        bench.out.text()
    );
    assert_eq!(verdicts(&host), [(1, Verdict::Accept)]);
}

#[tokio::test]
async fn what_the_host_refuses_is_told_and_asked_again() {
    let refused = CommandError::new(ErrorKind::Input, "hunk 1 of 7f3a cannot be edited so");
    let host = set()
        .then(drafted(DraftMeaning::Proposed, PROPOSED))
        .then(Err(refused))
        .then(done(1, 0));
    let shown = pressed("eyq", &replacing(OWN), &host).await;
    assert!(
        shown.contains("cannot be edited so. The hunk stays as it was."),
        "{shown}"
    );
    assert_eq!(verdicts(&host), [(1, Verdict::Accept)]);

    let gone = CommandError::new(ErrorKind::Failed, "the host has gone");
    let host = set()
        .then(drafted(DraftMeaning::Proposed, PROPOSED))
        .then(Err(gone));
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::typing("eyq");
    bench.editor = editor(&folder, &replacing(OWN));
    let reviewed = review(ReviewArgs::default(), &host, &mut bench.context()).await;
    assert_eq!(reviewed.unwrap_err().exit_code(), 1);
}

#[tokio::test]
async fn what_an_edit_comes_to_is_told() {
    for (meaning, told, verdict) in [
        (
            DraftMeaning::Proposed,
            "as it was proposed",
            Verdict::Accept,
        ),
        (DraftMeaning::Unchanged, "y rejects the hunk", own(OWN)),
    ] {
        let host = set()
            .then(drafted(DraftMeaning::Proposed, PROPOSED))
            .then(drafted(meaning, OWN))
            .then(done(1, 0));
        let shown = pressed("eyq", &replacing(OWN), &host).await;
        assert!(shown.contains(told), "{shown}");
        assert_eq!(verdicts(&host), [(1, verdict)]);
    }
}

#[tokio::test]
async fn lines_of_windows_are_plain_in_the_editor() {
    let host = set()
        .then(drafted(DraftMeaning::Proposed, "a\r\nb\r\n"))
        .then(drafted(DraftMeaning::Edited, "a\r\nb\r\nc\r\n"))
        .then(done(1, 1));
    pressed("eyq", "echo c >> \"$1\"", &host).await;
    assert_eq!(verdicts(&host), [(1, own("a\nb\nc\n"))]);
    assert_eq!(plain_ends("a\nb\r\n".to_owned()), "a\nb\r\n");
}

#[tokio::test]
async fn an_interrupt_after_an_edit_drops_it() {
    let folder = tempfile::tempdir().unwrap();
    let host = set()
        .then(drafted(DraftMeaning::Proposed, PROPOSED))
        .then(drafted(DraftMeaning::Edited, OWN));
    let mut bench = Bench::typing("ey").then(Press::Interrupt);
    bench.editor = editor(&folder, &replacing(OWN));
    let reviewed = review(ReviewArgs::default(), &host, &mut bench.context()).await;
    assert_eq!(reviewed.unwrap_err().exit_code(), 130);
    assert_eq!(host.asked().len(), 3, "nothing was written");
}

#[tokio::test]
async fn by_flags_a_file_is_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.py");
    let args = || ReviewArgs {
        edit: Some(2),
        with: Some(file.clone()),
        ..ReviewArgs::default()
    };
    let mut bench = Bench::new(Default::default());
    std::fs::write(&file, "#symphony: no head here\nx\n").unwrap();
    let host = set().then(done(1, 1));
    review(args(), &host, &mut bench.context()).await.unwrap();
    assert_eq!(verdicts(&host), [(2, own("#symphony: no head here\nx\n"))]);
    let told = bench.out.text();
    assert!(
        told.starts_with("accepted 1 (1 edited), rejected 0"),
        "{told}"
    );

    for (bytes, why) in [
        (Some(&b""[..]), "is empty"),
        (Some(&b"\xff"[..]), "it is not UTF-8"),
        (None, "No such file"),
    ] {
        match bytes {
            Some(bytes) => std::fs::write(&file, bytes).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let host = Script::default();
        let error = review(args(), &host, &mut bench.context())
            .await
            .unwrap_err();
        assert_eq!(error.exit_code(), 3);
        let told = error.to_tell().unwrap().message;
        assert!(told.contains("mine.py") && told.contains(why), "{told}");
    }
}
