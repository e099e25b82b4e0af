//! Models and the leases on them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Which model is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// The Instrument that serves it, e.g. `local-model`.
    pub model_id: String,
    /// A version, where several are there.
    pub version: Option<String>,
    /// How many leases of it may be held at once; at least 1.
    pub max_parallel: u32,
    /// Settings that tell models of one id apart.
    pub config: BTreeMap<String, Value>,
}

/// A lease on a model; give it back with `release_model`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModelHandle {
    /// Which of the pool's slots.
    pub slot: u32,
    /// Tells the leases of a slot apart; a handle given back twice is refused.
    pub generation: u64,
}
