use super::*;
use crate::error::{Categorized, ErrorCategory};
use proptest::prelude::*;

fn entries(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn creates_and_replaces() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    write_atomic(&path, b"one").unwrap();
    write_atomic(&path, b"two").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"two");
    assert_eq!(entries(dir.path()), ["f"]);
}

#[test]
fn a_failing_producer_changes_nothing_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    write_atomic(&path, b"original").unwrap();
    let error = write_atomic_with(&path, |out| {
        out.write_all(&[b'x'; 100_000])?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    })
    .unwrap_err();
    assert_eq!(error.category(), ErrorCategory::FixEnvironment);
    assert_eq!(std::fs::read(&path).unwrap(), b"original");
    assert_eq!(entries(dir.path()), ["f"]);
}

#[test]
fn a_missing_folder_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = write_atomic(dir.path().join("no/f"), b"x").unwrap_err();
    assert!(error.is_not_found());
    assert!(entries(dir.path()).is_empty());
}

#[test]
fn a_folder_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let error = write_atomic(dir.path(), b"x").unwrap_err();
    assert!(matches!(error.reason(), FsReason::NotAFile));
    let error = write_atomic("/", b"x").unwrap_err();
    assert!(matches!(error.reason(), FsReason::NotAFile));
}

#[test]
fn folders_are_made_and_found() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("a/b/c");
    assert!(!exists(&deep).unwrap());
    ensure_dir(&deep).unwrap();
    ensure_dir(&deep).unwrap();
    assert!(exists(&deep).unwrap());
    sync_dir(&deep).unwrap();
    assert!(
        sync_dir(dir.path().join("none"))
            .unwrap_err()
            .is_not_found()
    );
    let file = dir.path().join("file");
    write_atomic(&file, b"").unwrap();
    assert_eq!(ensure_dir(&file).unwrap_err().op, FsOp::CreateDir);
    // Below a file nothing can be.
    assert!(!exists(file.join("x")).unwrap_or(false));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn keeps_the_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.sh");
        std::fs::write(&path, "a").unwrap();
        for wanted in [0o755, 0o600, 0o664] {
            set_mode(&path, wanted);
            write_atomic(&path, b"b").unwrap();
            assert_eq!(mode(&path), wanted);
        }
    }

    #[test]
    fn a_new_file_has_the_mode_of_any_new_file() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, plain) = (dir.path().join("ours"), dir.path().join("plain"));
        write_atomic(&ours, b"x").unwrap();
        std::fs::write(&plain, "x").unwrap();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn replaces_what_a_link_names_and_keeps_the_link() {
        let dir = tempfile::tempdir().unwrap();
        let sub = dir.path().join("sub");
        ensure_dir(&sub).unwrap();
        std::fs::write(sub.join("real"), "old").unwrap();
        symlink("sub/real", dir.path().join("first")).unwrap();
        symlink("first", dir.path().join("second")).unwrap();
        write_atomic(dir.path().join("second"), b"new").unwrap();
        assert_eq!(std::fs::read(sub.join("real")).unwrap(), b"new");
        assert!(dir.path().join("second").is_symlink() && dir.path().join("first").is_symlink());
        assert_eq!(entries(&sub), ["real"]);
        // A link to a file that is not there yet creates the file.
        symlink("sub/later", dir.path().join("dangling")).unwrap();
        write_atomic(dir.path().join("dangling"), b"now").unwrap();
        assert_eq!(std::fs::read(sub.join("later")).unwrap(), b"now");
    }

    #[test]
    fn a_circle_of_links_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        symlink("b", dir.path().join("a")).unwrap();
        symlink("a", dir.path().join("b")).unwrap();
        let error = write_atomic(dir.path().join("a"), b"x").unwrap_err();
        assert!(matches!(error.reason(), FsReason::BadLink));
    }

    #[test]
    fn a_device_is_refused() {
        let error = write_atomic("/dev/null", b"x").unwrap_err();
        assert!(matches!(error.reason(), FsReason::NotAFile));
    }

    #[test]
    fn private_folders_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        ensure_dir(&path).unwrap();
        set_mode(&path, 0o755);
        ensure_private_dir(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
    }

    /// Whether permission bits bind this process (they do not bind root).
    fn bits_bind(dir: &Path) -> bool {
        let probe = dir.join("probe");
        std::fs::write(&probe, "").unwrap();
        set_mode(&probe, 0o400);
        let binds = OpenOptions::new().write(true).open(&probe).is_err();
        std::fs::remove_file(&probe).unwrap();
        binds
    }

    #[test]
    fn read_only_files_and_folders_are_respected() {
        let dir = tempfile::tempdir().unwrap();
        if !bits_bind(dir.path()) {
            eprintln!("skipped: permission bits do not bind this user");
            return;
        }
        let path = dir.path().join("f");
        std::fs::write(&path, "old").unwrap();
        set_mode(&path, 0o444);
        let error = write_atomic(&path, b"new").unwrap_err();
        assert_eq!(error.category(), ErrorCategory::FixEnvironment);
        set_mode(&path, 0o644);
        set_mode(dir.path(), 0o555);
        assert!(write_atomic(&path, b"new").is_err());
        set_mode(dir.path(), 0o755);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(entries(dir.path()), ["f"]);
    }

    #[test]
    fn the_owner_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "old").unwrap();
        if std::os::unix::fs::chown(&path, Some(12345), Some(12345)).is_err() {
            eprintln!("skipped: only root can give files away");
            return;
        }
        write_atomic(&path, b"new").unwrap();
        let meta = std::fs::metadata(&path).unwrap();
        assert_eq!((meta.uid(), meta.gid()), (12345, 12345));
    }

    /// A tiny file system of its own, unmounted at the end.
    struct TinyDisk(tempfile::TempDir);

    impl TinyDisk {
        fn mount(options: &str) -> Option<Self> {
            let dir = tempfile::tempdir().unwrap();
            let status = std::process::Command::new("mount")
                .args(["-t", "tmpfs", "-o", options, "tmpfs"])
                .arg(dir.path())
                .stderr(std::process::Stdio::null())
                .status();
            if status.is_ok_and(|s| s.success()) {
                Some(Self(dir))
            } else {
                eprintln!("skipped: may not mount here");
                None
            }
        }
    }

    impl Drop for TinyDisk {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount")
                .arg(self.0.path())
                .status();
        }
    }

    #[test]
    fn a_full_disk_changes_nothing() {
        let Some(disk) = TinyDisk::mount("size=64k") else {
            return;
        };
        let dir = disk.0.path();
        let path = dir.join("f");
        write_atomic(&path, b"original").unwrap();
        let error = write_atomic(&path, &vec![b'x'; 1 << 20]).unwrap_err();
        assert_eq!(error.category(), ErrorCategory::FixEnvironment);
        assert!(error.help().unwrap().contains("disk is full"));
        assert_eq!(std::fs::read(&path).unwrap(), b"original");
        assert_eq!(entries(dir), ["f"]);
    }

    #[test]
    fn a_read_only_file_system_is_named() {
        let Some(disk) = TinyDisk::mount("size=64k,ro") else {
            return;
        };
        let error = write_atomic(disk.0.path().join("f"), b"x").unwrap_err();
        assert!(error.help().unwrap().contains("read-only"), "{error:?}");
    }
}

#[test]
fn readers_see_the_old_content_or_the_new_never_a_part() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    write_atomic(&path, &[b'0'; 50_000]).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let seen = std::fs::read(&path).unwrap();
                assert_eq!(seen.len(), 50_000);
                assert!(seen.iter().all(|byte| *byte == seen[0]));
            }
        });
        for round in 0..20_u8 {
            write_atomic(&path, &[b'a' + round; 50_000]).unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert_eq!(entries(dir.path()), ["f"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any sequence of writes, some failing half-way, leaves the last content
    /// whose write succeeded.
    #[test]
    fn the_last_good_write_stands(
        writes in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..2000), any::<bool>()), 1..6)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let mut expected: Option<Vec<u8>> = None;
        for (content, fails) in writes {
            let result = write_atomic_with(&path, |out| {
                out.write_all(&content)?;
                if fails { Err(io::Error::other("stopped")) } else { Ok(()) }
            });
            prop_assert_eq!(result.is_err(), fails);
            if !fails {
                expected = Some(content);
            }
            prop_assert_eq!(std::fs::read(&path).ok(), expected.clone());
            prop_assert!(entries(dir.path()).len() <= 1);
        }
    }
}
