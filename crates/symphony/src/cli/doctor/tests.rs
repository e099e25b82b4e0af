use super::*;
use crate::cli::{testing::Bench, ui::Mode};

fn found() -> Vec<Check> {
    vec![
        Check::well("git", "2.47.2"),
        Check::lacking(
            "model openai",
            "OPENAI_API_KEY is not set",
            "export OPENAI_API_KEY=…",
        ),
        Check::missing(
            "xi-editor",
            "/opt/\x1b[2Jxi-editor is not there",
            "install Symphony again",
        ),
    ]
}

#[test]
fn each_line_has_a_mark_and_what_is_wrong_has_a_fix() {
    let mut bench = Bench::new(Mode::default());
    let error = tell(&found(), &mut bench.ui).unwrap_err();
    assert_eq!(error.exit_code(), 5);
    assert!(error.to_tell().is_none());
    insta::assert_snapshot!("doctor", bench.out.text());
}

#[test]
fn what_is_not_needed_is_no_failure() {
    let mut bench = Bench::new(Mode {
        json: true,
        ..Mode::default()
    });
    tell(&found()[..2], &mut bench.ui).unwrap();
    let value: serde_json::Value = serde_json::from_str(&bench.out.text()).unwrap();
    assert_eq!(value["result"]["missing"], 0);
    assert_eq!(value["result"]["checks"][1]["state"], "lacking");
}
