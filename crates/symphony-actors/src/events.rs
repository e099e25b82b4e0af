//! What actors tell.

use crate::{ActorError, Death};
use std::{sync::Arc, time::Duration};

/// Something that happened to an actor.
#[derive(Debug, Clone)]
pub struct ActorEvent {
    /// Which actor.
    pub actor: Arc<str>,
    /// Which incarnation, from 1.
    pub generation: u64,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum EventKind {
    /// Its process runs and is ready.
    Started {
        /// The process.
        pid: u32,
        /// From the decision to start until ready.
        took: Duration,
    },
    /// It does not answer.
    Unhealthy {
        /// For how long.
        silent: Duration,
    },
    /// It answers again.
    Healthy,
    /// Its process ended.
    Exited(Arc<Death>),
    /// It will be started again.
    Restarting {
        /// After this wait.
        after: Duration,
    },
    /// It ended too often, or cannot be started.
    Failed(ActorError),
    /// It was stopped as asked.
    Stopped,
    /// A line of its standard error.
    Stderr(String),
    /// It sent a line that is no message.
    Malformed {
        /// What is wrong with it.
        why: String,
        /// Its beginning.
        sample: String,
    },
}
