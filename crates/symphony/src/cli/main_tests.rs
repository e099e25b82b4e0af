use super::*;
use crate::api::Answer;
use crate::cli::testing::{Bench, Script};

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

#[tokio::test]
async fn every_command_of_a_host_asks_it_something() {
    for line in [
        "symphony perform document",
        "symphony ask x",
        "symphony resume 7f3a",
        "symphony review",
        "symphony review --list",
        "symphony undo",
        "symphony history",
        "symphony runs",
        "symphony runs show",
        "symphony artifacts show 5c1f",
        "symphony melodies",
        "symphony melodies check x",
        "symphony melodies show x",
        "symphony players",
        "symphony status",
    ] {
        let cli = parse(&words(line)).unwrap();
        let script = Script::answering(Answer::Done);
        let mut bench = Bench::new(Mode {
            quiet: true,
            ..Mode::default()
        });
        let error = with_host(cli.command, &script, &mut bench.context())
            .await
            .unwrap_err();
        assert_eq!(error.exit_code(), 1, "{line}");
        assert_eq!(script.asked().len(), 1, "{line}");
    }
}

#[test]
fn completions_know_the_commands() {
    use clap::ValueEnum;
    for shell in clap_complete::Shell::value_variants() {
        let mut bench = Bench::new(Mode::default());
        completions(*shell, &mut bench.ui).unwrap();
        let script = bench.out.text();
        assert!(
            script.contains("perform") && script.contains("rebase"),
            "{shell}"
        );
    }
}

#[test]
fn the_project_is_repeated_only_where_it_must_be() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir_all(here.join("shop/.git")).unwrap();
    std::fs::create_dir_all(here.join("shop/src")).unwrap();
    let given = |project: Option<&str>| Global {
        project: project.map(|p| here.join(p)),
        ..Global::default()
    };
    assert_eq!(to_repeat(&given(None), here), None);
    assert_eq!(
        to_repeat(&given(Some("shop")), &here.join("shop/src")),
        None
    );
    let other = to_repeat(&given(Some("shop")), here).unwrap();
    assert!(other.ends_with("shop"));
}
