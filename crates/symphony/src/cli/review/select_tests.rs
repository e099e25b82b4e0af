use super::*;
use crate::cli::{errors::CliError, testing::sample};
use proptest::prelude::*;

fn chosen(hunks: &[&str], files: &[&str]) -> Result<Vec<HunkId>, CliError> {
    let own = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let selection = Selection::parse(&own(hunks), &own(files))?;
    Ok(selection.of(&sample())?.into_iter().collect())
}

#[test]
fn numbers_ranges_files_and_folders() {
    assert_eq!(chosen(&[], &[]).unwrap(), [1, 2, 3, 4]);
    assert_eq!(chosen(&["2"], &[]).unwrap(), [2]);
    assert_eq!(chosen(&["1,3-4"], &[]).unwrap(), [1, 3, 4]);
    assert_eq!(chosen(&["4", " 1 , 2 - 2 "], &[]).unwrap(), [1, 2, 4]);
    assert_eq!(chosen(&[], &["src/cart.py"]).unwrap(), [1, 2, 3]);
    assert_eq!(chosen(&[], &["./src/"]).unwrap(), [1, 2, 3, 4]);
    assert_eq!(chosen(&[], &["."]).unwrap(), [1, 2, 3, 4]);
    assert_eq!(chosen(&["1"], &["src/shop.py"]).unwrap(), [1, 4]);
}

#[test]
fn what_names_nothing_is_an_error_that_says_what_there_is() {
    let error = |hunks: &[&str], files: &[&str]| {
        let error = chosen(hunks, files).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        let told = error.to_tell().unwrap();
        format!("{}: {}", told.message, told.help.unwrap())
    };
    assert_eq!(
        error(&["9"], &[]),
        "the change set 7f3a90c2 has no hunk 9: its hunks are 1 to 4; see `symphony review --show`"
    );
    assert!(error(&["3-9"], &[]).contains("no hunk 9"));
    assert!(error(&["3-1"], &[]).contains("ends before it begins"));
    for word in ["0", "x", "-1", "1-", "1.5", "99999999999"] {
        assert!(
            error(&[word], &[]).contains("is no hunk and no range"),
            "{word}"
        );
    }
    assert!(error(&[","], &[]).contains("names no hunk"));
    assert!(error(&[], &["src/cat.py"]).contains("did you mean `src/cart.py`?"));
    assert!(error(&[], &["src/car"]).contains("changes nothing"));
}

proptest! {
    #[test]
    fn any_text_is_a_selection_or_an_error(words in proptest::collection::vec("[0-9,\\- x]{0,8}", 0..3)) {
        if let Ok(selection) = Selection::parse(&words, &[]) {
            prop_assert_eq!(selection.is_empty(), words.is_empty());
            if let Ok(ids) = selection.of(&sample()) {
                prop_assert!(ids.iter().all(|id| (1..=4).contains(id)));
            }
        }
    }
}
