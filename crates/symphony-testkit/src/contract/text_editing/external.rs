//! Files that change on disk.

use super::{super::good, Fixture, assert_at, open_text, text_of};
use symphony_core_ports::{ExternalChange, Revision};

const LINES: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n";

pub(super) async fn an_unchanged_file_is_unchanged(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", LINES).await.id;
    good(port.insert(id, 0, "ours\n").await);
    let change = good(port.external_change(&fixture.path("a")).await);
    assert_eq!(change, ExternalChange::Unchanged);
    // Written again with the same bytes, it holds what it held.
    fixture.write("a", LINES.as_bytes());
    let change = good(port.external_change(&fixture.path("a")).await);
    assert_eq!(change, ExternalChange::Unchanged);
    assert_at(&*port, id, &format!("ours\n{LINES}"), Revision(1)).await;
}

pub(super) async fn a_file_in_no_buffer_is_unchanged(fixture: &impl Fixture) {
    let port = fixture.port();
    fixture.write("other", b"text");
    for name in ["other", "missing"] {
        let change = good(port.external_change(&fixture.path(name)).await);
        assert_eq!(change, ExternalChange::Unchanged);
    }
}

pub(super) async fn a_clean_buffer_is_reloaded(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", LINES).await.id;
    let theirs = LINES.replace("five", "fünf, and more");
    fixture.write("a", theirs.as_bytes());
    let change = good(port.external_change(&fixture.path("a")).await);
    assert_eq!(change, ExternalChange::Reloaded);
    assert_at(&*port, id, &theirs, Revision(1)).await;
    assert!(!good(port.info(id).await).dirty);
    good(port.insert(id, 0, "ours\n").await);
    good(port.save(id).await);
    let expected = format!("ours\n{theirs}");
    assert_eq!(fixture.read("a").as_deref(), Some(expected.as_bytes()));
}

pub(super) async fn separate_changes_are_merged(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", LINES).await.id;
    good(port.insert(id, 0, "ours\n").await);
    let theirs = LINES.replace("eight", "theirs: acht");
    fixture.write("a", theirs.as_bytes());
    let change = good(port.external_change(&fixture.path("a")).await);
    assert_eq!(change, ExternalChange::Merged);
    let merged = format!("ours\n{theirs}");
    assert_at(&*port, id, &merged, Revision(2)).await;
    assert!(good(port.info(id).await).dirty);
    assert_eq!(fixture.read("a").as_deref(), Some(theirs.as_bytes()));
    good(port.save(id).await);
    assert_eq!(fixture.read("a").as_deref(), Some(merged.as_bytes()));
}

pub(super) async fn changes_of_one_place_conflict(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", LINES).await.id;
    let five = 19..23;
    good(port.delete(id, five).await);
    good(port.insert(id, 19, "ours").await);
    let ours = LINES.replace("five", "ours");
    assert_eq!(text_of(&*port, id).await, ours);
    let theirs = LINES.replace("five", "theirs, and longer");
    fixture.write("a", theirs.as_bytes());
    match good(port.external_change(&fixture.path("a")).await) {
        ExternalChange::Conflict(ranges) => {
            assert!(!ranges.is_empty(), "where it is");
            for range in ranges {
                assert!(
                    ours.get(range.clone()).is_some(),
                    "{range:?} is not in the text"
                );
            }
        }
        other => panic!("expected a conflict, got {other:?}"),
    }
    assert_at(&*port, id, &ours, Revision(2)).await;
    assert!(good(port.info(id).await).dirty);
    assert_eq!(fixture.read("a").as_deref(), Some(theirs.as_bytes()));
}

pub(super) async fn a_deleted_file_keeps_its_text(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", LINES).await.id;
    fixture.delete("a");
    let change = good(port.external_change(&fixture.path("a")).await);
    assert_eq!(change, ExternalChange::Deleted);
    assert_at(&*port, id, LINES, Revision(0)).await;
    assert_eq!(fixture.read("a"), None);
}
