//! Removes the records of old runs.

use super::Host;
use crate::api::CommandError;
use std::{collections::BTreeSet, time::Duration};
use symphony_core_ports::{PortError, RunRecord};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Host {
    /// Removes runs that succeeded more than `run.keep_runs_days` ago, unless hunks of theirs
    /// are to be decided. A host works with old records as well, so failing is only told.
    pub(super) async fn remove_old_runs(&self) {
        if let Err(error) = self.try_to_remove_old_runs().await {
            tracing::warn!(%error, "records of old runs were not removed");
        }
    }

    async fn try_to_remove_old_runs(&self) -> Result<(), CommandError> {
        let days = self.config.run.keep_runs_days;
        let age = DAY.saturating_mul(days);
        let Some(before) = self.core.clock.now().checked_sub(age).filter(|_| days > 0) else {
            return Ok(());
        };
        let old = self.core.pit.runs_succeeded_before(before).await?;
        if old.is_empty() {
            return Ok(());
        }
        // A change set has the name of its run.
        let sets = self.changes.list().await?;
        let open = sets.into_iter().filter(|set| set.pending > 0);
        let open: BTreeSet<String> = open.map(|set| set.id).collect();
        for record in old.iter().filter(|old| !open.contains(old.run.id.as_str())) {
            self.remove_run(record, days).await?;
        }
        Ok(())
    }

    async fn remove_run(&self, record: &RunRecord, days: u32) -> Result<(), PortError> {
        let (run, melody) = (&record.run.id, &record.run.melody);
        self.core.pit.remove_run(run).await?;
        tracing::info!(%run, melody, "the record of a run was removed: it succeeded more than {days} days ago");
        Ok(())
    }
}
