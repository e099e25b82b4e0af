use super::*;
use crate::cli::testing::{line, sample};

const PLAIN: Style = Style { color: false };

#[test]
fn a_change_set_reads_as_a_diff() {
    let mut set = sample();
    set.files[0].hunks[1].verdict = Decided::Accepted;
    set.files[0].hunks[2].verdict = Decided::Rejected;
    set.files[0].hunks[2]
        .findings
        .push("says what the name says".to_owned());
    set.files[1].base = None;
    set.files[1].hunks[0].lines = vec![line("+one"), line("+two")];
    set.files[1].hunks[0].lines[1].newline = false;
    insta::assert_snapshot!("change_set", change_set(&set, |_| true, PLAIN).join("\n"));
}

#[test]
fn only_what_was_chosen_is_shown() {
    let lines = change_set(&sample(), |hunk| hunk.id == 4, PLAIN);
    assert!(lines.iter().any(|line| line == "hunk 4 of 4"));
    assert!(!lines.iter().any(|line| line.contains("cart.py")));
}

#[test]
fn a_hunk_cannot_reach_into_the_terminal() {
    let mut set = sample();
    let file = &mut set.files[0];
    file.path = "src/\x1b[2Jcart.py".to_owned();
    let hunk_ = &mut file.hunks[0];
    hunk_.item = "a\nb\x07".to_owned();
    hunk_.why = "\x1b]52;c;x\x07".to_owned();
    hunk_.by = "\u{9b}2J".to_owned();
    hunk_.findings.push("\u{202e}".to_owned());
    hunk_.lines.push(line("+\x1b[31mred\u{200b}"));
    let lines = hunk(file, &file.hunks[0], PLAIN);
    let bad = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}');
    assert!(!lines.iter().any(|line| line.contains(bad)), "{lines:#?}");
    assert!(
        lines.contains(&"+^[[31mred<U+200B>".to_owned()),
        "{lines:#?}"
    );
}

#[test]
fn carriage_returns_are_shown_where_they_differ() {
    let mut set = sample();
    let file = &mut set.files[0];
    file.hunks[0].lines = vec![line(" a\r"), line("+b\r")];
    assert_eq!(hunk(file, &file.hunks[0], PLAIN)[3..], [" a", "+b"]);
    file.hunks[0].lines.push(line("+c"));
    assert_eq!(
        hunk(file, &file.hunks[0], PLAIN)[3..],
        [" a^M", "+b^M", "+c"]
    );
}

#[test]
fn very_long_lines_say_what_is_left_out() {
    let mut set = sample();
    set.files[0].hunks[0].lines[2].cut = 900;
    let lines = hunk(&set.files[0], &set.files[0].hunks[0], PLAIN);
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with("… (900 bytes more)"))
    );
}

#[test]
fn colours_change_nothing_else() {
    let set = sample();
    let plain = change_set(&set, |_| true, PLAIN).join("\n");
    let coloured = change_set(&set, |_| true, Style { color: true }).join("\n");
    assert_ne!(plain, coloured);
    assert_eq!(console::strip_ansi_codes(&coloured), plain);
}
