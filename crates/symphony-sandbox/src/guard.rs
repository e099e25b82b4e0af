//! Ending every registered process group when the host is gone.
//!
//! The parent-death signal reaches a child, but not what the child spawned; and
//! no destructor runs in a host that was killed. The guard does: its standard
//! input ends with the host, however that happened.
//!
//! Lines: `+PGID:STARTTIME` registers a group, `-PGID` takes it back. The start
//! time of the group's leader tells a group from another one with the same
//! number, later.

use crate::proc;
use nix::{
    sys::signal::{SigSet, Signal, killpg},
    unistd::Pid,
};
use std::{collections::HashMap, io::BufRead, thread, time::Duration};

/// Groups by number, with their leader's start time.
type Groups = HashMap<i32, Option<u64>>;

/// How often killing is repeated for processes that were being forked meanwhile.
const ROUNDS: u32 = 3;

/// Guards until `input` ends, then ends what is registered. Ctrl-C, a closed
/// terminal and SIGTERM do not end it before the host.
pub fn run(input: impl BufRead) {
    let mut blocked = SigSet::empty();
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGTSTP,
    ] {
        blocked.add(signal);
    }
    // Without this the guard still works unless it is signalled.
    let _ = blocked.thread_block();
    let groups = listen(input);
    for round in 0..ROUNDS {
        let living = groups
            .iter()
            .filter(|(group, started)| end(**group, **started))
            .count();
        if living == 0 {
            return;
        }
        thread::sleep(Duration::from_millis(10 * u64::from(round + 1)));
    }
}

fn listen(input: impl BufRead) -> Groups {
    let mut groups = Groups::new();
    // A read error is as good as the end: the host does not speak any more.
    for line in input.lines().map_while(Result::ok) {
        apply(&mut groups, &line);
    }
    groups
}

fn apply(groups: &mut Groups, line: &str) {
    let (add, rest) = match (line.strip_prefix('+'), line.strip_prefix('-')) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return,
    };
    let (group, started) = match rest.split_once(':') {
        Some((group, started)) => (group, started.parse().ok()),
        None => (rest, None),
    };
    // Groups 0 and 1 mean "my own" and "all": never those.
    let Some(group) = group.parse().ok().filter(|group| *group > 1) else {
        return;
    };
    if add {
        groups.insert(group, started);
    } else {
        groups.remove(&group);
    }
}

/// Sends SIGKILL to the group if it is the registered one; tells whether there was one.
fn end(group: i32, started: Option<u64>) -> bool {
    let now = proc::start_time(group);
    let another = matches!((started, now), (Some(then), Some(now)) if then != now);
    !another && killpg(Pid::from_raw(group), Signal::SIGKILL).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_register_and_take_back() {
        let input = "+10:5\n+11\n+12:7\n-10\nnonsense\n+0:1\n+-5:1\n+1:1\n-99\n+12:8\n";
        let groups = listen(input.as_bytes());
        assert_eq!(groups, Groups::from([(11, None), (12, Some(8))]));
    }
}
