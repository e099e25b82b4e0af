//! Projects and files that cannot be worked on.

use crate::server::Server;
use crate::shop;
use crate::stage::Stage;
use std::fs::{File, Permissions, create_dir, set_permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn e2e_no_project() {
    let server = Server::describing();
    let mut stage = Stage::playing(&server, &[]);
    let file = stage.project.join("file.txt");
    stage.write("file.txt", "x");
    stage.project = file;
    stage
        .fails(&["perform", "document"], 3)
        .names(&["file.txt"]);
    stage.project = stage.project.with_file_name("missing");
    stage
        .fails(&["perform", "document"], 3)
        .names(&["missing", "--project"]);
    stage.fails(&["review"], 3);
    stage.fails(&["undo"], 3);
    assert_eq!(server.calls(), 0);
    assert!(!stage.project.exists(), "it is not made");
}

#[test]
fn e2e_an_empty_project_has_nothing_to_do() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &[]);
    let result = stage.must(&["perform", "document"]);
    assert_eq!(result["change_set"], serde_json::Value::Null, "{result}");
    assert_eq!(result["usage"]["model_calls"], 0);
    assert!(stage.tree().is_empty());
    stage.fails(&["review", "--accept"], 3);
    stage.assert_nothing_left();
}

#[test]
fn e2e_files_that_are_no_text_are_told_and_left() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    stage.write("binary.py", b"def x():\0\0\x01\x02\n");
    stage.write("latin.py", b"def caf\xe9():\n    return 1\n");
    // A file without content takes no room on the disk, however long it is.
    File::create(stage.project.join("huge.py"))
        .unwrap()
        .set_len(200 << 20)
        .unwrap();
    create_dir(stage.project.join("folder.py")).unwrap();
    symlink("/etc/hostname", stage.project.join("link.py")).unwrap();
    symlink(".", stage.project.join("loop")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        stage.project.join("pipe.py"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let locked = stage.project.join("locked.py");
    stage.write("locked.py", "def locked():\n    return 1\n");
    set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
    let may_read_all = File::open(&locked).is_ok();

    let result = stage.must(&["perform", "document"]);
    let expected = shop::ITEMS + usize::from(may_read_all);
    assert_eq!(result["change_set"]["pending"], expected, "{result}");
    let findings = result["findings"].to_string();
    for name in ["binary.py", "latin.py", "huge.py"] {
        assert!(findings.contains(name), "{name} is not told: {findings}");
    }
    assert!(findings.contains("locked.py") != may_read_all, "{findings}");
    assert!(
        !findings.contains("link.py") && !findings.contains("loop"),
        "{findings}"
    );
    if may_read_all {
        stage
            .fails(&["review", "--accept"], 5)
            .names(&["locked.py", "read-only"]);
        stage.must(&["review", "--reject", "--file", "locked.py"]);
    }
    stage.must(&["review", "--accept"]);
    assert_eq!(
        std::fs::read(stage.project.join("latin.py")).unwrap(),
        b"def caf\xe9():\n    return 1\n"
    );
    stage.must(&["undo"]);
    assert_eq!(stage.read("pricing/tax.py"), shop::FILES[1].1);
}

#[test]
fn e2e_names_that_are_odd_are_no_obstacle() {
    let server = Server::describing();
    let files = [
        ("with space/a b.py", "def one(x):\n    return x\n"),
        ("größe/ünï-日本.py", "def two(x):\n    return x\n"),
        ("-rf.py", "def three(x):\n    return x\n"),
        ("quote's \"$HOME\".py", "def four(x):\n    return x\n"),
    ];
    let stage = Stage::playing(&server, &files);
    let before = stage.tree();
    stage.document();
    stage.must(&["review", "--accept"]);
    for (path, _) in files {
        assert!(stage.read(path).contains("\"\"\""), "{path}");
    }
    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before);
}
