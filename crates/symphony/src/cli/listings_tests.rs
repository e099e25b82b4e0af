use super::*;
use crate::cli::{
    testing::{Bench, Script},
    ui::Mode,
};
use symphony_core_ports::Policy;

fn policy() -> Policy {
    Policy {
        name: "rules".to_owned(),
        description: "the default model plays".to_owned(),
        learns: false,
    }
}

#[tokio::test]
async fn players_say_what_they_can_and_why_they_do_not_play() {
    let player = |name: &str, missing: &[&str]| PlayerSummary {
        player: name.to_owned(),
        version: "0.1.0".to_owned(),
        description: "Does something.\x1b".to_owned(),
        capabilities: vec!["chat".to_owned()],
        granted: Vec::new(),
        missing: missing.iter().map(|m| (*m).to_owned()).collect(),
    };
    let answer = Answer::Players {
        players: vec![
            player("instrument/local-model", &[]),
            player("operator/mine", &["filesystem.read:project"]),
        ],
        xi_plugins: vec![XiPluginSummary {
            name: "words".to_owned(),
            version: "1.0".to_owned(),
            state: "running".to_owned(),
            commands: vec!["Count words".to_owned()],
            languages: vec!["Markdown".to_owned()],
        }],
        problems: vec!["/x/extension.toml:3: `id`: `A` is no id".to_owned()],
        policy: policy(),
    };
    let mut bench = Bench::new(Mode::default());
    players(&Script::answering(answer), &mut bench.context())
        .await
        .unwrap();
    insta::assert_snapshot!(
        "players",
        format!("{}--- stderr\n{}", bench.out.text(), bench.err.text())
    );
}

fn melody(name: &str, problem: Option<&str>, path: &str) -> MelodySummary {
    MelodySummary {
        name: name.to_owned(),
        description: "Documents what is undocumented.".to_owned(),
        inputs: vec![
            ("project".to_owned(), "path".to_owned()),
            ("limit".to_owned(), "integer".to_owned()),
        ],
        path: path.to_owned(),
        replaces: problem.map(|_| "/share/m.toml".to_owned()),
        problem: problem.map(str::to_owned),
    }
}

#[tokio::test]
async fn melodies_are_listed_shown_and_checked() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "name = \"document\"\n").unwrap();
    let path = file.path().display().to_string();
    let all = || Answer::Melodies {
        melodies: vec![
            melody("document", None, &path),
            melody("mine", Some("a cycle\n  m.toml:3"), "/m.toml"),
        ],
    };
    let mut bench = Bench::new(Mode::default());
    melodies(None, &Script::answering(all()), &mut bench.context())
        .await
        .unwrap();
    let text = bench.out.text();
    assert!(
        text.contains("document  Documents what") && text.contains("  limit    integer\n"),
        "{text}"
    );
    assert!(
        text.contains("mine  is not sound:\n  a cycle\n    m.toml:3\n"),
        "{text}"
    );
    let yours = " (yours, in place of Symphony's)";
    assert!(text.contains(&format!("  /m.toml{yours}\n")), "{text}");
    assert_eq!(text.matches(yours).count(), 1, "{text}");

    let show = |name: &str| {
        Some(MelodyVerb::Show {
            name: name.to_owned(),
        })
    };
    let mut bench = Bench::new(Mode::default());
    melodies(
        show("document"),
        &Script::answering(all()),
        &mut bench.context(),
    )
    .await
    .unwrap();
    assert_eq!(bench.out.text(), "name = \"document\"\n");
    let error = melodies(
        show("documnt"),
        &Script::answering(all()),
        &mut bench.context(),
    )
    .await
    .unwrap_err();
    assert_eq!(
        error.to_tell().unwrap().help.unwrap(),
        "did you mean `document`?"
    );

    let check = Some(MelodyVerb::Check {
        name: "./mine.toml".to_owned(),
    });
    let script = Script::answering(Answer::Checked {
        name: "mine".to_owned(),
        nodes: 4,
    });
    let mut bench = Bench::new(Mode::default());
    melodies(check, &script, &mut bench.context())
        .await
        .unwrap();
    assert_eq!(bench.out.text(), "✓ mine is sound: 4 nodes\n");
    assert_eq!(
        script.asked(),
        [Command::Check {
            melody: "/home/me/shop/./mine.toml".to_owned()
        }]
    );
}

#[test]
fn the_schema_is_json() {
    let mut bench = Bench::new(Mode::default());
    schema(&mut bench.context()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&bench.out.text()).unwrap();
    assert!(value["properties"]["nodes"].is_object());
}

#[tokio::test]
async fn status_names_the_host_and_its_processes() {
    let status_ = Status {
        project: "/home/me/shop".to_owned(),
        state: "/home/me/.local/share/symphony/projects/shop-1".to_owned(),
        pid: 4_000_000,
        playing: Some("7f3a90c2".to_owned()),
        policy: policy(),
        processes: vec![
            ("xi-editor".to_owned(), Some(4_000_001), "well".to_owned()),
            ("local-model".to_owned(), None, "idle".to_owned()),
        ],
    };
    let mut bench = Bench::new(Mode::default());
    status(
        &Script::answering(Answer::Status(status_)),
        &mut bench.context(),
    )
    .await
    .unwrap();
    insta::assert_snapshot!("status", bench.out.text());
}
