//! What the folder's logs say: the cache, and runs that are not in memory.

use crate::{
    cache::Cache,
    entry::{self, CacheEntry, RunEntry},
    error::DagError,
    journal::{self, LogName},
    log::{self, CACHE_MAGIC, RUN_MAGIC},
    run::Run,
};
use std::{collections::HashSet, path::Path, time::SystemTime};
use symphony_core_ports::RunId;

/// Whether a run's id can name its file.
pub(crate) fn is_file_name(id: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=64).contains(&id.len()) && id.bytes().all(fits)
}

pub(crate) fn read_run(folder: &Path, id: &RunId) -> Result<Option<Run>, DagError> {
    let path = journal::path_of(folder, &LogName::Run(id.clone()));
    let Some(log) = log::read::<RunEntry>(&path, RUN_MAGIC)? else {
        return Ok(None);
    };
    match log.damage {
        Some(damage) => Err(damage),
        None => Ok(Run::replay(log.entries)),
    }
}

type Reading = (RunId, Result<Option<Run>, DagError>);

pub(crate) fn read_unknown(
    folder: &Path,
    known: &HashSet<RunId>,
    written_before: Option<SystemTime>,
) -> Result<Vec<Reading>, DagError> {
    let folder_of_runs = folder.join("runs");
    let failed = |e| DagError::io(&folder_of_runs, e);
    let mut read = Vec::new();
    for entry in std::fs::read_dir(&folder_of_runs).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".log")) else {
            continue;
        };
        let id = RunId::new(id);
        let written = || entry.metadata().and_then(|about| about.modified()).ok();
        let is_old =
            written_before.is_none_or(|before| written().is_none_or(|written| written < before));
        if is_old && !known.contains(&id) {
            let run = read_run(folder, &id);
            read.push((id, run));
        }
    }
    Ok(read)
}

/// The cache from its log, which is compacted when it is worth it. What is
/// damaged is only slower: it is made again.
pub(crate) fn read_cache(path: &Path) -> Result<Cache, DagError> {
    let cache = Cache::default();
    let Some(log) = log::read::<CacheEntry>(path, CACHE_MAGIC)? else {
        // Nothing, or a file that was only being made.
        let _ = std::fs::remove_file(path);
        return Ok(cache);
    };
    if let Some(error) = &log.damage {
        tracing::warn!(%error, "part of the cache of node results is lost");
    }
    for entry in log.entries {
        match entry {
            CacheEntry::Put { key, result } => cache.put(key, result.into()),
            CacheEntry::Forget { key } => cache.forget(&key),
        }
    }
    if log.damage.is_some() || cache.wants_compaction() {
        // It goes on with the log as it is, on a full disk for instance.
        if let Err(error) = journal::write_cache(path, &cache_payloads(&cache)) {
            tracing::warn!(%error, "the cache of node results was not compacted");
        }
    }
    Ok(cache)
}

/// The cache's log without dead records.
pub(crate) fn cache_payloads(cache: &Cache) -> Vec<Vec<u8>> {
    let all = cache.compact().into_iter();
    all.map(|(key, output)| {
        let result = (&output).into();
        entry::encode(&CacheEntry::Put { key, result })
    })
    .collect()
}
