//! Failures and crashes at every step: all files old or all new, and the verdicts say which.

use crate::{gate::Mode, world::*};
use serde_json::json;
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};
use symphony_core_ports::PortError;
use symphony_domain::changes::{ApplicationState, ChangeError, Decided, RecoveredAs, Verdict};

/// Two files that are changed and one that is new.
async fn three_files() -> World {
    let base = numbered(9);
    let world = World::new(&[("a.rs", &base), ("b.rs", &base)]);
    let files = json!([
        comments("a.rs", &base, &[0, 4]),
        comments("b.rs", &base, &[8]),
        edits("new/c.rs", None, &[(0, 0, "x\n")])
    ]);
    world.stage("7f3a", files).await;
    world
}

/// What is done to the world while something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Work {
    Accept,
    Undo,
    Redo,
}

impl Work {
    const ALL: [Self; 3] = [Self::Accept, Self::Undo, Self::Redo];

    /// A world where it can be done, with the trees without and with it.
    async fn prepared(self) -> (World, Tree, Tree) {
        let world = three_files().await;
        let untouched = world.tree();
        if self == Self::Accept {
            let after = three_files().await;
            after.accept_all("7f3a").await.unwrap();
            return (world, untouched, after.tree());
        }
        world.accept_all("7f3a").await.unwrap();
        let written = world.tree();
        if self == Self::Undo {
            return (world, written, untouched);
        }
        world.sets.undo(None).await.unwrap();
        (world, untouched, written)
    }

    async fn does(self, world: &World) -> Result<(), ChangeError> {
        let all = (1..=4).map(|hunk| (hunk, Verdict::Accept)).collect();
        match self {
            Self::Accept => world.sets.review("7f3a", all, false).await.map(drop),
            Self::Undo => world.sets.undo(None).await.map(drop),
            Self::Redo => world.sets.redo(None).await.map(drop),
        }
    }

    /// The verdict of every hunk without and with it.
    fn verdicts(self) -> (Decided, Decided) {
        match self {
            Self::Undo => (Decided::Accepted, Decided::Pending),
            _ => (Decided::Pending, Decided::Accepted),
        }
    }
}

/// All old or all new, as the verdicts say, and fit for more work.
async fn sound(world: &World, work: Work, old: &Tree, new: &Tree, when: &str) {
    let tree = world.tree();
    assert!(
        tree == *old || tree == *new,
        "{work:?}, {when}: half written: {tree:?}"
    );
    let (before, after) = work.verdicts();
    let wanted = if tree == *new { after } else { before };
    let verdicts = world.verdicts("7f3a").await;
    assert!(
        verdicts.iter().all(|v| *v == wanted),
        "{work:?}, {when}: {verdicts:?}"
    );
    let history = world.sets.history().await.unwrap();
    let ended = |s| matches!(s, ApplicationState::Done | ApplicationState::TakenBack);
    assert!(
        history.iter().all(|a| ended(a.state)),
        "{work:?}, {when}: {history:?}"
    );
    // And it can be done, and taken back, from here.
    if tree == *old {
        work.does(world)
            .await
            .unwrap_or_else(|e| panic!("{work:?}, {when}: {e}"));
    }
    assert_eq!(world.tree(), *new, "{work:?}, {when}");
    let back = match work {
        Work::Undo => world.sets.redo(None).await,
        _ => world.sets.undo(None).await,
    };
    back.unwrap_or_else(|e| panic!("{work:?}, {when}: {e}"));
    assert_eq!(world.tree(), *old, "{work:?}, {when}");
}

/// How many calls through the gate the work takes.
fn calls_of(work: Work) -> usize {
    block_on(async {
        let (world, _, new) = work.prepared().await;
        world.gate.set(Mode::Open);
        work.does(&world).await.unwrap();
        assert_eq!(world.tree(), new);
        world.gate.calls()
    })
}

#[test]
fn a_failure_at_any_call_leaves_all_files_old() {
    for work in Work::ALL {
        for call in 1..=calls_of(work) {
            for mode in [Mode::FailAt(call), Mode::LoseAnswerOf(call)] {
                block_on(async {
                    let (world, old, new) = work.prepared().await;
                    world.gate.set(mode);
                    let failed = work.does(&world).await;
                    world.gate.set(Mode::Open);
                    let tree = world.tree();
                    // Closing a buffer may fail without harm; all else is told.
                    match failed {
                        Ok(()) => assert_eq!(tree, new, "{work:?}, {mode:?}"),
                        Err(ChangeError::Interrupted { .. }) => {
                            panic!("{work:?}, {mode:?}: one failure can be taken back")
                        }
                        Err(_) => assert_eq!(tree, old, "{work:?}, {mode:?}"),
                    }
                    sound(&world, work, &old, &new, &format!("{mode:?}")).await;
                });
            }
        }
    }
}

#[test]
fn ports_that_die_at_any_call_leave_work_for_recovery_only() {
    for work in Work::ALL {
        for call in 1..=calls_of(work) {
            block_on(async {
                let (world, old, new) = work.prepared().await;
                world.gate.set(Mode::FailFrom(call));
                let failed = work.does(&world).await;
                world.gate.set(Mode::Open);
                if !matches!(failed, Ok(()) | Err(ChangeError::Interrupted { .. })) {
                    assert_eq!(world.tree(), old, "{work:?} from call {call}: {failed:?}");
                }
                world.sets.recover().await.unwrap();
                sound(&world, work, &old, &new, &format!("from call {call}")).await;
            });
        }
    }
}

#[test]
fn a_crash_at_any_call_is_recovered_from() {
    for work in Work::ALL {
        for call in 1..=calls_of(work) {
            for mode in [Mode::HangBefore(call), Mode::HangAfter(call)] {
                for editor_lived in [false, true] {
                    block_on(async {
                        let (world, old, new) = work.prepared().await;
                        world.gate.set(mode);
                        let mut finished = false;
                        {
                            let mut future = pin!(work.does(&world));
                            let mut context = Context::from_waker(Waker::noop());
                            // Without a hang the mocks never wait.
                            for _ in 0..100 {
                                if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
                                    finished = done.is_ok();
                                    break;
                                }
                            }
                        }
                        assert!(!finished, "{work:?}, {mode:?}: never got there");
                        let world = world.restarted(editor_lived);
                        world.sets.recover().await.unwrap();
                        sound(&world, work, &old, &new, &format!("{mode:?}")).await;
                    });
                }
            }
        }
    }
}

/// Recovery is cut off as well.
#[test]
fn a_crash_during_recovery_is_recovered_from() {
    let work = Work::Accept;
    let last = calls_of(work);
    for first in (1..=last).step_by(3) {
        for second in 1..=last {
            block_on(async {
                let (world, old, new) = work.prepared().await;
                world.gate.set(Mode::HangAfter(first));
                drop_when_stuck(work.does(&world));
                let world = world.restarted(false);
                world.gate.set(Mode::HangBefore(second));
                drop_when_stuck(world.sets.recover());
                let world = world.restarted(false);
                world.sets.recover().await.unwrap();
                sound(&world, work, &old, &new, &format!("{first}, then {second}")).await;
            });
        }
    }
}

fn drop_when_stuck<T>(future: impl Future<Output = T>) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..100 {
        if future.as_mut().poll(&mut context).is_ready() {
            return;
        }
    }
}

#[test]
fn artifacts_that_cannot_be_stored_or_read_stop_the_work_before_or_take_it_back() {
    for work in Work::ALL {
        for operation in ["store_artifact", "retrieve_artifact"] {
            for nth in 1..=12 {
                block_on(async {
                    let (world, old, new) = work.prepared().await;
                    let error = PortError::failed("the disk is full");
                    world.pit.fail_nth(operation, nth, error);
                    let failed = work.does(&world).await;
                    // Nobody can be rewarded for what cannot be read; that is no failure.
                    let wanted = if failed.is_err() { &old } else { &new };
                    assert_eq!(world.tree(), *wanted, "{work:?}, {operation} {nth}");
                    world
                        .pit
                        .fail_nth(operation, 1, PortError::failed("once more"));
                    let world = world.restarted(true);
                    sound(&world, work, &old, &new, &format!("{operation} {nth}")).await;
                });
            }
        }
    }
}

#[test]
fn a_full_disk_in_the_middle_is_taken_back_and_told() {
    block_on(async {
        let (world, old, _) = Work::Accept.prepared().await;
        world.text.fail_when("save", |call| {
            (call >= 2).then(|| PortError::Exhausted {
                resource: "the disk".into(),
                details: "0 bytes are free".into(),
                retry_after: None,
            })
        });
        let error = world.accept_all("7f3a").await.unwrap_err();
        // The first file cannot be written back as long as the disk is full.
        assert!(matches!(error, ChangeError::Interrupted { .. }), "{error}");
        let error = world.sets.recover().await.unwrap_err();
        assert!(matches!(error, ChangeError::Interrupted { .. }), "{error}");
        world.text.fail_when("save", |_| None);
        let recovered = world.sets.recover().await.unwrap();
        assert_eq!(recovered[0].outcome, RecoveredAs::TakenBack);
        assert_eq!(world.tree(), old);
        world.accept_all("7f3a").await.unwrap();
    });
}

#[test]
fn recovery_leaves_alone_what_someone_changed_since() {
    block_on(async {
        let (world, _, new) = Work::Accept.prepared().await;
        // Stuck after the first file is saved.
        let call = (1..)
            .find(|call| {
                let (world, old, _) =
                    futures_util::FutureExt::now_or_never(Work::Accept.prepared()).unwrap();
                world.gate.set(Mode::HangAfter(*call));
                drop_when_stuck(Work::Accept.does(&world));
                world.tree() != old
            })
            .unwrap();
        world.gate.set(Mode::HangAfter(call));
        drop_when_stuck(Work::Accept.does(&world));
        let world = world.restarted(false);
        world.human("b.rs", "all new\n");
        let recovered = world.sets.recover().await.unwrap();
        let [one] = &recovered[..] else {
            panic!("{recovered:?}")
        };
        assert_eq!(one.outcome, RecoveredAs::Finished);
        assert_eq!(one.files, ["a.rs", "new/c.rs"]);
        assert_eq!(one.left[0].path, "b.rs");
        let mut wanted = new;
        wanted.insert("b.rs".into(), "all new\n".into());
        assert_eq!(world.tree(), wanted);
        use Decided::{Accepted, Pending};
        assert_eq!(
            world.verdicts("7f3a").await,
            [Accepted, Accepted, Pending, Accepted]
        );
        // Undo takes back what was written, and that only.
        let undone = world.sets.undo(None).await.unwrap();
        assert_eq!(undone.files, ["a.rs", "new/c.rs"]);
        assert_eq!(world.file("b.rs"), "all new\n");
    });
}

#[test]
fn what_someone_types_while_it_is_written_is_kept() {
    block_on(async {
        let (world, _, _) = Work::Accept.prepared().await;
        let text = world.text.clone();
        // When b.rs is about to be saved, someone has saved a.rs with a change of their own.
        world.text.fail_when("save", move |call| {
            (call == 2).then(|| {
                let path = at("a.rs");
                let now = String::from_utf8(text.file(&path).unwrap()).unwrap();
                text.write_file(path, now.replace("fn f9", "fn mine"));
                PortError::failed("the test says so")
            })
        });
        let error = world.accept_all("7f3a").await.unwrap_err();
        let ChangeError::TakenBack { left, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(left[..], []);
        assert_eq!(world.file("a.rs"), numbered(9).replace("fn f9", "fn mine"));
        assert_eq!(world.file("b.rs"), numbered(9));
    });
}
