use super::*;
use crate::{
    api::{CommandError, ErrorKind},
    cli::{
        args::{Cli, MelodyVerb, Verb},
        testing::{Bench, Script},
        ui::Mode,
    },
};
use clap::Parser;
use serde_json::{Value, json};

fn args(words: &[&str]) -> SetMelodyArgs {
    let words = ["symphony", "melodies", "set"].iter().chain(words);
    match Cli::try_parse_from(words).unwrap().command {
        Verb::Melodies {
            verb: Some(MelodyVerb::Set(args)),
        } => args,
        other => panic!("{other:?}"),
    }
}

fn done(diff: &str, copied_from: Option<&str>) -> Answer {
    Answer::MelodySet(MelodySet {
        name: "document".to_owned(),
        path: "/home/me/.config/symphony/melodies/document.toml".to_owned(),
        copied_from: copied_from.map(str::to_owned),
        diff: diff.to_owned(),
    })
}

const DIFF: &str = "@@ -1,2 +1,2 @@\n [nodes.find]\n-limit = 3\n+limit = 4\x1b\n";

#[tokio::test]
async fn every_option_is_handed_on_and_the_diff_is_shown() {
    let script = Script::answering(done(DIFF, Some("/share/melodies/document.toml")));
    let mut bench = Bench::new(Mode::default());
    let words = [
        "./m.toml",
        "find",
        "--player",
        "ollama",
        "--with",
        "limit=4",
        "--with",
        "title=a=b",
        "--with",
        "paths=[\"src\"]",
        "--retries",
        "3",
        "--backoff",
        "1s",
        "--timeout",
        "5m",
    ];
    set(args(&words), &script, &mut bench.context())
        .await
        .unwrap();
    let with = [
        ("limit", json!(4)),
        ("paths", json!(["src"])),
        ("title", json!("a=b")),
    ];
    assert_eq!(
        script.asked(),
        [Command::SetMelody(SetMelody {
            melody: "/home/me/shop/./m.toml".to_owned(),
            node: "find".to_owned(),
            player: Some("instrument/ollama".to_owned()),
            with: with.map(|(port, value)| (port.to_owned(), value)).into(),
            retries: Some(3),
            backoff: Some("1s".to_owned()),
            timeout: Some("5m".to_owned()),
        })]
    );
    assert_eq!(
        bench.out.text(),
        "@@ -1,2 +1,2 @@\n [nodes.find]\n-limit = 3\n+limit = 4^[\n\
         ✓ document is changed and sound: /home/me/.config/symphony/melodies/document.toml\n"
    );
    let told = bench.err.text();
    assert!(
        told.contains("/share/melodies/document.toml came with Symphony"),
        "{told}"
    );
}

#[tokio::test]
async fn what_is_so_already_says_so_and_json_is_one_line() {
    let mut bench = Bench::new(Mode::default());
    let words = ["document", "find", "--player", "operator/x"];
    set(
        args(&words),
        &Script::answering(done("", None)),
        &mut bench.context(),
    )
    .await
    .unwrap();
    assert!(
        bench
            .out
            .text()
            .starts_with("document is so already: /home")
    );
    assert_eq!(bench.err.text(), "");

    let mode = Mode {
        json: true,
        ..Mode::default()
    };
    let mut bench = Bench::new(mode);
    let script = Script::answering(done(DIFF, None));
    set(args(&words), &script, &mut bench.context())
        .await
        .unwrap();
    let line: Value = serde_json::from_str(&bench.out.text()).unwrap();
    assert_eq!(line["result"]["diff"], DIFF);
    assert_eq!(line["result"]["answer"], "melody_set");
}

#[tokio::test]
async fn mistakes_are_told_and_nothing_is_asked_without_a_change() {
    for words in [vec!["document", "find"], vec!["document", "--retries", "3"]] {
        let all = ["symphony", "melodies", "set"].into_iter().chain(words);
        assert!(Cli::try_parse_from(all).is_err());
    }
    for words in [
        ["document", "find", "--with", "a=1", "--with", "a=2"].as_slice(),
        &["document", "find", "--player", "a/b/c"],
    ] {
        let script = Script::default();
        let mut bench = Bench::new(Mode::default());
        let error = set(args(words), &script, &mut bench.context()).await;
        assert!(error.is_err(), "{words:?}");
        assert!(script.asked().is_empty());
    }
    let refused = CommandError::new(ErrorKind::Input, "there is no node `fnid`");
    let script = Script::default().then(Err(refused));
    let mut bench = Bench::new(Mode::default());
    let words = ["document", "fnid", "--retries", "1"];
    let error = set(args(&words), &script, &mut bench.context()).await;
    assert_eq!(error.unwrap_err().exit_code(), 3);
    assert_eq!(bench.out.text(), "");
}
