//! Text that is safe to print, and numbers and times for people.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};
use symphony_core_ports::Usage;

/// Makes everything visible that a terminal would obey instead of showing:
/// control characters, escape sequences, marks that reorder text. Tabs stay.
pub fn visible(text: &str) -> String {
    shown(text, |c| c == '\t')
}

/// As [`visible`], for text of several lines: line breaks stay.
pub fn visible_lines(text: &str) -> String {
    shown(text, |c| matches!(c, '\t' | '\n'))
}

/// As [`visible`] on one line: line breaks and tabs become spaces.
pub fn one_line(text: &str) -> String {
    let joined: Vec<&str> = text.split_whitespace().collect();
    visible(&joined.join(" "))
}

fn shown(text: &str, stays: impl Fn(char) -> bool) -> String {
    if !text.chars().any(|c| is_unsafe(c) && !stays(c)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !is_unsafe(c) || stays(c) => out.push(c),
            // As `less` and git write them: ^[ for escape, ^? for delete.
            '\0'..='\x1f' => out.extend(['^', char::from(c as u8 ^ 0x40)]),
            '\x7f' => out.push_str("^?"),
            // Writing to a String cannot fail.
            c => drop(write!(out, "<U+{:04X}>", c as u32)),
        }
    }
    out
}

/// Control characters, and invisible ones that change how others are shown.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `1,412`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 hunk`, `2 hunks`.
pub fn count(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", thousands(number as u64))
}

/// `0.1 s`, `1 min 34 s`, `2 h 05 min`.
pub fn duration(time: Duration) -> String {
    let tenths = time
        .as_millis()
        .div_ceil(100)
        .max(u128::from(!time.is_zero()));
    let seconds = time.as_secs();
    if tenths < 600 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else if seconds < 3600 {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    } else {
        format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60)
    }
}

/// `0.00 USD`; four digits where two would hide the cost.
pub fn usd(amount: f64) -> String {
    if amount > 0.0 && amount < 0.01 {
        format!("{amount:.4} USD")
    } else {
        format!("{amount:.2} USD")
    }
}

/// `1,412 tokens · 0.00 USD`; empty where no model was called.
pub fn usage(usage: &Usage) -> String {
    if usage.model_calls == 0 && usage.tokens() == 0 {
        return String::new();
    }
    format!("{} tokens · {}", thousands(usage.tokens()), usd(usage.usd))
}

/// `123 bytes`, `4.5 KiB`, `2.0 GiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if number < 1024 {
        return count(number as usize, "byte");
    }
    let mut value = number as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `3 min ago`; after a day the date, in UTC.
pub fn moment(then: SystemTime, now: SystemTime) -> String {
    let Ok(ago) = now.duration_since(then) else {
        return "just now".to_owned();
    };
    match ago.as_secs() {
        0..=59 => "just now".to_owned(),
        s @ 60..=3599 => format!("{} min ago", s / 60),
        s @ 3600..=86_399 => format!("{} h ago", s / 3600),
        _ => {
            let at = time::UtcDateTime::from(then);
            let (month, day) = (u8::from(at.month()), at.day());
            format!(
                "{}-{month:02}-{day:02} {:02}:{:02} UTC",
                at.year(),
                at.hour(),
                at.minute()
            )
        }
    }
}

/// A moment given in milliseconds since 1970.
pub fn moment_ms(then_ms: u64, now: SystemTime) -> String {
    moment(SystemTime::UNIX_EPOCH + Duration::from_millis(then_ms), now)
}

/// `local-model` of `instrument/local-model`, `stage-edits` of `operator/stage-edits`.
pub fn player_name(player: &str) -> String {
    let name = player
        .strip_prefix("instrument/")
        .or_else(|| player.strip_prefix("operator/"));
    one_line(name.unwrap_or(player))
}

/// Rows in columns, two spaces between; the last column is not padded.
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| console::measure_text_width(cell))
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let mut out = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            out.push_str(&padded(cell, *width));
            out.push_str("  ");
        }
        out.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Text with spaces after it, up to a width in columns of the terminal.
pub fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(console::measure_text_width(text));
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
