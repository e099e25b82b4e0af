//! The whole program, end to end: real processes, a real text engine, a scripted
//! model server, and once the real small model.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
// Helpers of tests may unwrap as tests do.

mod ask;
mod bad_files;
mod bad_melodies;
mod bad_players;
mod document;
mod editing;
mod engine;
mod interruptions;
mod machine;
mod melodies;
mod model_faults;
mod processes;
mod real_model;
mod review;
mod server;
mod settings;
mod shop;
mod stage;
mod turns;
