//! Symphony's domain: melodies, runs, change sets, permissions and policies.
//!
//! Pure orchestration: everything that touches the world goes through the ports
//! of `symphony-core-ports`. [`core::SymphonyCore`] holds the ports;
//! [`run::Performance`] plays a melody; [`changes`] turns what it proposes into
//! reviewed, undoable changes of the project.

pub mod changes;
pub mod core;
pub mod melody;
pub mod permissions;
pub mod run;
