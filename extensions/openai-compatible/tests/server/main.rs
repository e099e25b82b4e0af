//! The Instrument against the scripted server, both as real processes.

mod chat;
mod faults;
mod support;
