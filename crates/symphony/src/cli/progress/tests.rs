use super::*;
use board::Board;
use std::collections::BTreeMap;
use symphony_core_ports::Usage;
use symphony_domain::run::event::Counts;

const AT: Duration = Duration::from_millis(1500);

fn setting(mode: Mode) -> Setting {
    Setting {
        mode,
        style: Style { color: false },
        project: "sample-shop".to_owned(),
    }
}

fn started(node: &str, player: &str, total: Option<u64>) -> RunEvent {
    RunEvent::NodeStarted {
        node: node.to_owned(),
        player: player.to_owned(),
        reason: String::new(),
        total,
    }
}

fn finished(
    node: &str,
    counts: Counts,
    elapsed_ms: u64,
    usage: Usage,
    sizes: &[(&str, u64)],
) -> RunEvent {
    let sizes: BTreeMap<String, u64> = sizes
        .iter()
        .map(|(port, size)| ((*port).to_owned(), *size))
        .collect();
    RunEvent::NodeFinished {
        node: node.to_owned(),
        counts,
        elapsed_ms,
        usage,
        output: None,
        sizes,
    }
}

fn element(node: &str, done: u64, total: u64, label: &str) -> RunEvent {
    RunEvent::InstanceFinished {
        node: node.to_owned(),
        done,
        total,
        origin: "executed".to_owned(),
        label: label.to_owned(),
    }
}

fn begun() -> RunEvent {
    let nodes = [
        ("find", "find what is undocumented"),
        ("describe", "describe"),
        ("verify", "verify"),
        ("stage", "stage"),
        ("publish", "publish"),
    ];
    RunEvent::RunStarted {
        run: "7f3a90c2".to_owned(),
        melody: "document".to_owned(),
        nodes: nodes
            .map(|(name, title)| (name.to_owned(), title.to_owned()))
            .into(),
        resumed: false,
    }
}

const ONE: Counts = Counts {
    executed: 1,
    cached: 0,
    recorded: 0,
    failed: 0,
};

#[expect(clippy::too_many_lines, reason = "a list of events")]
fn performance() -> Vec<(u64, RunEvent)> {
    let used = Usage {
        model_calls: 23,
        input_tokens: 1200,
        output_tokens: 212,
        usd: 0.0,
    };
    let retried = RunEvent::Retried {
        node: "describe[7]".to_owned(),
        label: "src/cart.py: Cart.total".to_owned(),
        attempt: 1,
        error: "broken\nJSON \x1b[2J".to_owned(),
        wait_ms: 200,
    };
    vec![
        (0, begun()),
        (0, started("find", "operator/find-undocumented", None)),
        (
            100,
            finished(
                "find",
                ONE,
                100,
                Usage::default(),
                &[("items", 23), ("files", 1), ("problems", 0)],
            ),
        ),
        (100, started("describe", "instrument/local-model", Some(23))),
        (900, element("describe", 1, 23, "src/cart.py: Cart.add")),
        (1000, retried),
        (6000, element("describe", 9, 23, "src/cart.py: Cart.total")),
        (6100, element("describe", 10, 23, "src/cart.py: Cart.tax")),
        (
            17_300,
            finished(
                "describe",
                Counts {
                    executed: 23,
                    ..Counts::default()
                },
                17_200,
                used,
                &[("comment", 23)],
            ),
        ),
        (
            17_300,
            started("verify", "operator/verify-comments-only", None),
        ),
        (
            17_500,
            finished(
                "verify",
                ONE,
                200,
                Usage::default(),
                &[("kept", 21), ("refused", 2)],
            ),
        ),
        (
            17_500,
            RunEvent::NodeSkipped {
                node: "stage".to_owned(),
                reason: "nothing to stage".to_owned(),
            },
        ),
        (17_600, started("publish", "operator/publish", None)),
        (
            17_700,
            RunEvent::NodeFailed {
                node: "publish".to_owned(),
                error: "no\nnetwork".to_owned(),
            },
        ),
        (
            17_700,
            RunEvent::RunFinished {
                run: "7f3a90c2".to_owned(),
                outcome: "failed".to_owned(),
                usage: used,
                elapsed_ms: 17_700,
            },
        ),
    ]
}

fn plain(events: &[(u64, RunEvent)], mode: Mode) -> String {
    let mut plain = Plain::new(setting(mode));
    let lines = events
        .iter()
        .flat_map(|(at, event)| plain.take(event, Duration::from_millis(*at)));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn plain_lines_tell_each_node_once_and_long_ones_in_between() {
    insta::assert_snapshot!("plain", plain(&performance(), Mode::default()));
}

#[test]
fn what_came_from_cache_is_said() {
    let all = |executed, cached, recorded, failed| Counts {
        executed,
        cached,
        recorded,
        failed,
    };
    let line = |counts: Counts, total| {
        let mut board = Board::default();
        board.take(&started("describe", "instrument/local-model", total), AT);
        board.take(
            &finished("describe", counts, 0, Usage::default(), &[("items", 3)]),
            AT,
        );
        board
            .line("describe", AT, false, Style::default())
            .split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line(all(0, 23, 0, 0), Some(23)), "✓ 23/23 from cache 0.0 s");
    assert_eq!(
        line(all(3, 20, 0, 0), Some(23)),
        "✓ 23/23, 20 from cache 0.0 s"
    );
    assert_eq!(
        line(all(3, 0, 20, 0), Some(23)),
        "✓ 23/23, 20 kept from before 0.0 s"
    );
    assert_eq!(line(all(21, 0, 0, 2), Some(23)), "! 21/23, 2 failed 0.0 s");
    assert_eq!(line(all(0, 1, 0, 0), None), "✓ 3 items, from cache 0.0 s");
    assert_eq!(line(all(0, 0, 0, 0), Some(0)), "✓ 0/0 0.0 s");
}

#[test]
fn bars_grow_and_show_the_clock() {
    let mut board = Board::default();
    board.take(&begun(), Duration::ZERO);
    board.take(
        &started("describe", "instrument/local-model", Some(20)),
        Duration::ZERO,
    );
    board.take(&element("describe", 5, 20, "x"), AT);
    let line = board.line("describe", AT, true, Style::default());
    assert_eq!(
        line,
        "  describe  ━━━━━                 5/20             1.5 s"
    );
    board.take(&element("describe", 20, 20, "x"), AT);
    assert!(
        board
            .line("describe", AT, true, Style::default())
            .contains(&"━".repeat(20))
    );
}

#[test]
fn a_single_piece_of_work_says_how_far_it_is() {
    let mut board = Board::default();
    board.take(&begun(), Duration::ZERO);
    board.take(&started("find", "operator/x", None), Duration::ZERO);
    assert!(
        board
            .line("find", AT, false, Style::default())
            .contains("find what is undocumented")
    );
    let step = |total| RunEvent::Progress {
        node: "find".to_owned(),
        done: 3,
        total,
        message: "files\x1b".to_owned(),
    };
    board.take(&step(Some(9)), AT);
    assert!(
        board
            .line("find", AT, false, Style::default())
            .contains("3/9 files^[")
    );
    board.take(&step(None), AT);
    assert!(
        board
            .line("find", AT, false, Style::default())
            .contains("files^[")
    );
}

#[test]
fn the_end_of_what_a_model_writes_is_shown_on_request_alone() {
    let text = RunEvent::Text {
        node: "describe[1]".to_owned(),
        text: format!("{}the end", "x".repeat(500)),
    };
    let events = [
        (0, started("describe", "instrument/local-model", Some(2))),
        (6000, text),
    ];
    assert!(!plain(&events, Mode::default()).contains("the end"));
    let shown = plain(
        &events,
        Mode {
            verbose: true,
            ..Mode::default()
        },
    );
    assert!(shown.contains("xthe end") && shown.len() < 200, "{shown}");
}

#[test]
fn an_event_of_an_unknown_node_is_shown_as_it_is() {
    let shown = plain(
        &[(
            0,
            finished("late", ONE, 5, Usage::default(), &[("words", 1)]),
        )],
        Mode::default(),
    );
    assert!(
        shown.contains("late") && shown.contains("1 word"),
        "{shown}"
    );
}

#[test]
fn a_run_that_floods_keeps_its_milestones_and_its_name() {
    let progress = Progress::start(setting(Mode {
        quiet: true,
        ..Mode::default()
    }))
    .unwrap();
    let sink = progress.sink();
    sink(begun());
    for _ in 0..100_000 {
        sink(RunEvent::Text {
            node: "describe[1]".to_owned(),
            text: "word ".to_owned(),
        });
    }
    assert_eq!(
        progress.end(),
        Seen {
            run: Some("7f3a90c2".to_owned())
        }
    );
    // What comes after the end is dropped.
    sink(begun());
}
