//! What a child takes.

use crate::group::Stat;
use rustix::process::Pid;
use std::{fs, time::Duration};

/// What a child takes, from `/proc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// Resident memory in bytes.
    pub resident: u64,
    /// Largest resident memory so far, in bytes.
    pub resident_peak: u64,
    /// Processor time used.
    pub cpu: Duration,
    /// Threads.
    pub threads: u64,
}

impl Resources {
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
        let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
        let value = |key: &str| -> Option<u64> {
            let line = status.lines().find_map(|l| l.strip_prefix(key))?;
            line.split_ascii_whitespace().next()?.parse().ok()
        };
        Some(Self {
            // A process that is ending has no memory lines any more.
            resident: value("VmRSS:").unwrap_or(0) * 1024,
            resident_peak: value("VmHWM:").unwrap_or(0) * 1024,
            cpu: Duration::from_millis(Stat::read(pid)?.ticks * 10),
            threads: value("Threads:")?,
        })
    }
}
