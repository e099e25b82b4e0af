//! Hunks as a diff, for a terminal or a pipe.

use crate::cli::{
    style::Style,
    text::{one_line, player_name, visible},
};
use symphony_domain::changes::{ChangeSet, Decided, DiffKind, FileChange, Hunk};

/// The lines of a unified diff, coloured.
pub fn unified(diff: &str, style: Style) -> Vec<String> {
    let shown = diff.lines().map(|line| {
        // Where every line ends with a carriage return it tells nothing.
        let text = visible(line.trim_end_matches('\r'));
        match text.chars().next() {
            Some('+') => style.green(&text),
            Some('-') => style.red(&text),
            Some('@') => style.cyan(&text),
            _ => text,
        }
    });
    shown.collect()
}

/// The lines of a hunk: where it is, who made it and why, the diff.
pub fn hunk(file: &FileChange, hunk: &Hunk, style: Style) -> Vec<String> {
    let mut lines = heading(file, hunk, style);
    let size = |other: DiffKind| hunk.lines.iter().filter(|line| line.kind != other).count();
    let old = range(hunk.old_start_line, size(DiffKind::Added));
    let new = range(hunk.new_start_line, size(DiffKind::Removed));
    lines.push(style.cyan(&format!("@@ -{old} +{new} @@")));
    // Where every line ends with a carriage return it tells nothing.
    let has_return = |text: &str| text.ends_with('\r');
    let all_return = hunk.lines.iter().all(|line| has_return(&line.text));
    for line in &hunk.lines {
        let text = if all_return {
            line.text.trim_end_matches('\r')
        } else {
            &line.text
        };
        let cut = if line.cut > 0 {
            format!(" … ({} bytes more)", line.cut)
        } else {
            String::new()
        };
        let text = format!("{}{cut}", visible(text));
        lines.push(match line.kind {
            DiffKind::Context => format!(" {text}"),
            DiffKind::Removed => style.red(&format!("-{text}")),
            DiffKind::Added => style.green(&format!("+{text}")),
        });
        if !line.newline {
            lines.push(style.dim("\\ no line break at the end of the file"));
        }
    }
    lines
}

/// File and item; who made it and why; what verifiers said.
fn heading(file: &FileChange, hunk: &Hunk, style: Style) -> Vec<String> {
    let mut place = style.bold(&one_line(&file.path));
    if file.base.is_none() {
        place.push_str(" (new file)");
    }
    if !hunk.item.is_empty() {
        place.push_str(" · ");
        place.push_str(&one_line(&hunk.item));
    }
    let mut lines = vec![place];
    let (by, why) = (player_name(&hunk.by), one_line(&hunk.why));
    let said = match (by.is_empty(), why.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!("by {by}"),
        (true, false) => why,
        (false, false) => format!("by {by}: {why}"),
    };
    if !said.is_empty() {
        lines.push(style.dim(&said));
    }
    let finding = |finding: &String| format!("{} {}", style.yellow("!"), one_line(finding));
    lines.extend(hunk.findings.iter().map(finding));
    lines
}

fn range(start: usize, lines: usize) -> String {
    if lines == 1 {
        start.to_string()
    } else {
        format!("{start},{lines}")
    }
}

/// All hunks that `chosen` names, each with its number and verdict.
pub fn change_set(set: &ChangeSet, chosen: impl Fn(&Hunk) -> bool, style: Style) -> Vec<String> {
    let total = set.hunks().count();
    let mut lines = vec![format!(
        "{} · change set {}",
        style.bold(&one_line(&set.title)),
        one_line(&set.id)
    )];
    for note in &set.findings {
        let item = if note.item.is_empty() {
            String::new()
        } else {
            format!(" ({})", one_line(&note.item))
        };
        let text = format!(
            "{}{item}: {}",
            one_line(&note.path),
            one_line(&note.message)
        );
        lines.push(format!("{} {text}", style.yellow("!")));
    }
    for file in &set.files {
        for shown in file.hunks.iter().filter(|h| chosen(h)) {
            lines.push(String::new());
            lines.push(format!(
                "hunk {} of {total}{}{}",
                shown.id,
                verdict(shown.verdict, style),
                if shown.edited { ", edited" } else { "" }
            ));
            lines.extend(hunk(file, shown, style));
        }
    }
    lines
}

fn verdict(verdict: Decided, style: Style) -> String {
    match verdict {
        Decided::Pending => String::new(),
        Decided::Accepted => format!(" · {}", style.green("accepted")),
        Decided::Rejected => format!(" · {}", style.red("rejected")),
    }
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
