//! Developer commands for the Symphony repository: `cargo xtask --help`.
//!
//! Depends on nothing of ours, so that it builds and helps when the rest does not.

pub mod advisories;
pub mod bench;
pub mod ci;
pub mod cli;
pub mod coverage;
pub mod error;
pub mod exec;
pub mod fuzz;
pub mod kills;
pub mod layers;
pub mod lint;
pub mod peers;
pub mod readme;
pub mod report;
pub mod run;
pub mod sample;
pub mod setup;
pub mod tests;
pub mod workspace;
