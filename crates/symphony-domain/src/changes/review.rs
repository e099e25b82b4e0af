//! Deciding hunks and writing the accepted ones.

use super::{
    ChangeSets,
    apply::{NewApplication, Step, written},
    digest,
    error::{ChangeError, FileError, OutdatedFile},
    files::{Files, Present},
    hunks::with_hunks,
    merge,
    store::{Loaded, verdicts},
    types::{
        Application, ApplicationKind, Decided, DraftMeaning, FileChange, HunkDecision, HunkId,
        ReviewOutcome, Verdict,
    },
};
use std::collections::{BTreeMap, HashMap, HashSet};

impl ChangeSets {
    /// Decides hunks and writes those accepted: all files or none.
    ///
    /// An edit that comes to what was proposed is an acceptance, one that
    /// leaves the file as it is a rejection; see [`Draft`](super::Draft).
    ///
    /// A file must hold the base with the hunks accepted so far, or what was
    /// last written for this change set. With `rebase`, other changes made
    /// since are kept by a three-way merge.
    ///
    /// Do not drop the future midway: what is half written then is finished by
    /// the next call or by [`recover`](Self::recover).
    ///
    /// # Errors
    /// `Selection`; `Outdated`, `Conflict`, `Unsaved`, `ReadOnly` (nothing was
    /// written); `TakenBack`, `Interrupted`.
    pub async fn review(
        &self,
        id: &str,
        selection: Vec<(HunkId, Verdict)>,
        rebase: bool,
    ) -> Result<ReviewOutcome, ChangeError> {
        let _one = self.one_at_a_time.lock().await;
        self.recover_all().await?;
        let record = self.store.find_set(id).await?;
        let mut set = self.store.load(record).await?;
        let mut decisions = decide(&set, &selection)?;
        self.edit(&mut set, &mut decisions, &selection).await?;
        let postponed = selection
            .iter()
            .filter(|(_, verdict)| *verdict == Verdict::Postpone)
            .count();
        let files = Files::new(&self.store.core, &self.project);
        let steps = self.steps(&files, &set, &decisions, rebase).await?;
        let change_set = set.record.id.clone();
        let (accepted, rejected) = (
            count(&decisions, Decided::Accepted),
            count(&decisions, Decided::Rejected),
        );
        let mut outcome = ReviewOutcome {
            accepted,
            edited: decisions.iter().filter(|d| d.is_edited()).count(),
            rejected,
            postponed,
            pending: 0,
            files: Vec::new(),
            merged: Vec::new(),
            application: None,
            change_set: change_set.clone(),
        };
        if accepted == 0 {
            let record = self.store.decide(&change_set, verdicts(&decisions, false));
            outcome.pending = record.await?.pending();
            self.reward_decisions(&set, &decisions).await;
            return Ok(outcome);
        }
        let new = NewApplication {
            kind: ApplicationKind::Apply,
            of: None,
            change_set,
            decisions: decisions.clone(),
            steps,
        };
        let application = self.write(&files, new).await?;
        outcome.files = written(&application);
        outcome.merged = merged(&application);
        outcome.application = Some(application.id);
        let decided = decisions.iter().filter(|d| d.to != Decided::Pending);
        let newly = decided.filter(|d| d.from == Decided::Pending).count();
        let undecided = decisions
            .iter()
            .filter(|d| d.from != Decided::Pending && d.to == Decided::Pending)
            .count();
        outcome.pending = (set.record.pending() + undecided).saturating_sub(newly);
        Ok(outcome)
    }

    /// Puts the reviewer's texts into hunks, and says in the decisions what they come to.
    async fn edit(
        &self,
        set: &mut Loaded,
        decisions: &mut Vec<HunkDecision>,
        selection: &[(HunkId, Verdict)],
    ) -> Result<(), ChangeError> {
        let mut drafts = BTreeMap::new();
        for (hunk, verdict) in selection {
            if let Verdict::Edit { text } = verdict {
                drafts.insert(*hunk, self.drafted(set, *hunk, text).await?);
            }
        }
        for decision in decisions.iter_mut() {
            let Some(draft) = drafts.get(&decision.hunk) else {
                continue;
            };
            match draft.meaning {
                DraftMeaning::Proposed => {}
                DraftMeaning::Unchanged => decision.to = Decided::Rejected,
                DraftMeaning::Edited => {
                    let id = &set.record.id;
                    let title = format!("hunk {} of {id} as edited", decision.hunk);
                    let kept = self.store.keep(&draft.text, "text/plain", title, id);
                    decision.edited = Some(kept.await?);
                }
            }
        }
        decisions.retain(|decision| decision.from != decision.to);
        for hunk in set.plan.files.iter_mut().flat_map(|file| &mut file.hunks) {
            if let Some(draft) = drafts.remove(&hunk.id) {
                *hunk = draft.hunk;
            }
        }
        Ok(())
    }

    /// What is to be written for the hunks accepted now; reads every file, writes none.
    async fn steps(
        &self,
        files: &Files<'_>,
        set: &Loaded,
        decisions: &[HunkDecision],
        rebase: bool,
    ) -> Result<Vec<Step>, ChangeError> {
        let new: HashSet<HunkId> = decisions
            .iter()
            .filter(|d| d.to == Decided::Accepted)
            .map(|d| d.hunk)
            .collect();
        let touched = set.plan.files.iter();
        let touched = touched.filter(|file| file.hunks.iter().any(|h| new.contains(&h.id)));
        let last_written = self.last_written(&set.record.id).await?;
        let mut checked = Checked::default();
        let mut steps = Vec::new();
        for file in touched {
            let wanted = self.wanted(set, file, &new).await?;
            let present = files.read(&file.path).await?;
            if let Some(present) = &present {
                checked.look(&file.path, present)?;
            }
            let present = present.map(|present| present.text);
            let known = present.as_deref().map(digest);
            let ours = last_written.get(&file.path).is_some_and(|at| *at == known);
            match wanted.step(&file.path, present, rebase || ours) {
                Ok(mut step) => {
                    let hunks = file.hunks.iter().map(|hunk| hunk.id);
                    step.hunks = hunks.filter(|id| new.contains(id)).collect();
                    steps.push(step);
                }
                Err(Mismatch::Outdated(file)) => checked.outdated.push(file),
                Err(Mismatch::Conflict(file)) => checked.conflicts.push(file),
            }
        }
        checked.verdict(&set.record.id, format!("change set {}", set.record.id))?;
        Ok(steps)
    }

    /// What a file should hold, and what it is to hold.
    async fn wanted(
        &self,
        set: &Loaded,
        file: &FileChange,
        new: &HashSet<HunkId>,
    ) -> Result<Wanted, ChangeError> {
        let accepted = |id: HunkId| set.record.verdict(id) == Decided::Accepted;
        let base = self.store.base(file).await?;
        let text = base.as_deref().unwrap_or_default();
        let so_far = file.hunks.iter().filter(|hunk| accepted(hunk.id));
        let is_there = base.is_some() || so_far.clone().next().is_some();
        let then = file
            .hunks
            .iter()
            .filter(|hunk| accepted(hunk.id) || new.contains(&hunk.id));
        Ok(Wanted {
            from: is_there.then(|| with_hunks(text, so_far)),
            to: with_hunks(text, then),
        })
    }

    /// The digest of what was last written to each file for a change set.
    async fn last_written(
        &self,
        id: &str,
    ) -> Result<BTreeMap<String, Option<String>>, ChangeError> {
        let mut last = BTreeMap::new();
        for application in super::undo::done(self.store.applications().await?) {
            if application.change_set != id {
                continue;
            }
            for file in application.files.into_iter().filter(|f| f.left.is_none()) {
                last.insert(file.path, file.after.map(String::from));
            }
        }
        Ok(last)
    }
}

/// What a file should hold, and what it is to hold.
struct Wanted {
    from: Option<String>,
    to: String,
}

/// Why a file cannot be written as it is.
enum Mismatch {
    Outdated(OutdatedFile),
    Conflict(OutdatedFile),
}

impl Wanted {
    fn step(self, path: &str, present: Option<String>, merge: bool) -> Result<Step, Mismatch> {
        let step = |from, to, merged| Step {
            path: path.to_owned(),
            from,
            to: Some(to),
            merged,
            hunks: Vec::new(),
        };
        if present == self.from {
            return Ok(step(present, self.to, false));
        }
        let Some(present) = present else {
            return Err(Mismatch::Outdated(gone(path)));
        };
        let base = self.from.as_deref().unwrap_or_default();
        if !merge {
            let lines = merge::changed_lines(base, &present);
            return Err(Mismatch::Outdated(OutdatedFile {
                path: path.to_owned(),
                lines,
                gone: false,
            }));
        }
        match merge::merge(base, &present, &self.to) {
            Ok(merged) => Ok(step(Some(present), merged, true)),
            Err(lines) => Err(Mismatch::Conflict(OutdatedFile {
                path: path.to_owned(),
                lines,
                gone: false,
            })),
        }
    }
}

pub(super) fn gone(path: &str) -> OutdatedFile {
    OutdatedFile {
        path: path.to_owned(),
        lines: Vec::new(),
        gone: true,
    }
}

/// What stands against writing, over all files, so that it is told at once.
#[derive(Default)]
pub(super) struct Checked {
    /// Where each path leads.
    places: HashMap<String, String>,
    unsaved: Vec<String>,
    read_only: Vec<String>,
    outdated: Vec<OutdatedFile>,
    pub(super) conflicts: Vec<OutdatedFile>,
}

impl Checked {
    /// Takes note of a file that is to be written.
    pub(super) fn look(&mut self, path: &str, present: &Present) -> Result<(), ChangeError> {
        if present.dirty {
            self.unsaved.push(path.to_owned());
        }
        if present.read_only {
            self.read_only.push(path.to_owned());
        }
        match self.places.insert(present.at.clone(), path.to_owned()) {
            None => Ok(()),
            Some(_) => Err(ChangeError::File(FileError::Elsewhere {
                path: path.to_owned(),
                to: present.at.clone(),
            })),
        }
    }

    /// The gravest of what was found.
    pub(super) fn verdict(self, id: &str, what: String) -> Result<(), ChangeError> {
        if !self.unsaved.is_empty() {
            let paths = self.unsaved;
            return Err(ChangeError::Unsaved { paths });
        }
        if !self.read_only.is_empty() {
            let paths = self.read_only;
            return Err(ChangeError::ReadOnly { paths });
        }
        if !self.conflicts.is_empty() {
            let files = self.conflicts;
            return Err(ChangeError::Conflict { what, files });
        }
        if !self.outdated.is_empty() {
            let (id, files) = (id.to_owned(), self.outdated);
            return Err(ChangeError::Outdated { id, files });
        }
        Ok(())
    }
}

/// What a selection decides; what is decided so already is left out.
fn decide(set: &Loaded, selection: &[(HunkId, Verdict)]) -> Result<Vec<HunkDecision>, ChangeError> {
    let last = HunkId::try_from(set.record.hunks).unwrap_or(HunkId::MAX);
    let mut chosen = BTreeMap::new();
    for (hunk, verdict) in selection {
        let wrong = |why: String| ChangeError::Selection {
            id: set.record.id.clone(),
            hunk: *hunk,
            why,
        };
        if *hunk == 0 || *hunk > last {
            return Err(wrong(format!("does not exist: there are 1 to {last}")));
        }
        if chosen.insert(*hunk, verdict).is_some_and(|v| v != verdict) {
            return Err(wrong("is decided twice, differently".into()));
        }
        if set.record.verdict(*hunk) == Decided::Accepted && *verdict != Verdict::Accept {
            return Err(wrong("is written already: undo takes it back".into()));
        }
    }
    let decisions = chosen.into_iter().map(|(hunk, verdict)| HunkDecision {
        hunk,
        from: set.record.verdict(hunk),
        to: match verdict {
            Verdict::Accept | Verdict::Edit { .. } => Decided::Accepted,
            Verdict::Reject => Decided::Rejected,
            Verdict::Postpone => Decided::Pending,
        },
        edited: None,
    });
    Ok(decisions.filter(|d| d.from != d.to).collect())
}

fn count(decisions: &[HunkDecision], verdict: Decided) -> usize {
    decisions.iter().filter(|d| d.to == verdict).count()
}

/// The files whose other changes were kept.
pub(super) fn merged(application: &Application) -> Vec<String> {
    let files = application.files.iter().filter(|file| file.merged);
    files.map(|file| file.path.clone()).collect()
}
