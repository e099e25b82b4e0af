//! The Operator `apply-edits`: search-and-replace edits find their place.

use crate::find_place::{Place, find, nearest};
use crate::patch::overlap;
use crate::project::{Project, Text, Unreadable, line_ending};
use std::collections::HashMap;
use symphony_extension_sdk::types::{Edit, Miss, SearchReplace};
use symphony_extension_sdk::{Call, Failure, Outputs};

/// Runs the Operator: `edits`, `by` and `missed` in; `edits` and `misses` out.
///
/// # Errors
/// [`Failure`] for wrong inputs, an unreadable project, a cancelled call.
pub fn run(call: &Call) -> Result<Outputs, Failure> {
    let wanted: Vec<SearchReplace> = call.input("edits")?;
    let by: String = call.input_or("by", String::new())?;
    let missed: Vec<Miss> = call.input_or("missed", Vec::new())?;
    let project = Project::of(call)?;
    let mut made = Made::default();
    for edit in &wanted {
        call.check()?;
        match made.locate(&project, edit) {
            Ok(None) => {}
            Ok(Some(mut located)) => {
                located.why.clone_from(&edit.why);
                located.by.clone_from(&by);
                if let Err(miss) = made.add(located, edit) {
                    made.misses.push(*miss);
                }
            }
            Err(miss) => made.misses.push(*miss),
        }
    }
    // What nobody tried again is still missing.
    let is_tried = |miss: &Miss| wanted.iter().any(|edit| edit.path == miss.edit.path);
    made.misses
        .extend(missed.into_iter().filter(|miss| !is_tried(miss)));
    Outputs::new()
        .with("edits", made.edits)?
        .with("misses", made.misses)
}

#[derive(Default)]
struct Made {
    edits: Vec<Edit>,
    misses: Vec<Miss>,
    read: HashMap<String, Option<Text>>,
}

fn miss(edit: &SearchReplace, reason: impl std::fmt::Display) -> Box<Miss> {
    Box::new(Miss {
        edit: edit.clone(),
        reason: reason.to_string(),
        nearest: String::new(),
        line: 0,
    })
}

impl Made {
    /// The exact edit, or none when nothing would change.
    fn locate(
        &mut self,
        project: &Project,
        edit: &SearchReplace,
    ) -> Result<Option<Edit>, Box<Miss>> {
        if !self.read.contains_key(&edit.path) {
            let text = match project.read(&edit.path) {
                Ok(text) => Some(text),
                Err(Unreadable::Missing) => None,
                Err(error) => return Err(miss(edit, error)),
            };
            self.read.insert(edit.path.clone(), text);
        }
        let Some(Some(file)) = self.read.get(&edit.path) else {
            if edit.search.is_empty() {
                return Ok(Some(exact(edit, "", 0..0, edit.replace.clone())));
            }
            return Err(miss(edit, "no such file; an empty search text creates it"));
        };
        if edit.search.is_empty() {
            if !file.text.is_empty() {
                return Err(miss(
                    edit,
                    "the file exists already; say which text to replace",
                ));
            }
            return Ok(changing(
                exact(edit, &file.base, 0..0, edit.replace.clone()),
                file,
            ));
        }
        match find(&file.text, &edit.search, &edit.replace) {
            Place::One { range, replace } => {
                let (range, replace) = trimmed(&file.text, range, &replace);
                Ok(changing(exact(edit, &file.base, range, replace), file))
            }
            Place::Several { lines } => {
                let places: Vec<String> = lines.iter().map(ToString::to_string).collect();
                let reason = format!(
                    "the text occurs {} times (lines {}); give more of the lines around it",
                    lines.len(),
                    places.join(", ")
                );
                let mut miss = miss(edit, reason);
                miss.line = lines.first().copied().unwrap_or(0);
                Err(miss)
            }
            Place::None => {
                let mut miss = miss(edit, "the text does not occur in the file");
                if let Some(near) = nearest(&file.text, &edit.search) {
                    miss.reason = format!(
                        "the text does not occur in the file; the nearest is {} % alike",
                        near.percent
                    );
                    miss.nearest = near.text;
                    miss.line = near.line;
                }
                Err(miss)
            }
        }
    }

    fn add(&mut self, located: Edit, wanted: &SearchReplace) -> Result<(), Box<Miss>> {
        let place = |edit: &Edit| (edit.start, edit.end);
        for other in self.edits.iter().filter(|other| other.path == located.path) {
            if place(other) == place(&located) && other.text == located.text {
                return Ok(());
            }
            if overlap(other, &located) {
                return Err(miss(wanted, "the text overlaps that of an earlier edit"));
            }
        }
        self.edits.push(located);
        Ok(())
    }
}

fn exact(edit: &SearchReplace, base: &str, range: std::ops::Range<usize>, text: String) -> Edit {
    Edit {
        path: edit.path.clone(),
        base: base.to_owned(),
        start: range.start,
        end: range.end,
        text,
        item: String::new(),
        why: String::new(),
        by: String::new(),
    }
}

fn changing(mut edit: Edit, file: &Text) -> Option<Edit> {
    if edit.start == 0 && edit.end == 0 && file.text.is_empty() {
        let ending = line_ending(&file.text);
        edit.text = edit.text.replace("\r\n", "\n").replace('\n', ending);
    }
    (file.text[edit.start..edit.end] != edit.text).then_some(edit)
}

/// Leaves out the whole lines at both ends that stay as they are.
fn trimmed(
    text: &str,
    range: std::ops::Range<usize>,
    replace: &str,
) -> (std::ops::Range<usize>, String) {
    let old = &text[range.clone()];
    let same = |a: &u8, b: &u8| a == b;
    let pairs = old.bytes().zip(replace.bytes());
    let head = pairs.take_while(|(a, b)| same(a, b)).count();
    let head = old.as_bytes()[..head]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let (old_rest, new_rest) = (&old[head..], &replace[head..]);
    let pairs = old_rest.bytes().rev().zip(new_rest.bytes().rev());
    let tail = pairs.take_while(|(a, b)| same(a, b)).count();
    let from = old_rest.len() - tail;
    let starts_line = |text: &str, at: usize| at == 0 || text.as_bytes()[at - 1] == b'\n';
    let whole = starts_line(old_rest, from) && starts_line(new_rest, new_rest.len() - tail);
    // Else the tail starts behind the first line's end that both share.
    let tail = match old_rest.as_bytes()[from..]
        .iter()
        .position(|&byte| byte == b'\n')
    {
        _ if whole => tail,
        Some(at) => tail - at - 1,
        None => 0,
    };
    let range = range.start + head..range.end - tail;
    (range, new_rest[..new_rest.len() - tail].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_changed_lines_are_left() {
        let text = "a\nb\nc\nd\n";
        assert_eq!(
            trimmed(text, 0..8, "a\nB\nc\nd\n"),
            (2..4, "B\n".to_owned())
        );
        assert_eq!(trimmed(text, 0..7, "a\nb\nc\nD"), (6..7, "D".to_owned()));
        assert_eq!(
            trimmed(text, 0..8, "a\nb\nx\nc\nd\n"),
            (4..4, "x\n".to_owned())
        );
        assert_eq!(trimmed(text, 2..4, ""), (2..4, String::new()));
    }

    proptest! {
        #[test]
        fn trimming_changes_nothing(
            before in "[ab\n]{0,12}", old in "[ab\nä]{0,12}", after in "[ab\n]{0,12}", new in "[ab\nä]{0,12}",
        ) {
            let text = format!("{before}{old}{after}");
            let range = before.len()..before.len() + old.len();
            let mut whole = text.clone();
            whole.replace_range(range.clone(), &new);
            let (range, replace) = trimmed(&text, range, &new);
            let mut less = text.clone();
            less.replace_range(range, &replace);
            prop_assert_eq!(less, whole);
        }
    }
}
