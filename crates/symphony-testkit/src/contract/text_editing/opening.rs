//! How buffers come to be.

use super::{
    super::{expect_error, good, left_out},
    Fixture, assert_at, digest, open_text,
};
use symphony_core_ports::{BufferId, LineEnding, OpenBuffer, PortError, Revision, TextDelta};
use uuid::Uuid;

pub(super) async fn opens_a_file(fixture: &impl Fixture) {
    let text = "fn märchen() {}\n";
    let info = open_text(fixture, "tale.rs", text).await;
    assert_eq!(info.path, Some(fixture.path("tale.rs")));
    assert_eq!(info.revision, Revision(0));
    assert_eq!(info.len, text.len());
    assert_eq!(info.digest, digest(text));
    assert!(!info.dirty && !info.read_only);
    let port = fixture.port();
    assert_at(&*port, info.id, text, Revision(0)).await;
    assert_eq!(good(port.info(info.id).await), info);
}

pub(super) async fn tells_line_ends(fixture: &impl Fixture) {
    for (name, text, expected) in [
        ("lf", "a\nb\n", LineEnding::Lf),
        ("crlf", "a\r\nb\r\n", LineEnding::Crlf),
        ("mixed", "a\r\nb\n", LineEnding::Mixed),
    ] {
        let info = open_text(fixture, name, text).await;
        assert_eq!(info.line_ending, expected, "{name}");
        assert_at(&*fixture.port(), info.id, text, Revision(0)).await;
    }
}

pub(super) async fn opening_twice_gives_one_buffer(fixture: &impl Fixture) {
    let port = fixture.port();
    let first = open_text(fixture, "a", "text").await;
    good(port.insert(first.id, 0, "more ").await);
    let path = fixture.path("a");
    let second = good(port.open(OpenBuffer::File(path)).await);
    assert_eq!(second.id, first.id);
    assert_eq!(second.revision, Revision(1));
    assert!(second.dirty);
    assert_at(&*port, second.id, "more text", Revision(1)).await;
}

pub(super) async fn a_missing_file_is_not_found(fixture: &impl Fixture) {
    let open = OpenBuffer::File(fixture.path("missing"));
    expect_error!(fixture.port().open(open).await, PortError::NotFound { .. });
    assert_eq!(fixture.read("missing"), None);
}

/// Opening must fail as not supported, and say why.
async fn not_supported(fixture: &impl Fixture, name: &str) {
    let open = OpenBuffer::File(fixture.path(name));
    match fixture.port().open(open).await {
        Err(PortError::Unsupported { details }) => assert!(!details.is_empty()),
        other => panic!("expected Unsupported for `{name}`, got {other:?}"),
    }
}

pub(super) async fn binary_is_not_supported(fixture: &impl Fixture) {
    let bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0";
    fixture.write("binary", bytes);
    not_supported(fixture, "binary").await;
    assert_eq!(fixture.read("binary").as_deref(), Some(bytes.as_slice()));
}

pub(super) async fn undecodable_is_not_supported(fixture: &impl Fixture) {
    // Announced as UTF-8, so no other encoding can be meant.
    fixture.write("broken", b"\xef\xbb\xbfcaf\xe9 au lait\n");
    not_supported(fixture, "broken").await;
}

pub(super) async fn too_large_is_not_supported(fixture: &impl Fixture) {
    if !fixture.make_too_large("large") {
        return left_out("a file that is too large");
    }
    not_supported(fixture, "large").await;
}

pub(super) async fn an_empty_file_opens(fixture: &impl Fixture) {
    let port = fixture.port();
    let info = open_text(fixture, "empty", "").await;
    assert_eq!(info.len, 0);
    assert_at(&*port, info.id, "", Revision(0)).await;
    good(port.insert(info.id, 0, "not any more").await);
    good(port.save(info.id).await);
    assert_eq!(
        fixture.read("empty").as_deref(),
        Some(b"not any more".as_slice())
    );
}

pub(super) async fn new_text_opens_unsaved(fixture: &impl Fixture) {
    let port = fixture.port();
    let open = OpenBuffer::New {
        path: fixture.path("new"),
        text: "first text\n".into(),
    };
    let info = good(port.open(open).await);
    assert!(info.dirty);
    assert_eq!(info.path, Some(fixture.path("new")));
    assert_eq!(info.digest, digest("first text\n"));
    assert_at(&*port, info.id, "first text\n", info.revision).await;
    assert_eq!(fixture.read("new"), None, "nothing is written yet");
}

pub(super) async fn new_where_a_file_is_conflicts(fixture: &impl Fixture) {
    fixture.write("there", b"already");
    let open = OpenBuffer::New {
        path: fixture.path("there"),
        text: "other".into(),
    };
    expect_error!(fixture.port().open(open).await, PortError::Conflict { .. });
    assert_eq!(
        fixture.read("there").as_deref(),
        Some(b"already".as_slice())
    );
}

pub(super) async fn unknown_buffers_are_not_found(fixture: &impl Fixture) {
    let port = fixture.port();
    open_text(fixture, "other", "text").await;
    let id = BufferId(Uuid::from_u128(0x5eed_0000_4000_8000_0000_0000_0000_0001));
    let delta = TextDelta {
        base: Revision(0),
        edits: Vec::new(),
        author: "test".into(),
    };
    expect_error!(port.info(id).await, PortError::NotFound { .. });
    expect_error!(port.insert(id, 0, "a").await, PortError::NotFound { .. });
    expect_error!(port.delete(id, 0..0).await, PortError::NotFound { .. });
    expect_error!(port.apply(id, delta).await, PortError::NotFound { .. });
    expect_error!(port.get_content(id, None).await, PortError::NotFound { .. });
    expect_error!(port.undo(id).await, PortError::NotFound { .. });
    expect_error!(port.redo(id).await, PortError::NotFound { .. });
    expect_error!(port.save(id).await, PortError::NotFound { .. });
    expect_error!(port.close(id, true).await, PortError::NotFound { .. });
    expect_error!(port.remove_file(id).await, PortError::NotFound { .. });
}
