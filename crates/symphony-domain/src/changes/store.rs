//! Change sets and applications as records, texts as artifacts.

use super::{
    edit,
    error::ChangeError,
    types::{Application, ChangeSet, Decided, EpisodeRef, FileChange, HunkDecision, HunkId, Note},
};
use crate::core::SymphonyCore;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, ops::RangeInclusive};
use symphony_core_ports::{
    ArtifactContent, ArtifactId, ArtifactInfo, Collection, Durability, Expected, PortError, Record,
    RecordKey,
};

const CHANGE_SETS: &str = "change-sets";
const APPLICATIONS: &str = "applications";
/// The form of both records as they are written: 1 knew no hunks with a reviewer's own text.
const FORM: u32 = 2;
/// The forms that are read; others are refused.
const KNOWN: RangeInclusive<u32> = 1..=FORM;
/// How often a record that someone else changed is read again.
const TRIES: usize = 8;

/// What of a change set never changes: an artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) title: String,
    pub(super) melody: String,
    pub(super) files: Vec<FileChange>,
    pub(super) findings: Vec<Note>,
    pub(super) episodes: Vec<EpisodeRef>,
}

/// What of a change set changes, and what a listing needs: a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SetRecord {
    form: u32,
    pub(super) project: String,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) melody: String,
    pub(super) created_ms: u64,
    pub(super) files: usize,
    pub(super) hunks: usize,
    pub(super) plan: ArtifactId,
    /// What was decided; a hunk that is not here is pending.
    pub(super) decided: BTreeMap<HunkId, Decided>,
    /// The reviewer's own texts of accepted hunks.
    #[serde(default)]
    pub(super) edited: BTreeMap<HunkId, ArtifactId>,
}

impl SetRecord {
    pub(super) fn new(
        project: &str,
        id: &str,
        created_ms: u64,
        plan: &Plan,
        at: ArtifactId,
    ) -> Self {
        Self {
            form: FORM,
            project: project.to_owned(),
            id: id.to_owned(),
            title: plan.title.clone(),
            melody: plan.melody.clone(),
            created_ms,
            files: plan.files.len(),
            hunks: plan.files.iter().map(|file| file.hunks.len()).sum(),
            plan: at,
            decided: BTreeMap::new(),
            edited: BTreeMap::new(),
        }
    }

    pub(super) fn verdict(&self, hunk: HunkId) -> Decided {
        self.decided.get(&hunk).copied().unwrap_or_default()
    }

    pub(super) fn count(&self, verdict: Decided) -> usize {
        self.decided.values().filter(|v| **v == verdict).count()
    }

    pub(super) fn pending(&self) -> usize {
        self.hunks.saturating_sub(self.decided.len())
    }

    fn decide(&mut self, decision: Decision<'_>) {
        match decision.verdict {
            Decided::Pending => self.decided.remove(&decision.hunk),
            other => self.decided.insert(decision.hunk, other),
        };
        match decision
            .edited
            .filter(|_| decision.verdict == Decided::Accepted)
        {
            Some(text) => self.edited.insert(decision.hunk, text.clone()),
            None => self.edited.remove(&decision.hunk),
        };
    }
}

/// What is to be recorded of a hunk.
#[derive(Clone, Copy)]
pub(super) struct Decision<'a> {
    hunk: HunkId,
    verdict: Decided,
    edited: Option<&'a ArtifactId>,
}

/// A change set as it is stored.
pub(super) struct Loaded {
    pub(super) record: SetRecord,
    pub(super) plan: Plan,
}

impl Loaded {
    pub(super) fn view(self) -> ChangeSet {
        let Self { record, mut plan } = self;
        for hunk in plan.files.iter_mut().flat_map(|file| &mut file.hunks) {
            hunk.verdict = record.verdict(hunk.id);
        }
        ChangeSet {
            id: record.id,
            title: plan.title,
            melody: plan.melody,
            created_ms: record.created_ms,
            files: plan.files,
            findings: plan.findings,
        }
    }
}

/// An application with its project, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct JournalRecord {
    form: u32,
    project: String,
    #[serde(flatten)]
    application: Application,
}

/// Reads and writes what change sets consist of, for one project.
#[derive(Clone)]
pub(super) struct Store {
    pub(super) core: SymphonyCore,
    pub(super) project: String,
}

impl Store {
    /// All change sets of the project, newest first.
    pub(super) async fn sets(&self) -> Result<Vec<SetRecord>, ChangeError> {
        let collection = Collection::from(CHANGE_SETS);
        let records = self.core.data.list(&collection).await;
        let records = records.map_err(ChangeError::store("the change sets cannot be read"))?;
        let mut sets: Vec<SetRecord> = Vec::new();
        for record in records {
            let set = set_of(record)?;
            if set.project == self.project {
                sets.push(set);
            }
        }
        sets.sort_by(|a, b| (b.created_ms, &b.id).cmp(&(a.created_ms, &a.id)));
        Ok(sets)
    }

    /// The change set of this name or with this beginning.
    pub(super) async fn find_set(&self, id: &str) -> Result<SetRecord, ChangeError> {
        let mut sets = self.sets().await?;
        if let Some(at) = sets.iter().position(|set| set.id == id) {
            return Ok(sets.swap_remove(at));
        }
        sets.retain(|set| !id.is_empty() && set.id.starts_with(id));
        match sets.len() {
            1 => Ok(sets.swap_remove(0)),
            0 => Err(ChangeError::NotFound { id: id.to_owned() }),
            _ => Err(ChangeError::Ambiguous {
                prefix: id.to_owned(),
                matches: sets.into_iter().map(|set| set.id).collect(),
            }),
        }
    }

    /// The change set of exactly this name, of any project.
    pub(super) async fn set_record(
        &self,
        id: &str,
    ) -> Result<Option<(SetRecord, u64)>, ChangeError> {
        let (collection, key) = (Collection::from(CHANGE_SETS), RecordKey::from(id));
        let record = self.core.data.get(&collection, &key).await;
        let what = format!("change set {id} cannot be read");
        match record.map_err(ChangeError::store(what))? {
            Some(record) => {
                let version = record.version;
                Ok(Some((set_of(record)?, version)))
            }
            None => Ok(None),
        }
    }

    /// Stores a record where there was none.
    pub(super) async fn add_set(&self, set: &SetRecord) -> Result<(), ChangeError> {
        self.put_set(set, Expected::Absent).await.map(drop)
    }

    async fn put_set(&self, set: &SetRecord, expected: Expected) -> Result<u64, ChangeError> {
        let (collection, key) = (
            Collection::from(CHANGE_SETS),
            RecordKey::from(set.id.as_str()),
        );
        let what = format!("change set {} cannot be recorded", set.id);
        let value = to_value(set, &what)?;
        let put = self.core.data.put(&collection, &key, value, expected).await;
        put.map_err(ChangeError::store(what))
    }

    /// Sets verdicts; whoever changed the record meanwhile keeps what they decided of other hunks.
    pub(super) async fn decide(
        &self,
        id: &str,
        verdicts: impl Iterator<Item = Decision<'_>> + Clone,
    ) -> Result<SetRecord, ChangeError> {
        let mut tries = 0;
        loop {
            let Some((mut set, version)) = self.set_record(id).await? else {
                return Err(ChangeError::NotFound { id: id.to_owned() });
            };
            let before = set.clone();
            verdicts.clone().for_each(|decision| set.decide(decision));
            if set == before {
                return Ok(set);
            }
            set.form = FORM;
            tries += 1;
            match self.put_set(&set, Expected::Version(version)).await {
                Err(ChangeError::Store {
                    source: PortError::Conflict { .. },
                    ..
                }) if tries < TRIES => {}
                Err(error) => return Err(error),
                Ok(_) => return Ok(set),
            }
        }
    }

    /// A change set with its hunks.
    pub(super) async fn load(&self, record: SetRecord) -> Result<Loaded, ChangeError> {
        let bytes = self.bytes(&record.plan).await?;
        let mut plan: Plan =
            serde_json::from_slice(&bytes).map_err(|source| ChangeError::Damaged {
                what: format!("change set {}", record.id),
                source,
            })?;
        for file in &mut plan.files {
            self.put_edited(file, &record.edited).await?;
        }
        Ok(Loaded { record, plan })
    }

    /// Puts the reviewer's own texts in the place of those proposed.
    async fn put_edited(
        &self,
        file: &mut FileChange,
        edited: &BTreeMap<HunkId, ArtifactId>,
    ) -> Result<(), ChangeError> {
        if !file.hunks.iter().any(|hunk| edited.contains_key(&hunk.id)) {
            return Ok(());
        }
        let base = self.base(file).await?.unwrap_or_default();
        for hunk in &mut file.hunks {
            if let Some(text) = edited.get(&hunk.id) {
                edit::put(&base, hunk, &self.text(text).await?);
            }
        }
        edit::renumber(file);
        Ok(())
    }

    /// The text that a file's hunks refer to; `None` for a new file.
    pub(super) async fn base(&self, file: &FileChange) -> Result<Option<String>, ChangeError> {
        match &file.base {
            Some(base) => self.text(base).await.map(Some),
            None => Ok(None),
        }
    }

    /// The project's applications, oldest first.
    pub(super) async fn applications(&self) -> Result<Vec<Application>, ChangeError> {
        let collection = Collection::from(APPLICATIONS);
        let records = self.core.data.list(&collection).await;
        let records = records.map_err(ChangeError::store("the journal cannot be read"))?;
        let mut own = Vec::new();
        for record in records {
            let what = || format!("application {}", record.key);
            let read: JournalRecord = from_value(record.value, what)?;
            check_form(read.form, what)?;
            if read.project == self.project {
                own.push(read.application);
            }
        }
        own.sort_by_key(|application| application.id);
        Ok(own)
    }

    /// Records a new application, before anything is written.
    pub(super) async fn begin(&self, new: &Application) -> Result<(), ChangeError> {
        self.put_application(new, Expected::Absent).await
    }

    /// Records how far an application is.
    pub(super) async fn put_state(&self, application: &Application) -> Result<(), ChangeError> {
        self.put_application(application, Expected::Any).await
    }

    async fn put_application(
        &self,
        application: &Application,
        expected: Expected,
    ) -> Result<(), ChangeError> {
        // Hosts of other projects write here, too.
        let project = blake3::hash(self.project.as_bytes()).to_hex();
        let key = RecordKey(format!("{}-{:010}", &project[..16], application.id));
        let record = JournalRecord {
            form: FORM,
            project: self.project.clone(),
            application: application.clone(),
        };
        let what = "the journal cannot be written";
        let value = to_value(&record, what)?;
        let collection = Collection::from(APPLICATIONS);
        let put = self.core.data.put(&collection, &key, value, expected).await;
        put.map(drop).map_err(ChangeError::store(what))
    }

    /// Stores a text; it is on disk afterwards.
    pub(super) async fn keep(
        &self,
        text: &str,
        media_type: &str,
        title: String,
        set: &str,
    ) -> Result<ArtifactId, ChangeError> {
        let what = format!("{title} cannot be kept");
        let content = ArtifactContent {
            bytes: text.as_bytes().to_vec(),
            about: ArtifactInfo {
                media_type: media_type.to_owned(),
                title,
                labels: BTreeMap::from([("change-set".to_owned(), set.to_owned())]),
            },
            durability: Durability::Group,
        };
        let stored = self.core.pit.store_artifact(content).await;
        stored.map_err(ChangeError::store(what))
    }

    /// Reads a text that was kept.
    pub(super) async fn text(&self, id: &ArtifactId) -> Result<String, ChangeError> {
        let bytes = self.bytes(id).await?;
        String::from_utf8(bytes).map_err(|error| ChangeError::Store {
            what: format!("artifact {id} is no text"),
            source: PortError::failed_because("not UTF-8", error),
        })
    }

    async fn bytes(&self, id: &ArtifactId) -> Result<Vec<u8>, ChangeError> {
        let artifact = self.core.pit.retrieve_artifact(id).await;
        let what = "a text of the change set cannot be read";
        Ok(artifact.map_err(ChangeError::store(what))?.bytes)
    }

    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        let since = self.core.clock.now().duration_since(std::time::UNIX_EPOCH);
        let millis = since.unwrap_or_default().as_millis();
        u64::try_from(millis).unwrap_or(u64::MAX)
    }
}

/// Verdicts of decisions as they are to be, or as they were.
pub(super) fn verdicts(
    decisions: &[HunkDecision],
    back: bool,
) -> impl Iterator<Item = Decision<'_>> + Clone + '_ {
    decisions.iter().map(move |decision| Decision {
        hunk: decision.hunk,
        verdict: if back { decision.from } else { decision.to },
        edited: decision.edited.as_ref(),
    })
}

fn set_of(record: Record) -> Result<SetRecord, ChangeError> {
    let what = || format!("change set {}", record.key);
    let set: SetRecord = from_value(record.value, what)?;
    check_form(set.form, what)?;
    Ok(set)
}

fn check_form(form: u32, what: impl Fn() -> String) -> Result<(), ChangeError> {
    use serde::de::Error as _;
    if KNOWN.contains(&form) {
        return Ok(());
    }
    let message = format!("its form is {form}, known are 1 to {FORM}");
    let source = serde_json::Error::custom(message);
    let what = what();
    Err(ChangeError::Damaged { what, source })
}

fn to_value(record: &impl Serialize, what: &str) -> Result<Value, ChangeError> {
    serde_json::to_value(record).map_err(|source| ChangeError::Damaged {
        what: what.to_owned(),
        source,
    })
}

fn from_value<T: serde::de::DeserializeOwned>(
    value: Value,
    what: impl Fn() -> String,
) -> Result<T, ChangeError> {
    serde_json::from_value(value).map_err(|source| ChangeError::Damaged {
        what: what(),
        source,
    })
}
