//! What `find-undocumented` finds in a file of each language, and where.
#![allow(clippy::unwrap_used)]

use symphony_code_operators::comment::doc_comment;
use symphony_code_operators::find_undocumented::items;
use symphony_code_operators::languages::Language;
use symphony_code_operators::project::{digest, line_ending};
use symphony_code_operators::verify_comments_only::verify;
use symphony_extension_sdk::types::{Edit, Item};

const FIXTURES: [(&str, &str); 6] = [
    ("shop.rs", include_str!("fixtures/shop.rs")),
    ("shop.py", include_str!("fixtures/shop.py")),
    ("shop.ts", include_str!("fixtures/shop.ts")),
    ("view.tsx", include_str!("fixtures/view.tsx")),
    ("shop.js", include_str!("fixtures/shop.js")),
    ("shop.go", include_str!("fixtures/shop.go")),
];

fn find(path: &str, text: &str) -> Vec<Item> {
    items(path, Language::of_path(path).unwrap(), text, &digest(text)).unwrap()
}

fn edit(item: &Item, text: &str) -> Edit {
    let language = Language::of_name(&item.language).unwrap();
    Edit {
        path: item.path.clone(),
        base: item.base.clone(),
        start: item.insert_at,
        end: item.insert_at,
        text: doc_comment(
            language,
            &item.indent,
            &format!("HERE {}.", item.name),
            line_ending(text),
        ),
        item: item.name.clone(),
        why: String::new(),
        by: String::new(),
    }
}

fn commented(text: &str, edits: &[Edit]) -> String {
    let mut after = text.to_owned();
    for edit in edits.iter().rev() {
        after.insert_str(edit.start, &edit.text);
    }
    after
}

#[test]
fn items_and_places_in_each_language() {
    for (path, text) in FIXTURES {
        let found = find(path, text);
        let mut shown = String::new();
        for item in &found {
            shown += &format!(
                "{:>3} {} {}  |  {}\n",
                item.line, item.kind, item.name, item.signature
            );
        }
        let edits: Vec<Edit> = found.iter().map(|item| edit(item, text)).collect();
        shown += &format!("\n{}", commented(text, &edits));
        insta::assert_snapshot!(path, shown);
    }
}

#[test]
fn commented_items_are_found_no_more_and_pass_the_check() {
    for (path, text) in FIXTURES {
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let edits: Vec<Edit> = find(path, &text)
                .iter()
                .map(|item| edit(item, &text))
                .collect();
            let after = commented(&text, &edits);
            assert_eq!(find(path, &after), [], "{path}");
            let unix = after.replace("\r\n", "");
            assert!(!unix.contains('\r') && (!text.contains('\r') || !unix.contains('\n')));
            let verdict = verify(Language::of_path(path).unwrap(), &text, edits.clone());
            assert_eq!(verdict.refused, [], "{path}");
            assert_eq!(verdict.kept.len(), edits.len(), "{path}");
        }
    }
}

#[test]
fn code_is_cut_and_unindented() {
    let body = "        x = 1  # a line of some length, to fill the item\n".repeat(60);
    let text = format!("class A:\n    \"\"\"Doc.\"\"\"\n    def long(self):\n{body}");
    let found = find("a.py", &text);
    let code = &found[0].code;
    assert!(code.starts_with("def long(self):\n    x = 1"), "{code}");
    assert!(
        code.ends_with("\n…") && code.chars().count() <= 1_200,
        "{code}"
    );
}

#[test]
fn broken_code_breaks_nothing() {
    for (path, text) in FIXTURES {
        for end in (0..text.len()).step_by(7) {
            if text.is_char_boundary(end) {
                for item in find(path, &text[..end]) {
                    assert!(item.insert_at <= end);
                }
            }
        }
    }
}
