//! The requests that servers answer, each as a [`Feature`](super::feature::Feature).

mod actions;
mod completion;
mod edits;
mod help;
mod locations;
mod names;
mod symbols;
