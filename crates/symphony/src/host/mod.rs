//! The host: the one owner of a project's state and processes.
//!
//! Puts the adapters behind the ports and has commands done. Never more than one
//! host works on a project: whoever holds the lock of the project's state is it.

mod authority;
mod describe;
mod edit;
mod leftovers;
mod play;
mod retention;
pub mod server;
pub mod wire;

use crate::{
    api::{Answer, Command, CommandError, ErrorKind, Status},
    installation::Installation,
    melodies, models,
    project::Project,
};
use authority::Authority;
use futures_util::FutureExt;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use sy_commons::{
    config::{Loaded, schema::Config},
    owner::OwnerLock,
};
use symphony_actors::{Heartbeat, Supervisor, SupervisorOptions};
use symphony_adapters::{
    conductor::RuleConductor,
    data::LocalDataAdapter,
    environment::{RandomIds, SystemClock},
    extensions::{ActorExtensionAdapter, ExtensionOptions},
    pit::PitAdapter,
    xi_editor::{XiEditorAdapter, XiEditorOptions},
};
use symphony_core_ports::{Clock, DataPort, PolicyContext, PortError, RunId};
use symphony_domain::{
    changes::{ChangeError, ChangeSets},
    core::SymphonyCore,
    melody::check::Players,
    run::EventSink,
};
use symphony_extensions::{Places, Registry};
use tokio_util::sync::CancellationToken;

/// How long children may take to end by themselves.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// The owner of a project's state and processes.
pub struct Host {
    installation: Installation,
    project: Project,
    config: Config,
    core: SymphonyCore,
    /// The text engine itself, for those who drive it.
    editor: Arc<XiEditorAdapter>,
    changes: ChangeSets,
    registry: Arc<Registry>,
    players: Players,
    supervisor: Arc<Supervisor>,
    playing: Mutex<Option<Playing>>,
    /// Held while files of the project are written.
    writing: tokio::sync::Mutex<()>,
    _lock: OwnerLock,
}

/// The run that is playing.
#[derive(Clone)]
struct Playing {
    run: RunId,
    melody: String,
    cancel: CancellationToken,
}

impl Host {
    /// Opens the project's state, finishes what a crash interrupted, and removes old
    /// records of runs.
    ///
    /// # Errors
    /// When the state cannot be opened or a program is missing.
    pub async fn start(
        installation: &Installation,
        project: &Project,
        config: &Loaded<Config>,
        lock: OwnerLock,
    ) -> Result<Self, CommandError> {
        let config = config.value.clone();
        let runner = installation.program("symphony-extension-runner");
        let supervisor = Supervisor::start(SupervisorOptions { runner }).map_err(|error| {
            CommandError::new(
                ErrorKind::Environment,
                format!("the supervisor of processes cannot start: {error}"),
            )
            .help("`symphony doctor` tells what is missing")
        })?;
        let supervisor = Arc::new(supervisor);
        let places = Places {
            bin: installation.programs.clone(),
            python: installation.python.clone(),
        };
        let registry = Arc::new(Registry::scan(
            &installation.share.join("extensions"),
            &config.extensions.search_paths,
            &config.extensions.grants,
            &models::configured(&config),
            &places,
        ));
        let players = Players::new(registry.players().map(|r| r.manifest.clone()));
        let editor = Arc::new(Self::editor(installation, project, &config, &supervisor).await?);
        let text = editor.clone();
        let core = Self::core(project, &config, text, &supervisor, &registry)?;
        let changes = ChangeSets::new(core.clone(), project.root.clone());
        let host = Self {
            installation: installation.clone(),
            project: project.clone(),
            config,
            core,
            editor,
            changes,
            registry,
            players,
            supervisor,
            playing: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            _lock: lock,
        };
        host.recover().await?;
        host.remove_old_runs().await;
        Ok(host)
    }

    async fn editor(
        installation: &Installation,
        project: &Project,
        config: &Config,
        supervisor: &Supervisor,
    ) -> Result<XiEditorAdapter, CommandError> {
        let options = XiEditorOptions {
            max_file_bytes: Some(config.editor.max_file_bytes),
            plugin_folders: config.editor.plugin_folders.clone(),
            plugins: config.editor.plugins.clone(),
            startup_timeout: Duration::from_millis(config.editor.startup_timeout_ms),
            heartbeat: Heartbeat {
                interval: Duration::from_millis(config.editor.heartbeat_ms),
                ..Heartbeat::tight()
            },
            sessions: Some(project.state.join("xi-editor")),
            ..XiEditorOptions::new(installation.program("xi-editor"))
        };
        XiEditorAdapter::start(supervisor, options)
            .await
            .map_err(editor_error)
    }

    /// The adapters behind the ports.
    fn core(
        project: &Project,
        config: &Config,
        text: Arc<XiEditorAdapter>,
        supervisor: &Arc<Supervisor>,
        registry: &Arc<Registry>,
    ) -> Result<SymphonyCore, CommandError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let data: Arc<dyn DataPort> =
            Arc::new(LocalDataAdapter::open(project.state.join("records"))?);
        let pit = PitAdapter::open(project.state.join("pit"), clock.clone())?;
        let authority = Arc::new(Authority::new(registry.clone(), config.clone()));
        let options = ExtensionOptions {
            project: Some(project.root.clone()),
            ..ExtensionOptions::default()
        };
        Ok(SymphonyCore {
            text,
            pit: Arc::new(pit),
            extensions: Arc::new(ActorExtensionAdapter::new(
                supervisor.clone(),
                authority,
                options,
            )),
            conductor: Arc::new(RuleConductor::new(data.clone(), clock.clone())),
            data,
            clock,
            ids: Arc::new(RandomIds),
        })
    }

    async fn recover(&self) -> Result<(), CommandError> {
        let recovered = self.changes.recover().await?;
        for recovered in &recovered {
            tracing::warn!(
                ?recovered,
                "an interrupted write of a change set was put in order"
            );
        }
        if !recovered.is_empty() {
            self.remove_leftovers().await;
        }
        Ok(())
    }

    /// A text engine that was killed while it saved has left its temporary file.
    async fn remove_leftovers(&self) {
        match self.changes.history().await {
            Ok(applications) => {
                let newest = applications.iter().rev().take(1).flat_map(|a| &a.files);
                leftovers::remove(&self.project.root, newest.map(|file| file.path.as_str()));
            }
            Err(error) => {
                tracing::warn!(%error, "unfinished files could not be looked for");
            }
        }
    }

    /// Commands that write to the project, one at a time.
    async fn change(&self, command: Command) -> Result<Answer, CommandError> {
        let _turn = self.writing.lock().await;
        let changes = &self.changes;
        let answer = match command {
            Command::Review {
                id,
                verdicts,
                rebase,
            } => changes
                .review(&id, verdicts, rebase)
                .await
                .map(|outcome| Answer::Reviewed { outcome }),
            Command::Undo { what } => changes
                .undo(what.as_deref())
                .await
                .map(|outcome| Answer::Undone { outcome }),
            Command::Redo { what } => changes
                .redo(what.as_deref())
                .await
                .map(|outcome| Answer::Undone { outcome }),
            _ => {
                let message = "this command writes nothing to the project";
                return Err(CommandError::new(ErrorKind::Failed, message));
            }
        };
        self.remove_leftovers().await;
        answer.map_err(change_error)
    }

    /// Has a command done.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn execute(
        &self,
        command: Command,
        events: EventSink,
        cancel: &CancellationToken,
    ) -> Result<Answer, CommandError> {
        match command {
            // Boxed: what a run holds is large, and other commands need none of it.
            Command::Perform(what) => Ok(Answer::Performed(
                self.perform(what, events, cancel).boxed().await?,
            )),
            Command::Resume { run, players } => Ok(Answer::Performed(
                self.resume(run, players, events, cancel).boxed().await?,
            )),
            other => self.tell_or_change(other).boxed().await,
        }
    }

    /// Commands that play nothing.
    async fn tell_or_change(&self, command: Command) -> Result<Answer, CommandError> {
        Ok(match command {
            Command::Cancel => self.cancel()?,
            Command::Runs => Answer::Runs {
                runs: self.runs().await?,
            },
            Command::Run { run } => self.run(&run).await?,
            Command::ChangeSets => Answer::ChangeSets {
                change_sets: self.changes.list().await.map_err(change_error)?,
            },
            Command::ChangeSet { id } => Answer::ChangeSet {
                change_set: self
                    .changes
                    .get(id.as_deref())
                    .await
                    .map_err(change_error)?,
            },
            Command::Draft { id, hunk, text } => Answer::Draft {
                draft: self
                    .changes
                    .draft(&id, hunk, text.as_deref())
                    .await
                    .map_err(change_error)?,
            },
            Command::Review { .. } | Command::Undo { .. } | Command::Redo { .. } => {
                self.change(command).await?
            }
            Command::History => {
                let mut applications = self.changes.history().await.map_err(change_error)?;
                applications.reverse();
                Answer::History { applications }
            }
            Command::Artifact { id } => self.artifact(&id).await?,
            Command::Players => self.list_players().await?,
            Command::Melodies => Answer::Melodies {
                melodies: melodies::list(&self.installation),
            },
            Command::Check { melody } => {
                let melody = self.find_melody(&melody)?;
                Answer::Checked {
                    name: melody.file.name.clone(),
                    nodes: melody.nodes.len(),
                }
            }
            Command::SetMelody(what) => {
                Answer::MelodySet(melodies::set(&self.installation, &self.players, &what)?)
            }
            Command::Edit(what) => Answer::Edited(self.edit(what).await?),
            Command::Status => Answer::Status(self.status().await?),
            Command::Perform(_) | Command::Resume { .. } => {
                return Err(CommandError::new(
                    ErrorKind::Failed,
                    "a run is not played here",
                ));
            }
        })
    }

    fn cancel(&self) -> Result<Answer, CommandError> {
        match self.playing().as_ref() {
            Some(playing) => {
                playing.cancel.cancel();
                Ok(Answer::Done)
            }
            None => Err(CommandError::new(
                ErrorKind::Input,
                "no run is playing on this project",
            )),
        }
    }

    async fn status(&self) -> Result<Status, CommandError> {
        let actors = self.supervisor.list();
        let process = |actor: &symphony_actors::ActorHandle| {
            let pid = actor.current().map(|incarnation| incarnation.pid);
            (
                actor.id().to_owned(),
                pid,
                format!("{:?}", actor.state()).to_lowercase(),
            )
        };
        let playing = self.playing().as_ref().map(|p| p.run.to_string());
        Ok(Status {
            project: self.project.root.display().to_string(),
            state: self.project.state.display().to_string(),
            pid: std::process::id(),
            playing,
            policy: self
                .core
                .conductor
                .get_policy(&PolicyContext::default())
                .await?,
            processes: actors.iter().map(process).collect(),
        })
    }

    fn playing(&self) -> MutexGuard<'_, Option<Playing>> {
        self.playing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops all children.
    pub async fn shutdown(&self) {
        if let Some(playing) = self.playing().as_ref() {
            playing.cancel.cancel();
        }
        self.supervisor.stop_all(STOP_GRACE).await;
    }
}

fn editor_error(error: PortError) -> CommandError {
    let is_slow = matches!(error, PortError::Timeout { .. });
    let told = CommandError::from(error);
    if is_slow {
        return told.help(
            "on a slow machine give it more time with `editor.startup_timeout_ms`; `symphony doctor` looks at the program",
        );
    }
    told
}

/// What changed in the files meanwhile is no mistake of whoever asked.
fn change_error(error: ChangeError) -> CommandError {
    let is_conflict = matches!(
        error,
        ChangeError::Outdated { .. } | ChangeError::Conflict { .. } | ChangeError::Unsaved { .. }
    );
    let mut told = CommandError::from(error);
    if is_conflict {
        told.kind = ErrorKind::Conflict;
    }
    told
}
