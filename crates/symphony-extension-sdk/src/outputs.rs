//! The result of a call.

use crate::Failure;
use serde::Serialize;
use serde_json::{Map, Value};
use symphony_ipc_protocol::extension::{Invoked, Usage};

/// The values of a call's output ports, and what the call consumed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outputs {
    values: Map<String, Value>,
    usage: Usage,
}

impl Outputs {
    /// No values yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the value of a port.
    ///
    /// # Errors
    /// [`Failure::Internal`] when the value has no JSON form (a map with keys that are no strings, …).
    pub fn with(mut self, port: &str, value: impl Serialize) -> Result<Self, Failure> {
        let value = serde_json::to_value(value)
            .map_err(|e| Failure::Internal(format!("output `{port}` has no JSON form: {e}")))?;
        self.values.insert(port.to_owned(), value);
        Ok(self)
    }

    /// Says what the call consumed.
    #[must_use]
    pub fn used(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    /// The value of a port.
    #[must_use]
    pub fn get(&self, port: &str) -> Option<&Value> {
        self.values.get(port)
    }

    /// What the call consumed.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage
    }

    pub(crate) fn into_invoked(self) -> Invoked {
        Invoked {
            outputs: self.values,
            usage: self.usage,
        }
    }
}
