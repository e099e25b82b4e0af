//! The contract of [`ExtensionPort`].
//!
//! The suite calls test extensions that each behave in one prescribed way
//! ([`Behaviour`]). For an implementation that starts processes, [`script_manifest`]
//! gives them: a Python program that speaks the extension protocol and
//! misbehaves as told, and the manifests that start it. [`install`] gives them
//! to the mock.

mod cases;
mod mock;
mod script;

pub use mock::install;
pub use script::{SCRIPT, script_manifest};

use super::suite;
use async_trait::async_trait;
use cases::*;
use std::{sync::Arc, time::Duration};
use symphony_core_ports::{ExtensionManifest, ExtensionPort};

/// How a test extension behaves when it is called. Each has the optional input
/// `value` (json) and the optional output `value` (json), and no permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Behaviour {
    /// Answers with `value` as it came, and the usage 1 model call, 2 tokens
    /// read, 3 written. Takes 4 calls at once and says that its model is `echo-model`.
    Echo,
    /// Waits for `value` milliseconds, then answers like [`Echo`](Self::Echo).
    /// Takes 4 calls at once. A cancelled call ends.
    Slow,
    /// Tells the progress 1 of 2 `half`, then the text `la`, then the text `lu`;
    /// then answers.
    Streams,
    /// The first call fails as an upstream service that may be asked again;
    /// later ones answer like [`Echo`](Self::Echo).
    FailsOnce,
    /// Fails as `value` says: `invalid`, `refused`, `unsupported`, `timeout`,
    /// `busy` (with 250 ms to wait), `upstream`.
    Fails,
    /// Writes `out of luck` on standard error and ends its process.
    Dies,
    /// Never answers, and ignores that it is cancelled.
    Hangs,
    /// Writes lines that are no protocol, and never answers.
    Garbage,
    /// Writes notifications without end, and never answers.
    Flood,
    /// Cannot be started: its program does not exist.
    Missing,
    /// Ends before it answers `initialize`.
    StillBorn,
    /// Answers `initialize` with another protocol.
    Stranger,
}

impl Behaviour {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Echo,
        Self::Slow,
        Self::Streams,
        Self::FailsOnce,
        Self::Fails,
        Self::Dies,
        Self::Hangs,
        Self::Garbage,
        Self::Flood,
        Self::Missing,
        Self::StillBorn,
        Self::Stranger,
    ];

    /// The id of the extension in the suite's manifests.
    pub fn id(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Slow => "slow",
            Self::Streams => "streams",
            Self::FailsOnce => "fails-once",
            Self::Fails => "fails",
            Self::Dies => "dies",
            Self::Hangs => "hangs",
            Self::Garbage => "garbage",
            Self::Flood => "flood",
            Self::Missing => "missing",
            Self::StillBorn => "still-born",
            Self::Stranger => "stranger",
        }
    }
}

/// What the suite needs: an implementation without loaded extensions.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The implementation.
    fn port(&self) -> Arc<dyn ExtensionPort>;

    /// The manifest of the extension that behaves like this, with the id
    /// [`Behaviour::id`].
    fn manifest(&self, behaviour: Behaviour) -> ExtensionManifest;

    /// A manifest that asks for a permission which is not granted; `None` where
    /// everything is.
    fn ungranted(&self) -> Option<ExtensionManifest> {
        None
    }

    /// How many processes of extensions are alive; `None` where there are none by design.
    fn processes(&self) -> Option<usize> {
        None
    }

    /// Lets at least `duration` pass for the implementation, and tasks of the runtime run.
    async fn pass(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

suite! {
    "ExtensionPort":
    an_extension_answers,
    ready_tells_what_it_said,
    loading_again_is_the_same,
    another_manifest_conflicts,
    what_is_not_loaded_is_not_found,
    an_ungranted_permission_is_refused,
    an_unloaded_extension_is_gone,
    calls_run_side_by_side,
    events_come_in_order,
    events_of_nobody_are_none,
    a_failure_may_pass,
    failures_keep_their_kind,
    a_slow_call_times_out,
    a_hanging_call_times_out,
    a_dropped_call_is_stopped,
    a_death_is_told_with_last_words,
    garbage_ends_the_call,
    a_flood_ends_the_call,
    what_cannot_start_is_told,
    unloading_ends_calls,
    no_process_stays,
}
