//! The ports, one file each.

mod conductor;
mod data;
mod environment;
mod extension;
mod pit;
mod text_editing;

pub use conductor::ConductorPort;
pub use data::DataPort;
pub use environment::{Clock, IdSource};
pub use extension::ExtensionPort;
pub use pit::{
    Arbitration, ArtifactStorage, DagTracking, ModelPool, NodeExecutor, PitPort, Staleness,
};
pub use text_editing::TextEditingPort;
