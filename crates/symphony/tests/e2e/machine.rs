//! A machine that refuses: read-only projects, full disks. Mounted in a namespace
//! of its own, which needs the rights of root.

use crate::server::Server;
use crate::shop;
use crate::stage::{Done, Stage};

/// Whether file systems can be mounted here.
fn can_mount() -> bool {
    let mut command = std::process::Command::new("unshare");
    command.args([
        "--mount",
        "sh",
        "-c",
        "mount -t tmpfs -o size=64k tmpfs /mnt",
    ]);
    let can = command.output().is_ok_and(|output| output.status.success());
    if !can {
        println!("skipped: file systems cannot be mounted here (that needs root)");
    }
    can
}

/// The error of a command that the machine refused, and nothing else.
fn refused(done: &Done) {
    assert!(!done.stderr.contains("panicked"), "{done:?}");
    let code = done
        .code
        .unwrap_or_else(|| panic!("it was killed: {done:?}"));
    assert!(matches!(code, 1 | 5 | 6), "{done:?}");
    done.failure(code).within(60);
}

#[test]
fn e2e_a_read_only_project_stays_as_it_is() {
    if !can_mount() {
        return;
    }
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let before = stage.tree();
    let project = stage.project.display().to_string();
    let setup = format!("mount --bind {project} {project}\nmount -o remount,bind,ro {project}");
    let id = stage
        .start_mounted(&setup, &["perform", "document"], "")
        .wait()
        .result()["change_set"]["id"]
        .clone();

    let done = stage
        .start_mounted(&setup, &["review", "--accept"], "")
        .wait();
    done.failure(5).names(&["read-only"]).within(60);
    assert_eq!(stage.tree(), before);
    let listed = stage.must(&["review", "--list"]);
    assert_eq!(
        (
            &listed["change_sets"][0]["id"],
            &listed["change_sets"][0]["pending"]
        ),
        (&id, &shop::ITEMS.into()),
        "{listed}"
    );
    stage.must(&["review", "--accept"]);
    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before);
}

#[test]
fn e2e_a_full_disk_under_the_project_writes_nothing() {
    if !can_mount() {
        return;
    }
    let server = Server::describing();
    let mut files = shop::many(12);
    // The others fit on what is left of the disk, this one does not.
    files[5].1.push_str(&"# a long file\n".repeat(4000));
    let stage = Stage::playing(&server, &shop::borrowed(&files));
    let before = stage.tree();
    stage.document();
    let (project, copy) = (
        stage.project.display().to_string(),
        stage.beside("copy").display().to_string(),
    );
    let out = stage.beside("out").display().to_string();
    // A little room is left: some files can be written, not all.
    let setup = format!(
        "cp -a {project}/. {copy}\nmount -t tmpfs -o size=192k tmpfs {project}\ncp -a {copy}/. {project}\n\
         head -c 24576 /dev/zero > {project}/reserve\ncat /dev/zero > {project}/fill 2>/dev/null || true\nrm {project}/reserve"
    );
    let after = format!("rm {project}/fill\ncp -a {project}/. {out}");
    let done = stage
        .start_mounted(&setup, &["review", "--accept"], &after)
        .wait();
    refused(&done);
    done.failure(5).names(&["disk"]);
    for (path, text) in &before {
        let now = std::fs::read(stage.beside("out").join(path)).unwrap();
        assert!(&now == text, "{path} was half written");
    }
    assert_eq!(
        std::fs::read_dir(stage.beside("out").join("parts"))
            .unwrap()
            .count(),
        files.len(),
        "no file is left over"
    );
}

#[test]
fn e2e_a_full_disk_under_the_home_is_told() {
    if !can_mount() {
        return;
    }
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let before = stage.tree();
    for room in ["0", "64k", "256k"] {
        let data = stage.beside("home/data").display().to_string();
        let state = stage.beside("home/state").display().to_string();
        let reserve = if room == "0" {
            String::new()
        } else {
            format!("head -c {room} /dev/zero > {data}/reserve\n")
        };
        let setup = format!(
            "mount -t tmpfs -o size=1m tmpfs {data}\nmount -t tmpfs -o size=4k tmpfs {state}\n\
             {reserve}cat /dev/zero > {data}/fill 2>/dev/null || true\nrm -f {data}/reserve"
        );
        let done = stage
            .start_mounted(&setup, &["perform", "document"], "")
            .wait();
        if done.code != Some(0) {
            refused(&done);
        }
        assert_eq!(stage.tree(), before);
        stage.assert_nothing_left();
    }
}

#[test]
fn e2e_a_home_that_cannot_be_written_is_told() {
    if !can_mount() {
        return;
    }
    let server = Server::describing();
    let stage = Stage::playing(&server, &shop::FILES);
    let home = stage.home.display().to_string();
    let setup = format!("mount --bind {home} {home}\nmount -o remount,bind,ro {home}");
    let done = stage
        .start_mounted(&setup, &["perform", "document"], "")
        .wait();
    done.failure(5).within(60);
    assert_eq!(server.calls(), 0);
}
