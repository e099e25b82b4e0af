//! Choosing hunks by number and by file.

use crate::cli::{
    errors::{CliResult, input},
    text::visible,
};
use std::{collections::BTreeSet, ops::RangeInclusive};
use symphony_domain::{
    changes::{ChangeSet, HunkId},
    melody::problem::nearest,
};

/// Which hunks are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    numbers: Vec<RangeInclusive<HunkId>>,
    paths: Vec<String>,
}

impl Selection {
    /// From `--hunk` (`3`, `1,4-7`) and `--file`.
    ///
    /// # Errors
    /// When something is no number and no range.
    pub fn parse(hunks: &[String], files: &[String]) -> CliResult<Self> {
        let words = hunks.iter().flat_map(|list| list.split(','));
        let numbers = words
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(range);
        let numbers = numbers.collect::<CliResult<Vec<_>>>()?;
        if numbers.is_empty() && !hunks.is_empty() {
            return Err(input("--hunk names no hunk", EXAMPLE));
        }
        let paths = files.iter().map(|path| plain_path(path)).collect();
        Ok(Self { numbers, paths })
    }

    /// Whether nothing was chosen, so that all is meant.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.paths.is_empty()
    }

    /// The hunks meant: those with one of the numbers and those of one of the
    /// files or folders; all when nothing was chosen.
    ///
    /// # Errors
    /// When a number or path names nothing in the change set.
    pub fn of(&self, set: &ChangeSet) -> CliResult<BTreeSet<HunkId>> {
        let all: BTreeSet<HunkId> = set.hunks().map(|hunk| hunk.id).collect();
        if self.is_empty() {
            return Ok(all);
        }
        let mut chosen = BTreeSet::new();
        for numbers in &self.numbers {
            for end in [numbers.start(), numbers.end()] {
                if !all.contains(end) {
                    let message = format!("the change set {} has no hunk {end}", visible(&set.id));
                    let last = all.last().copied().unwrap_or_default();
                    return Err(input(
                        message,
                        format!("its hunks are 1 to {last}; see `symphony review --show`"),
                    ));
                }
            }
            chosen.extend(all.range(numbers.clone()));
        }
        for path in &self.paths {
            let below = |file: &str| {
                path.is_empty()
                    || file == path
                    || file
                        .strip_prefix(path.as_str())
                        .is_some_and(|rest| rest.starts_with('/'))
            };
            let files: Vec<_> = set.files.iter().filter(|file| below(&file.path)).collect();
            if files.is_empty() {
                let message = format!(
                    "the change set {} changes nothing in `{}`",
                    visible(&set.id),
                    visible(path)
                );
                let known: Vec<&str> = set.files.iter().map(|file| file.path.as_str()).collect();
                return Err(input(message, nearest(path, &known)));
            }
            chosen.extend(
                files
                    .iter()
                    .flat_map(|file| &file.hunks)
                    .map(|hunk| hunk.id),
            );
        }
        Ok(chosen)
    }
}

/// Help of a selection that is none.
const EXAMPLE: &str = "name hunks as 3 or 1,4-7";

fn range(word: &str) -> CliResult<RangeInclusive<HunkId>> {
    let number = |text: &str| {
        text.trim()
            .parse::<HunkId>()
            .ok()
            .filter(|number| *number > 0)
    };
    let range = match word.split_once('-') {
        None => number(word).map(|n| n..=n),
        Some((from, to)) => number(from).zip(number(to)).map(|(from, to)| from..=to),
    };
    match range {
        Some(range) if range.start() <= range.end() => Ok(range),
        Some(_) => Err(input(
            format!("`{}` ends before it begins", visible(word)),
            EXAMPLE,
        )),
        None => Err(input(
            format!("`{}` is no hunk and no range of hunks", visible(word)),
            EXAMPLE,
        )),
    }
}

/// `./src/` as `src`, and `.` as everything.
fn plain_path(path: &str) -> String {
    let path = path.replace('\\', "/");
    let parts = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
