//! Performs melodies and resumes runs.

use super::{Host, Playing, describe::find_run};
use crate::{
    api::{CommandError, ErrorKind, Perform, Performed, RunState},
    credentials, melodies, models,
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, num::NonZeroUsize, time::Duration};
use symphony_core_ports::{ExtensionType, PlayerRef, PortError, PortType, RunId};
use symphony_domain::{
    changes::{ChangeSetSummary, EpisodeRef, NewChangeSet, Note},
    melody::{Melody, format::BudgetDeclaration},
    run::{
        EventSink, Parallel, Performance, RunError, RunPlan, RunReport, Settings, casting,
        plan::resolve_inputs,
    },
};
use symphony_ipc_protocol::extension::Miss;
use tokio_util::sync::CancellationToken;

/// Frees the project for the next run, however this one ends.
struct Turn<'a>(&'a Host);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.playing() = None;
    }
}

impl Host {
    pub(super) fn find_melody(&self, name: &str) -> Result<Melody, CommandError> {
        let melody = melodies::find(&self.installation, name)?;
        melody.check(&self.players).map_err(melodies::unsound)?;
        Ok(melody)
    }

    pub(super) async fn perform(
        &self,
        what: Perform,
        events: EventSink,
        cancel: &CancellationToken,
    ) -> Result<Performed, CommandError> {
        let melody = self.find_melody(&what.melody)?;
        let project = self.project.root.display().to_string();
        let inputs = resolve_inputs(&melody, &what.inputs, &project)
            .map_err(|e| CommandError::new(ErrorKind::Input, e.to_string()))?;
        let run = RunId(format!("{:08x}", self.core.ids.next_id() & 0xffff_ffff));
        let _turn = self.take_turn(&run, &melody.file.name, cancel)?;
        let mut wishes = models::wishes(&self.config);
        wishes.players = named_players(&what.players)?;
        wishes.model = what
            .model
            .as_deref()
            .map(models::instrument)
            .transpose()
            .map_err(bad_player)?;
        let cast = casting::cast(&self.core, &melody, &self.players, &wishes, &run)
            .await
            .map_err(casting_error)?;
        let plan = RunPlan {
            melody: melody.text.clone(),
            origin: melody.origin.clone(),
            inputs,
            cast,
            fresh: what.fresh,
        };
        self.play(&melody, &plan, run, false, events, cancel).await
    }

    pub(super) async fn resume(
        &self,
        run: String,
        players: BTreeMap<String, String>,
        events: EventSink,
        cancel: &CancellationToken,
    ) -> Result<Performed, CommandError> {
        let record = find_run(&self.core, &run).await?;
        let id = record.run.id.clone();
        match self.state_of(&record) {
            RunState::Playing => return Err(self.busy()),
            RunState::Succeeded => {
                let message = format!("run {id} is complete: there is nothing to resume");
                let help = "`symphony review` shows what it made; `symphony perform` plays the melody again";
                return Err(CommandError::new(ErrorKind::Input, message).help(help));
            }
            RunState::Failed | RunState::Cancelled | RunState::Interrupted => {}
        }
        let artifact = self.core.pit.retrieve_artifact(&record.run.plan).await?;
        let mut plan: RunPlan = serde_json::from_slice(&artifact.bytes).map_err(|e| {
            PortError::failed_because(format!("the plan of run {id} cannot be read"), e)
        })?;
        let melody = Melody::parse(&plan.melody, &plan.origin).map_err(melodies::unsound)?;
        melody.check(&self.players).map_err(melodies::unsound)?;
        let _turn = self.take_turn(&id, &melody.file.name, cancel)?;
        if !players.is_empty() {
            let mut wishes = models::wishes(&self.config);
            wishes.players = named_players(&players)?;
            let cast = casting::cast(&self.core, &melody, &self.players, &wishes, &id)
                .await
                .map_err(casting_error)?;
            plan.cast.extend(
                cast.into_iter()
                    .filter(|(node, _)| players.contains_key(node)),
            );
        }
        self.play(&melody, &plan, id, true, events, cancel).await
    }

    async fn play(
        &self,
        melody: &Melody,
        plan: &RunPlan,
        run: RunId,
        resume: bool,
        events: EventSink,
        cancel: &CancellationToken,
    ) -> Result<Performed, CommandError> {
        self.check_keys(plan)?;
        let budget = &self.config.budget;
        let settings = Settings {
            node_timeout: Duration::from_secs(self.config.run.node_timeout_s),
            retries: self.config.run.retries,
            parallel: parallel(self.config.run.max_parallel),
            budget: BudgetDeclaration {
                calls: budget.max_calls,
                tokens: budget.max_tokens,
                usd: budget.max_usd,
                seconds: budget.max_seconds,
            },
        };
        let (core, players) = (&self.core, &self.players);
        let performance = Performance {
            core,
            melody,
            players,
            plan,
            run: run.clone(),
            settings,
            events,
        };
        let cancel = self
            .playing()
            .as_ref()
            .map_or_else(|| cancel.clone(), |p| p.cancel.clone());
        let report = performance
            .play(resume, &cancel)
            .await
            .map_err(|error| run_error(&run, error))?;
        self.performed(melody, plan, report).await
    }

    /// A key that is missing is told before the run begins, not in the middle of it.
    fn check_keys(&self, plan: &RunPlan) -> Result<(), CommandError> {
        for member in plan.cast.values() {
            let name = member.player.id.as_ref().map_or("", |id| id.as_str());
            if let Some(model) = self.config.models.get(name) {
                credentials::api_key(name, model)?;
            }
        }
        Ok(())
    }

    fn take_turn(
        &self,
        run: &RunId,
        melody: &str,
        cancel: &CancellationToken,
    ) -> Result<Turn<'_>, CommandError> {
        let mut playing = self.playing();
        if playing.is_some() {
            drop(playing);
            return Err(self.busy());
        }
        *playing = Some(Playing {
            run: run.clone(),
            melody: melody.to_owned(),
            cancel: cancel.child_token(),
        });
        Ok(Turn(self))
    }

    fn busy(&self) -> CommandError {
        let what = self.playing().as_ref().map_or_else(
            || "another run is playing on this project".to_owned(),
            |p| format!("run {} of `{}` is playing on this project", p.run, p.melody),
        );
        CommandError::new(ErrorKind::Conflict, what)
            .help("wait for its end, or stop it with Ctrl-C where it was started; `symphony status` shows it")
    }

    /// Stages the change sets of a run and gathers what verifiers said.
    async fn performed(
        &self,
        melody: &Melody,
        plan: &RunPlan,
        report: RunReport,
    ) -> Result<Performed, CommandError> {
        let types = melody.output_types(&self.players);
        let is = |name: &str, wanted: &PortType| types.get(name) == Some(wanted);
        let record = |name: &str| PortType::Record(name.to_owned());
        let (change_set, finding, miss) = (
            record("change-set"),
            record("finding").list(),
            record("miss").list(),
        );
        let mut findings: Vec<Note> = Vec::new();
        for (name, value) in &report.outputs {
            if is(name, &finding) {
                findings.extend(read_list::<Note>(name, value));
            } else if is(name, &miss) {
                findings.extend(read_list::<Miss>(name, value).into_iter().map(note_of_miss));
            }
        }
        let mut staged = None;
        for (_, proposed) in report
            .outputs
            .iter()
            .filter(|(name, value)| is(name, &change_set) && has_edits(value))
        {
            staged = Some(
                self.stage(
                    &report.run,
                    melody,
                    plan,
                    proposed.clone(),
                    findings.clone(),
                )
                .await?,
            );
        }
        let told = |name: &str| [&change_set, &finding, &miss].iter().any(|t| is(name, t));
        let outputs: Map<String, Value> = report
            .outputs
            .into_iter()
            .filter(|(name, _)| !told(name))
            .collect();
        let instruments = plan
            .cast
            .values()
            .filter(|m| m.player.extension_type == ExtensionType::Instrument);
        let mut instruments: Vec<String> = instruments
            .filter_map(|m| m.player.id.as_ref().map(ToString::to_string))
            .collect();
        instruments.sort();
        instruments.dedup();
        Ok(Performed {
            run: report.run.to_string(),
            melody: melody.file.name.clone(),
            outputs,
            usage: report.usage,
            elapsed_ms: u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
            change_set: staged,
            findings: findings.into_iter().map(|n| describe_note(&n)).collect(),
            instruments,
        })
    }

    async fn stage(
        &self,
        run: &RunId,
        melody: &Melody,
        plan: &RunPlan,
        proposed: Value,
        findings: Vec<Note>,
    ) -> Result<ChangeSetSummary, CommandError> {
        let episodes = plan.cast.values().filter_map(|member| {
            Some(EpisodeRef {
                player: member.player.clone(),
                episode: member.episode.clone()?,
            })
        });
        let new = NewChangeSet {
            id: run.to_string(),
            melody: melody.file.name.clone(),
            proposed,
            episodes: episodes.collect(),
            findings,
        };
        let staged = self.changes.stage(new).await?;
        let listed = self.changes.list().await?;
        listed
            .into_iter()
            .find(|summary| summary.id == staged.id)
            .ok_or_else(|| {
                CommandError::new(
                    ErrorKind::Failed,
                    format!("change set {run} was staged and is not in the list"),
                )
            })
    }
}

/// What `run.max_parallel` means on this machine.
fn parallel(configured: usize) -> Parallel {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    NonZeroUsize::new(configured).map_or_else(|| Parallel::Cores(cores()), Parallel::Most)
}

fn read_list<T: serde::de::DeserializeOwned>(name: &str, value: &Value) -> Vec<T> {
    if value.is_null() {
        return Vec::new();
    }
    serde_json::from_value(value.clone()).unwrap_or_else(|error| {
        tracing::warn!(name, %error, "what a verifier said could not be read");
        Vec::new()
    })
}

fn note_of_miss(miss: Miss) -> Note {
    let near = if miss.line > 0 {
        format!(" (nearest text: line {})", miss.line)
    } else {
        String::new()
    };
    Note {
        path: miss.edit.path,
        item: String::new(),
        message: format!("edit left out: {}{near}", miss.reason),
    }
}

fn has_edits(proposed: &Value) -> bool {
    proposed
        .get("files")
        .and_then(Value::as_array)
        .is_some_and(|files| !files.is_empty())
}

fn describe_note(note: &Note) -> String {
    let item = if note.item.is_empty() {
        String::new()
    } else {
        format!(" ({})", note.item)
    };
    format!("{}{item}: {}", note.path, note.message)
}

fn named_players(
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, PlayerRef>, CommandError> {
    given
        .iter()
        .map(|(node, name)| Ok((node.clone(), models::instrument(name).map_err(bad_player)?)))
        .collect()
}

fn bad_player(error: symphony_core_ports::InvalidPlayerRef) -> CommandError {
    CommandError::new(ErrorKind::Input, error.to_string())
}

fn casting_error(error: PortError) -> CommandError {
    CommandError::from(error)
        .help("`symphony players` lists who can play; `symphony models --help` connects a model")
}

fn run_error(run: &RunId, error: RunError) -> CommandError {
    match error {
        RunError::Cancelled => {
            let message = format!("run {run} was stopped; what it completed is kept");
            CommandError::new(ErrorKind::Cancelled, message).help(format!("symphony resume {run}"))
        }
        RunError::Record(error) => CommandError::from(error),
        RunError::Node {
            node,
            label,
            kept,
            source,
        } => {
            let what = label.map_or_else(
                || format!("node {node}"),
                |label| format!("node {node}, {label}"),
            );
            let message =
                format!("{source} ({what})\n{kept} completed pieces of work are kept in run {run}");
            let cause = CommandError::from(source);
            CommandError {
                kind: ErrorKind::RunFailed,
                message,
                causes: cause.causes,
                help: Some(format!(
                    "symphony resume {run}, or choose another player: symphony resume {run} --player NODE=NAME"
                )),
            }
        }
    }
}
