//! Plays a melody: each node as soon as what it needs is done.

use super::{
    Budget, EventSink, Parallel, RunEvent, RunPlan,
    call::{PlayerCall, cache_key, extension_of, node_of_call},
    event::Counts,
    slots::Slots,
    values::{Known, call_inputs, join_outputs, label_of, list_sizes},
};
use crate::{
    core::SymphonyCore,
    melody::{
        Melody, Node,
        check::{PLAYER_PORT, Players},
        format::{BudgetDeclaration, OnError},
        template::holds,
    },
};
use futures_util::{FutureExt, StreamExt, stream, stream::FuturesUnordered};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use symphony_core_ports::{
    ArtifactContent, ArtifactId, ArtifactInfo, DagNode, Durability, ExtensionEvent,
    ExtensionManifest, NewRun, NodeId, PortError, PortResult, ResultOrigin, RunId, RunOutcome,
    Usage,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How runs are played.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a try of a node may take that says nothing itself.
    pub node_timeout: Duration,
    /// How often a node is tried again whose melody does not say.
    pub retries: u32,
    /// How much is played at once.
    pub parallel: Parallel,
    /// Limits of the configuration; the melody may set stricter ones.
    pub budget: BudgetDeclaration,
}

/// A melody about to be played.
pub struct Performance<'a> {
    /// The ports.
    pub core: &'a SymphonyCore,
    /// What is played; checked against `players`.
    pub melody: &'a Melody,
    /// Who could play.
    pub players: &'a Players,
    /// Who plays, on what.
    pub plan: &'a RunPlan,
    /// The run's name.
    pub run: RunId,
    /// How.
    pub settings: Settings,
    /// Who is told.
    pub events: EventSink,
}

/// A run that succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// Which.
    pub run: RunId,
    /// The melody's outputs by name.
    pub outputs: Map<String, Value>,
    /// What it consumed.
    pub usage: Usage,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a run did not succeed. What was completed is kept; the run can be resumed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A node failed.
    #[error("node `{node}` failed{}", .label.as_deref().map(|l| format!(" ({l})")).unwrap_or_default())]
    Node {
        /// Which node or element.
        node: String,
        /// What the element is.
        label: Option<String>,
        /// Pieces of work that are done and kept.
        kept: u64,
        /// Why.
        #[source]
        source: PortError,
    },
    /// It was stopped.
    #[error("the run was cancelled")]
    Cancelled,
    /// The record of the run could not be kept.
    #[error("the run's record could not be kept")]
    Record(#[from] PortError),
}

/// How many elements of a fan-out are under way at once; leases bound the models' share further.
const FAN_OUT: usize = 64;

/// What a node came to.
enum Settled {
    Done(Value),
    Skipped(String),
}

struct NodeFailure {
    node: String,
    label: Option<String>,
    error: PortError,
}

impl Performance<'_> {
    /// Plays to the end, or until `cancel`.
    ///
    /// # Errors
    /// [`RunError`]; the run's record then says how far it came.
    pub async fn play(
        &self,
        resume: bool,
        cancel: &CancellationToken,
    ) -> Result<RunReport, RunError> {
        let started = self.core.clock.elapsed();
        let consumed = if resume {
            self.core.pit.resume_run(&self.run).await?;
            self.core.pit.run(&self.run).await?.usage()
        } else {
            let plan = self.store(self.plan, "what the run plays").await?;
            let melody = self.melody.file.name.clone();
            let started = self.core.clock.now();
            self.core
                .pit
                .begin_run(NewRun {
                    id: self.run.clone(),
                    melody,
                    plan,
                    started,
                })
                .await?;
            Usage::default()
        };
        (self.events)(RunEvent::RunStarted {
            run: self.run.to_string(),
            melody: self.melody.file.name.clone(),
            nodes: self
                .melody
                .nodes
                .iter()
                .map(|n| (n.name.clone(), n.title().to_owned()))
                .collect(),
            resumed: resume,
        });
        let budget = Budget::new(
            self.settings.budget,
            self.melody.file.budget,
            started,
            consumed,
        );
        let played = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(RunError::Cancelled),
            played = self.play_nodes(&budget) => played,
        };
        self.finish(played, &budget, started).await
    }

    async fn finish(
        &self,
        played: Result<Map<String, Value>, RunError>,
        budget: &Budget,
        started: Duration,
    ) -> Result<RunReport, RunError> {
        let (name, outcome) = match &played {
            Ok(outputs) => {
                let output = self.store(outputs, "outputs of the run").await?;
                ("succeeded", RunOutcome::Succeeded { output })
            }
            Err(RunError::Cancelled) => ("cancelled", RunOutcome::Cancelled),
            Err(error) => (
                "failed",
                RunOutcome::Failed {
                    error: with_causes(error),
                },
            ),
        };
        self.core
            .pit
            .finish_run(&self.run, outcome, self.core.clock.now())
            .await?;
        let elapsed = self.core.clock.elapsed().saturating_sub(started);
        (self.events)(RunEvent::RunFinished {
            run: self.run.to_string(),
            outcome: name.to_owned(),
            usage: budget.usage(),
            elapsed_ms: milliseconds(elapsed),
        });
        Ok(RunReport {
            run: self.run.clone(),
            outputs: played?,
            usage: budget.usage(),
            elapsed,
        })
    }

    async fn store(&self, value: &impl serde::Serialize, title: &str) -> PortResult<ArtifactId> {
        let bytes =
            serde_json::to_vec(value).map_err(|e| PortError::failed_because("no JSON", e))?;
        let labels = BTreeMap::from([("run".to_owned(), self.run.to_string())]);
        let about = ArtifactInfo {
            media_type: "application/json".into(),
            title: title.into(),
            labels,
        };
        self.core
            .pit
            .store_artifact(ArtifactContent {
                bytes,
                about,
                durability: Durability::Group,
            })
            .await
    }

    async fn play_nodes(&self, budget: &Budget) -> Result<Map<String, Value>, RunError> {
        let mut forwarders = self.load_players().await?;
        let slots = Slots::new(self.settings.parallel);
        let mut known = Known::new(self.plan.inputs.clone());
        let mut waiting: Vec<&Node> = self.melody.nodes.iter().collect();
        let mut busy: BTreeSet<&str> = BTreeSet::new();
        let mut running = FuturesUnordered::new();
        let mut failure: Option<NodeFailure> = None;
        loop {
            if failure.is_none() {
                let open: Vec<&str> = waiting.iter().map(|n| n.name.as_str()).collect();
                let is_open =
                    |need: &String| open.contains(&need.as_str()) || busy.contains(need.as_str());
                let (ready, rest): (Vec<&Node>, Vec<&Node>) = waiting
                    .iter()
                    .partition(|node| !node.needs.iter().any(is_open));
                waiting = rest;
                for node in ready {
                    busy.insert(&node.name);
                    running.push(self.play_named(node, known.clone(), budget, &slots).boxed());
                }
            }
            let Some((node, settled)) = running.next().await else {
                break;
            };
            busy.remove(node.name.as_str());
            match settled {
                Ok(Settled::Done(outputs)) => known.insert(&node.name, outputs),
                Ok(Settled::Skipped(reason)) => {
                    known.insert(&node.name, Value::Null);
                    (self.events)(RunEvent::NodeSkipped {
                        node: node.name.clone(),
                        reason,
                    });
                }
                Err(failed) => {
                    let error = with_causes(&failed.error);
                    (self.events)(RunEvent::NodeFailed {
                        node: node.name.clone(),
                        error,
                    });
                    // The others are finished, so that what they do is kept.
                    failure.get_or_insert(failed);
                }
            }
        }
        forwarders.abort_all();
        if let Some(NodeFailure { node, label, error }) = failure {
            let kept = self.completed().await?;
            return Err(RunError::Node {
                node,
                label,
                kept,
                source: error,
            });
        }
        let value = |reference| known.look_up(reference, &Value::Null);
        Ok(self
            .melody
            .output
            .iter()
            .map(|(name, reference)| (name.clone(), value(reference)))
            .collect())
    }

    async fn completed(&self) -> PortResult<u64> {
        use symphony_core_ports::NodeState::Completed;
        let record = self.core.pit.run(&self.run).await?;
        Ok(record
            .nodes
            .iter()
            .filter(|n| matches!(n.state, Completed { .. }))
            .count() as u64)
    }

    /// Makes the players known, and passes on what they tell.
    async fn load_players(&self) -> PortResult<JoinSet<()>> {
        let mut forwarders = JoinSet::new();
        let mut loaded = BTreeSet::new();
        for node in &self.melody.nodes {
            let (manifest, _) = self.player_of(node)?;
            if !loaded.insert(manifest.id.clone()) {
                continue;
            }
            self.core.extensions.load(manifest.clone()).await?;
            let mut told = self.core.extensions.events(&manifest.id);
            let (run, events) = (self.run.to_string(), self.events.clone());
            forwarders.spawn(async move {
                loop {
                    match told.recv().await {
                        Ok(event) => pass_on(&run, event, &events),
                        Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                        Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
                    }
                }
            });
        }
        Ok(forwarders)
    }

    fn player_of(&self, node: &Node) -> PortResult<(&ExtensionManifest, &super::CastMember)> {
        let member = self.plan.cast.get(&node.name);
        let member = member
            .ok_or_else(|| PortError::not_found(format!("the player of node `{}`", node.name)))?;
        extension_of(member)?;
        let manifest = self.players.get(&member.player);
        Ok((
            manifest.ok_or_else(|| PortError::not_found(format!("player `{}`", member.player)))?,
            member,
        ))
    }

    async fn play_named<'n>(
        &self,
        node: &'n Node,
        known: Known,
        budget: &Budget,
        slots: &Slots,
    ) -> (&'n Node, Result<Settled, NodeFailure>) {
        (node, self.play_node(node, &known, budget, slots).await)
    }

    async fn play_node(
        &self,
        node: &Node,
        known: &Known,
        budget: &Budget,
        slots: &Slots,
    ) -> Result<Settled, NodeFailure> {
        let fail = |error| NodeFailure {
            node: node.name.clone(),
            label: None,
            error,
        };
        if let Some(reason) = self.reason_to_skip(node, known).map_err(fail)? {
            let id = NodeId(node.name.clone());
            self.core
                .pit
                .skip_node(&self.run, id, &reason)
                .await
                .map_err(fail)?;
            return Ok(Settled::Skipped(reason));
        }
        let (manifest, member) = self.player_of(node).map_err(fail)?;
        let items = match &node.for_each {
            None => None,
            Some(list) => match known.look_up(list, &Value::Null) {
                Value::Array(items) => Some(items),
                other => {
                    return Err(fail(PortError::invalid(
                        format!("{list}"),
                        format!("{other} is no list"),
                    )));
                }
            },
        };
        (self.events)(RunEvent::NodeStarted {
            node: node.name.clone(),
            player: member.player.to_string(),
            reason: member.reason.clone(),
            total: items.as_ref().map(|i| i.len() as u64),
        });
        let started = self.core.clock.elapsed();
        let work = Work {
            performance: self,
            node,
            manifest,
            member,
            known,
            budget,
            slots,
        };
        let single = items.is_none();
        let results = work
            .play_elements(items.unwrap_or_else(|| vec![Value::Null]), single)
            .await?;
        let mut tally = Tally::default();
        let outputs: Vec<Value> = results
            .into_iter()
            .map(|result| tally.count(result))
            .collect();
        let (mut value, output) = if single {
            (
                outputs.into_iter().next().unwrap_or(Value::Null),
                tally.last,
            )
        } else {
            (
                join_outputs(manifest.outputs.keys().cloned(), &outputs),
                None,
            )
        };
        if let Value::Object(ports) = &mut value {
            ports.insert(
                PLAYER_PORT.to_owned(),
                Value::from(member.player.to_string()),
            );
        }
        (self.events)(RunEvent::NodeFinished {
            node: node.name.clone(),
            counts: tally.counts,
            elapsed_ms: milliseconds(self.core.clock.elapsed().saturating_sub(started)),
            usage: tally.usage,
            output,
            sizes: list_sizes(&value),
        });
        Ok(Settled::Done(value))
    }

    /// A node is skipped when its condition does not hold, or when a port that
    /// must be filled gets nothing since what fills it was skipped.
    fn reason_to_skip(&self, node: &Node, known: &Known) -> PortResult<Option<String>> {
        if let Some(when) = &node.when {
            let value = known.look_up(&when.reference, &Value::Null);
            if holds(&value) == when.negated {
                let not = if when.negated { "!" } else { "" };
                return Ok(Some(format!(
                    "its condition {not}{} does not hold",
                    when.reference
                )));
            }
        }
        if let Some(list) = &node.for_each
            && known.look_up(list, &Value::Null).is_null()
        {
            return Ok(Some(format!("{list} is empty: what gives it was skipped")));
        }
        if node.for_each.is_some() {
            return Ok(None);
        }
        let (manifest, _) = self.player_of(node)?;
        let inputs = call_inputs(node, known, &Value::Null);
        let unfilled = node.with.keys().find(|port| {
            let input = manifest.inputs.get(*port);
            !inputs.contains_key(*port) && input.is_some_and(|i| !i.optional && i.default.is_none())
        });
        Ok(unfilled.map(|port| format!("its port `{port}` is empty: what gives it was skipped")))
    }
}

/// A node being played.
struct Work<'a> {
    performance: &'a Performance<'a>,
    node: &'a Node,
    manifest: &'a ExtensionManifest,
    member: &'a super::CastMember,
    known: &'a Known,
    budget: &'a Budget,
    slots: &'a Slots,
}

/// One element's outputs and how they came about; `None` when it failed and that is allowed.
type ElementResult = Option<Played>;

/// Outputs and how they came about.
type Played = (Value, symphony_core_ports::NodeResult);

impl Work<'_> {
    async fn play_elements(
        &self,
        items: Vec<Value>,
        single: bool,
    ) -> Result<Vec<ElementResult>, NodeFailure> {
        let total = items.len() as u64;
        let mut results: Vec<Option<ElementResult>> = items.iter().map(|_| None).collect();
        let mut failure: Option<NodeFailure> = None;
        let mut done = 0;
        // Boxed one by one: a closure that borrows would not be `Send` for every lifetime.
        let elements: Vec<_> = items
            .into_iter()
            .enumerate()
            .map(|(index, item)| self.play_labelled(index, item, single).boxed())
            .collect();
        let mut playing = stream::iter(elements).buffer_unordered(FAN_OUT);
        while let Some((index, label, result)) = playing.next().await {
            done += 1;
            match result {
                Ok(result) => {
                    if !single {
                        self.tell_done(done, total, &result.1, label);
                    }
                    results[index] = Some(Some(result));
                }
                Err(error) => {
                    let node = element_name(&self.node.name, index, single);
                    let text = with_causes(&error);
                    let told = RunEvent::InstanceFailed {
                        node: node.clone(),
                        label: label.clone(),
                        error: text,
                    };
                    (self.performance.events)(told);
                    results[index] = Some(None);
                    if single || self.node.declaration.on_error == OnError::Fail {
                        let label = (!label.is_empty()).then_some(label);
                        failure.get_or_insert(NodeFailure { node, label, error });
                    }
                }
            }
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(results.into_iter().map(Option::flatten).collect()),
        }
    }

    fn tell_done(
        &self,
        done: u64,
        total: u64,
        result: &symphony_core_ports::NodeResult,
        label: String,
    ) {
        let origin = match result.origin {
            ResultOrigin::Executed => "executed",
            ResultOrigin::Cache => "cache",
            ResultOrigin::Log => "log",
        };
        let (node, origin) = (self.node.name.clone(), origin.to_owned());
        (self.performance.events)(RunEvent::InstanceFinished {
            node,
            done,
            total,
            origin,
            label,
        });
    }

    async fn play_labelled(
        &self,
        index: usize,
        item: Value,
        single: bool,
    ) -> (usize, String, PortResult<Played>) {
        let label = label_of(&item);
        (index, label, self.play_element(index, item, single).await)
    }

    async fn play_element(&self, index: usize, item: Value, single: bool) -> PortResult<Played> {
        let performance = self.performance;
        let inputs = call_inputs(self.node, self.known, &item);
        let id = NodeId(element_name(&self.node.name, index, single));
        let dag_node = DagNode {
            player: self.member.player.to_string(),
            label: label_of(&item),
            cache_key: cache_key(self.manifest, &inputs).filter(|_| !performance.plan.fresh),
            idempotency_key: format!("{}/{id}", performance.run),
            id,
        };
        let declared = self.node.declaration.retry.times;
        let call = PlayerCall {
            core: performance.core,
            run: performance.run.as_str(),
            manifest: self.manifest,
            member: self.member,
            inputs,
            timeout: self
                .node
                .timeout
                .unwrap_or(performance.settings.node_timeout),
            retries: declared.unwrap_or(performance.settings.retries),
            backoff: self.node.backoff,
            budget: self.budget,
            slots: self.slots,
            events: &performance.events,
        };
        let result = performance
            .core
            .pit
            .execute_dag_node(&performance.run, dag_node, &call)
            .await?;
        let artifact = performance
            .core
            .pit
            .retrieve_artifact(&result.output.output)
            .await?;
        let outputs = serde_json::from_slice(&artifact.bytes).map_err(|e| {
            PortError::failed_because(format!("artifact {} is no JSON", artifact.id), e)
        })?;
        Ok((outputs, result))
    }
}

/// Sums up the elements of a node.
#[derive(Default)]
struct Tally {
    counts: Counts,
    usage: Usage,
    last: Option<ArtifactId>,
}

impl Tally {
    fn count(&mut self, result: ElementResult) -> Value {
        let Some((value, result)) = result else {
            self.counts.failed += 1;
            return Value::Null;
        };
        match result.origin {
            ResultOrigin::Executed => {
                self.counts.executed += 1;
                self.usage += result.output.usage;
            }
            ResultOrigin::Cache => self.counts.cached += 1,
            ResultOrigin::Log => self.counts.recorded += 1,
        }
        self.last = Some(result.output.output);
        value
    }
}

fn element_name(node: &str, index: usize, single: bool) -> String {
    if single {
        node.to_owned()
    } else {
        format!("{node}[{index}]")
    }
}

fn pass_on(run: &str, event: ExtensionEvent, events: &EventSink) {
    match event {
        ExtensionEvent::Progress {
            call,
            done,
            total,
            message,
        } => {
            if let Some(node) = node_of_call(run, &call) {
                events(RunEvent::Progress {
                    node: node.to_owned(),
                    done,
                    total,
                    message,
                });
            }
        }
        ExtensionEvent::Text { call, text } => {
            if let Some(node) = node_of_call(run, &call) {
                events(RunEvent::Text {
                    node: node.to_owned(),
                    text,
                });
            }
        }
        ExtensionEvent::Crashed { details } => tracing::warn!(run, details, "an extension crashed"),
        ExtensionEvent::Started { .. } | ExtensionEvent::Log { .. } | ExtensionEvent::Stopped => {}
    }
}

/// An error with its causes, on one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let next = cause.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        source = cause.source();
    }
    text
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
