//! Ports to the world.

pub mod extensions;
mod rpc;
