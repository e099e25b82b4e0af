use super::*;
use proptest::prelude::*;
use symphony_testkit::generators::{apply, text};

#[test]
fn changes_apart_are_both_kept() {
    let merged = merge("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\nd\n");
    assert_eq!(merged.unwrap(), "A\nb\nC\nd\n");
}

#[test]
fn neighbouring_lines_can_both_change() {
    let merged = merge("/// Old.\nfn a()\n", "/// Old.\nfn b()\n", "fn a()\n");
    assert_eq!(merged.unwrap(), "fn b()\n");
}

#[test]
fn a_conflict_names_our_lines() {
    let lines = merge("a\nb\nc\n", "0\na\nours\nc\n", "a\ntheirs\nc\n").unwrap_err();
    assert_eq!(lines, [3..=3]);
    let both_insert = merge("a\n", "a\nx\n", "a\ny\n").unwrap_err();
    assert_eq!(both_insert, [2..=2]);
}

#[test]
fn the_same_change_on_both_sides_is_made_once() {
    assert_eq!(merge("a\n", "a\nx\n", "a\nx\n").unwrap(), "a\nx\n");
}

#[test]
fn edits_are_small() {
    let edits = edits_between("fn a() {}\nfn b() {}\n", "fn a() {}\nfn 漢() {}\n");
    let [edit] = &edits[..] else {
        panic!("{edits:?}")
    };
    assert_eq!((edit.range.clone(), edit.text.as_str()), (13..14, "漢"));
}

proptest! {
    #[test]
    fn edits_lead_from_one_text_to_the_other(from in text(), to in text()) {
        let edits = edits_between(&from, &to);
        prop_assert!(edits.windows(2).all(|two| two[0].range.end < two[1].range.start));
        prop_assert_eq!(apply(&from, &edits), to);
    }

    #[test]
    fn the_changed_side_wins(base in text(), other in text()) {
        prop_assert_eq!(merge(&base, &base, &other).unwrap(), other.as_str());
        prop_assert_eq!(merge(&base, &other, &base).unwrap(), other.as_str());
        prop_assert_eq!(merge(&base, &other, &other).unwrap(), other.as_str());
    }

    /// Who is `ours` decides nothing but the line numbers of a conflict.
    #[test]
    fn sides_are_equal(
        base in "([ab]?\n){0,8}[ab]?", ours in "([abc]?\n){0,8}[ab]?", theirs in "([abc]?\n){0,8}[ab]?",
    ) {
        let one = merge(&base, &ours, &theirs);
        let other = merge(&base, &theirs, &ours);
        prop_assert_eq!(one.ok(), other.ok());
    }
}
