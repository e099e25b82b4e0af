//! Change sets, through their public interface and the mocks of the ports.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "changes/editing.rs"]
mod editing;
#[path = "changes/failing.rs"]
mod failing;
#[path = "changes/gate.rs"]
mod gate;
#[path = "changes/reviewing.rs"]
mod reviewing;
#[path = "changes/staging.rs"]
mod staging;
#[path = "changes/undoing.rs"]
mod undoing;
#[path = "changes/world.rs"]
mod world;
