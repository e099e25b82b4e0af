//! Runs against the mocks: order, parallelism, retries, cache, resumption, cancellation.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};
use symphony_core_ports::{NodeState, PortError, Response, RunId, RunOutcome, Usage};
use symphony_domain::{
    core::SymphonyCore,
    melody::{Melody, check::Players, format::BudgetDeclaration, format::Values},
    run::{
        Parallel, Performance, RunError, RunEvent, RunPlan, RunReport, Settings, casting,
        plan::resolve_inputs,
    },
};
use symphony_testkit::{
    MockConductorAdapter, MockDataAdapter, MockExtensionAdapter, MockPitAdapter,
    MockTextEditingAdapter, SequentialIds, SimulatedClock, manifest,
};
use tokio_util::sync::CancellationToken;

const MELODY: &str = r#"
schema = "symphony.melody/1"
name = "test"
[inputs]
count = { type = "integer", default = 5 }
[nodes.find]
player = "operator/find"
with = { count = "{inputs.count}" }
[nodes.describe]
player = "instrument/*"
needs = ["chat", "json-schema"]
for_each = "{find.items}"
retry = { times = 2, backoff = "100ms" }
[nodes.describe.prompt]
system = "Say it."
user = "Item {item.name}"
schema = { type = "object" }
max_tokens = 10
[nodes.fix]
player = "operator/fix"
when = "{find.broken}"
with = { broken = "{find.broken}" }
[nodes.join]
player = "operator/join"
with = { replies = "{describe.reply}", more = ["{fix.fixed}", "{find.broken}"] }
[output]
joined = "{join.joined}"
"#;

struct Stage {
    core: SymphonyCore,
    extensions: MockExtensionAdapter,
    pit: MockPitAdapter,
    clock: SimulatedClock,
    players: Players,
    events: Arc<Mutex<Vec<RunEvent>>>,
    budget: BudgetDeclaration,
    fresh: bool,
    retries: u32,
    parallel: Parallel,
    melody: String,
}

fn outputs(ports: Value) -> Response {
    let Value::Object(outputs) = ports else {
        panic!("ports make an object")
    };
    Response {
        outputs,
        usage: Usage {
            model_calls: 1,
            input_tokens: 7,
            output_tokens: 3,
            usd: 0.0,
        },
    }
}

impl Stage {
    fn new() -> Self {
        let clock = SimulatedClock::new().auto_advance();
        let extensions = MockExtensionAdapter::with_clock(clock.clone());
        let pit = MockPitAdapter::with_clock(clock.clone());
        let players = Players::new([
            manifest::operator("find")
                .input("count", "integer")
                .output("items", "list<item>")
                .output("broken", "list<text>")
                .deterministic(false)
                .build(),
            manifest::operator("fix")
                .input("broken", "list<text>")
                .output("fixed", "list<text>")
                .build(),
            manifest::operator("join")
                .input("replies", "list<json>")
                .input("more", "list<text>")
                .output("joined", "text")
                .build(),
            manifest::instrument("model").deterministic(true).build(),
        ]);
        extensions.on("find", |request| {
            let count = request.inputs["count"].as_u64().unwrap();
            let items: Vec<Value> = (0..count)
                .map(|i| json!({"name": format!("i{i}"), "path": "a.rs"}))
                .collect();
            Ok(outputs(json!({"items": items, "broken": []})))
        });
        extensions.on("model", |request| {
            let messages = request.inputs["messages"].as_array().unwrap();
            let asked = messages.last().unwrap()["content"]
                .as_str()
                .unwrap()
                .to_owned();
            Ok(outputs(json!({"text": asked, "reply": {"about": asked}})))
        });
        extensions.on("fix", |_| Ok(outputs(json!({"fixed": ["mended"]}))));
        extensions.on("join", |request| {
            let about: Vec<&str> = request.inputs["replies"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r["about"].as_str().unwrap_or("-"))
                .collect();
            Ok(outputs(
                json!({"joined": format!("{} + {}", about.join(", "), request.inputs["more"])}),
            ))
        });
        let core = SymphonyCore {
            text: Arc::new(MockTextEditingAdapter::new()),
            pit: Arc::new(pit.clone()),
            extensions: Arc::new(extensions.clone()),
            conductor: Arc::new(MockConductorAdapter::new()),
            data: Arc::new(MockDataAdapter::new()),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SequentialIds::new()),
        };
        Self {
            core,
            extensions,
            pit,
            clock,
            players,
            events: Arc::default(),
            budget: BudgetDeclaration::default(),
            fresh: false,
            retries: 2,
            parallel: Parallel::Cores(NonZeroUsize::new(4).unwrap()),
            melody: MELODY.to_owned(),
        }
    }

    async fn play(
        &self,
        run: &str,
        resume: bool,
        cancel: &CancellationToken,
    ) -> Result<RunReport, RunError> {
        self.play_with(run, resume, cancel, Values::new()).await
    }

    async fn play_with(
        &self,
        run: &str,
        resume: bool,
        cancel: &CancellationToken,
        given: Values,
    ) -> Result<RunReport, RunError> {
        let melody = Melody::parse(&self.melody, "test.toml").unwrap();
        melody.check(&self.players).unwrap();
        let run = RunId::from(run);
        let cast = casting::cast(
            &self.core,
            &melody,
            &self.players,
            &casting::Wishes::default(),
            &run,
        )
        .await
        .unwrap();
        let inputs = resolve_inputs(&melody, &given, "/project").unwrap();
        let plan = RunPlan {
            melody: self.melody.clone(),
            origin: "test.toml".into(),
            inputs,
            cast,
            fresh: self.fresh,
        };
        let events = self.events.clone();
        let performance = Performance {
            core: &self.core,
            melody: &melody,
            players: &self.players,
            plan: &plan,
            run,
            settings: Settings {
                node_timeout: Duration::from_secs(30),
                retries: self.retries,
                parallel: self.parallel,
                budget: self.budget,
            },
            events: Arc::new(move |event| events.lock().unwrap().push(event)),
        };
        performance.play(resume, cancel).await
    }

    fn told(&self, wanted: impl Fn(&RunEvent) -> bool) -> usize {
        self.events
            .lock()
            .unwrap()
            .iter()
            .filter(|e| wanted(e))
            .count()
    }
}

#[tokio::test]
async fn a_melody_plays_to_its_output_in_the_order_of_the_list() {
    let stage = Stage::new();
    let report = stage
        .play("r1", false, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(
        report.outputs["joined"],
        "Item i0, Item i1, Item i2, Item i3, Item i4 + []"
    );
    assert_eq!(stage.extensions.invocations("model"), 5);
    assert_eq!(report.usage.model_calls, 5);
    assert_eq!(
        stage.told(|e| matches!(e, RunEvent::NodeSkipped { node, .. } if node == "fix")),
        1
    );
    let record = stage.core.pit.run(&RunId::from("r1")).await.unwrap();
    assert!(matches!(record.outcome, Some(RunOutcome::Succeeded { .. })));
}

#[tokio::test]
async fn a_condition_that_holds_lets_its_node_play_and_lists_are_joined() {
    let stage = Stage::new();
    stage.extensions.on("find", |_| {
        Ok(outputs(json!({"items": [], "broken": ["b"]})))
    });
    let report = stage
        .play("r1", false, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(report.outputs["joined"], " + [\"mended\",\"b\"]");
}

#[tokio::test]
async fn a_second_run_makes_no_model_call_and_fresh_makes_them_again() {
    let mut stage = Stage::new();
    let cancel = CancellationToken::new();
    stage.play("r1", false, &cancel).await.unwrap();
    let again = stage.play("r2", false, &cancel).await.unwrap();
    assert_eq!(
        (
            stage.extensions.invocations("model"),
            again.usage.model_calls
        ),
        (5, 0)
    );
    stage.fresh = true;
    stage.play("r3", false, &cancel).await.unwrap();
    assert_eq!(stage.extensions.invocations("model"), 10);
}

#[tokio::test]
async fn a_failing_call_is_tried_again_with_growing_waits() {
    let stage = Stage::new();
    stage.extensions.on("find", |_| {
        Ok(outputs(json!({"items": [{"name": "a"}], "broken": []})))
    });
    for _ in 0..2 {
        stage
            .extensions
            .fail_next("invoke", PortError::failed("not now"));
    }
    stage
        .play("r1", false, &CancellationToken::new())
        .await
        .unwrap();
    let slept: Vec<u128> = stage
        .clock
        .slept()
        .iter()
        .map(Duration::as_millis)
        .collect();
    assert!(
        stage.told(|e| matches!(e, RunEvent::Retried { .. })) == 2,
        "{slept:?}"
    );
}

#[tokio::test]
async fn a_server_that_says_when_to_come_back_is_obeyed() {
    let stage = Stage::new();
    stage.extensions.on("find", |_| {
        Ok(outputs(json!({"items": [{"name": "a"}], "broken": []})))
    });
    let calls = Arc::new(Mutex::new(0));
    stage.extensions.on("model", move |_| {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        if *calls == 1 {
            let retry_after = Some(Duration::from_secs(7));
            return Err(PortError::Exhausted {
                resource: "model".into(),
                details: "429".into(),
                retry_after,
            });
        }
        Ok(outputs(json!({"text": "x", "reply": {}})))
    });
    stage
        .play("r1", false, &CancellationToken::new())
        .await
        .unwrap();
    assert!(stage.clock.slept().contains(&Duration::from_secs(7)));
}

#[tokio::test]
async fn one_lasting_failure_keeps_the_rest_and_resume_executes_only_what_is_missing() {
    let stage = Stage::new();
    let broken = Arc::new(Mutex::new(true));
    let seen = broken.clone();
    stage.extensions.on("model", move |request| {
        let asked = request.inputs["messages"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()["content"]
            .to_string();
        if asked.contains("i3") && *seen.lock().unwrap() {
            return Err(PortError::failed("no answer"));
        }
        Ok(outputs(json!({"text": "x", "reply": {"about": asked}})))
    });
    let cancel = CancellationToken::new();
    let error = stage.play("r1", false, &cancel).await.unwrap_err();
    let RunError::Node {
        node, label, kept, ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(
        (node.as_str(), label.as_deref(), *kept),
        ("describe[3]", Some("a.rs: i3"), 5)
    );
    let record = stage.core.pit.run(&RunId::from("r1")).await.unwrap();
    assert!(matches!(record.outcome, Some(RunOutcome::Failed { .. })));
    assert!(
        record
            .nodes
            .iter()
            .any(|n| matches!(n.state, NodeState::Failed { .. }))
    );

    *broken.lock().unwrap() = false;
    let (models, finds) = (
        stage.extensions.invocations("model"),
        stage.extensions.invocations("find"),
    );
    stage.play("r1", true, &cancel).await.unwrap();
    assert_eq!(
        stage.extensions.invocations("model") - models,
        1,
        "only the failed item is asked again"
    );
    assert_eq!(
        stage.extensions.invocations("find"),
        finds,
        "a completed node does not play again"
    );
}

#[tokio::test]
async fn a_crash_in_the_middle_loses_no_completed_node() {
    let stage = Stage::new();
    stage.extensions.hang("join");
    let cancel = CancellationToken::new();
    tokio::select! {
        biased;
        () = async {
            while stage.extensions.running("join") == 0 {
                tokio::task::yield_now().await;
            }
        } => {} // the run is dropped in the middle, as a crash would
        _ = stage.play("r1", false, &cancel) => panic!("the run should hang"),
    }
    stage
        .extensions
        .on("join", |_| Ok(outputs(json!({"joined": "done"}))));
    let report = stage.play("r1", true, &cancel).await.unwrap();
    assert_eq!(report.outputs["joined"], "done");
    assert_eq!(
        (
            stage.extensions.invocations("model"),
            stage.extensions.invocations("find")
        ),
        (5, 1)
    );
}

#[tokio::test]
async fn cancelling_stops_the_calls_and_the_run_can_be_resumed() {
    let stage = Stage::new();
    stage.extensions.hang("model");
    let cancel = CancellationToken::new();
    let (played, ()) = tokio::join!(stage.play("r1", false, &cancel), async {
        while stage.extensions.running("model") == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    });
    assert!(matches!(played, Err(RunError::Cancelled)));
    assert_eq!(stage.extensions.running("model"), 0, "no call goes on");
    let record = stage.core.pit.run(&RunId::from("r1")).await.unwrap();
    assert_eq!(record.outcome, Some(RunOutcome::Cancelled));
}

#[tokio::test]
async fn a_run_never_exceeds_its_budget() {
    let mut stage = Stage::new();
    stage.budget.calls = 3;
    let error = stage
        .play("r1", false, &CancellationToken::new())
        .await
        .unwrap_err();
    let RunError::Node { source, .. } = &error else {
        panic!("{error}")
    };
    assert!(
        source.to_string().contains("budget of 3 model calls"),
        "{source}"
    );
    assert_eq!(stage.extensions.invocations("model"), 3);
}

#[tokio::test]
async fn a_model_is_never_called_more_often_at_once_than_it_allows() {
    let stage = Stage::new();
    stage.extensions.set_status("model", Some("m"), 2);
    stage.extensions.on_async("model", |call| async move {
        call.work(Duration::from_millis(5)).await;
        tokio::task::yield_now().await;
        Ok(outputs(json!({"text": "x", "reply": {}})))
    });
    let given = BTreeMap::from([("count".to_owned(), json!(20))]);
    stage
        .play_with("r1", false, &CancellationToken::new(), given)
        .await
        .unwrap();
    assert!(stage.extensions.most_running("model") <= 2);
}

/// A melody whose Operator and model work on the same 12 items, at the same time.
const BUSY: &str = r#"
schema = "symphony.melody/1"
name = "busy"
[nodes.find]
player = "operator/find"
with = { count = 12 }
[nodes.describe]
player = "instrument/model"
for_each = "{find.items}"
prompt = { user = "{item.name}" }
[nodes.weigh]
player = "operator/weigh"
for_each = "{find.items}"
with = { item = "{item}" }
"#;

/// The most calls at once: of the Operator, of the model, of both.
async fn most_at_once(parallel: Parallel, calls_allowed: u32) -> (usize, usize, usize) {
    let mut stage = Stage::new();
    stage.melody = BUSY.to_owned();
    stage.parallel = parallel;
    let weigh = manifest::operator("weigh").input("item", "json");
    let known = ["find", "model"].map(|name| {
        let player = if name == "model" {
            "instrument"
        } else {
            "operator"
        };
        let player = format!("{player}/{name}").parse().unwrap();
        stage.players.get(&player).unwrap().clone()
    });
    let weigh = weigh.output("weight", "integer").build();
    stage.players = Players::new(known.into_iter().chain([weigh]));
    stage
        .extensions
        .set_status("model", Some("m"), calls_allowed);
    let both = Arc::new(Mutex::new((0, 0)));
    for (name, output) in [
        ("weigh", json!({"weight": 1})),
        ("model", json!({"text": "x", "reply": {}})),
    ] {
        let both = both.clone();
        stage.extensions.on_async(name, move |call| {
            let (both, output) = (both.clone(), output.clone());
            async move {
                {
                    let mut both = both.lock().unwrap();
                    both.0 += 1;
                    both.1 = both.0.max(both.1);
                }
                call.work(Duration::from_millis(5)).await;
                both.lock().unwrap().0 -= 1;
                Ok(outputs(output))
            }
        });
    }
    stage
        .play("r1", false, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(stage.extensions.invocations("weigh"), 12);
    assert_eq!(stage.extensions.invocations("model"), 12);
    let most = both.lock().unwrap().1;
    let of = |name| stage.extensions.most_running(name);
    (of("weigh"), of("model"), most)
}

#[tokio::test]
async fn no_more_pieces_of_work_are_under_way_than_wanted() {
    let most = |count| Parallel::Most(NonZeroUsize::new(count).unwrap());
    assert_eq!(most_at_once(most(1), 8).await.2, 1);
    assert_eq!(most_at_once(most(3), 8).await.2, 3);
    // More places than work: the model's own bound holds.
    assert_eq!(most_at_once(most(100), 8).await, (12, 8, 20));
}

#[tokio::test]
async fn one_a_core_bounds_tools_and_leaves_models_their_own_bound() {
    let cores = Parallel::Cores(NonZeroUsize::new(2).unwrap());
    assert_eq!(most_at_once(cores, 5).await, (2, 5, 7));
}

/// How often a model that always fails is called, under a melody with this `retry`.
async fn tries(retry: &str, configured: u32) -> usize {
    let mut stage = Stage::new();
    stage.retries = configured;
    stage.melody = MELODY.replace("{ times = 2, backoff = \"100ms\" }", retry);
    let given = BTreeMap::from([("count".to_owned(), json!(1))]);
    stage
        .extensions
        .on("model", |_| Err(PortError::failed("never")));
    stage
        .play_with("r1", false, &CancellationToken::new(), given)
        .await
        .unwrap_err();
    stage.extensions.invocations("model")
}

#[tokio::test]
async fn the_melody_says_how_often_to_try_again_else_the_configuration() {
    assert_eq!(tries("{ backoff = \"1ms\" }", 0).await, 1);
    assert_eq!(tries("{ backoff = \"1ms\" }", 4).await, 5);
    assert_eq!(tries("{ times = 1 }", 4).await, 2);
    assert_eq!(tries("{ times = 0 }", 4).await, 1);
    assert_eq!(tries("{}", 3).await, 4);
}

#[tokio::test]
async fn outputs_that_break_the_manifest_are_refused() {
    let stage = Stage::new();
    stage.extensions.on("find", |_| {
        Ok(outputs(json!({"items": "many", "broken": []})))
    });
    let error = stage
        .play("r1", false, &CancellationToken::new())
        .await
        .unwrap_err();
    let RunError::Node { source, .. } = &error else {
        panic!("{error}")
    };
    assert!(
        source
            .to_string()
            .contains("output `items` is \"many\", expected list<item>"),
        "{source}"
    );
}

#[tokio::test]
async fn a_full_disk_fails_the_run_with_its_reason() {
    let stage = Stage::new();
    let full = || PortError::Exhausted {
        resource: "disk".into(),
        details: "no space left".into(),
        retry_after: None,
    };
    stage.pit.fail_next("begin_run", full());
    let error = stage
        .play("r1", false, &CancellationToken::new())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, RunError::Record(PortError::Exhausted { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn inputs_are_checked_before_anything_plays() {
    let melody = Melody::parse(MELODY, "test.toml").unwrap();
    let resolve = |name: &str, value: Value| {
        let given: Values = Map::from_iter([(name.to_owned(), value)])
            .into_iter()
            .collect();
        resolve_inputs(&melody, &given, "/p")
            .unwrap_err()
            .to_string()
    };
    assert!(resolve("cuont", json!(1)).contains("did you mean `count`?"));
    assert_eq!(
        resolve("count", json!("x")),
        "input `count` is \"x\", expected integer"
    );
}
