//! What a child process is confined by, and who ends it when the host is gone.
//!
//! The binary `symphony-extension-runner` has two forms:
//!
//! * `exec` ([`exec`]) confines itself and then becomes the child's program:
//!   a session and process group of its own, parent-death signal, resource limits,
//!   no inherited file descriptors. Nothing of this runs in the multi-threaded host.
//! * `guard` ([`guard`]) waits until the host is gone, however it ended, and ends
//!   every process group the host registered and did not take back.
//!
//! Invariant: a child, and what it spawned into its group, ends with the host.

pub mod args;
pub mod exec;
pub mod guard;
pub mod proc;
