//! Configuration by layers.

mod error;

pub use error::ConfigError;
pub use origin::Origin;
mod origin;
