//! The text port over the real xi-editor, also while it is killed.
#![allow(clippy::unwrap_used, reason = "test code")]

mod processes;

use processes::*;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use symphony_actors::Supervisor;
use symphony_adapters::xi_editor::{XiEditorAdapter, XiEditorOptions};
use symphony_core_ports::{
    BufferEvent, BufferId, ExternalChange, OpenBuffer, PortError, Revision, TextDelta, TextEdit,
    TextEditingPort,
};

struct World {
    xi: Arc<XiEditorAdapter>,
    folder: tempfile::TempDir,
    _supervisor: Arc<Supervisor>,
}

impl World {
    async fn new() -> Self {
        Self::with(|folder, options| options.sessions = Some(folder.join("sessions"))).await
    }

    /// With options that `set` changes; it gets the folder of the files.
    async fn with(set: impl FnOnce(&Path, &mut XiEditorOptions)) -> Self {
        let supervisor = supervisor();
        let folder = tempfile::tempdir().unwrap();
        let mut options = XiEditorOptions::new(program("xi-editor", "xi-editor"));
        set(folder.path(), &mut options);
        let xi = XiEditorAdapter::start(&supervisor, options).await.unwrap();
        Self {
            xi: Arc::new(xi),
            folder,
            _supervisor: supervisor,
        }
    }

    /// The journals of all sessions.
    fn journals(&self) -> Vec<PathBuf> {
        let paths = |folder: PathBuf| {
            let entries = fs::read_dir(folder).unwrap();
            entries
                .map(|entry| entry.unwrap().path())
                .collect::<Vec<_>>()
        };
        let sessions = paths(self.path("sessions")).into_iter();
        let files = sessions.flat_map(paths);
        files
            .filter(|path| path.extension().is_some_and(|e| e == "journal"))
            .collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    async fn open(&self, name: &str, text: &str) -> BufferId {
        fs::write(self.path(name), text).unwrap();
        self.reopen(name).await
    }

    async fn reopen(&self, name: &str) -> BufferId {
        let what = OpenBuffer::File(self.path(name));
        self.xi.open(what).await.unwrap().id
    }

    async fn text(&self, id: BufferId) -> String {
        self.xi.get_content(id, None).await.unwrap().text
    }

    fn on_disk(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn pid(&self) -> u32 {
        self.xi.actor().current().unwrap().pid
    }

    /// Kills xi-editor; what `meanwhile` does is done while it is stopped.
    async fn kill(&self, meanwhile: impl FnOnce()) {
        let current = self.xi.actor().current().unwrap();
        signal(current.pid, "STOP");
        meanwhile();
        signal(current.pid, "KILL");
        let death = self.xi.actor().death(current.generation, 5 * SECOND).await;
        assert!(death.is_some());
    }
}

fn delta(base: u64, start: usize, end: usize, text: &str) -> TextDelta {
    TextDelta {
        base: Revision(base),
        edits: vec![TextEdit {
            range: start..end,
            text: text.to_owned(),
        }],
        author: "stage-edits".to_owned(),
    }
}

#[tokio::test]
async fn edits_events_undo_and_save() {
    let world = World::new().await;
    let id = world.open("a.txt", "one\ntwo\n").await;
    assert_eq!(world.reopen("a.txt").await, id, "one buffer a file");
    let mut events = world.xi.subscribe(id);
    assert_eq!(world.xi.insert(id, 4, "1½\n").await.unwrap(), Revision(1));
    assert_eq!(world.xi.delete(id, 0..4).await.unwrap(), Revision(2));
    let applied = world.xi.apply(id, delta(0, 4, 7, "zwei")).await.unwrap();
    assert_eq!((applied.revision, applied.changed), (Revision(3), true));
    assert_eq!(world.text(id).await, "1½\nzwei\n");
    let part = world.xi.get_content(id, Some(4..8)).await.unwrap();
    assert_eq!(
        (part.text.as_str(), part.range, part.revision),
        ("zwei", 4..8, Revision(3))
    );
    let split = world.xi.get_content(id, Some(2..4)).await;
    assert!(
        matches!(split, Err(PortError::InvalidInput { .. })),
        "within `½`"
    );
    assert_eq!(world.xi.undo(id).await.unwrap(), Revision(4));
    assert_eq!(world.xi.redo(id).await.unwrap(), Revision(5));
    assert_eq!(
        world.xi.redo(id).await.unwrap(),
        Revision(5),
        "nothing to redo"
    );
    let info = world.xi.info(id).await.unwrap();
    assert!(info.dirty && info.revision == Revision(5) && info.len == "1½\nzwei\n".len());
    let saved = world.xi.save(id).await.unwrap();
    assert_eq!((saved.revision, saved.digest), (Revision(5), info.digest));
    assert_eq!(world.on_disk("a.txt"), "1½\nzwei\n");
    let mut revisions = Vec::new();
    let mut authors = Vec::new();
    loop {
        match events.recv().await.unwrap() {
            BufferEvent::Changed {
                revision, author, ..
            } => {
                revisions.push(revision.0);
                authors.push(author);
            }
            BufferEvent::Saved { revision, .. } => {
                assert_eq!(revision, Revision(5));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(revisions, [1, 2, 3, 4, 5]);
    assert_eq!(authors[..3], ["user", "user", "stage-edits"]);
    world.xi.close(id, false).await.unwrap();
    assert!(matches!(
        events.recv().await,
        Ok(BufferEvent::Closed { .. })
    ));
    assert!(matches!(
        world.xi.insert(id, 0, "x").await,
        Err(PortError::NotFound { .. })
    ));
}

#[tokio::test]
async fn errors_are_told_apart() {
    let world = World::new().await;
    let open = |name: &str| world.xi.open(OpenBuffer::File(world.path(name)));
    let missing = open("none.txt").await.unwrap_err();
    assert!(matches!(&missing, PortError::NotFound { resource } if resource.ends_with("none.txt")));
    fs::write(world.path("b.bin"), b"\x00\x01\xfe\xff").unwrap();
    assert!(matches!(
        open("b.bin").await,
        Err(PortError::Unsupported { .. })
    ));
    let id = world.open("a.txt", "häuser").await;
    for outcome in [
        world.xi.insert(id, 2, "x").await,
        world.xi.insert(id, 99, "x").await,
        world.xi.delete(id, 5..99).await,
    ] {
        assert!(
            matches!(outcome, Err(PortError::InvalidInput { .. })),
            "{outcome:?}"
        );
    }
    let taken = OpenBuffer::New {
        path: world.path("b.bin"),
        text: String::new(),
    };
    assert!(matches!(
        world.xi.open(taken).await,
        Err(PortError::Conflict { .. })
    ));
    world.xi.insert(id, 0, "x").await.unwrap();
    assert!(matches!(
        world.xi.close(id, false).await,
        Err(PortError::Conflict { .. })
    ));
    world.xi.apply(id, delta(1, 1, 4, "H")).await.unwrap();
    let conflict = world.xi.apply(id, delta(1, 1, 4, "G")).await.unwrap_err();
    assert!(
        matches!(&conflict, PortError::Conflict { ranges, .. } if !ranges.is_empty()),
        "{conflict:?}"
    );
    fs::write(world.path("a.txt"), "changed by others").unwrap();
    assert!(matches!(
        world.xi.save(id).await,
        Err(PortError::Conflict { .. })
    ));
    assert_eq!(world.on_disk("a.txt"), "changed by others");
}

#[tokio::test]
async fn after_a_kill_every_buffer_is_back_with_its_changes_and_undo() {
    let world = World::new().await;
    let id = world.open("a.txt", "base\n").await;
    let clean = world.open("clean.txt", "clean\n").await;
    let new = OpenBuffer::New {
        path: world.path("sub/new.txt"),
        text: "new\n".to_owned(),
    };
    let new = world.xi.open(new).await.unwrap().id;
    for n in 0..20 {
        world.xi.insert(id, 0, &format!("{n}\n")).await.unwrap();
    }
    world.xi.undo(id).await.unwrap();
    world.xi.insert(new, 0, "very ").await.unwrap();
    let before = world.text(id).await;
    let old = world.pid();
    let killed = Instant::now();
    world.kill(|| ()).await;
    assert_eq!(world.text(id).await, before);
    eprintln!("back after {:?}", killed.elapsed());
    assert_ne!(world.pid(), old);
    let info = world.xi.info(id).await.unwrap();
    assert_eq!((info.revision, info.dirty), (Revision(21), true));
    assert_eq!(world.text(new).await, "very new\n");
    assert_eq!(world.text(clean).await, "clean\n");
    assert!(!world.xi.info(clean).await.unwrap().dirty);
    assert_eq!(world.xi.redo(id).await.unwrap(), Revision(22));
    assert!(world.text(id).await.starts_with("19\n18\n"));
    // A base from before the kill can still be rebased.
    world.xi.apply(id, delta(20, 0, 0, "x")).await.unwrap();
    world.xi.save(id).await.unwrap();
    world.xi.save(new).await.unwrap();
    assert_eq!(world.on_disk("sub/new.txt"), "very new\n");
    assert!(world.on_disk("a.txt").ends_with("0\nbase\n"));
}

#[tokio::test]
async fn undo_across_a_kill_reaches_back_beyond_the_last_save() {
    let world = World::new().await;
    let id = world.open("a.txt", "base\n").await;
    world.xi.insert(id, 0, "one ").await.unwrap();
    world.xi.save(id).await.unwrap();
    world.xi.insert(id, 0, "two ").await.unwrap();
    world.kill(|| ()).await;
    assert_eq!(world.text(id).await, "two one base\n");
    world.xi.undo(id).await.unwrap();
    assert!(!world.xi.info(id).await.unwrap().dirty, "that was saved");
    assert_eq!(world.xi.undo(id).await.unwrap(), Revision(4));
    assert_eq!(world.text(id).await, "base\n");
    world.kill(|| ()).await;
    world.xi.redo(id).await.unwrap();
    world.xi.redo(id).await.unwrap();
    assert_eq!(world.text(id).await, "two one base\n");
}

/// The promise that the host can rebuild each buffer by itself.
#[tokio::test]
async fn without_the_journals_the_text_is_rebuilt_from_here() {
    let world = World::new().await;
    let id = world.open("a.txt", "base\n").await;
    for word in ["one ", "two ", "three "] {
        world.xi.insert(id, 0, word).await.unwrap();
    }
    world.xi.save(id).await.unwrap();
    // Before the base that is known here: as plain edits.
    world.xi.undo(id).await.unwrap();
    world.xi.undo(id).await.unwrap();
    world.xi.redo(id).await.unwrap();
    let before = world.text(id).await;
    assert_eq!(before, "two one base\n");
    let journals = world.journals();
    assert_eq!(journals.len(), 1);
    world.kill(|| fs::remove_file(&journals[0]).unwrap()).await;
    assert_eq!(world.text(id).await, before);
    assert_eq!(world.xi.insert(id, 0, "x").await.unwrap(), Revision(7));
    // From there on the journal is good again.
    world.kill(|| ()).await;
    assert_eq!(world.text(id).await, format!("x{before}"));
    world.xi.save(id).await.unwrap();
}

/// A journal that lacks what was acknowledged is not believed.
#[tokio::test]
async fn a_journal_that_is_behind_is_not_taken() {
    let world = World::new().await;
    let id = world.open("a.txt", "base\n").await;
    world.xi.insert(id, 0, "one ").await.unwrap();
    let journal = world.journals().remove(0);
    let old = fs::read(&journal).unwrap();
    world.xi.insert(id, 0, "two ").await.unwrap();
    world.kill(|| fs::write(&journal, old).unwrap()).await;
    assert_eq!(world.text(id).await, "two one base\n");
    assert_eq!(world.xi.info(id).await.unwrap().revision, Revision(2));
}

#[tokio::test]
async fn without_sessions_the_text_comes_back_too() {
    let world = World::with(|_, _| ()).await;
    let id = world.open("a.txt", "base\n").await;
    world.xi.insert(id, 0, "one ").await.unwrap();
    world.kill(|| ()).await;
    assert_eq!(world.text(id).await, "one base\n");
    world.xi.undo(id).await.unwrap();
    assert_eq!(world.text(id).await, "base\n");
}

/// What a host that died left is found by the next one, and by nobody else.
#[tokio::test]
async fn unsaved_text_of_a_dead_host_is_offered() {
    let world = World::new().await;
    let id = world.open("a.txt", "base\n").await;
    world.xi.insert(id, 0, "unsaved ").await.unwrap();
    let sessions = world.path("sessions");
    let second = World::with(|_, options| options.sessions = Some(sessions)).await;
    assert!(
        second.xi.recoverable().await.unwrap().is_empty(),
        "it lives"
    );
    let _stopped = world.xi.actor().stop().await;
    let found = second.xi.recoverable().await.unwrap();
    let paths: Vec<_> = found.iter().map(|found| found.path.clone()).collect();
    assert_eq!(paths, [Some(world.path("a.txt"))]);
}

#[tokio::test]
async fn killed_again_and_again_no_change_is_lost_or_doubled() {
    let world = World::new().await;
    let id = world.open("a.txt", "").await;
    let writer = tokio::spawn({
        let xi = world.xi.clone();
        async move {
            let mut longest = Duration::ZERO;
            for n in 0..300 {
                let asked = Instant::now();
                xi.insert(id, 0, &format!("<{n}>")).await.unwrap();
                longest = longest.max(asked.elapsed());
                if n % 100 == 99 {
                    xi.save(id).await.unwrap();
                }
            }
            longest
        }
    });
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(25)).await;
        if let Some(current) = world.xi.actor().current() {
            signal(current.pid, "KILL");
            world.xi.actor().death(current.generation, 5 * SECOND).await;
        }
    }
    let longest = writer.await.unwrap();
    eprintln!("the longest call took {longest:?}");
    assert!(longest < 5 * SECOND, "{longest:?}");
    let expected: String = (0..300).rev().map(|n| format!("<{n}>")).collect();
    assert_eq!(world.text(id).await, expected);
    assert_eq!(world.on_disk("a.txt"), expected);
    assert_eq!(world.xi.info(id).await.unwrap().revision, Revision(300));
    assert!(world.xi.actor().restarts() >= 1);
}

#[tokio::test]
async fn a_file_changed_while_xi_editor_was_away_is_not_overwritten_and_the_edits_are_kept() {
    let world = World::new().await;
    let id = world.open("a.txt", "base\n").await;
    let clean = world.open("clean.txt", "clean\n").await;
    world.xi.insert(id, 0, "mine ").await.unwrap();
    let mut events = world.xi.subscribe(clean);
    let (a, c) = (world.path("a.txt"), world.path("clean.txt"));
    world
        .kill(|| {
            fs::write(a, "theirs\n").unwrap();
            fs::write(c, "cleaner\n").unwrap();
        })
        .await;
    assert_eq!(world.text(id).await, "mine base\n");
    world.xi.insert(id, 0, "still ").await.unwrap();
    assert_eq!(world.text(id).await, "still mine base\n");
    let error = world.xi.save(id).await.unwrap_err();
    assert!(matches!(&error, PortError::Conflict { .. }), "{error:?}");
    assert_eq!(world.on_disk("a.txt"), "theirs\n");
    assert_eq!(world.text(clean).await, "cleaner\n");
    let Ok(BufferEvent::Changed {
        revision, edits, ..
    }) = events.recv().await
    else {
        panic!("expected the change")
    };
    assert_eq!((revision, edits[0].range.clone()), (Revision(1), 0..6));
    assert_eq!(world.xi.insert(clean, 0, "x").await.unwrap(), Revision(2));
}

#[tokio::test]
async fn a_hang_ends_within_a_second_and_the_call_is_made_once_more() {
    let world = World::new().await;
    let id = world.open("a.txt", "base\n").await;
    world.xi.insert(id, 0, "one ").await.unwrap();
    signal(world.pid(), "STOP");
    let hung = Instant::now();
    assert_eq!(world.xi.insert(id, 0, "two ").await.unwrap(), Revision(2));
    assert!(hung.elapsed() < 2 * SECOND, "{:?}", hung.elapsed());
    assert_eq!(world.text(id).await, "two one base\n");
}

#[tokio::test]
async fn changes_on_disk_and_removal() {
    let world = World::new().await;
    let id = world.open("a.txt", "one\n").await;
    let path = world.path("a.txt");
    let unchanged = world.xi.external_change(&path).await.unwrap();
    assert_eq!(unchanged, ExternalChange::Unchanged);
    fs::write(&path, "two\n").unwrap();
    assert!(matches!(
        world.xi.remove_file(id).await,
        Err(PortError::Conflict { .. })
    ));
    assert_eq!(world.text(id).await, "two\n", "it was looked at");
    fs::write(&path, "three\n").unwrap();
    let change = world.xi.external_change(&path).await.unwrap();
    assert_eq!(change, ExternalChange::Reloaded);
    world.xi.insert(id, 0, "zero\n").await.unwrap();
    fs::write(&path, "three\nfour\n").unwrap();
    let change = world.xi.external_change(&path).await.unwrap();
    assert_eq!(change, ExternalChange::Merged);
    world.kill(|| ()).await;
    assert_eq!(world.text(id).await, "zero\nthree\nfour\n");
    world.xi.save(id).await.unwrap();
    assert_eq!(world.on_disk("a.txt"), "zero\nthree\nfour\n");
    let other = world.path("nobody.txt");
    assert_eq!(
        world.xi.external_change(&other).await.unwrap(),
        ExternalChange::Unchanged
    );
    world.xi.remove_file(id).await.unwrap();
    assert!(!path.exists());
    assert!(matches!(
        world.xi.info(id).await,
        Err(PortError::NotFound { .. })
    ));
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let supervisor = supervisor();
    let options = XiEditorOptions::new("/no/such/xi-editor");
    let Err(error) = XiEditorAdapter::start(&supervisor, options).await else {
        panic!("it cannot start")
    };
    assert!(
        error
            .to_string()
            .contains("/no/such/xi-editor was not found"),
        "{error}"
    );
}

#[tokio::test]
async fn one_that_does_not_answer_in_time_is_given_up() {
    let supervisor = supervisor();
    let start = |limit| {
        let mut options = XiEditorOptions::new("sleep");
        options.args = vec!["60".into()];
        options.startup_timeout = Duration::from_millis(limit);
        XiEditorAdapter::start(&supervisor, options)
    };
    let started = Instant::now();
    let error = start(300).await.err().unwrap();
    assert!(
        matches!(&error, PortError::Timeout { duration, .. } if duration.as_millis() == 300),
        "{error:?}"
    );
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(took < 5 * SECOND, "it is not started again: {took:?}");
}
