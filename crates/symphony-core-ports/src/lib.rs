//! The border of Symphony's domain: ports, the types that cross them, typed errors.
//!
//! A **port** is a trait that the domain calls; an **adapter** implements it
//! against the world (see `symphony-adapters`), a mock implements it for tests
//! (see `symphony-testkit`). Both pass the same contract suite.
//!
//! | port | abstracts |
//! |---|---|
//! | [`TextEditingPort`] | xi-editor, the owner of all text |
//! | [`PitPort`] | the five members of the Pit, each a trait of its own |
//! | [`ExtensionPort`] | Instruments, Operators and Motifs in processes of their own |
//! | [`ConductorPort`] | the one who chooses melodies and players |
//! | [`DataPort`] | records with versions; OFB Python once it is connected |
//! | [`Clock`], [`IdSource`] | time and randomness |
//!
//! Rules that hold for every port: calls are safe from any task at once; a call
//! that returns an error has changed nothing unless its documentation says
//! otherwise; dropping a call's future cancels the wait, not necessarily the work.
//!
//! Nothing here does input or output.

pub mod errors;
pub mod ports;
pub mod types;

pub use errors::{PortError, PortResult};
pub use ports::{
    Arbitration, ArtifactStorage, Clock, ConductorPort, DagTracking, DataPort, ExtensionPort,
    IdSource, ModelPool, NodeExecutor, PitPort, Staleness, TextEditingPort,
};
pub use types::*;
