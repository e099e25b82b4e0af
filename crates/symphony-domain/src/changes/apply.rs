//! Applications: several files written whole or not at all.
//!
//! The journal has both texts of each file before the first is written. Writing
//! that fails is taken back; writing or taking back that is cut off goes on when
//! the application is found again.

use super::{
    ChangeSets,
    error::{ChangeError, FileError},
    files::Files,
    merge,
    store::{Store, verdicts},
    types::{
        Application, ApplicationKind, ApplicationState, AppliedFile, HunkDecision, LeftAlone,
        Recovered, RecoveredAs,
    },
};
use futures_util::{FutureExt, StreamExt as _, TryStreamExt as _, stream};
use symphony_core_ports::{ArtifactId, PortError};

/// Texts that are stored at once; their syncs are shared.
const AT_ONCE: usize = 16;

/// A file's text before and after.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) path: String,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) merged: bool,
    pub(super) hunks: Vec<u32>,
}

/// What is to be written, and why.
pub(super) struct NewApplication {
    pub(super) kind: ApplicationKind,
    pub(super) of: Option<u64>,
    pub(super) change_set: String,
    pub(super) decisions: Vec<HunkDecision>,
    pub(super) steps: Vec<Step>,
}

/// Who finds an application.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finding {
    /// The one that began it: a file with another text is a failure.
    Fresh,
    /// A later one: a file with another text by now is left alone.
    Interrupted,
}

impl ChangeSets {
    /// Writes files and records verdicts.
    ///
    /// # Errors
    /// `TakenBack`, `Interrupted`; before the first write those of the store.
    pub(super) async fn write(
        &self,
        files: &Files<'_>,
        new: NewApplication,
    ) -> Result<Application, ChangeError> {
        let store = &self.store;
        // Boxed one by one: a closure that borrows would not be `Send` for every lifetime.
        let steps: Vec<_> = new
            .steps
            .iter()
            .map(|step| keep_step(store, &new.change_set, step).boxed())
            .collect();
        let texts = stream::iter(steps).buffered(AT_ONCE).try_collect();
        let files_kept = texts.await?;
        let history = store.applications().await?;
        let mut application = Application {
            id: history.last().map_or(0, |last| last.id) + 1,
            kind: new.kind,
            of: new.of,
            at_ms: store.now_ms(),
            files: files_kept,
            change_set: new.change_set,
            decisions: new.decisions,
            state: ApplicationState::Writing,
        };
        if let Err(cause) = store.begin(&application).await {
            return Err(self.never_begun(application, cause).await);
        }
        self.finish(files, &mut application, Finding::Fresh).await?;
        Ok(application)
    }

    /// The journal may hold an application all the same: see that nobody finishes it.
    async fn never_begun(&self, mut application: Application, cause: ChangeError) -> ChangeError {
        let taken = matches!(
            &cause,
            ChangeError::Store {
                source: PortError::Conflict { .. },
                ..
            }
        );
        if taken {
            return cause;
        }
        application.state = ApplicationState::TakenBack;
        let (what, source) = (name(&application), Box::new(cause));
        match self.store.put_state(&application).await {
            Ok(()) => ChangeError::TakenBack {
                what,
                left: Vec::new(),
                source,
            },
            Err(_) => ChangeError::Interrupted { what, source },
        }
    }

    /// Takes an application that is being written to its end, or back.
    async fn finish(
        &self,
        files: &Files<'_>,
        application: &mut Application,
        finding: Finding,
    ) -> Result<(), ChangeError> {
        match self.forward(files, application, finding).await {
            Ok(()) => {
                self.reward(application).await;
                Ok(())
            }
            Err(cause) => Err(self.give_up(files, application, cause).await),
        }
    }

    async fn forward(
        &self,
        files: &Files<'_>,
        application: &mut Application,
        finding: Finding,
    ) -> Result<(), ChangeError> {
        for file in application.files.iter_mut().filter(|f| f.left.is_none()) {
            let (from, to) = self.texts(file).await?;
            match files
                .write(&file.path, from.as_deref(), to.as_deref())
                .await
            {
                Ok(()) => {}
                Err(FileError::Changed { .. }) if finding == Finding::Interrupted => {
                    file.left = Some("it holds another text by now".into());
                }
                Err(error) => return Err(error.into()),
            }
        }
        // What is said of a file that was left is not so.
        let left: Vec<u32> = left_hunks(application);
        application.decisions.retain(|d| !left.contains(&d.hunk));
        let decided = verdicts(&application.decisions, false);
        self.store.decide(&application.change_set, decided).await?;
        application.state = ApplicationState::Done;
        self.store.put_state(application).await
    }

    /// Takes back what a failed application wrote, and says how that went.
    async fn give_up(
        &self,
        files: &Files<'_>,
        application: &mut Application,
        cause: ChangeError,
    ) -> ChangeError {
        let (what, source) = (name(application), Box::new(cause));
        application.state = ApplicationState::TakingBack;
        let went = async {
            // Found again without this, it would be finished.
            self.store.put_state(application).await?;
            self.backward(files, application).await
        };
        match went.await {
            Ok(left) => ChangeError::TakenBack { what, left, source },
            Err(error) => {
                tracing::error!(
                    application = application.id,
                    error = %sy_commons::error::render(&error),
                    "a failed application could not be taken back yet"
                );
                ChangeError::Interrupted { what, source }
            }
        }
    }

    async fn backward(
        &self,
        files: &Files<'_>,
        application: &mut Application,
    ) -> Result<Vec<LeftAlone>, ChangeError> {
        for file in &mut application.files {
            let (before, after) = self.texts(file).await?;
            let (before, after) = (before.as_deref(), after.as_deref());
            file.left = take_back(files, &file.path, before, after).await?;
        }
        let decided = verdicts(&application.decisions, true);
        self.store.decide(&application.change_set, decided).await?;
        application.state = ApplicationState::TakenBack;
        self.store.put_state(application).await?;
        Ok(left_alone(application))
    }

    /// Ends what was cut off; nothing else may be writing.
    pub(super) async fn recover_all(&self) -> Result<Vec<Recovered>, ChangeError> {
        let files = Files::new(&self.store.core, &self.project);
        let mut recovered = Vec::new();
        let mut failed = None;
        for mut application in self.store.applications().await? {
            let ended = match application.state {
                ApplicationState::Done | ApplicationState::TakenBack => continue,
                ApplicationState::Writing => {
                    let finding = Finding::Interrupted;
                    match self.finish(&files, &mut application, finding).await {
                        Ok(()) => Ok(RecoveredAs::Finished),
                        Err(ChangeError::TakenBack { .. }) => Ok(RecoveredAs::TakenBack),
                        Err(error) => Err(error),
                    }
                }
                ApplicationState::TakingBack => {
                    let back = self.backward(&files, &mut application).await;
                    back.map(|_| RecoveredAs::TakenBack)
                        .map_err(|error| ChangeError::Interrupted {
                            what: name(&application),
                            source: Box::new(error),
                        })
                }
            };
            match ended {
                Ok(outcome) => recovered.push(told(application, outcome)),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(recovered),
        }
    }

    /// Both texts of a file: before and after.
    pub(super) async fn texts(
        &self,
        file: &AppliedFile,
    ) -> Result<(Option<String>, Option<String>), ChangeError> {
        let before = self.text(file.before.as_ref()).await?;
        Ok((before, self.text(file.after.as_ref()).await?))
    }

    async fn text(&self, id: Option<&ArtifactId>) -> Result<Option<String>, ChangeError> {
        match id {
            Some(id) => self.store.text(id).await.map(Some),
            None => Ok(None),
        }
    }
}

async fn keep_step(store: &Store, set: &str, step: &Step) -> Result<AppliedFile, ChangeError> {
    Ok(AppliedFile {
        path: step.path.clone(),
        before: keep_text(store, set, step, step.from.as_deref(), "before").await?,
        after: keep_text(store, set, step, step.to.as_deref(), "after").await?,
        merged: step.merged,
        hunks: step.hunks.clone(),
        left: None,
    })
}

async fn keep_text(
    store: &Store,
    set: &str,
    step: &Step,
    text: Option<&str>,
    when: &str,
) -> Result<Option<ArtifactId>, ChangeError> {
    let Some(text) = text else { return Ok(None) };
    let title = format!("{} {when}", step.path);
    store.keep(text, "text/plain", title, set).await.map(Some)
}

/// Makes a file hold `before` again; changes that others made meanwhile are
/// kept. Gives the reason when that cannot be.
async fn take_back(
    files: &Files<'_>,
    path: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<Option<String>, ChangeError> {
    match files.write(path, after, before).await {
        Err(FileError::Changed { .. }) => {}
        other => return Ok(other.map(|()| None)?),
    }
    let present = files.read(path).await?;
    let (Some(before), Some(after), Some(present)) = (before, after, present) else {
        return Ok(Some("someone else changed it meanwhile".into()));
    };
    let Ok(merged) = merge::merge(after, &present.text, before) else {
        return Ok(Some("someone else changed the same lines meanwhile".into()));
    };
    match files.write(path, Some(&present.text), Some(&merged)).await {
        Ok(()) => Ok(None),
        Err(FileError::Changed { .. }) => Ok(Some("someone is changing it".into())),
        Err(error) => Err(error.into()),
    }
}

/// What an application is called, for people.
fn name(application: &Application) -> String {
    let set = &application.change_set;
    match application.kind {
        ApplicationKind::Apply => format!("writing change set {set}"),
        ApplicationKind::Undo => format!("undo of change set {set}"),
        ApplicationKind::Redo => format!("redo of change set {set}"),
    }
}

fn left_hunks(application: &Application) -> Vec<u32> {
    let left = application.files.iter().filter(|file| file.left.is_some());
    left.flat_map(|file| file.hunks.iter().copied()).collect()
}

fn left_alone(application: &Application) -> Vec<LeftAlone> {
    let files = application.files.iter();
    files
        .filter_map(|file| {
            file.left.as_ref().map(|reason| LeftAlone {
                path: file.path.clone(),
                reason: reason.clone(),
            })
        })
        .collect()
}

fn told(application: Application, outcome: RecoveredAs) -> Recovered {
    let left = left_alone(&application);
    Recovered {
        application: application.id,
        kind: application.kind,
        outcome,
        files: written(&application),
        change_set: application.change_set,
        left,
    }
}

/// The files that an application wrote.
pub(super) fn written(application: &Application) -> Vec<String> {
    let files = application.files.iter();
    files
        .filter(|file| file.left.is_none() && file.before != file.after)
        .map(|file| file.path.clone())
        .collect()
}
