//! Change sets: what a run proposes, reviewed hunk by hunk, written, taken back.
//!
//! [`ChangeSets::stage`] turns a run's untrusted output into numbered hunks.
//! [`review`](ChangeSets::review) writes the accepted ones against exactly the
//! text they were made for, with the reviewer's own text where there is one,
//! [`undo`](ChangeSets::undo) takes that back and keeps
//! what people changed since, [`redo`](ChangeSets::redo) takes the undo back.
//!
//! Files are written whole or not at all: the journal has both texts of each
//! before the first is touched, and [`recover`](ChangeSets::recover) ends what a
//! crash cut off.

mod apply;
mod edit;
mod error;
mod files;
mod hunks;
mod merge;
mod proposed;
mod review;
mod reward;
mod store;
mod types;
mod undo;

pub use error::{ChangeError, FileError, OutdatedFile};
pub use merge::Lines;
pub use proposed::{
    MAX_EDITS, MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES, ProposalError, ProposedChanges,
    ProposedEdit, ProposedFile,
};
pub use types::{
    Application, ApplicationKind, ApplicationState, AppliedFile, ChangeSet, ChangeSetSummary,
    Decided, DiffKind, DiffLine, Draft, DraftMeaning, EpisodeRef, FileChange, Hunk, HunkDecision,
    HunkEdit, HunkId, LeftAlone, NewChangeSet, Note, Recovered, RecoveredAs, ReviewOutcome,
    UndoOutcome, Verdict,
};

use crate::core::SymphonyCore;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};
use store::{Plan, SetRecord, Store};
use tokio::sync::Mutex;

/// Characters a change set's name may have.
const MAX_NAME: usize = 128;

/// The change sets of a project.
///
/// Clones take turns. Two that were made apart do not: make one for a project
/// and clone it.
#[derive(Clone)]
pub struct ChangeSets {
    store: Store,
    project: PathBuf,
    one_at_a_time: Arc<Mutex<()>>,
}

impl ChangeSets {
    /// For the project in this folder: absolute, without symbolic links in it.
    pub fn new(core: SymphonyCore, project: PathBuf) -> Self {
        let store = Store {
            core,
            project: project.to_string_lossy().into_owned(),
        };
        Self {
            store,
            project,
            one_at_a_time: Arc::default(),
        }
    }

    /// Takes in what a run proposes. Touches no file. Staged again, an equal one stays as it is.
    ///
    /// # Errors
    /// `Refused` when the proposal is not valid, `Name`, `Exists`, `Store`.
    pub async fn stage(&self, new: NewChangeSet) -> Result<ChangeSet, ChangeError> {
        check_name(&new.id)?;
        let proposed =
            ProposedChanges::parse(&new.proposed).map_err(|source| ChangeError::Refused {
                id: new.id.clone(),
                source,
            })?;
        let _one = self.one_at_a_time.lock().await;
        let plan = self.plan(&new, proposed).await?;
        let damaged = |source| ChangeError::Damaged {
            what: format!("change set {}", new.id),
            source,
        };
        let json = serde_json::to_string(&plan).map_err(damaged)?;
        let title = format!("change set {}", new.id);
        let keep = self.store.keep(&json, "application/json", title, &new.id);
        let at = keep.await?;
        let record = match self.store.set_record(&new.id).await? {
            Some((old, _)) if old.plan == at && old.project == self.store.project => {
                return Ok(self.store.load(old).await?.view());
            }
            Some(_) => return Err(ChangeError::Exists { id: new.id }),
            None => {
                let now = self.store.now_ms();
                let record = SetRecord::new(&self.store.project, &new.id, now, &plan, at);
                self.store.add_set(&record).await?;
                record
            }
        };
        Ok(store::Loaded { record, plan }.view())
    }

    async fn plan(
        &self,
        new: &NewChangeSet,
        proposed: ProposedChanges,
    ) -> Result<Plan, ChangeError> {
        let mut files = Vec::new();
        let mut next = 1;
        for file in proposed.files {
            let hunks = hunks::hunks_of(&file, next);
            if hunks.is_empty() {
                continue;
            }
            next += HunkId::try_from(hunks.len()).unwrap_or(HunkId::MAX);
            let base = match &file.base_text {
                Some(text) => {
                    let title = format!("{} as found by {}", file.path, new.id);
                    Some(self.store.keep(text, "text/plain", title, &new.id).await?)
                }
                None => None,
            };
            files.push(FileChange {
                path: file.path,
                base,
                hunks,
            });
        }
        let findings = attach(&mut files, &new.findings);
        Ok(Plan {
            title: proposed.title,
            melody: new.melody.clone(),
            files,
            findings,
            episodes: new.episodes.clone(),
        })
    }

    /// The project's change sets, newest first.
    ///
    /// # Errors
    /// `Store`, `Damaged`.
    pub async fn list(&self) -> Result<Vec<ChangeSetSummary>, ChangeError> {
        let sets = self.store.sets().await?;
        let summaries = sets.into_iter().map(|set| {
            let accepted = set.count(Decided::Accepted);
            ChangeSetSummary {
                files: set.files,
                pending: set.pending(),
                accepted,
                rejected: set.count(Decided::Rejected),
                in_place: accepted > 0,
                id: set.id,
                title: set.title,
                melody: set.melody,
                created_ms: set.created_ms,
            }
        });
        Ok(summaries.collect())
    }

    /// A change set by its name or the beginning of it; without a name, the
    /// newest that has hunks to be decided, else the newest.
    ///
    /// # Errors
    /// `None`, `NotFound`, `Ambiguous`, `Store`, `Damaged`.
    pub async fn get(&self, id_or_prefix: Option<&str>) -> Result<ChangeSet, ChangeError> {
        let record = match id_or_prefix {
            Some(id) => self.store.find_set(id).await?,
            None => {
                let mut sets = self.store.sets().await?;
                let open = sets.iter().position(|set| set.pending() > 0);
                match sets.is_empty() {
                    true => return Err(ChangeError::None),
                    false => sets.swap_remove(open.unwrap_or(0)),
                }
            }
        };
        Ok(self.store.load(record).await?.view())
    }

    /// Ends what a crash cut off. To be called when a host starts; reviews and undos call it too.
    ///
    /// A file that holds neither of the texts in the journal is left alone and reported.
    ///
    /// # Errors
    /// `Interrupted` when something still cannot be ended; it is tried again the next time.
    pub async fn recover(&self) -> Result<Vec<Recovered>, ChangeError> {
        let _one = self.one_at_a_time.lock().await;
        self.recover_all().await
    }

    /// All that was written and taken back, oldest first.
    ///
    /// # Errors
    /// `Store`, `Damaged`.
    pub async fn history(&self) -> Result<Vec<Application>, ChangeError> {
        self.store.applications().await
    }
}

/// Gives each hunk what was found of its item; gives back what belongs to none.
fn attach(files: &mut [FileChange], findings: &[Note]) -> Vec<Note> {
    let mut by_item: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for note in findings {
        let key = (note.path.as_str(), note.item.as_str());
        by_item.entry(key).or_default().insert(&note.message);
    }
    let mut used = BTreeSet::new();
    for file in files {
        for hunk in &mut file.hunks {
            let Some((key, found)) =
                by_item.get_key_value(&(file.path.as_str(), hunk.item.as_str()))
            else {
                continue;
            };
            hunk.findings = found.iter().map(|message| (*message).to_owned()).collect();
            used.insert(*key);
        }
    }
    by_item.retain(|key, _| !used.contains(key));
    let rest = by_item.into_iter().flat_map(|((path, item), messages)| {
        messages.into_iter().map(move |message| Note {
            path: path.to_owned(),
            item: item.to_owned(),
            message: message.to_owned(),
        })
    });
    rest.collect()
}

fn check_name(id: &str) -> Result<(), ChangeError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let valid =
        !id.is_empty() && id.len() <= MAX_NAME && !id.starts_with('.') && id.chars().all(fits);
    match valid {
        true => Ok(()),
        false => Err(ChangeError::Name {
            id: id.chars().take(MAX_NAME).collect(),
        }),
    }
}

/// How a text is named: that of its artifact, too.
fn digest(text: &str) -> String {
    format!("b3:{}", blake3::hash(text.as_bytes()).to_hex())
}
