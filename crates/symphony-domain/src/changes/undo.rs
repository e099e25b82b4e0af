//! Taking applications back, and taking that back.

use super::{
    ChangeSets,
    apply::{NewApplication, Step, written},
    error::{ChangeError, OutdatedFile},
    files::Files,
    merge,
    review::{Checked, gone, merged},
    store::SetRecord,
    types::{
        Application, ApplicationKind, ApplicationState, AppliedFile, Decided, HunkDecision,
        UndoOutcome,
    },
};

impl ChangeSets {
    /// Takes back what was written last and is still in place: of one change
    /// set, or of the project. Changes made since are kept by a three-way merge.
    ///
    /// Its hunks are to be decided again. An undo can be taken back by
    /// [`redo`](Self::redo), which restores exactly what was there.
    ///
    /// # Errors
    /// `NothingToUndo`, `NotFound`, `Ambiguous`; `Conflict`, `Unsaved`,
    /// `ReadOnly` (nothing was written); `TakenBack`, `Interrupted`.
    pub async fn undo(&self, change_set: Option<&str>) -> Result<UndoOutcome, ChangeError> {
        self.back(change_set, ApplicationKind::Undo).await
    }

    /// Takes back the newest undo that is still in place, of one change set or of the project.
    ///
    /// # Errors
    /// As [`undo`](Self::undo), and `NothingToRedo`.
    pub async fn redo(&self, change_set: Option<&str>) -> Result<UndoOutcome, ChangeError> {
        self.back(change_set, ApplicationKind::Redo).await
    }

    async fn back(
        &self,
        change_set: Option<&str>,
        kind: ApplicationKind,
    ) -> Result<UndoOutcome, ChangeError> {
        let _one = self.one_at_a_time.lock().await;
        self.recover_all().await?;
        let named = match change_set {
            Some(id) => Some(self.store.find_set(id).await?.id),
            None => None,
        };
        let sets = self.store.sets().await?;
        let fits = |application: &&Application| {
            let own = named
                .as_ref()
                .is_none_or(|id| application.change_set == *id);
            own && is_open(application, kind, &sets)
        };
        let history = done(self.store.applications().await?);
        let Some(of) = in_place(&history).into_iter().rev().find(fits) else {
            return Err(match kind {
                ApplicationKind::Redo => ChangeError::NothingToRedo { id: named },
                _ => ChangeError::NothingToUndo { id: named },
            });
        };
        let files = Files::new(&self.store.core, &self.project);
        let steps = self.steps_back(&files, of, kind).await?;
        let new = NewApplication {
            kind,
            of: Some(of.id),
            change_set: of.change_set.clone(),
            decisions: decisions_back(of, kind),
            steps,
        };
        let application = self.write(&files, new).await?;
        Ok(UndoOutcome {
            application: application.id,
            of: of.id,
            hunks: application.decisions.iter().map(|d| d.hunk).collect(),
            files: written(&application),
            merged: merged(&application),
            change_set: application.change_set,
        })
    }

    async fn steps_back(
        &self,
        files: &Files<'_>,
        of: &Application,
        kind: ApplicationKind,
    ) -> Result<Vec<Step>, ChangeError> {
        let mut checked = Checked::default();
        let mut steps = Vec::new();
        for file in of.files.iter().filter(|file| file.left.is_none()) {
            let (before, after) = self.texts(file).await?;
            let present = files.read(&file.path).await?;
            if let Some(present) = &present {
                checked.look(&file.path, present)?;
            }
            let present = present.map(|present| present.text);
            match step_back(file, before, after.as_deref(), present) {
                Ok(step) => steps.push(step),
                Err(conflict) => checked.conflicts.push(conflict),
            }
        }
        let word = match kind {
            ApplicationKind::Redo => "redo",
            _ => "undo",
        };
        let what = format!("{word} of change set {}", of.change_set);
        checked.verdict(&of.change_set, what)?;
        Ok(steps)
    }
}

/// From `present` to `before`, keeping what was changed since `after`.
fn step_back(
    file: &AppliedFile,
    before: Option<String>,
    after: Option<&str>,
    present: Option<String>,
) -> Result<Step, OutdatedFile> {
    let step = |from: Option<String>, to: Option<String>, merged| Step {
        path: file.path.clone(),
        from,
        to,
        merged,
        hunks: file.hunks.clone(),
    };
    if present.as_deref() == after {
        return Ok(step(present, before, false));
    }
    if present == before {
        return Ok(step(present, before, true));
    }
    let Some(present) = present else {
        return Err(gone(&file.path));
    };
    let (Some(after), Some(before)) = (after, before) else {
        // A new file that someone changed since, or one that someone made where there was none.
        return Err(OutdatedFile {
            path: file.path.clone(),
            lines: merge::changed_lines(after.unwrap_or_default(), &present),
            gone: false,
        });
    };
    match merge::merge(after, &present, &before) {
        Ok(merged) => Ok(step(Some(present), Some(merged), true)),
        Err(lines) => Err(OutdatedFile {
            path: file.path.clone(),
            lines,
            gone: false,
        }),
    }
}

/// Applications that came to their end, oldest first.
pub(super) fn done(mut applications: Vec<Application>) -> Vec<Application> {
    applications.retain(|application| application.state == ApplicationState::Done);
    applications
}

/// Applications that nothing has taken back, oldest first.
pub(super) fn in_place(done: &[Application]) -> Vec<&Application> {
    let mut open: Vec<&Application> = Vec::new();
    for application in done {
        open.retain(|earlier| Some(earlier.id) != application.of);
        open.push(application);
    }
    open
}

/// Whether an application in place can be taken back in this way.
fn is_open(application: &Application, kind: ApplicationKind, sets: &[SetRecord]) -> bool {
    let is_undo = application.kind == ApplicationKind::Undo;
    if kind != ApplicationKind::Redo {
        return !is_undo;
    }
    // Hunks decided anew since make their undo a thing of the past.
    let Some(set) = sets.iter().find(|set| set.id == application.change_set) else {
        return false;
    };
    let mut hunks = application.decisions.iter().map(|d| d.hunk);
    is_undo && hunks.all(|hunk| set.verdict(hunk) == Decided::Pending)
}

/// Accepted hunks become pending, or the other way about; rejections stay.
fn decisions_back(of: &Application, kind: ApplicationKind) -> Vec<HunkDecision> {
    let (from, to) = match kind {
        ApplicationKind::Redo => (Decided::Pending, Decided::Accepted),
        _ => (Decided::Accepted, Decided::Pending),
    };
    let theirs = of.decisions.iter().filter(|d| d.to == from);
    theirs
        .map(|d| HunkDecision {
            hunk: d.hunk,
            from,
            to,
            edited: d.edited.clone(),
        })
        .collect()
}
