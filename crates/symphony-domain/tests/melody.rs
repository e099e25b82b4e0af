//! Melodies: what is accepted, and what is said of what is not.

use proptest::prelude::*;
use symphony_core_ports::PortType;
use symphony_domain::melody::{Melody, check::Players, format::json_schema};
use symphony_testkit::manifest;

fn players() -> Players {
    Players::new([
        manifest::operator("find")
            .output("items", "list<item>")
            .output("found", "integer")
            .build(),
        manifest::operator("join")
            .input("edits", "list<edit>")
            .optional_input("title", "text")
            .output("edits", "list<edit>")
            .build(),
        manifest::operator("start")
            .optional_input("seed", "text")
            .output("edits", "list<edit>")
            .build(),
        manifest::instrument("model").build(),
    ])
}

fn problems(text: &str) -> String {
    let melody = match Melody::parse(text, "m.toml") {
        Ok(melody) => melody,
        Err(problems) => return problems.to_string(),
    };
    melody
        .check(&players())
        .expect_err("the melody should not be sound")
        .to_string()
}

fn melody(nodes: &str) -> String {
    format!("schema = \"symphony.melody/1\"\nname = \"test\"\n{nodes}")
}

const SOUND: &str = r#"
schema = "symphony.melody/1"
name = "sound"
[inputs]
limit = { type = "integer", default = 3, min = 1 }
[nodes.find] # where it begins
player = "operator/find"
[nodes.describe]
player = "instrument/*" # anyone
needs = ["chat"]
for_each = "{find.items}"
[nodes.describe.prompt]
user = "{item.code} of {inputs.limit}"
[nodes.join]
player = "operator/join"
with = { edits = ["{start.edits}", "{start.edits}"], title = "{describe.player}" }
[nodes.start]
player = "operator/start"
[output]
edits = "{join.edits}"
"#;

#[test]
fn a_sound_melody_is_put_in_order_and_typed() {
    let melody = Melody::parse(SOUND, "m.toml").unwrap();
    melody.check(&players()).unwrap();
    let names: Vec<&str> = melody.nodes.iter().map(|n| n.name.as_str()).collect();
    assert!(names.iter().position(|n| *n == "start") < names.iter().position(|n| *n == "join"));
    let edits = PortType::Record("edit".into()).list();
    assert_eq!(melody.output_types(&players()).get("edits"), Some(&edits));
}

#[test]
fn a_cycle_is_shown_as_a_path() {
    let text = melody(
        r#"
[nodes.collect]
player = "operator/start"
with = { seed = "{check.edits}" }
[nodes.write]
player = "operator/join"
with = { edits = "{collect.edits}" }
[nodes.check]
player = "operator/join"
with = { edits = "{write.edits}" }
"#,
    );
    let said = problems(&text);
    assert!(said.contains("has a cycle:"), "{said}");
    let path = said.lines().next().unwrap().split(": ").last().unwrap();
    let steps: Vec<&str> = path.split(" → ").collect();
    assert_eq!(steps.len(), 4, "{said}");
    assert_eq!(steps.first(), steps.last());
    let along = ["collect → write", "write → check", "check → collect"];
    assert_eq!(
        along.iter().filter(|edge| path.contains(*edge)).count(),
        3,
        "{said}"
    );
}

#[test]
fn every_problem_names_node_port_and_line() {
    let cases = [
        (
            r#"[nodes.a]
player = "operator/join"
with = { edits = "{b.items}" }
[nodes.b]
player = "operator/find""#,
            "node `a`: the port `edits` of `operator/join` gets {b.items} of type list<item>, expected list<edit>\n  m.toml:5",
        ),
        (
            r#"[nodes.a]
player = "operator/join"
with = { edist = [] , edits = [] }"#,
            "node `a`: `operator/join` has no input port `edist`\n  m.toml:5\n  help: did you mean `edits`?",
        ),
        (
            r#"[nodes.a]
player = "operator/join""#,
            "node `a`: the port `edits` of `operator/join` (list<edit>) is not wired\n  m.toml:3",
        ),
        (
            r#"[nodes.a]
player = "operator/jion"
with = { edits = [] }"#,
            "node `a`: the extension `operator/jion` is not installed\n  m.toml:4\n  help: did you mean `operator/join`?",
        ),
        (
            r#"[nodes.a]
player = "operator/join"
with = { edits = 3 }"#,
            "is 3, expected list<edit>",
        ),
        (
            r#"[nodes.a]
player = "operator/find"
for_each = "{b.found}"
[nodes.b]
player = "operator/find""#,
            "`for_each` is {b.found} of type integer, expected a list",
        ),
        (
            r#"[nodes.a]
player = "operator/start"
with = { seed = "{b.nothing}" }
[nodes.b]
player = "operator/find""#,
            "`operator/find` has no output port `nothing`; there are: found, items",
        ),
        (
            r#"[nodes.a]
player = "instrument/*"
needs = ["video"]"#,
            "no Instrument can do all of: video",
        ),
        (
            r#"[nodes.a]
player = "operator/start"
with = { seed = "{item.x}" }"#,
            "refers to {item.x} without `for_each`",
        ),
        (
            r#"[nodes.a]
player = "operator/start"
with = { seed = "{inputs.x}" }"#,
            "there is no such input",
        ),
        (
            r#"[nodes.a]
player = "operator/start"
timeout = "soon""#,
            "`soon` is no duration\n  m.toml:5",
        ),
        (
            r#"[nodes.a]
plyer = "operator/start""#,
            "unknown field `plyer`",
        ),
        (
            r#"[nodes.a]
player = "start""#,
            "names no player",
        ),
        (
            r#"[nodes.a]
player = "operator/start"
after = ["b"]"#,
            "node `a` comes after `b`: there is no such node",
        ),
    ];
    for (nodes, expected) in cases {
        let said = problems(&melody(nodes));
        assert!(
            said.contains(expected),
            "expected: {expected}\nsaid: {said}"
        );
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let said = problems(&melody(
        "[nodes.a]\nplayer = \"x\"\n[nodes.b]\nplayer = \"y\"\n",
    ));
    assert!(said.contains("`x`") && said.contains("`y`"), "{said}");
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "reads and writes the published schema"
)]
fn the_published_schema_is_that_of_the_code() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/formats/melody.schema.json"
    );
    let schema = serde_json::to_string_pretty(&json_schema()).unwrap();
    let written = format!("{schema}\n");
    if std::env::var_os("SYMPHONY_BLESS").is_some() {
        std::fs::write(path, &written).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        published, written,
        "run the test with SYMPHONY_BLESS=1 to publish the schema anew"
    );
}

/// The melodies that come with Symphony are sound on their own.
#[test]
fn the_bundled_melodies_parse() {
    for text in [
        include_str!("../../../melodies/document.toml"),
        include_str!("../../../melodies/ask.toml"),
    ] {
        Melody::parse(text, "bundled").unwrap_or_else(|problems| panic!("{problems}"));
    }
}

/// Chains and forks of `join` nodes, each fed by nodes before it.
fn dag() -> impl Strategy<Value = Vec<Vec<usize>>> {
    proptest::collection::vec(
        proptest::collection::vec(any::<proptest::sample::Index>(), 0..3),
        1..12,
    )
    .prop_map(|nodes| {
        nodes
            .iter()
            .enumerate()
            .map(|(i, needs)| {
                if i == 0 {
                    Vec::new()
                } else {
                    needs.iter().map(|n| n.index(i)).collect()
                }
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn nodes_come_after_what_they_need_whatever_the_order_in_the_file(needs in dag(), seed in any::<u64>()) {
        let mut names: Vec<usize> = (0..needs.len()).collect();
        // A cheap shuffle: the order in the file must not matter.
        names.sort_by_key(|n| (*n as u64).wrapping_mul(seed | 1).rotate_left(17));
        let mut text = String::new();
        for n in names {
            let edits: Vec<String> = needs[n].iter().map(|m| format!("\"{{n{m}.edits}}\"")).collect();
            text.push_str(&format!("[nodes.n{n}]\nplayer = \"operator/join\"\nwith = {{ edits = [{}] }}\n", edits.join(", ")));
        }
        let melody = Melody::parse(&melody(&text), "m.toml").unwrap();
        let place = |name: String| melody.nodes.iter().position(|node| node.name == name).unwrap();
        for (n, needs) in needs.iter().enumerate() {
            for m in needs {
                let (before, after) = (place(format!("n{m}")), place(format!("n{n}")));
                prop_assert!(before < after);
            }
        }
    }

    #[test]
    fn no_text_panics(text in "(?s).{0,300}") {
        let _ = Melody::parse(&text, "m.toml");
        let _ = Melody::parse(&melody(&text), "m.toml");
    }
}
