//! The lines a developer command prints: one a step, with its time.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::error::Result;

/// Width of the column that names the step.
const NAME: usize = 24;
/// Width of the column that says what came of it.
const DETAIL: usize = 32;

/// A step that is under way.
#[derive(Debug)]
pub struct Step {
    name: String,
    start: Instant,
}

impl Step {
    /// Begins a step that keeps its own output to itself: its name stands on
    /// the terminal until it is done.
    #[must_use]
    pub fn quiet(name: &str) -> Self {
        let mut err = io::stderr();
        if err.is_terminal() {
            // A report that cannot be written is no reason to stop the work.
            let _ = write!(err, "  · {name} …").and_then(|()| err.flush());
        } else {
            eprintln!("  · {name}");
        }
        Self {
            name: name.to_owned(),
            start: Instant::now(),
        }
    }

    /// Begins a step whose program writes to the terminal itself.
    #[must_use]
    pub fn shown(name: &str) -> Self {
        eprintln!("  · {name}");
        Self {
            name: name.to_owned(),
            start: Instant::now(),
        }
    }

    /// Ends it well, and returns how long it took.
    pub fn done(self, detail: &str) -> Duration {
        let took = self.start.elapsed();
        clear();
        eprintln!("{}", line('✓', &self.name, detail, Some(took)));
        took
    }

    /// Ends it badly, and returns how long it took.
    pub fn failed(self, detail: &str) -> Duration {
        let took = self.start.elapsed();
        clear();
        eprintln!("{}", line('✗', &self.name, detail, Some(took)));
        took
    }
}

/// Says that a step was left out and why: loud, so that nobody takes it for done.
pub fn skipped(name: &str, why: &str) {
    eprintln!("{}", line('!', name, &format!("SKIPPED: {why}"), None));
}

/// Runs `work` as a step of this name; its value's text is the detail.
///
/// # Errors
/// Those of `work`.
pub fn step<T>(
    step: Step,
    work: impl FnOnce() -> Result<T>,
    detail: impl FnOnce(&T) -> String,
) -> Result<T> {
    match work() {
        Ok(value) => {
            let detail = detail(&value);
            step.done(&detail);
            Ok(value)
        }
        Err(error) => {
            step.failed("failed");
            Err(error)
        }
    }
}

fn clear() {
    let mut err = io::stderr();
    if err.is_terminal() {
        // As above: only the look of the report is at stake.
        let _ = write!(err, "\r\x1b[2K");
    }
}

fn line(mark: char, name: &str, detail: &str, took: Option<Duration>) -> String {
    let took = took.map(seconds).unwrap_or_default();
    format!("  {mark} {name:<NAME$}  {detail:<DETAIL$}  {took:>8}")
        .trim_end()
        .to_owned()
}

/// A duration as people read it: `0.3 s`, `94 s`, `12 min 04 s`.
#[must_use]
pub fn seconds(took: Duration) -> String {
    match took.as_secs() {
        0..10 => format!("{:.1} s", took.as_secs_f64()),
        s @ 10..600 => format!("{s} s"),
        s => format!("{} min {:02} s", s / 60, s % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well_at_every_size() {
        assert_eq!(seconds(Duration::from_millis(260)), "0.3 s");
        assert_eq!(seconds(Duration::from_secs(94)), "94 s");
        assert_eq!(seconds(Duration::from_secs(724)), "12 min 04 s");
    }

    #[test]
    fn columns_line_up_and_nothing_trails() {
        let with = line(
            '✓',
            "Python environment",
            "locked, 38 wheels",
            Some(Duration::from_secs(21)),
        );
        let other = line('✓', "xi-editor", "built", Some(Duration::from_secs(94)));
        assert_eq!(with.chars().count(), other.chars().count());
        assert!(!line('!', "x", "y", None).ends_with(' '));
    }
}
