//! What `/proc` tells of a process.

use std::fs;

/// When a process started, in clock ticks since boot: together with its id
/// it names a process for good. `None` when there is no such process.
pub fn start_time(pid: i32) -> Option<u64> {
    field(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?, 22)
}

/// Field `number` (from 1, as in proc(5)) of a line of `/proc/PID/stat`.
fn field(stat: &str, number: usize) -> Option<u64> {
    // The second field is the program's name in parentheses and may contain anything.
    let rest = &stat[stat.rfind(')')? + 1..];
    rest.split_ascii_whitespace()
        .nth(number.checked_sub(3)?)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_confuse() {
        let stat = "12 (a) b ) (c) S 1 12 12 0 -1 4194560 1 0 0 0 7 8 0 0 20 0 1 0 987654 1 2";
        assert_eq!(field(stat, 4), Some(1));
        assert_eq!(field(stat, 14), Some(7));
        assert_eq!(field(stat, 22), Some(987_654));
        assert_eq!(field(stat, 90), None);
        assert_eq!(field("nonsense", 22), None);
    }

    #[test]
    fn this_process_has_a_start_time_and_no_process_has_none() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(start_time(own).is_some_and(|t| t > 0));
        assert_eq!(start_time(own), start_time(own));
        assert_eq!(start_time(i32::MAX), None);
    }
}
