//! What fuzzing kept is replayed: `fuzz/corpus/<target>`, a file an input.
//!
//! Names that begin with `crash-` are inputs that once broke something.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod harness;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

static PANICS: AtomicUsize = AtomicUsize::new(0);

fn replay(name: &str) {
    let target = harness::TARGETS.iter().find(|target| target.0 == name);
    let (_, run) = target.unwrap();
    // A panic in a thread of the server counts as well.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        usual(info);
    }));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        println!("{}", file.display());
        run(&std::fs::read(file).unwrap());
        assert_eq!(PANICS.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn any_lines_are_answered() {
    replay("protocol");
}

#[test]
fn requests_do_what_their_events_say() {
    replay("requests");
}

#[test]
fn edits_converge_and_are_undone() {
    replay("edits");
}

#[test]
fn what_is_found_is_what_is_there() {
    replay("search");
}
