//! Editing at random, in a process that is killed and in a model.

pub mod acts;
pub mod model;
pub mod peer;
pub mod state;
