//! Ports to the world.

pub mod conductor;
pub mod data;
pub mod environment;
pub mod extensions;
pub mod pit;
mod rpc;
pub mod xi_editor;
