//! The Instrument against the scripted server, both as real processes.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

mod chat;
mod faults;
mod support;
