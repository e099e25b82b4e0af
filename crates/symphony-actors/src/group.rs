//! Process groups by number and start time.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;

/// The group of a child; its number is the child's process id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Group {
    pub(crate) pid: Pid,
    /// Clock ticks since boot; tells the child from a later process with its number.
    pub(crate) started: Option<u64>,
}

impl Group {
    /// The group of a child that has just been started.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
        Some(Self {
            pid,
            started: Stat::read(pid).map(|stat| stat.started),
        })
    }

    /// Signals every process of the group; `false` when there is none left.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        let now = Stat::read(self.pid).map(|stat| stat.started);
        if matches!((self.started, now), (Some(then), Some(now)) if then != now) {
            return false;
        }
        // Before the runner has made the group, there is only the process.
        kill_process_group(self.pid, signal).is_ok()
            || (now.is_some() && kill_process(self.pid, signal).is_ok())
    }

    /// The guard's name of the group.
    pub(crate) fn line(&self) -> String {
        let pid = self.pid.as_raw_nonzero();
        match self.started {
            Some(started) => format!("{pid}:{started}"),
            None => pid.to_string(),
        }
    }
}

/// What `/proc/PID/stat` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// `R`, `S`, `D`, `Z`, `T`, …
    pub(crate) state: char,
    /// Processor time used, in ticks of 10 ms.
    pub(crate) ticks: u64,
    /// When it started, in ticks since boot.
    pub(crate) started: u64,
}

impl Stat {
    pub(crate) fn read(pid: Pid) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?)
    }

    fn parse(line: &str) -> Option<Self> {
        // The name before the last parenthesis may contain anything.
        let rest = &line[line.rfind(')')? + 1..];
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            state: fields.first()?.chars().next()?,
            ticks: number(14)? + number(15)?,
            started: number(22)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_lines_are_read_whatever_the_name_is() {
        let line = "12 (a) R (b) S 1 12 12 0 -1 4194560 1 0 0 0 7 8 0 0 20 0 1 0 987654 1 2";
        let expected = Stat {
            state: 'S',
            ticks: 15,
            started: 987_654,
        };
        assert_eq!(Stat::parse(line), Some(expected));
        assert_eq!(Stat::parse("12 (x) S 1"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn another_process_with_the_number_is_not_signalled() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let mut group = Group::of(child.id()).unwrap();
        group.started = group.started.map(|started| started + 1);
        assert!(!group.signal(Signal::KILL));
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
