//! Finding a child that hangs.

use crate::{Heartbeat, events::EventKind, group::Stat, handle::Shared};
use rustix::process::Pid;
use serde_json::json;
use std::{
    future::pending,
    time::{Duration, Instant},
};
use symphony_ipc_transport::{CallError, Peer};
use tokio::time::sleep;

/// Asks until the child hangs; then gives how long it has been silent.
/// Never returns for a child that answers or whose connection has ended.
pub(crate) async fn watch(
    heartbeat: &Heartbeat,
    peer: &Peer,
    pid: Pid,
    shared: &Shared,
    generation: u64,
) -> Duration {
    let mut silent_since: Option<Instant> = None;
    let mut misses = 0;
    loop {
        if misses == 0 {
            sleep(heartbeat.interval).await;
        }
        let asked = Instant::now();
        let before = Stat::read(pid);
        match peer
            .call(&heartbeat.method, &json!({}), heartbeat.timeout)
            .await
        {
            Err(CallError::Timeout { .. } | CallError::QueueFull { .. }) => {}
            // The end of the connection is seen elsewhere.
            Err(CallError::Closed(_)) => pending().await,
            // An error is an answer too.
            Ok(_) | Err(_) => {
                if misses > 0 {
                    shared.tell(generation, EventKind::Healthy);
                }
                misses = 0;
                silent_since = None;
                continue;
            }
        }
        let silent = silent_since.get_or_insert(asked).elapsed();
        misses += 1;
        if misses == 1 {
            shared.tell(generation, EventKind::Unhealthy { silent });
        }
        let busy = is_busy(before, Stat::read(pid)) && silent < heartbeat.busy;
        if misses >= heartbeat.misses && !busy {
            return silent;
        }
    }
}

/// Whether it computed between the two looks, or is waiting for the processor or a disk.
fn is_busy(before: Option<Stat>, now: Option<Stat>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => now.ticks > before.ticks || matches!(now.state, 'R' | 'D'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computing_and_waiting_for_a_disk_is_busy() {
        let stat = |state, ticks| {
            Some(Stat {
                state,
                ticks,
                started: 1,
            })
        };
        assert!(is_busy(stat('S', 5), stat('S', 6)));
        assert!(is_busy(stat('S', 5), stat('D', 5)));
        assert!(is_busy(stat('S', 5), stat('R', 5)));
        assert!(!is_busy(stat('S', 5), stat('S', 5)));
        assert!(!is_busy(stat('R', 5), stat('T', 5)), "stopped");
        assert!(!is_busy(stat('R', 5), None));
    }
}
