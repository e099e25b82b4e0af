//! Buffers and their files.

use super::{
    super::{expect_error, good, left_out},
    Fixture, assert_at, digest, open_text,
};
use symphony_core_ports::{OpenBuffer, PortError, Revision};

fn assert_file(fixture: &impl Fixture, name: &str, expected: &[u8]) {
    let bytes = fixture.read(name);
    assert_eq!(
        bytes.as_deref().map(String::from_utf8_lossy),
        Some(String::from_utf8_lossy(expected))
    );
}

pub(super) async fn saves_what_was_edited(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "text\n").await.id;
    good(port.insert(id, 0, "märchen\n").await);
    let saved = good(port.save(id).await);
    let text = "märchen\ntext\n";
    assert_eq!(saved.revision, Revision(1));
    assert_eq!(saved.bytes, text.len() as u64);
    assert_eq!(saved.digest, digest(text));
    assert_file(fixture, "a", text.as_bytes());
    assert!(!good(port.info(id).await).dirty);
    good(port.delete(id, 0..1).await);
    assert!(good(port.info(id).await).dirty);
    good(port.save(id).await);
    assert_file(fixture, "a", "ärchen\ntext\n".as_bytes());
}

pub(super) async fn saving_again_writes_nothing(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "text\n").await.id;
    assert_eq!(good(port.save(id).await).bytes, 0);
    good(port.insert(id, 0, "a").await);
    assert_eq!(good(port.save(id).await).bytes, 6);
    let again = good(port.save(id).await);
    assert_eq!((again.bytes, again.revision), (0, Revision(1)));
}

pub(super) async fn keeps_line_ends_mark_and_permissions(fixture: &impl Fixture) {
    let port = fixture.port();
    let marked = b"\xEF\xBB\xBFone\r\ntwo\nthree\r\n";
    fixture.write("a", marked);
    let executable = fixture.make_executable("a");
    let open = OpenBuffer::File(fixture.path("a"));
    let id = good(port.open(open).await).id;
    assert_at(&*port, id, "one\r\ntwo\nthree\r\n", Revision(0)).await;
    good(port.insert(id, 5, "more\r\n").await);
    good(port.save(id).await);
    assert_file(fixture, "a", b"\xEF\xBB\xBFone\r\nmore\r\ntwo\nthree\r\n");
    if executable {
        assert!(fixture.is_executable("a"), "permissions were lost");
    } else {
        left_out("permissions");
    }
}

pub(super) async fn saves_new_text(fixture: &impl Fixture) {
    let port = fixture.port();
    let open = OpenBuffer::New {
        path: fixture.path("new"),
        text: "first\n".into(),
    };
    let id = good(port.open(open).await).id;
    good(port.insert(id, 6, "second\n").await);
    good(port.save(id).await);
    assert_file(fixture, "new", b"first\nsecond\n");
    assert!(!good(port.info(id).await).dirty);
    let open = OpenBuffer::File(fixture.path("new"));
    assert_eq!(good(port.open(open).await).id, id, "one buffer a file");
}

pub(super) async fn a_changed_file_is_not_overwritten(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "text\n").await.id;
    good(port.insert(id, 0, "ours ").await);
    fixture.write("a", b"theirs, and longer\n");
    expect_error!(port.save(id).await, PortError::Conflict { .. });
    assert_file(fixture, "a", b"theirs, and longer\n");
    assert_at(&*port, id, "ours text\n", Revision(1)).await;
    assert!(good(port.info(id).await).dirty);
}

pub(super) async fn a_file_that_appeared_is_not_overwritten(fixture: &impl Fixture) {
    let port = fixture.port();
    let open = OpenBuffer::New {
        path: fixture.path("new"),
        text: "ours\n".into(),
    };
    let id = good(port.open(open).await).id;
    fixture.write("new", b"theirs\n");
    expect_error!(port.save(id).await, PortError::Conflict { .. });
    assert_file(fixture, "new", b"theirs\n");
}

pub(super) async fn a_read_only_file_is_refused(fixture: &impl Fixture) {
    fixture.write("a", b"text\n");
    if !fixture.make_read_only("a") {
        return left_out("a read-only file");
    }
    let port = fixture.port();
    let open = OpenBuffer::File(fixture.path("a"));
    let info = good(port.open(open).await);
    assert!(info.read_only);
    good(port.insert(info.id, 0, "ours ").await);
    expect_error!(port.save(info.id).await, PortError::PermissionDenied { .. });
    assert_file(fixture, "a", b"text\n");
    assert_at(&*port, info.id, "ours text\n", Revision(1)).await;
}

pub(super) async fn a_dirty_buffer_is_not_closed(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "text\n").await.id;
    good(port.insert(id, 0, "ours ").await);
    expect_error!(port.close(id, false).await, PortError::Conflict { .. });
    assert_at(&*port, id, "ours text\n", Revision(1)).await;
    good(port.save(id).await);
    good(port.close(id, false).await);
}

pub(super) async fn discarding_leaves_the_file(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "text\n").await.id;
    good(port.insert(id, 0, "ours ").await);
    good(port.close(id, true).await);
    assert_file(fixture, "a", b"text\n");
    let open = OpenBuffer::File(fixture.path("a"));
    let again = good(port.open(open).await);
    assert_at(&*port, again.id, "text\n", Revision(0)).await;
    assert!(!again.dirty);
}

pub(super) async fn a_closed_buffer_is_gone(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "text\n").await.id;
    good(port.close(id, false).await);
    expect_error!(port.info(id).await, PortError::NotFound { .. });
    expect_error!(port.insert(id, 0, "x").await, PortError::NotFound { .. });
    expect_error!(port.close(id, true).await, PortError::NotFound { .. });
}

pub(super) async fn removes_a_file(fixture: &impl Fixture) {
    let port = fixture.port();
    let id = open_text(fixture, "a", "text\n").await.id;
    good(port.remove_file(id).await);
    assert_eq!(fixture.read("a"), None);
    expect_error!(port.info(id).await, PortError::NotFound { .. });
    let open = OpenBuffer::New {
        path: fixture.path("a"),
        text: "again\n".into(),
    };
    let again = good(port.open(open).await);
    good(port.save(again.id).await);
    assert_file(fixture, "a", b"again\n");
}

pub(super) async fn does_not_remove_what_is_not_saved(fixture: &impl Fixture) {
    let port = fixture.port();
    let dirty = open_text(fixture, "dirty", "text\n").await.id;
    good(port.insert(dirty, 0, "ours ").await);
    expect_error!(port.remove_file(dirty).await, PortError::Conflict { .. });
    assert_file(fixture, "dirty", b"text\n");
    assert_at(&*port, dirty, "ours text\n", Revision(1)).await;

    let changed = open_text(fixture, "changed", "text\n").await.id;
    fixture.write("changed", b"theirs, and longer\n");
    expect_error!(port.remove_file(changed).await, PortError::Conflict { .. });
    assert_file(fixture, "changed", b"theirs, and longer\n");
    good(port.info(changed).await);

    let open = OpenBuffer::New {
        path: fixture.path("new"),
        text: "never saved\n".into(),
    };
    let new = good(port.open(open).await).id;
    expect_error!(port.remove_file(new).await, PortError::Conflict { .. });
    good(port.info(new).await);
}
