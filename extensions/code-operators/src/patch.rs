//! Applying edits to a text.

use std::collections::BTreeMap;
use symphony_extension_sdk::types::Edit;

/// Why edits cannot be applied to a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// The range is reversed, beyond the end, or cuts a character in two.
    #[error("the range {start}..{end} does not fit the text")]
    Range {
        /// First byte.
        start: usize,
        /// One past the last.
        end: usize,
    },
    /// Two edits want the same bytes or the same place.
    #[error("the edit at byte {start} overlaps another edit")]
    Overlap {
        /// First byte of the later one.
        start: usize,
    },
}

/// Whether an edit's range fits a text.
///
/// # Errors
/// [`PatchError::Range`].
pub fn check_range(text: &str, edit: &Edit) -> Result<(), PatchError> {
    text.get(edit.start..edit.end)
        .map(|_| ())
        .ok_or(PatchError::Range {
            start: edit.start,
            end: edit.end,
        })
}

/// Whether two edits of one text want the same bytes, or insert at the same place.
#[must_use]
pub fn overlap(a: &Edit, b: &Edit) -> bool {
    let (first, second) = if (a.start, a.end) <= (b.start, b.end) {
        (a, b)
    } else {
        (b, a)
    };
    second.start < first.end || (second.start == first.start)
}

/// The text after edits that do not overlap, with the ranges where the new texts stand.
///
/// # Errors
/// [`PatchError`] naming the edit.
pub fn apply<'e>(
    text: &str,
    edits: impl IntoIterator<Item = &'e Edit>,
) -> Result<(String, Vec<std::ops::Range<usize>>), PatchError> {
    let mut sorted: Vec<&Edit> = edits.into_iter().collect();
    sorted.sort_by_key(|edit| (edit.start, edit.end));
    let added: usize = sorted.iter().map(|edit| edit.text.len()).sum();
    let mut after = String::with_capacity(text.len() + added);
    let mut ranges = Vec::with_capacity(sorted.len());
    let mut done = 0;
    let mut previous: Option<&Edit> = None;
    for edit in sorted {
        check_range(text, edit)?;
        if previous.is_some_and(|previous| overlap(previous, edit)) {
            return Err(PatchError::Overlap { start: edit.start });
        }
        after.push_str(&text[done..edit.start]);
        ranges.push(after.len()..after.len() + edit.text.len());
        after.push_str(&edit.text);
        done = edit.end;
        previous = Some(edit);
    }
    after.push_str(&text[done..]);
    Ok((after, ranges))
}

/// Splits the edits of one file into those that are sound together and the others, with the fault.
///
/// `fault` says what is wrong with a set. The whole set is tried first, then its
/// halves, so that one bad edit among many costs few tries.
pub fn sound<F>(
    mut edits: Vec<Edit>,
    fault: &impl Fn(&[Edit]) -> Option<F>,
) -> (Vec<Edit>, Vec<(Edit, F)>) {
    edits.sort_by_key(|edit| (edit.start, edit.end));
    let mut kept = Vec::new();
    let mut refused = Vec::new();
    divide(&edits, fault, &mut kept, &mut refused);
    // What is sound by halves may not be sound together.
    if refused.is_empty() || fault(&kept).is_none() {
        return (kept, refused);
    }
    for edit in std::mem::take(&mut kept) {
        kept.push(edit);
        if let Some(why) = fault(&kept)
            && let Some(edit) = kept.pop()
        {
            refused.push((edit, why));
        }
    }
    (kept, refused)
}

fn divide<F>(
    edits: &[Edit],
    fault: &impl Fn(&[Edit]) -> Option<F>,
    kept: &mut Vec<Edit>,
    refused: &mut Vec<(Edit, F)>,
) {
    if edits.is_empty() {
        return;
    }
    match (fault(edits), edits) {
        (None, _) => kept.extend_from_slice(edits),
        (Some(why), [edit]) => refused.push((edit.clone(), why)),
        (Some(_), _) => {
            let (left, right) = edits.split_at(edits.len() / 2);
            divide(left, fault, kept, refused);
            divide(right, fault, kept, refused);
        }
    }
}

/// Edits by file, each file's in the order they came.
#[must_use]
pub fn by_file(edits: Vec<Edit>) -> BTreeMap<String, Vec<Edit>> {
    let mut files: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
    for edit in edits {
        files.entry(edit.path.clone()).or_default().push(edit);
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit {
            path: "a".into(),
            base: String::new(),
            start,
            end,
            text: text.into(),
            item: String::new(),
            why: String::new(),
            by: String::new(),
        }
    }

    #[test]
    fn applies_in_order_of_position() {
        let edits = [edit(4, 5, "Q"), edit(0, 0, "<"), edit(1, 3, "")];
        let (after, ranges) = apply("abcdef", &edits).unwrap();
        assert_eq!(after, "<adQf");
        assert_eq!(ranges, [0..1, 2..2, 3..4]);
    }

    #[test]
    fn refuses_what_does_not_fit() {
        for bad in [edit(2, 1, ""), edit(0, 99, ""), edit(1, 1, "x")] {
            assert!(matches!(apply("é", [&bad]), Err(PatchError::Range { .. })));
        }
        for (a, b) in [
            (edit(0, 3, ""), edit(2, 4, "")),
            (edit(1, 1, "a"), edit(1, 1, "b")),
            (edit(1, 1, "a"), edit(1, 2, "b")),
        ] {
            assert!(matches!(
                apply("abcdef", [&a, &b]),
                Err(PatchError::Overlap { .. })
            ));
        }
        // Touching is no overlap.
        assert!(apply("abcdef", [&edit(0, 2, ""), &edit(2, 3, "")]).is_ok());
    }

    proptest! {
        #[test]
        fn new_texts_stand_where_it_says(
            text in "[a-zé]{0,40}",
            cuts in proptest::collection::btree_set(0_usize..60, 0..8),
            new in "[A-Z]{0,5}",
        ) {
            let places: Vec<usize> = cuts.into_iter().filter(|at| text.is_char_boundary(*at)).collect();
            let edits: Vec<Edit> = places
                .chunks(2)
                .filter(|pair| pair.len() == 2)
                .map(|pair| edit(pair[0], pair[1], &new))
                .collect();
            let (after, ranges) = apply(&text, &edits).unwrap();
            for range in &ranges {
                prop_assert_eq!(&after[range.clone()], &new);
            }
            let removed: usize = edits.iter().map(|edit| edit.end - edit.start).sum();
            prop_assert_eq!(after.len(), text.len() - removed + new.len() * edits.len());
        }
    }
}
