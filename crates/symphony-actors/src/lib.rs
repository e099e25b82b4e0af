//! One supervisor for every child process.
//!
//! A [`Supervisor`] starts children through the extension runner, watches them
//! (death, hang, garbage, flood), restarts them under a policy and stops them.
//! A child is an [`ActorHandle`] to its users: its state, its events, and the
//! connection to its current [`Incarnation`]. What makes an actor special (the
//! handshake, its notifications) is its [`Behaviour`].
//!
//! Invariant: no child outlives the host, however the host ends. Four things
//! hold it: the parent-death signal of the child, tied to a spawner thread that
//! lives as long as the supervisor; a process group per child; the guard
//! process that ends the groups of a killed host; and [`Supervisor`]'s drop.

mod error;
mod events;
mod group;
mod handle;
mod heartbeat;
mod incarnation;
mod life;
mod resources;
mod spawner;
mod spec;
mod stderr;
mod supervisor;

pub use error::{ActorError, Death, DeathCause, StartError};
pub use events::{ActorEvent, EventKind};
pub use handle::{ActorHandle, ActorState, Behaviour, Incarnation, NoBehaviour};
pub use resources::Resources;
pub use spec::{ActorSpec, Heartbeat, Limits, RestartPolicy, StopPolicy};
pub use supervisor::{Supervisor, SupervisorOptions};
